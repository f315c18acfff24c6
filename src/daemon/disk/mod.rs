//! The disk thread: the only place that reads or writes log files, and that talks to the syslog daemon.
//!
//! One queue of messages leads to the thread; it is processed strictly in order, so a read sees every byte pushed
//! before it. Bytes are counted per sink: a sink whose file is slow tells its producer to pause (`Pushed::Full`), and
//! nobody else. A target that can make a writer wait (pipe, terminal, socket) is only ever written without blocking;
//! while it does not take bytes, its sink is *parked*: its own bytes wait, the messages of all others go on.
//!
//! The thread sleeps in poll(2) on an eventfd and on the parked targets. It never runs on a timer. Where the system allows
//! no thread, the supervision thread does its work (`lane`).

mod apart;
mod files;
mod lane;
mod output;
mod queue;
mod reads;
mod rotation;
mod sink;
mod syslog;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod thread;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::event::Channel;
use crate::core::fault::{Fault, FaultCode};
use crate::core::states::Level;
use crate::core::tally::LogTallies;
use crate::core::value::Value;
use crate::daemon::excerpt::{self, Excerpt, NoExcerpt, Part};
use apart::Apart;
use lane::Lane;
pub(crate) use output::errno_text;
use queue::{Account, Message, Queue, SinkId};
pub(crate) use reads::{Followed, Probe, open_regular, read_up_to};
pub(crate) use syslog::{SyslogSink, WASTE_PAUSE};

/// Bytes queued for a sink at which its producer is asked to pause: enough to ride out a slow moment of the disk at
/// full speed, little enough to be harmless for hundreds of programs.
pub(crate) const HIGH_WATER_BYTES: usize = 1 << 20;

/// Bytes queued at which a paused producer may go on.
const LOW_WATER_BYTES: usize = HIGH_WATER_BYTES / 2;

/// Bytes queued beyond which data is dropped. Reached only by producers that cannot pause: the last output of a
/// program that exits, and the main log.
pub(crate) const HARD_CAP_BYTES: usize = 4 << 20;

/// How long `shutdown` waits for targets that take no bytes.
const PARKED_GRACE: Duration = Duration::from_secs(1);

/// How long `shutdown` waits for the thread itself, which a dead network file system may hold for ever.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(5);

/// What the disk thread has to say to the main log.
pub(crate) type Reports = Box<dyn Fn(Level, String) + Send>;

/// Handle of the disk thread.
#[derive(Clone, Debug)]
pub struct Disk {
    queue: Arc<Queue>,
    lane: Arc<Mutex<Lane>>,
    apart: Apart,
}

/// Where a sink writes and when it rotates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSpec {
    /// The file, or a pipe, terminal or device; `/dev/stdout` and `/dev/stderr` work whatever they are.
    pub path: PathBuf,
    /// Size that triggers rotation; 0 or less means never.
    pub max_bytes: i64,
    /// Rotated files kept; with 0 or less the file is emptied instead.
    pub backups: i64,
    /// Whose output it is, for messages, e.g. `cat stdout`.
    pub owner: String,
}

/// What became of a pushed chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Queued.
    Accepted,
    /// Queued (or, beyond [`HARD_CAP_BYTES`], dropped); pause until [`Sink::ready`].
    Full,
}

/// Which files `clear` may find missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A missing file is created.
    Fine,
    /// A missing file is an error of kind `NotFound`.
    IsAnError,
}

/// One log file being written. Dropping the last clone closes it once its bytes are written.
#[derive(Clone, Debug)]
pub struct Sink {
    shared: Arc<SinkShared>,
}

#[derive(Debug)]
struct SinkShared {
    id: SinkId,
    account: Arc<Account>,
    queue: Arc<Queue>,
}

impl Drop for SinkShared {
    fn drop(&mut self) {
        self.queue.send(Message::Close(self.id));
    }
}

impl Disk {
    /// Starts the thread. Do this after the last fork that is not followed by exec. Where there can be no thread that is
    /// said, and [`Disk::work_here`] does its work.
    ///
    /// # Errors
    /// When the system has no more descriptors.
    pub fn start(reports: Reports) -> io::Result<Disk> {
        let queue = Arc::new(Queue::new()?);
        let lane = Arc::new(Mutex::new(Lane::start(&queue, reports)));
        Ok(Disk { queue, lane, apart: Apart::default() })
    }

