//! `avail`, `reread`, `add`, `remove` and `update`: the configuration, and the groups that are active.

use std::collections::BTreeMap;

use crate::core::fault::FaultCode;
use crate::core::json;
use crate::core::namespec;
use crate::core::value::Value;
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::{ActionResult, ProcessInfo, items, number, plain, text, truth};
use crate::ctl::names;
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// What `avail --json` tells of a process, in this order, after its namespec.
const JSON_KEYS: [&str; 7] =
    ["group", "name", "inuse", "autostart", "group_prio", "process_prio", "command"];

/// The action `avail`.
pub(super) static AVAIL: Verb = Verb {
    name: "avail",
    usage: "[--json]",
    help: "avail\t\t\tDisplay all configured processes",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(avail),
};

/// Lists every configured process: in use or not, started automatically or not, the priorities of group and process.
fn avail(session: &mut Session, argument: &str) -> Outcome {
    let json = argument == "--json";
    if !argument.is_empty() && !json {
        AVAIL.misused(session, "Error: avail accepts no arguments");
        return Ok(());
    }
    let configs = match session.call("getAllConfigInfo", &[]) {
        Ok(configs) => items(configs)?,
        Err(failure) => return shutting_down(session, failure, "ERROR: supervisor shutting down"),
    };
    if json {
        let objects = configs.iter().map(json_object).collect::<Outcome<Vec<Value>>>()?;
        session.output(&json::write(&Value::Array(objects)));
        return Ok(());
    }
    let lines = configs.iter().map(config_line).collect::<Outcome<String>>()?;
    session.write(&lines);
    Ok(())
}

/// Says that the daemon is on its way out, if that is what the fault says.
fn shutting_down(session: &mut Session, failure: Failure, message: &str) -> Outcome {
    if !failure.is_fault(FaultCode::ShutdownState) {
        return Err(failure);
    }
    session.exit_status = exit::GENERIC;
    session.output(message);
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
    fn ask(session: &mut Session) -> Outcome<Changes> {
        let odd = || Failure::other("IndexError", "list index out of range");
        let result =
            items(session.call("reloadConfig", &[])?)?.into_iter().next().ok_or_else(odd)?;
        let mut lists = items(result)?.into_iter();
        let mut next = || {
            let list = items(lists.next().ok_or_else(odd)?)?;
            Ok::<_, Failure>(list.iter().map(plain).collect())
        };
        Ok(Changes { added: next()?, changed: next()?, removed: next()? })
    }
}

/// The action `reread`.
pub(super) static REREAD: Verb = Verb {
    name: "reread",
    usage: "",
    help: "reread \t\t\tReload the daemon's configuration files without add/remove",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(reread),
};

/// Has the daemon read its configuration files and tells what has changed in them.
fn reread(session: &mut Session, argument: &str) -> Outcome {
    if !argument.is_empty() {
        REREAD.misused(session, "Error: reread accepts no arguments");
        return Ok(());
    }
    let changes = match Changes::ask(session) {
        Ok(changes) => changes,
        Err(Failure::Fault { code, text }) if code == FaultCode::CantReread.code() => {
            session.exit_status = exit::GENERIC;
            session.output(&format!("ERROR: {text}"));
            return Ok(());
        }
        Err(failure) => return shutting_down(session, failure, "ERROR: supervisor shutting down"),
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
        session.output("No config updates to processes");
    }
    lines.iter().for_each(|(name, what)| session.output(&format!("{name}: {what}")));
    Ok(())
}

/// The action `add`.
pub(super) static ADD: Verb = Verb {
    name: "add",
    usage: "GROUP...",
    help: "add <name> [...]\tActivates any updates in config for process/group",
    shown: Shown::InList,
    completes: Completes::Groups,
    does: Does::Run(add),
};

/// Activates groups of the configuration.
fn add(session: &mut Session, argument: &str) -> Outcome {
    for name in names::words(argument) {
        let Err(failure) = session.call("addProcessGroup", &[Value::from(name.as_str())]) else {
            session.output(&format!("{name}: added process group"));
            continue;
        };
        let (message, status) = if failure.is_fault(FaultCode::ShutdownState) {
            ("ERROR: shutting down".to_string(), exit::GENERIC)
        } else if failure.is_fault(FaultCode::AlreadyAdded) {
            ("ERROR: process group already active".to_string(), session.exit_status)
        } else if failure.is_fault(FaultCode::BadName) {
            (format!("ERROR: no such process/group: {name}"), exit::GENERIC)
        } else {
            return Err(failure);
        };
        session.output(&message);
        session.exit_status = status;
    }
    Ok(())
}

