//! The open files, each of them once, whatever path led to it.
//!
//! Several sinks may write to one file: processes of one program with one `stdout_logfile`, both channels of a process, the
//! main log and a program, `/dev/stdout` under its many names. Whether two paths mean the same file is asked of the file
//! (device and inode), never of their spelling. Who shares a file shares its size, so that it is rotated once and everybody
//! goes on in the new one, and takes turns where it makes them wait, so that no chunk is cut by another.
//!
//! Where the users of a file want different sizes or numbers of backups, the smallest size counts (nobody's limit is
//! exceeded), and the most backups (nobody loses what they asked to keep).

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::rc::{Rc, Weak};

use super::output::{Opened, Output};
use super::rotation::{self, Turn};
use crate::place::{Identity, Place};

/// All files that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenFiles {
    by_identity: Rc<RefCell<HashMap<Identity, Weak<RefCell<Shared>>>>>,
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
    shared: Rc<RefCell<Shared>>,
    user: UserId,
    /// What was written to last; what to wait for while it takes nothing.
    output: Rc<Output>,
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
    output: Rc<Output>,
    users: BTreeMap<UserId, Limits>,
    next_user: UserId,
    /// Who waits until the file takes bytes; the first may have written part of a chunk.
    waiting: VecDeque<UserId>,
    /// No rotation before this size, since one has failed.
    retry_at: u64,
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
        let identity = opened.identity;
        let known = self.by_identity.borrow().get(&identity).and_then(Weak::upgrade);
        let shared = match known {
            Some(shared) => {
                shared.borrow_mut().meet(opened);
                shared
            }
            None => {
                let shared = Rc::new(RefCell::new(Shared::new(opened)));
                self.by_identity.borrow_mut().insert(identity, Rc::downgrade(&shared));
                shared
            }
        };
        match held {
            Some(mut file) if Rc::ptr_eq(&file.shared, &shared) => {
                file.limit(limits);
                file.output = Rc::clone(&shared.borrow().output);
                Ok(file)
            }
            _ => Ok(LogFile::of(shared, limits, self.clone())),
        }
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
        let known = self.by_identity.borrow().get(&identity).and_then(Weak::upgrade);
        place.remove()?;
        let fresh = Output::successor(place, &found);
        match (fresh, known) {
            (Ok(fresh), Some(shared)) => self.install(&shared, fresh),
            (Ok(_), None) => {}
            (Err(error), known) => {
                if let Some(shared) = known {
                    shared.borrow_mut().gone = true;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Puts another file in the place of one, for all its users.
    fn install(&self, shared: &Rc<RefCell<Shared>>, opened: Opened) {
        let mut files = self.by_identity.borrow_mut();
        let mut state = shared.borrow_mut();
        files.remove(&state.identity);
        files.insert(opened.identity, Rc::downgrade(shared));
        state.identity = opened.identity;
        state.output = Rc::new(opened.output);
        state.retry_at = 0;
    }
}

impl Shared {
    fn new(opened: Opened) -> Shared {
        Shared {
            identity: opened.identity,
            output: Rc::new(opened.output),
            users: BTreeMap::new(),
            next_user: 0,
            waiting: VecDeque::new(),
            retry_at: 0,
            gone: false,
            broken: false,
        }
    }

    /// The same file was opened once more. The old opening is kept: closing a FIFO may lose what is in it. What was handed
    /// to the daemon as its output is not rotated from now on, because others write to it.
    fn meet(&mut self, again: Opened) {
        self.gone = false;
        if self.broken || again.output.is_inherited_file() {
            self.output = Rc::new(again.output);
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
    fn of(shared: Rc<RefCell<Shared>>, limits: Limits, files: OpenFiles) -> LogFile {
        let mut state = shared.borrow_mut();
        let (user, output) = (state.next_user, Rc::clone(&state.output));
        state.next_user += 1;
        state.users.insert(user, limits);
        drop(state);
        LogFile { shared, user, output, files }
    }

    /// Whether the path has to be opened anew.
    pub(super) fn is_gone(&self) -> bool {
        self.shared.borrow().gone
    }

    /// What this user wants from now on.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.shared.borrow_mut().users.insert(self.user, limits);
    }

    /// Writes some of the bytes; `WouldBlock` when the file takes none now, or others are to write first. Whoever has got
    /// this is to go on writing when [`Self::as_fd`] is writable, until the chunk is [`finished`](Self::finish).
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.borrow_mut();
        let first = state.waiting.front().copied();
        self.output = Rc::clone(&state.output);
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
        self.shared.borrow_mut().waiting.retain(|user| *user != self.user);
    }

    /// The opening is of no use any more; another one may be.
    pub(super) fn mark_broken(&mut self) {
        self.shared.borrow_mut().broken = true;
    }

    /// Rotates the file if that is due, for all its users.
    pub(super) fn rotate_if_due(&mut self, path: &Path) -> Rotation {
        let (identity, output, limit, backups) = {
            let state = self.shared.borrow();
            let Some(limit) = state.max_bytes().filter(|_| !state.gone) else {
                return Rotation::NotDue;
            };
            let due = |size: u64| size >= limit && size >= state.retry_at;
            if !state.output.size().is_some_and(due) {
                return Rotation::NotDue;
            }
            (state.identity, Rc::clone(&state.output), limit, state.backups())
        };
        match rotation::turn(path, identity, &output, backups) {
            Ok(Turn::Emptied) => Rotation::Done,
            Ok(Turn::Next(opened)) => {
                self.files.install(&self.shared, opened);
                Rotation::Done
            }
            Ok(Turn::Gone) => {
                self.shared.borrow_mut().gone = true;
                Rotation::Gone
            }
            Err(error) => {
                // Not with every chunk: the file grows by another `max_bytes` first.
                let size = output.size().unwrap_or(0);
                self.shared.borrow_mut().retry_at = size.saturating_add(limit);
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
        self.finish();
        let mut state = self.shared.borrow_mut();
        state.users.remove(&self.user);
        if !state.users.is_empty() {
            return;
        }
        let mut files = self.files.by_identity.borrow_mut();
        let is_this = files.get(&state.identity).is_some_and(|known| {
            std::ptr::eq(known.as_ptr(), Rc::as_ptr(&self.shared))
        });
        if is_this {
            files.remove(&state.identity);
        }
    }
}
