//! Starting, stopping, signalling and describing processes.

use super::batch::{Batch, Operation};
use super::wait::{Answer, DONE};
use super::{params, single};
use crate::core::effect::{ProcId, StdinError};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::ProcessInfo;
use crate::core::namespec;
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::supervisor::Supervisor;
use crate::core::text;
use crate::core::value::Value;

/// What a namespec turned out to name.
pub(super) enum Target {
    /// One process.
    Process(ProcId),
    /// Every process of a group, in starting order.
    Group(Vec<ProcId>),
}

/// Finds what a namespec names.
pub(super) fn find(supervisor: &Supervisor, name: &str) -> Result<Target, Fault> {
    let bad_name = || Fault::new(FaultCode::BadName, name);
    let spec = namespec::split(name);
    match spec.process {
        None => {
            let group = supervisor.roster.group_named(spec.group).ok_or_else(bad_name)?;
            Ok(Target::Group(supervisor.roster.by_priority(group)))
        }
        Some(process) => {
            let process = supervisor.find(spec.group, process).ok_or_else(bad_name)?;
            Ok(Target::Process(process.id()))
        }
    }
}

/// Finds one process; a whole group is BAD_NAME.
pub(super) fn find_one<'a>(supervisor: &'a Supervisor, name: &str) -> Result<&'a Process, Fault> {
    supervisor.process_named(name).ok_or_else(|| Fault::new(FaultCode::BadName, name))
}

/// The processes of a group named by its plain name, in starting order.
fn find_group(supervisor: &Supervisor, name: &Value) -> Result<Vec<ProcId>, Fault> {
    let roster = &supervisor.roster;
    let name = params::group_name(name)?;
    let group = roster.group_named(name).ok_or_else(|| Fault::new(FaultCode::BadName, name))?;
    Ok(roster.by_priority(group))
}

pub(super) fn start_process(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let (name, wait) = (params::text(&args[0])?, params::wait(args, 1));
    match find(supervisor, name)? {
        Target::Process(id) => single::start_one(supervisor, outside, id, name, wait),
        Target::Group(members) => Ok(Batch::answer(Operation::Start { wait }, members)),
    }
}

pub(super) fn start_process_group(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let members = find_group(supervisor, &args[0])?;
    Ok(Batch::answer(Operation::Start { wait: params::wait(args, 1) }, members))
}

pub(super) fn start_all_processes(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let wait = params::wait(args, 0);
    Ok(Batch::answer(Operation::Start { wait }, supervisor.roster.all_by_priority()))
}

pub(super) fn stop_process(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let (name, wait) = (params::text(&args[0])?, params::wait(args, 1));
    match find(supervisor, name)? {
        Target::Process(id) => single::stop_one(supervisor, outside, id, name, wait),
        Target::Group(members) => Ok(Batch::answer(Operation::Stop { wait }, members)),
    }
}

pub(super) fn stop_process_group(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let members = find_group(supervisor, &args[0])?;
    Ok(Batch::answer(Operation::Stop { wait: params::wait(args, 1) }, members))
}

pub(super) fn stop_all_processes(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let wait = params::wait(args, 0);
    Ok(Batch::answer(Operation::Stop { wait }, supervisor.roster.all_by_priority()))
}

pub(super) fn signal_process(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::text(&args[0])?;
    match find(supervisor, name)? {
        Target::Process(id) => single::signal_one(supervisor, outside, id, name, &args[1]),
        Target::Group(members) => Ok(Batch::answer(Operation::Signal(args[1].clone()), members)),
    }
}

pub(super) fn signal_process_group(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let members = find_group(supervisor, &args[0])?;
    Ok(Batch::answer(Operation::Signal(args[1].clone()), members))
}

pub(super) fn signal_all_processes(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    Ok(Batch::answer(Operation::Signal(args[0].clone()), supervisor.roster.all_by_priority()))
}

pub(super) fn send_process_stdin(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let Value::Str(chars) = &args[1] else {
        return Err(params::quoted(FaultCode::IncorrectParameters, &args[1]));
    };
    let name = params::text(&args[0])?;
    let process = find_one(supervisor, name)?;
    if process.pid().is_none() || process.is_killing() {
        return Err(Fault::new(FaultCode::NotRunning, name));
    }
    match outside.host.write_stdin(process.id(), &text::encode(chars)) {
        Ok(()) => Ok(DONE),
        Err(StdinError::Closed) => Err(Fault::new(FaultCode::NoFile, name)),
        Err(StdinError::Full) => {
            let text = format!("{name} does not read its stdin and the buffer is full");
            Err(Fault::new(FaultCode::Failed, text))
        }
    }
}

pub(super) fn get_process_info(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let process = find_one(supervisor, params::text(&args[0])?)?;
    Ok(Answer::Value(ProcessInfo::of(process, outside.now).into_value()))
}

pub(super) fn get_all_process_info(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let infos = supervisor.infos(outside.now).map(ProcessInfo::into_value);
    Ok(Answer::Value(Value::Array(infos.collect())))
}
