//! What a call waits for, as data, and what becomes of it.

use super::batch::Batch;
use super::multi::Multi;
use super::tickets::{Key, Watch};
use crate::core::effect::{Effect, Job, JobId, ProcId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::states::ProcessState;
use crate::core::supervisor::Supervisor;
use crate::core::timers::Timer;
use crate::core::value::Value;

/// What a method answers: at once, or when something has come true.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The result.
    Value(Value),
    /// Wait for this.
    Wait(Wait),
}

/// `true`, the result of most methods.
pub(super) const DONE: Answer = Answer::Value(Value::Bool(true));

/// What a call waits for.
#[derive(Debug)]
pub(crate) enum Wait {
    /// `startProcess`: RUNNING, or any state but STARTING that it does not wait in to be started.
    Start {
        /// The process.
        proc: ProcId,
        /// The name the client used, for faults.
        name: String,
    },
    /// `stopProcess`: a stopped state.
    Stop {
        /// The process.
        proc: ProcId,
    },
    /// A job of the shell.
    Job {
        /// The job.
        id: JobId,
        /// Its answer, once it is done.
        answer: Option<Result<Value, Fault>>,
    },
    /// The calls on all processes or on a group.
    Batch(Batch),
    /// `system.multicall`.
    Multi(Multi),
}

/// Begins a job of the shell, whose answer is waited for.
pub(super) fn job(supervisor: &mut Supervisor, outside: &mut Outside<'_>, work: Job) -> Answer {
    let job = supervisor.new_job();
    outside.effect(Effect::Job { job, work });
    Answer::Wait(Wait::Job { id: job, answer: None })
}

impl Wait {
    /// Begins to wait, in a place of a call. Calls of calls begin when they are made.
    pub(super) fn begin(&self, place: usize, watch: &mut Watch<'_>) {
        match self {
            Wait::Start { proc, .. } | Wait::Stop { proc } => {
                watch.begin(Key::Process(*proc), place);
            }
            Wait::Job { id, .. } => watch.begin(Key::Job(*id), place),
            Wait::Batch(_) | Wait::Multi(_) => {}
        }
    }

    /// The answer, if the wait is over.
    pub(super) fn poll(
        &mut self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
        watch: &mut Watch<'_>,
    ) -> Option<Result<Value, Fault>> {
        match self {
            Wait::Start { proc, name } => {
                let result = poll_start(supervisor, *proc, name)?;
                watch.end(Key::Process(*proc));
                Some(result)
            }
            Wait::Stop { proc } => {
                let result = poll_stop(supervisor, outside, *proc)?;
                watch.end(Key::Process(*proc));
                Some(result)
            }
            Wait::Job { id, answer } => {
                let result = answer.take()?;
                watch.end(Key::Job(*id));
                Some(result)
            }
            Wait::Batch(batch) => batch.poll(supervisor, outside, watch).map(Ok),
            Wait::Multi(multi) => multi.poll(supervisor, outside, watch).map(Ok),
        }
    }

    /// What is waited for in a place is to be looked at.
    pub(super) fn stir(&mut self, place: usize) {
        match self {
            Wait::Batch(batch) => batch.stir(place),
            Wait::Multi(multi) => {
                if let Some(wait) = multi.current_mut() {
                    wait.stir(place);
                }
            }
            Wait::Start { .. } | Wait::Stop { .. } | Wait::Job { .. } => {}
        }
    }

    /// The job that is waited for in a place has its answer.
    pub(super) fn answer_job(&mut self, place: usize, result: Result<Value, Fault>) {
        match self {
            Wait::Job { answer, .. } => *answer = Some(result),
            Wait::Batch(batch) => {
                if let Some(wait) = batch.waiting_mut(place) {
                    wait.answer_job(place, result);
                }
            }
            Wait::Multi(multi) => {
                if let Some(wait) = multi.current_mut() {
                    wait.answer_job(place, result);
                }
            }
            Wait::Start { .. } | Wait::Stop { .. } => {}
        }
    }

    /// Whether it could go on, but for others that are to have a turn first.
    pub(super) fn has_had_its_turn(&self) -> bool {
        match self {
            Wait::Batch(batch) => batch.has_had_its_turn(),
            Wait::Multi(multi) => multi.has_had_its_turn(),
            Wait::Start { .. } | Wait::Stop { .. } | Wait::Job { .. } => false,
        }
    }

    /// Lets it go on for a while.
    pub(super) fn give_turn(&mut self) {
        match self {
            Wait::Batch(batch) => batch.give_turn(),
            Wait::Multi(multi) => multi.give_turn(),
            Wait::Start { .. } | Wait::Stop { .. } | Wait::Job { .. } => {}
        }
    }

    /// Calls `visit` with everything it waits for.
    pub(super) fn each_key(&self, visit: &mut dyn FnMut(Key)) {
        match self {
            Wait::Start { proc, .. } | Wait::Stop { proc } => visit(Key::Process(*proc)),
            Wait::Job { id, .. } => visit(Key::Job(*id)),
            Wait::Batch(batch) => batch.waiting().for_each(|wait| wait.each_key(visit)),
            Wait::Multi(multi) => multi.current().into_iter().for_each(|wait| wait.each_key(visit)),
        }
    }
}

fn poll_start(supervisor: &Supervisor, proc: ProcId, name: &str) -> Option<Result<Value, Fault>> {
    let Some(process) = supervisor.process(proc) else {
        return Some(Err(Fault::new(FaultCode::AbnormalTermination, name)));
    };
    if process.is_about_to_start(supervisor.mood()) {
        return None;
    }
    if process.spawn_error().is_some() {
        return Some(Err(Fault::new(FaultCode::SpawnError, name)));
    }
    match process.state() {
        ProcessState::Starting => None,
        ProcessState::Running => Some(Ok(Value::Bool(true))),
        ProcessState::Stopped
        | ProcessState::Backoff
        | ProcessState::Stopping
        | ProcessState::Exited
        | ProcessState::Fatal
        | ProcessState::Unknown => Some(Err(Fault::new(FaultCode::AbnormalTermination, name))),
    }
}

/// A line in the log says that the stop is waited for, and a timer when it is said again.
fn poll_stop(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    proc: ProcId,
) -> Option<Result<Value, Fault>> {
    let look = |process: &mut Process, outside: &mut Outside<'_>| {
        process.stop_report(outside);
        (process.state().is_stopped(), process.stop_report_due())
    };
    let (stopped, report) = supervisor.with_process(proc, outside, look).unwrap_or((true, None));
    supervisor.timers.set(Timer::StopReport(proc), report);
    stopped.then_some(Ok(Value::Bool(true)))
}
