//! What the JSON says of the daemon and its processes; the README documents the members.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::SUPERVISOR_VERSION;
use crate::core::info::{ProcessInfo, record};
use crate::core::overview::Overview;
use crate::core::value::Value;
use crate::daemon::usage::Usage;
use crate::sys::clock::wall_millis;

/// The daemon itself.
pub(super) fn supervisor(overview: &Overview) -> Value {
    supervisor_at(overview, millis(overview))
}

/// The same, for those who hear of it later.
pub(super) fn supervisor_at(overview: &Overview, now: Value) -> Value {
    record([
        ("identifier", Value::str(&overview.about.identifier)),
        ("pid", Value::Int(i64::from(overview.pid))),
        ("version", Value::str(SUPERVISOR_VERSION)),
        ("statecode", Value::Int(overview.about.mood.code())),
        ("statename", Value::str(overview.about.mood.name())),
        ("now", now),
    ])
}

/// When it was looked, in milliseconds since the Unix epoch.
fn millis(overview: &Overview) -> Value {
    Value::Int(i64::try_from(overview.now_millis).unwrap_or(i64::MAX))
}

/// This moment, likewise.
pub(super) fn now() -> Value {
    Value::Int(wall_millis())
}

/// A process: everything `getProcessInfo` answers between its namespec and what only we tell.
pub(super) fn process(info: ProcessInfo, usage: Option<&Usage>) -> Value {
    let number = |number: Option<u64>| {
        number.map_or(Value::Nil, |number| Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
    };
    let exit_code = info.exit_status;
    let mut members = vec![("namespec".to_string(), Value::Str(info.namespec()))];
    if let Value::Struct(rest) = info.into_value() {
        members.extend(rest);
    }
    members.extend([
        // Where `exitstatus` is 0, too, while nothing is known.
        ("exit_code".to_string(), exit_code.map_or(Value::Nil, Value::Int)),
        ("cpu_millis".to_string(), number(usage.map(|usage| usage.cpu_millis))),
        ("memory_bytes".to_string(), number(usage.map(|usage| usage.memory_bytes))),
        ("measured".to_string(), usage.map_or(Value::Nil, |usage| Value::Int(usage.measured))),
    ]);
    Value::Struct(members)
}

/// Stands for everything about a process that does not just grow older.
pub(super) fn fingerprint(info: &ProcessInfo) -> u64 {
    let ProcessInfo {
        group,
        name,
        state,
        description: _, // follows from the others
        pid,
        start_secs,
        stop_secs,
        now_secs: _,
        exit_status,
        spawn_error,
        stdout_logfile,
        stderr_logfile,
    } = info;
    let mut hasher = DefaultHasher::new();
    (group, name, state, pid, start_secs, stop_secs).hash(&mut hasher);
    (exit_status, spawn_error, stdout_logfile, stderr_logfile).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::states::ProcessState;

    fn info() -> ProcessInfo {
        ProcessInfo {
            group: "g".to_string(),
            name: "n".to_string(),
            state: ProcessState::Starting,
            description: String::new(),
            pid: Some(7),
            start_secs: 1,
            stop_secs: 2,
            now_secs: 3,
            exit_status: None,
            spawn_error: String::new(),
            stdout_logfile: None,
            stderr_logfile: None,
        }
    }

    #[test]
    fn everything_but_age_makes_a_difference() {
        let print = fingerprint(&info());
        let changes: [fn(&mut ProcessInfo); 10] = [
            |info| info.group = "x".to_string(),
            |info| info.name = "x".to_string(),
            |info| info.state = ProcessState::Running,
            |info| info.pid = Some(8),
            |info| info.start_secs = 9,
            |info| info.stop_secs = 9,
            |info| info.exit_status = Some(0),
            |info| info.spawn_error = "x".to_string(),
            |info| info.stdout_logfile = Some("x".to_string()),
            |info| info.stderr_logfile = Some("x".to_string()),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut other = info();
            change(&mut other);
            assert_ne!(fingerprint(&other), print, "change {index}");
        }
        let mut older = info();
        older.now_secs = 99;
        older.description = "pid 7, uptime 0:01:30".to_string();
        assert_eq!(fingerprint(&older), print);
    }
}