/// The action `remove`.
pub(super) static REMOVE: Verb = Verb {
    name: "remove",
    usage: "GROUP...",
    help: "remove <name> [...]\tRemoves process/group from active config",
    shown: Shown::InList,
    completes: Completes::Groups,
    does: Does::Run(remove),
};

/// Takes groups whose processes are stopped out of use.
fn remove(session: &mut Session, argument: &str) -> Outcome {
    for name in names::words(argument) {
        let Err(failure) = session.call("removeProcessGroup", &[Value::from(name.as_str())]) else {
            session.output(&format!("{name}: removed process group"));
            continue;
        };
        let message = if failure.is_fault(FaultCode::StillRunning) {
            format!("ERROR: process/group still running: {name}")
        } else if failure.is_fault(FaultCode::BadName) {
            format!("ERROR: no such process/group: {name}")
        } else {
            return Err(failure);
        };
        session.output(&message);
        session.exit_status = exit::GENERIC;
    }
    Ok(())
}

/// The action `update`.
pub(super) static UPDATE: Verb = Verb {
    name: "update",
    usage: "[GROUP...|all]",
    help: "update\t\t\tReload config and add/remove as necessary, and will restart affected programs\n\
           update all\t\tReload config and add/remove as necessary, and will restart affected programs\n\
           update <gname> [...]\tUpdate specific groups",
    shown: Shown::InList,
    completes: Completes::Groups,
    does: Does::Run(update),
};

/// Has the daemon read its configuration and makes the active groups what it says: all of them, or those named.
fn update(session: &mut Session, argument: &str) -> Outcome {
    let changes = match Changes::ask(session) {
        Ok(changes) => changes,
        Err(failure) => return shutting_down(session, failure, "ERROR: already shutting down"),
    };
    let mut wanted = names::words(argument);
    if wanted.iter().any(|name| name == "all") {
        wanted.clear();
    }
    if !wanted.is_empty() {
        check_groups(session, &mut wanted, &changes)?;
    }
    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(name);
    for group in changes.removed.iter().filter(is_wanted) {
        drop_group(session, group)?;
    }
    for group in changes.changed.iter().filter(is_wanted) {
        let name = [Value::from(group.as_str())];
        session.call("stopProcessGroup", &name)?;
        session.output(&format!("{group}: stopped"));
        session.call("removeProcessGroup", &name)?;
        session.call("addProcessGroup", &name)?;
        session.output(&format!("{group}: updated process group"));
    }
    for group in changes.added.iter().filter(is_wanted) {
        session.call("addProcessGroup", &[Value::from(group.as_str())])?;
        session.output(&format!("{group}: added process group"));
    }
    Ok(())
}

/// Complains about each name that is no group, neither an active nor a new one.
fn check_groups(session: &mut Session, wanted: &mut Vec<String>, changes: &Changes) -> Outcome {
    let active = ProcessInfo::read_all(session.call("getAllProcessInfo", &[])?)?;
    wanted.sort();
    wanted.dedup();
    for name in wanted {
        let known = changes.added.contains(name) || active.iter().any(|info| info.group == *name);
        if !known {
            session.output(&format!("ERROR: no such group: {name}"));
            session.exit_status = exit::GENERIC;
        }
    }
    Ok(())
}

/// Stops a group that has left the configuration and removes it, unless something of it cannot be stopped.
fn drop_group(session: &mut Session, group: &str) -> Outcome {
    let name = [Value::from(group)];
    let results = ActionResult::read_all(session.call("stopProcessGroup", &name)?)?;
    session.output(&format!("{group}: stopped"));
    if results.iter().any(|result| result.status == FaultCode::Failed.code()) {
        session.output(&format!("{group}: has problems; not removing"));
        session.exit_status = exit::GENERIC;
        return Ok(());
    }
    session.call("removeProcessGroup", &name)?;
    session.output(&format!("{group}: removed process group"));
    Ok(())
}
