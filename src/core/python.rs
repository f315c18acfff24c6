//! The few Python text conversions that are part of the contract: `int(str)`, `repr` and what counts as white space.

use super::text;

/// Code points of the digit zero of every decimal script; the other nine digits follow each.
const DECIMAL_ZEROS: [u32; 66] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// More digits than this are refused by Python's `int` (`sys.set_int_max_str_digits`).
pub(crate) const MAX_INT_DIGITS: usize = 4300;

/// `str.isspace` of one character: Unicode white space and the ASCII separators 0x1c to 0x1f.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The value of a decimal digit of any script.
pub(crate) fn decimal_digit(character: char) -> Option<u32> {
    let code = u32::from(character);
    let index = DECIMAL_ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    let digit = code - DECIMAL_ZEROS[index];
    (digit < 10).then_some(digit)
}

/// `int(text)`: optional sign, digits of any script with single underscores between them, surrounding white space.
///
/// Numbers beyond 64 bits saturate; nothing the reference does with such a number differs from a very large one.
/// `None` where Python raises `ValueError`.
pub(crate) fn int(text: &str) -> Option<i64> {
    let (negative, digits) = split_sign(strip_for_int(text));
    if digits.chars().filter(|character| *character != '_').count() > MAX_INT_DIGITS {
        return None;
    }
    signed(negative, digits_in(digits, 10)?)
}

/// `str(int(text))`: the digits in full, for messages, also where [`int`] saturates.
pub(crate) fn int_digits(text: &str) -> Option<String> {
    int(text)?;
    let (negative, digits) = split_sign(strip_for_int(text));
    let digits: String =
        digits.chars().filter_map(decimal_digit).filter_map(|d| char::from_digit(d, 10)).collect();
    Some(match digits.trim_start_matches('0') {
        "" => "0".to_string(),
        digits if negative => format!("-{digits}"),
        digits => digits.to_string(),
    })
}

/// `int(text, 8)`: as [`int`], with an optional `0o` before the digits.
pub(crate) fn int_octal(text: &str) -> Option<i64> {
    let (negative, digits) = split_sign(strip_for_int(text));
    let digits = match digits.strip_prefix("0o").or_else(|| digits.strip_prefix("0O")) {
        Some(rest) => rest.strip_prefix('_').unwrap_or(rest),
        None => digits,
    };
    signed(negative, digits_in(digits, 8)?)
}

/// White space as `int` skips it: the ASCII separators count for `str.strip` only.
fn strip_for_int(text: &str) -> &str {
    text.trim_matches(char::is_whitespace)
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn digits_in(digits: &str, base: u32) -> Option<i64> {
    let mut total: i64 = 0;
    let mut after_digit = false;
    for character in digits.chars() {
        match decimal_digit(character).filter(|digit| *digit < base) {
            Some(digit) => {
                total = total.saturating_mul(i64::from(base)).saturating_add(i64::from(digit));
                after_digit = true;
            }
            None if character == '_' && after_digit => after_digit = false,
            None => return None,
        }
    }
    after_digit.then_some(total)
}

fn signed(negative: bool, magnitude: i64) -> Option<i64> {
    Some(match (negative, magnitude) {
        (true, i64::MAX) => i64::MIN,
        (true, _) => -magnitude,
        (false, _) => magnitude,
    })
}

/// `repr(text)` of a `str`.
pub(crate) fn repr(text: &str) -> String {
    quoted(text, is_printable)
}

/// `repr(number)` of a `float`: Rust chooses the same digits, and other words and exponents.
pub(crate) fn repr_float(number: f64) -> String {
    let text = format!("{number:?}").to_lowercase();
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `str()` of the `datetime` that an XML-RPC `dateTime.iso8601`, e.g. `20260101T1:02:03`, becomes.
pub(crate) fn str_datetime(text: &str) -> Option<String> {
    let [year, month, day, hour, minute, second] = datetime(text)?;
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
}

/// `repr()` of the same, which leaves seconds of 0 out.
pub(crate) fn repr_datetime(text: &str) -> Option<String> {
    let [year, month, day, hour, minute, second] = datetime(text)?;
    let seconds = if second == 0 { String::new() } else { format!(", {second}") };
    Some(format!("datetime.datetime({year}, {month}, {day}, {hour}, {minute}{seconds})"))
}

/// Year, month, day, hour, minute and second.
fn datetime(text: &str) -> Option<[u32; 6]> {
    let (date, time) = text.split_once('T')?;
    let mut times = time.split(':').map(|part| part.parse().ok());
    Some([
        date.get(..4)?.parse().ok()?,
        date.get(4..6)?.parse().ok()?,
        date.get(6..)?.parse().ok()?,
        times.next()??,
        times.next()??,
        times.next()??,
    ])
}

/// `ascii(text)`: `repr` with everything outside ASCII escaped.
pub(crate) fn ascii(text: &str) -> String {
    quoted(text, |character| character.is_ascii() && is_printable(character))
}

fn quoted(text: &str, plain: impl Fn(char) -> bool) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for chunk in text::encode(text).utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\\' => out.push_str("\\\\"),
                _ if character == quote => {
                    out.push('\\');
                    out.push(quote);
                }
                _ if plain(character) => out.push(character),
                _ => push_escape(&mut out, u32::from(character)),
            }
        }
        // To Python a byte that is not UTF-8 is a lone surrogate.
        chunk.invalid().iter().for_each(|byte| push_escape(&mut out, 0xdc00 + u32::from(*byte)));
    }
    out.push(quote);
    out
}

