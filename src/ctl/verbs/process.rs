//! `start`, `stop`, `signal` and `restart`: actions on processes, which differ in the method called and in the words.

use crate::core::fault::FaultCode;
use crate::core::namespec;
use crate::core::value::Value;
use crate::ctl::controller::{Controller, exit};
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::{ActionResult, ProcessInfo};
use crate::ctl::names;

use super::status::take_flag;

/// One action: its methods, and what its results mean.
struct Action {
    one: &'static str,
    group: &'static str,
    all: &'static str,
    /// What is printed of a process with which all went well.
    done: &'static str,
    /// The fault codes that may come, with the words for each.
    errors: &'static [(FaultCode, &'static str)],
    /// The fault that leaves the exit status alone.
    ignored: Option<FaultCode>,
    /// The exit status when there is no group of a name.
    no_group_status: u8,
}

const START: Action = Action {
    one: "startProcess",
    group: "startProcessGroup",
    all: "startAllProcesses",
    done: "started",
    errors: &[
        (FaultCode::BadName, "no such process"),
        (FaultCode::NoFile, "no such file"),
        (FaultCode::NotExecutable, "file is not executable"),
        (FaultCode::AlreadyStarted, "already started"),
        (FaultCode::SpawnError, "spawn error"),
        (FaultCode::AbnormalTermination, "abnormal termination"),
    ],
    ignored: Some(FaultCode::AlreadyStarted),
    no_group_status: exit::INVALID_ARGS,
};

const STOP: Action = Action {
    one: "stopProcess",
    group: "stopProcessGroup",
    all: "stopAllProcesses",
    done: "stopped",
    errors: SIGNAL.errors,
    ignored: Some(FaultCode::NotRunning),
    no_group_status: exit::GENERIC,
};

const SIGNAL: Action = Action {
    one: "signalProcess",
    group: "signalProcessGroup",
    all: "signalAllProcesses",
    done: "signalled",
    errors: &[
        (FaultCode::BadName, "no such process"),
        (FaultCode::BadSignal, "bad signal name"),
        (FaultCode::NotRunning, "not running"),
    ],
    ignored: None,
    no_group_status: exit::GENERIC,
};

impl Action {
    /// Acts on the names, one after the other, or on all. `extra` follows the name in every call.
    fn run(&self, ctl: &mut Controller, names: &[String], extra: &[Value]) -> Outcome {
        if names.iter().any(|name| name == "all") {
            let results = ctl.call(self.all, extra)?;
            return self.show_all(ctl, results);
        }
        for name in names {
            match namespec::split(name).process {
                None => self.run_group(ctl, name, extra)?,
                Some(_) => {
                    let result = self.run_one(ctl, name, extra)?;
                    self.show(ctl, &result)?;
                }
            }
        }
        Ok(())
    }

