//! `pid`: the process ids of programs, and of the daemon.

use crate::core::fault::FaultCode;
use crate::core::json;
use crate::core::value::Value;
use crate::ctl::failure::Outcome;
use crate::ctl::info::{ProcessInfo, number, plain};
use crate::ctl::names::{self, take_flag};
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// The action `pid`.
pub(super) static PID: Verb = Verb {
    name: "pid",
    usage: "[--json] [NAME...|all]",
    help: "pid\t\t\tGet the PID of supervisord.\n\
           pid <name>\t\tGet the PID of a single child process by name.\n\
           pid all\t\t\tGet the PID of every child process, one per line.",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(pid),
};

/// Prints the daemon's pid, those of all processes, or those of the processes named; with `--json` an array of objects.
fn pid(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let mut words = names::words(argument);
    let json = take_flag(&mut words, "--json");
    let mut pids: Vec<(String, i64)> = Vec::new();
    if words.is_empty() {
        let pid = session.call("getPID", &[])?;
        if !json {
            session.output(&plain(&pid));
        } else if let Value::Int(pid) = pid {
            pids.push(("supervisord".to_string(), pid));
        }
    } else if words.iter().any(|word| word == "all") {
        for info in ProcessInfo::read_all(session.call("getAllProcessInfo", &[])?)? {
            show_pid(session, info.namespec(), info.pid, json, &mut pids);
        }
    } else {
        for name in names::of(session, &words.join(" "))? {
            pid_of(session, &name, json, &mut pids)?;
        }
    }
    if json {
        let objects = pids.into_iter().map(|(name, pid)| {
            let members = [("namespec", Value::Str(name)), ("pid", Value::Int(pid))];
            Value::Struct(members.map(|(key, value)| (key.to_string(), value)).to_vec())
        });
        session.output(&json::write(&Value::Array(objects.collect())));
    }
    Ok(())
}

fn pid_of(session: &mut Session, name: &str, json: bool, pids: &mut Vec<(String, i64)>) -> Outcome {
    match session.call("getProcessInfo", &[Value::from(name)]) {
        Ok(info) => {
            let pid = number(&info, "pid")?;
            show_pid(session, name.to_string(), pid, json, pids);
            if pid == 0 {
                session.exit_status = exit::NOT_RUNNING;
            }
        }
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            session.exit_status = exit::GENERIC;
            let message = format!("No such process {name}");
            if json { session.complain(&message) } else { session.output(&message) }
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Prints a pid at once, or keeps it for the array.
fn show_pid(
    session: &mut Session,
    name: String,
    pid: i64,
    json: bool,
    pids: &mut Vec<(String, i64)>,
) {
    if json {
        pids.push((name, pid));
    } else {
        session.output(&pid.to_string());
    }
}
