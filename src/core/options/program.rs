//! The options of `[program:x]`, `[eventlistener:x]` and `[fcgi-program:x]`, in the order in which they are shown.

use super::{Expansion, Field, Names, Reread, Row, Unset, differences, field};
use crate::core::config::{FastCgiSocket, ListenerConfig, ProcessConfig};
use crate::core::result_handler::DEFAULT_RESULT_HANDLER;

/// The options of one process.
pub(crate) fn process() -> impl Iterator<Item = &'static Row<ProcessConfig>> {
    [PROCESS, STDOUT, STDERR, LAST].into_iter().flatten()
}

const PROCESS: &[Row<ProcessConfig>] = &[
    Row::new(
        "command",
        Field::Text(field!(ProcessConfig.command)),
        Unset::Required,
        "what to run; found by PATH unless it has a slash",
    )
    .names(Names::Process),
    Row::new(
        "process_name",
        Field::Name(field!(ProcessConfig.name)),
        Unset::Text("%(program_name)s"),
        "a process's name; several need %(process_num)d in it",
    )
    .expansion(Expansion::Never)
    .hidden(),
    Row::new(
        "directory",
        Field::OptionalText(field!(ProcessConfig.directory)),
        Unset::Nothing("where the daemon is"),
        "run there",
    )
    .names(Names::Process),
    Row::new(
        "user",
        Field::User(field!(ProcessConfig.uid)),
        Unset::Nothing("as the daemon"),
        "run as; needs a daemon of root",
    ),
    Row::new(
        "umask",
        Field::OptionalMask(field!(ProcessConfig.umask)),
        Unset::Nothing("as the daemon"),
        "file creation mask, octal",
    ),
    Row::new(
        "environment",
        Field::Environment(field!(ProcessConfig.environment)),
        Unset::Nothing("none"),
        "more variables",
    )
    .names(Names::Process)
    .expansion(Expansion::Late),
    Row::new(
        "priority",
        Field::Integer(field!(ProcessConfig.priority)),
        Unset::Text("999"),
        "the lowest starts first and stops last",
    ),
    Row::new(
        "autostart",
        Field::Boolean(field!(ProcessConfig.autostart)),
        Unset::Text("true"),
        "true: start with the daemon",
    ),
    Row::new(
        "autorestart",
        Field::AutoRestart(field!(ProcessConfig.autorestart)),
        Unset::Text("unexpected"),
        "after an end: true, false, or unexpected, by exit code",
    ),
    Row::new(
        "restart_delay",
        Field::Seconds(field!(ProcessConfig.restart_delay)),
        Unset::Text("0"),
        "seconds from an end to an automatic restart",
    )
    .ours(),
    Row::new(
        "startsecs",
        Field::Seconds(field!(ProcessConfig.startsecs)),
        Unset::Text("1"),
        "up so many seconds, it counts as started; 0: at once",
    ),
    Row::new(
        "startretries",
        Field::Integer(field!(ProcessConfig.startretries)),
        Unset::Text("3"),
        "so many more attempts before it is FATAL",
    ),
    Row::new(
        "exitcodes",
        Field::ExitCodes(field!(ProcessConfig.exitcodes)),
        Unset::Text("0"),
        "codes one may end with, by commas",
    ),
    Row::new(
        "stopsignal",
        Field::Signal(field!(ProcessConfig.stopsignal)),
        Unset::Text("TERM"),
        "how it is asked to end",
    ),
    Row::new(
        "stopwaitsecs",
        Field::Seconds(field!(ProcessConfig.stopwaitsecs)),
        Unset::Text("10"),
        "seconds for that, then SIGKILL",
    ),
    Row::new(
        "stopasgroup",
        Field::Boolean(field!(ProcessConfig.stopasgroup)),
        Unset::Text("false"),
        "true: its whole process group is asked",
    ),
    Row::new(
        "killasgroup",
        Field::Boolean(field!(ProcessConfig.killasgroup)),
        Unset::As { option: "stopasgroup", default: "false" },
        "true: SIGKILL to the group",
    ),
    Row::new(
        "redirect_stderr",
        Field::Boolean(field!(ProcessConfig.redirect_stderr)),
        Unset::Text("false"),
        "true: stderr goes into the log of stdout",
    ),
];

