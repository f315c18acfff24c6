//! The one table of what becomes due by itself: timer → deadline, soonest first.
//!
//! A [`Timer`] says who waits and for what; a process may wait for several things at once. Each is set where its reason
//! changes, and the table alone says when the core is to be woken.
//!
//! A new [`Kind`] of a process is a variant, its place in [`Kind::ALL`], its [`Lane`], and its arms in `Process::due` and
//! `Process::become_due`; a new [`Timer`] of the house is a variant, its lane, and its arm in `machine::become_due`.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::effect::ProcId;

/// What a process waits for that it does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// To be started: for the first time, for a client, or once more after a failure.
    Start,
    /// To be started again, after it ended by itself.
    Restart,
    /// To be given up, after the last failure.
    GiveUp,
    /// To be RUNNING: `startsecs` are over.
    Survive,
    /// To be killed: `stopwaitsecs` are over.
    Kill,
    /// To be done with the rest of its group: its leader has ended.
    Part,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::Start, Kind::Restart, Kind::GiveUp, Kind::Survive, Kind::Kill, Kind::Part];
}

/// What can become due: who waits, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A process acts.
    Process(ProcId, Kind),
    /// Who waits for the stop of a process says so again.
    StopReport(ProcId),
    /// A period of the clock begins that listeners want to hear of.
    Tick,
    /// Events are handed out again, after a listener was too slow or rejected everything.
    EventRetry,
    /// The shutdown goes on without what listeners should still have heard.
    LastEvents,
    /// The shutdown says again who holds it up.
    ShutdownReport,
}

/// What is due together is done lane by lane; in a lane, what was due first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Lines of the log that calls bring about: before the calls are looked at.
    Reports,
    /// The clock and the listeners: before processes act.
    House,
    /// What processes do, but for starts.
    Steps,
    /// Starts take turns with the steps. Each takes a fork, and a fleet of them must hold up neither a stop nor anybody
    /// who asks: so many an input, see [`Timers::due`].
    Starts,
}

impl Timer {
    fn lane(self) -> Lane {
        match self {
            Timer::StopReport(_) => Lane::Reports,
            Timer::Tick | Timer::EventRetry | Timer::LastEvents | Timer::ShutdownReport => {
                Lane::House
            }
            Timer::Process(_, Kind::GiveUp | Kind::Survive | Kind::Kill | Kind::Part) => {
                Lane::Steps
            }
            Timer::Process(_, Kind::Start | Kind::Restart) => Lane::Starts,
        }
    }

    /// Whether a process starts when this is due.
    pub(super) fn is_start(self) -> bool {
        self.lane() == Lane::Starts
    }
}

/// Whether starts have their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Starts {
    /// They have.
    May,
    /// There were enough of them for one input.
    Wait,
}

/// One lane, soonest first.
type Queue = BTreeSet<(Duration, Timer)>;

/// All deadlines, on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// By [`Lane`].
    lanes: [Queue; 4],
    deadlines: HashMap<Timer, Duration>,
}

impl Timers {
    /// Sets a timer, or stops it.
    pub(super) fn set(&mut self, timer: Timer, deadline: Option<Duration>) {
        let before = match deadline {
            Some(deadline) => self.deadlines.insert(timer, deadline),
            None => self.deadlines.remove(&timer),
        };
        if before == deadline {
            return;
        }
        let lane = &mut self.lanes[timer.lane() as usize];
        if let Some(before) = before {
            lane.remove(&(before, timer));
        }
        if let Some(deadline) = deadline {
            lane.insert((deadline, timer));
        }
    }

    /// When a timer is due, if it is set.
    pub(super) fn deadline(&self, timer: Timer) -> Option<Duration> {
        self.deadlines.get(&timer).copied()
    }

