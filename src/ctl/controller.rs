//! The controller: splits a line into an action and its argument, runs it, and says what went wrong.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use super::client::Client;
use super::failure::{Failure, Outcome};
use super::shell::input;
use super::verbs;
use crate::config::{ClientOptions, Color};
use crate::core::fault::FaultCode;
use crate::core::python::strip;
use crate::core::text;
use crate::core::value::Value;

/// The version of the interface this client speaks (`rpcinterface.py: API_VERSION`).
const API_VERSION: &str = "3.0";

/// Exit statuses, as the Linux Standard Base has them for init scripts.
pub mod exit {
    /// Everything went well.
    pub const SUCCESS: u8 = 0;
    /// Something did not.
    pub const GENERIC: u8 = 1;
    /// An action was called wrongly.
    pub const INVALID_ARGS: u8 = 2;
    /// The daemon does not know the interface.
    pub const UNIMPLEMENTED_FEATURE: u8 = 3;
    /// The daemon refused the connection.
    pub const INSUFFICIENT_PRIVILEGES: u8 = 4;
    /// The daemon speaks another version of the interface.
    pub const NOT_INSTALLED: u8 = 5;
    /// The program or the daemon is not running.
    pub const NOT_RUNNING: u8 = 7;
    /// Of `status`: a program is not running.
    pub const STATUS_NOT_RUNNING: u8 = 3;
    /// Of `status`: nothing is known.
    pub const STATUS_UNKNOWN: u8 = 4;
}

/// Whether a shell goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Read the next command.
    Go,
    /// `quit` or `exit`.
    Leave,
    /// Ctrl-C at a question, or the end of the input: the cursor is still behind what was asked.
    Interrupted,
}

/// What a person types is shown or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// As usual.
    Shown,
    /// A password.
    Hidden,
}

/// Asks a person: gets the prompt, answers the line without its end, or `None` at the end of the input.
pub type Ask = Box<dyn FnMut(&mut dyn Write, &str, Echo) -> io::Result<Option<String>>>;

/// One client: where it is connected to, what it has written, how it will exit.
pub struct Controller {
    /// The settings; `open` and a password typed in change them.
    pub options: ClientOptions,
    /// The calls.
    pub client: Client,
    /// The exit status so far; actions that succeed leave it.
    pub exit_status: u8,
    /// Standard output. That nobody reads it ends nothing.
    pub out: Box<dyn Write>,
    /// Standard error.
    pub err: Box<dyn Write>,
    /// Whether standard output is a terminal.
    pub terminal: bool,
    /// Whether states are coloured: only when it was asked for.
    pub colours: bool,
    /// Whether writing to standard output has failed: the reader, `head` perhaps, has left.
    pub nobody_reads: bool,
    /// How a person is asked.
    pub ask: Ask,
}

impl Controller {
    /// A controller on the standard streams.
    pub fn new(options: ClientOptions) -> Controller {
        let terminal = io::stdout().is_terminal();
        let colours = wants_colours(options.color, terminal, |name| std::env::var_os(name));
        Controller {
            options,
            client: Client::default(),
            exit_status: exit::SUCCESS,
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            terminal,
            colours,
            nobody_reads: false,
            ask: Box::new(input::ask),
        }
    }

    /// Runs one line: an action and its argument. What goes wrong is printed and changes the exit status.
    pub fn one_command(&mut self, line: &str) -> Flow {
        let line = strip(line);
        if line.is_empty() {
            return Flow::Go;
        }
        let line = match line.strip_prefix('?') {
            Some(topic) => format!("help {topic}"),
            None => line.to_string(),
        };
        let (action, argument) = split_action(&line);
        let result = match verbs::run(self, action, argument) {
            Some(result) => result,
            None => {
                self.output(&format!("*** Unknown syntax: {line}"));
                self.exit_status = exit::GENERIC;
                return Flow::Go;
            }
        };
        self.client.hang_up();
        match result {
            Ok(flow) => flow,
            Err(failure @ Failure::Http { status: 401, .. }) => self.unauthorized(&line, &failure),
            Err(failure) => self.failed(&failure),
        }
    }

