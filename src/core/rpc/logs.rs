//! Reading and clearing logs. The files are read by the shell; here is decided which, and who may.

use super::batch::{Batch, Operation};
use super::process::find_one;
use super::wait::{Answer, Wait, job};
use super::{params, single};
use crate::core::config::ChannelConfig;
use crate::core::effect::Job;
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::log_path;
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

fn stdout(process: &Process) -> &ChannelConfig {
    &process.config().stdout
}

fn stderr(process: &Process) -> &ChannelConfig {
    &process.config().stderr
}

/// Path of the log a client asks for, if that channel has one.
fn find_log(
    supervisor: &Supervisor,
    name: &Value,
    channel: fn(&Process) -> &ChannelConfig,
) -> Result<Option<String>, Fault> {
    let name = params::text(name)?;
    let id = find_one(supervisor, name)?;
    let process = supervisor.process(id);
    Ok(process.and_then(|process| log_path(channel(process))).map(str::to_string))
}

pub(super) fn read_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let path = supervisor.settings().logfile.clone();
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
    channel: fn(&Process) -> &ChannelConfig,
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
    read_process_log(supervisor, outside, args, stdout)
}

pub(super) fn read_stderr_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    read_process_log(supervisor, outside, args, stderr)
}

fn tail_process_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
    channel: fn(&Process) -> &ChannelConfig,
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
    tail_process_log(supervisor, outside, args, stdout)
}

pub(super) fn tail_stderr_log(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    tail_process_log(supervisor, outside, args, stderr)
}

pub(super) fn clear_process_logs(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::text(&args[0])?;
    let id = find_one(supervisor, name)?;
    Ok(single::clear_one(supervisor, outside, id, name))
}

pub(super) fn clear_all_process_logs(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let processes = supervisor.roster.all_by_priority();
    Ok(Answer::Wait(Wait::Batch(Batch::new(Operation::ClearLogs, processes))))
}
