//! What calls do to one process, be it named or one of many.

use super::params;
use super::wait::{Answer, DONE, Wait, job};
use crate::core::effect::{CommandError, Job, ProcId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::goal::{Gate, Shut};
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::states::ProcessState;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// `startProcess` on one process. The command is checked before the state.
pub(super) fn start_one(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    id: ProcId,
    name: &str,
    wait: bool,
) -> Result<Answer, Fault> {
    let Some(process) = supervisor.process(id) else {
        return Err(Fault::new(FaultCode::BadName, name));
    };
    outside.host.resolve(process.config()).map_err(|error| {
        let code = match error {
            CommandError::NotFound(_) => FaultCode::NoFile,
            CommandError::NotExecutable(_) => FaultCode::NotExecutable,
        };
        Fault::new(code, error.message())
    })?;
    if process.state().is_running() {
        return Err(Fault::new(FaultCode::AlreadyStarted, name));
    }
    if process.state() == ProcessState::Unknown {
        let text = format!("{name} is in an unknown process state");
        return Err(Fault::new(FaultCode::Failed, text));
    }
    let gate = supervisor.with_process(id, outside, |process, outside| process.start(outside));
    if gate == Some(Gate::Shut(Shut::Stopping)) {
        return Err(Fault::bare(FaultCode::ShutdownState));
    }
    let Some(process) = supervisor.process(id) else {
        return Ok(DONE);
    };
    if process.spawn_error().is_some() && !process.is_about_to_start(supervisor.mood()) {
        return Err(Fault::new(FaultCode::SpawnError, name));
    }
    if wait && process.state() != ProcessState::Running {
        return Ok(Answer::Wait(Wait::Start { proc: id, name: name.to_string() }));
    }
    Ok(DONE)
}

/// `stopProcess` on one process.
pub(super) fn stop_one(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    id: ProcId,
    name: &str,
    wait: bool,
) -> Result<Answer, Fault> {
    if !supervisor.process(id).is_some_and(Process::can_be_stopped) {
        return Err(Fault::new(FaultCode::NotRunning, name));
    }
    let stopped = supervisor.with_process(id, outside, |process, outside| {
        process.stop(outside).map(|()| process.state().is_stopped())
    });
    match stopped {
        Some(Err(text)) => Err(Fault::new(FaultCode::Failed, text)),
        Some(Ok(false)) if wait => Ok(Answer::Wait(Wait::Stop { proc: id })),
        Some(Ok(_)) | None => Ok(DONE),
    }
}

/// `signalProcess` on one process. A bad signal is reported before a process that does not run.
pub(super) fn signal_one(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    id: ProcId,
    name: &str,
    signal: &Value,
) -> Result<Answer, Fault> {
    let signal = params::signal_number(signal)?;
    let state = supervisor.process(id).map(|process| process.state());
    if !state.is_some_and(ProcessState::is_signallable) {
        return Err(Fault::new(FaultCode::NotRunning, name));
    }
    let sent =
        supervisor.with_process(id, outside, |process, outside| process.signal(signal, outside));
    match sent {
        Some(Err(text)) => Err(Fault::new(FaultCode::Failed, text)),
        Some(Ok(())) | None => Ok(DONE),
    }
}

/// Clears the logs of a process.
pub(super) fn clear_one(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    id: ProcId,
    name: String,
) -> Answer {
    on_open_logs(supervisor, outside, id, Job::ClearProcessLogs { proc: id, name })
}

/// Has something done to the logs of a process that is alive. A dead one has none open: nothing happens to its files, and
/// it opens them when it starts.
pub(super) fn on_open_logs(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    id: ProcId,
    work: Job,
) -> Answer {
    if supervisor.process(id).is_some_and(|process| process.pid().is_some()) {
        job(supervisor, outside, work)
    } else {
        DONE
    }
}
