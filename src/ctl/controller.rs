//! The controller: splits a line into a verb and its argument, runs it, and says what went wrong.

use std::io;

use super::failure::{Failure, Outcome};
use super::lines::Echo;
use super::plugins::{self, Ran};
use super::session::{Session, exit};
use super::verb::Does;
use super::verbs;
use crate::core::python::strip;

/// Whether a shell goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Read the next command.
    Go,
    /// `quit` or `exit`.
    Leave,
    /// Ctrl-C at a question, or the end of the input: the cursor is still behind what was asked.
    Interrupted,
}

/// Runs one line: an action and its argument. What goes wrong is printed and changes the exit status.
pub(crate) fn run(session: &mut Session, line: &str) -> Flow {
    let line = strip(line);
    if line.is_empty() {
        return Flow::Go;
    }
    let line = match line.strip_prefix('?') {
        Some(topic) => format!("help {topic}"),
        None => line.to_string(),
    };
    let (action, argument) = split_action(&line);
    let Some(verb) = verbs::find(action) else {
        return by_plugins(session, action, &line);
    };
    let result = match verb.does {
        Does::Run(run) => run(session, argument),
        Does::Leave => {
            session.output("");
            return Flow::Leave;
        }
    };
    session.client.hang_up();
    match result {
        Ok(()) => Flow::Go,
        Err(failure @ Failure::Http { status: 401, .. }) => unauthorized(session, &line, &failure),
        Err(failure) => failed(session, &failure),
    }
}

/// Has a plugin do what is no action of ours.
fn by_plugins(session: &mut Session, action: &str, line: &str) -> Flow {
    let ran = if action.is_empty() { Ok(Ran::Unknown) } else { plugins::run(session, line) };
    match ran {
        Ok(Ran::Done) => Flow::Go,
        Ok(Ran::Leave) => Flow::Leave,
        Ok(Ran::Unknown) => {
            session.output(&format!("*** Unknown syntax: {line}"));
            session.exit_status = exit::GENERIC;
            Flow::Go
        }
        Err(failure) => failed(session, &failure),
    }
}

/// The daemon wants a password: a person is asked for it, a script is told, twice as by the reference, which tries
/// again.
fn unauthorized(session: &mut Session, line: &str, failure: &Failure) -> Flow {
    session.output("Server requires authentication");
    if !session.options.interactive {
        report(session, failure);
        return Flow::Go;
    }
    match ask_credentials(session) {
        Ok(()) => run(session, line),
        Err(failure) => failed(session, &failure),
    }
}

fn ask_credentials(session: &mut Session) -> Outcome {
    let username = session.ask("Username:", Echo::Shown)?;
    let password = session.ask("Password:", Echo::Hidden)?;
    session.output("");
    session.options.username = Some(username);
    session.options.password = Some(password);
    Ok(())
}

/// What comes of a failure: Ctrl-C at a question leaves us, others are told.
fn failed(session: &mut Session, failure: &Failure) -> Flow {
    if failure.is_io(io::ErrorKind::Interrupted) {
        return Flow::Interrupted;
    }
    report(session, failure);
    Flow::Go
}

/// Prints a failure nobody expected.
fn report(session: &mut Session, failure: &Failure) {
    session.output(&failure.report());
    session.exit_status = exit::GENERIC;
}

/// Splits a line after the letters, digits and underscores it starts with (`cmd.Cmd.parseline`).
fn split_action(line: &str) -> (&str, &str) {
    let end = line
        .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .unwrap_or(line.len());
    let (action, argument) = line.split_at(end);
    (action, strip(argument))
}
