//! The loop of the disk thread.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;

use super::output::{create_private, errno_text};
use super::queue::{Account, Inbox, Message, SinkId};
use super::sink::LogSink;
use super::{PARKED_GRACE, Reports, SinkSpec};
use crate::core::states::Level;
use crate::native;

/// Runs until a `Shutdown` message.
pub(super) fn run(inbox: &Inbox, reports: &Reports) {
    // Signals are the supervision thread's business; and a write to a closed pipe or beyond a file size limit must
    // be an error here, whatever the dispositions are.
    let _ = SigSet::all().thread_block();
    let mut disk = DiskThread { sinks: HashMap::new(), parked: BTreeSet::new(), reports };
    while disk.process(inbox.take()) == Next::GoOn {
        disk.sleep(Some(inbox.wake_fd()), PollTimeout::NONE);
    }
    disk.finish(inbox);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

struct DiskThread<'a> {
    sinks: HashMap<SinkId, LogSink>,
    /// The sinks whose target takes no bytes now.
    parked: BTreeSet<SinkId>,
    reports: &'a Reports,
}

impl DiskThread<'_> {
    fn process(&mut self, messages: VecDeque<Message>) -> Next {
        let mut next = Next::GoOn;
        for message in messages {
            match message {
                Message::Open(id, spec, account) => self.open(id, spec, account),
                Message::Chunk(id, chunk) => {
                    self.with(id, |sink, reports| sink.write(chunk, reports));
                }
                Message::Reopen(id) => {
                    // A failure is said by the sink.
                    self.with(id, |sink, reports| drop(sink.reopen(reports)));
                }
                Message::Clear(id, missing, answer) => self.with(id, |sink, reports| {
                    let _ = answer.send(sink.clear(missing, reports)); // the asker may be gone
                }),
                Message::Close(id) => self.close(id),
                Message::Dropping(id) => {
                    self.with(id, |sink, reports| sink.report_dropping(reports));
                }
                Message::Create(path) => self.create(&path),
                Message::Run(work) => self.run(work),
                Message::Shutdown => next = Next::End,
            }
        }
        next
    }

    fn open(&mut self, id: SinkId, spec: SinkSpec, account: Arc<Account>) {
        // A program that is started again finds the bytes of its last run before its own, and however often it is
        // started there is one queue per path.
        let earlier = self.parked.iter().copied().find(|parked| {
            self.sinks.get(parked).is_some_and(|sink| sink.is_closed() && sink.path() == spec.path)
        });
        let sink =
            match earlier.and_then(|earlier| self.sinks.remove(&earlier).map(|s| (earlier, s))) {
                Some((earlier, mut sink)) => {
                    self.parked.remove(&earlier);
                    self.parked.insert(id);
                    sink.adopt(spec, account);
                    sink
                }
                None => LogSink::open(spec, account, self.reports),
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
        action(sink, self.reports);
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
            (self.reports)(Level::Critical, text);
        }
    }

    fn run(&self, work: Box<dyn FnOnce() + Send>) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            (self.reports)(Level::Critical, "a request to the disk thread panicked".to_string());
        }
    }

    /// Waits for messages or for a parked target, then writes what parked targets take.
    fn sleep(&mut self, wake: Option<BorrowedFd<'_>>, timeout: PollTimeout) {
        let parked: Vec<(SinkId, BorrowedFd<'_>)> = self
            .parked
            .iter()
            .filter_map(|id| Some((*id, self.sinks.get(id)?.parked_fd()?)))
            .collect();
        let mut fds: Vec<PollFd<'_>> =
            parked.iter().map(|(_, fd)| PollFd::new(*fd, PollFlags::POLLOUT)).collect();
        fds.extend(wake.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        if !matches!(poll(&mut fds, timeout), Ok(_) | Err(Errno::EINTR)) {
            return; // out of memory: the next round tries again
        }
        let awake: Vec<SinkId> = parked
            .iter()
            .zip(&fds)
            .filter(|(_, fd)| fd.any().unwrap_or(false))
            .map(|((id, _), _)| *id)
            .collect();
        for id in awake {
            self.with(id, |sink, reports| sink.resume(reports));
        }
    }

    /// Gives parked targets a last chance, then lets nothing in any more.
    fn finish(&mut self, inbox: &Inbox) {
        let deadline = Instant::now() + PARKED_GRACE;
        while !self.parked.is_empty() {
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
            (self.reports)(Level::Critical, text);
        }
        // The reports above are the last that get in.
        self.process(inbox.close());
        for sink in self.sinks.values() {
            sink.release_producer();
        }
    }
}
