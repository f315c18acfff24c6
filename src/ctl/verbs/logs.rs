//! `tail`, `maintail` and `clear`: the logs.

use crate::core::fault::FaultCode;
use crate::core::python::{self, repr};
use crate::core::value::Value;
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::follow;
use crate::ctl::info::{ActionResult, plain, printed};
use crate::ctl::names;
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// How much of a log is shown when nothing is said, in bytes.
const DEFAULT_BYTES: i64 = 1600;

/// How much of a log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The last so many bytes.
    Last(i64),
    /// What is written from now on.
    Follow,
}

impl Extent {
    /// Reads what follows the hyphen: `f`, or a number.
    fn parse(text: &str) -> Option<Extent> {
        if text == "f" { Some(Extent::Follow) } else { python::int(text).map(Extent::Last) }
    }
}

/// What `tail` is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Tail {
    extent: Extent,
    name: String,
    channel: String,
}

/// What is wrong with the arguments of `tail`.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    message: String,
    /// Whether the help follows the message.
    helps: bool,
}

impl Tail {
    fn parse(argument: &str) -> Result<Tail, Mistake> {
        let mistake = |message: &str, helps| Err(Mistake { message: message.to_string(), helps });
        let words = names::words(argument);
        match words.len() {
            0 => return mistake("Error: too few arguments", true),
            1..=3 => {}
            _ => return mistake("Error: too many arguments", true),
        }
        let modifier = words[0].strip_prefix('-');
        let rest = &words[usize::from(modifier.is_some())..];
        let (name, channel) = match rest {
            [] => return mistake("Error: tail requires process name", false),
            [name] => (name, "stdout".to_string()),
            [name, .., channel] => (name, channel.to_lowercase()),
        };
        if !matches!(channel.as_str(), "stderr" | "stdout") {
            return mistake(&format!("Error: bad channel {}", repr(&channel)), false);
        }
        let extent = match modifier.map(Extent::parse) {
            None => Extent::Last(DEFAULT_BYTES),
            Some(Some(extent)) => extent,
            Some(None) => return mistake(&format!("Error: bad argument {}", words[0]), false),
        };
        Ok(Tail { extent, name: name.clone(), channel })
    }
}

/// The action `tail`.
pub(super) static TAIL: Verb = Verb {
    name: "tail",
    usage: "[-f|-BYTES] NAME [stdout|stderr]",
    help: "tail [-f] <name> [stdout|stderr] (default stdout)\n\
           Ex:\n\
           tail -f <name>\t\tContinuous tail of named process stdout\n\
           \t\t\tCtrl-C to exit.\n\
           tail -100 <name>\tlast 100 *bytes* of process stdout\n\
           tail <name> stderr\tlast 1600 *bytes* of process stderr",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(tail),
};

/// Shows the end of a process's log, or follows it.
fn tail(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let Tail { extent, name, channel } = match Tail::parse(argument) {
        Ok(tail) => tail,
        Err(Mistake { message, helps: true }) => {
            TAIL.misused(session, &message);
            return Ok(());
        }
        Err(Mistake { message, helps: false }) => return refuse(session, &message),
    };
    let bytes = match extent {
        Extent::Follow => return follow::follow(session, &format!("/logtail/{name}/{channel}")),
        Extent::Last(bytes) => bytes,
    };
    let method = if channel == "stdout" { "readProcessStdoutLog" } else { "readProcessStderrLog" };
    let params = [Value::from(name.as_str()), offset_of_last(bytes), Value::Int(0)];
    match session.call(method, &params) {
        Ok(text) => session.output(&plain(&text)),
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            return refuse(session, &format!("{name}: ERROR (no such process name)"));
        }
        Err(failure) => return no_log(session, failure, &name),
    }
    Ok(())
}

/// The action `maintail`.
pub(super) static MAINTAIL: Verb = Verb {
    name: "maintail",
    usage: "[-f|-BYTES]",
    help: "maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)\n\
           maintail -100\tlast 100 *bytes* of supervisord main log file\n\
           maintail\tlast 1600 *bytes* of supervisor main log file\n",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(maintail),
};

