//! Feeds random bytes and random near-misses to the parsers of what programs print: listeners and capture mode.
//!
//! `fuzz_streams [INPUTS] [SEED]`, by default 10 million inputs for each. Ends with 1 when something that is kept grows
//! without bound; a panic ends it too.

use std::io::{self, Write};

use supervisord_rs::core::capture::{BEGIN_TOKEN, Capture, END_TOKEN, Piece};
use supervisord_rs::core::listener::{Listener, ListenerState, RESULT_LIMIT_BYTES, Step};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A word of the language, possibly cut or damaged, or noise.
    fn input(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let mut bytes = match self.below(4) {
            0 => (0..self.below(60)).map(|_| self.next() as u8).collect(),
            _ => words[self.below(words.len())].to_vec(),
        };
        if self.below(6) == 0 {
            bytes.truncate(self.below(bytes.len() + 1));
        }
        if self.below(8) == 0 && !bytes.is_empty() {
            let index = self.below(bytes.len());
            bytes[index] = self.next() as u8;
        }
        bytes
    }
}

const LISTENER_WORDS: [&[u8]; 8] = [
    b"READY\n",
    b"READY\n",
    b"RESULT 2\nOK",
    b"RESULT 2\nOK",
    b"RESULT 4\nFAIL",
    b"RESULT 99999999999999999999\n",
    b"RESULT 1_0\n0123456789",
    b"RESULT -0\n",
];

fn fuzz_listeners(rng: &mut Rng, inputs: u64) -> (u64, bool) {
    let mut listener = Listener::new();
    let (mut results, mut bounded) = (0, true);
    for _ in 0..inputs {
        listener.feed(&rng.input(&LISTENER_WORDS));
        while let Some(step) = listener.step() {
            if let Step::Result(result) = step {
                bounded &= result.len() <= RESULT_LIMIT_BYTES;
                results += 1;
                listener.judged(ListenerState::Acknowledged);
            }
        }
        bounded &= listener.held_bytes() <= RESULT_LIMIT_BYTES + (16 << 10);
        match listener.state() {
            ListenerState::Ready => listener.sent(),
            ListenerState::Unknown => listener = Listener::new(),
            // A listener that owes a huge result would swallow everything that follows.
            ListenerState::Busy if rng.below(200) == 0 => listener = Listener::new(),
            ListenerState::Busy | ListenerState::Acknowledged => {}
        }
    }
    (results, bounded)
}

fn fuzz_captures(rng: &mut Rng, inputs: u64) -> (u64, bool) {
    const MAX_BYTES: usize = 500;
    let words: [&[u8]; 5] = [
        BEGIN_TOKEN,
        END_TOKEN,
        END_TOKEN,
        b"<!--XSUPERVISOR:",
        b"text that is longer than a token is\n",
    ];
    let mut capture = Capture::new(MAX_BYTES as i64);
    let (mut events, mut bounded) = (0, true);
    for _ in 0..inputs {
        for piece in capture.feed(rng.input(&words), |text| text) {
            if let Piece::Communication(data) = piece {
                bounded &= data.len() <= MAX_BYTES;
                events += 1;
            }
        }
        bounded &= capture.held_bytes() <= MAX_BYTES + BEGIN_TOKEN.len();
    }
    (events, bounded)
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (inputs, seed) = (number(10_000_000), number(1));
    let mut rng = Rng(seed);
    let (results, listeners_bounded) = fuzz_listeners(&mut rng, inputs);
    let (events, captures_bounded) = fuzz_captures(&mut rng, inputs);
    writeln!(io::stdout(), "{inputs} inputs each: {results} results, {events} communications")?;
    if listeners_bounded && captures_bounded {
        return Ok(());
    }
    Err(io::Error::other("something grew without bound"))
}
