//! Python's `repr` of a text and of bytes, as copies of a program's output in the main log show them.

use std::fmt::Write;

/// `repr(str)`: quoted, with escapes for what cannot be printed.
pub fn repr_str(text: &str) -> String {
    let quote = quote_for(text.contains('\''), text.contains('"'));
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c)); // writing to a String cannot fail
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `repr(bytes)`, e.g. `b'\xff\n'`.
pub fn repr_bytes(data: &[u8]) -> String {
    let quote = quote_for(data.contains(&b'\''), data.contains(&b'"'));
    let mut out = String::with_capacity(data.len() + 3);
    out.push('b');
    out.push(quote);
    for &byte in data {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if char::from(b) == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}"); // writing to a String cannot fail
            }
        }
    }
    out.push(quote);
    out
}

/// Python prefers single quotes, and double ones where that saves escapes.
fn quote_for(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_prints_them() {
        assert_eq!(repr_str("cat"), "'cat'");
        assert_eq!(repr_str("it's"), "\"it's\"");
        assert_eq!(repr_str("a'b\"c\\\n\u{7f}é"), "'a\\'b\"c\\\\\\n\\x7fé'");
        assert_eq!(repr_bytes(b"\xff\n'\x00~"), "b\"\\xff\\n'\\x00~\"");
        assert_eq!(repr_bytes(b"'\"\t"), "b'\\'\"\\t'");
    }
}
