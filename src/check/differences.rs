//! What a configuration uses that the two daemons do differently, and what means something else than it seems to: a table.
//!
//! The differences are those of `compat-tests/QUIRKS.md` that can be seen in a configuration.

use super::findings::{Finding, Findings, Severity};
use crate::config::complaint::Topic;
use crate::config::ini::Document;
use crate::config::paths;
use crate::core::config::{Config, ServerAddress};

/// Seconds after which systemd kills a unit that is stopping, unless the unit says otherwise.
const SYSTEMD_STOP_SECS: i64 = 90;

/// A section and one of its options; without one, the section.
type Place = (String, &'static str);

/// Something worth knowing of a configuration.
struct Row {
    severity: Severity,
    kind: &'static str,
    /// Where it is seen.
    seen: fn(&View<'_>) -> Vec<Place>,
    /// What there is to say.
    words: &'static str,
}

/// What is looked at.
struct View<'a> {
    config: &'a Config,
    document: &'a Document,
    configfile: &'a str,
}

const ROWS: &[Row] = &[
    Row {
        severity: Severity::Note,
        kind: "difference",
        seen: |view| view.set_to("stopasgroup", &["true", "yes", "on", "1"]),
        words: "a stop is over when everybody of the process group has ended, after stopwaitsecs by SIGKILL; with \
                Supervisor it is when the first process has",
    },
    Row {
        severity: Severity::Note,
        kind: "difference",
        seen: |view| view.open_ports(),
        words: "browsers are answered only under an address, localhost and this machine's name, for any site can give \
                the address a name of its own: allowed_hosts= names others",
    },
    Row {
        severity: Severity::Note,
        kind: "difference",
        seen: |view| view.relative_names(),
        words: "a relative name begins where the daemon was started, also when it is read again; with Supervisor at \
                directory=, once the daemon is there",
    },
    Row {
        severity: Severity::Warning,
        kind: "difference",
        seen: |view| view.others_than("rpcinterface:supervisor", "supervisor.rpcinterface_factory"),
        words: "the interface takes no options: this one is passed over, and Supervisor does not start with it",
    },
    Row {
        severity: Severity::Note,
        kind: "difference",
        seen: |view| view.set_to("result_handler", &["supervisor_stdout:event_handler"]),
        words: "the handler is built in, and puts the name of the process before each line; the package's does before \
                each event",
    },
    Row {
        severity: Severity::Note,
        kind: "no-effect",
        seen: |view| view.in_foreground("umask"),
        words: "without effect, for the daemon stays in the foreground (nodaemon)",
    },
    Row {
        severity: Severity::Note,
        kind: "no-effect",
        seen: |view| view.in_foreground("directory"),
        words: "without effect, for the daemon stays in the foreground (nodaemon)",
    },
    Row {
        severity: Severity::Warning,
        kind: "no-effect",
        seen: |view| view.inner_include(),
        words: "an [include] in a file that is included itself is passed over",
    },
    Row {
        severity: Severity::Warning,
        kind: "missing",
        seen: |view| view.without_interface(),
        words: "there is no [rpcinterface:supervisor]: supervisorctl cannot do anything",
    },
    Row {
        severity: Severity::Warning,
        kind: "missing",
        seen: |view| view.elsewhere(),
        words: "no server of this configuration listens there: supervisorctl will not find the daemon",
    },
    Row {
        severity: Severity::Note,
        kind: "stopwaitsecs",
        seen: |view| view.long_stops(),
        words: "systemd kills a unit that takes longer than its TimeoutStopSec to stop, 90 seconds unless it says \
                otherwise",
    },
];

/// Says what there is to say of a configuration: each thing once, where it is seen first.
pub(super) fn look(
    config: &Config,
    document: &Document,
    configfile: &str,
    findings: &mut Findings,
) {
    let view = View { config, document, configfile };
    for row in ROWS {
        let places = (row.seen)(&view);
        let Some((section, option)) = places.first() else { continue };
        let topic = match *option {
            "" => Topic::Section(section.clone()),
            _ => Topic::Option { section: section.clone(), option: (*option).to_string() },
        };
        let position = document.option_position(section, option);
        let position = position.or_else(|| document.section_position(section));
        let also = match places.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let name = if option.is_empty() { format!("[{section}]") } else { (*option).to_string() };
        let message = format!("{name}: {}{also}", row.words);
        let Row { severity, kind, .. } = *row;
        findings.add(Finding { severity, kind, topic, position, message, suggestion: None });
    }
}

impl View<'_> {
    /// The sections that set an option to one of these texts.
    fn set_to(&self, option: &'static str, texts: &[&str]) -> Vec<Place> {
        let is_set = |section: &String| {
            let text = self.document.get(section, option).map(str::to_lowercase);
            text.is_some_and(|text| texts.contains(&text.trim()))
        };
        let sections = self.document.sections().into_iter().filter(is_set);
        sections.map(|section| (section, option)).collect()
    }

    /// A section that has options besides the one it is to have.
    fn others_than(&self, section: &str, option: &str) -> Vec<Place> {
        if !self.document.has_section(section) {
            return Vec::new();
        }
        let others = self.document.options(section).into_iter().filter(|other| other != option);
        others.map(|_| (section.to_string(), "")).collect()
    }

    /// An option of the daemon that means something in the background only.
    fn in_foreground(&self, option: &'static str) -> Vec<Place> {
        let is_set = self.document.get("supervisord", option).is_some();
        let seen = is_set && self.config.settings.nodaemon;
        seen.then(|| ("supervisord".to_string(), option)).into_iter().collect()
    }

    fn open_ports(&self) -> Vec<Place> {
        let open = self.config.servers.iter().filter(|server| {
            matches!(server.address, ServerAddress::Inet { .. })
                && server.credentials.is_none()
                && server.allowed_hosts.is_empty()
        });
        open.map(|server| (server.section.clone(), "port")).collect()
    }

    fn relative_names(&self) -> Vec<Place> {
        let settings = &self.config.settings;
        if settings.nodaemon || settings.directory.is_none() {
            return Vec::new();
        }
        let is_relative = |option: &&str| {
            let text = self.document.get("supervisord", option);
            text.is_some_and(|text| !text.starts_with(['/', '~', '%']) && text != "syslog")
        };
        let names = ["logfile", "pidfile", "childlogdir"].into_iter().filter(is_relative);
        names.map(|option| ("supervisord".to_string(), option)).collect()
    }

    /// Of several `[include]` the last counts, and only what the main file itself says.
    fn inner_include(&self) -> Vec<Place> {
        let place = self.document.option_position("include", "files");
        let seen = place.is_some_and(|place| *place.file != *self.configfile);
        seen.then(|| ("include".to_string(), "files")).into_iter().collect()
    }

    fn without_interface(&self) -> Vec<Place> {
        let Some(server) = self.config.servers.first() else { return Vec::new() };
        let is_there =
            self.config.rpcinterfaces.iter().any(|interface| interface.name == "supervisor");
        let seen = !is_there && !self.document.has_section("rpcinterface:supervisor");
        seen.then(|| (server.section.clone(), "")).into_iter().collect()
    }

    /// Where supervisorctl looks for the daemon on this machine, and nobody listens.
    fn elsewhere(&self) -> Vec<Place> {
        let Some(url) = self.document.get("supervisorctl", "serverurl") else { return Vec::new() };
        let url = url.replace("%(here)s", &self.config.settings.here);
        let url = match url.strip_prefix("unix://") {
            Some(path) => format!("unix://{}", paths::normpath(path)),
            None => url,
        };
        let local = ["unix://", "http://localhost:", "http://127.0.0.1:"];
        let is_local = local.iter().any(|start| url.starts_with(start));
        let is_server = |address: &ServerAddress| match address {
            ServerAddress::Unix { path, .. } => url == format!("unix://{path}"),
            ServerAddress::Inet { port, .. } => {
                url.trim_end_matches('/').rsplit(':').next() == Some(&port.to_string())
            }
        };
        let found = self.config.servers.iter().any(|server| is_server(&server.address));
        let seen = is_local && !url.contains('%') && !found;
        seen.then(|| ("supervisorctl".to_string(), "serverurl")).into_iter().collect()
    }

    fn long_stops(&self) -> Vec<Place> {
        let processes = self.config.groups.iter().flat_map(|group| &group.processes);
        let longest = processes.map(|process| process.stopwaitsecs).max();
        if longest.is_none_or(|secs| secs <= SYSTEMD_STOP_SECS) {
            return Vec::new();
        }
        let is_long = |section: &String| {
            let text = self.document.get(section, "stopwaitsecs").unwrap_or_default();
            text.trim().parse::<i64>().is_ok_and(|secs| secs > SYSTEMD_STOP_SECS)
        };
        let sections = self.document.sections().into_iter().filter(is_long);
        sections.map(|section| (section, "stopwaitsecs")).collect()
    }
}
