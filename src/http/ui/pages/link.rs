//! Addresses of the pages, relative to each other, because a proxy may have stripped a prefix.

use std::fmt::Write as _;

/// Percent-encodes everything but the letters, digits and signs that mean nothing in any part of an address.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The page of a program.
pub(super) fn program(namespec: &str) -> String {
    format!("program.html?processname={}", encode(namespec))
}

/// The end of a program's log; `channel` is `stdout` or `stderr`.
pub(super) fn tail(namespec: &str, channel: &str) -> String {
    let channel = if channel == "stdout" { "" } else { "&channel=stderr" };
    format!("tail.html?processname={}{channel}", encode(namespec))
}

/// The endless stream of a program's log.
pub(super) fn stream(namespec: &str, channel: &str) -> String {
    let channel = if channel == "stdout" { "" } else { "/stderr" };
    format!("logtail/{}{channel}", encode(namespec))
}
