//! What one event listener says on its stdout (`dispatchers.py: PEventListenerDispatcher`).
//!
//! ```text
//!  ACKNOWLEDGED ──"READY\n"──▶ READY ──an event is sent──▶ BUSY ──"RESULT n\n" and n bytes──▶ ACKNOWLEDGED
//!       │ anything else          │ anything                  │ a line without a number
//!       └────────────────────────┴───────────▶ UNKNOWN ◀─────┘      (until it is started again)
//! ```
//!
//! What it does with a stream never depends on where the stream was cut by reads, and what it keeps is bounded.

use super::python;

/// What a listener says when it is ready for an event.
const READY: &[u8] = b"READY\n";

/// Length of `RESULT `. The reference never looks at what these bytes are.
const RESULT_START_LEN: usize = 7;

/// Longest line that announces a result, a little more than the longest number Python reads.
const LINE_LIMIT_BYTES: usize = 8192;

/// Memory for what is not understood yet that is not given back.
const KEPT_CAPACITY_BYTES: usize = 64;

/// Most bytes of a result that are kept; the rest is counted. More than any event printed by `supervisor_stdout`.
pub const RESULT_LIMIT_BYTES: usize = 1 << 20;

/// What is known about a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerState {
    /// Started, or done with an event, and not ready for the next one yet.
    Acknowledged,
    /// Waits for an event.
    Ready,
    /// Works on an event.
    Busy,
    /// Broke the protocol; gets no more events.
    Unknown,
}

impl ListenerState {
    /// Every state.
    pub const ALL: [ListenerState; 4] = [
        ListenerState::Acknowledged,
        ListenerState::Ready,
        ListenerState::Busy,
        ListenerState::Unknown,
    ];

    /// As it is written in the log.
    pub fn name(self) -> &'static str {
        match self {
            ListenerState::Acknowledged => "ACKNOWLEDGED",
            ListenerState::Ready => "READY",
            ListenerState::Busy => "BUSY",
            ListenerState::Unknown => "UNKNOWN",
        }
    }
}

/// Something a listener said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// ACKNOWLEDGED → READY.
    Ready,
    /// It spoke out of turn in this state, and is UNKNOWN now.
    Violation(ListenerState),
    /// It announced no result with this line, and is UNKNOWN now.
    BadResult(Vec<u8>),
    /// Its result, or the first [`RESULT_LIMIT_BYTES`] of it. It stays BUSY until [`Listener::judged`].
    Result(Vec<u8>),
}

/// A result that has been announced.
#[derive(Clone, Debug, Default)]
struct Incoming {
    missing: u64,
    kept: Vec<u8>,
}

/// One listener process.
#[derive(Clone, Debug)]
pub struct Listener {
    state: ListenerState,
    /// Said, and not understood yet: less than READY, or less than a line.
    unread: Vec<u8>,
    incoming: Option<Incoming>,
}

impl Default for Listener {
    fn default() -> Listener {
        Listener::new()
    }
}

impl Listener {
    /// A listener that was just started.
    pub fn new() -> Listener {
        Listener { state: ListenerState::Acknowledged, unread: Vec::new(), incoming: None }
    }

    /// What is known about it.
    pub fn state(&self) -> ListenerState {
        self.state
    }

    /// READY → BUSY: an event was sent to it.
    pub fn sent(&mut self) {
        debug_assert_eq!(self.state, ListenerState::Ready);
        self.state = ListenerState::Busy;
    }

    /// BUSY → the state that follows from its result: ACKNOWLEDGED, or UNKNOWN when nothing could be made of it.
    pub fn judged(&mut self, next: ListenerState) {
        debug_assert_eq!(self.state, ListenerState::Busy);
        self.state = next;
    }

    /// Bytes it said that are kept: what is not understood yet, and the result so far.
    pub fn held_bytes(&self) -> usize {
        self.unread.len() + self.incoming.as_ref().map_or(0, |incoming| incoming.kept.len())
    }

    /// Takes what it said. Call [`Listener::step`] until it returns nothing before the next call.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next thing it said, once that is complete.
    pub fn step(&mut self) -> Option<Step> {
        match self.state {
            ListenerState::Unknown => {
                self.unread = Vec::new();
                None
            }
            ListenerState::Acknowledged if self.unread.len() < READY.len() => None,
            ListenerState::Acknowledged if self.unread.starts_with(READY) => {
                self.consume(READY.len());
                self.state = ListenerState::Ready;
                Some(Step::Ready)
            }
            ListenerState::Ready if self.unread.is_empty() => None,
            ListenerState::Acknowledged | ListenerState::Ready => {
                let from = self.state;
                self.lose();
                Some(Step::Violation(from))
            }
            ListenerState::Busy => self.step_busy(),
        }
    }

    fn step_busy(&mut self) -> Option<Step> {
        if self.incoming.is_none() {
            let Some(length) = self.announced()? else {
                let end = self.unread.iter().position(|byte| *byte == b'\n');
                let mut line = std::mem::take(&mut self.unread);
                line.truncate(end.unwrap_or(LINE_LIMIT_BYTES).min(LINE_LIMIT_BYTES));
                self.lose();
                return Some(Step::BadResult(line));
            };
            self.incoming = Some(Incoming { missing: length, kept: Vec::new() });
        }
        let incoming = self.incoming.as_mut()?;
        let missing = usize::try_from(incoming.missing).unwrap_or(usize::MAX);
        let here = missing.min(self.unread.len());
        let room = RESULT_LIMIT_BYTES - incoming.kept.len();
        incoming.kept.extend_from_slice(&self.unread[..here.min(room)]);
        incoming.missing -= here as u64;
        let done = incoming.missing == 0;
        self.consume(here);
        if !done {
            return None;
        }
        self.incoming.take().map(|incoming| Step::Result(incoming.kept))
    }

    /// The length a complete line announces: `None` when the line is not complete, `Some(None)` when it announces none.
    /// Negative lengths, which send the reference into a recursion without end, count as none.
    fn announced(&mut self) -> Option<Option<u64>> {
        let window = &self.unread[..self.unread.len().min(LINE_LIMIT_BYTES + 1)];
        let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
            return (self.unread.len() > LINE_LIMIT_BYTES).then_some(None);
        };
        let digits = window[..end].get(RESULT_START_LEN..).unwrap_or_default();
        let length = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.is_ascii())
            .and_then(python::int)
            .and_then(|length| u64::try_from(length).ok());
        if length.is_some() {
            self.consume(end + 1);
        }
        Some(length)
    }

    fn lose(&mut self) {
        self.state = ListenerState::Unknown;
        self.unread = Vec::new();
        self.incoming = None;
    }

    /// Forgets the first bytes. What is empty holds no more memory than the usual answer needs.
    fn consume(&mut self, length: usize) {
        self.unread.drain(..length.min(self.unread.len()));
        if self.unread.is_empty() && self.unread.capacity() > KEPT_CAPACITY_BYTES {
            self.unread = Vec::new();
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
