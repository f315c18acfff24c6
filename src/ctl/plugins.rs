//! Actions in Python: the plugins of `[ctlplugin:x]` sections. Each time one is asked for, their Python is started
//! (`supervisor.plugin_host`), with the terminal; only for what no action of ours is called (`supervisorctl.py:
//! Controller._get_do_func`, where the default plugin is the first).
//!
//! A request is a struct in JSON on a pipe; what Python answers are lines on another, of a word each and perhaps its value.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::failure::{Failure, Outcome};
use super::interrupt::Interrupts;
use super::session::{Session, exit};
use crate::config::ClientOptions;
use crate::core::json;
use crate::core::value::Value;
use crate::python_host;

/// The most that is read of an answer: names of actions, mostly.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// How long Tab waits for names of actions. A Python that starts cold takes half a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// A plugin has done it.
    Done,
    /// A plugin has done it, and ends the shell.
    Leave,
    /// No plugin has such an action.
    Unknown,
}

/// Has the plugins run a line. Fails with an interruption when Ctrl-C ended Python.
pub(crate) fn run(session: &mut Session, line: &str) -> Outcome<Ran> {
    if session.options.plugins.is_empty() {
        return Ok(Ran::Unknown);
    }
    let answer = converse(session, "run", line)?;
    let said = |word: &str| answer.lines().any(|line| line == word);
    Ok(match () {
        () if said("unknown") => Ran::Unknown,
        () if said("leave") => Ran::Leave,
        () => Ran::Done,
    })
}

/// Has the plugins help: each lists its actions, or says what it knows of one.
pub(crate) fn help(session: &mut Session, topic: &str) -> Outcome {
    if !session.options.plugins.is_empty() {
        converse(session, "help", topic)?;
    }
    Ok(())
}

/// Names of the plugins' actions; none when Python does not say them in a while.
pub(crate) fn words(options: &ClientOptions) -> Vec<String> {
    if options.plugins.is_empty() {
        return Vec::new();
    }
    let asked = || -> io::Result<String> {
        let mut talk = Talk::start(options, "words", "", Terminal::Kept)?;
        let answer = talk.hear(Some(PATIENCE));
        // It has nothing to save, and nobody waits for it.
        let _ = talk.python.kill();
        talk.python.wait()?;
        answer
    };
    let answer = asked().unwrap_or_default();
    answer.lines().filter_map(|line| line.strip_prefix("word ")).map(str::to_string).collect()
}

/// Makes a request, waits for Python's end, takes its exit status over, and returns its answer.
fn converse(session: &mut Session, what: &str, line: &str) -> Outcome<String> {
    // What we have printed stands above what Python prints.
    session.out.flush()?;
    let python = interpreter(&session.options);
    let started = Talk::start(&session.options, what, line, Terminal::Given);
    let mut talk = started.map_err(|error| nothing_runs(&python, &error.to_string()))?;
    // From here on Ctrl-C is Python's.
    let interrupts = Interrupts::take_over()?;
    let answer = talk.hear(None)?;
    let ended = talk.python.wait()?;
    drop(interrupts);
    if let Some(status) = answer.lines().find_map(|line| line.strip_prefix("status ")) {
        match status.parse() {
            Ok(exit::SUCCESS) => {}
            Ok(status) => session.exit_status = status,
            Err(_) => session.exit_status = exit::GENERIC,
        }
        return Ok(answer);
    }
    if answer.lines().any(|line| line == "interrupted") {
        return Err(io::Error::from(io::ErrorKind::Interrupted).into());
    }
    Err(nothing_runs(&python, &format!("it ended without an answer ({ended})")))
}

fn nothing_runs(python: &std::path::Path, why: &str) -> Failure {
    Failure::other("PluginHost", format!("{why}; {}", python_host::advice(python)))
}

fn interpreter(options: &ClientOptions) -> PathBuf {
    python_host::interpreter(options.python.as_ref().map(std::path::Path::new))
}

/// Who has the terminal while Python runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    /// Python.
    Given,
    /// We keep it; Python neither reads nor writes.
    Kept,
}

/// A running Python, and what it says.
struct Talk {
    python: Child,
    answer: PipeReader,
}

impl Talk {
    /// Starts Python and makes a request.
    fn start(
        options: &ClientOptions,
        what: &str,
        line: &str,
        terminal: Terminal,
    ) -> io::Result<Talk> {
        let (its_request, request) = io::pipe()?;
        let (answer, its_answer) = io::pipe()?;
        let python = spawn(options, &its_request, &its_answer, terminal)?;
        drop((its_request, its_answer));
        write(request, &json::write(&describe(options, what, line)))?;
        Ok(Talk { python, answer })
    }

    /// All that Python says, or what it says in so long.
    fn hear(&mut self, patience: Option<Duration>) -> io::Result<String> {
        if let Some(patience) = patience {
            let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
            let mut waiting = [PollFd::new(self.answer.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, timeout)? == 0 {
                return Ok(String::new());
            }
        }
        let mut answer = Vec::new();
        // It answers in one piece.
        self.answer.by_ref().take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Makes the request. That Python has not waited for it shows in its answer.
fn write(mut request: PipeWriter, text: &str) -> io::Result<()> {
    match request.write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the client's own child, with the client's environment"
)]
fn spawn(
    options: &ClientOptions,
    request: &PipeReader,
    answer: &PipeWriter,
    terminal: Terminal,
) -> io::Result<Child> {
    for descriptor in [request.as_fd(), answer.as_fd()] {
        // Ours are closed when these are dropped; nothing else is started meanwhile.
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    let mut command = Command::new(interpreter(options));
    command.args(python_host::arguments("ctl"));
    command
        .args([request.as_raw_fd(), answer.as_raw_fd()].map(|descriptor| descriptor.to_string()));
    if terminal == Terminal::Kept {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    }
    command.spawn()
}

/// The request: what to do, with which plugins, and how the daemon is reached.
fn describe(options: &ClientOptions, what: &str, line: &str) -> Value {
    let text = |text: &str| Value::Str(text.to_string());
    let maybe = |text: &Option<String>| text.clone().map_or(Value::Nil, Value::Str);
    let plugins = options.plugins.iter().map(|plugin| {
        let options = plugin.options.iter().map(|(name, value)| (name.clone(), text(value)));
        Value::Struct(vec![
            ("name".to_string(), text(&plugin.name)),
            ("factory".to_string(), text(&plugin.factory)),
            ("options".to_string(), Value::Struct(options.collect())),
        ])
    });
    let executable = std::env::current_exe().ok().map(|path| path.to_string_lossy().into_owned());
    let members = [
        ("what", text(what)),
        ("line", text(line)),
        ("plugins", Value::Array(plugins.collect())),
        ("executable", maybe(&executable)),
        ("configfile", maybe(&options.configfile)),
        ("serverurl", text(&options.serverurl)),
        ("username", maybe(&options.username)),
        ("password", maybe(&options.password)),
        ("prompt", text(&options.prompt)),
        ("history_file", maybe(&options.history_file)),
        ("interactive", Value::Bool(options.interactive)),
        ("args", Value::Array(options.args.iter().map(|word| text(word)).collect())),
    ];
    Value::Struct(members.map(|(name, value)| (name.to_string(), value)).to_vec())
}
