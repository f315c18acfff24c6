//! Who waits for what: the tickets of calls.

use std::collections::HashMap;

use crate::core::effect::{JobId, ProcId, ReplyId};

/// What others tell that a call may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A process is in another state.
    Process(ProcId),
    /// A job is done.
    Job(JobId),
}

/// Who waits: a call, and which of the things that it waits for this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) call: ReplyId,
    pub(super) place: usize,
}

/// Who waits for what.
pub(super) type Tickets = HashMap<Key, Vec<Ticket>>;

/// What one call waits for.
pub(super) struct Watch<'a> {
    pub(super) call: ReplyId,
    pub(super) tickets: &'a mut Tickets,
}

impl Watch<'_> {
    /// The call begins to wait for something, under a `place` of its own choice.
    pub(super) fn begin(&mut self, key: Key, place: usize) {
        self.tickets.entry(key).or_default().push(Ticket { call: self.call, place });
    }

    /// It waits for that no more.
    pub(super) fn end(&mut self, key: Key) {
        if let Some(tickets) = self.tickets.get_mut(&key) {
            tickets.retain(|ticket| ticket.call != self.call);
            if tickets.is_empty() {
                self.tickets.remove(&key);
            }
        }
    }
}
