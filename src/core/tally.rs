//! What is counted of a process, for as long as its group is active.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::event::Channel;

/// The counters of one process; small, because there is one for each.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Starts that nobody asked for: after an end of its own, or after a start that came to nothing.
    pub(super) restarts: u32,
    /// Starts that yielded no process.
    pub(super) spawn_failures: u32,
    logs: Option<Arc<LogTallies>>,
}

impl Tally {
    /// What is counted of its logs, from its first start on.
    pub(super) fn count_logs(&mut self) -> Arc<LogTallies> {
        Arc::clone(self.logs.get_or_insert_default())
    }

    /// The same; `None` before its first start.
    pub(super) fn logs(&self) -> Option<Arc<LogTallies>> {
        self.logs.clone()
    }
}

/// What is counted of the log files of a process, on the threads where it happens.
#[derive(Debug, Default)]
pub struct LogTallies {
    stdout: LogTally,
    stderr: LogTally,
}

impl LogTallies {
    /// That of one channel.
    pub fn of(&self, channel: Channel) -> &LogTally {
        match channel {
            Channel::Stdout => &self.stdout,
            Channel::Stderr => &self.stderr,
        }
    }
}

/// Bytes of one log file. They are read one by one, and order nothing.
#[derive(Debug, Default)]
pub struct LogTally {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl LogTally {
    /// Bytes were written.
    pub fn add_written(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes were lost.
    pub fn add_dropped(&self, bytes: usize) {
        self.dropped.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that were written so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Bytes that were lost so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
