//! Reading and clearing logs. The files are read by the shell; here is decided which, and who may.

use super::batch::{Batch, Operation};
use super::pending::Wait;
use super::process::{Target, find, find_one};
use super::{Answer, Context, DONE, params};
use crate::core::config::ChannelConfig;
use crate::core::effect::{Effect, Job, ProcId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::log_path;
use crate::core::process::Process;
use crate::core::states::Level;
use crate::core::value::Value;

/// The name of the main log among results.
const MAIN_LOG: &str = "supervisord";

fn job(context: &mut Context<'_>, work: Job) -> Answer {
    let job = context.supervisor.new_job();
    context.supervisor.effects.push_back(Effect::Job { job, work });
    Answer::Wait(Wait::job(job))
}

fn stdout(process: &Process) -> &ChannelConfig {
    &process.config().stdout
}

fn stderr(process: &Process) -> &ChannelConfig {
    &process.config().stderr
}

/// Path of the log a client asks for, if that channel has one.
fn find_log(
    context: &Context<'_>,
    name: &Value,
    channel: fn(&Process) -> &ChannelConfig,
) -> Result<Option<String>, Fault> {
    let name = params::text(name)?;
    let id = find_one(context, name)?;
    let process = context.supervisor.process(id);
    Ok(process.and_then(|process| log_path(channel(process))).map(str::to_string))
}

pub(super) fn read_log(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    let path = context.supervisor.settings().logfile.clone();
    let (offset, length) = (params::int(&args[0])?, params::int(&args[1])?);
    Ok(job(context, Job::ReadLog { path, offset, length }))
}

pub(super) fn clear_log(context: &mut Context<'_>, _: &[Value]) -> Result<Answer, Fault> {
    Ok(job(context, Job::ClearMainLog))
}

fn read_process_log(
    context: &mut Context<'_>,
    args: &[Value],
    channel: fn(&Process) -> &ChannelConfig,
) -> Result<Answer, Fault> {
    let path = find_log(context, &args[0], channel)?.ok_or(Fault::bare(FaultCode::NoFile))?;
    let (offset, length) = (params::int(&args[1])?, params::int(&args[2])?);
    Ok(job(context, Job::ReadLog { path, offset, length }))
}

pub(super) fn read_stdout_log(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    read_process_log(context, args, stdout)
}

pub(super) fn read_stderr_log(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    read_process_log(context, args, stderr)
}

fn tail_process_log(
    context: &mut Context<'_>,
    args: &[Value],
    channel: fn(&Process) -> &ChannelConfig,
) -> Result<Answer, Fault> {
    let Some(path) = find_log(context, &args[0], channel)? else {
        let nothing = vec![Value::str(""), Value::Int(0), Value::Bool(false)];
        return Ok(Answer::Value(Value::Array(nothing)));
    };
    let (offset, length) = (params::int(&args[1])?, params::int(&args[2])?);
    Ok(job(context, Job::TailLog { path, offset, length }))
}

pub(super) fn tail_stdout_log(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    tail_process_log(context, args, stdout)
}

pub(super) fn tail_stderr_log(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    tail_process_log(context, args, stderr)
}

pub(super) fn clear_process_logs(
    context: &mut Context<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::text(&args[0])?;
    let id = find_one(context, name)?;
    Ok(clear_one(context, id, name))
}

pub(super) fn clear_all_process_logs(
    context: &mut Context<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let processes = context.supervisor.all_by_priority();
    Ok(Answer::Wait(Wait::Batch(Batch::new(Operation::ClearLogs, processes))))
}

/// Clears the logs of a process that is alive; a dead one has none open, and nothing happens to its files.
pub(super) fn clear_one(context: &mut Context<'_>, id: ProcId, name: &str) -> Answer {
    if context.supervisor.process(id).is_some_and(|process| process.pid().is_some()) {
        job(context, Job::ClearProcessLogs { proc: id, name: name.to_string() })
    } else {
        DONE
    }
}

/// Reopens the logs of a process or of a group; without a name those of all and the main log, as SIGUSR2 does. Answers
/// one status per process, and before them one of the main log. BAD_NAME.
pub(super) fn reopen_logs(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    let Some(name) = args.first() else { return Ok(reopen_all(context)) };
    let processes = match find(context, params::text(name)?)? {
        Target::Process(id) => vec![id],
        Target::Group(members) => members,
    };
    Ok(Answer::Wait(Wait::Batch(Batch::new(Operation::ReopenLogs, processes))))
}

fn reopen_all(context: &mut Context<'_>) -> Answer {
    context.supervisor.log(Level::Info, "supervisord logreopen");
    let main_log = context.supervisor.new_job();
    let work = Job::ReopenMainLog { name: MAIN_LOG.to_string() };
    context.supervisor.effects.push_back(Effect::Job { job: main_log, work });
    let processes = context.supervisor.all_by_priority();
    let batch = Batch::new(Operation::ReopenLogs, processes);
    Answer::Wait(Wait::Batch(batch.after(MAIN_LOG, Wait::job(main_log))))
}

/// Reopens the logs of a process that is alive; a dead one has none open, and opens them when it starts.
pub(super) fn reopen_one(context: &mut Context<'_>, id: ProcId, name: &str) -> Answer {
    if context.supervisor.process(id).is_some_and(|process| process.pid().is_some()) {
        job(context, Job::ReopenProcessLogs { proc: id, name: name.to_string() })
    } else {
        DONE
    }
}
