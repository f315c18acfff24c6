//! Time as the core is told it: a deadline clock that only goes forward and a wall clock that is only reported.

use std::time::Duration;

/// The present moment, handed in with every input. The core never asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time since an arbitrary start; every deadline lives here.
    pub mono: Duration,
    /// Wall-clock time since the Unix epoch; only reported to people and clients.
    pub wall: Duration,
    /// Offset of local time from UTC at this moment, in seconds east.
    pub utc_offset_secs: i32,
}

impl Now {
    /// The moment before the first input: nothing has happened yet, nobody has looked at a clock.
    pub const BEGINNING: Now =
        Now { mono: Duration::ZERO, wall: Duration::ZERO, utc_offset_secs: 0 };

    /// Whole seconds since the Unix epoch.
    pub fn wall_secs(self) -> i64 {
        i64::try_from(self.wall.as_secs()).unwrap_or(i64::MAX)
    }
}

/// When something happened, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) mono: Duration,
    pub(super) wall_secs: i64,
    pub(super) utc_offset_secs: i32,
}

impl From<Now> for Moment {
    fn from(now: Now) -> Moment {
        Moment { mono: now.mono, wall_secs: now.wall_secs(), utc_offset_secs: now.utc_offset_secs }
    }
}

/// Deadline `secs` after `from`; negative amounts count as none, absurd ones saturate.
pub(crate) fn after_secs(from: Duration, secs: i64) -> Duration {
    from.saturating_add(Duration::from_secs(u64::try_from(secs).unwrap_or(0)))
}
