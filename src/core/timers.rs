//! When processes have something to do, soonest first.
//!
//! Starts have a lane of their own: each takes a fork, and a fleet of them must hold up neither a stop nor anybody who
//! asks.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::effect::{ProcId, earliest};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A process is to be started.
    Starts,
    /// Anything else.
    Steps,
}

/// The deadlines of all processes, on the monotonic clock: at most one each.
#[derive(Debug, Default)]
pub(super) struct Timers {
    starts: BTreeSet<(Duration, ProcId)>,
    steps: BTreeSet<(Duration, ProcId)>,
    of: HashMap<ProcId, (Lane, Duration)>,
}

impl Timers {
    /// Sets or removes the deadline of a process.
    pub(super) fn set(&mut self, id: ProcId, timer: Option<(Lane, Duration)>) {
        let before = match timer {
            Some(timer) => self.of.insert(id, timer),
            None => self.of.remove(&id),
        };
        if before == timer {
            return;
        }
        if let Some((lane, deadline)) = before {
            self.lane(lane).remove(&(deadline, id));
        }
        if let Some((lane, deadline)) = timer {
            self.lane(lane).insert((deadline, id));
        }
    }

    /// The process whose time has come first, and what it is to do; without those that are to be started, if they have to
    /// wait for another turn.
    pub(super) fn due(&self, now: Duration, starts_may: bool) -> Option<(Lane, ProcId)> {
        let first = |lane: &BTreeSet<(Duration, ProcId)>| lane.first().copied();
        let start = first(&self.starts).filter(|_| starts_may).map(|entry| (entry, Lane::Starts));
        let step = first(&self.steps).map(|entry| (entry, Lane::Steps));
        let ((deadline, id), lane) =
            start.into_iter().chain(step).min_by_key(|(entry, _)| *entry)?;
        (deadline <= now).then_some((lane, id))
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Duration> {
        earliest(
            [&self.starts, &self.steps].map(|lane| lane.first().map(|(deadline, _)| *deadline)),
        )
    }

    /// Whether processes wait for their first start, which is due from the beginning of time.
    pub(super) fn first_starts_wait(&self) -> bool {
        self.starts.first().is_some_and(|(deadline, _)| deadline.is_zero())
    }

    fn lane(&mut self, lane: Lane) -> &mut BTreeSet<(Duration, ProcId)> {
        match lane {
            Lane::Starts => &mut self.starts,
            Lane::Steps => &mut self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_one_deadline_in_one_lane() {
        let mut timers = Timers::default();
        let (a, b, at) = (ProcId(1), ProcId(2), Duration::from_secs);
        timers.set(a, Some((Lane::Starts, at(3))));
        timers.set(b, Some((Lane::Steps, at(5))));
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!((timers.due(at(2), true), timers.due(at(3), false)), (None, None));
        assert_eq!(timers.due(at(5), true), Some((Lane::Starts, a)));
        assert_eq!(timers.due(at(5), false), Some((Lane::Steps, b)));
        timers.set(a, Some((Lane::Steps, at(9))));
        assert_eq!(timers.due(at(9), true), Some((Lane::Steps, b)));
        timers.set(b, None);
        timers.set(a, None);
        assert_eq!(timers.next(), None);
        timers.set(a, Some((Lane::Starts, Duration::ZERO)));
        assert!(timers.first_starts_wait());
    }
}
