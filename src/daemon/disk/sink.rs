//! One log file on the disk thread: opening, writing, rotating, and what to do when that fails.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use super::output::{self, Contents, Output, errno_text};
use super::queue::Account;
use super::{Missing, Reports, SinkSpec, rotation};
use crate::core::states::Level;
use crate::native;

/// A log file and the bytes that wait for it.
///
/// Once a file is open it is kept until another one is: whatever fails, bytes go on into the old file where there is
/// one. `stale` says that the path should be opened anew with the next chunk.
#[derive(Debug)]
pub(super) struct LogSink {
    spec: SinkSpec,
    account: Arc<Account>,
    output: Option<Output>,
    stale: bool,
    /// Chunks of a target that takes no bytes now. The first may be written in part.
    parked: VecDeque<Vec<u8>>,
    /// Bytes of the first parked chunk that are written.
    written: usize,
    /// An error was said and not yet repaired.
    trouble: Option<Trouble>,
    /// Size at which the next rotation is tried, after one has failed.
    rotate_at: u64,
    /// The handle is gone; what is parked is still to be written.
    closed: bool,
}

/// What was said, so that it is said once and taken back once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Output is being lost.
    Losing,
    /// The path cannot be opened; output goes to the file that was open before.
    KeepingOld,
    /// The file cannot be rotated; it grows.
    NotRotating,
}

/// What one attempt to write a chunk came to.
enum Progress {
    /// The chunk is finished with: written, or lost.
    Done,
    /// The target takes nothing now.
    Blocked,
}

impl LogSink {
    /// A sink for a path; opens the file.
    pub(super) fn open(spec: SinkSpec, account: Arc<Account>, reports: &Reports) -> LogSink {
        let mut sink = LogSink {
            rotate_at: rotation_limit(&spec),
            spec,
            account,
            output: None,
            stale: true,
            parked: VecDeque::new(),
            written: 0,
            trouble: None,
            closed: false,
        };
        let _ = sink.refresh(reports); // said there, tried again with the first chunk
        sink
    }

    /// Continues a closed sink whose bytes still wait for the same path, for a new handle.
    pub(super) fn adopt(&mut self, spec: SinkSpec, account: Arc<Account>) {
        account.take_over(&self.account);
        self.rotate_at = rotation_limit(&spec);
        self.spec = spec;
        self.account = account;
        self.closed = false;
    }

    pub(super) fn path(&self) -> &Path {
        &self.spec.path
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// What to wait for while parked.
    pub(super) fn parked_fd(&self) -> Option<BorrowedFd<'_>> {
        if self.parked.is_empty() { None } else { self.output.as_ref().map(Output::as_fd) }
    }

    /// The handle is gone. True when the sink can go too.
    pub(super) fn close(&mut self) -> bool {
        self.closed = true;
        self.parked.is_empty()
    }

    /// Bytes that wait for the target, for the last words.
    pub(super) fn parked_bytes(&self) -> usize {
        self.parked.iter().map(Vec::len).sum::<usize>() - self.written
    }

    /// The thread ends: nobody waits for this sink any more.
    pub(super) fn release_producer(&self) {
        self.account.abandon();
    }

    /// Writes a chunk, or parks it behind others.
    pub(super) fn write(&mut self, chunk: Vec<u8>, reports: &Reports) {
        self.parked.push_back(chunk);
        if self.parked.len() == 1 {
            self.resume(reports);
        }
    }

    /// Writes what is parked as far as the target takes it.
    pub(super) fn resume(&mut self, reports: &Reports) {
        while let Some(chunk) = self.parked.pop_front() {
            match self.progress(&chunk, reports) {
                Progress::Done => {
                    self.written = 0;
                    self.account.release(chunk.len());
                    self.rotate_if_due(reports);
                }
                Progress::Blocked => {
                    self.parked.push_front(chunk);
                    break;
                }
            }
        }
        if let Some(bytes) = self.account.take_dropped_if_drained() {
            let text = format!("dropped {bytes} bytes for {}", self.name());
            reports(Level::Critical, text);
        }
    }

    /// Says that the sink cannot keep up.
    pub(super) fn report_dropping(&self, reports: &Reports) {
        let text = format!("{} does not take output fast enough; some is dropped", self.name());
        reports(Level::Critical, text);
    }

    /// Opens the path anew.
    pub(super) fn reopen(&mut self, reports: &Reports) -> io::Result<()> {
        self.stale = true;
        let result = self.refresh(reports);
        self.resume(reports);
        result
    }

