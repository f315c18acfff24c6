//! The calls on a whole group or on all processes (`rpcinterface.py: make_allfunc`).
//!
//! The order of the results is visible: first those that were decided when the call was made, then the others as
//! they complete.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::single;
use super::tickets::Watch;
use super::wait::{Answer, Wait};
use crate::core::effect::{Job, JobId, ProcId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::record;
use crate::core::namespec;
use crate::core::outside::Outside;
use crate::core::process::Process;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// What is done to each process.
#[derive(Debug)]
pub(super) enum Operation {
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
    fn applies_to(&self, process: &Process) -> bool {
        match self {
            Operation::Start { .. } => !process.state().is_running(),
            Operation::Stop { .. } => process.can_be_stopped(),
            Operation::Signal(_) => process.state().is_signallable(),
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

/// The process that was called on, as its result names it.
#[derive(Clone, Debug)]
pub(super) struct Callee {
    name: String,
    group: String,
}

/// Such a call under way.
#[derive(Debug)]
pub(crate) struct Batch {
    operation: Operation,
    /// A job begun beforehand that is not waited for yet.
    first: Option<(Callee, JobId)>,
    remaining: VecDeque<ProcId>,
    /// Those that are not over, by their place: in the order they were made.
    waiting: BTreeMap<usize, (Callee, Wait)>,
    /// Places of those that are to be looked at.
    stirred: BTreeSet<usize>,
    /// How many were made.
    made: usize,
    results: Vec<Value>,
    /// Calls left before others get a turn.
    turn: usize,
}

impl Batch {
    /// Nothing done yet.
    pub(super) fn new(operation: Operation, processes: Vec<ProcId>) -> Batch {
        let turn = operation.per_turn();
        Batch {
            operation,
            first: None,
            remaining: processes.into(),
            waiting: BTreeMap::new(),
            stirred: BTreeSet::new(),
            made: 0,
            results: Vec::new(),
            turn,
        }
    }

    /// The answer of a call that does this to each.
    pub(super) fn answer(operation: Operation, processes: Vec<ProcId>) -> Answer {
        Answer::Wait(Wait::Batch(Batch::new(operation, processes)))
    }

    /// The same, after a job that was begun already, of nobody of the processes: the first result is of this name.
    pub(super) fn after(self, name: &str, job: JobId) -> Batch {
        let callee = Callee { name: name.to_string(), group: name.to_string() };
        Batch { first: Some((callee, job)), ..self }
    }

    /// Whether it could go on, and has had its turn.
    pub(super) fn has_had_its_turn(&self) -> bool {
        self.turn == 0 && !self.remaining.is_empty()
    }

    /// Lets it go on for a while.
    pub(super) fn give_turn(&mut self) {
        self.turn = self.operation.per_turn();
    }

    /// What is waited for in a place is to be looked at.
    pub(super) fn stir(&mut self, place: usize) {
        self.stirred.insert(place);
    }

    /// What is waited for in a place.
    pub(super) fn waiting_mut(&mut self, place: usize) -> Option<&mut Wait> {
        self.waiting.get_mut(&place).map(|(_, wait)| wait)
    }

    /// Everything that is waited for.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Wait> {
        self.waiting.values().map(|(_, wait)| wait)
    }

    /// Processes it has not looked at.
    pub(super) fn len(&self) -> usize {
        self.remaining.len()
    }

    /// Makes the calls that are due, then looks at those whose time may have come; all results once none waits.
    pub(super) fn poll(
        &mut self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
        watch: &mut Watch<'_>,
    ) -> Option<Value> {
        loop {
            self.make_calls(supervisor, outside, watch);
            // What comes of calls is looked at when all are made: results that are there at once come first.
            if self.has_had_its_turn() {
                return None;
            }
            while let Some(place) = self.stirred.pop_first() {
                let Some(wait) = self.waiting_mut(place) else { continue };
                if let Some(result) = wait.poll(supervisor, outside, watch)
                    && let Some((callee, _)) = self.waiting.remove(&place)
                {
                    self.record(&callee, result.err());
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

    fn make_calls(
        &mut self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
        watch: &mut Watch<'_>,
    ) {
        if let Some((callee, id)) = self.first.take() {
            self.wait(callee, Wait::Job { id, answer: None }, watch);
        }
        let one_at_a_time = matches!(self.operation, Operation::ClearLogs | Operation::ReopenLogs);
        while self.turn > 0
            && (!one_at_a_time || self.waiting.is_empty())
            && let Some(id) = self.remaining.pop_front()
        {
            let Some(process) = supervisor.process(id) else { continue };
            if !self.operation.applies_to(process) {
                continue;
            }
            self.turn -= 1;
            let callee = Callee {
                name: process.config().name.clone(),
                group: process.group_name().to_string(),
            };
            match self.call(supervisor, outside, id, &callee) {
                Ok(Answer::Wait(wait)) => self.wait(callee, wait, watch),
                Ok(Answer::Value(_)) => self.record(&callee, None),
                Err(fault) => self.record(&callee, Some(fault)),
            }
        }
    }

    fn wait(&mut self, callee: Callee, wait: Wait, watch: &mut Watch<'_>) {
        let place = self.made;
        self.made += 1;
        wait.begin(place, watch);
        self.waiting.insert(place, (callee, wait));
        self.stirred.insert(place);
    }

    fn call(
        &self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
        id: ProcId,
        callee: &Callee,
    ) -> Result<Answer, Fault> {
        let name = namespec::join(&callee.group, &callee.name);
        match &self.operation {
            Operation::Start { wait } => single::start_one(supervisor, outside, id, &name, *wait),
            Operation::Stop { wait } => single::stop_one(supervisor, outside, id, &name, *wait),
            Operation::Signal(signal) => single::signal_one(supervisor, outside, id, &name, signal),
            Operation::ClearLogs => Ok(single::clear_one(supervisor, outside, id, name)),
            Operation::ReopenLogs => {
                let work = Job::ReopenProcessLogs { proc: id, name };
                Ok(single::on_open_logs(supervisor, outside, id, work))
            }
        }
    }

    fn record(&mut self, callee: &Callee, fault: Option<Fault>) {
        let (status, description) = match fault {
            Some(fault) => (fault.code, fault.text),
            None => (FaultCode::Success, "OK".to_string()),
        };
        self.results.push(record([
            ("name", Value::str(&callee.name)),
            ("group", Value::str(&callee.group)),
            ("status", Value::Int(status.code())),
            ("description", Value::Str(description)),
        ]));
    }
}
