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
    match namespec {
        // Browsers would go to another folder, even if the dots were percent-encoded.
        "." | ".." => format!("logtail/{namespec}%3A{namespec}{channel}"),
        _ => format!("logtail/{}{channel}", encode(namespec)),
    }
}

fn encode(text: &str) -> String {
    percent::encode(text, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_any_name() {
        for (namespec, expected) in [
            ("web", "logtail/web"),
            ("a:b/c", "logtail/a%3Ab%2Fc"),
            ("..", "logtail/..%3A.."),
            (".", "logtail/.%3A."),
            ("...", "logtail/..."),
        ] {
            assert_eq!(stream(namespec, "stdout"), expected);
            assert_eq!(stream(namespec, "stderr"), format!("{expected}/stderr"));
        }
    }
}
