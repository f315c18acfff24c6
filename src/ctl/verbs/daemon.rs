//! `pid`, `version`, `open`, `reload` and `shutdown`: the daemon itself.

use std::io::ErrorKind;

use crate::config::split_scheme;
use crate::core::fault::FaultCode;
use crate::core::json;
use crate::core::python::strip;
use crate::core::value::Value;
use crate::ctl::controller::{Controller, exit};
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::{ProcessInfo, number, plain};
use crate::ctl::names;

use super::status::{self, take_flag};

/// Prints the daemon's pid, those of all processes, or those of the processes named; with `--json` an array of objects.
pub fn pid(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let mut words = names::words(argument);
    let json = take_flag(&mut words, "--json");
    let mut pids: Vec<(String, i64)> = Vec::new();
    if words.is_empty() {
        let pid = ctl.call("getPID", &[])?;
        if !json {
            ctl.output(&plain(&pid));
        } else if let Value::Int(pid) = pid {
            pids.push(("supervisord".to_string(), pid));
        }
    } else if words.iter().any(|word| word == "all") {
        for info in ProcessInfo::read_all(ctl.call("getAllProcessInfo", &[])?)? {
            show_pid(ctl, info.namespec(), info.pid, json, &mut pids);
        }
    } else {
        for name in names::of(ctl, &words.join(" "))? {
            pid_of(ctl, &name, json, &mut pids)?;
        }
    }
    if json {
        let objects = pids.into_iter().map(|(name, pid)| {
            let members = [("namespec", Value::Str(name)), ("pid", Value::Int(pid))];
            Value::Struct(members.map(|(key, value)| (key.to_string(), value)).to_vec())
        });
        ctl.output(&json::write(&Value::Array(objects.collect())));
    }
    Ok(())
}

fn pid_of(ctl: &mut Controller, name: &str, json: bool, pids: &mut Vec<(String, i64)>) -> Outcome {
    match ctl.call("getProcessInfo", &[Value::from(name)]) {
        Ok(info) => {
            let pid = number(&info, "pid")?;
            show_pid(ctl, name.to_string(), pid, json, pids);
            if pid == 0 {
                ctl.exit_status = exit::NOT_RUNNING;
            }
        }
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            ctl.exit_status = exit::GENERIC;
            let message = format!("No such process {name}");
            if json { ctl.complain(&message) } else { ctl.output(&message) }
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Prints a pid at once, or keeps it for the array.
fn show_pid(
    ctl: &mut Controller,
    name: String,
    pid: i64,
    json: bool,
    pids: &mut Vec<(String, i64)>,
) {
    if json {
        pids.push((name, pid));
    } else {
        ctl.output(&pid.to_string());
    }
}

/// Prints the daemon's version.
pub fn version(ctl: &mut Controller, argument: &str) -> Outcome {
    if !argument.is_empty() {
        ctl.misused("version", "Error: version accepts no arguments");
        return Ok(());
    }
    if !ctl.upcheck()? {
        return Ok(());
    }
    let version = ctl.call("getSupervisorVersion", &[])?;
    ctl.output(&plain(&version));
    Ok(())
}

/// Turns to another daemon and shows its status; the exit status stays as it was.
pub fn open(ctl: &mut Controller, argument: &str) -> Outcome {
    let url = strip(argument);
    if !matches!(split_scheme(url).0.as_str(), "unix" | "http") {
        ctl.output("ERROR: url must be http:// or unix://");
        ctl.exit_status = exit::GENERIC;
        return Ok(());
    }
    ctl.options.serverurl = url.to_string();
    ctl.client.hang_up();
    let before = ctl.exit_status;
    status::status(ctl, "")?;
    ctl.exit_status = before;
    Ok(())
}

/// Has the daemon stop everything and start again.
pub fn reload(ctl: &mut Controller, argument: &str) -> Outcome {
    if !argument.is_empty() {
        ctl.misused("reload", "Error: reload accepts no arguments");
        return Ok(());
    }
    if !ctl.confirm("Really restart the remote supervisord process y/N? ")? {
        return Ok(());
    }
    match ctl.call("restart", &[]) {
        Ok(_) => ctl.output("Restarted supervisord"),
        Err(failure) if failure.is_fault(FaultCode::ShutdownState) => {
            ctl.exit_status = exit::GENERIC;
            ctl.output("ERROR: already shutting down");
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Has the daemon stop everything and end. That it is ending already is no failure.
pub fn shutdown(ctl: &mut Controller, argument: &str) -> Outcome {
    if !argument.is_empty() {
        ctl.misused("shutdown", "Error: shutdown accepts no arguments");
        return Ok(());
    }
    if !ctl.confirm("Really shut the remote supervisord process down y/N? ")? {
        return Ok(());
    }
    match ctl.call("shutdown", &[]) {
        Ok(_) => ctl.output("Shut down"),
        Err(failure) if failure.is_fault(FaultCode::ShutdownState) => {
            ctl.output("ERROR: already shutting down");
        }
        Err(failure) => return not_there(ctl, failure),
    }
    Ok(())
}

fn not_there(ctl: &mut Controller, failure: Failure) -> Outcome {
    let what = if failure.is_io(ErrorKind::ConnectionRefused) {
        "refused connection"
    } else if failure.is_io(ErrorKind::NotFound) {
        "no such file"
    } else {
        return Err(failure);
    };
    ctl.exit_status = exit::GENERIC;
    let message = format!("ERROR: {} {what} (already shut down?)", ctl.options.serverurl);
    ctl.output(&message);
    Ok(())
}
