//! A lock on a name, so that two daemons that take the same one do so one after the other.
//!
//! It is a file beside the name that exists only while it is held, and that nobody else may open; the system lets go of
//! it when its holder dies. Whoever gets hold of a file that was removed meanwhile starts over.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::{Identity, Place};

/// How often a lock that another daemon holds is asked for.
const PAUSE: Duration = Duration::from_millis(10);

/// What came of locking a name.
#[derive(Debug)]
pub(crate) enum Lock {
    /// It is ours, until it is dropped.
    Held(#[allow(dead_code, reason = "whoever has it only drops it")] NameLock),
    /// Another daemon has held it all the time.
    Busy,
    /// There can be none here: the directory cannot be written to, the file system knows no locks, or somebody else has
    /// put something in its place.
    Unavailable,
}

/// A lock that is held.
#[derive(Debug)]
pub(crate) struct NameLock {
    place: Place,
    _file: File,
}

impl Drop for NameLock {
    fn drop(&mut self) {
        // Before it is let go, so that nobody waits for a file that is gone and takes it for the lock.
        let _ = self.place.remove();
    }
}

impl Place {
    /// Locks the name against other daemons, waiting so long at most. Blocks.
    #[expect(
        clippy::disallowed_methods,
        reason = "it blocks, and no event loop is there to lend a clock"
    )]
    pub(crate) fn lock(&self, patience: Duration) -> Lock {
        let place = self.sibling(".lock");
        let deadline = Instant::now() + patience;
        loop {
            let Ok(file) = open_own(&place) else { return Lock::Unavailable };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Lock::Busy,
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::Error(_)) => return Lock::Unavailable,
            }
            match file.metadata() {
                Ok(found) if place.holds(Identity::from(&found)) => {
                    return Lock::Held(NameLock { place, _file: file });
                }
                Ok(_) => {} // removed by who had it before
                Err(_) => return Lock::Unavailable,
            }
        }
    }
}

/// The file, which nobody else could have opened.
fn open_own(place: &Place) -> io::Result<File> {
    let file = place.open(OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NONBLOCK, 0o600)?;
    let found = file.metadata()?;
    let is_own = found.is_file() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0;
    if is_own { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}
