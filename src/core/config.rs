//! What a configuration means, once read: plain data without optional defaults.
//!
//! `config` produces these; the core, the daemon and the client only consume them. Equality of groups is the reference's
//! (`options.py: ProcessConfig.__eq__`), because `reloadConfig` reports changes by it; the tables of
//! `core::options` say what counts.

use super::result_handler::ResultHandler;
use super::states::Level;

/// A whole configuration: one successful reading of the files and the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The `[supervisord]` section under the command line's options.
    pub settings: Settings,
    /// The HTTP servers: inet ones first, each kind in file order.
    pub servers: Vec<ServerConfig>,
    /// The `[rpcinterface:x]` sections, in file order.
    pub rpcinterfaces: Vec<RpcInterface>,
    /// The process groups, by ascending priority, then name.
    pub groups: Vec<GroupConfig>,
    /// What the reader wants said in the main log once that exists, in order.
    pub messages: Vec<(Level, String)>,
}

/// A `[rpcinterface:x]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcInterface {
    /// What is behind the colon: its namespace.
    pub name: String,
    /// What makes it.
    pub factory: Factory,
}

/// What makes an RPC interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factory {
    /// The main interface, which is ours.
    Main,
    /// A plugin in Python.
    Python {
        /// `module:function`, as written.
        spec: String,
        /// The other options of the section, which it is called with.
        options: Vec<(String, String)>,
    },
}

impl Config {
    /// The RPC interfaces in Python.
    pub fn python_interfaces(&self) -> impl Iterator<Item = &RpcInterface> {
        self.rpcinterfaces.iter().filter(|interface| interface.factory != Factory::Main)
    }

    /// The result handlers in Python, with the sections that name them.
    pub fn python_handlers(&self) -> impl Iterator<Item = (String, &str)> {
        self.groups.iter().filter_map(|group| match &group.kind {
            GroupKind::Listener(pool) if ResultHandler::is_python(&pool.result_handler) => {
                Some((format!("eventlistener:{}", group.name), pool.result_handler.as_str()))
            }
            GroupKind::Plain | GroupKind::FastCgi(_) | GroupKind::Listener(_) => None,
        })
    }

    /// Whether any plugin in Python is named.
    pub fn has_plugins(&self) -> bool {
        self.python_interfaces().next().is_some() || self.python_handlers().next().is_some()
    }
}

/// Options of the daemon itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Path of the configuration file as given or found.
    pub configfile: String,
    /// Directory of the configuration file (`%(here)s`).
    pub here: String,
    /// Stay in the foreground.
    pub nodaemon: bool,
    /// No log on stdout even in the foreground.
    pub silent: bool,
    /// `user=`, resolved.
    pub user: Option<UserId>,
    /// Mask applied when daemonizing.
    pub umask: u32,
    /// Directory to change to when daemonizing, as written.
    pub directory: Option<String>,
    /// Absolute path of the main log, or the literal `syslog`.
    pub logfile: String,
    /// Size that triggers rotation of the main log; 0 means never.
    pub logfile_maxbytes: i64,
    /// Rotated main logs kept.
    pub logfile_backups: i64,
    /// Threshold of the main log.
    pub loglevel: Level,
    /// Absolute path of the pid file.
    pub pidfile: String,
    /// Name of this supervisor in events, log file names and `getIdentification`.
    pub identifier: String,
    /// Directory of AUTO child logs, absolute.
    pub childlogdir: String,
    /// Keep old AUTO child logs at start.
    pub nocleanup: bool,
    /// Remove ANSI escapes from what programs print.
    pub strip_ansi: bool,
    /// Least number of file descriptors to start with.
    pub minfds: i64,
    /// Least number of processes to start with.
    pub minprocs: i64,
    /// The interpreter of plugins, as written.
    pub python: Option<String>,
    /// `SUPERVISOR_SERVER_URL` for programs that set none: the first Unix server, else the last inet one.
    pub serverurl: Option<String>,
}

/// A user the daemon runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserId {
    /// Numeric user id.
    pub uid: u32,
}

/// One HTTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// The section it came from, e.g. `unix_http_server` or `inet_http_server:admin`.
    pub section: String,
    /// Where it listens.
    pub address: ServerAddress,
    /// User name and password, both or neither. An empty user name means no authentication, as in the reference.
    pub credentials: Option<Credentials>,
    /// Names under which browsers may ask a TCP server without a password, besides those it has anyway; `*` is any.
    pub allowed_hosts: Vec<String>,
    /// Whether it answers `/metrics`.
    pub metrics: bool,
}

/// What a client must present.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password, plain or `{SHA}` and a hexadecimal SHA-1.
    pub password: String,
}

/// Where an HTTP server listens.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerAddress {
    /// TCP; an empty host means every interface.
    Inet {
        /// Host name or address, lower-cased, possibly empty.
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Absolute path.
        path: String,
        /// Permission bits of the socket.
        chmod: u32,
        /// Owner to set, if any was configured.
        chown: Option<Owner>,
    },
}

/// `user:group` or `user`, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Numeric user id.
    pub uid: u32,
    /// Numeric group id; `None` leaves the group alone.
    pub gid: Option<u32>,
}

/// When a process that exited by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoRestart {
    /// `false`
    #[default]
    Never,
    /// `unexpected`: after an exit status outside `exitcodes`.
    Unexpected,
    /// `true`
    Always,
}

