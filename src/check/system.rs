//! What the daemon needs of the system: its user, limits, files, directories and sockets.

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::getuid;

use super::eyes::Eyes;
use super::findings::{Finding, Findings, Severity};
use super::places::{self, Trouble};
use super::sockets::{self, State};
use crate::config::complaint::Topic;
use crate::config::ini::Document;
use crate::core::config::{
    Config, FastCgiSocket, GroupConfig, GroupKind, LogFile, Owner, ServerAddress, Settings,
};

/// The section of the daemon.
const DAEMON: &str = "supervisord";

/// What the system is asked with.
pub(super) struct System<'a> {
    /// The text of the configuration.
    pub(super) document: &'a Document,
    /// Who looks.
    pub(super) eyes: &'a Eyes,
    /// Takes down what is found.
    pub(super) findings: &'a mut Findings,
}

impl System<'_> {
    /// Asks for everything but what single programs need, in the order of a start.
    pub(super) fn look(&mut self, config: &Config) {
        let settings = &config.settings;
        self.user(settings);
        self.limits(settings);
        self.files(settings, &config.groups);
        self.servers(config);
        for group in &config.groups {
            for socket in group.sockets() {
                self.fastcgi(group, socket);
            }
        }
    }

    fn say(
        &mut self,
        severity: Severity,
        kind: &'static str,
        (section, option): (&str, &str),
        message: String,
    ) {
        let place = self.document.option_position(section, option);
        let position = place.or_else(|| self.document.section_position(section));
        let topic = Topic::Option { section: section.to_string(), option: option.to_string() };
        self.findings.add(Finding { severity, kind, topic, position, message, suggestion: None });
    }

    fn trouble(
        &mut self,
        severity: Severity,
        kind: &'static str,
        place: (&str, &str),
        trouble: &Trouble,
        message: String,
    ) {
        let severity = match trouble {
            Trouble::Denied => self.eyes.denial(severity),
            Trouble::System(_) | Trouble::Refused(_) => severity,
        };
        self.say(severity, kind, place, message);
    }

    fn user(&mut self, settings: &Settings) {
        let place = (DAEMON, "user");
        if let Some(why) = self.eyes.refusal() {
            let message = format!("only root can start this configuration: {why}");
            self.say(Severity::Note, "user", place, message);
        } else if getuid().is_root() && settings.user.is_none() {
            let message = "the daemon stays root, and warns of it: user=root says that it shall";
            self.say(Severity::Note, "user", place, message.to_string());
        }
    }

    fn limits(&mut self, settings: &Settings) {
        for (option, resource, wanted) in [
            ("minfds", Resource::RLIMIT_NOFILE, settings.minfds),
            ("minprocs", Resource::RLIMIT_NPROC, settings.minprocs),
        ] {
            let (Ok((_, hard)), Ok(wanted)) = (getrlimit(resource), u64::try_from(wanted)) else {
                continue;
            };
            // Root raises them, as far as the kernel goes.
            let most = match (getuid().is_root(), resource) {
                (true, Resource::RLIMIT_NOFILE) => descriptors_of_the_kernel(),
                (true, _) => u64::MAX,
                (false, _) => hard,
            };
            if wanted > most {
                let message = format!("the system allows {most} only, {option} asks for {wanted}");
                let severity = self.eyes.denial(Severity::Error);
                self.say(severity, "limit", (DAEMON, option), message);
            }
        }
    }

    fn files(&mut self, settings: &Settings, groups: &[GroupConfig]) {
        if settings.logfile != "syslog" {
            let path = &settings.logfile;
            if let Err(trouble) = self.eyes.look(|| places::writable(path)) {
                let message = format!("the log file {path} cannot be opened: {}", trouble.words());
                self.trouble(Severity::Error, "logfile", (DAEMON, "logfile"), &trouble, message);
            }
        }
        let path = &settings.pidfile;
        if let Err(trouble) = self.eyes.look(|| places::writable(path)) {
            let message = format!("the pidfile {path} cannot be written: {}", trouble.words());
            self.trouble(Severity::Warning, "pidfile", (DAEMON, "pidfile"), &trouble, message);
        }
        if let Some(path) = settings.directory.as_ref().filter(|_| !settings.nodaemon)
            && let Err(trouble) = self.eyes.look(|| places::enterable(path))
        {
            let message = format!("the daemon cannot go to {path}: {}", trouble.words());
            self.trouble(Severity::Error, "directory", (DAEMON, "directory"), &trouble, message);
        }
        let mut processes = groups.iter().flat_map(|group| &group.processes);
        let is_auto = |log: &LogFile| *log == LogFile::Auto;
        let path = &settings.childlogdir;
        if processes.any(|it| is_auto(&it.stdout.logfile) || is_auto(&it.stderr.logfile))
            && let Err(trouble) = self.eyes.look(|| places::enterable_and_writable(path))
        {
            let words = trouble.words();
            let message = format!("AUTO logs cannot be made in {path}: {words}");
            let place = (DAEMON, "childlogdir");
            self.trouble(Severity::Warning, "logfile", place, &trouble, message);
        }
    }

    fn servers(&mut self, config: &Config) {
        let mut taken: Vec<&ServerAddress> = Vec::new();
        for server in &config.servers {
            let section = server.section.as_str();
            let same = |it: &&&ServerAddress| is_same(it, &server.address);
            let is_taken = taken.iter().find(same).is_some();
            taken.push(&server.address);
            let (option, shown, state) = match &server.address {
                ServerAddress::Inet { host, port } => {
                    let state = self.eyes.look(|| sockets::tcp(host, *port));
                    ("port", format!("port {host}:{port}"), state)
                }
                ServerAddress::Unix { path, chown, .. } => {
                    self.chown(section, *chown);
                    let state = self.eyes.look(|| sockets::unix(path));
                    ("file", format!("socket {path}"), state)
                }
            };
            if is_taken {
                let message = format!("the {shown} is another server's, too");
                self.say(Severity::Error, "socket", (section, option), message);
            } else {
                self.socket((section, option), &shown, state);
            }
            if server.credentials.is_none() && option == "port" {
                let message = "everybody who reaches the port may do everything: it has no username and password";
                self.say(Severity::Warning, "no-password", (section, option), message.to_string());
            }
        }
    }

    /// Only root may give a socket away.
    fn chown(&mut self, section: &str, owner: Option<Owner>) {
        let Some(owner) = owner else { return };
        let me = self.eyes.uid();
        if me != 0 && owner.uid != me {
            let message =
                format!("the daemon (uid {me}) may not give the socket to uid {}", owner.uid);
            let severity = self.eyes.denial(Severity::Error);
            self.say(severity, "socket", (section, "chown"), message);
        }
    }

    fn fastcgi(&mut self, group: &GroupConfig, socket: &FastCgiSocket) {
        let section = format!("fcgi-program:{}", socket.program);
        if matches!(group.kind, GroupKind::Plain) {
            let message = "the processes share the socket, though the program is a member of a group: with Supervisor \
                           it has none there";
            self.say(Severity::Note, "difference", (&section, "socket"), message.to_string());
        }
        let state = match socket.url.strip_prefix("unix://") {
            Some(path) => self.eyes.look(|| sockets::unix(path)),
            None => match socket.url.strip_prefix("tcp://").and_then(|it| it.rsplit_once(':')) {
                Some((host, port)) => {
                    let port = port.parse().unwrap_or_default();
                    self.eyes.look(|| sockets::tcp(host, port))
                }
                None => return,
            },
        };
        self.socket((&section, "socket"), &format!("socket {}", socket.url), state);
    }

    fn socket(&mut self, place: (&str, &str), shown: &str, state: State) {
        match state {
            State::Free => {}
            State::Served => {
                let message = format!(
                    "the {shown} is in use: by the daemon of this configuration, if it runs already; no other can \
                     start meanwhile"
                );
                self.say(Severity::Warning, "socket", place, message);
            }
            State::Stale => {
                let message = format!("the {shown} is left over, and will be replaced");
                self.say(Severity::Note, "socket", place, message);
            }
            State::NoSocket => {
                let message = format!("the {shown} is no socket, and would be removed");
                self.say(Severity::Warning, "socket", place, message);
            }
            State::Trouble(trouble) => {
                let message = format!("the {shown} cannot be opened: {}", trouble.words());
                self.trouble(Severity::Error, "socket", place, &trouble, message);
            }
            State::Unresolved(why) => {
                let message = format!("the {shown} cannot be opened: {why}");
                self.say(Severity::Error, "socket", place, message);
            }
        }
    }
}

fn is_same(a: &ServerAddress, b: &ServerAddress) -> bool {
    match (a, b) {
        (ServerAddress::Unix { path: a, .. }, ServerAddress::Unix { path: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

/// Descriptors that the kernel gives one process at most.
fn descriptors_of_the_kernel() -> u64 {
    let text = std::fs::read_to_string("/proc/sys/fs/nr_open").unwrap_or_default();
    text.trim().parse().unwrap_or(u64::MAX)
}
