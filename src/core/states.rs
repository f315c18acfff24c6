//! The state codes of the protocol: processes, the supervisor itself, and log levels.
//!
//! Codes and names are the wire contract (`getProcessInfo`, `getState`, events, `supervisorctl`).

/// State of one supervised process; the discriminant is the code sent over XML-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum ProcessState {
    /// Never started, or stopped on request.
    Stopped = 0,
    /// Spawned, and not yet up for longer than `startsecs`.
    Starting = 10,
    /// Up for longer than `startsecs`.
    Running = 20,
    /// Exited too quickly (or could not be spawned); a retry is scheduled.
    Backoff = 30,
    /// A stop signal was sent; the exit is awaited.
    Stopping = 40,
    /// Ran, then exited by itself.
    Exited = 100,
    /// Gave up after `startretries`.
    Fatal = 200,
    /// A signal could not be delivered; the state of the program is not known.
    Unknown = 1000,
}

impl ProcessState {
    /// Every state, in code order.
    pub const ALL: [ProcessState; 8] = [
        ProcessState::Stopped,
        ProcessState::Starting,
        ProcessState::Running,
        ProcessState::Backoff,
        ProcessState::Stopping,
        ProcessState::Exited,
        ProcessState::Fatal,
        ProcessState::Unknown,
    ];

    /// The wire code.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The wire name, e.g. `RUNNING`.
    pub fn name(self) -> &'static str {
        match self {
            ProcessState::Stopped => "STOPPED",
            ProcessState::Starting => "STARTING",
            ProcessState::Running => "RUNNING",
            ProcessState::Backoff => "BACKOFF",
            ProcessState::Stopping => "STOPPING",
            ProcessState::Exited => "EXITED",
            ProcessState::Fatal => "FATAL",
            ProcessState::Unknown => "UNKNOWN",
        }
    }

    /// No process exists and none is coming by itself (`STOPPED_STATES`).
    pub fn is_stopped(self) -> bool {
        matches!(
            self,
            ProcessState::Stopped
                | ProcessState::Exited
                | ProcessState::Fatal
                | ProcessState::Unknown
        )
    }

    /// Up, coming up, or to be retried (`RUNNING_STATES`).
    pub fn is_running(self) -> bool {
        matches!(self, ProcessState::Running | ProcessState::Backoff | ProcessState::Starting)
    }

    /// A process exists that a signal can reach (`SIGNALLABLE_STATES`).
    pub fn is_signallable(self) -> bool {
        matches!(self, ProcessState::Running | ProcessState::Starting | ProcessState::Stopping)
    }
}

/// What the supervisor as a whole is doing; the discriminant is the `statecode` of `getState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Mood {
    /// Stopping everything, then exiting.
    Shutdown = -1,
    /// Stopping everything, then starting again in the same process.
    Restarting = 0,
    /// Normal operation.
    Running = 1,
}

impl Mood {
    /// Every mood.
    pub const ALL: [Mood; 3] = [Mood::Running, Mood::Restarting, Mood::Shutdown];

    /// The wire code.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The wire name, e.g. `RUNNING`.
    pub fn name(self) -> &'static str {
        match self {
            Mood::Shutdown => "SHUTDOWN",
            Mood::Restarting => "RESTARTING",
            Mood::Running => "RUNNING",
        }
    }
}

/// Severity of a line of the main log, lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every event of the main loop.
    Blather,
    /// Protocol traffic.
    Trace,
    /// Details for those who debug a configuration; also copies of the programs' output.
    Debug,
    /// Normal operation.
    #[default]
    Info,
    /// Something unusual that is not an error.
    Warn,
    /// An error that can be lived with.
    Error,
    /// An error that needs a person.
    Critical,
}

impl Level {
    /// The four letters printed in the main log.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Level::Blather => "BLAT",
            Level::Trace => "TRAC",
            Level::Debug => "DEBG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERRO",
            Level::Critical => "CRIT",
        }
    }

    /// The level a `loglevel=` value names (already lower-cased), if any.
    pub fn from_config(name: &str) -> Option<Level> {
        Some(match name {
            "blather" => Level::Blather,
            "trace" => Level::Trace,
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" => Level::Error,
            "critical" => Level::Critical,
            _ => return None,
        })
    }
}
