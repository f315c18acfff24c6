//! The calls on a whole group or on all processes (`rpcinterface.py: make_allfunc`).
//!
//! The order of the results is visible: first those that were decided when the call was made, then the others as
//! they complete.

use std::collections::VecDeque;

use super::pending::{Wait, poll};
use super::{Answer, Context, logs, process};
use crate::core::effect::ProcId;
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::namespec;
use crate::core::states::ProcessState;
use crate::core::value::Value;

/// What is done to each process.
#[derive(Debug)]
pub enum Operation {
    /// Start those that do not run.
    Start {
        /// Wait until they run.
        wait: bool,
    },
    /// Stop those that run.
    Stop {
        /// Wait until they have stopped.
        wait: bool,
    },
    /// Signal those that can be.
    Signal(Value),
    /// Clear the logs of all, one after the other.
    ClearLogs,
    /// Reopen the logs of all, one after the other.
    ReopenLogs,
}

impl Operation {
    fn applies_to(&self, state: ProcessState) -> bool {
        match self {
            Operation::Start { .. } => !state.is_running(),
            Operation::Stop { .. } => state.is_running(),
            Operation::Signal(_) => state.is_signallable(),
            Operation::ClearLogs | Operation::ReopenLogs => true,
        }
    }

    fn per_turn(&self) -> usize {
        match self {
            Operation::Start { .. } => STARTS_PER_TURN,
            Operation::Stop { .. }
            | Operation::Signal(_)
            | Operation::ClearLogs
            | Operation::ReopenLogs => CALLS_PER_TURN,
        }
    }
}

/// Most processes that are started in one turn: each takes a fork.
const STARTS_PER_TURN: usize = 8;

/// Most processes that something else is done to in one turn.
const CALLS_PER_TURN: usize = 256;

/// Whose result it is.
#[derive(Clone, Debug)]
pub struct Subject {
    name: String,
    group: String,
}

/// Such a call under way.
#[derive(Debug)]
pub struct Batch {
    operation: Operation,
    remaining: VecDeque<ProcId>,
    pub(super) waiting: Vec<(Subject, Wait)>,
    results: Vec<Value>,
    /// Calls left before others get a turn.
    turn: usize,
}

impl Batch {
    /// Nothing done yet.
    pub(super) fn new(operation: Operation, processes: Vec<ProcId>) -> Batch {
        let (waiting, results, turn) = (Vec::new(), Vec::new(), operation.per_turn());
        Batch { operation, remaining: processes.into(), waiting, results, turn }
    }

    /// The same, with a call made already, on nobody of the processes: the first result is of this name.
    pub(super) fn after(self, name: &str, wait: Wait) -> Batch {
        let subject = Subject { name: name.to_string(), group: name.to_string() };
        Batch { waiting: vec![(subject, wait)], ..self }
    }

    /// Whether it could go on, and has had its turn.
    pub(super) fn has_had_its_turn(&self) -> bool {
        self.turn == 0 && !self.remaining.is_empty()
    }

    /// Lets it go on for a while.
    pub(super) fn give_turn(&mut self) {
        self.turn = self.operation.per_turn();
    }

    /// Processes it has not looked at.
    pub(super) fn len(&self) -> usize {
        self.remaining.len()
    }

    /// Makes the calls that are due, then looks at those that wait; all results once none does.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, moved: &mut bool) -> Option<Value> {
        loop {
            self.make_calls(context, moved);
            // What comes of calls is looked at when all are made: results that are there at once come first.
            if self.has_had_its_turn() {
                return None;
            }
            let mut index = 0;
            while index < self.waiting.len() {
                let (_, wait) = &mut self.waiting[index];
                match poll(context, wait, moved) {
                    Some(result) => {
                        let (subject, _) = self.waiting.remove(index);
                        self.record(&subject, result.err());
                    }
                    None => index += 1,
                }
            }
            if !self.waiting.is_empty() {
                return None;
            }
            if self.remaining.is_empty() {
                return Some(Value::Array(std::mem::take(&mut self.results)));
            }
        }
    }

    fn make_calls(&mut self, context: &mut Context<'_>, moved: &mut bool) {
        let one_at_a_time = matches!(self.operation, Operation::ClearLogs | Operation::ReopenLogs);
        while self.turn > 0
            && (!one_at_a_time || self.waiting.is_empty())
            && let Some(id) = self.remaining.pop_front()
        {
            *moved = true;
            let Some(process) = context.supervisor.process(id) else { continue };
            if !self.operation.applies_to(process.state()) {
                continue;
            }
            self.turn -= 1;
            let subject = Subject {
                name: process.config().name.clone(),
                group: process.group_name().to_string(),
            };
            match self.call(context, id, &subject) {
                Ok(Answer::Wait(wait)) => self.waiting.push((subject, wait)),
                Ok(Answer::Value(_)) => self.record(&subject, None),
                Err(fault) => self.record(&subject, Some(fault)),
            }
        }
    }

    fn call(
        &self,
        context: &mut Context<'_>,
        id: ProcId,
        subject: &Subject,
    ) -> Result<Answer, Fault> {
        let name = namespec::join(&subject.group, &subject.name);
        match &self.operation {
            Operation::Start { wait } => process::start_one(context, id, &name, *wait),
            Operation::Stop { wait } => process::stop_one(context, id, &name, *wait),
            Operation::Signal(signal) => process::signal_one(context, id, &name, signal),
            Operation::ClearLogs => Ok(logs::clear_one(context, id, &name)),
            Operation::ReopenLogs => Ok(logs::reopen_one(context, id, &name)),
        }
    }

    fn record(&mut self, subject: &Subject, fault: Option<Fault>) {
        let (status, description) = match fault {
            Some(fault) => (fault.code, fault.text),
            None => (FaultCode::Success, "OK".to_string()),
        };
        self.results.push(record([
            ("name", Value::str(&subject.name)),
            ("group", Value::str(&subject.group)),
            ("status", Value::Int(status.code())),
            ("description", Value::Str(description)),
        ]));
    }
}
