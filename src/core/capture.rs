//! Capture mode: what a program prints between two tokens is an event, not log text (`dispatchers.py: record_output`).
//!
//! The tokens may be cut anywhere by reads, so bytes that could be the beginning of one are held back; so is, as in
//! the reference, everything while no more than one token's length is there.

use std::collections::VecDeque;

/// Begins a capture.
pub const BEGIN_TOKEN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";

/// Ends a capture.
pub const END_TOKEN: &[u8] = b"<!--XSUPERVISOR:END-->";

/// A part of what a program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Output for the log.
    Output(Vec<u8>),
    /// Output while capturing; it is not for the log.
    Captured(Vec<u8>),
    /// A capture is complete: what was kept of it.
    Communication(Vec<u8>),
}

/// One channel of a process with a capture buffer.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Read, and not yet looked at.
    held: Vec<u8>,
    capturing: bool,
    kept: VecDeque<u8>,
    max_bytes: i64,
}

impl Capture {
    /// Nothing printed yet. `max_bytes` is `stdout_capture_maxbytes`, not 0.
    pub fn new(max_bytes: i64) -> Capture {
        Capture { held: Vec::new(), capturing: false, kept: VecDeque::new(), max_bytes }
    }

    /// Takes what was read and says what it is, in order. `clean` is applied to every piece of text before it is used
    /// (removal of ANSI escapes); what it leaves empty is kept as it is.
    pub fn feed(&mut self, bytes: Vec<u8>, clean: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<Piece> {
        let mut text = std::mem::take(&mut self.held);
        if text.is_empty() {
            text = bytes;
        } else {
            text.extend_from_slice(&bytes);
        }
        let mut pieces = Vec::new();
        let mut rest = text.as_slice();
        loop {
            let token = if self.capturing { END_TOKEN } else { BEGIN_TOKEN };
            // The reference does not look at a token either until something follows it.
            if rest.len() <= token.len() && rest != token {
                break;
            }
            let Some(at) = find(rest, token) else {
                let (now, later) = rest.split_at(rest.len() - prefix_at_end(rest, token));
                self.text(now, &clean, &mut pieces);
                rest = later;
                break;
            };
            self.text(&rest[..at], &clean, &mut pieces);
            if self.capturing {
                pieces.push(Piece::Communication(std::mem::take(&mut self.kept).into()));
            }
            self.capturing = !self.capturing;
            rest = &rest[at + token.len()..];
        }
        self.held = rest.to_vec();
        pieces
    }

    /// Bytes kept: what is held back, and the capture so far.
    pub fn held_bytes(&self) -> usize {
        self.held.len() + self.kept.len()
    }

    /// Forgets what the capture under way has kept, as the log is cleared (`dispatchers.py: removelogs`).
    pub fn clear(&mut self) {
        self.kept.clear();
    }

    /// What is still held back for the log when the program has ended; the reference loses it. An unfinished capture
    /// is nothing.
    pub fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        if self.capturing { Vec::new() } else { held }
    }

    fn text(&mut self, text: &[u8], clean: impl Fn(Vec<u8>) -> Vec<u8>, pieces: &mut Vec<Piece>) {
        if text.is_empty() {
            return;
        }
        let text = clean(text.to_vec());
        if self.capturing {
            self.keep(&text);
            pieces.push(Piece::Captured(text));
        } else {
            pieces.push(Piece::Output(text));
        }
    }

    /// Keeps roughly the last `max_bytes`: whatever is added pushes out as many bytes of what was there before, and
    /// one piece alone may be longer (`loggers.py: BoundIO.write`).
    fn keep(&mut self, text: &[u8]) {
        let length = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        if length(self.kept.len()).saturating_add(length(text.len())) > self.max_bytes {
            self.kept.drain(..text.len().min(self.kept.len()));
        }
        self.kept.extend(text);
    }
}

/// Where `token` begins in `text`.
fn find(text: &[u8], token: &[u8]) -> Option<usize> {
    let (first, last) = (*token.first()?, text.len().checked_sub(token.len())?);
    let mut from = 0;
    while from <= last {
        let at = from + text[from..=last].iter().position(|byte| *byte == first)?;
        if text[at..].starts_with(token) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Length of the longest proper beginning of `token` at the end of `text`.
fn prefix_at_end(text: &[u8], token: &[u8]) -> usize {
    (0..token.len()).rev().find(|length| text.ends_with(&token[..*length])).unwrap_or(0)
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
