//! Tests of the listener protocol.

use proptest::prelude::*;

use super::*;

/// Feeds the pieces; when a listener is ready after one, it is sent an event. Results are judged as by the default.
fn run(pieces: &[Vec<Vec<u8>>]) -> (Vec<Step>, ListenerState) {
    let mut listener = Listener::new();
    let mut steps = Vec::new();
    for piece in pieces {
        for bytes in piece {
            listener.feed(bytes);
            while let Some(step) = listener.step() {
                if matches!(step, Step::Result(_)) {
                    listener.judged(ListenerState::Acknowledged);
                }
                steps.push(step);
            }
            assert!(listener.unread.len() <= LINE_LIMIT_BYTES + 1, "kept too much");
        }
        if listener.state() == ListenerState::Ready {
            listener.sent();
        }
    }
    (steps, listener.state())
}

fn whole(pieces: &[&[u8]]) -> (Vec<Step>, ListenerState) {
    run(&pieces.iter().map(|piece| vec![piece.to_vec()]).collect::<Vec<_>>())
}

#[test]
fn the_protocol() {
    let (steps, state) = whole(&[b"READY\n", b"RESULT 2\nOKREADY\n", b"RESULT 4\nFAIL"]);
    assert_eq!(
        steps,
        [Step::Ready, Step::Result(b"OK".to_vec()), Step::Ready, Step::Result(b"FAIL".to_vec())]
    );
    assert_eq!(state, ListenerState::Acknowledged);
}

#[test]
fn numbers_are_read_as_by_python() {
    for (line, length) in [
        (&b"RESULT 2"[..], 2),
        (b"RESULT  +2 ", 2),
        (b"whatever2", 1),
        (b"RESULT 1_0", 10),
        (b"RESULT 02\r", 2),
    ] {
        let result = vec![b'x'; length];
        let said = [line, b"\n", &result].concat();
        let expected = if line == b"whatever2" { b"x".to_vec() } else { result };
        let said = if line == b"whatever2" { b"whateve1\nx".to_vec() } else { said };
        assert_eq!(whole(&[b"READY\n", &said]).0.last(), Some(&Step::Result(expected)), "{line:?}");
    }
    for line in [
        &b""[..],
        b"RESULT",
        b"RESULT ",
        b"RESULT x",
        b"RESULT -1",
        b"RESULT 1.0",
        "RESULT ２".as_bytes(),
    ] {
        let said = [line, b"\nOK"].concat();
        let (steps, state) = whole(&[b"READY\n", &said]);
        assert_eq!(steps.last(), Some(&Step::BadResult(line.to_vec())));
        assert_eq!(state, ListenerState::Unknown);
    }
}

#[test]
fn speaking_out_of_turn_ends_it() {
    assert_eq!(whole(&[b"READ"]), (vec![], ListenerState::Acknowledged));
    let violation = |state| vec![Step::Violation(state)];
    assert_eq!(
        whole(&[b"hello\nREADY\n"]),
        (violation(ListenerState::Acknowledged), ListenerState::Unknown)
    );
    assert_eq!(
        whole(&[b"READY\nREADY\n", b"READY\n"]),
        (vec![Step::Ready, Step::Violation(ListenerState::Ready)], ListenerState::Unknown)
    );
}

#[test]
fn nothing_grows_without_bound() {
    let (steps, state) = whole(&[b"READY\n", &vec![b'x'; 1 << 20]]);
    assert_eq!(steps[1], Step::BadResult(vec![b'x'; LINE_LIMIT_BYTES]));
    assert_eq!(state, ListenerState::Unknown);

    let mut listener = Listener::new();
    listener.feed(b"READY\n");
    assert_eq!(listener.step(), Some(Step::Ready));
    listener.sent();
    listener.feed(b"RESULT 3000000\n");
    for _ in 0..30 {
        assert_eq!(listener.step(), None);
        listener.feed(&[b'y'; 100_000]);
    }
    assert_eq!(listener.step(), Some(Step::Result(vec![b'y'; RESULT_LIMIT_BYTES])));
    assert!(listener.unread.is_empty());
}

/// Things listeners say, more or less.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"READY\n".to_vec()),
        4 => Just(b"RESULT 2\nOK".to_vec()),
        2 => Just(b"RESULT 4\nFAIL".to_vec()),
        1 => Just(b"RESULT 0\n".to_vec()),
        1 => Just(b"RESULT 9000\n".to_vec()),
        1 => Just(vec![b'z'; 9000]),
        1 => Just(b"\n".to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn cut(words: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(words.len() + 1)).collect();
    ends.extend([0, words.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| words[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn where_reads_cut_the_stream_changes_nothing(
        pieces in prop::collection::vec(
            (prop::collection::vec(word(), 0..4), prop::collection::vec(any::<prop::sample::Index>(), 0..6)), 1..6)
    ) {
        let uncut: Vec<_> = pieces.iter().map(|(words, _)| vec![words.concat()]).collect();
        let in_parts: Vec<_> = pieces.iter().map(|(words, cuts)| cut(&words.concat(), cuts)).collect();
        prop_assert_eq!(run(&uncut), run(&in_parts));
    }
}
