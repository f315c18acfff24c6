//! What goes into the core and what comes out: inputs, effects, and the verbs answered in the same breath.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::config::{Config, FastCgiSocket, GroupKind, ProcessConfig};
use super::event::{Channel, Event};
use super::fault::Fault;
use super::plugins::PluginCall;
use super::result_handler::Judgement;
use super::signal;
use super::states::{Level, Mood};
use super::tally::LogTallies;
use super::value::Value;

/// Identity of a process for the life of the daemon; never reused (pids are).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcId(pub u64);

/// Identity of an active group, for the life of the daemon; later groups have higher ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupId(pub u64);

/// A call that awaits its one reply. Later calls have higher ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplyId(pub u64);

/// A job given to the shell that awaits its one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Who calls, and so by which names the main interface is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client, over XML-RPC, of the server in this place of the configuration: by those under which the configuration
    /// publishes it.
    Client(usize),
    /// The web interface, for a button: as `supervisor`, however it is published, if at all.
    Button,
    /// The helper process of plugins: as `supervisor`, likewise, and what only it may call.
    Plugin,
}

/// An XML-RPC call, e.g. `supervisor.startProcess` with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Who makes it, and the calls within it.
    pub caller: Caller,
    /// Namespace, dot, method.
    pub method: String,
    /// Positional parameters.
    pub params: Vec<Value>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// `exit(code)`.
    Exited(i32),
    /// Killed by a signal.
    Signaled {
        /// The signal.
        signal: i32,
        /// A core file was written.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// What `exitstatus` reports: the exit code, or -1 after a death by a signal (`options.py: decode_wait_status`).
    pub fn exit_code(self) -> i64 {
        match self {
            ExitStatus::Exited(code) => i64::from(code),
            ExitStatus::Signaled { .. } => -1,
        }
    }

    /// The words of the log: `exit status 1`, `terminated by SIGKILL`, `terminated by SIGSEGV (core dumped)`.
    pub fn describe(self) -> String {
        match self {
            ExitStatus::Exited(code) => format!("exit status {code}"),
            ExitStatus::Signaled { signal, core_dumped } => {
                let suffix = if core_dumped { " (core dumped)" } else { "" };
                format!("terminated by {}{suffix}", signal::name(signal))
            }
        }
    }
}

/// A living process of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its process id.
    pub pid: i32,
    /// The name of its executable, as the kernel keeps it (at most 15 bytes).
    pub name: String,
}

/// Who else of the group lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// Nobody has looked yet.
    Unseen,
    /// The system does not tell.
    Unknowable,
    /// These; nobody when empty.
    Seen(Vec<Member>),
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The deadline the core asked for has come (it is harmless to send one early).
    Timer,
    /// A child has ended and is not reaped yet; nor may it be before the core lets it go.
    LeaderEnded {
        /// The process whose leader it is.
        proc: ProcId,
        /// How it ended.
        status: ExitStatus,
        /// How many of its pipes others still hold open.
        open_pipes: usize,
    },
    /// Everybody has closed one of the pipes of a process.
    PipeClosed {
        /// The process.
        proc: ProcId,
    },
    /// Who else lives of the group of a process whose leader has ended; after [`Effect::CallRoll`], on every change.
    GroupSeen {
        /// The process.
        proc: ProcId,
        /// Who.
        others: Others,
    },
    /// What a process had to say is read, and its pipes are closed: it is finished. Its pid is not given to another
    /// before this has been handled.
    Finished {
        /// The process.
        proc: ProcId,
        /// How its leader ended.
        status: ExitStatus,
    },
    /// A child ended that the core knows nothing of.
    StrangerEnded {
        /// Its process id.
        pid: i32,
        /// How it ended.
        status: ExitStatus,
    },
    /// A client called.
    Call {
        /// To be echoed in the reply.
        reply: ReplyId,
        /// What it wants.
        call: Call,
    },
    /// The client of a pending call went away; nobody wants the reply any more.
    Hangup {
        /// The call it had made.
        reply: ReplyId,
    },
    /// Everybody else had a turn: a call that was put off goes on, see
    /// [`Core::waits_for_turn`](super::machine::Core::waits_for_turn).
    Turn,
    /// A signal sent to the daemon. SIGCHLD is only logged: exits come as [`Input::LeaderEnded`].
    Signal(i32),
    /// A job is finished.
    JobDone {
        /// The job.
        job: JobId,
        /// Its result.
        outcome: JobOutcome,
    },
    /// An event listener wrote to its stdout.
    ListenerBytes {
        /// The listener.
        proc: ProcId,
        /// What it wrote.
        bytes: Vec<u8>,
    },
    /// A process with `stdout_events_enabled` (or the one of stderr) printed something.
    ProcessLog {
        /// The process.
        proc: ProcId,
        /// Where it printed.
        channel: Channel,
        /// What it printed.
        data: Vec<u8>,
    },
    /// A process sent something between the capture tokens.
    Communication {
        /// The process.
        proc: ProcId,
        /// Where it printed.
        channel: Channel,
        /// What was kept of it.
        data: Vec<u8>,
    },
}

