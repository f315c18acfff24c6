//! Text that may hold bytes which are no text.
//!
//! Names of files, arguments and variables are bytes, on old systems in Latin-1. As in Python (`surrogateescape`) a byte
//! that is not UTF-8 becomes a character that stands for it, and that byte again where the text goes to the system.
//! Rust's text holds no surrogates, so private characters of the last plane stand in. Where one of these occurs itself,
//! its four bytes are taken one by one: every sequence of bytes is one text, and no two are the same.
//!
//! All text of the configuration, the environment and the wire is of this kind. It comes in through [`decode`], [`of`] or
//! [`lossy`], and leaves through [`encode`] to the system and to logs, or as [`shown`] to where only Unicode may go.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The characters that stand for the bytes 0x80 to 0xff begin 0x80 after this one.
const STAND_INS: u32 = 0x10_fe00;

/// What each of them begins with in UTF-8, as hardly anything else does.
const LEAD: u8 = 0xf4;

fn stand_in(byte: u8) -> char {
    char::from_u32(STAND_INS + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte a character stands for.
fn byte_of(character: char) -> Option<u8> {
    let byte = u32::from(character).checked_sub(STAND_INS).map(u8::try_from)?;
    byte.ok().filter(|byte| *byte >= 0x80)
}

fn has_stand_in(text: &str) -> bool {
    text.as_bytes().contains(&LEAD) && text.chars().any(|character| byte_of(character).is_some())
}

/// Bytes of the system as text; [`encode`] gives them back.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&of(chunk.valid()));
        text.extend(chunk.invalid().iter().map(|byte| stand_in(*byte)));
    }
    text
}

/// Plain Unicode as text of this kind: itself, but for the characters that stand in.
pub(crate) fn of(plain: &str) -> Cow<'_, str> {
    if !has_stand_in(plain) {
        return Cow::Borrowed(plain);
    }
    let mut text = String::with_capacity(2 * plain.len());
    for character in plain.chars() {
        match byte_of(character) {
            None => text.push(character),
            Some(_) => {
                text.extend(character.encode_utf8(&mut [0; 4]).bytes().map(stand_in));
            }
        }
    }
    Cow::Owned(text)
}

/// What programs print, as text to be read: bytes that are not UTF-8 are U+FFFD.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    let plain = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match of(&plain) {
        Cow::Owned(text) => text,
        Cow::Borrowed(_) => plain,
    }
}

/// The bytes of a text, for the system.
pub(crate) fn encode(text: &str) -> Cow<'_, [u8]> {
    if !has_stand_in(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The same for a text that is needed no more.
pub(crate) fn into_bytes(text: String) -> Vec<u8> {
    match encode(&text) {
        Cow::Owned(bytes) => bytes,
        Cow::Borrowed(_) => text.into_bytes(),
    }
}

/// A text where only Unicode may go: bytes that are none look as Python shows them on its stderr, e.g. `caf\udce9`.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !has_stand_in(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(2 * text.len());
    for chunk in encode(text).utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\udc{byte:02x}"); // writing to a String cannot fail
        }
    }
    Cow::Owned(shown)
}

/// What clients may call a name: itself, and what it is shown as where that differs.
pub(crate) fn names_of(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let shown = has_stand_in(name).then(|| shown(name));
    std::iter::once(Cow::Borrowed(name)).chain(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_sequence_of_bytes_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let text = decode(&bytes);
            prop_assert_eq!(encode(&text), bytes.as_slice());
            prop_assert_eq!(into_bytes(text), bytes);
        }

        #[test]
        fn unicode_is_shown_as_it_is(plain in "[a-z\u{10fe00}-\u{10ffff}]{0,8}") {
            let text = of(&plain);
            prop_assert_eq!(shown(&text), plain.as_str());
            prop_assert_eq!(&decode(plain.as_bytes()), &text);
            prop_assert_eq!(lossy(plain.clone().into_bytes()), of(&plain));
        }
    }

    #[test]
    fn each_byte_is_one_character() {
        for (bytes, chars, as_shown) in [
            (&b"caf\xe9"[..], 4, "caf\\udce9"),
            ("café 😀".as_bytes(), 6, "café 😀"),
            (b"\xff\xc3", 2, "\\udcff\\udcc3"),
            (b"\xed\xb3\xa9", 3, "\\udced\\udcb3\\udca9"), // a surrogate in the manner of UTF-8
            (b"\xf4\x8f\xbb\xa9", 4, "\u{10fee9}"),        // what stands for 0xe9
        ] {
            let text = decode(bytes);
            assert_eq!((text.chars().count(), &*shown(&text)), (chars, as_shown));
        }
    }

    #[test]
    fn names_are_found_by_what_is_shown() {
        let name = decode(b"caf\xe9");
        assert_eq!(names_of(&name).collect::<Vec<_>>(), [&name, "caf\\udce9"]);
        assert_eq!(names_of("web").collect::<Vec<_>>(), ["web"]);
    }
}
