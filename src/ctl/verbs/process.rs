//! `start`, `stop`, `signal` and `restart`: actions on processes, which differ in the method called and in the words.

use crate::core::fault::FaultCode;
use crate::core::namespec;
use crate::core::value::Value;
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::{ActionResult, ProcessInfo};
use crate::ctl::names::{self, take_flag};
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

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

const TO_START: Action = Action {
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

const TO_STOP: Action = Action {
    one: "stopProcess",
    group: "stopProcessGroup",
    all: "stopAllProcesses",
    done: "stopped",
    errors: TO_SIGNAL.errors,
    ignored: Some(FaultCode::NotRunning),
    no_group_status: exit::GENERIC,
};

const TO_SIGNAL: Action = Action {
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
    fn run(&self, session: &mut Session, names: &[String], extra: &[Value]) -> Outcome {
        if names.iter().any(|name| name == "all") {
            let results = session.call(self.all, extra)?;
            return self.show_all(session, results);
        }
        for name in names {
            match namespec::split(name).process {
                None => self.run_group(session, name, extra)?,
                Some(_) => {
                    let result = self.run_one(session, name, extra)?;
                    self.show(session, &result)?;
                }
            }
        }
        Ok(())
    }

    fn run_group(&self, session: &mut Session, name: &str, extra: &[Value]) -> Outcome {
        let group = namespec::split(name).group;
        match session.call(self.group, &with(group, extra)) {
            Ok(results) => self.show_all(session, results),
            Err(failure) if failure.is_fault(FaultCode::BadName) => {
                no_such_group(session, group, self.no_group_status);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Acts on one process; a fault is a result.
    fn run_one(&self, session: &mut Session, name: &str, extra: &[Value]) -> Outcome<ActionResult> {
        match session.call(self.one, &with(name, extra)) {
            Ok(_) => Ok(ActionResult {
                namespec: crate::ctl::info::printed(name),
                status: FaultCode::Success.code(),
                description: String::new(),
            }),
            Err(failure) => ActionResult::from_fault(failure, name),
        }
    }

    fn show_all(&self, session: &mut Session, results: Value) -> Outcome {
        ActionResult::read_all(results)?.iter().try_for_each(|result| self.show(session, result))
    }

    fn show(&self, session: &mut Session, result: &ActionResult) -> Outcome {
        let text = self.text(result)?;
        session.output(&text);
        session.note_result(result.status, self.ignored);
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
        if *status == FaultCode::Failed.code() && self.done != TO_START.done {
            return Ok(description.clone());
        }
        Err(Failure::value(format!("Unknown result code {status} for {namespec}")))
    }
}

/// Says that there is no group of a name.
pub(super) fn no_such_group(session: &mut Session, group: &str, status: u8) {
    session.output(&format!("{group}: ERROR (no such group)"));
    session.exit_status = status;
}

fn with(name: &str, extra: &[Value]) -> Vec<Value> {
    let mut params = vec![Value::from(name)];
    params.extend_from_slice(extra);
    params
}

/// The action `start`.
pub(super) static START: Verb = Verb {
    name: "start",
    usage: "NAME...|all",
    help: "start <name>\t\tStart a process\n\
           start <gname>:*\t\tStart all processes in a group\n\
           start <name> <name>\tStart multiple processes or groups\n\
           start all\t\tStart all processes",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(start),
};

/// Starts processes and waits until they run.
fn start(session: &mut Session, argument: &str) -> Outcome {
    match START.names(session, argument, exit::INVALID_ARGS)? {
        Some(names) => TO_START.run(session, &names, &[]),
        None => Ok(()),
    }
}

/// The action `stop`.
pub(super) static STOP: Verb = Verb {
    name: "stop",
    usage: "NAME...|all",
    help: "stop <name>\t\tStop a process\n\
           stop <gname>:*\t\tStop all processes in a group\n\
           stop <name> <name>\tStop multiple processes or groups\n\
           stop all\t\tStop all processes",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(stop),
};

/// Stops processes and waits until they are gone.
fn stop(session: &mut Session, argument: &str) -> Outcome {
    match STOP.names(session, argument, exit::GENERIC)? {
        Some(names) => TO_STOP.run(session, &names, &[]),
        None => Ok(()),
    }
}

/// The action `signal`.
pub(super) static SIGNAL: Verb = Verb {
    name: "signal",
    usage: "SIGNAL NAME...|all",
    help: "signal <signal name> <name>\t\tSignal a process\n\
           signal <signal name> <gname>:*\t\tSignal all processes in a group\n\
           signal <signal name> <name> <name>\tSignal multiple processes or groups\n\
           signal <signal name> all\t\tSignal all processes",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(signal),
};

/// Sends a signal, given by name or number, to processes.
fn signal(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let words = names::words(argument);
    let [signal, _, ..] = words.as_slice() else {
        SIGNAL.misused(session, "Error: signal requires a signal name and a process name");
        return Ok(());
    };
    let names = names::of(session, &words[1..].join(" "))?;
    TO_SIGNAL.run(session, &names, &[Value::from(signal.as_str())])
}

/// The action `restart`.
pub(super) static RESTART: Verb = Verb {
    name: "restart",
    usage: "[--rolling] NAME...|all",
    help: "restart <name>\t\tRestart a process\n\
           restart <gname>:*\tRestart all processes in a group\n\
           restart <name> <name>\tRestart multiple processes or groups\n\
           restart all\t\tRestart all processes\n\
           Note: restart does not reread config files. For that, see reread and update.",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(restart),
};

/// Stops processes, then starts them. With `--rolling` the processes of groups one at a time.
fn restart(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let mut words = names::words(argument);
    let rolling = take_flag(&mut words, "--rolling");
    if words.is_empty() {
        RESTART.misused(session, "Error: restart requires a process name");
        return Ok(());
    }
    if rolling {
        return restart_rolling(session, &words);
    }
    let names = names::of(session, argument)?.join(" ");
    stop(session, &names)?;
    start(session, &names)
}

/// Restarts the processes of each group one at a time, each only when the one before it runs, and ends with the first
/// that cannot be stopped or does not come up. Processes that were not running are started, as `restart` does.
fn restart_rolling(session: &mut Session, groups: &[String]) -> Outcome {
    let infos = ProcessInfo::read_all(session.call("getAllProcessInfo", &[])?)?;
    for name in groups {
        let group = name.strip_suffix(":*").or_else(|| name.strip_suffix(':')).unwrap_or(name);
        let members: Vec<String> =
            infos.iter().filter(|info| info.group == group).map(ProcessInfo::namespec).collect();
        if members.is_empty() {
            no_such_group(session, group, exit::INVALID_ARGS);
            return Ok(());
        }
        for (index, member) in members.iter().enumerate() {
            if restart_one(session, member)? {
                continue;
            }
            let left = members.len() - index - 1;
            session.output(&format!(
                "{group}: ERROR (rolling restart ended at {member}, {left} not restarted)"
            ));
            return Ok(());
        }
    }
    Ok(())
}

/// Restarts one process; whether it runs again. The exit status tells if not.
fn restart_one(session: &mut Session, name: &str) -> Outcome<bool> {
    for action in [TO_STOP, TO_START] {
        let result = action.run_one(session, name, &[])?;
        action.show(session, &result)?;
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
            (&TO_START, FaultCode::Success, "a:b: started"),
            (&TO_START, FaultCode::NotExecutable, "a:b: ERROR (file is not executable)"),
            (&TO_STOP, FaultCode::Success, "a:b: stopped"),
            (&TO_STOP, FaultCode::NotRunning, "a:b: ERROR (not running)"),
            (&TO_STOP, FaultCode::Failed, "what happened"),
            (&TO_SIGNAL, FaultCode::BadSignal, "a:b: ERROR (bad signal name)"),
        ] {
            assert_eq!(action.text(&result(code)).unwrap(), text);
        }
        for (action, code) in [(&TO_START, FaultCode::Failed), (&TO_STOP, FaultCode::ShutdownState)]
        {
            let why = action.text(&result(code)).unwrap_err().to_string();
            assert_eq!(why, format!("Unknown result code {} for a:b", code.code()));
        }
    }
}
