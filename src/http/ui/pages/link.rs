//! Addresses of the pages, relative to each other, because a proxy may have stripped a prefix.

use crate::http::percent;

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

fn encode(text: &str) -> String {
    percent::encode(text, b"")
}