    /// Removes the file and opens the path anew.
    pub(super) fn clear(&mut self, missing: Missing, reports: &Reports) -> io::Result<()> {
        if missing == Missing::IsAnError && !self.spec.path.exists() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !output::is_removable(&self.spec.path) {
            return Ok(());
        }
        match std::fs::remove_file(&self.spec.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.reopen(reports)
    }

    fn progress(&mut self, chunk: &[u8], reports: &Reports) -> Progress {
        let _ = self.refresh(reports);
        let Some(output) = self.output.as_mut() else {
            return Progress::Done; // lost, and said
        };
        while self.written < chunk.len() {
            match output.write(&chunk[self.written..]) {
                Ok(0) => return self.lose(&io::ErrorKind::WriteZero.into(), reports),
                Ok(length) => self.written += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Blocked;
                }
                Err(error) => return self.lose(&error, reports),
            }
        }
        if self.trouble == Some(Trouble::Losing) {
            self.recover(reports);
        }
        Progress::Done
    }

    /// The rest of the chunk cannot be written.
    fn lose(&mut self, error: &io::Error, reports: &Reports) -> Progress {
        // These pass without a new file; for others (a dead terminal, a file server's stale handle) a new one may do.
        let passing = [Errno::EPIPE, Errno::ENOSPC, Errno::EDQUOT, Errno::EFBIG];
        self.stale |= !passing.iter().any(|errno| output::is(error, *errno));
        self.complain(Trouble::Losing, error, reports);
        Progress::Done
    }

    /// Opens the path if that is due; the old file stays when it fails.
    fn refresh(&mut self, reports: &Reports) -> io::Result<()> {
        if !self.stale {
            return Ok(());
        }
        match Output::open(&self.spec.path, Contents::Keep) {
            Ok(output) => {
                self.install(output);
                if self.trouble == Some(Trouble::KeepingOld) {
                    self.recover(reports);
                }
                Ok(())
            }
            Err(error) => {
                self.complain(self.trouble_without_path(), &error, reports);
                Err(error)
            }
        }
    }

    fn install(&mut self, output: Output) {
        self.output = Some(output);
        self.stale = false;
        self.rotate_at = rotation_limit(&self.spec);
    }

    fn rotate_if_due(&mut self, reports: &Reports) {
        if self.spec.max_bytes <= 0 {
            return;
        }
        let Some(position) = self.output.as_mut().and_then(Output::position) else {
            return;
        };
        if position < self.rotate_at || self.stale {
            return;
        }
        if self.spec.backups > 0
            && let Err(error) = rotation::shift(&self.spec.path, self.spec.backups)
        {
            // Not with every chunk: the file grows by another `max_bytes` first.
            self.rotate_at = position.saturating_add(rotation_limit(&self.spec));
            self.complain(Trouble::NotRotating, &error, reports);
            return;
        }
        match Output::open(&self.spec.path, Contents::Empty) {
            Ok(output) => {
                self.install(output);
                if self.trouble == Some(Trouble::NotRotating) {
                    self.recover(reports);
                }
            }
            Err(error) => {
                self.stale = true;
                self.complain(self.trouble_without_path(), &error, reports);
            }
        }
    }

    fn trouble_without_path(&self) -> Trouble {
        if self.output.is_some() { Trouble::KeepingOld } else { Trouble::Losing }
    }

    /// Says it, unless the same is said already.
    fn complain(&mut self, trouble: Trouble, error: &io::Error, reports: &Reports) {
        // Losing output is the worse news: nothing lesser replaces it.
        if self.trouble == Some(trouble) || self.trouble == Some(Trouble::Losing) {
            return;
        }
        self.trouble = Some(trouble);
        let (name, why) = (self.name(), errno_text(error));
        let text = match trouble {
            Trouble::Losing => format!(
                "could not write to {name}: {why}; its output is lost until this is repaired"
            ),
            Trouble::KeepingOld => {
                format!("could not open {name}: {why}; its output goes on into the old file")
            }
            Trouble::NotRotating => {
                format!("could not rotate {name}: {why}; it grows until this is repaired")
            }
        };
        reports(Level::Critical, text);
    }

    fn recover(&mut self, reports: &Reports) {
        self.trouble = None;
        reports(Level::Warn, format!("{} is written again as it should be", self.name()));
    }

    /// e.g. `log file '/tmp/cat.log' of cat stdout`.
    fn name(&self) -> String {
        format!("log file '{}' of {}", native::text(&self.spec.path), self.spec.owner)
    }
}

fn rotation_limit(spec: &SinkSpec) -> u64 {
    u64::try_from(spec.max_bytes).unwrap_or(u64::MAX)
}
