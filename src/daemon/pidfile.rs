//! The pid file (`options.py: write_pidfile`, `cleanup`).
//!
//! Two daemons may be given the same file, and one may leave while the other comes. Each locks the file while it writes it
//! or removes it, and removes only what still says its own id. The directory may belong to others (see [`crate::place`]).

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

use crate::core::states::Level;
use crate::native;
use crate::place::{self, Identity, Place, Way};

/// How long another daemon may take to write or remove the file. Everybody who can read it can lock it, so nobody waits
/// for ever.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// How often a lock that is held is asked for.
const PAUSE: Duration = Duration::from_millis(10);

/// More than any process id takes.
const MAX_BYTES: u64 = 32;

/// A pid file that holds our process id.
#[derive(Debug)]
pub struct Pidfile {
    path: String,
    pid: u32,
}

impl Pidfile {
    /// Writes `pid` to the file, after daemonizing. Comes with the line for the main log; a file that could not be
    /// written is reported there, is not ours and is never removed.
    pub fn write(path: &str, pid: u32) -> (Option<Pidfile>, (Level, String)) {
        match write_to(&native::path(path), pid) {
            Ok(()) => {
                let line = (Level::Info, format!("supervisord started with pid {pid}"));
                (Some(Pidfile { path: path.to_string(), pid }), line)
            }
            Err(_) => (None, (Level::Critical, format!("could not write pidfile {path}"))),
        }
    }

    /// Removes the file, unless it is another daemon's by now, or no file at all (`/dev/null`); that it may be gone already
    /// is nobody's concern.
    pub fn remove(self) {
        let _ = self.try_remove();
    }

    fn try_remove(&self) -> io::Result<()> {
        let Way::Place(place) = place::find(&native::path(&self.path))? else { return Ok(()) };
        let mut file = place.open(OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Ok(());
        }
        lock(&file)?;
        let mut text = String::new();
        (&mut file).take(MAX_BYTES).read_to_string(&mut text)?;
        if text.trim_end().parse() == Ok(self.pid) && place.holds(Identity::from(&found)) {
            place.remove()?;
        }
        Ok(())
    }
}

fn write_to(path: &Path, pid: u32) -> io::Result<()> {
    let text = format!("{pid}\n");
    loop {
        let (mut file, place) = open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return file.write_all(text.as_bytes());
        }
        lock(&file)?;
        if place.is_some_and(|place| !place.holds(Identity::from(&found))) {
            continue; // a daemon that left has just removed it
        }
        file.set_len(0)?;
        file.rewind()?;
        return file.write_all(text.as_bytes());
    }
}

fn open(path: &Path) -> io::Result<(File, Option<Place>)> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NONBLOCK;
    match place::find(path)? {
        Way::Place(place) => Ok((place.open(flags, 0o666)?, Some(place))),
        Way::Stream(_) => Ok((place::open(path, flags, 0o666)?, None)),
    }
}

/// Locks the file until it is closed, where that can be had.
#[expect(clippy::disallowed_methods, reason = "before the event loop runs")]
fn lock(file: &File) -> io::Result<()> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(()) | Err(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn is_written_and_removed() {
        let dir = TempDir::new();
        let path = dir.write("x.pid", "a longer line of an earlier run\n");
        let (pidfile, line) = Pidfile::write(&path, 42);
        assert_eq!(line, (Level::Info, "supervisord started with pid 42".to_string()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "42\n");
        pidfile.unwrap().remove();
        assert!(!std::fs::exists(&path).unwrap());
    }

    #[test]
    fn one_that_cannot_be_written_is_not_ours() {
        let (pidfile, line) = Pidfile::write("/no/such/dir/x.pid", 42);
        assert!(pidfile.is_none());
        let expected = "could not write pidfile /no/such/dir/x.pid";
        assert_eq!(line, (Level::Critical, expected.to_string()));
    }

    #[test]
    fn one_that_is_another_daemons_by_now_stays() {
        let dir = TempDir::new();
        let path = dir.path("x.pid");
        let path = path.to_str().unwrap();
        let (first, _) = Pidfile::write(path, 42);
        let (second, _) = Pidfile::write(path, 43);
        first.unwrap().remove();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "43\n");
        second.unwrap().remove();
        assert!(!std::fs::exists(path).unwrap());
    }

    #[test]
    fn what_is_no_file_is_written_and_stays() {
        let dir = TempDir::new();
        let path = dir.path("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut reader = place::open(&path, OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0).unwrap();
        let (pidfile, _) = Pidfile::write(path.to_str().unwrap(), 42);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "42\n");
        pidfile.unwrap().remove();
        assert!(path.exists());
    }
}