    /// The timer whose time has come first. It stays set until it is set anew.
    pub(super) fn due(&self, now: Duration, starts: Starts) -> Option<Timer> {
        let first = |lane: Lane| self.lane(lane).first().filter(|(deadline, _)| *deadline <= now);
        let starts = first(Lane::Starts).filter(|_| starts == Starts::May);
        let act = first(Lane::Steps).into_iter().chain(starts).min();
        first(Lane::Reports).or(first(Lane::House)).or(act).map(|(_, timer)| *timer)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Duration> {
        self.lanes.iter().filter_map(|lane| lane.first()).map(|(deadline, _)| *deadline).min()
    }

    /// Whether processes wait for their first start, which is due from the beginning of time.
    pub(super) fn first_starts_wait(&self) -> bool {
        self.lane(Lane::Starts).first().is_some_and(|(deadline, _)| deadline.is_zero())
    }

    fn lane(&self, lane: Lane) -> &Queue {
        &self.lanes[lane as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ProcId = ProcId(1);
    const B: ProcId = ProcId(2);

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn table(entries: &[(Timer, u64)]) -> Timers {
        let mut timers = Timers::default();
        entries.iter().for_each(|(timer, secs)| timers.set(*timer, Some(at(*secs))));
        timers
    }

    /// Everything that is due, in the order in which it is done.
    fn all_due(mut timers: Timers, secs: u64) -> Vec<Timer> {
        let next = || {
            let timer = timers.due(at(secs), Starts::May)?;
            timers.set(timer, None);
            Some(timer)
        };
        std::iter::from_fn(next).collect()
    }

    /// A kind that is not among all is never set; a new one does not compile here before it is thought of.
    #[test]
    fn all_kinds_are_among_all() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            let expected = match kind {
                Kind::Start => 0,
                Kind::Restart => 1,
                Kind::GiveUp => 2,
                Kind::Survive => 3,
                Kind::Kill => 4,
                Kind::Part => 5,
            };
            assert_eq!(place, expected);
        }
    }

    #[test]
    fn a_process_may_wait_for_several_things() {
        let (start, kill) = (Timer::Process(A, Kind::Start), Timer::Process(A, Kind::Kill));
        let mut timers = table(&[(start, 3), (kill, 5)]);
        assert_eq!((timers.next(), timers.deadline(kill)), (Some(at(3)), Some(at(5))));
        timers.set(start, Some(at(9)));
        assert_eq!((timers.next(), timers.due(at(4), Starts::May)), (Some(at(5)), None));
        timers.set(kill, None);
        assert_eq!(timers.due(at(9), Starts::May), Some(start));
        timers.set(start, None);
        assert_eq!((timers.next(), timers.deadlines.len()), (None, 0));
    }

    #[test]
    fn starts_wait_for_their_turn_and_hold_up_nothing() {
        let (start, kill) = (Timer::Process(A, Kind::Start), Timer::Process(B, Kind::Kill));
        let timers = table(&[(start, 0), (kill, 5)]);
        assert!(timers.first_starts_wait());
        assert_eq!(timers.due(at(5), Starts::May), Some(start));
        assert_eq!(timers.due(at(5), Starts::Wait), Some(kill));
        assert!(!table(&[(start, 1), (kill, 0)]).first_starts_wait());
    }

    #[test]
    fn what_is_due_together_is_done_in_order() {
        let timers = [
            Timer::Process(B, Kind::Start),
            Timer::Process(A, Kind::Kill),
            Timer::Process(B, Kind::Survive),
            Timer::Tick,
            Timer::StopReport(B),
        ];
        let together: Vec<_> = timers.iter().map(|timer| (*timer, 7)).collect();
        let order = [timers[4], timers[3], timers[1], timers[0], timers[2]];
        assert_eq!(all_due(table(&together), 7), order);
        // Of two processes the one that waited longer comes first.
        assert_eq!(all_due(table(&[(timers[1], 7), (timers[0], 6)]), 7), [timers[0], timers[1]]);
    }
}
