//! `tail`, `maintail` and `clear`: the logs.

use crate::core::fault::FaultCode;
use crate::core::python::{self, repr};
use crate::core::value::Value;
use crate::ctl::controller::{Controller, exit};
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::follow;
use crate::ctl::info::{ActionResult, plain, printed};
use crate::ctl::names;

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

/// Shows the end of a process's log, or follows it.
pub fn tail(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let Tail { extent, name, channel } = match Tail::parse(argument) {
        Ok(tail) => tail,
        Err(Mistake { message, helps: true }) => {
            ctl.misused("tail", &message);
            return Ok(());
        }
        Err(Mistake { message, helps: false }) => return refuse(ctl, &message),
    };
    let bytes = match extent {
        Extent::Follow => return follow::follow(ctl, &format!("/logtail/{name}/{channel}")),
        Extent::Last(bytes) => bytes,
    };
    let method = if channel == "stdout" { "readProcessStdoutLog" } else { "readProcessStderrLog" };
    let params = [Value::from(name.as_str()), offset_of_last(bytes), Value::Int(0)];
    match ctl.call(method, &params) {
        Ok(text) => ctl.output(&plain(&text)),
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            return refuse(ctl, &format!("{name}: ERROR (no such process name)"));
        }
        Err(failure) => return no_log(ctl, failure, &name),
    }
    Ok(())
}

/// Shows the end of the daemon's own log, or follows it.
pub fn maintail(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let words = names::words(argument);
    let extent = match words.as_slice() {
        [] => Some(Extent::Last(DEFAULT_BYTES)),
        [word] => word.strip_prefix('-').and_then(Extent::parse),
        _ => {
            ctl.misused("maintail", "Error: too many arguments");
            return Ok(());
        }
    };
    let bytes = match extent {
        Some(Extent::Follow) => return follow::follow(ctl, "/mainlogtail"),
        Some(Extent::Last(bytes)) => bytes,
        None => return refuse(ctl, &format!("Error: bad argument {}", words[0])),
    };
    match ctl.call("readLog", &[offset_of_last(bytes), Value::Int(0)]) {
        Ok(text) => ctl.output(&plain(&text)),
        Err(failure) => return no_log(ctl, failure, "supervisord"),
    }
    Ok(())
}

/// The offset that means the last so many bytes.
fn offset_of_last(bytes: i64) -> Value {
    Value::Int(bytes.saturating_neg())
}

fn refuse(ctl: &mut Controller, message: &str) -> Outcome {
    ctl.output(message);
    ctl.exit_status = exit::GENERIC;
    Ok(())
}

fn no_log(ctl: &mut Controller, failure: Failure, name: &str) -> Outcome {
    let what = if failure.is_fault(FaultCode::NoFile) {
        "no log file"
    } else if failure.is_fault(FaultCode::Failed) {
        "unknown error reading log"
    } else {
        return Err(failure);
    };
    refuse(ctl, &format!("{name}: ERROR ({what})"))
}

/// Empties the logs of processes.
pub fn clear(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    if argument.is_empty() {
        ctl.misused("clear", "Error: clear requires a process name");
        return Ok(());
    }
    let names = names::of(ctl, argument)?;
    if names.iter().any(|name| name == "all") {
        let results = ActionResult::read_all(ctl.call("clearAllProcessLogs", &[])?)?;
        return results.iter().try_for_each(|result| show_cleared(ctl, result));
    }
    for name in names {
        match ctl.call("clearProcessLogs", &[Value::from(name.as_str())]) {
            Ok(_) => ctl.output(&format!("{}: cleared", printed(&name))),
            Err(failure) => show_cleared(ctl, &ActionResult::from_fault(failure, &name)?)?,
        }
    }
    Ok(())
}

fn show_cleared(ctl: &mut Controller, result: &ActionResult) -> Outcome {
    let ActionResult { namespec, status, .. } = result;
    let says = |code: FaultCode| code.code() == *status;
    let text = if says(FaultCode::Success) {
        format!("{namespec}: cleared")
    } else if says(FaultCode::BadName) {
        format!("{namespec}: ERROR (no such process)")
    } else if says(FaultCode::Failed) {
        format!("{namespec}: ERROR (failed)")
    } else {
        return Err(Failure::value(format!("Unknown result code {status} for {namespec}")));
    };
    ctl.output(&text);
    ctl.note_result(*status, None);
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
