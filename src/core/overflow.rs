//! What is said of events that a pool had no room for: some one by one, of a flood their number.

use std::time::Duration;

/// Lines about discarded events that are written one by one within [`OVERFLOW_PERIOD`]; the others are counted.
const OVERFLOW_LINES: u32 = 20;

/// How often the others are told of.
const OVERFLOW_PERIOD: Duration = Duration::from_secs(1);

/// What is said of events that were discarded.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    began: Duration,
    lines: u32,
    unsaid: u64,
}

impl Overflow {
    /// An event was discarded: whether that is to be said at once.
    pub(super) fn count(&mut self, now: Duration) -> bool {
        if now >= self.began.saturating_add(OVERFLOW_PERIOD) && self.unsaid == 0 {
            *self = Overflow { began: now, ..Overflow::default() };
        }
        let say = self.lines < OVERFLOW_LINES;
        self.lines += u32::from(say);
        self.unsaid += u64::from(!say);
        say
    }

    /// When the others are to be told of.
    pub(super) fn deadline(&self) -> Option<Duration> {
        (self.unsaid > 0).then(|| self.began.saturating_add(OVERFLOW_PERIOD))
    }

    /// How many there were, when it is time to say so.
    pub(super) fn report(&mut self, now: Duration) -> Option<u64> {
        self.deadline().filter(|due| *due <= now)?;
        let unsaid = self.unsaid;
        // A flood that goes on gets its lines one by one no more.
        *self = Overflow { began: now, lines: OVERFLOW_LINES, unsaid: 0 };
        Some(unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discarded_events_are_told_one_by_one_and_then_counted() {
        let (mut overflow, second) = (Overflow::default(), OVERFLOW_PERIOD);
        let now = Duration::from_secs(100);
        let said = (0..50).filter(|_| overflow.count(now)).count();
        assert_eq!(said, OVERFLOW_LINES as usize);
        assert_eq!((overflow.deadline(), overflow.report(now)), (Some(now + second), None));
        assert_eq!(overflow.report(now + second), Some(30));
        assert_eq!(overflow.deadline(), None);
        // A flood that goes on is counted; one that begins anew is told.
        assert!(!overflow.count(now + second) && overflow.report(now + 2 * second) == Some(1));
        assert!(overflow.count(now + 3 * second));
    }
}
