//! What programs print. Where reads cut it changes nothing, and what is kept of it is bounded.

use supervisord_rs::parts::core::capture::{BEGIN_TOKEN, Capture, END_TOKEN, Piece};
use supervisord_rs::parts::core::listener::{Listener, ListenerState, RESULT_LIMIT_BYTES, Step};
use supervisord_rs::parts::daemon::strip_ansi::strip_ansi as strip;

/// What a listener keeps besides a result, in bytes: a line that does not end.
const LISTENER_LINE_BYTES: usize = 16 << 10;

/// Cuts an input into reads: a byte for the length of each, then so many bytes.
fn reads(mut data: &[u8]) -> Vec<&[u8]> {
    let mut reads = Vec::new();
    while let Some((&length, rest)) = data.split_first() {
        let (read, following) = rest.split_at(usize::from(length).min(rest.len()));
        reads.push(read);
        data = following;
    }
    reads
}

/// What a listener says: each piece is followed by an event for it if it is ready.
pub fn listener(data: &[u8]) {
    let pieces = reads(data);
    let at_once = listen(&pieces, |piece| vec![piece]);
    let by_bytes = listen(&pieces, |piece| piece.chunks(1).collect());
    assert_eq!(at_once, by_bytes);
}

/// The steps of a listener that says these pieces, each cut into reads.
fn listen<'a>(
    pieces: &[&'a [u8]],
    cut: impl Fn(&'a [u8]) -> Vec<&'a [u8]>,
) -> (Vec<Step>, ListenerState) {
    let (mut listener, mut steps) = (Listener::new(), Vec::new());
    for piece in pieces {
        for read in cut(piece) {
            listener.feed(read);
            while let Some(step) = listener.step() {
                if let Step::Result(result) = &step {
                    assert!(result.len() <= RESULT_LIMIT_BYTES);
                    listener.judged(ListenerState::Acknowledged);
                }
                steps.push(step);
            }
            assert!(listener.held_bytes() <= RESULT_LIMIT_BYTES + LISTENER_LINE_BYTES);
        }
        if listener.state() == ListenerState::Ready {
            listener.sent();
        }
    }
    (steps, listener.state())
}

/// Output with captures; the first byte is their limit.
pub fn capture(data: &[u8]) {
    let Some((&limit, data)) = data.split_first() else {
        return;
    };
    let reads = reads(data);
    let mut capture = Capture::new(i64::from(limit));
    let mut longest = 0;
    for read in &reads {
        longest = longest.max(read.len() + BEGIN_TOKEN.len());
        let most = usize::from(limit).max(longest);
        for piece in capture.feed(read.to_vec(), |text| text) {
            if let Piece::Communication(kept) = piece {
                assert!(kept.len() <= most);
            }
        }
        assert!(capture.held_bytes() <= most + END_TOKEN.len().max(BEGIN_TOKEN.len()));
    }
    // Beyond the limit the buffer depends on the reads, as the reference's does.
    let whole = reads.concat();
    assert_eq!(sorted_out(&reads), sorted_out(&[&whole]));
}

/// Output and communications of what was read, without a limit.
fn sorted_out(reads: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut capture, mut output, mut communications) =
        (Capture::new(i64::MAX), Vec::new(), Vec::new());
    for read in reads {
        for piece in capture.feed(read.to_vec(), |text| text) {
            match piece {
                Piece::Output(text) => output.extend(text),
                Piece::Captured(_) => {}
                Piece::Communication(kept) => communications.push(kept),
            }
        }
    }
    output.extend(capture.finish());
    (output, communications)
}

/// Output with escape sequences: what is left was there, in this order, and what has none stays as it is.
pub fn strip_ansi(data: &[u8]) {
    let stripped = strip(data.to_vec());
    if !data.windows(2).any(|pair| pair == b"\x1b[") {
        assert_eq!(stripped, data);
    }
    let mut rest = data.iter();
    assert!(stripped.iter().all(|byte| rest.any(|other| other == byte)));
}
