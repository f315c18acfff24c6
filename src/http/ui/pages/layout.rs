//! What surrounds every page.

use maud::{DOCTYPE, Markup, html};

use super::Frame;
use super::controls::{ICONS, icon};
use crate::core::states::Mood;
use crate::{SUPERVISOR_VERSION, VERSION};

/// Which entry of the navigation is the current page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The status page.
    Status,
    /// The main log.
    MainLog,
    /// A page below these.
    Elsewhere,
}

/// A whole page; `kind` tells the style sheet and the script what it is.
pub(super) fn page(
    title: &str,
    kind: &str,
    place: Place,
    frame: &Frame<'_>,
    contents: Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="stylesheets/supervisor.css";
                link rel="icon" type="image/png" href="images/icon.png";
                link rel="icon" type="image/svg+xml" href="images/icon.svg";
                // Not deferred: it chooses dark or light before anything is painted.
                script src="scripts/supervisor.js" {}
            }
            body data-page=(kind) {
                a.skip href="#main" { "Skip to the contents" }
                (header(place, frame))
                (message(frame))
                main #main tabindex="-1" { (contents) }
                footer {
                    "supervisord-rs " (VERSION) ", compatible with Supervisor "
                    span #version { (SUPERVISOR_VERSION) }
                }
                (ICONS)
            }
        }
    }
}

fn header(place: Place, frame: &Frame<'_>) -> Markup {
    let current = |entry| (place == entry).then_some("page");
    html! {
        header {
            a.brand href="index.html" {
                img src="images/icon.svg" alt="" width="22" height="22";
                span #identifier { (frame.identifier) }
            }
            span.mood #mood data-mood=(frame.mood.name()) title="State of the daemon" { (mood(frame.mood)) }
            nav aria-label="Pages" {
                a href="index.html" aria-current=[current(Place::Status)] { "Status" }
                a href="mainlog.html" aria-current=[current(Place::MainLog)] { "Main log" }
            }
            span.connection #connection role="status" {}
            button.quiet.with-script #theme type="button" aria-pressed="false" aria-label="Dark colours" title="Dark or light" {
                (icon("theme"))
            }
        }
    }
}

/// A live region has to be there before it says something.
fn message(frame: &Frame<'_>) -> Markup {
    html! {
        div.message {
            p #message role="status" { @if let Some(message) = frame.message { (message) } }
            button.quiet.with-script #dismiss type="button" aria-label="Dismiss the message" { (icon("close")) }
        }
    }
}

fn mood(mood: Mood) -> &'static str {
    match mood {
        Mood::Running => "running",
        Mood::Restarting => "restarting",
        Mood::Shutdown => "shutting down",
    }
}