/// Result of a [`Job`].
#[derive(Clone, Debug)]
pub(crate) enum JobOutcome {
    /// The answer to the call that wanted it.
    Answer(Result<Value, Fault>),
    /// `Job::ReadConfig`: the new configuration, or the reader's message.
    Config(Result<Box<Config>, String>),
    /// `Job::ReadProgram`: the processes of the section, or the reader's message.
    Program {
        /// What there is.
        processes: Result<Vec<ProcessConfig>, String>,
        /// Of which group.
        group: String,
        /// Which of them becomes one of that group; `None` if they are only told.
        add: Option<String>,
    },
    /// `Job::Judge`
    Judged(Judgement),
}

/// Work that needs input or output and may take its time.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Read a range of a log (`options.py: readFile`); answers a string.
    ReadLog {
        /// The file.
        path: String,
        /// Negative: that many bytes from the end.
        offset: i64,
        /// 0 with a non-negative offset: to the end.
        length: i64,
    },
    /// Tail a log (`options.py: tailFile`); answers `[bytes, offset, overflow]`.
    TailLog {
        /// The file.
        path: String,
        /// Where the client believes the end was.
        offset: i64,
        /// Most bytes wanted.
        length: i64,
    },
    /// Remove and reopen the main log; answers `true`.
    ClearMainLog,
    /// Remove and reopen the logs of a running process; answers `true`.
    ClearProcessLogs {
        /// The process.
        proc: ProcId,
        /// Its namespec, for the fault.
        name: String,
    },
    /// Reopen the main log; answers `true`.
    ReopenMainLog {
        /// What it is called, for the fault.
        name: String,
    },
    /// Reopen the logs of a running process; answers `true`.
    ReopenProcessLogs {
        /// The process.
        proc: ProcId,
        /// Its namespec, for the fault.
        name: String,
    },
    /// Read the configuration again.
    ReadConfig,
    /// Read the section of a program that is in no file.
    ReadProgram {
        /// Its name.
        section: String,
        /// Its options and their values.
        options: Vec<(String, String)>,
        /// The group that its processes are for.
        group: String,
        /// Which of them is to become one of that group; `None` if they are only told.
        add: Option<String>,
    },
    /// Have a plugin's method called.
    Plugin(PluginCall),
    /// Have a result handler in Python judge the result of a listener.
    Judge(Box<Verdict>),
}

/// What a result handler in Python is to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `module:function`
    pub handler: String,
    /// The event that the listener worked on.
    pub event: Rc<Event>,
    /// Its serial.
    pub serial: u64,
    /// The pool of the listener, and the serial of the event there.
    pub pool: (String, u64),
    /// What the listener answered.
    pub result: Vec<u8>,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answer a call. Exactly one per call, unless its client hung up.
    Reply {
        /// The call.
        reply: ReplyId,
        /// The answer.
        result: Result<Value, Fault>,
    },
    /// Write a line to the main log.
    Log(Level, String),
    /// Write bytes to the daemon's stdout.
    Print(Vec<u8>),
    /// Do a job and report its outcome.
    Job {
        /// To be echoed in the outcome.
        job: JobId,
        /// The work.
        work: Job,
    },
    /// Find out who else lives of the group of a process whose leader has ended, until it is let go.
    CallRoll {
        /// The process.
        proc: ProcId,
        /// The id of its leader and of the group.
        pid: i32,
    },
    /// Read what is left of what a process said, close its pipes, hand in [`Input::Finished`], and reap it after that.
    LetGo {
        /// The process.
        proc: ProcId,
        /// The id of its leader.
        pid: i32,
        /// How that ended.
        status: ExitStatus,
    },
    /// Reopen the main log and every child log (SIGUSR2).
    ReopenLogs,
    /// A new configuration was accepted: settings that apply at once do.
    ApplySettings,
    /// Tell plugins of an event.
    TellPlugins(Rc<Event>),
    /// Everything is stopped: leave the main loop.
    Exit(Mood),
}