fn push_escape(out: &mut String, code: u32) {
    out.push_str(&match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    });
}

/// `str.isprintable` of one character. The standard library keeps the same table for its own debug escapes: a
/// character it prints as itself after a letter is printable. The versions of Unicode may differ a little.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    let mut bytes = [0; 8];
    bytes[0] = b'a';
    let length = 1 + character.encode_utf8(&mut bytes[1..]).len();
    std::str::from_utf8(&bytes[..length]).is_ok_and(|text| text.escape_debug().count() == 2)
}

/// `repr(data)` of a `bytes` object: `b'..'`.
pub(crate) fn repr_bytes(data: &[u8]) -> String {
    let quote = if data.contains(&b'\'') && !data.contains(&b'"') { '"' } else { '\'' };
    let mut out = String::with_capacity(data.len() + 3);
    out.push('b');
    out.push(quote);
    for &byte in data {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            _ if char::from(byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => push_escape(&mut out, u32::from(byte)),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_python_reads_them() {
        for (text, number) in [
            ("5", 5),
            (" -5 ", -5),
            ("+5\n", 5),
            ("1_000", 1000),
            ("007", 7),
            ("１２", 12),
            ("\u{85}1\u{3000}", 1),
            ("٣", 3),
            ("9223372036854775808", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(int(text), Some(number), "{text:?}");
        }
        for text in ["", " ", "-", "+-1", "- 1", "1_", "_1", "1__0", "0x1", "1.0", "\x1c1", "²"] {
            assert_eq!(int(text), None, "{text:?}");
        }
        assert_eq!(int(&"1".repeat(MAX_INT_DIGITS)), Some(i64::MAX));
        assert_eq!(int(&"1".repeat(MAX_INT_DIGITS + 1)), None);
    }

    #[test]
    fn digits_in_full() {
        assert_eq!(int_digits(" -0_1２ ").as_deref(), Some("-12"));
        assert_eq!(int_digits("-000").as_deref(), Some("0"));
        assert_eq!(int_digits("99999999999999999999").as_deref(), Some("99999999999999999999"));
        assert_eq!(int_digits("x"), None);
    }

    #[test]
    fn octal_integers() {
        for (text, number) in [("022", 18), ("0o22", 18), ("0O_7", 7), (" 7_7 ", 63), ("-1", -1)] {
            assert_eq!(int_octal(text), Some(number), "{text:?}");
        }
        for text in ["", "8", "0o", "0o__7", "0x1", "0b1"] {
            assert_eq!(int_octal(text), None, "{text:?}");
        }
    }

    #[test]
    fn representations_of_text() {
        for (text, shown) in [
            ("", "''"),
            ("it's", "\"it's\""),
            ("it's \"x\"", "'it\\'s \"x\"'"),
            ("a\tb\r\n\\", "'a\\tb\\r\\n\\\\'"),
            ("\0\x1f\x7f", "'\\x00\\x1f\\x7f'"),
            ("é\u{a0}\u{ad}", "'é\\xa0\\xad'"),
            ("\u{feff}\u{200b}\u{301}", "'\\ufeff\\u200b\u{301}'"),
            ("\u{e000}\u{10ffff}😀", "'\\ue000\\U0010ffff😀'"),
        ] {
            assert_eq!(repr(text), shown);
        }
        assert_eq!(repr(&text::decode(b"caf\xe9")), "'caf\\udce9'");
        assert_eq!(ascii("é😀\u{3000}"), "'\\xe9\\U0001f600\\u3000'");
    }

    #[test]
    fn representations_of_numbers() {
        for (number, text) in [
            (2.5, "2.5"),
            (5.0, "5.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e100, "1.5e+100"),
            (1e-4, "0.0001"),
            (-1.25e-5, "-1.25e-05"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(repr_float(number), text);
        }
    }

    #[test]
    fn representations_of_dates() {
        for (sent, str, repr) in [
            ("20260101T01:02:03", "2026-01-01 01:02:03", "datetime.datetime(2026, 1, 1, 1, 2, 3)"),
            ("20240229T1:2:0", "2024-02-29 01:02:00", "datetime.datetime(2024, 2, 29, 1, 2)"),
        ] {
            assert_eq!(str_datetime(sent).as_deref(), Some(str));
            assert_eq!(repr_datetime(sent).as_deref(), Some(repr));
        }
        assert_eq!(str_datetime("é26"), None);
    }

    #[test]
    fn representations_of_bytes() {
        assert_eq!(repr_bytes(b"a'\xff\n\0"), "b\"a'\\xff\\n\\x00\"");
        assert_eq!(repr_bytes(b"'\""), "b'\\'\"'");
    }
}