    fn run_group(&self, ctl: &mut Controller, name: &str, extra: &[Value]) -> Outcome {
        let group = namespec::split(name).group;
        match ctl.call(self.group, &with(group, extra)) {
            Ok(results) => self.show_all(ctl, results),
            Err(failure) if failure.is_fault(FaultCode::BadName) => {
                ctl.output(&format!("{group}: ERROR (no such group)"));
                ctl.exit_status = self.no_group_status;
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Acts on one process; a fault is a result.
    fn run_one(&self, ctl: &mut Controller, name: &str, extra: &[Value]) -> Outcome<ActionResult> {
        match ctl.call(self.one, &with(name, extra)) {
            Ok(_) => Ok(ActionResult {
                namespec: crate::ctl::info::printed(name),
                status: FaultCode::Success.code(),
                description: String::new(),
            }),
            Err(failure) => ActionResult::from_fault(failure, name),
        }
    }

    fn show_all(&self, ctl: &mut Controller, results: Value) -> Outcome {
        ActionResult::read_all(results)?.iter().try_for_each(|result| self.show(ctl, result))
    }

    fn show(&self, ctl: &mut Controller, result: &ActionResult) -> Outcome {
        let text = self.text(result)?;
        ctl.output(&text);
        ctl.note_result(result.status, self.ignored);
        Ok(())
    }

    /// The line for a result; fails on a code that has no words, as the reference does.
    fn text(&self, result: &ActionResult) -> Outcome<String> {
        let ActionResult { namespec, status, description } = result;
        if *status == FaultCode::Success.code() {
            return Ok(format!("{namespec}: {}", self.done));
        }
        if let Some((_, words)) = self.errors.iter().find(|(fault, _)| fault.code() == *status) {
            return Ok(format!("{namespec}: ERROR ({words})"));
        }
        if *status == FaultCode::Failed.code() && self.done != START.done {
            return Ok(description.clone());
        }
        Err(Failure::value(format!("Unknown result code {status} for {namespec}")))
    }
}

fn with(name: &str, extra: &[Value]) -> Vec<Value> {
    let mut params = vec![Value::from(name)];
    params.extend_from_slice(extra);
    params
}

/// Starts processes and waits until they run.
pub fn start(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    if argument.is_empty() {
        ctl.misused("start", "Error: start requires a process name");
        ctl.exit_status = exit::INVALID_ARGS;
        return Ok(());
    }
    let names = names::of(ctl, argument)?;
    START.run(ctl, &names, &[])
}

/// Stops processes and waits until they are gone.
pub fn stop(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    if argument.is_empty() {
        ctl.misused("stop", "Error: stop requires a process name");
        return Ok(());
    }
    let names = names::of(ctl, argument)?;
    STOP.run(ctl, &names, &[])
}

/// Sends a signal, given by name or number, to processes.
pub fn signal(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let words = names::words(argument);
    let [signal, _, ..] = words.as_slice() else {
        ctl.misused("signal", "Error: signal requires a signal name and a process name");
        return Ok(());
    };
    let names = names::of(ctl, &words[1..].join(" "))?;
    SIGNAL.run(ctl, &names, &[Value::from(signal.as_str())])
}

/// Stops processes, then starts them. With `--rolling` the processes of groups one at a time.
pub fn restart(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let mut words = names::words(argument);
    let rolling = take_flag(&mut words, "--rolling");
    if words.is_empty() {
        ctl.misused("restart", "Error: restart requires a process name");
        return Ok(());
    }
    if rolling {
        return restart_rolling(ctl, &words);
    }
    let names = names::of(ctl, argument)?.join(" ");
    stop(ctl, &names)?;
    start(ctl, &names)
}

/// Restarts the processes of each group one at a time, each only when the one before it runs, and ends with the first
/// that cannot be stopped or does not come up. Processes that were not running are started, as `restart` does.
fn restart_rolling(ctl: &mut Controller, groups: &[String]) -> Outcome {
    let infos = ProcessInfo::read_all(ctl.call("getAllProcessInfo", &[])?)?;
    for name in groups {
        let group = name.strip_suffix(":*").or_else(|| name.strip_suffix(':')).unwrap_or(name);
        let members: Vec<String> =
            infos.iter().filter(|info| info.group == group).map(ProcessInfo::namespec).collect();
        if members.is_empty() {
            ctl.output(&format!("{group}: ERROR (no such group)"));
            ctl.exit_status = exit::INVALID_ARGS;
            return Ok(());
        }
        for (index, member) in members.iter().enumerate() {
            if restart_one(ctl, member)? {
                continue;
            }
            let left = members.len() - index - 1;
            ctl.output(&format!(
                "{group}: ERROR (rolling restart ended at {member}, {left} not restarted)"
            ));
            return Ok(());
        }
    }
    Ok(())
}

/// Restarts one process; whether it runs again. The exit status tells if not.
fn restart_one(ctl: &mut Controller, name: &str) -> Outcome<bool> {
    for action in [STOP, START] {
        let result = action.run_one(ctl, name, &[])?;
        action.show(ctl, &result)?;
        let fine = result.status == FaultCode::Success.code()
            || action.ignored.is_some_and(|fault| fault.code() == result.status);
        if !fine {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_in_words() {
        let result = |status: FaultCode| ActionResult {
            namespec: "a:b".to_string(),
            status: status.code(),
            description: "what happened".to_string(),
        };
        for (action, code, text) in [
            (&START, FaultCode::Success, "a:b: started"),
            (&START, FaultCode::NotExecutable, "a:b: ERROR (file is not executable)"),
            (&STOP, FaultCode::Success, "a:b: stopped"),
            (&STOP, FaultCode::NotRunning, "a:b: ERROR (not running)"),
            (&STOP, FaultCode::Failed, "what happened"),
            (&SIGNAL, FaultCode::BadSignal, "a:b: ERROR (bad signal name)"),
        ] {
            assert_eq!(action.text(&result(code)).unwrap(), text);
        }
        for (action, code) in [(&START, FaultCode::Failed), (&STOP, FaultCode::ShutdownState)] {
            let why = action.text(&result(code)).unwrap_err().to_string();
            assert_eq!(why, format!("Unknown result code {} for a:b", code.code()));
        }
    }
}
