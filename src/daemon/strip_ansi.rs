//! Removal of ANSI escape sequences from what programs print (`strip_ansi=true`).

/// The two bytes that start a sequence.
const BEGIN: &[u8] = b"\x1b[";

/// Bytes that end a sequence (`dispatchers.py: ANSI_TERMINATORS`).
const TERMINATORS: &[u8] = b"HfABCDRsuJKhlpm";

/// Removes escape sequences from one chunk, exactly as `dispatchers.py: stripEscapes` does: each chunk stands alone,
/// so a sequence whose end is not in the chunk swallows the rest of it, and a sequence cut before its start stays.
pub fn strip_ansi(chunk: Vec<u8>) -> Vec<u8> {
    let Some(first) = find_begin(&chunk) else {
        return chunk;
    };
    let mut kept = Vec::with_capacity(chunk.len());
    kept.extend_from_slice(&chunk[..first]);
    let mut rest = &chunk[first..];
    loop {
        // `rest` starts with ESC, which is never a terminator.
        let Some(end) = rest.iter().position(|byte| TERMINATORS.contains(byte)) else {
            return kept;
        };
        rest = &rest[end + 1..];
        match find_begin(rest) {
            Some(next) => {
                kept.extend_from_slice(&rest[..next]);
                rest = &rest[next..];
            }
            None => {
                kept.extend_from_slice(rest);
                return kept;
            }
        }
    }
}

fn find_begin(bytes: &[u8]) -> Option<usize> {
    bytes.windows(BEGIN.len()).position(|window| window == BEGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_and_text_stays() {
        let cases: [(&[u8], &[u8]); 7] = [
            (b"plain", b"plain"),
            (b"\x1b[31mred\x1b[0m end", b"red end"),
            (b"a\x1b[2Jb\x1b[1;1Hc", b"abc"),
            (b"cut \x1b[31", b"cut "),
            (b"\x1b", b"\x1b"),
            (b"a\x1b[", b"a"),
            (b"\x1b[\x1b[mx", b"x"),
        ];
        for (input, expected) in cases {
            assert_eq!(strip_ansi(input.to_vec()), expected, "{input:?}");
        }
    }
}
