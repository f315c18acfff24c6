//! Calls that answer later, by what they wait for: a call is looked at when that has changed, and nothing polls.
//!
//! Each thing that is waited for is told once: a process that changed ([`Supervisor::changed`]), a job that is done, a
//! line that is due, a turn that is given. It wakes the calls that wait for it, and those are looked at in the order they
//! came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

use super::private;
use super::tickets::{Key, Tickets, Watch};
use super::wait::Wait;
use crate::core::effect::{Caller, Effect, JobId, JobOutcome, ProcId, ReplyId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::outside::Outside;
use crate::core::supervisor::Supervisor;
use crate::core::timers::Timer;

/// A call that has not been answered.
#[derive(Debug)]
struct Pending {
    caller: Caller,
    wait: Wait,
    /// It is among those that wait for a turn.
    put_off: bool,
}

/// The calls that have not been answered.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// In the order they came, which is that of their ids.
    pending: BTreeMap<ReplyId, Pending>,
    tickets: Tickets,
    /// Those that are to be looked at.
    woken: BTreeSet<ReplyId>,
    /// Those that wait for their turn, the next one first.
    put_off: VecDeque<ReplyId>,
}

impl Calls {
    /// A call waits for something, which may have come true.
    pub(super) fn wait(&mut self, reply: ReplyId, caller: Caller, wait: Wait) {
        wait.begin(0, &mut Watch { call: reply, tickets: &mut self.tickets });
        self.pending.insert(reply, Pending { caller, wait, put_off: false });
        self.woken.insert(reply);
    }

    /// Looks at the calls that were woken, in the order they came; again from the first while what they do wakes others.
    /// Whether there were any.
    pub(in crate::core) fn poll(
        &mut self,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
    ) -> bool {
        self.wake_changed(supervisor);
        let mut last = None;
        while let Some(reply) = self.next_woken(last) {
            last = Some(reply);
            self.look_at(reply, supervisor, outside);
            self.wake_changed(supervisor);
        }
        last.is_some()
    }

    /// The next one to be looked at after another one.
    fn next_woken(&mut self, last: Option<ReplyId>) -> Option<ReplyId> {
        let after = last.and_then(|last| self.woken.range((Excluded(last), Unbounded)).next());
        let next = after.or(self.woken.first()).copied()?;
        self.woken.remove(&next);
        Some(next)
    }

    fn look_at(&mut self, reply: ReplyId, supervisor: &mut Supervisor, outside: &mut Outside<'_>) {
        let Some(pending) = self.pending.get_mut(&reply) else {
            return;
        };
        outside.caller = pending.caller;
        let mut watch = Watch { call: reply, tickets: &mut self.tickets };
        if let Some(result) = pending.wait.poll(supervisor, outside, &mut watch) {
            self.pending.remove(&reply);
            outside.effect(Effect::Reply { reply, result });
        } else if pending.wait.has_had_its_turn() && !std::mem::replace(&mut pending.put_off, true)
        {
            self.put_off.push_back(reply);
        }
    }

    fn wake_changed(&mut self, supervisor: &mut Supervisor) {
        while let Some(process) = supervisor.changed.pop() {
            self.wake(Key::Process(process));
        }
    }

    /// Wakes who waits for the stop of a process, to say so again.
    pub(in crate::core) fn wake_for_report(&mut self, process: ProcId) {
        self.wake(Key::Process(process));
    }

    fn wake(&mut self, key: Key) {
        for ticket in self.tickets.get(&key).map(Vec::as_slice).unwrap_or_default() {
            if let Some(pending) = self.pending.get_mut(&ticket.call) {
                pending.wait.stir(ticket.place);
                self.woken.insert(ticket.call);
            }
        }
    }

    /// Whether a call waits for a process.
    #[cfg(test)]
    pub(in crate::core) fn wait_for(&self, process: ProcId) -> bool {
        self.tickets.contains_key(&Key::Process(process))
    }

    /// Whether there is one ticket for everything that a call waits for, and no other.
    #[cfg(test)]
    pub(in crate::core) fn tickets_are_true(&self) -> bool {
        let mut waited_for: Vec<(Key, ReplyId)> = Vec::new();
        for (reply, pending) in &self.pending {
            pending.wait.each_key(&mut |key| waited_for.push((key, *reply)));
        }
        let tickets = self.tickets.values().map(Vec::len).sum::<usize>();
        tickets == waited_for.len()
            && waited_for.iter().all(|(key, reply)| {
                let tickets = self.tickets.get(key);
                tickets.is_some_and(|tickets| tickets.iter().any(|ticket| ticket.call == *reply))
            })
    }

    /// Whether a call could go on, but for others that are to have a turn first.
    pub(in crate::core) fn wait_for_turn(&self) -> bool {
        !self.put_off.is_empty()
    }

    /// Lets the call that was put off first go on for a while. It may be gone.
    pub(in crate::core) fn give_turn(&mut self) {
        let Some(reply) = self.put_off.pop_front() else {
            return;
        };
        if let Some(pending) = self.pending.get_mut(&reply) {
            pending.put_off = false;
            pending.wait.give_turn();
            self.woken.insert(reply);
        }
    }

    /// The client of a call went away.
    pub(in crate::core) fn hang_up(&mut self, reply: ReplyId, supervisor: &mut Supervisor) {
        let Some(pending) = self.pending.remove(&reply) else {
            return;
        };
        self.woken.remove(&reply);
        let tickets = &mut self.tickets;
        pending.wait.each_key(&mut |key| {
            Watch { call: reply, tickets: &mut *tickets }.end(key);
            // Nobody is left who waits for the stop of that process.
            if let Key::Process(process) = key
                && !tickets.contains_key(&key)
            {
                supervisor.timers.set(Timer::StopReport(process), None);
            }
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
            JobOutcome::Program { processes, group, add } => {
                private::take_program(supervisor, outside, processes, &group, add.as_deref())
            }
            JobOutcome::Judged(judgement) => {
                supervisor.judged(job, &judgement, outside);
                return;
            }
        };
        let key = Key::Job(job);
        // Nobody may be waiting any more: the client hung up.
        let Some(ticket) = self.tickets.get(&key).and_then(|tickets| tickets.first().copied())
        else {
            return;
        };
        if let Some(pending) = self.pending.get_mut(&ticket.call) {
            pending.wait.answer_job(ticket.place, answer);
        }
        self.wake(key);
    }
}
