//! Lines for the syslog daemon, sent by the disk thread: nothing waits for it but who prints faster than it takes.
//!
//! While the daemon takes nothing the lines wait, bounded like those of a file, as with the C library, which waits too.
//! Without a daemon they are lost, as with the C library; they are counted, and that is said once, and once when there is
//! a daemon again.

use std::collections::VecDeque;
use std::future::Future;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Account, Message, Queue};
use super::{Pushed, Reports, errno_text};
use crate::core::states::Level;
use crate::core::text;
use crate::daemon::syslog::{Client, Sent, header};

/// How long a daemon that is not there is not looked for.
const RETRY: Duration = Duration::from_secs(1);

/// One source of lines. Clones share its bound.
#[derive(Clone, Debug)]
pub struct SyslogSink {
    path: Arc<Path>,
    account: Arc<Account>,
    queue: Arc<Queue>,
}

impl SyslogSink {
    pub(super) fn new(path: &Path, queue: &Arc<Queue>) -> SyslogSink {
        SyslogSink { path: path.into(), account: Arc::default(), queue: Arc::clone(queue) }
    }

    /// Queues text, every line of which becomes a message of its own with `prefix` before it
    /// (`loggers.py: SyslogHandler.emit`). Bytes that are not UTF-8 are sent as they are.
    pub fn push(&self, prefix: &str, mut text: Vec<u8>) -> Pushed {
        while text.pop_if(|last| *last == b'\n').is_some() {}
        let cost = text.len();
        if !self.account.charge(cost) {
            self.account.count_dropped(count_lines(&text));
            return Pushed::Full;
        }
        let account = Arc::clone(&self.account);
        let lines =
            Lines { account, header: String::new(), prefix: prefix.to_string(), text, at: 0 };
        if !self.queue.send(Message::Syslog(Arc::clone(&self.path), lines)) {
            self.account.release(cost);
        }
        if self.account.is_full() { Pushed::Full } else { Pushed::Accepted }
    }

    /// Whether the last lines were lost because there is no daemon: whoever has many more had better pause for
    /// [`WASTE_PAUSE`].
    pub fn is_wasted(&self) -> bool {
        self.account.is_wasted()
    }

    /// Resolves when less than half of [`super::HIGH_WATER_BYTES`] is queued (at once if that is so already).
    pub fn ready(&self) -> impl Future<Output = ()> + use<> {
        let account = Arc::clone(&self.account);
        async move { account.drained().await }
    }
}

/// How long a program that prints a flood for a daemon that is not there waits before more is read from it. Reading as fast
/// as it prints would take the processors from everybody for lines that nobody gets; so it prints some ten megabytes a
/// second, which is more than the C library takes when it looks for the daemon with each line.
pub(crate) const WASTE_PAUSE: Duration = Duration::from_millis(10);

fn count_lines(text: &[u8]) -> usize {
    1 + memchr::memchr_iter(b'\n', text).count()
}

/// Text on its way.
#[derive(Debug)]
pub(super) struct Lines {
    account: Arc<Account>,
    /// With the time at which it came to the disk thread.
    header: String,
    prefix: String,
    text: Vec<u8>,
    /// Where the next line begins; beyond the end after the last.
    at: usize,
}

impl Lines {
    fn rest(&self) -> Option<&[u8]> {
        self.text.get(self.at..)
    }

    fn next_line(&self) -> Option<&[u8]> {
        self.rest()?.split(|&byte| byte == b'\n').next()
    }

    fn message(&self, line: &[u8]) -> Vec<u8> {
        [self.header.as_bytes(), &text::encode(&self.prefix), line].concat()
    }
}

/// The way to one syslog daemon.
#[derive(Debug)]
pub(super) struct SyslogQueue {
    client: Client,
    waiting: VecDeque<Lines>,
    /// Lines that nobody took since this was last said.
    lost: u64,
    /// Since when there is no daemon.
    nobody: Option<Instant>,
}

impl SyslogQueue {
    pub(super) fn new(path: &Path) -> SyslogQueue {
        let client = Client::new(path);
        SyslogQueue { client, waiting: VecDeque::new(), lost: 0, nobody: None }
    }

    /// Sends lines, or lets them wait behind others.
    pub(super) fn push(&mut self, mut lines: Lines, reports: &Reports) {
        if self.waiting.is_empty() && self.is_nobody_there() {
            self.lose(&lines);
            return self.let_go(lines, reports);
        }
        lines.header = header();
        self.waiting.push_back(lines);
        if self.waiting.len() == 1 {
            self.resume(reports);
        }
    }

    /// Sends what waits as far as the daemon takes it.
    pub(super) fn resume(&mut self, reports: &Reports) {
        while let Some(mut lines) = self.waiting.pop_front() {
            if !self.send(&mut lines, reports) {
                self.waiting.push_front(lines);
                return;
            }
            self.let_go(lines, reports);
        }
    }

    /// The lines are sent or lost: others may come from where they came from.
    fn let_go(&self, lines: Lines, reports: &Reports) {
        lines.account.release(lines.text.len());
        if let Some(dropped) = lines.account.take_dropped_if_drained() {
            let text = format!("dropped {dropped} lines for {}", self.name());
            reports(Level::Critical, text);
        }
    }

    /// There was no daemon a moment ago.
    fn is_nobody_there(&self) -> bool {
        self.nobody.is_some_and(|since| since.elapsed() < RETRY)
    }

    fn lose(&mut self, lines: &Lines) {
        self.lost += lines.rest().map_or(0, count_lines) as u64;
        lines.account.set_wasted(true);
    }

    /// Whether the lines are done with.
    #[expect(clippy::disallowed_methods, reason = "the disk thread has no event loop")]
    fn send(&mut self, lines: &mut Lines, reports: &Reports) -> bool {
        if self.is_nobody_there() {
            self.lose(lines);
            return true;
        }
        while let Some(line) = lines.next_line() {
            let length = line.len();
            match self.client.send(&lines.message(line)) {
                Sent::Blocked => return false,
                Sent::Delivered => self.recover(reports),
                Sent::TooLong => self.lost += 1,
                Sent::Nobody(error) => {
                    self.lose(lines);
                    if self.nobody.replace(Instant::now()).is_none() {
                        let (name, why) = (self.name(), errno_text(&error));
                        let text = format!(
                            "could not send to {name}: {why}; lines for it are lost until this is repaired"
                        );
                        reports(Level::Critical, text);
                    }
                    return true;
                }
            }
            lines.at += length + 1;
        }
        lines.account.set_wasted(false);
        true
    }

    fn recover(&mut self, reports: &Reports) {
        if self.nobody.take().is_some() {
            let lost = std::mem::take(&mut self.lost);
            reports(Level::Warn, format!("{} takes lines again; {lost} were lost", self.name()));
        }
    }

    pub(super) fn is_parked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What to wait for while parked.
    pub(super) fn parked_fd(&self) -> Option<BorrowedFd<'_>> {
        if self.waiting.is_empty() { None } else { self.client.socket() }
    }

    /// The thread ends: says what never arrived, and lets go of whoever waits.
    pub(super) fn finish(&mut self, reports: &Reports) {
        for lines in std::mem::take(&mut self.waiting) {
            self.lose(&lines);
            lines.account.abandon();
        }
        if self.lost > 0 {
            let text = format!("{} lines for {} are lost", self.lost, self.name());
            reports(Level::Critical, text);
        }
    }

    fn name(&self) -> String {
        format!("syslog at '{}'", self.client.path().display())
    }
}

#[cfg(test)]
#[path = "syslog_tests.rs"]
mod tests;
