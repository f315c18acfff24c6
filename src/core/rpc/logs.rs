//! Reading and clearing logs. The files are read by the shell; here is decided which, and who may.

use super::batch::{Batch, Operation};
use super::process::{Target, find, find_one};
use super::wait::{Answer, Wait, job};
use super::{params, single};
use crate::core::effect::{Effect, Job};
use crate::core::event::Channel;
use crate::core::fault::{Fault, FaultCode};
use crate::core::logs::NoLog;
use crate::core::outside::Outside;
use crate::core::states::Level;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// The name of the main log among results.
const MAIN_LOG: &str = "supervisord";

/// Path of the log a client asks for, if that channel has one.
fn find_log(
    supervisor: &Supervisor,
    name: &Value,
    channel: Channel,
) -> Result<Option<String>, Fault> {
    let name = params::text(name)?;
    match supervisor.process_log(name, channel) {
        Ok(path) => Ok(Some(path.to_string())),
        Err(NoLog::NoFile) => Ok(None),
        Err(NoLog::NoProcess) => Err(Fault::new(FaultCode::BadName, name)),
    }
}

pub(super) fn read_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let path = supervisor.main_log().to_string();
    let (offset, length) = (params::int(&args[0])?, params::int(&args[1])?);
    Ok(job(supervisor, outside, Job::ReadLog { path, offset, length }))
}

pub(super) fn clear_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(job(supervisor, outside, Job::ClearMainLog))
}

fn read_process_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
    channel: Channel,
) -> Result<Answer, Fault> {
    let path = find_log(supervisor, &args[0], channel)?.ok_or(Fault::bare(FaultCode::NoFile))?;
    let (offset, length) = (params::int(&args[1])?, params::int(&args[2])?);
    Ok(job(supervisor, outside, Job::ReadLog { path, offset, length }))
}

pub(super) fn read_stdout_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    read_process_log(supervisor, outside, args, Channel::Stdout)
}

pub(super) fn read_stderr_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    read_process_log(supervisor, outside, args, Channel::Stderr)
}

fn tail_process_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
    channel: Channel,
) -> Result<Answer, Fault> {
    let Some(path) = find_log(supervisor, &args[0], channel)? else {
        let nothing = vec![Value::str(""), Value::Int(0), Value::Bool(false)];
        return Ok(Answer::Value(Value::Array(nothing)));
    };
    let (offset, length) = (params::int(&args[1])?, params::int(&args[2])?);
    Ok(job(supervisor, outside, Job::TailLog { path, offset, length }))
}

pub(super) fn tail_stdout_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    tail_process_log(supervisor, outside, args, Channel::Stdout)
}

pub(super) fn tail_stderr_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    tail_process_log(supervisor, outside, args, Channel::Stderr)
}

pub(super) fn clear_process_logs(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::text(&args[0])?;
    let id = find_one(supervisor, name)?.id();
    Ok(single::clear_one(supervisor, outside, id, name.to_string()))
}

pub(super) fn clear_all_process_logs(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let processes = supervisor.roster.all_by_priority();
    Ok(Batch::answer(Operation::ClearLogs, processes))
}

/// Reopens the logs of a process or of a group; without a name those of all and the main log, as SIGUSR2 does. Answers
/// one status per process, and before them one of the main log. BAD_NAME.
pub(super) fn reopen_logs(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let Some(name) = args.first() else { return Ok(reopen_all(supervisor, outside)) };
    let processes = match find(supervisor, params::text(name)?)? {
        Target::Process(id) => vec![id],
        Target::Group(members) => members,
    };
    Ok(Batch::answer(Operation::ReopenLogs, processes))
}

fn reopen_all(supervisor: &mut Supervisor, outside: &mut Outside<'_>) -> Answer {
    outside.log(Level::Info, "supervisord logreopen");
    let main_log = supervisor.new_job();
    let work = Job::ReopenMainLog { name: MAIN_LOG.to_string() };
    outside.effect(Effect::Job { job: main_log, work });
    let processes = supervisor.roster.all_by_priority();
    let batch = Batch::new(Operation::ReopenLogs, processes);
    Answer::Wait(Wait::Batch(batch.after(MAIN_LOG, main_log)))
}
