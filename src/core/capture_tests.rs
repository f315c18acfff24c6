//! Tests of capture mode.

use proptest::prelude::*;

use super::*;

const MAX_BYTES: i64 = 200;

/// What became of a stream: all log text, and the communications.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    log: Vec<u8>,
    captured: Vec<u8>,
    communications: Vec<Vec<u8>>,
}

fn run(max_bytes: i64, reads: &[&[u8]]) -> Seen {
    let mut capture = Capture::new(max_bytes);
    let mut seen = Seen { log: Vec::new(), captured: Vec::new(), communications: Vec::new() };
    for read in reads {
        for piece in capture.feed(read.to_vec(), |text| text) {
            match piece {
                Piece::Output(text) => seen.log.extend(text),
                Piece::Captured(text) => seen.captured.extend(text),
                Piece::Communication(data) => seen.communications.push(data),
            }
        }
        assert!(capture.held.len() <= BEGIN_TOKEN.len(), "held back too much");
    }
    if capture.capturing {
        // The tail that is held back would have been captured.
        seen.captured.extend(std::mem::take(&mut capture.held));
    }
    seen.log.extend(capture.finish());
    seen
}

const SAID: &[u8] = b"before<!--XSUPERVISOR:BEGIN-->inside<!--XSUPERVISOR:END-->after";

#[test]
fn text_between_the_tokens_is_a_communication() {
    let seen = run(MAX_BYTES, &[SAID]);
    assert_eq!(seen.log, b"beforeafter");
    assert_eq!(seen.communications, [b"inside"]);
}

#[test]
fn tokens_may_be_cut_anywhere() {
    let whole = run(MAX_BYTES, &[SAID]);
    for first in 0..=SAID.len() {
        for second in first..=SAID.len() {
            let reads = [&SAID[..first], &SAID[first..second], &SAID[second..]];
            assert_eq!(run(MAX_BYTES, &reads), whole);
        }
    }
    let bytes: Vec<&[u8]> = SAID.chunks(1).collect();
    assert_eq!(run(MAX_BYTES, &bytes), whole);
}

#[test]
fn a_short_tail_is_held_back_as_in_the_reference() {
    let mut capture = Capture::new(MAX_BYTES);
    let text = |piece: &str| Piece::Output(piece.as_bytes().to_vec());
    let mut feed = |read: &[u8]| capture.feed(read.to_vec(), |text| text);
    assert_eq!(feed(b"no more than one token's"), []);
    assert_eq!(feed(b"!"), [text("no more than one token's!")]);
    assert_eq!(feed(b"a line that ends with <!--XSU"), [text("a line that ends with ")]);
    assert_eq!(feed(b"PER market, it turns out"), [text("<!--XSUPER market, it turns out")]);
    assert_eq!(feed(b"rest"), []);
    assert_eq!(capture.finish(), b"rest");
}

#[test]
fn the_buffer_keeps_what_bound_io_keeps() {
    let capture = |reads: &[&[u8]]| run(10, reads).communications.concat();
    // One piece alone may be longer than the limit.
    assert_eq!(
        capture(&[b"<!--XSUPERVISOR:BEGIN-->0123456789ABCDEF<!--XSUPERVISOR:END-->"]),
        b"0123456789ABCDEF"
    );
    // Later pieces push out as much as they bring.
    let first = b"<!--XSUPERVISOR:BEGIN-->0123456789012345678901234567".as_slice();
    assert_eq!(capture(&[first, b"abcd<!--XSUPERVISOR:END-->"]), b"456789012345678901234567abcd");
}

#[test]
fn text_is_cleaned_before_it_is_used() {
    let mut capture = Capture::new(MAX_BYTES);
    let pieces = capture.feed(SAID.to_vec(), |text| text.to_ascii_uppercase());
    assert_eq!(
        pieces,
        [
            Piece::Output(b"BEFORE".to_vec()),
            Piece::Captured(b"INSIDE".to_vec()),
            Piece::Communication(b"INSIDE".to_vec())
        ]
    );
}

fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(BEGIN_TOKEN.to_vec()),
        3 => Just(END_TOKEN.to_vec()),
        1 => (0..BEGIN_TOKEN.len()).prop_map(|length| BEGIN_TOKEN[..length].to_vec()),
        1 => (0..END_TOKEN.len()).prop_map(|length| END_TOKEN[..length].to_vec()),
        3 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn where_reads_cut_the_stream_changes_nothing(
        words in prop::collection::vec(word(), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let text = words.concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let reads: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        // Within the capture limit; beyond it the reference's buffer depends on the reads.
        prop_assert_eq!(run(i64::MAX, &[&text]), run(i64::MAX, &reads));
    }

    #[test]
    fn what_is_kept_is_bounded(
        reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        max_bytes in -5i64..400,
    ) {
        let mut capture = Capture::new(max_bytes);
        capture.feed([BEGIN_TOKEN, b"!"].concat(), |text| text);
        let mut longest = 0;
        for read in reads {
            longest = longest.max(read.len() + BEGIN_TOKEN.len());
            capture.feed(read, |text| text);
            prop_assert!(capture.kept.len() <= usize::try_from(max_bytes).unwrap_or(0).max(longest));
        }
    }
}
