//! The order in which a pool hands out events, followed from the outside: the oldest first, and what a listener gave
//! back before anything else, the last one first.

use std::collections::BTreeMap;

use crate::core::effect::ProcId;
use crate::core::supervisor::Supervisor;

/// What is known of one pool.
#[derive(Default)]
struct Order {
    /// The highest serial that was handed out.
    highest: Option<u64>,
    /// Given back by listeners, the next one to be handed out last.
    returned: Vec<u64>,
}

/// What happened in one input, and the orders of all pools. Serials are the global ones, which no pool uses twice.
#[derive(Default)]
pub(super) struct Orders {
    /// By the first process of the group: a group that is added again is another one.
    pools: BTreeMap<ProcId, Order>,
    given_back: Option<(ProcId, u64)>,
    handed_out: Vec<(ProcId, u64)>,
}

impl Orders {
    /// A listener rejected an event, failed on it, or ended while it worked on it. One input brings one at most.
    pub(super) fn give_back(&mut self, listener: ProcId, serial: u64) {
        assert!(self.given_back.replace((listener, serial)).is_none(), "two events at once");
    }

    /// A listener was handed an event.
    pub(super) fn hand_out(&mut self, listener: ProcId, serial: u64) {
        self.handed_out.push((listener, serial));
    }

    /// The input is handled: whether everything went out in order. Nothing is handed out before the buffers are as
    /// they will be.
    pub(super) fn check(&mut self, supervisor: &Supervisor) {
        if let Some((listener, serial)) = self.given_back.take()
            && let Some(order) = self.of_listener(supervisor, listener)
        {
            order.returned.push(serial);
        }
        // Of a flood of discarded events the log tells the number only. What was given back waits or is handed out, or it
        // was pushed out by others.
        for (listener, order) in &mut self.pools {
            let pool = supervisor.pools.values().find(|pool| pool.has(*listener));
            order.returned.retain(|serial| {
                pool.is_some_and(|pool| pool.holds(*serial))
                    || self.handed_out.iter().any(|(_, handed)| handed == serial)
            });
        }
        for (listener, serial) in std::mem::take(&mut self.handed_out) {
            let order = self.of_listener(supervisor, listener).expect("an active group");
            match order.returned.pop() {
                Some(next) => assert_eq!(serial, next, "handed out before what was given back"),
                None => assert!(order.highest < Some(serial), "event {serial} handed out too late"),
            }
            order.highest = order.highest.max(Some(serial));
        }
    }

    fn of_listener(&mut self, supervisor: &Supervisor, listener: ProcId) -> Option<&mut Order> {
        let group =
            supervisor.roster.groups().find(|(_, group)| group.members.contains(&listener))?.1;
        Some(self.pools.entry(*group.members.first()?).or_default())
    }
}
