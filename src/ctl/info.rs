//! The structs the daemon answers with, as the client uses them.

use super::failure::{Failure, Outcome};
use crate::core::namespec;
use crate::core::states::ProcessState;
use crate::core::value::Value;

/// A process as `getProcessInfo` describes it.
#[derive(Clone, Debug)]
pub(crate) struct ProcessInfo {
    /// The group's name.
    pub group: String,
    /// The process's name.
    pub name: String,
    /// Code of the state; see [`ProcessState::code`].
    pub state: i64,
    /// Name of the state.
    pub statename: String,
    /// What a person is told: pid and uptime, or why it is not running.
    pub description: String,
    /// 0 when there is no process.
    pub pid: i64,
    /// The struct as it came.
    pub value: Value,
}

impl ProcessInfo {
    /// Reads a struct; fails where the reference would not find a key.
    pub(crate) fn read(value: Value) -> Outcome<ProcessInfo> {
        Ok(ProcessInfo {
            group: text(&value, "group")?,
            name: text(&value, "name")?,
            state: number(&value, "state")?,
            statename: text(&value, "statename")?,
            description: text(&value, "description")?,
            pid: number(&value, "pid")?,
            value,
        })
    }

    /// Reads an array of structs.
    pub(crate) fn read_all(value: Value) -> Outcome<Vec<ProcessInfo>> {
        items(value)?.into_iter().map(ProcessInfo::read).collect()
    }

    /// The name as people write it: `name`, or `group:name`.
    pub(crate) fn namespec(&self) -> String {
        namespec::join(&self.group, &self.name)
    }

    /// Whether there is no process and none is coming by itself.
    pub(crate) fn is_stopped(&self) -> bool {
        ProcessState::ALL.iter().any(|state| state.code() == self.state && state.is_stopped())
    }
}

/// What became of one process of several, or the fault of a single one in the same form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionResult {
    /// The name as people write it.
    pub namespec: String,
    /// A fault code; `SUCCESS` when all went well.
    pub status: i64,
    /// The fault's text.
    pub description: String,
}

impl ActionResult {
    /// Reads the array a group method answers with.
    pub(crate) fn read_all(value: Value) -> Outcome<Vec<ActionResult>> {
        let read = |item: &Value| {
            let namespec = namespec::join(&text(item, "group")?, &text(item, "name")?);
            let (status, description) = (number(item, "status")?, text(item, "description")?);
            Ok(ActionResult { namespec, status, description })
        };
        items(value)?.iter().map(read).collect()
    }

    /// A fault as a result of the process it is about; other failures stay failures.
    pub(crate) fn from_fault(failure: Failure, name: &str) -> Outcome<ActionResult> {
        match failure {
            Failure::Fault { code, text } => {
                Ok(ActionResult { namespec: printed(name), status: code, description: text })
            }
            other => Err(other),
        }
    }
}

/// A name as results print it: the short form, and Python's `None` where a whole group is named.
pub(crate) fn printed(name: &str) -> String {
    let parts = namespec::split(name);
    namespec::join(parts.group, parts.process.unwrap_or("None"))
}

/// The items of an array.
pub(crate) fn items(value: Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        _ => {
            Err(Failure::other("TypeError", "the daemon answered with something else than a list"))
        }
    }
}

fn member<'a>(value: &'a Value, key: &str) -> Outcome<&'a Value> {
    value.member(key).ok_or_else(|| Failure::other("KeyError", format!("'{key}'")))
}

/// A member that is text.
pub(crate) fn text(value: &Value, key: &str) -> Outcome<String> {
    match member(value, key)? {
        Value::Str(text) => Ok(text.clone()),
        other => Ok(plain(other)),
    }
}

/// A member that is a number.
pub(crate) fn number(value: &Value, key: &str) -> Outcome<i64> {
    match member(value, key)? {
        Value::Int(number) => Ok(*number),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        _ => Err(Failure::other("TypeError", format!("'{key}' is not a number"))),
    }
}

/// Python's truth value of a member.
pub(crate) fn truth(value: &Value, key: &str) -> Outcome<bool> {
    member(value, key).map(Value::is_truthy)
}

/// `str(value)` of a simple value.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) | Value::DateTime(text) | Value::BigInt(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Nil => "None".to_string(),
        Value::Array(_) | Value::Struct(_) => crate::core::json::write(value),
    }
}