/// The options of one output channel.
macro_rules! channel {
    ($channel:ident) => {
        &[
            Row::new(
                concat!(stringify!($channel), "_logfile"),
                Field::Log(field!(ProcessConfig.$channel.logfile)),
                Unset::Text("AUTO"),
                "path, NONE, syslog, or AUTO: a temporary file",
            )
            .names(Names::Process)
            .expansion(Expansion::Twice),
            Row::new(
                concat!(stringify!($channel), "_logfile_maxbytes"),
                Field::Bytes(field!(ProcessConfig.$channel.logfile_maxbytes)),
                Unset::Text("50MB"),
                "rotated beyond this size, never with 0",
            )
            .names(Names::Process),
            Row::new(
                concat!(stringify!($channel), "_logfile_backups"),
                Field::Integer(field!(ProcessConfig.$channel.logfile_backups)),
                Unset::Text("10"),
                "so many rotated logs are kept",
            )
            .names(Names::Process),
            Row::new(
                concat!(stringify!($channel), "_capture_maxbytes"),
                Field::Bytes(field!(ProcessConfig.$channel.capture_maxbytes)),
                Unset::Explained("0", ", no such events"),
                "room for what becomes an event",
            ),
            Row::new(
                concat!(stringify!($channel), "_events_enabled"),
                Field::Boolean(field!(ProcessConfig.$channel.events_enabled)),
                Unset::Text("false"),
                "true: what it prints is an event, too",
            ),
            Row::new(
                concat!(stringify!($channel), "_syslog"),
                Field::Boolean(field!(ProcessConfig.$channel.syslog)),
                Unset::Text("false"),
                "true: to the system log, too",
            )
            .names(Names::Process),
        ]
    };
}

const STDOUT: &[Row<ProcessConfig>] = channel!(stdout);

const STDERR: &[Row<ProcessConfig>] = channel!(stderr);

const LAST: &[Row<ProcessConfig>] = &[Row::new(
    "serverurl",
    Field::Url(field!(ProcessConfig.serverurl)),
    Unset::Text("AUTO"),
    "the URL it is told; AUTO: of the first server",
)];

/// What listeners have in addition.
pub(crate) const LISTENER: &[Row<ListenerConfig>] = &[
    Row::new(
        "events",
        Field::Events(field!(ListenerConfig.events)),
        Unset::Required,
        "types it gets, by commas; EVENT: all",
    )
    .names(Names::Here),
    Row::new(
        "buffer_size",
        Field::EventBuffer(field!(ListenerConfig.buffer_size)),
        Unset::Text("10"),
        "so many wait while the whole pool is busy",
    )
    .names(Names::Here),
    Row::new(
        "result_handler",
        Field::ResultHandler(field!(ListenerConfig.result_handler)),
        Unset::Text(DEFAULT_RESULT_HANDLER),
        "what judges their answers",
    )
    .names(Names::Here),
];

/// What FastCGI programs have in addition, members of a group too. A socket that has the same URL is the same for the
/// reference (`options.py: SocketConfig.__eq__`).
pub(crate) const SOCKET: &[Row<FastCgiSocket>] = &[
    Row::new(
        "socket",
        Field::Text(field!(FastCgiSocket.url)),
        Unset::Required,
        "unix:///path or tcp://host:port",
    ),
    Row::new(
        "socket_owner",
        Field::Owner(field!(FastCgiSocket.owner)),
        Unset::Nothing("the program's user"),
        "user or user:group, of a Unix socket",
    )
    .names(Names::Here)
    .reread(Reread::Unnoticed)
    .hidden(),
    Row::new(
        "socket_mode",
        Field::Mode(field!(FastCgiSocket.mode)),
        Unset::Nothing("0700"),
        "permissions of a Unix socket, octal",
    )
    .names(Names::Here)
    .reread(Reread::Unnoticed),
    Row::new(
        "socket_backlog",
        Field::Backlog(field!(FastCgiSocket.backlog)),
        Unset::Nothing("as the system has it"),
        "connections that may wait",
    )
    .names(Names::Here)
    .reread(Reread::Unnoticed),
];

/// As the reference compares them (`ProcessConfig.__eq__`); the socket is that of the group there.
impl PartialEq for ProcessConfig {
    fn eq(&self, other: &ProcessConfig) -> bool {
        differences(process(), self, other).next().is_none() && self.socket == other.socket
    }
}

impl PartialEq for FastCgiSocket {
    fn eq(&self, other: &FastCgiSocket) -> bool {
        differences(SOCKET, self, other).next().is_none()
    }
}