/// Where a channel's output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogFile {
    /// Nowhere.
    #[default]
    None,
    /// A file in `childlogdir` whose name is chosen when the group is added.
    Auto,
    /// A path, as written after expansion.
    Path(String),
}

/// One output channel (stdout or stderr) of a process.
#[derive(Clone, Debug, Default)]
pub struct ChannelConfig {
    /// Destination.
    pub logfile: LogFile,
    /// Size that triggers rotation; 0 means never.
    pub logfile_maxbytes: i64,
    /// Rotated files kept.
    pub logfile_backups: i64,
    /// Size of the capture buffer; 0 disables capture mode.
    pub capture_maxbytes: i64,
    /// Send PROCESS_LOG events.
    pub events_enabled: bool,
    /// Also send lines to syslog.
    pub syslog: bool,
}

/// One process, after `numprocs` expansion. The blank one is what a reader fills by the table of options
/// (`options::program`), in which every field but `socket` has its row.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the fields carry the names of the options they come from
pub struct ProcessConfig {
    pub name: String,
    pub uid: Option<u32>,
    pub command: String,
    pub directory: Option<String>,
    pub umask: Option<u32>,
    pub priority: i64,
    pub autostart: bool,
    pub autorestart: AutoRestart,
    pub restart_delay: i64,
    pub startsecs: i64,
    pub startretries: i64,
    pub stdout: ChannelConfig,
    pub stderr: ChannelConfig,
    pub stopsignal: i32,
    pub stopwaitsecs: i64,
    pub stopasgroup: bool,
    pub killasgroup: bool,
    pub exitcodes: Vec<i64>,
    pub redirect_stderr: bool,
    /// `[supervisord]` environment overlaid with the program's, in order of first appearance.
    pub environment: Vec<(String, String)>,
    /// `None` when unset or AUTO.
    pub serverurl: Option<String>,
    /// Descriptor 0 of a process of a FastCGI program, which shares it with the program's other processes.
    pub socket: Option<FastCgiSocket>,
}

impl ProcessConfig {
    /// Names its AUTO logs (`options.py: create_autochildlogs`). `choose` names the log of a process and a channel.
    pub(super) fn name_logs(&mut self, mut choose: impl FnMut(&str, &str) -> String) {
        for (channel, config) in [("stdout", &mut self.stdout), ("stderr", &mut self.stderr)] {
            if config.logfile == LogFile::Auto {
                config.logfile = LogFile::Path(choose(&self.name, channel));
            }
        }
    }

    /// The last value `environment=` gives a name.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.environment.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A process group: what `reread`, `add` and `remove` deal in.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupConfig {
    /// The group's name.
    pub name: String,
    /// Lower starts earlier and stops later.
    pub priority: i64,
    /// The processes, in the order they are started at boot.
    pub processes: Vec<ProcessConfig>,
    /// What kind of group it is.
    pub kind: GroupKind,
}

impl GroupConfig {
    /// The FastCGI sockets of its programs, in the order of the configuration.
    pub fn sockets(&self) -> Vec<&FastCgiSocket> {
        match &self.kind {
            // It has one even without processes.
            GroupKind::FastCgi(socket) => vec![socket],
            GroupKind::Plain | GroupKind::Listener(_) => {
                let mut sockets: Vec<&FastCgiSocket> = Vec::new();
                for socket in self.processes.iter().filter_map(|process| process.socket.as_ref()) {
                    if !sockets.iter().any(|known| known.program == socket.program) {
                        sockets.push(socket);
                    }
                }
                sockets
            }
        }
    }
}

/// Kinds of process groups.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupKind {
    /// `[program:x]` and `[group:x]`; of the latter, FastCGI programs may be members.
    Plain,
    /// `[eventlistener:x]`.
    Listener(ListenerConfig),
    /// `[fcgi-program:x]`.
    FastCgi(FastCgiSocket),
}

/// Options of an event listener pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListenerConfig {
    /// Events held while no listener is ready, at least 1.
    pub buffer_size: i64,
    /// Names of the subscribed event types, upper-case, sorted, each once.
    pub events: Vec<String>,
    /// `result_handler=` as written.
    pub result_handler: String,
}

/// The shared socket of a FastCGI program. Two are equal when their URLs are (`SocketConfig.__eq__`).
#[derive(Clone, Debug, Default)]
pub struct FastCgiSocket {
    /// Name of the program. Processes of one group share the socket when they are of one program.
    pub program: String,
    /// `unix:///path` or `tcp://host:port`.
    pub url: String,
    /// Owner of a Unix socket.
    pub owner: Option<Owner>,
    /// Permission bits of a Unix socket.
    pub mode: Option<u32>,
    /// Listen backlog; `None` means the system's maximum.
    pub backlog: Option<i64>,
}

impl FastCgiSocket {
    /// What is said when it could not be created (`process.py: FastCGIProcessGroup`).
    pub fn failure(&self, why: &str) -> String {
        format!("Could not create FastCGI socket {}: {why}", self.url)
    }

    /// What the main log says when it is created.
    pub fn creating(&self) -> String {
        format!("Creating socket {}", self.url)
    }

    /// What the main log says when it is closed.
    pub fn closing(&self) -> String {
        format!("Closing socket {}", self.url)
    }
}