    /// A source of lines for the syslog daemon at `path`.
    pub fn open_syslog(&self, path: &Path) -> SyslogSink {
        SyslogSink::new(path, &self.queue)
    }

    /// Opens a sink. The file is opened on the disk thread; a failure is said in the main log and tried again with
    /// the next chunk. Bytes still waiting for the same parked target from an earlier sink are taken over.
    pub fn open_sink(&self, spec: SinkSpec) -> Sink {
        self.open_with(spec, Account::default(), None)
    }

    /// The same for a log of a program: what becomes of its bytes is counted.
    pub fn open_counted_sink(
        &self,
        spec: SinkSpec,
        logs: Arc<LogTallies>,
        channel: Channel,
    ) -> Sink {
        self.open_with(spec, Account::counted(logs, channel), None)
    }

    /// The same, but what is held is written to until the path is to be opened anew.
    pub fn open_sink_on(&self, spec: SinkSpec, held: Option<HeldOutput>) -> Sink {
        self.open_with(spec, Account::default(), held)
    }

    fn open_with(&self, spec: SinkSpec, account: Account, held: Option<HeldOutput>) -> Sink {
        let (id, account) = (self.queue.next_id(), Arc::new(account));
        self.queue.send(Message::Open(id, spec, Arc::clone(&account), held));
        Sink { shared: Arc::new(SinkShared { id, account, queue: Arc::clone(&self.queue) }) }
    }

    /// Makes sure a log file exists, created empty and private to its owner (`options.py: mktempfile`).
    pub fn create_log(&self, path: impl Into<PathBuf>) {
        self.queue.send(Message::Create(path.into()));
    }

    /// Answers `readLog` and `readProcess*Log` (`options.py: readFile`): a string; bytes that are not UTF-8 become
    /// U+FFFD. At most [`reads::ANSWER_LIMIT_BYTES`] are returned. Faults: NO_FILE, BAD_ARGUMENTS, FAILED.
    pub fn read_log(
        &self,
        path: &str,
        offset: i64,
        length: i64,
    ) -> impl Future<Output = Result<Value, Fault>> + use<> {
        let path = path.to_string();
        flatten(self.ask(move || reads::read_log(&path, offset, length)))
    }

    /// Answers `tailProcess*Log` (`options.py: tailFile`): `[text, file size, overflow]`.
    pub fn tail_log(
        &self,
        path: &str,
        offset: i64,
        length: i64,
    ) -> impl Future<Output = Result<Value, Fault>> + use<> {
        let path = path.to_string();
        flatten(self.ask(move || Ok(reads::tail_log(&path, offset, length))))
    }

    /// Runs something that reads files. A panic in it ends it and nothing else.
    pub fn run(&self, work: Box<dyn FnOnce() + Send>) {
        self.queue.send(Message::Run(work));
    }

    /// Resolves when everything pushed so far is written, but for what waits in parked sinks.
    pub fn flush(&self) -> impl Future<Output = ()> + use<> {
        let written = self.ask(|| ());
        async move {
            let _ = written.await;
        }
    }

    /// Runs something that may wait for others than disks (a name service, say), apart from all log files: one after the
    /// other, on a thread that lives as long as there is something to run.
    pub fn run_apart(&self, work: Box<dyn FnOnce() + Send>) {
        for refused in self.apart.run(work) {
            self.run(refused);
        }
    }

    /// Writes what is queued (waiting about a second for parked targets, a few for a hung disk), then ends the
    /// thread. Blocks; call it outside the event loop. Whatever is pushed later is lost.
    pub fn shutdown(&self) {
        let mut lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        let ending = std::mem::replace(&mut *lane, Lane::Closed);
        drop(lane);
        self.queue.send(Message::Shutdown);
        ending.finish(&self.queue);
    }

