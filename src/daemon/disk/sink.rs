//! One log file on the disk thread: opening, writing, rotating, and what to do when that fails.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use super::files::{Limits, LogFile, OpenFiles, Rotation};
use super::output::{self, errno_text};
use super::queue::Account;
use super::{HeldOutput, Missing, Reports, SinkSpec};
use crate::core::states::Level;
use crate::native;
use crate::place::{self, Way};

/// A log file and the bytes that wait for it.
///
/// Once a file is open it is kept until another one is: whatever fails, bytes go on into the old file where there is
/// one. `stale` says that the path should be opened anew with the next chunk.
#[derive(Debug)]
pub(super) struct LogSink {
    spec: SinkSpec,
    account: Arc<Account>,
    files: OpenFiles,
    file: Option<LogFile>,
    stale: bool,
    /// Chunks of a target that takes no bytes now. The first may be written in part.
    parked: VecDeque<Vec<u8>>,
    /// Bytes of the first parked chunk that are written.
    written: usize,
    /// An error was said and not yet repaired.
    trouble: Option<Trouble>,
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
    /// A sink for a path; opens the file, unless it is held already.
    pub(super) fn open(
        spec: SinkSpec,
        account: Arc<Account>,
        files: &OpenFiles,
        held: Option<HeldOutput>,
        reports: &Reports,
    ) -> LogSink {
        let file = held.map(|held| files.join(held.0, limits(&spec), None));
        let mut sink = LogSink {
            spec,
            account,
            files: files.clone(),
            stale: file.is_none(),
            file,
            parked: VecDeque::new(),
            written: 0,
            trouble: None,
            closed: false,
        };
        let _ = sink.refresh(reports); // said there, tried again with the first chunk
        sink
    }

    /// Whether this sink is only there to write what the last of the same owner has left for the same path.
    pub(super) fn precedes(&self, spec: &SinkSpec) -> bool {
        self.closed && self.spec.path == spec.path && self.spec.owner == spec.owner
    }

    /// Continues a closed sink whose bytes still wait for the same path, for a new handle.
    pub(super) fn adopt(&mut self, spec: SinkSpec, account: Arc<Account>) {
        account.take_over(&self.account);
        if let Some(file) = &mut self.file {
            file.limit(limits(&spec));
        }
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
        if self.parked.is_empty() { None } else { self.file.as_ref().map(LogFile::as_fd) }
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
        let place = match place::find(&self.spec.path)? {
            Way::Place(place) => place,
            Way::Stream(_) => return Ok(()),
        };
        match place.metadata()? {
            Some(found) if !found.is_file() || place.is_magic() => return Ok(()),
            None if missing == Missing::IsAnError => return Err(io::ErrorKind::NotFound.into()),
            Some(_) | None => {}
        }
        self.files.clear(&place)?;
        self.reopen(reports)
    }

    fn progress(&mut self, chunk: &[u8], reports: &Reports) -> Progress {
        let _ = self.refresh(reports);
        let Some(file) = self.file.as_mut() else {
            self.account.count_lost(chunk.len());
            return Progress::Done; // and said
        };
        while self.written < chunk.len() {
            match file.write(&chunk[self.written..]) {
                Ok(0) => return self.lose(chunk, &io::ErrorKind::WriteZero.into(), reports),
                Ok(length) => {
                    self.written += length;
                    self.account.count_written(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Blocked;
                }
                Err(error) => return self.lose(chunk, &error, reports),
            }
        }
        file.finish();
        if self.trouble == Some(Trouble::Losing) {
            self.recover(reports);
        }
        Progress::Done
    }

    /// The rest of the chunk cannot be written.
    fn lose(&mut self, chunk: &[u8], error: &io::Error, reports: &Reports) -> Progress {
        self.account.count_lost(chunk.len() - self.written);
        // These pass without a new file; for others (a dead terminal, a file server's stale handle) a new one may do.
        let passing = [Errno::EPIPE, Errno::ENOSPC, Errno::EDQUOT, Errno::EFBIG];
        let stays = !passing.iter().any(|errno| output::is(error, *errno));
        self.stale |= stays;
        if let Some(file) = &mut self.file {
            file.finish();
            if stays {
                file.mark_broken();
            }
        }
        self.complain(Trouble::Losing, error, reports);
        Progress::Done
    }

    /// Opens the path if that is due; the old file stays when it fails.
    fn refresh(&mut self, reports: &Reports) -> io::Result<()> {
        if !self.stale && !self.file.as_ref().is_some_and(LogFile::is_gone) {
            return Ok(());
        }
        match self.files.open(&self.spec.path, limits(&self.spec), self.file.take()) {
            Ok(file) => {
                self.file = Some(file);
                self.stale = false;
                if self.trouble == Some(Trouble::KeepingOld) {
                    self.recover(reports);
                }
                Ok(())
            }
            Err((error, held)) => {
                self.file = held;
                self.complain(self.trouble_without_path(), &error, reports);
                Err(error)
            }
        }
    }

    fn rotate_if_due(&mut self, reports: &Reports) {
        let Some(file) = self.file.as_mut().filter(|_| !self.stale) else {
            return;
        };
        match file.rotate_if_due(&self.spec.path) {
            Rotation::NotDue => {}
            Rotation::Done => {
                if self.trouble == Some(Trouble::NotRotating) {
                    self.recover(reports);
                }
            }
            Rotation::Failed(error) => self.complain(Trouble::NotRotating, &error, reports),
            Rotation::Gone => {
                let _ = self.refresh(reports); // said there, tried again with the next chunk
            }
        }
    }

    fn trouble_without_path(&self) -> Trouble {
        if self.file.is_some() { Trouble::KeepingOld } else { Trouble::Losing }
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

fn limits(spec: &SinkSpec) -> Limits {
    Limits { max_bytes: spec.max_bytes, backups: spec.backups }
}
