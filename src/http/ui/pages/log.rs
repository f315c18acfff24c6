//! `/tail.html` and `/mainlog.html`: the end of a log, followed where there is a script.

use maud::{Markup, PreEscaped, html};

use super::controls::icon;
use super::layout::{Place, page};
use super::{Frame, link};

/// How many bytes of the end are offered without a script.
const LIMITS: [(u64, &str); 4] =
    [(1 << 10, "1 kB"), (16 << 10, "16 kB"), (64 << 10, "64 kB"), (1 << 20, "1 MB")];

/// How many bytes of the end the script starts with at least.
const FOLLOWED: u64 = 64 << 10;

/// How many there are at most.
const MOST: u64 = 1 << 20;

/// Which log a page shows.
pub(in crate::http::ui) enum Source<'a> {
    /// A program's; `channel` is `stdout` or `stderr`.
    Program { namespec: &'a str, channel: &'a str },
    /// The daemon's own.
    Main,
    /// None: no program was named.
    Nothing,
}

impl Source<'_> {
    fn title(&self) -> String {
        match self {
            Source::Program { namespec, .. } => format!("Supervisor tail of process {namespec}"),
            Source::Main => "Supervisor main log".to_string(),
            Source::Nothing => "Supervisor tail of process None".to_string(),
        }
    }

    /// The page with the last `limit` bytes.
    fn page(&self, limit: u64) -> Option<String> {
        match self {
            Source::Program { namespec, channel } => {
                Some(format!("{}&limit={limit}", link::tail(namespec, channel)))
            }
            Source::Main => Some(format!("mainlog.html?limit={limit}")),
            Source::Nothing => None,
        }
    }

    /// The endless stream.
    fn stream(&self) -> Option<String> {
        match self {
            Source::Program { namespec, channel } => Some(link::stream(namespec, channel)),
            Source::Main => Some("mainlogtail".to_string()),
            Source::Nothing => None,
        }
    }
}

/// A log page with the end of the log, or with what is wrong with it, as `text`. `limit` is how many bytes were asked for.
pub(in crate::http::ui) fn render(
    source: &Source<'_>,
    text: &str,
    limit: u64,
    frame: &Frame<'_>,
) -> Markup {
    let follow = source.stream().map(|stream| format!("{stream}?tail={}", limit.max(FOLLOWED)));
    let contents = html! {
        div.toolbar {
            (heading(source))
            @if follow.is_some() { (tools(source)) }
        }
        @if let Some(refresh) = source.page(limit) { (sizes(source, &refresh, limit)) }
        div.log {
            pre #log tabindex="0" role="region" aria-label="Log" data-follow=[follow] { (verbatim(text)) }
            button.primary #newest type="button" hidden { (icon("down")) " Newest" }
        }
    };
    let place = if matches!(source, Source::Main) { Place::MainLog } else { Place::Elsewhere };
    page(&source.title(), "log", place, frame, contents)
}

fn heading(source: &Source<'_>) -> Markup {
    html! {
        @match source {
            Source::Program { namespec, channel: current } => {
                h1 { a href=(link::program(namespec)) { (namespec) } }
                nav.channels aria-label="Channels" {
                    @for channel in ["stdout", "stderr"] {
                        a href=(link::tail(namespec, channel)) aria-current=[(channel == *current).then_some("page")] { (channel) }
                    }
                }
            }
            Source::Main => h1 { "Main log" },
            Source::Nothing => h1 { "No log" },
        }
    }
}

fn tools(source: &Source<'_>) -> Markup {
    html! {
        // Only what a screen reader is to say is in a live region: neither the count of the lines that wait nor that of the
        // matches, which grow with the log.
        span.follow.with-script { span #follow role="status" {} span #news {} }
        div.tools.with-script {
            div.search role="search" {
                input #search type="search" placeholder="Search" aria-label="Search in the log" aria-keyshortcuts="/"
                    autocomplete="off" spellcheck="false";
                span #found aria-hidden="true" {}
                span.unseen #searched role="status" {}
                button.action #previous type="button" aria-label="Previous match" title="Previous (Shift+Enter)" { (icon("up")) }
                button.action #next type="button" aria-label="Next match" title="Next (Enter)" { (icon("down")) }
            }
            label { input #matching type="checkbox"; " Only matches" }
            label { input #wrap type="checkbox" checked; " Wrap" }
            button.button #pause type="button" { "Pause" }
            details.menu {
                summary.action aria-label="More" title="More" { (icon("more")) }
                div.popover {
                    button #copy type="button" { "Copy what is shown" }
                    button #save type="button" { "Save what is shown" }
                    button #clear type="button" { "Clear the view" }
                    @if let Some(more) = source.page(MOST) { a href=(more) { "Start with the last 1 MB" } }
                    @if let Some(stream) = source.stream() { a href=(stream) target="_blank" { "Raw stream" } }
                }
            }
        }
    }
}

/// Without a script: again, and more of it.
fn sizes(source: &Source<'_>, refresh: &str, limit: u64) -> Markup {
    html! {
        p.sizes.without-script {
            a.button href=(refresh) { "Refresh" }
            @for (bytes, label) in LIMITS {
                @if let Some(address) = source.page(bytes) {
                    " " a href=(address) aria-current=[(bytes == limit).then_some("true")] { "Last " (label) }
                }
            }
        }
    }
}

/// Text that comes out of the browser's parser as it went in: that drops a first newline and all carriage returns.
fn verbatim(text: &str) -> PreEscaped<String> {
    let escaped = html! { (text) }.into_string().replace('\r', "&#13;");
    PreEscaped(if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped })
}
