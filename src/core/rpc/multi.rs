//! `system.multicall`: several calls, made one after the other.

use std::collections::VecDeque;

use super::dispatch;
use super::tickets::Watch;
use super::wait::{Answer, Wait};
use super::weight::{FAULT_BYTES, MULTICALL_BYTES, Weight, weigh_part};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::outside::Outside;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// The method.
pub(crate) const MULTICALL: &str = "system.multicall";

/// What a multicall may do before others get a turn, counted in bytes of its results. More than a restart of some programs
/// takes, and about a millisecond's work.
const TURN_BYTES: usize = 128 << 10;

/// What a call counts besides its result: a turn has sixteen calls at most, each of which may start a program.
const CALL_COST: usize = TURN_BYTES / 16;

/// What a call on all processes counts for each.
const PROCESS_COST: usize = TURN_BYTES / 512;

/// The calls of a `system.multicall`, made one after the other and, when they are many, in turns with everything else.
#[derive(Debug)]
pub(crate) struct Multi {
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

    /// The call that is under way.
    pub(super) fn current(&self) -> Option<&Wait> {
        self.current.as_deref()
    }

    /// The same, to tell it something.
    pub(super) fn current_mut(&mut self) -> Option<&mut Wait> {
        self.current.as_deref_mut()
    }

    /// Lets it go on for a while.
    pub(super) fn give_turn(&mut self) {
        self.turn = TURN_BYTES;
        self.current.iter_mut().for_each(|wait| wait.give_turn());
    }

    /// Makes the calls, each when the one before it is over; all results once they are.
    pub(super) fn poll(
        &mut self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
        watch: &mut Watch<'_>,
    ) -> Option<Value> {
        loop {
            if let Some(wait) = &mut self.current {
                let result = wait.poll(supervisor, outside, watch)?;
                self.current = None;
                self.finish_one(result);
            }
            if self.has_had_its_turn() {
                return None;
            }
            let Some(call) = self.remaining.pop_front() else {
                return Some(Value::Array(std::mem::take(&mut self.results)));
            };
            // How much a log gives is known when it was read.
            if let Weight::House(bytes) = weigh_part(&call, &supervisor.extent())
                && bytes > self.room()
            {
                self.finish_one(Err(too_much()));
                continue;
            }
            match call_one(supervisor, outside, &call) {
                Ok(Answer::Wait(wait)) => {
                    if let Wait::Batch(batch) = &wait {
                        self.turn = self.turn.saturating_sub(batch.len() * PROCESS_COST);
                    }
                    wait.begin(0, watch);
                    self.current = Some(Box::new(wait));
                }
                Ok(Answer::Value(value)) => self.finish_one(Ok(value)),
                Err(fault) => self.finish_one(Err(fault)),
            }
        }
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
    pub(super) fn has_had_its_turn(&self) -> bool {
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
        Some(Value::Str(name)) if name == MULTICALL => {
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
