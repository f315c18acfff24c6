//! Calls that answer later, as data. They are looked at again whenever something happened; nothing polls.

use std::collections::VecDeque;
use std::time::Duration;

use super::batch::Batch;
use super::{Answer, Context, dispatch};
use crate::core::clock::Now;
use crate::core::effect::{Effect, Host, JobId, JobOutcome, ProcId, ReplyId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::states::ProcessState;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// A call that has not been answered.
#[derive(Debug)]
pub struct Pending {
    /// The call.
    pub reply: ReplyId,
    /// What it waits for.
    pub wait: Wait,
}

/// What a call waits for.
#[derive(Debug)]
pub enum Wait {
    /// `startProcess`: RUNNING, or any state but STARTING.
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

impl Wait {
    /// A job of the shell that was just started.
    pub(super) fn job(id: JobId) -> Wait {
        Wait::Job { id, answer: None }
    }

    /// Where the answer of a job is to be put, if this waits for it.
    fn slot(&mut self, job: JobId) -> Option<&mut Option<Result<Value, Fault>>> {
        match self {
            Wait::Job { id, answer } => (*id == job).then_some(answer),
            Wait::Batch(batch) => batch.waiting.iter_mut().find_map(|(_, wait)| wait.slot(job)),
            Wait::Multi(multi) => multi.current.as_mut()?.slot(job),
            Wait::Start { .. } | Wait::Stop { .. } => None,
        }
    }

    /// Calls `visit` with every process whose stop is awaited.
    fn each_stop(&self, visit: &mut dyn FnMut(ProcId)) {
        match self {
            Wait::Stop { proc } => visit(*proc),
            Wait::Batch(batch) => batch.waiting.iter().for_each(|(_, wait)| wait.each_stop(visit)),
            Wait::Multi(multi) => {
                if let Some(wait) = &multi.current {
                    wait.each_stop(visit);
                }
            }
            Wait::Start { .. } | Wait::Job { .. } => {}
        }
    }
}

/// Bytes that the results of one multicall may hold together, the same as one log may.
const MULTICALL_BYTES: usize = 64 << 20;

/// The calls of a `system.multicall`, made one after the other.
#[derive(Debug)]
pub struct Multi {
    remaining: VecDeque<Value>,
    current: Option<Box<Wait>>,
    results: Vec<Value>,
    /// Bytes of the results so far.
    held: usize,
}

impl Multi {
    /// Nothing called yet.
    pub(super) fn new(calls: Vec<Value>) -> Multi {
        Multi { remaining: calls.into(), current: None, results: Vec::new(), held: 0 }
    }

    fn finish_one(&mut self, result: Result<Value, Fault>) {
        let bytes = result.as_ref().map_or(0, Value::held_bytes);
        let result = if self.held.saturating_add(bytes) <= MULTICALL_BYTES {
            self.held += bytes;
            result
        } else {
            let text = "the results of one multicall hold 64 MiB at most";
            Err(Fault::new(FaultCode::Failed, text))
        };
        self.results.push(result.unwrap_or_else(|fault| {
            record([
                ("faultCode", Value::Int(fault.code.code())),
                ("faultString", Value::Str(fault.text)),
            ])
        }));
    }
}

impl Supervisor {
    /// Looks at every pending call, in the order they came, until a whole round neither answers nor starts one.
    pub(in crate::core) fn poll_pending(&mut self, now: Now, host: &mut dyn Host) {
        let mut moved = true;
        while moved && !self.pending.is_empty() {
            moved = false;
            let mut still = Vec::new();
            for mut pending in std::mem::take(&mut self.pending) {
                let mut context = Context { supervisor: self, now, host };
                match poll(&mut context, &mut pending.wait, &mut moved) {
                    Some(result) => {
                        moved = true;
                        self.effects.push_back(Effect::Reply { reply: pending.reply, result });
                    }
                    None => still.push(pending),
                }
            }
            self.pending = still;
        }
    }

    /// When the next "waiting for x to stop" line is due.
    pub(in crate::core) fn stop_report_deadline(&self) -> Option<Duration> {
        let mut soonest: Option<Duration> = None;
        for pending in &self.pending {
            pending.wait.each_stop(&mut |proc| {
                let due = self.processes.get(&proc).and_then(|process| process.stop_report_due());
                soonest = match (soonest, due) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            });
        }
        soonest
    }

    /// A job is done: a new configuration is taken over, an answer goes to the call that waits for it.
    pub(in crate::core) fn job_done(&mut self, job: JobId, outcome: JobOutcome) {
        let answer = match outcome {
            JobOutcome::Answer(answer) => answer,
            JobOutcome::Config(Ok(config)) => Ok(self.take_config(*config)),
            JobOutcome::Config(Err(message)) => Err(Fault::new(FaultCode::CantReread, message)),
        };
        // Nobody may be waiting any more: the client hung up.
        if let Some(slot) = self.pending.iter_mut().find_map(|pending| pending.wait.slot(job)) {
            *slot = Some(answer);
        }
    }
}

/// The answer of a wait, if it is over. Sets `moved` when it called something.
pub(super) fn poll(
    context: &mut Context<'_>,
    wait: &mut Wait,
    moved: &mut bool,
) -> Option<Result<Value, Fault>> {
    match wait {
        Wait::Start { proc, name } => poll_start(context, *proc, name),
        Wait::Stop { proc } => poll_stop(context, *proc),
        Wait::Job { answer, .. } => answer.take(),
        Wait::Batch(batch) => batch.poll(context, moved).map(Ok),
        Wait::Multi(multi) => poll_multi(context, multi, moved).map(Ok),
    }
}

fn poll_start(context: &Context<'_>, proc: ProcId, name: &str) -> Option<Result<Value, Fault>> {
    let Some(process) = context.supervisor.process(proc) else {
        return Some(Err(Fault::new(FaultCode::AbnormalTermination, name)));
    };
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

fn poll_stop(context: &mut Context<'_>, proc: ProcId) -> Option<Result<Value, Fault>> {
    let stopped = context
        .supervisor
        .with_process(proc, context.now, context.host, |process, shell| {
            process.stop_report(shell);
            process.state().is_stopped()
        })
        .unwrap_or(true);
    stopped.then_some(Ok(Value::Bool(true)))
}

fn poll_multi(context: &mut Context<'_>, multi: &mut Multi, moved: &mut bool) -> Option<Value> {
    loop {
        if let Some(wait) = &mut multi.current {
            let result = poll(context, wait, moved)?;
            multi.current = None;
            multi.finish_one(result);
        }
        let Some(call) = multi.remaining.pop_front() else {
            return Some(Value::Array(std::mem::take(&mut multi.results)));
        };
        *moved = true;
        match call_one(context, &call) {
            Ok(Answer::Wait(wait)) => multi.current = Some(Box::new(wait)),
            Ok(Answer::Value(value)) => multi.finish_one(Ok(value)),
            Err(fault) => multi.finish_one(Err(fault)),
        }
    }
}

/// One call of a multicall. Entries that make the reference fail as a whole get a fault of their own.
fn call_one(context: &mut Context<'_>, call: &Value) -> Result<Answer, Fault> {
    let incorrect = || Fault::bare(FaultCode::IncorrectParameters);
    if !matches!(call, Value::Struct(_)) {
        return Err(incorrect());
    }
    let name = match call.member("methodName") {
        None | Some(Value::Nil) => {
            return Err(Fault::new(FaultCode::IncorrectParameters, "No methodName"));
        }
        Some(Value::Str(name)) if name == "system.multicall" => {
            let text = "Recursive system.multicall forbidden";
            return Err(Fault::new(FaultCode::IncorrectParameters, text));
        }
        Some(Value::Str(name)) => name,
        Some(_) => return Err(Fault::bare(FaultCode::UnknownMethod)),
    };
    match call.member("params") {
        None => dispatch(context, name, &[]),
        Some(Value::Array(params)) => dispatch(context, name, params),
        Some(_) => Err(incorrect()),
    }
}
