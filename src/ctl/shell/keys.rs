//! Bytes of a terminal → keys.

/// Longest sequence of a key; longer ones are no keys of ours.
const MAX_SEQUENCE: usize = 32;

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A character.
    Char(char),
    /// With Control, by its small letter.
    Ctrl(char),
    /// With Alt, or after Escape.
    Meta(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
    /// Rub out what is before the cursor.
    Backspace,
    /// Rub out what is under the cursor.
    Delete,
    /// The arrows.
    Left,
    /// See `Left`.
    Right,
    /// See `Left`.
    Up,
    /// See `Left`.
    Down,
    /// To the start of the line.
    Home,
    /// To its end.
    End,
    /// Any other.
    Unknown,
}

/// Takes bytes until they make a key.
#[derive(Default)]
pub(super) struct Keys {
    pending: Vec<u8>,
    /// Has shown that what came before it was no character.
    again: Option<u8>,
}

impl Keys {
    /// The key that this byte completes.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        self.pending.push(byte);
        let key = match *self.pending {
            [0x1b] | [0x1b, b'[' | b'O'] => return None,
            [0x1b, b'[', .., end] if !(0x40..=0x7e).contains(&end) => {
                if self.pending.len() < MAX_SEQUENCE {
                    return None;
                }
                Key::Unknown
            }
            [0x1b, b'[', ref parameters @ .., end] => sequence(parameters, end),
            [0x1b, b'O', end] => sequence(b"", end),
            [0x1b, other] => Key::Meta(char::from(other)),
            [b'\r' | b'\n'] => Key::Enter,
            [b'\t'] => Key::Tab,
            [0x08 | 0x7f] => Key::Backspace,
            [control @ ..0x20] => Key::Ctrl(char::from(control | 0x60)),
            ref bytes => match std::str::from_utf8(bytes) {
                Ok(text) => text.chars().next().map_or(Key::Unknown, Key::Char),
                Err(why) if why.error_len().is_none() => return None,
                Err(_) => {
                    self.again = Some(byte).filter(|_| bytes.len() > 1);
                    Key::Char(char::REPLACEMENT_CHARACTER)
                }
            },
        };
        self.pending.clear();
        Some(key)
    }

    /// The key that the last byte is besides, after one that was no character: a terminal may send Latin-1.
    pub(super) fn kept(&mut self) -> Option<Key> {
        let byte = self.again.take()?;
        self.feed(byte)
    }
}

/// A control sequence of a key (ECMA-48, as xterm and the Linux console send them).
fn sequence(parameters: &[u8], end: u8) -> Key {
    match (end, parameters) {
        (b'C', b"1;5" | b"1;3") => Key::Meta('f'),
        (b'D', b"1;5" | b"1;3") => Key::Meta('b'),
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes.iter().flat_map(|byte| [keys.feed(*byte), keys.kept()]).flatten().collect()
    }

    #[test]
    fn keys_of_terminals() {
        assert_eq!(keys("aé€\u{1f600}".as_bytes()), ['a', 'é', '€', '\u{1f600}'].map(Key::Char));
        for bytes in [b"\xffa", b"\xe9a"] {
            assert_eq!(keys(bytes), [char::REPLACEMENT_CHARACTER, 'a'].map(Key::Char));
        }
        assert_eq!(keys(b"\xe9\r"), [Key::Char(char::REPLACEMENT_CHARACTER), Key::Enter]);
        assert_eq!(
            keys(b"\r\n\t\x7f\x08"),
            [Key::Enter, Key::Enter, Key::Tab, Key::Backspace, Key::Backspace]
        );
        assert_eq!(
            keys(b"\x01\x1bb\x1b[A\x1bOB"),
            [Key::Ctrl('a'), Key::Meta('b'), Key::Up, Key::Down]
        );
        assert_eq!(
            keys(b"\x1b[1~\x1b[3~\x1b[F\x1b[1;5D"),
            [Key::Home, Key::Delete, Key::End, Key::Meta('b')]
        );
        assert_eq!(keys(b"\x1b[200~a"), [Key::Unknown, Key::Char('a')]);
    }

    #[test]
    fn no_sequence_is_waited_for_without_end() {
        let mut bytes = b"\x1b[".to_vec();
        bytes.extend([b'1'; MAX_SEQUENCE]);
        assert!(keys(&bytes).contains(&Key::Unknown));
    }
}
