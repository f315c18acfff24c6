//! The session: what a verb works with. Where it is connected to, what it writes to, who is asked, how it will exit.
//!
//! It knows no verb. What runs them is the [controller](super::controller).

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use super::client::Client;
use super::failure::{Failure, Outcome};
use super::lines::{self, Echo};
use crate::config::{ClientOptions, Color};
use crate::core::fault::FaultCode;
use crate::core::rpc::methods::OWN_NAMESPACE;
use crate::core::text;
use crate::core::value::Value;

/// The version of the interface this client speaks (`rpcinterface.py: API_VERSION`).
const API_VERSION: &str = "3.0";

/// Exit statuses, as the Linux Standard Base has them for init scripts.
pub(crate) mod exit {
    /// Everything went well.
    pub(crate) const SUCCESS: u8 = 0;
    /// Something did not.
    pub(crate) const GENERIC: u8 = 1;
    /// An action was called wrongly.
    pub(crate) const INVALID_ARGS: u8 = 2;
    /// The daemon does not know the interface.
    pub(crate) const UNIMPLEMENTED_FEATURE: u8 = 3;
    /// The daemon refused the connection.
    pub(crate) const INSUFFICIENT_PRIVILEGES: u8 = 4;
    /// The daemon speaks another version of the interface.
    pub(crate) const NOT_INSTALLED: u8 = 5;
    /// The program or the daemon is not running.
    pub(crate) const NOT_RUNNING: u8 = 7;
    /// Of `status`: a program is not running.
    pub(crate) const STATUS_NOT_RUNNING: u8 = 3;
    /// Of `status`: nothing is known.
    pub(crate) const STATUS_UNKNOWN: u8 = 4;
}

/// Asks a person: gets the prompt, answers the line without its end, or `None` at the end of the input.
pub(crate) type Ask = Box<dyn FnMut(&mut dyn Write, &str, Echo) -> io::Result<Option<String>>>;

/// One run of the client: its connection, its streams, its exit status and its settings.
pub(crate) struct Session {
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

impl Session {
    /// A session on the standard streams.
    pub(crate) fn new(options: ClientOptions) -> Session {
        let terminal = io::stdout().is_terminal();
        let colours = wants_colours(options.color, terminal, |name| std::env::var_os(name));
        Session {
            options,
            client: Client::default(),
            exit_status: exit::SUCCESS,
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            terminal,
            colours,
            nobody_reads: false,
            ask: Box::new(lines::ask),
        }
    }

    /// Asks a person; fails at the end of the input.
    pub(crate) fn ask(&mut self, prompt: &str, echo: Echo) -> Outcome<String> {
        // Python's two ways to read a line end in an exception with words, and in one without.
        let edited = echo == Echo::Hidden || self.terminal && io::stdin().is_terminal();
        let words = if edited { "" } else { "EOF when reading a line" };
        let line = (self.ask)(&mut self.out, prompt, echo)?;
        line.ok_or_else(|| Failure::other("EOFError", words))
    }

    /// Asks for a confirmation where there is a person to ask; anything that starts with a `y` is one.
    pub(crate) fn confirm(&mut self, question: &str) -> Outcome<bool> {
        if !self.options.interactive {
            return Ok(true);
        }
        Ok(self.ask(question, Echo::Shown)?.to_lowercase().starts_with('y'))
    }

    /// Writes a line to standard output.
    pub(crate) fn output(&mut self, message: &str) {
        self.write(&format!("{message}\n"));
    }

    /// Writes text to standard output as it is. When nobody reads it the action goes on all the same.
    pub(crate) fn write(&mut self, text: &str) {
        let written = self.out.write_all(&text::encode(text)).and_then(|()| self.out.flush());
        self.nobody_reads |= written.is_err();
    }

    /// Writes a line to standard error.
    pub(crate) fn complain(&mut self, message: &str) {
        let _ = self.err.write_all(format!("{}\n", text::shown(message)).as_bytes());
    }

    /// Calls a method of the `supervisor` namespace.
    pub(crate) fn call(&mut self, method: &str, params: &[Value]) -> Outcome<Value> {
        self.client.call(&self.options, &format!("supervisor.{method}"), params)
    }

    /// Calls a method of the namespace of what the reference does not have.
    pub(crate) fn call_own(&mut self, method: &str, params: &[Value]) -> Outcome<Value> {
        self.client.call(&self.options, &format!("{OWN_NAMESPACE}.{method}"), params)
    }

    /// Whether the daemon is there and speaks our version of the interface; says so if not.
    ///
    /// Fails with what is neither a missing nor a refusing daemon.
    pub(crate) fn upcheck(&mut self) -> Outcome<bool> {
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
    pub(crate) fn note_result(&mut self, code: i64, ignored: Option<FaultCode>) {
        const DEAD: [FaultCode; 3] =
            [FaultCode::SpawnError, FaultCode::AbnormalTermination, FaultCode::NotRunning];
        if code == FaultCode::Success.code() || ignored.is_some_and(|fault| fault.code() == code) {
            return;
        }
        let dead = DEAD.iter().any(|fault| fault.code() == code);
        self.exit_status = if dead { exit::NOT_RUNNING } else { exit::GENERIC };
    }
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
