//! The methods that only the process of the plugins may call.

use super::methods::{Method, Namespace, Param};
use super::params;
use super::wait::{Answer, DONE, job};
use super::weight::Size;
use crate::core::config::{GroupConfig, GroupKind, ProcessConfig};
use crate::core::effect::Job;
use crate::core::event::EVENT_TYPES;
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::{ProcessInfo, config_info, record};
use crate::core::outside::Outside;
use crate::core::plugins::{PluginMethod, Published};
use crate::core::process::Process;
use crate::core::roster::Group;
use crate::core::states::Level;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

const fn param(kind: &'static str, name: &'static str, about: &'static str) -> Param {
    Param { kind, name, about }
}

const GROUP: Param = param("string", "group", "name of an active group");
const PROCESS: Param = param("string", "name", "name of one of its processes");
const SECTION: Param = param("string", "section", "name of a section");
const OPTIONS: Param = param("struct", "options", "options of the section and their values");

/// A method that the helper may call, in a shutdown too.
const fn private(
    name: &'static str,
    params: &'static [Param],
    handler: fn(&mut Supervisor, &mut Outside<'_>, &[Value]) -> Result<Answer, Fault>,
) -> Method {
    Method {
        namespace: Namespace::Own,
        name,
        params,
        required: params.len(),
        returns: "struct",
        about: "For plugins.",
        during_shutdown: true,
        size: Size::Small,
        handler,
    }
}

/// What the helper asks for besides the methods that all have. Nobody else finds these.
static PRIVATE: &[Method] = &[
    private("publish", &[param("array", "servers", "what each publishes")], publish),
    private("snapshot", &[], snapshot),
    private("groups", &[], groups),
    private("process", &[GROUP, PROCESS], process),
    private("log", &[param("string", "level", "its name"), param("string", "text", "")], log),
    private("subscribe", &[param("array", "types", "all that are watched")], subscribe),
    private("readProgram", &[SECTION, OPTIONS, GROUP], read_program),
    private("addProcess", &[SECTION, OPTIONS, GROUP, PROCESS], add_process),
    private("removeProcess", &[GROUP, PROCESS], remove_process),
];

/// The method of a name that the helper alone may call.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    PRIVATE.iter().find(|method| method.name == name)
}

fn incorrect() -> Fault {
    Fault::bare(FaultCode::IncorrectParameters)
}

fn array(value: &Value) -> Result<&[Value], Fault> {
    let Value::Array(items) = value else {
        return Err(incorrect());
    };
    Ok(items)
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value, Fault> {
    value.member(name).ok_or_else(incorrect)
}

fn texts(value: &Value) -> Result<Vec<String>, Fault> {
    array(value)?.iter().map(|text| params::text(text).map(str::to_string)).collect()
}

fn publish(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let method = |value: &Value| {
        Ok(PluginMethod {
            name: params::text(member(value, "name")?)?.to_string(),
            help: params::text(member(value, "help")?)?.to_string(),
            signature: value.member("signature").map(texts).transpose()?,
        })
    };
    let namespace = |value: &Value| {
        let methods = array(member(value, "methods")?)?.iter().map(method);
        let methods = methods.collect::<Result<_, Fault>>()?;
        Ok(Published { name: params::text(member(value, "name")?)?.to_string(), methods })
    };
    let server = |value: &Value| array(value)?.iter().map(namespace).collect::<Result<_, Fault>>();
    let servers = array(&args[0])?.iter().map(server).collect::<Result<_, Fault>>()?;
    supervisor.plugins.publish(servers);
    Ok(DONE)
}

/// The supervisor and the settings that plugins read, under the names that `options` has in the reference.
fn snapshot(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let settings = supervisor.settings();
    Ok(Answer::Value(record([
        ("mood", Value::Int(supervisor.mood().code())),
        ("pid", Value::Int(i64::from(supervisor.pid))),
        ("identifier", Value::str(&settings.identifier)),
        ("configfile", Value::str(&settings.configfile)),
        ("here", Value::str(&settings.here)),
        ("logfile", Value::str(&settings.logfile)),
        ("pidfile", Value::str(&settings.pidfile)),
        ("childlogdir", Value::str(&settings.childlogdir)),
        ("serverurl", settings.serverurl.clone().map_or(Value::Nil, Value::Str)),
        ("nodaemon", Value::Bool(settings.nodaemon)),
        ("silent", Value::Bool(settings.silent)),
        ("nocleanup", Value::Bool(settings.nocleanup)),
        ("strip_ansi", Value::Bool(settings.strip_ansi)),
        ("minfds", Value::capped_int(settings.minfds)),
        ("minprocs", Value::capped_int(settings.minprocs)),
        ("umask", Value::Int(i64::from(settings.umask))),
    ])))
}

fn groups(supervisor: &mut Supervisor, _: &mut Outside<'_>, _: &[Value]) -> Result<Answer, Fault> {
    let group = |(id, group): (_, &Group)| {
        let members = supervisor.roster.members(id);
        record([
            ("name", Value::str(&group.config.name)),
            ("priority", Value::Int(group.config.priority)),
            (
                "processes",
                Value::Array(members.map(|process| Value::str(&process.config().name)).collect()),
            ),
        ])
    };
    Ok(Answer::Value(Value::Array(supervisor.roster.groups().map(group).collect())))
}

fn found<'a>(
    supervisor: &'a Supervisor,
    group: &Value,
    name: &Value,
) -> Result<&'a Process, Fault> {
    let (group, name) = (params::text(group)?, params::text(name)?);
    supervisor.find(group, name).ok_or_else(|| Fault::new(FaultCode::BadName, name))
}

