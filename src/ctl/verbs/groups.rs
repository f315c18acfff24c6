//! `avail`, `reread`, `add`, `remove` and `update`: the configuration, and the groups that are active.

use std::collections::BTreeMap;

use crate::core::fault::FaultCode;
use crate::core::json;
use crate::core::namespec;
use crate::core::value::Value;
use crate::ctl::controller::{Controller, exit};
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::{ActionResult, ProcessInfo, items, number, plain, text, truth};
use crate::ctl::names;

/// What `avail --json` tells of a process, in this order, after its namespec.
const JSON_KEYS: [&str; 7] =
    ["group", "name", "inuse", "autostart", "group_prio", "process_prio", "command"];

/// Lists every configured process: in use or not, started automatically or not, the priorities of group and process.
pub fn avail(ctl: &mut Controller, argument: &str) -> Outcome {
    let json = argument == "--json";
    if !argument.is_empty() && !json {
        ctl.misused("avail", "Error: avail accepts no arguments");
        return Ok(());
    }
    let configs = match ctl.call("getAllConfigInfo", &[]) {
        Ok(configs) => items(configs)?,
        Err(failure) => return shutting_down(ctl, failure, "ERROR: supervisor shutting down"),
    };
    if json {
        let objects = configs.iter().map(json_object).collect::<Outcome<Vec<Value>>>()?;
        ctl.output(&json::write(&Value::Array(objects)));
        return Ok(());
    }
    let lines = configs.iter().map(config_line).collect::<Outcome<String>>()?;
    ctl.write(&lines);
    Ok(())
}

/// Says that the daemon is on its way out, if that is what the fault says.
fn shutting_down(ctl: &mut Controller, failure: Failure, message: &str) -> Outcome {
    if !failure.is_fault(FaultCode::ShutdownState) {
        return Err(failure);
    }
    ctl.exit_status = exit::GENERIC;
    ctl.output(message);
    Ok(())
}

fn config_line(config: &Value) -> Outcome<String> {
    let name = namespec::join(&text(config, "group")?, &text(config, "name")?);
    let inuse = if truth(config, "inuse")? { "in use" } else { "avail" };
    let autostart = if truth(config, "autostart")? { "auto" } else { "manual" };
    let priorities = (number(config, "group_prio")?, number(config, "process_prio")?);
    Ok(format!("{name:<32} {inuse:<9} {autostart:<9} {}:{}\n", priorities.0, priorities.1))
}

fn json_object(config: &Value) -> Outcome<Value> {
    let name = namespec::join(&text(config, "group")?, &text(config, "name")?);
    let mut members = vec![("namespec".to_string(), Value::Str(name))];
    members.extend(json::select(config, &JSON_KEYS));
    Ok(Value::Struct(members))
}