    /// The daemon wants a password: a person is asked for it, a script is told, twice as by the reference, which tries
    /// again.
    fn unauthorized(&mut self, line: &str, failure: &Failure) -> Flow {
        self.output("Server requires authentication");
        if !self.options.interactive {
            self.fail(failure);
            return Flow::Go;
        }
        match self.ask_credentials() {
            Ok(()) => self.one_command(line),
            Err(failure) => self.failed(&failure),
        }
    }

    fn ask_credentials(&mut self) -> Outcome {
        let username = self.ask("Username:", Echo::Shown)?;
        let password = self.ask("Password:", Echo::Hidden)?;
        self.output("");
        self.options.username = Some(username);
        self.options.password = Some(password);
        Ok(())
    }

    /// What comes of a failure: Ctrl-C at a question leaves us, others are told.
    fn failed(&mut self, failure: &Failure) -> Flow {
        if failure.is_io(io::ErrorKind::Interrupted) {
            return Flow::Interrupted;
        }
        self.fail(failure);
        Flow::Go
    }

    /// Prints a failure nobody expected.
    fn fail(&mut self, failure: &Failure) {
        self.output(&failure.report());
        self.exit_status = exit::GENERIC;
    }

    /// Asks a person; fails at the end of the input.
    pub fn ask(&mut self, prompt: &str, echo: Echo) -> Outcome<String> {
        // Python's two ways to read a line end in an exception with words, and in one without.
        let edited = echo == Echo::Hidden || self.terminal && io::stdin().is_terminal();
        let words = if edited { "" } else { "EOF when reading a line" };
        let line = (self.ask)(&mut self.out, prompt, echo)?;
        line.ok_or_else(|| Failure::other("EOFError", words))
    }

    /// Asks for a confirmation where there is a person to ask; anything that starts with a `y` is one.
    pub fn confirm(&mut self, question: &str) -> Outcome<bool> {
        if !self.options.interactive {
            return Ok(true);
        }
        Ok(self.ask(question, Echo::Shown)?.to_lowercase().starts_with('y'))
    }

    /// Writes a line to standard output.
    pub fn output(&mut self, message: &str) {
        self.write(&format!("{message}\n"));
    }

    /// Writes text to standard output as it is. When nobody reads it the action goes on all the same.
    pub fn write(&mut self, text: &str) {
        let written = self.out.write_all(&text::encode(text)).and_then(|()| self.out.flush());
        self.nobody_reads |= written.is_err();
    }

    /// Writes a line to standard error.
    pub fn complain(&mut self, message: &str) {
        let _ = self.err.write_all(format!("{}\n", text::shown(message)).as_bytes());
    }

    /// Calls a method of the `supervisor` namespace.
    pub fn call(&mut self, method: &str, params: &[Value]) -> Outcome<Value> {
        self.client.call(&self.options, &format!("supervisor.{method}"), params)
    }

    /// Whether the daemon is there and speaks our version of the interface; says so if not.
    ///
    /// Fails with what is neither a missing nor a refusing daemon.
    pub fn upcheck(&mut self) -> Outcome<bool> {
        let failure = match self.call("getVersion", &[]) {
            Ok(Value::Str(version)) if version == API_VERSION => return Ok(true),
            Ok(version) => {
                let version = match version {
                    Value::Str(version) => version,
                    other => format!("{other:?}"),
                };
                self.output(&format!(
                    "Sorry, this version of supervisorctl expects to talk to a server with API version {API_VERSION}, \
                     but the remote version is {version}."
                ));
                self.exit_status = exit::NOT_INSTALLED;
                return Ok(false);
            }
            Err(failure) => failure,
        };
        let url = &self.options.serverurl;
        let (message, status) = if failure.is_fault(FaultCode::UnknownMethod) {
            let message = "Sorry, supervisord responded but did not recognize the supervisor namespace commands that \
                           supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section \
                           is enabled in the configuration file (see sample.conf).";
            (message.to_string(), exit::UNIMPLEMENTED_FEATURE)
        } else if failure.is_io(io::ErrorKind::ConnectionRefused) {
            (format!("{url} refused connection"), exit::INSUFFICIENT_PRIVILEGES)
        } else if failure.is_io(io::ErrorKind::NotFound) {
            (format!("{url} no such file"), exit::NOT_RUNNING)
        } else {
            return Err(failure);
        };
        self.output(&message);
        self.exit_status = status;
        Ok(false)
    }

