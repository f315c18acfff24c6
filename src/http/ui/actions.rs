//! What the buttons do (`web.py: StatusView.make_callback`): an action becomes a call, its outcome a message.

use crate::core::effect::{Call, Caller};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::namespec;
use crate::core::rpc::MULTICALL;
use crate::core::rpc::methods::SUPERVISOR;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
use crate::sys::clock;

use super::super::form::Form;

/// Failures named in a message.
const MAX_NAMED: usize = 5;

/// What was asked makes no sense; the text says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Nonsense(pub(super) String);

/// What is done to processes.
#[derive(Clone, Copy)]
enum Verb {
    Start,
    Stop,
    Restart,
}

impl Verb {
    fn done(self) -> &'static str {
        match self {
            Verb::Start => "started",
            Verb::Stop => "stopped",
            Verb::Restart => "restarted",
        }
    }
}

/// Whether an action leaves everything as it is, so that it does not matter who asks for it.
pub(super) fn is_harmless(action: &str) -> bool {
    action == "refresh"
}

/// Does what a form asks for and tells how it went, in the reference's words where it has that action. Dropping the
/// future withdraws the call, but for several that belong together: who follows a link while something restarts does not
/// want it stopped.
pub(super) async fn perform(
    handle: &Handle,
    action: &str,
    form: &Form,
) -> Result<String, Nonsense> {
    let name = form.get("processname");
    Ok(match (action, name) {
        ("refresh", _) => format!("Page refreshed at {}", ctime()),
        ("startall", _) => start_all(handle).await,
        ("stopall", _) => stop_all(handle).await,
        ("restartall", _) => restart_all(handle).await,
        ("startgroup", _) => on_group(handle, Verb::Start, group_of(form)?).await,
        ("stopgroup", _) => on_group(handle, Verb::Stop, group_of(form)?).await,
        ("restartgroup", _) => on_group(handle, Verb::Restart, group_of(form)?).await,
        // Whatever the action is.
        (_, Some(name)) if handle.program(name).await.is_none() => {
            format!("No such process named {name}")
        }
        ("start", Some(name)) => start(handle, name).await,
        ("stop", Some(name)) => stop(handle, name).await,
        ("restart", Some(name)) => restart(handle, name).await,
        ("clearlog", Some(name)) => clear_log(handle, name).await,
        ("start" | "stop" | "restart" | "clearlog", None) => {
            return Err(Nonsense(format!("The action \"{action}\" needs a processname.")));
        }
        _ => return Err(Nonsense(format!("There is no action \"{action}\"."))),
    })
}

fn group_of(form: &Form) -> Result<&str, Nonsense> {
    form.get("groupname")
        .ok_or_else(|| Nonsense("An action on a group needs a groupname.".to_string()))
}

async fn start(handle: &Handle, name: &str) -> String {
    let fault = match handle.call(call("startProcess", &[name])).await {
        Ok(_) => return format!("Process {name} started"),
        Err(fault) => fault,
    };
    let why = match fault.code {
        FaultCode::NoFile => "no such file".to_string(),
        FaultCode::NotExecutable => "file not executable".to_string(),
        FaultCode::AlreadyStarted => "already started".to_string(),
        FaultCode::SpawnError => "spawn error".to_string(),
        FaultCode::AbnormalTermination => "abnormal termination".to_string(),
        _ => unexpected(&fault),
    };
    format!("ERROR: Process {name}: {why}")
}

async fn stop(handle: &Handle, name: &str) -> String {
    match handle.call(call("stopProcess", &[name])).await {
        Ok(_) => format!("Process {name} stopped"),
        Err(fault) => unexpected(&fault),
    }
}

/// The reference says that it was restarted whatever came of it; only a daemon on its way down is told apart.
async fn restart(handle: &Handle, name: &str) -> String {
    let calls = [call("stopProcess", &[name]), call("startProcess", &[name])];
    match refusal(handle.carry_through(multicall(calls)).await) {
        Some(fault) if fault.code == FaultCode::ShutdownState => unexpected(&fault),
        _ => format!("Process {name} restarted"),
    }
}

async fn clear_log(handle: &Handle, name: &str) -> String {
    match handle.call(call("clearProcessLogs", &[name])).await {
        Ok(_) => format!("Log for {name} cleared"),
        Err(fault) => unexpected(&fault),
    }
}

async fn start_all(handle: &Handle) -> String {
    match handle.call(call("startAllProcesses", &[])).await {
        Ok(results) => match failures(&results) {
            Some(failed) => format!("ERROR: not started: {failed}"),
            None => format!("All started at {}", ctime()),
        },
        Err(fault) => unexpected(&fault),
    }
}

async fn stop_all(handle: &Handle) -> String {
    match handle.call(call("stopAllProcesses", &[])).await {
        Ok(_) => format!("All stopped at {}", ctime()),
        Err(fault) => unexpected(&fault),
    }
}

async fn restart_all(handle: &Handle) -> String {
    let calls = [call("stopAllProcesses", &[]), call("startAllProcesses", &[])];
    match refusal(handle.carry_through(multicall(calls)).await) {
        Some(fault) => unexpected(&fault),
        None => format!("All restarted at {}", ctime()),
    }
}

