//! The open files, each of them once, whatever path led to it.
//!
//! Several sinks may write to one file: processes of one program with one `stdout_logfile`, both channels of a process, the
//! main log and a program, `/dev/stdout` under its many names. Whether two paths mean the same file is asked of the file
//! (device and inode), never of their spelling. Who shares a file shares its size, so that it is rotated once and everybody
//! goes on in the new one, and takes turns where it makes them wait, so that no chunk is cut by another.
//!
//! Where the users of a file want different sizes or numbers of backups, the smallest size counts (nobody's limit is
//! exceeded), and the most backups (nobody loses what they asked to keep).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::output::{Opened, Output};
use super::rotation::{self, Turn};
use crate::place::{Identity, Place};

/// All files that are open. Who locks this and a file, locks this first.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenFiles {
    by_identity: Arc<Mutex<HashMap<Identity, Weak<Mutex<Shared>>>>>,
}

/// When a file is rotated, and how many of its past are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Size that triggers rotation; 0 or less means never.
    pub(super) max_bytes: i64,
    /// Rotated files kept; with 0 or less the file is emptied instead.
    pub(super) backups: i64,
}

/// One user's hold on an open file.
#[derive(Debug)]
pub(super) struct LogFile {
    shared: Arc<Mutex<Shared>>,
    user: UserId,
    /// What was written to last; what to wait for while it takes nothing.
    output: Arc<Output>,
    files: OpenFiles,
}

/// What became of a rotation.
#[derive(Debug)]
pub(super) enum Rotation {
    /// It was not due.
    NotDue,
    /// The file is a new one, or empty.
    Done,
    /// Nothing has changed, and the file grows.
    Failed(io::Error),
    /// The path has no file any more: it is to be opened anew.
    Gone,
}

type UserId = u64;

#[derive(Debug)]
struct Shared {
    identity: Identity,
    output: Arc<Output>,
    users: BTreeMap<UserId, Limits>,
    next_user: UserId,
    /// Who waits until the file takes bytes; the first may have written part of a chunk.
    waiting: VecDeque<UserId>,
    /// No rotation before this size, since one has failed.
    retry_at: u64,
    /// It was handed to the daemon as its output, too. Others may write to it, so it is never rotated.
    fixed: bool,
    /// The path leads elsewhere by now.
    gone: bool,
    /// An error that another opening of the same file may mend.
    broken: bool,
}

impl OpenFiles {
    /// Opens what a path leads to. Who holds the same file already keeps their place in it.
    pub(super) fn open(
        &self,
        path: &Path,
        limits: Limits,
        held: Option<LogFile>,
    ) -> Result<LogFile, (io::Error, Option<LogFile>)> {
        let opened = match Output::open(path) {
            Ok(opened) => opened,
            Err(error) => return Err((error, held)),
        };
        Ok(self.join(opened, limits, held))
    }

    /// A hold on what was opened, together with all others who hold the same file.
    pub(super) fn join(&self, opened: Opened, limits: Limits, held: Option<LogFile>) -> LogFile {
        let identity = opened.identity;
        let mut files = lock(&self.by_identity);
        let shared = match files.get(&identity).and_then(Weak::upgrade) {
            Some(shared) => {
                lock(&shared).meet(opened);
                shared
            }
            None => {
                let shared = Arc::new(Mutex::new(Shared::new(opened)));
                files.insert(identity, Arc::downgrade(&shared));
                shared
            }
        };
        let file = match held {
            Some(mut file) if Arc::ptr_eq(&file.shared, &shared) => {
                file.limit(limits);
                file.output = Arc::clone(&lock(&shared).output);
                file
            }
            // What was held is let go of when nothing is locked any more.
            _ => LogFile::of(shared, limits, self.clone()),
        };
        drop(files);
        file
    }

