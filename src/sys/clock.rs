//! What time it is, and what the C library calls it here.
//!
//! Every form of TZ and every state of /etc/localtime means what it means to `date`, to the programs and to the
//! reference: all of them ask the C library. It looks when it is asked first, at the start of the daemon, and stays with
//! what it found, as it does in the reference; a machine that moves to another zone needs a new daemon.

use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::core::calendar::Civil;

/// Time since the Unix epoch; none before it.
#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
pub(crate) fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn wall_millis() -> i64 {
    i64::try_from(wall().as_millis()).unwrap_or(i64::MAX)
}

/// The clock of the kernel that only goes forward, as other programs read it, too; none where there is none.
#[expect(clippy::disallowed_methods, reason = "the one place where this clock is read")]
pub(crate) fn monotonic() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call writes a whole timespec where it succeeds, and nothing else.
    let time = unsafe {
        if libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) != 0 {
            return Duration::ZERO;
        }
        time.assume_init()
    };
    let secs = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    secs + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// What clocks show here, and how many milliseconds of the second have passed.
pub(crate) fn local_now() -> (Civil, u32) {
    let now = wall();
    (local(secs(now)), now.subsec_millis())
}

/// What clocks show here at a Unix time; UTC for those beyond all calendars.
pub(crate) fn local(unix_secs: i64) -> Civil {
    broken_down(unix_secs).unwrap_or_else(|| Civil::at(unix_secs))
}

/// By how much clocks here are ahead of UTC at a moment, in seconds. Where the C library counts leap seconds, they are
/// part of it.
pub(crate) fn offset_secs(wall: Duration) -> i32 {
    let now = secs(wall);
    i32::try_from(local(now).as_utc_secs() - now).unwrap_or(0)
}

fn secs(wall: Duration) -> i64 {
    i64::try_from(wall.as_secs()).unwrap_or(i64::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the C library is asked for local time"
)]
fn broken_down(unix_secs: i64) -> Option<Civil> {
    let time = libc::time_t::try_from(unix_secs).ok()?;
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live values of their types, and localtime_r fills the second or returns null; all-zero
    // is a valid `tm`. Nothing in this process changes its environment, which the C library may read.
    let tm = unsafe {
        if libc::localtime_r(&raw const time, tm.as_mut_ptr()).is_null() {
            return None;
        }
        tm.assume_init()
    };
    Some(Civil {
        year: i64::from(tm.tm_year) + 1900,
        month: usize::try_from(tm.tm_mon + 1).ok()?,
        day: i64::from(tm.tm_mday),
        hour: i64::from(tm.tm_hour),
        minute: i64::from(tm.tm_min),
        second: i64::from(tm.tm_sec),
    })
}