    /// Takes the status of one result into the exit status. `ignored` is a fault that is as good as success here.
    pub fn note_result(&mut self, code: i64, ignored: Option<FaultCode>) {
        const DEAD: [FaultCode; 3] =
            [FaultCode::SpawnError, FaultCode::AbnormalTermination, FaultCode::NotRunning];
        if code == FaultCode::Success.code() || ignored.is_some_and(|fault| fault.code() == code) {
            return;
        }
        let dead = DEAD.iter().any(|fault| fault.code() == code);
        self.exit_status = if dead { exit::NOT_RUNNING } else { exit::GENERIC };
    }

    /// Complains about an action's arguments: the message, the exit status, and the action's help.
    pub fn misused(&mut self, action: &str, message: &str) {
        self.output(message);
        self.exit_status = exit::GENERIC;
        verbs::help::topic(self, action);
    }
}

/// Splits a line after the letters, digits and underscores it starts with (`cmd.Cmd.parseline`).
pub fn split_action(line: &str) -> (&str, &str) {
    let end = line
        .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .unwrap_or(line.len());
    let (action, argument) = line.split_at(end);
    (action, strip(argument))
}

/// Whether states are coloured. Scripts run us on terminals, too, and read words: nothing is coloured unasked. What is
/// asked in the environment (CLICOLOR_FORCE, NO_COLOR) yields to an option that says always or never.
fn wants_colours(
    color: Option<Color>,
    terminal: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> bool {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let refused = set("NO_COLOR").is_some();
    match color {
        Some(Color::Always) => true,
        Some(Color::Never) => false,
        _ if forced || refused => forced && !refused,
        Some(Color::Auto) => terminal && set("TERM").is_some_and(|term| term != "dumb"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_when_asked_for() {
        let coloured = |color, terminal, environment: &str| {
            wants_colours(color, terminal, |name| {
                let mut pairs = environment.split(' ').filter_map(|pair| pair.split_once('='));
                pairs.find(|(key, _)| *key == name).map(|(_, value)| value.into())
            })
        };
        assert!(!coloured(None, true, "TERM=xterm"));
        assert!(coloured(Some(Color::Auto), true, "TERM=xterm"));
        assert!(!coloured(Some(Color::Auto), false, "TERM=xterm"));
        assert!(!coloured(Some(Color::Auto), true, "TERM=dumb"));
        assert!(!coloured(Some(Color::Auto), true, ""));
        assert!(!coloured(Some(Color::Auto), true, "TERM=xterm NO_COLOR=1"));
        assert!(coloured(Some(Color::Auto), true, "TERM=xterm NO_COLOR="));
        assert!(coloured(Some(Color::Always), false, "NO_COLOR=1"));
        assert!(coloured(None, false, "CLICOLOR_FORCE=1"));
        assert!(!coloured(None, true, "CLICOLOR_FORCE=0 TERM=xterm"));
        assert!(!coloured(None, true, "CLICOLOR_FORCE=1 NO_COLOR=1"));
        assert!(!coloured(Some(Color::Never), true, "CLICOLOR_FORCE=1 TERM=xterm"));
    }
}
