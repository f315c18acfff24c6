//! The way to the disk thread: one ordered queue of messages, and an account of the bytes queued for each sink.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::{Notify, oneshot};

use super::syslog::Lines;
use super::{HARD_CAP_BYTES, HIGH_WATER_BYTES, HeldOutput, LOW_WATER_BYTES, Missing, SinkSpec};
use crate::core::event::Channel;
use crate::core::tally::{LogTallies, LogTally};

/// What a queued chunk costs besides its bytes; keeps a program that prints single bytes from filling memory with
/// bookkeeping that nobody counts.
const CHUNK_OVERHEAD_BYTES: usize = 128;

/// Identity of a sink; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SinkId(u64);

/// One thing for the disk thread to do.
pub(super) enum Message {
    /// With what is open already and is not to be opened by its path.
    Open(SinkId, SinkSpec, Arc<Account>, Option<HeldOutput>),
    Chunk(SinkId, Vec<u8>),
    Reopen(SinkId, oneshot::Sender<io::Result<()>>),
    Clear(SinkId, Missing, oneshot::Sender<io::Result<()>>),
    Close(SinkId),
    /// Bytes of this sink were dropped for the first time since it last kept up.
    Dropping(SinkId),
    Create(PathBuf),
    /// For the syslog daemon at this path.
    Syslog(Arc<Path>, Lines),
    Run(Box<dyn FnOnce() + Send>),
    Shutdown,
}

/// The queue. Its length is bounded by the accounts of the sinks and by the requests under way.
#[derive(Debug)]
pub(super) struct Queue {
    messages: Mutex<Messages>,
    wake: EventFd,
    ids: AtomicU64,
}

#[derive(Default)]
struct Messages {
    queue: VecDeque<Message>,
    closed: bool,
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("queued", &self.queue.len()).finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn new() -> io::Result<Queue> {
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Queue { messages: Mutex::default(), wake, ids: AtomicU64::new(0) })
    }

    pub(super) fn next_id(&self) -> SinkId {
        SinkId(self.ids.fetch_add(1, Ordering::Relaxed))
    }

    /// Queues a message; false (and the message is gone) when the thread has ended.
    pub(super) fn send(&self, message: Message) -> bool {
        let mut messages = self.lock();
        if messages.closed {
            return false;
        }
        messages.queue.push_back(message);
        let was_empty = messages.queue.len() == 1;
        drop(messages);
        if was_empty {
            let _ = self.wake.write(1); // fails only when the counter is full, and then it wakes anyway
        }
        true
    }

    /// Everything queued.
    pub(super) fn take(&self) -> VecDeque<Message> {
        let _ = self.wake.read(); // nothing to read is fine
        std::mem::take(&mut self.lock().queue)
    }

    /// Everything queued; refuses messages from now on.
    pub(super) fn close(&self) -> VecDeque<Message> {
        let mut messages = self.lock();
        messages.closed = true;
        std::mem::take(&mut messages.queue)
    }

    /// Readable when there may be messages.
    pub(super) fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes on their way to one sink.
#[derive(Debug, Default)]
pub(super) struct Account {
    queued: AtomicUsize,
    dropped: AtomicU64,
    /// What came last was lost, because nobody is there to take it.
    wasted: AtomicBool,
    drained: Notify,
    /// Where the bytes of a program's log are counted.
    tally: Option<(Arc<LogTallies>, Channel)>,
}

impl Account {
    /// The account of a channel of a program.
    pub(super) fn counted(logs: Arc<LogTallies>, channel: Channel) -> Account {
        Account { tally: Some((logs, channel)), ..Account::default() }
    }

    fn tally(&self) -> Option<&LogTally> {
        self.tally.as_ref().map(|(logs, channel)| logs.of(*channel))
    }

    /// Bytes are in the file.
    pub(super) fn count_written(&self, length: usize) {
        self.tally().into_iter().for_each(|tally| tally.add_written(length));
    }

    /// Bytes never will be.
    pub(super) fn count_lost(&self, length: usize) {
        self.tally().into_iter().for_each(|tally| tally.add_dropped(length));
    }

    /// Counts a chunk in; false when that would exceed the hard cap.
    pub(super) fn charge(&self, length: usize) -> bool {
        let cost = length.saturating_add(CHUNK_OVERHEAD_BYTES);
        let before = self.queued.fetch_add(cost, Ordering::Relaxed);
        // An empty queue takes a chunk of any size: it exists already, and holding it costs nothing more.
        if before != 0 && before.saturating_add(cost) > HARD_CAP_BYTES {
            self.queued.fetch_sub(cost, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Counts a chunk out and wakes the producer when the queue is half empty.
    pub(super) fn release(&self, length: usize) {
        let cost = length.saturating_add(CHUNK_OVERHEAD_BYTES);
        // Saturating: `abandon` may have come between a charge and its release.
        let Ok(before) = self.queued.fetch_update(Ordering::AcqRel, Ordering::Acquire, |queued| {
            Some(queued.saturating_sub(cost))
        }) else {
            return;
        };
        if before >= LOW_WATER_BYTES && before.saturating_sub(cost) < LOW_WATER_BYTES {
            self.drained.notify_waiters();
        }
    }

    /// Whether what came last was lost, because nobody is there to take it.
    pub(super) fn is_wasted(&self) -> bool {
        self.wasted.load(Ordering::Relaxed)
    }

    /// Keeps what became of what came last.
    pub(super) fn set_wasted(&self, wasted: bool) {
        self.wasted.store(wasted, Ordering::Relaxed);
    }

    /// Forgets everything queued, because it will never be written.
    pub(super) fn abandon(&self) {
        self.queued.store(0, Ordering::Release);
        self.drained.notify_waiters();
    }

    /// Takes over the chunk costs of an earlier account.
    pub(super) fn take_over(&self, earlier: &Account) {
        self.queued.fetch_add(earlier.queued.load(Ordering::Acquire), Ordering::AcqRel);
    }

    pub(super) fn is_full(&self) -> bool {
        self.queued.load(Ordering::Acquire) >= HIGH_WATER_BYTES
    }

    /// Adds to the dropped bytes; true for the first since they were last taken.
    pub(super) fn count_dropped(&self, length: usize) -> bool {
        self.count_lost(length);
        self.dropped.fetch_add(length as u64, Ordering::AcqRel) == 0
    }

    /// The bytes dropped, if any, once the queue is half empty again.
    pub(super) fn take_dropped_if_drained(&self) -> Option<u64> {
        if self.dropped.load(Ordering::Acquire) == 0
            || self.queued.load(Ordering::Acquire) >= LOW_WATER_BYTES
        {
            return None;
        }
        Some(self.dropped.swap(0, Ordering::AcqRel))
    }

    /// Resolves when the queue is at most half full.
    pub(super) async fn drained(&self) {
        loop {
            let notified = self.drained.notified(); // before the check, so no wake-up is missed
            if self.queued.load(Ordering::Acquire) < LOW_WATER_BYTES {
                return;
            }
            notified.await;
        }
    }
}