/// Shows the end of the daemon's own log, or follows it.
fn maintail(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let words = names::words(argument);
    let extent = match words.as_slice() {
        [] => Some(Extent::Last(DEFAULT_BYTES)),
        [word] => word.strip_prefix('-').and_then(Extent::parse),
        _ => {
            MAINTAIL.misused(session, "Error: too many arguments");
            return Ok(());
        }
    };
    let bytes = match extent {
        Some(Extent::Follow) => return follow::follow(session, "/mainlogtail"),
        Some(Extent::Last(bytes)) => bytes,
        None => return refuse(session, &format!("Error: bad argument {}", words[0])),
    };
    match session.call("readLog", &[offset_of_last(bytes), Value::Int(0)]) {
        Ok(text) => session.output(&plain(&text)),
        Err(failure) => return no_log(session, failure, "supervisord"),
    }
    Ok(())
}

/// The offset that means the last so many bytes.
fn offset_of_last(bytes: i64) -> Value {
    Value::Int(bytes.saturating_neg())
}

fn refuse(session: &mut Session, message: &str) -> Outcome {
    session.output(message);
    session.exit_status = exit::GENERIC;
    Ok(())
}

fn no_log(session: &mut Session, failure: Failure, name: &str) -> Outcome {
    let what = if failure.is_fault(FaultCode::NoFile) {
        "no log file"
    } else if failure.is_fault(FaultCode::Failed) {
        "unknown error reading log"
    } else {
        return Err(failure);
    };
    refuse(session, &format!("{name}: ERROR ({what})"))
}

/// The action `clear`.
pub(super) static CLEAR: Verb = Verb {
    name: "clear",
    usage: "NAME...|all",
    help: "clear <name>\t\tClear a process' log files.\n\
           clear <name> <name>\tClear multiple process' log files\n\
           clear all\t\tClear all process' log files",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(clear),
};

/// Empties the logs of processes.
fn clear(session: &mut Session, argument: &str) -> Outcome {
    let Some(names) = CLEAR.names(session, argument, exit::GENERIC)? else {
        return Ok(());
    };
    if names.iter().any(|name| name == "all") {
        let results = ActionResult::read_all(session.call("clearAllProcessLogs", &[])?)?;
        return results.iter().try_for_each(|result| show(session, result, "cleared"));
    }
    for name in names {
        match session.call("clearProcessLogs", &[Value::from(name.as_str())]) {
            Ok(_) => session.output(&format!("{}: cleared", printed(&name))),
            Err(failure) => show(session, &ActionResult::from_fault(failure, &name)?, "cleared")?,
        }
    }
    Ok(())
}

/// Says what became of the logs of one process; `done` is the word for what went well.
pub(super) fn show(session: &mut Session, result: &ActionResult, done: &str) -> Outcome {
    let ActionResult { namespec, status, .. } = result;
    let says = |code: FaultCode| code.code() == *status;
    let text = if says(FaultCode::Success) {
        format!("{namespec}: {done}")
    } else if says(FaultCode::BadName) {
        format!("{namespec}: ERROR (no such process)")
    } else if says(FaultCode::Failed) {
        format!("{namespec}: ERROR (failed)")
    } else {
        return Err(Failure::value(format!("Unknown result code {status} for {namespec}")));
    };
    session.output(&text);
    session.note_result(*status, None);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_tail() {
        for (argument, extent, name, channel) in [
            ("web", Extent::Last(1600), "web", "stdout"),
            ("web STDERR", Extent::Last(1600), "web", "stderr"),
            ("-f g:web stderr", Extent::Follow, "g:web", "stderr"),
            ("-1_0 web", Extent::Last(10), "web", "stdout"),
            ("--5 web", Extent::Last(-5), "web", "stdout"),
            ("web x stderr", Extent::Last(1600), "web", "stderr"),
        ] {
            let wanted = Tail { extent, name: name.to_string(), channel: channel.to_string() };
            assert_eq!(Tail::parse(argument), Ok(wanted), "{argument}");
        }
        for (argument, message, helps) in [
            ("", "Error: too few arguments", true),
            ("a b c d", "Error: too many arguments", true),
            ("-f", "Error: tail requires process name", false),
            ("web it's", "Error: bad channel \"it's\"", false),
            ("-x web", "Error: bad argument -x", false),
            ("- web", "Error: bad argument -", false),
        ] {
            let wanted = Mistake { message: message.to_string(), helps };
            assert_eq!(Tail::parse(argument), Err(wanted), "{argument}");
        }
    }
}
