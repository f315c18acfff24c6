//! The loop of the disk thread, and what it does.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::files::OpenFiles;
use super::output::{create_private, errno_text};
use super::queue::{Account, Message, Queue, SinkId};
use super::sink::LogSink;
use super::syslog::SyslogQueue;
use super::{HeldOutput, PARKED_GRACE, Reports, SinkSpec};
use crate::core::states::Level;
use crate::native;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    End,
}

/// A target that takes no bytes now.
enum Parked {
    Sink(SinkId),
    Syslog(Arc<Path>),
}

/// The work of the disk thread, whoever does it.
pub(super) struct DiskWork {
    sinks: HashMap<SinkId, LogSink>,
    /// The sinks whose target takes no bytes now.
    parked: BTreeSet<SinkId>,
    files: OpenFiles,
    syslogs: HashMap<Arc<Path>, SyslogQueue>,
    reports: Reports,
}

impl DiskWork {
    pub(super) fn new(reports: Reports) -> DiskWork {
        let (sinks, parked, files, syslogs) = Default::default();
        DiskWork { sinks, parked, files, syslogs, reports }
    }

    /// Runs until a `Shutdown` message.
    pub(super) fn run(&mut self, queue: &Queue) {
        while self.process(queue.take()) == Next::GoOn {
            self.sleep(Some(queue.wake_fd()), PollTimeout::NONE);
        }
        self.finish(queue);
    }

    /// Does what was asked for.
    pub(super) fn process(&mut self, messages: VecDeque<Message>) -> Next {
        let mut next = Next::GoOn;
        for message in messages {
            match message {
                Message::Open(id, spec, account, held) => self.open(id, spec, account, held),
                Message::Chunk(id, chunk) => {
                    self.with(id, |sink, reports| sink.write(chunk, reports));
                }
                Message::Reopen(id, answer) => self.with(id, |sink, reports| {
                    let _ = answer.send(sink.reopen(reports)); // the asker may not want to know
                }),
                Message::Clear(id, missing, answer) => self.with(id, |sink, reports| {
                    let _ = answer.send(sink.clear(missing, reports)); // the asker may be gone
                }),
                Message::Close(id) => self.close(id),
                Message::Dropping(id) => {
                    self.with(id, |sink, reports| sink.report_dropping(reports));
                }
                Message::Create(path) => self.create(&path),
                Message::Syslog(path, lines) => {
                    let fresh = || SyslogQueue::new(&path);
                    let queue = self.syslogs.entry(Arc::clone(&path)).or_insert_with(fresh);
                    queue.push(lines, &self.reports);
                }
                Message::Run(work) => self.run_one(work),
                Message::Shutdown => next = Next::End,
            }
        }
        next
    }

    /// Says something in the main log.
    pub(super) fn report(&self, level: Level, text: String) {
        (self.reports)(level, text);
    }

    /// What to wait for besides messages; duplicates.
    pub(super) fn parked_fds(&self) -> Vec<OwnedFd> {
        let duplicates = self.waiting().map(|(_, fd)| fd.try_clone_to_owned());
        // Without descriptors left it is looked at when something else happens.
        duplicates.filter_map(Result::ok).collect()
    }

    /// Writes what parked targets take now.
    pub(super) fn resume_parked(&mut self) {
        self.sleep(None, PollTimeout::ZERO);
    }

    fn open(
        &mut self,
        id: SinkId,
        spec: SinkSpec,
        account: Arc<Account>,
        held: Option<HeldOutput>,
    ) {
        // A program that is started again finds the bytes of its last run before its own, and however often it is
        // started there is one queue per path and owner.
        let earlier = self
            .parked
            .iter()
            .copied()
            .find(|parked| self.sinks.get(parked).is_some_and(|sink| sink.precedes(&spec)));
        let sink =
            match earlier.and_then(|earlier| self.sinks.remove(&earlier).map(|s| (earlier, s))) {
                Some((earlier, mut sink)) => {
                    self.parked.remove(&earlier);
                    self.parked.insert(id);
                    sink.adopt(spec, account);
                    sink
                }
                None => LogSink::open(spec, account, &self.files, held, &self.reports),
            };
        self.sinks.insert(id, sink);
    }

