//! `/tail.html` and `/mainlog.html`: the end of a log, followed where there is a script.

use maud::{DOCTYPE, Markup, html};

use super::Frame;

/// Which log a page shows.
pub(in crate::http::ui) enum Source<'a> {
    /// A program's; `channel` is `stdout` or `stderr`.
    Program { namespec: &'a str, channel: &'a str },
    /// The daemon's own.
    Main,
    /// None: no program was named.
    Nothing,
}

/// A log page with the end of the log, or with what is wrong with it, as `text`. `limit` is how many bytes were asked for.
pub(in crate::http::ui) fn render(
    source: &Source<'_>,
    text: &str,
    limit: u64,
    frame: &Frame<'_>,
) -> Markup {
    let title = match source {
        Source::Program { namespec, .. } => format!("Supervisor tail of process {namespec}"),
        Source::Main => "Supervisor main log".to_string(),
        Source::Nothing => "Supervisor tail of process None".to_string(),
    };
    html! {
        (DOCTYPE)
        title { (title) }
        @if let Some(message) = frame.message { p { (message) } }
        pre data-limit=(limit) { (text) }
        @if let Source::Program { channel, .. } = source { p { (channel) } }
    }
}
