//! Calls that answer later, as data. They are looked at again whenever something happened; nothing polls.

use std::collections::VecDeque;

use super::batch::Batch;
use super::weight::{FAULT_BYTES, MULTICALL_BYTES, Weight, weigh_part};
use super::{Answer, dispatch};
use crate::core::effect::{Caller, Effect, JobId, JobOutcome, ProcId, ReplyId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::states::ProcessState;
use crate::core::supervisor::Supervisor;
use crate::core::timers::Timer;
use crate::core::value::Value;

/// A call that has not been answered.
#[derive(Debug)]
pub struct Pending {
    /// The call.
    pub reply: ReplyId,
    /// Who made it.
    pub caller: Caller,
    /// What it waits for.
    pub wait: Wait,
    /// It is among those that wait for a turn.
    pub put_off: bool,
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

    /// Whether it could go on, but for others that are to have a turn first.
    fn has_had_its_turn(&self) -> bool {
        match self {
            Wait::Batch(batch) => batch.has_had_its_turn(),
            Wait::Multi(multi) => multi.has_had_its_turn(),
            Wait::Start { .. } | Wait::Stop { .. } | Wait::Job { .. } => false,
        }
    }

    /// Lets it go on for a while.
    fn give_turn(&mut self) {
        match self {
            Wait::Batch(batch) => batch.give_turn(),
            Wait::Multi(multi) => {
                multi.turn = TURN_BYTES;
                multi.current.iter_mut().for_each(|wait| wait.give_turn());
            }
            Wait::Start { .. } | Wait::Stop { .. } | Wait::Job { .. } => {}
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

/// What a multicall may do before others get a turn, counted in bytes of its results. More than a restart of some programs
/// takes, and about a millisecond's work.
const TURN_BYTES: usize = 128 << 10;

/// What a call counts besides its result: a turn has sixteen calls at most, each of which may start a program.
const CALL_COST: usize = TURN_BYTES / 16;

/// What a call on all processes counts for each.
const PROCESS_COST: usize = TURN_BYTES / 512;

/// The calls of a `system.multicall`, made one after the other and, when they are many, in turns with everything else.
#[derive(Debug)]
pub struct Multi {
    remaining: VecDeque<Value>,
    current: Option<Box<Wait>>,
    results: Vec<Value>,
    /// Bytes of the results so far.
    held: usize,
    /// What is left of its turn.
    turn: usize,
}

impl Multi {
    /// Nothing called yet.
    ///
    /// # Errors
    /// There are more calls than there could be faults.
    pub(super) fn new(calls: &[Value]) -> Result<Multi, Fault> {
        let most = MULTICALL_BYTES / FAULT_BYTES;
        if calls.len() > most {
            let text = format!("one multicall makes {most} calls at most");
            return Err(Fault::new(FaultCode::Failed, text));
        }
        let remaining = calls.to_vec().into();
        let (current, results, held) = (None, Vec::new(), 0);
        Ok(Multi { remaining, current, results, held, turn: TURN_BYTES })
    }

    /// Bytes that the next result may hold. Every call that is left can still be refused.
    fn room(&self) -> usize {
        MULTICALL_BYTES.saturating_sub(self.held + self.remaining.len() * FAULT_BYTES)
    }

    fn finish_one(&mut self, result: Result<Value, Fault>) {
        let mut result = result.unwrap_or_else(failed);
        let mut bytes = result.held_bytes();
        if bytes > self.room() {
            result = failed(too_much());
            bytes = FAULT_BYTES;
        }
        self.held += bytes;
        self.turn = self.turn.saturating_sub(bytes + CALL_COST);
        self.results.push(result);
    }

    /// Whether it could go on and has had its turn.
    fn has_had_its_turn(&self) -> bool {
        match &self.current {
            Some(wait) => wait.has_had_its_turn(),
            None => self.turn == 0 && !self.remaining.is_empty(),
        }
    }
}

/// The refusal of a call that asks for more than there is room for.
fn too_much() -> Fault {
    let text = format!("the results of one multicall hold {} MiB at most", MULTICALL_BYTES >> 20);
    Fault::new(FaultCode::Failed, text)
}

/// A fault among results.
fn failed(fault: Fault) -> Value {
    record([("faultCode", Value::Int(fault.code.code())), ("faultString", Value::Str(fault.text))])
}

/// The calls that have not been answered.
#[derive(Debug, Default)]
pub struct Calls {
    pending: Vec<Pending>,
    /// Those that wait for their turn, the next one first.
    put_off: VecDeque<ReplyId>,
}

impl Calls {
    /// A call waits for something.
    pub(super) fn wait(&mut self, reply: ReplyId, caller: Caller, wait: Wait) {
        self.pending.push(Pending { reply, caller, wait, put_off: false });
    }

    /// Looks at every pending call, in the order they came, until a whole round neither answers nor starts one.
    pub(in crate::core) fn poll(&mut self, supervisor: &mut Supervisor, outside: &mut Outside<'_>) {
        let mut moved = true;
        while moved && !self.pending.is_empty() {
            moved = false;
            let mut still = Vec::new();
            for mut pending in std::mem::take(&mut self.pending) {
                outside.caller = pending.caller;
                match poll(supervisor, outside, &mut pending.wait, &mut moved) {
                    Some(result) => {
                        moved = true;
                        outside.effect(Effect::Reply { reply: pending.reply, result });
                    }
                    None => {
                        if pending.wait.has_had_its_turn()
                            && !std::mem::replace(&mut pending.put_off, true)
                        {
                            self.put_off.push_back(pending.reply);
                        }
                        still.push(pending);
                    }
                }
            }
            self.pending = still;
        }
    }

    /// Whether a call could go on, but for others that are to have a turn first.
    pub(in crate::core) fn wait_for_turn(&self) -> bool {
        !self.put_off.is_empty()
    }

    /// Lets the call that was put off first go on for a while. It may be gone.
    pub(in crate::core) fn give_turn(&mut self) {
        let next = self.put_off.pop_front();
        let mut pending = self.pending.iter_mut();
        if let Some(pending) = pending.find(|pending| Some(pending.reply) == next) {
            pending.put_off = false;
            pending.wait.give_turn();
        }
    }

    /// The client of a call went away. Other calls that wait for the same stops are looked at next, and set their timers.
    pub(in crate::core) fn hang_up(&mut self, reply: ReplyId, supervisor: &mut Supervisor) {
        let timers = &mut supervisor.timers;
        self.pending.retain(|pending| {
            let stays = pending.reply != reply;
            if !stays {
                pending.wait.each_stop(&mut |proc| timers.set(Timer::StopReport(proc), None));
            }
            stays
        });
    }

    /// A job is done: a new configuration is taken over, an answer goes to the call that waits for it.
    pub(in crate::core) fn job_done(
        &mut self,
        job: JobId,
        outcome: JobOutcome,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
    ) {
        let answer = match outcome {
            JobOutcome::Answer(answer) => answer,
            JobOutcome::Config(Ok(config)) => Ok(supervisor.take_config(*config, outside)),
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
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    wait: &mut Wait,
    moved: &mut bool,
) -> Option<Result<Value, Fault>> {
    match wait {
        Wait::Start { proc, name } => poll_start(supervisor, *proc, name),
        Wait::Stop { proc } => poll_stop(supervisor, outside, *proc),
        Wait::Job { answer, .. } => answer.take(),
        Wait::Batch(batch) => batch.poll(supervisor, outside, moved).map(Ok),
        Wait::Multi(multi) => poll_multi(supervisor, outside, multi, moved).map(Ok),
    }
}

fn poll_start(supervisor: &Supervisor, proc: ProcId, name: &str) -> Option<Result<Value, Fault>> {
    let Some(process) = supervisor.process(proc) else {
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

fn poll_multi(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    multi: &mut Multi,
    moved: &mut bool,
) -> Option<Value> {
    loop {
        if let Some(wait) = &mut multi.current {
            let result = poll(supervisor, outside, wait, moved)?;
            multi.current = None;
            multi.finish_one(result);
        }
        if multi.has_had_its_turn() {
            return None;
        }
        let Some(call) = multi.remaining.pop_front() else {
            return Some(Value::Array(std::mem::take(&mut multi.results)));
        };
        *moved = true;
        // How much a log gives is known when it was read.
        if let Weight::House(bytes) = weigh_part(&call, &supervisor.extent())
            && bytes > multi.room()
        {
            multi.finish_one(Err(too_much()));
            continue;
        }
        match call_one(supervisor, outside, &call) {
            Ok(Answer::Wait(wait)) => {
                if let Wait::Batch(batch) = &wait {
                    multi.turn = multi.turn.saturating_sub(batch.len() * PROCESS_COST);
                }
                multi.current = Some(Box::new(wait));
            }
            Ok(Answer::Value(value)) => multi.finish_one(Ok(value)),
            Err(fault) => multi.finish_one(Err(fault)),
        }
    }
}

/// One call of a multicall. Entries that make the reference fail as a whole get a fault of their own.
fn call_one(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    call: &Value,
) -> Result<Answer, Fault> {
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
        None => dispatch(supervisor, outside, name, &[]),
        Some(Value::Array(params)) => dispatch(supervisor, outside, name, params),
        Some(_) => Err(incorrect()),
    }
}
