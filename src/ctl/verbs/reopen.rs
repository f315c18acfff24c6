//! `reopen`: logs that something else has renamed are begun anew, without a signal. The reference has no such action.

use super::logs::show;
use super::process::no_such_group;
use crate::core::fault::FaultCode;
use crate::core::namespec::{self, Namespec};
use crate::core::value::Value;
use crate::ctl::failure::Outcome;
use crate::ctl::info::ActionResult;
use crate::ctl::names;
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// The action `reopen`.
pub(super) static REOPEN: Verb = Verb {
    name: "reopen",
    usage: "[NAME...|all]",
    help: "reopen\t\t\tReopen all log files and that of supervisord, as SIGUSR2 does\n\
           reopen all\t\tReopen all log files and that of supervisord, as SIGUSR2 does\n\
           reopen <name>\t\tReopen a process' log files\n\
           reopen <gname>:*\tReopen the log files of all processes in a group\n\
           reopen <name> <name>\tReopen the log files of multiple processes or groups",
    shown: Shown::ByName,
    completes: Completes::Processes,
    does: Does::Run(reopen),
};

/// What is said of a daemon that is the reference, or too old.
const NOT_KNOWN: &str =
    "ERROR: this supervisord does not know reopen; SIGUSR2 makes it reopen all its logs";

/// Reopens the logs of the processes named, one after the other; without names, or for `all`, every log and the main one.
fn reopen(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let names = names::of(session, argument)?;
    if names.is_empty() || names.iter().any(|name| name == "all") {
        return ask(session, None).map(drop);
    }
    for name in names {
        if ask(session, Some(&name))? == Answered::Unknown {
            break;
        }
    }
    Ok(())
}

/// Whether the daemon knows the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// It did something, or said why not.
    Known,
    /// It does not, and will not the next time either.
    Unknown,
}

/// Has the daemon reopen the logs of a process or a group, or all, and shows what became of each.
fn ask(session: &mut Session, name: Option<&str>) -> Outcome<Answered> {
    let params: Vec<Value> = name.into_iter().map(Value::from).collect();
    let results = match (session.call_own("reopenLogs", &params), name) {
        (Ok(results), _) => ActionResult::read_all(results)?,
        (Err(failure), _) if failure.is_fault(FaultCode::UnknownMethod) => {
            session.output(NOT_KNOWN);
            session.exit_status = exit::GENERIC;
            return Ok(Answered::Unknown);
        }
        (Err(failure), Some(name)) if failure.is_fault(FaultCode::BadName) => {
            let Namespec { group, process } = namespec::split(name);
            match process {
                Some(_) => show(session, &ActionResult::from_fault(failure, name)?, "reopened")?,
                None => no_such_group(session, group, exit::GENERIC),
            }
            return Ok(Answered::Known);
        }
        (Err(failure), _) => return Err(failure),
    };
    results.iter().try_for_each(|result| show(session, result, "reopened"))?;
    Ok(Answered::Known)
}