    fn close(&mut self, id: SinkId) {
        if self.sinks.get_mut(&id).is_some_and(LogSink::close) {
            self.sinks.remove(&id);
        }
    }

    /// Does something with a sink and keeps account of whether it is parked.
    fn with(&mut self, id: SinkId, action: impl FnOnce(&mut LogSink, &Reports)) {
        let Some(sink) = self.sinks.get_mut(&id) else {
            return;
        };
        action(sink, &self.reports);
        if sink.is_parked() {
            self.parked.insert(id);
        } else {
            self.parked.remove(&id);
            if sink.is_closed() {
                self.sinks.remove(&id);
            }
        }
    }

    fn create(&self, path: &Path) {
        if let Err(error) = create_private(path) {
            let text = format!(
                "could not create log file '{}': {}",
                native::text(path),
                errno_text(&error)
            );
            self.report(Level::Critical, text);
        }
    }

    fn run_one(&self, work: Box<dyn FnOnce() + Send>) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.report(Level::Critical, "a request to the disk thread panicked".to_string());
        }
    }

    /// Every target that takes no bytes now.
    fn waiting(&self) -> impl Iterator<Item = (Parked, BorrowedFd<'_>)> {
        let sinks = (self.parked.iter())
            .filter_map(|id| Some((Parked::Sink(*id), self.sinks.get(id)?.parked_fd()?)));
        let syslogs = (self.syslogs.iter()).filter_map(|(path, queue)| {
            Some((Parked::Syslog(Arc::clone(path)), queue.parked_fd()?))
        });
        sinks.chain(syslogs)
    }

    /// Waits for messages or for a parked target, then writes what parked targets take.
    fn sleep(&mut self, wake: Option<BorrowedFd<'_>>, timeout: PollTimeout) {
        let (parked, mut fds): (Vec<Parked>, Vec<PollFd<'_>>) = self
            .waiting()
            .map(|(parked, fd)| (parked, PollFd::new(fd, PollFlags::POLLOUT)))
            .unzip();
        fds.extend(wake.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        if !matches!(poll(&mut fds, timeout), Ok(_) | Err(Errno::EINTR)) {
            return; // out of memory: the next round tries again
        }
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        for (parked, _) in parked.into_iter().zip(ready).filter(|(_, ready)| *ready) {
            match parked {
                Parked::Sink(id) => self.with(id, |sink, reports| sink.resume(reports)),
                Parked::Syslog(path) => {
                    if let Some(queue) = self.syslogs.get_mut(&path) {
                        queue.resume(&self.reports);
                    }
                }
            }
        }
    }

    /// Gives parked targets a last chance, then lets nothing in any more.
    #[expect(clippy::disallowed_methods, reason = "the disk thread has no event loop")]
    fn finish(&mut self, queue: &Queue) {
        let deadline = Instant::now() + PARKED_GRACE;
        while !self.parked.is_empty() || self.syslogs.values().any(SyslogQueue::is_parked) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.sleep(None, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO));
        }
        let leftovers: Vec<(String, usize)> = (self.parked.iter())
            .filter_map(|id| self.sinks.get(id))
            .map(|sink| (native::text(sink.path()), sink.parked_bytes()))
            .collect();
        for (path, bytes) in leftovers {
            let text = format!("'{path}' takes no output; {bytes} bytes for it are lost at exit");
            self.report(Level::Critical, text);
        }
        for queue in self.syslogs.values_mut() {
            queue.finish(&self.reports);
        }
        // The reports above are the last that get in.
        self.process(queue.close());
        for sink in self.sinks.values() {
            sink.release_producer();
        }
    }
}