/// A process as it is now, with its configuration under the names of its options.
fn process(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let process = found(supervisor, &args[0], &args[1])?;
    let exit_status = process.exit_status().map_or(Value::Nil, Value::capped_int);
    Ok(Answer::Value(record([
        ("info", ProcessInfo::of(process, outside.now).into_value()),
        ("exitstatus", exit_status),
        ("config", config_info(process.group_config(), process.config(), true)),
    ])))
}

fn log(_: &mut Supervisor, outside: &mut Outside<'_>, args: &[Value]) -> Result<Answer, Fault> {
    let level = Level::from_config(params::text(&args[0])?).ok_or_else(incorrect)?;
    outside.log(level, params::text(&args[1])?);
    Ok(DONE)
}

fn subscribe(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let mut types = texts(&args[0])?;
    types.retain(|name| EVENT_TYPES.contains(&name.as_str()));
    supervisor.plugins.watch(types);
    supervisor.watch_ticks();
    Ok(DONE)
}

/// What a section of a program means, as `getAllConfigInfo` tells it.
fn read_program(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let work = program(&args[..3], None)?;
    Ok(job(supervisor, outside, work))
}

/// Adds one process of such a section to an active group, as the reference's
/// `group.processes[name] = config.make_process(group)`.
fn add_process(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let (group, name) = (params::text(&args[2])?, params::text(&args[3])?);
    supervisor.roster.group_named(group).ok_or_else(|| Fault::new(FaultCode::BadName, group))?;
    if supervisor.find(group, name).is_some() {
        return Err(Fault::new(FaultCode::AlreadyAdded, name));
    }
    let work = program(&args[..3], Some(name))?;
    Ok(job(supervisor, outside, work))
}

fn program(args: &[Value], add: Option<&str>) -> Result<Job, Fault> {
    let Value::Struct(members) = &args[1] else {
        return Err(incorrect());
    };
    let option =
        |(name, value): &(String, Value)| Ok((name.clone(), params::text(value)?.to_string()));
    Ok(Job::ReadProgram {
        section: params::text(&args[0])?.to_string(),
        options: members.iter().map(option).collect::<Result<_, Fault>>()?,
        group: params::text(&args[2])?.to_string(),
        add: add.map(str::to_string),
    })
}

/// The section of a program was read: it is told, or one of its processes becomes one of an active group.
pub(super) fn take_program(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    processes: Result<Vec<ProcessConfig>, String>,
    group: &str,
    add: Option<&str>,
) -> Result<Value, Fault> {
    let processes = processes.map_err(|why| Fault::new(FaultCode::IncorrectParameters, why))?;
    let Some(name) = add else {
        let named = GroupConfig {
            name: group.to_string(),
            priority: 0,
            processes: Vec::new(),
            kind: GroupKind::Plain,
        };
        let told = processes.iter().map(|process| config_info(&named, process, false));
        return Ok(Value::Array(told.collect()));
    };
    let bad_name = |name| Fault::new(FaultCode::BadName, name);
    let id = supervisor.roster.group_named(group).ok_or_else(|| bad_name(group))?;
    if supervisor.find(group, name).is_some() {
        return Err(Fault::new(FaultCode::AlreadyAdded, name));
    }
    let config = processes.into_iter().find(|process| process.name == name);
    let config = config.ok_or_else(|| bad_name(name))?;
    let added = supervisor.add_process(id, config, outside);
    let only = "processes are added to groups of programs only";
    added.map(|_| Value::Bool(true)).ok_or_else(|| Fault::new(FaultCode::Failed, only))
}

fn remove_process(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let process = found(supervisor, &args[0], &args[1])?;
    let (id, name) = (process.id(), process.config().name.clone());
    if supervisor.remove_process(id) {
        Ok(DONE)
    } else {
        Err(Fault::new(FaultCode::StillRunning, name))
    }
}
