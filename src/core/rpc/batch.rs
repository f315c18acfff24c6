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
}

impl Operation {
    fn applies_to(&self, state: ProcessState) -> bool {
        match self {
            Operation::Start { .. } => !state.is_running(),
            Operation::Stop { .. } => state.is_running(),
            Operation::Signal(_) => state.is_signallable(),
            Operation::ClearLogs => true,
        }
    }
}

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
}

impl Batch {
    /// Nothing done yet.
    pub(super) fn new(operation: Operation, processes: Vec<ProcId>) -> Batch {
        Batch { operation, remaining: processes.into(), waiting: Vec::new(), results: Vec::new() }
    }

    /// Processes it has not looked at.
    pub(super) fn len(&self) -> usize {
        self.remaining.len()
    }

    /// Makes the calls that are due, then looks at those that wait; all results once none does.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, moved: &mut bool) -> Option<Value> {
        loop {
            self.make_calls(context, moved);
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
        let one_at_a_time = matches!(self.operation, Operation::ClearLogs);
        while (!one_at_a_time || self.waiting.is_empty())
            && let Some(id) = self.remaining.pop_front()
        {
            *moved = true;
            let Some(process) = context.supervisor.process(id) else { continue };
            if !self.operation.applies_to(process.state()) {
                continue;
            }
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