/// The executable and argument vector a command resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedCommand {
    /// Path handed to execve.
    pub filename: String,
    /// argv.
    pub argv: Vec<String>,
}

/// Why a command cannot be run, in the reference's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// It does not exist: fault NO_FILE.
    NotFound(String),
    /// It cannot be parsed, is a directory, is not executable, or is not permitted: fault NOT_EXECUTABLE.
    NotExecutable(String),
}

impl CommandError {
    /// The message.
    pub fn message(&self) -> &str {
        match self {
            CommandError::NotFound(message) | CommandError::NotExecutable(message) => message,
        }
    }
}

/// Everything needed to start one process.
#[derive(Clone, Copy, Debug)]
pub struct SpawnRequest<'a> {
    /// The process.
    pub proc: ProcId,
    /// Name of its group.
    pub group_name: &'a str,
    /// Kind of its group.
    pub kind: &'a GroupKind,
    /// Its configuration, log names resolved.
    pub config: &'a ProcessConfig,
    /// What to execute.
    pub command: &'a ResolvedCommand,
    /// Where to count what is written to its logs.
    pub logs: &'a Arc<LogTallies>,
}

/// Why a signal could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillError {
    /// There is no such process (it just exited and is not reaped yet).
    Gone,
    /// Anything else, with the system's message, e.g. `Operation not permitted`.
    Other(String),
}

/// Why bytes could not be queued for a child's stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinError {
    /// The child closed its end, or has no stdin.
    Closed,
    /// The child does not read and the buffer is full.
    Full,
}

/// The verbs whose result the reference's semantics depend on at once. Two implementers: the operating system
/// (`daemon::host`) and the simulator (`core::sim`).
pub trait Host {
    /// Parses the command and finds the executable (`process.py: get_execv_args`).
    fn resolve(&mut self, config: &ProcessConfig) -> Result<ResolvedCommand, CommandError>;

    /// Starts a process and returns its pid, or the text that becomes `spawnerr`.
    fn spawn(&mut self, request: SpawnRequest<'_>) -> Result<i32, String>;

    /// Sends a signal to a process, or to a process group when `pid` is negative. A process that left the group it leads gets
    /// it too.
    fn kill(&mut self, pid: i32, signal: i32) -> Result<(), KillError>;

    /// Writes to a child's stdin what fits and queues the rest.
    fn write_stdin(&mut self, proc: ProcId, bytes: &[u8]) -> Result<(), StdinError>;

    /// Writes an event to a listener's stdin: what fits at once, the rest as the listener reads. A listener that has
    /// read everything before takes an event of any size; else the limits of [`Host::write_stdin`] hold.
    fn write_event(&mut self, proc: ProcId, event: &[u8]) -> Result<(), StdinError>;

    /// Adds a user to the shared socket of a FastCGI program in a group and creates it for the first one; `true` if it did.
    /// The error is the system's, in Python's words.
    fn open_socket(&mut self, group: &str, socket: &FastCgiSocket) -> Result<bool, String>;

    /// Takes a user away from that socket and closes it after the last one; `true` if it did.
    fn close_socket(&mut self, group: &str, socket: &FastCgiSocket) -> bool;

    /// Chooses an unused name for an AUTO child log and has the file created, empty and private to its owner.
    fn auto_log_name(&mut self, process: &str, channel: &str) -> String;
}

/// The earliest of the deadlines, if any.
pub(crate) fn earliest(deadlines: impl IntoIterator<Item = Option<Duration>>) -> Option<Duration> {
    deadlines.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_statuses_in_the_words_of_the_log() {
        let killed = |signal, core_dumped| ExitStatus::Signaled { signal, core_dumped };
        assert_eq!(ExitStatus::Exited(1).describe(), "exit status 1");
        assert_eq!(killed(9, false).describe(), "terminated by SIGKILL");
        assert_eq!(killed(11, true).describe(), "terminated by SIGSEGV (core dumped)");
        assert_eq!(killed(35, false).describe(), "terminated by signal 35");
        assert_eq!(ExitStatus::Exited(127).exit_code(), 127);
        assert_eq!(killed(15, false).exit_code(), -1);
    }
}