async fn on_group(handle: &Handle, verb: Verb, group: &str) -> String {
    let start = || call("startProcessGroup", &[group]);
    let stop = || call("stopProcessGroup", &[group]);
    let calls = match verb {
        Verb::Start => vec![start()],
        Verb::Stop => vec![stop()],
        Verb::Restart => vec![stop(), start()],
    };
    let outcome = handle.carry_through(multicall(calls)).await;
    let failed = match &outcome {
        Ok(Value::Array(results)) => results.last().and_then(failures),
        _ => None,
    };
    match (refusal(outcome), failed) {
        (Some(fault), _) if fault.code == FaultCode::BadName => {
            format!("No such group named {group}")
        }
        (Some(fault), _) => unexpected(&fault),
        (None, Some(failed)) => format!("ERROR: Group {group}: not {}: {failed}", verb.done()),
        (None, None) => format!("Group {group} {}", verb.done()),
    }
}

/// A call of a method of the main interface.
fn call(method: &str, params: &[&str]) -> Call {
    let params = params.iter().map(|param| Value::str(*param)).collect();
    Call { caller: Caller::Button, method: format!("{SUPERVISOR}.{method}"), params }
}

/// The calls one after the other, each when the one before it is done.
fn multicall(calls: impl IntoIterator<Item = Call>) -> Call {
    let part = |call: Call| {
        record([("methodName", Value::Str(call.method)), ("params", Value::Array(call.params))])
    };
    let parts = calls.into_iter().map(part).collect();
    let (caller, method) = (Caller::Button, MULTICALL.to_string());
    Call { caller, method, params: vec![Value::Array(parts)] }
}

/// The fault of the first of several calls, or of all of them together.
fn refusal(outcome: Result<Value, Fault>) -> Option<Fault> {
    let first = match outcome {
        Err(fault) => return Some(fault),
        Ok(Value::Array(results)) => results.into_iter().next()?,
        Ok(_) => return None,
    };
    let Some(Value::Int(number)) = first.member("faultCode") else { return None };
    let text = match first.member("faultString") {
        Some(Value::Str(text)) => text.clone(),
        _ => String::new(),
    };
    Some(Fault { code: FaultCode::of_code(*number)?, text })
}

/// The processes that a call on many of them failed for, with the reasons; `None` when there are none.
fn failures(results: &Value) -> Option<String> {
    let Value::Array(results) = results else { return None };
    let text = |result: &Value, member| match result.member(member) {
        Some(Value::Str(text)) => text.clone(),
        _ => String::new(),
    };
    let failed: Vec<String> = results
        .iter()
        .filter(|result| result.member("status") != Some(&Value::Int(FaultCode::Success.code())))
        .map(|result| {
            let name = namespec::join(&text(result, "group"), &text(result, "name"));
            format!("{name} ({})", text(result, "description"))
        })
        .collect();
    let named = failed.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    match failed.len().checked_sub(MAX_NAMED + 1) {
        Some(more) => Some(format!("{named} and {} more", more + 1)),
        None if failed.is_empty() => None,
        None => Some(named),
    }
}

fn unexpected(fault: &Fault) -> String {
    format!("unexpected rpc fault [{}] {fault}", fault.code.code())
}

/// The local time, as C prints it.
fn ctime() -> String {
    clock::local_now().0.ctime()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, status: FaultCode) -> Value {
        record([
            ("name", Value::str(name)),
            ("group", Value::str("g")),
            ("status", Value::Int(status.code())),
            ("description", Value::str(status.name())),
        ])
    }

    #[test]
    fn failures_among_many() {
        let ok = || result("a", FaultCode::Success);
        let failed = |name| result(name, FaultCode::SpawnError);
        assert_eq!(failures(&Value::Array(vec![ok(), ok()])), None);
        assert_eq!(failures(&Value::Array(vec![])), None);
        assert_eq!(
            failures(&Value::Array(vec![ok(), failed("b"), failed("g")])).as_deref(),
            Some("g:b (SPAWN_ERROR), g (SPAWN_ERROR)")
        );
        let many = failures(&Value::Array((0..7).map(|_| failed("b")).collect())).unwrap();
        assert!(many.ends_with("g:b (SPAWN_ERROR) and 2 more"), "{many}");
        assert_eq!(failures(&Value::Bool(true)), None);
    }

    #[test]
    fn refusals_of_calls() {
        let fault =
            record([("faultCode", Value::Int(10)), ("faultString", Value::str("BAD_NAME: x"))]);
        let expected = Fault::new(FaultCode::BadName, "x");
        assert_eq!(refusal(Ok(Value::Array(vec![fault, Value::Nil]))), Some(expected.clone()));
        assert_eq!(refusal(Err(expected.clone())), Some(expected));
        assert_eq!(refusal(Ok(Value::Array(vec![Value::Bool(true)]))), None);
        assert_eq!(refusal(Ok(Value::Array(vec![]))), None);
    }

    #[test]
    fn the_clock_as_c_prints_it() {
        let text = ctime();
        // "Sat Nov 21 05:28:11 2026"
        assert_eq!(text.len(), 24, "{text}");
        let at = |index| text.as_bytes()[index];
        assert_eq!(
            (at(3), at(7), at(13), at(16), at(19)),
            (b' ', b' ', b':', b':', b' '),
            "{text}"
        );
    }
}