/// What a reread found.
struct Changes {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

impl Changes {
    /// Has the daemon read its configuration.
    fn ask(ctl: &mut Controller) -> Outcome<Changes> {
        let odd = || Failure::other("IndexError", "list index out of range");
        let result = items(ctl.call("reloadConfig", &[])?)?.into_iter().next().ok_or_else(odd)?;
        let mut lists = items(result)?.into_iter();
        let mut next = || {
            let list = items(lists.next().ok_or_else(odd)?)?;
            Ok::<_, Failure>(list.iter().map(plain).collect())
        };
        Ok(Changes { added: next()?, changed: next()?, removed: next()? })
    }
}

/// Has the daemon read its configuration files and tells what has changed in them.
pub fn reread(ctl: &mut Controller, argument: &str) -> Outcome {
    if !argument.is_empty() {
        ctl.misused("reread", "Error: reread accepts no arguments");
        return Ok(());
    }
    let changes = match Changes::ask(ctl) {
        Ok(changes) => changes,
        Err(Failure::Fault { code, text }) if code == FaultCode::CantReread.code() => {
            ctl.exit_status = exit::GENERIC;
            ctl.output(&format!("ERROR: {text}"));
            return Ok(());
        }
        Err(failure) => return shutting_down(ctl, failure, "ERROR: supervisor shutting down"),
    };
    let mut lines: BTreeMap<String, &str> = BTreeMap::new();
    for (names, what) in [
        (changes.added, "available"),
        (changes.changed, "changed"),
        (changes.removed, "disappeared"),
    ] {
        lines.extend(names.into_iter().map(|name| (name, what)));
    }
    if lines.is_empty() {
        ctl.output("No config updates to processes");
    }
    lines.iter().for_each(|(name, what)| ctl.output(&format!("{name}: {what}")));
    Ok(())
}

/// Activates groups of the configuration.
pub fn add(ctl: &mut Controller, argument: &str) -> Outcome {
    for name in names::words(argument) {
        let Err(failure) = ctl.call("addProcessGroup", &[Value::from(name.as_str())]) else {
            ctl.output(&format!("{name}: added process group"));
            continue;
        };
        let (message, status) = if failure.is_fault(FaultCode::ShutdownState) {
            ("ERROR: shutting down".to_string(), exit::GENERIC)
        } else if failure.is_fault(FaultCode::AlreadyAdded) {
            ("ERROR: process group already active".to_string(), ctl.exit_status)
        } else if failure.is_fault(FaultCode::BadName) {
            (format!("ERROR: no such process/group: {name}"), exit::GENERIC)
        } else {
            return Err(failure);
        };
        ctl.output(&message);
        ctl.exit_status = status;
    }
    Ok(())
}

/// Takes groups whose processes are stopped out of use.
pub fn remove(ctl: &mut Controller, argument: &str) -> Outcome {
    for name in names::words(argument) {
        let Err(failure) = ctl.call("removeProcessGroup", &[Value::from(name.as_str())]) else {
            ctl.output(&format!("{name}: removed process group"));
            continue;
        };
        let message = if failure.is_fault(FaultCode::StillRunning) {
            format!("ERROR: process/group still running: {name}")
        } else if failure.is_fault(FaultCode::BadName) {
            format!("ERROR: no such process/group: {name}")
        } else {
            return Err(failure);
        };
        ctl.output(&message);
        ctl.exit_status = exit::GENERIC;
    }
    Ok(())
}

/// Has the daemon read its configuration and makes the active groups what it says: all of them, or those named.
pub fn update(ctl: &mut Controller, argument: &str) -> Outcome {
    let changes = match Changes::ask(ctl) {
        Ok(changes) => changes,
        Err(failure) => return shutting_down(ctl, failure, "ERROR: already shutting down"),
    };
    let mut wanted = names::words(argument);
    if wanted.iter().any(|name| name == "all") {
        wanted.clear();
    }
    if !wanted.is_empty() {
        check_groups(ctl, &mut wanted, &changes)?;
    }
    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(name);
    for group in changes.removed.iter().filter(is_wanted) {
        drop_group(ctl, group)?;
    }
    for group in changes.changed.iter().filter(is_wanted) {
        let name = [Value::from(group.as_str())];
        ctl.call("stopProcessGroup", &name)?;
        ctl.output(&format!("{group}: stopped"));
        ctl.call("removeProcessGroup", &name)?;
        ctl.call("addProcessGroup", &name)?;
        ctl.output(&format!("{group}: updated process group"));
    }
    for group in changes.added.iter().filter(is_wanted) {
        ctl.call("addProcessGroup", &[Value::from(group.as_str())])?;
        ctl.output(&format!("{group}: added process group"));
    }
    Ok(())
}

/// Complains about each name that is no group, neither an active nor a new one.
fn check_groups(ctl: &mut Controller, wanted: &mut Vec<String>, changes: &Changes) -> Outcome {
    let active = ProcessInfo::read_all(ctl.call("getAllProcessInfo", &[])?)?;
    wanted.sort();
    wanted.dedup();
    for name in wanted {
        let known = changes.added.contains(name) || active.iter().any(|info| info.group == *name);
        if !known {
            ctl.output(&format!("ERROR: no such group: {name}"));
            ctl.exit_status = exit::GENERIC;
        }
    }
    Ok(())
}

/// Stops a group that has left the configuration and removes it, unless something of it cannot be stopped.
fn drop_group(ctl: &mut Controller, group: &str) -> Outcome {
    let name = [Value::from(group)];
    let results = ActionResult::read_all(ctl.call("stopProcessGroup", &name)?)?;
    ctl.output(&format!("{group}: stopped"));
    if results.iter().any(|result| result.status == FaultCode::Failed.code()) {
        ctl.output(&format!("{group}: has problems; not removing"));
        ctl.exit_status = exit::GENERIC;
        return Ok(());
    }
    ctl.call("removeProcessGroup", &name)?;
    ctl.output(&format!("{group}: removed process group"));
    Ok(())
}