    /// Removes a log and makes it anew for everybody who writes to it.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn clear(&self, place: &Place) -> io::Result<()> {
        let Some(found) = place.metadata()? else {
            return Ok(());
        };
        let identity = Identity::from(&found);
        let known = lock(&self.by_identity).get(&identity).and_then(Weak::upgrade);
        place.remove()?;
        let fresh = Output::successor(place, &found);
        match (fresh, known) {
            (Ok(fresh), Some(shared)) => self.install(&shared, fresh),
            (Ok(_), None) => {}
            (Err(error), known) => {
                if let Some(shared) = known {
                    lock(&shared).gone = true;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Puts another file in the place of one, for all its users.
    fn install(&self, shared: &Arc<Mutex<Shared>>, opened: Opened) {
        let mut files = lock(&self.by_identity);
        let mut state = lock(shared);
        files.remove(&state.identity);
        files.insert(opened.identity, Arc::downgrade(shared));
        state.identity = opened.identity;
        state.output = Arc::new(opened.output);
        state.retry_at = 0;
    }
}

impl Shared {
    fn new(opened: Opened) -> Shared {
        Shared {
            identity: opened.identity,
            fixed: opened.output.is_inherited_file(),
            output: Arc::new(opened.output),
            users: BTreeMap::new(),
            next_user: 0,
            waiting: VecDeque::new(),
            retry_at: 0,
            gone: false,
            broken: false,
        }
    }

    /// The same file was opened once more. The old opening is kept (closing a FIFO may lose what is in it) unless the new
    /// one is better.
    fn meet(&mut self, again: Opened) {
        let inherited = again.output.is_inherited_file();
        self.gone = false;
        self.fixed |= inherited;
        // What was inherited need not append.
        if self.broken || (self.output.is_inherited_file() && !inherited) {
            self.output = Arc::new(again.output);
            self.broken = false;
        }
    }

    fn max_bytes(&self) -> Option<u64> {
        let sizes = self.users.values().filter_map(|limits| u64::try_from(limits.max_bytes).ok());
        sizes.filter(|size| *size > 0).min()
    }

    fn backups(&self) -> i64 {
        self.users.values().map(|limits| limits.backups).max().unwrap_or(0)
    }
}

impl LogFile {
    fn of(shared: Arc<Mutex<Shared>>, limits: Limits, files: OpenFiles) -> LogFile {
        let mut state = lock(&shared);
        let (user, output) = (state.next_user, Arc::clone(&state.output));
        state.next_user += 1;
        state.users.insert(user, limits);
        drop(state);
        LogFile { shared, user, output, files }
    }

    /// Whether the path has to be opened anew.
    pub(super) fn is_gone(&self) -> bool {
        lock(&self.shared).gone
    }

    /// What this user wants from now on.
    pub(super) fn limit(&mut self, limits: Limits) {
        lock(&self.shared).users.insert(self.user, limits);
    }

    /// Writes some of the bytes; `WouldBlock` when the file takes none now, or others are to write first. Whoever has got
    /// this is to go on writing when [`Self::as_fd`] is writable, until the chunk is [`finished`](Self::finish).
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.shared);
        let first = state.waiting.front().copied();
        self.output = Arc::clone(&state.output);
        let result = match first {
            Some(first) if first != self.user => Err(io::ErrorKind::WouldBlock.into()),
            _ => self.output.write(bytes),
        };
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            && !state.waiting.contains(&self.user)
        {
            state.waiting.push_back(self.user);
        }
        result
    }

    /// A chunk is written, or given up: the next who waits may write.
    pub(super) fn finish(&mut self) {
        lock(&self.shared).waiting.retain(|user| *user != self.user);
    }

    /// The opening is of no use any more; another one may be.
    pub(super) fn mark_broken(&mut self) {
        lock(&self.shared).broken = true;
    }

    /// Rotates the file if that is due, for all its users.
    pub(super) fn rotate_if_due(&mut self, path: &Path) -> Rotation {
        let (identity, output, limit, backups) = {
            let state = lock(&self.shared);
            if state.fixed || state.gone || !state.output.is_log() {
                return Rotation::NotDue;
            }
            let Some(limit) = state.max_bytes() else {
                return Rotation::NotDue;
            };
            let due = |size: u64| size >= limit && size >= state.retry_at;
            if !state.output.size().is_some_and(due) {
                return Rotation::NotDue;
            }
            (state.identity, Arc::clone(&state.output), limit, state.backups())
        };
        match rotation::turn(path, identity, &output, backups) {
            Ok(Turn::Emptied) => Rotation::Done,
            Ok(Turn::Next(opened)) => {
                self.files.install(&self.shared, opened);
                Rotation::Done
            }
            Ok(Turn::Gone) => {
                lock(&self.shared).gone = true;
                Rotation::Gone
            }
            Err(error) => {
                // Not with every chunk: the file grows by another `max_bytes` first.
                let size = output.size().unwrap_or(0);
                lock(&self.shared).retry_at = size.saturating_add(limit);
                Rotation::Failed(error)
            }
        }
    }

    /// What to wait for after `WouldBlock`.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        let mut files = lock(&self.files.by_identity);
        let mut state = lock(&self.shared);
        state.waiting.retain(|user| *user != self.user);
        state.users.remove(&self.user);
        let is_this = |known: &Weak<_>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&self.shared));
        if state.users.is_empty() && files.get(&state.identity).is_some_and(is_this) {
            files.remove(&state.identity);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