    /// Runs `question` on the thread; `None` when the thread ended first. Queued now, not when polled.
    pub(super) fn ask<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        question: F,
    ) -> impl Future<Output = Option<T>> + use<T, F> {
        let (answer, answered) = oneshot::channel();
        self.run(Box::new(move || {
            let _ = answer.send(question()); // the asker may have gone away
        }));
        async move { answered.await.ok() }
    }

    /// Opens a file to follow; `None` when it is missing, unreadable or not a regular file.
    pub(crate) fn open_followed(
        &self,
        path: &Path,
    ) -> impl Future<Output = Option<Followed>> + use<> {
        let (path, queue) = (path.to_path_buf(), Arc::clone(&self.queue));
        let opened = self.ask(move || Followed::open(&path, &queue).ok());
        async move { opened.await.flatten() }
    }

    /// Reads part of a log.
    pub(crate) fn excerpt(
        &self,
        path: &Path,
        part: Part,
    ) -> impl Future<Output = Result<Excerpt, NoExcerpt>> + use<> {
        let path = path.to_path_buf();
        let read = self.ask(move || excerpt::read(&path, part));
        async move { read.await.unwrap_or(Err(NoExcerpt::Failed)) }
    }

    /// Looks for news in a followed file; `None` when the thread ended.
    pub(crate) fn probe(
        &self,
        followed: &Arc<Followed>,
        path: &Path,
        position: u64,
    ) -> impl Future<Output = Option<io::Result<Probe>>> + use<> {
        let (followed, path) = (Arc::clone(followed), path.to_path_buf());
        self.ask(move || followed.probe(&path, position))
    }
}

/// A pipe, terminal or file of others that was opened before the daemon left the terminal, where its path may lead to
/// something else later (`/dev/stdout`).
#[derive(Debug)]
pub struct HeldOutput(output::Opened);

/// Opens a log for writing (it is created if it is missing) and keeps what its path need not lead to later. For the start,
/// before the disk thread exists: the reference refuses to start without its main log.
///
/// # Errors
/// Those of the system.
pub(crate) fn try_log(path: &Path) -> io::Result<Option<HeldOutput>> {
    let opened = output::Output::open(path)?;
    Ok((!opened.output.is_log()).then_some(HeldOutput(opened)))
}

/// Waits for all of what was asked of sinks; the first failure counts.
pub(super) async fn first_failure(
    asked: impl IntoIterator<Item = impl Future<Output = io::Result<()>>>,
) -> io::Result<()> {
    let mut result = Ok(());
    for one in asked {
        result = result.and(one.await);
    }
    result
}

async fn flatten(
    answer: impl Future<Output = Option<Result<Value, Fault>>>,
) -> Result<Value, Fault> {
    answer.await.unwrap_or_else(|| Err(Fault::bare(FaultCode::ShutdownState)))
}

impl Sink {
    /// Queues a chunk. Rotation happens between chunks, never inside one.
    pub fn push(&self, bytes: Vec<u8>) -> Pushed {
        let SinkShared { id, account, queue } = &*self.shared;
        if bytes.is_empty() {
            return if account.is_full() { Pushed::Full } else { Pushed::Accepted };
        }
        if !account.charge(bytes.len()) {
            if account.count_dropped(bytes.len()) {
                queue.send(Message::Dropping(*id));
            }
            return Pushed::Full;
        }
        let length = bytes.len();
        if !queue.send(Message::Chunk(*id, bytes)) {
            account.release(length);
        }
        if account.is_full() { Pushed::Full } else { Pushed::Accepted }
    }

    /// Resolves when less than half of [`HIGH_WATER_BYTES`] is queued (at once if that is so already).
    pub fn ready(&self) -> impl Future<Output = ()> + use<> {
        let account = Arc::clone(&self.shared.account);
        async move { account.drained().await }
    }

    /// Closes the file and opens its path anew (`FileHandler.reopen`); bytes pushed before go to the old file. If
    /// that fails, it is said in the main log, the old file goes on being written, and every later chunk tries again.
    /// Queued now, whether the answer is awaited or not.
    pub fn reopen(&self) -> impl Future<Output = io::Result<()>> + use<> {
        let (answer, answered) = oneshot::channel();
        self.shared.queue.send(Message::Reopen(self.shared.id, answer));
        async move { answered.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())) }
    }

    /// Removes the file and opens it anew (`FileHandler.remove`, `reopen`): what was pushed before is gone. Pipes,
    /// terminals and devices are left alone, where the reference would unlink them.
    pub fn clear(&self, missing: Missing) -> impl Future<Output = io::Result<()>> + use<> {
        let (answer, answered) = oneshot::channel();
        self.shared.queue.send(Message::Clear(self.shared.id, missing, answer));
        async move { answered.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())) }
    }
}
