//! The bytes of a configuration file as Python reads them: UTF-8, with its words for what is not.

use super::complaint::Mistake;
use crate::core::text;

/// Bytes Python's text layer decodes at a time; positions in decoding errors count from the start of such a piece.
pub(super) const DECODE_PIECE_BYTES: usize = 8192;

/// UTF-8 as an incremental reader sees it, with universal newlines: the text before the first error and that error.
pub(super) fn decode(content: &[u8]) -> (String, Option<Mistake>) {
    let mut text = String::with_capacity(content.len());
    let mut start = 0;
    let mut end = 0;
    let mut error = None;
    while end < content.len() {
        end = (end + DECODE_PIECE_BYTES).min(content.len());
        let piece = &content[start..end];
        match std::str::from_utf8(piece) {
            Ok(valid) => {
                text.push_str(&text::of(valid));
                start = end;
            }
            Err(why) => {
                let valid = why.valid_up_to();
                if let Some(length) = why.error_len() {
                    error = Some(decode_error(piece, valid, length, false));
                    break;
                }
                let valid_text = std::str::from_utf8(&piece[..valid]).unwrap_or_default();
                text.push_str(&text::of(valid_text));
                start += valid;
            }
        }
    }
    if error.is_none() && start < content.len() {
        let rest = &content[start..];
        error = Some(decode_error(rest, 0, rest.len(), true));
    }
    // A carriage return ends a line only once it is known that no line feed follows, which the error prevents.
    if error.is_some() && text.ends_with('\r') {
        text.pop();
    }
    (text.replace("\r\n", "\n").replace('\r', "\n"), error)
}

/// The text of a `UnicodeDecodeError`.
fn decode_error(piece: &[u8], position: usize, length: usize, truncated: bool) -> Mistake {
    let byte = piece[position];
    let reason = if truncated {
        "unexpected end of data"
    } else if (0xc2..=0xf4).contains(&byte) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    Mistake::new(if length == 1 {
        format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}")
    } else {
        let last = position + length - 1;
        format!("'utf-8' codec can't decode bytes in position {position}-{last}: {reason}")
    })
}
