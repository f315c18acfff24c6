//! TICK events: a period of the wall clock has begun (`supervisord.py: tick`).
//!
//! Nothing is due for a period that nobody subscribes to, so a daemon without tick listeners never wakes up for one.

use std::time::Duration;

use super::clock::Now;
use super::effect::earliest;
use super::event::{Event, EventKind, TickPeriod};

/// A wall clock that was set back by a moment is looked at again after this time at the soonest.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// One period.
#[derive(Clone, Copy, Debug)]
struct Beat {
    period: TickPeriod,
    /// Unix time at which the current period began.
    began: Option<u64>,
    due: Option<Duration>,
}

/// All periods.
#[derive(Debug)]
pub(super) struct Ticker {
    beats: [Beat; 3],
}

impl Ticker {
    /// Nobody subscribes to anything.
    pub(super) fn new() -> Ticker {
        Ticker { beats: TickPeriod::ALL.map(|period| Beat { period, began: None, due: None }) }
    }

    /// Begins and stops watching periods, after a change of subscriptions.
    pub(super) fn watch(&mut self, wanted: impl Fn(EventKind) -> bool) {
        for beat in &mut self.beats {
            if !wanted(EventKind::Tick(beat.period)) {
                (beat.began, beat.due) = (None, None);
            } else if beat.due.is_none() {
                // The next look at the clock tells which period it is.
                beat.due = Some(Duration::ZERO);
            }
        }
    }

    /// When [`Ticker::tick`] has something to do, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<Duration> {
        earliest(self.beats.map(|beat| beat.due))
    }

    /// The periods that have begun since the last look.
    pub(super) fn tick(&mut self, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        for beat in &mut self.beats {
            if beat.due.is_none_or(|due| due > now.mono) {
                continue;
            }
            let length = beat.period.secs();
            let into = Duration::new(now.wall.as_secs() % length, now.wall.subsec_nanos());
            let wait = Duration::from_secs(length).saturating_sub(into).max(LEAST_WAIT);
            beat.due = Some(now.mono.saturating_add(wait));
            let begins = now.wall.as_secs() - now.wall.as_secs() % length;
            if beat.began.replace(begins).is_some_and(|before| before != begins) {
                events.push(Event::tick(beat.period, begins));
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64, wall_ms: u64) -> Now {
        Now {
            mono: Duration::from_millis(mono_ms),
            wall: Duration::from_millis(wall_ms),
            utc_offset_secs: 0,
        }
    }

    fn payloads(events: &[Event]) -> Vec<String> {
        events.iter().map(|event| format!("{} {}", event.kind().name(), event.payload())).collect()
    }

    #[test]
    fn nothing_is_due_for_nobody() {
        let mut ticker = Ticker::new();
        assert_eq!(ticker.deadline(), None);
        ticker.watch(|kind| kind == EventKind::Tick(TickPeriod::Minute));
        assert_eq!(ticker.deadline(), Some(Duration::ZERO));
        assert_eq!(ticker.tick(at(1_000, 59_500)), []);
        assert_eq!(ticker.deadline(), Some(Duration::from_millis(1_500)));
        ticker.watch(|_| false);
        assert_eq!(ticker.deadline(), None);
        assert_eq!(ticker.tick(at(9_000, 90_000)), []);
    }

    #[test]
    fn periods_follow_the_wall_clock() {
        let mut ticker = Ticker::new();
        ticker.watch(|_| true);
        assert_eq!(ticker.tick(at(0, 3_594_000)), []);
        assert_eq!(payloads(&ticker.tick(at(1_000, 3_595_000))), ["TICK_5 when:3595"]);
        assert_eq!(ticker.tick(at(1_000, 3_595_000)), []);
        let all = ["TICK_5 when:3600", "TICK_60 when:3600", "TICK_3600 when:3600"];
        assert_eq!(payloads(&ticker.tick(at(6_000, 3_600_000))), all);
        // The clock is set forward by an hour, then back by a moment before a period begins.
        assert_eq!(payloads(&ticker.tick(at(11_000, 7_209_999))), ["TICK_5 when:7205"]);
        assert_eq!(ticker.tick(at(11_001, 7_209_999)), []);
        assert_eq!(payloads(&ticker.tick(at(11_002, 7_210_000))), ["TICK_5 when:7210"]);
    }
}
