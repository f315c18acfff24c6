//! Buttons, forms and icons.

use maud::{Markup, PreEscaped, html};

use super::{Frame, link};
use crate::core::states::ProcessState;

/// Something a button does to a process, as `action` of its form names it.
pub(super) struct Verb {
    /// The value of `action`.
    pub(super) action: &'static str,
    /// What the button is called.
    pub(super) label: &'static str,
}

/// Start a process that is not running.
const START: Verb = Verb { action: "start", label: "Start" };
/// Stop it and start it again.
const RESTART: Verb = Verb { action: "restart", label: "Restart" };
/// Stop it.
const STOP: Verb = Verb { action: "stop", label: "Stop" };
/// All of these.
pub(super) const ALL: &[Verb] = &[START, RESTART, STOP];
/// Empty its logs.
const CLEAR: Verb = Verb { action: "clearlog", label: "Clear log" };

/// What can be done to a process in a state, besides clearing its logs (`web.py: actions_for_process`).
pub(super) fn verbs(state: ProcessState) -> &'static [Verb] {
    match state {
        ProcessState::Running => &[RESTART, STOP],
        ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => &[START],
        ProcessState::Starting
        | ProcessState::Backoff
        | ProcessState::Stopping
        | ProcessState::Unknown => &[],
    }
}

/// The one form of a process: a button for each of `verbs`, and a menu of what is rarely wanted.
pub(super) fn process_form(namespec: &str, verbs: &[Verb], frame: &Frame<'_>) -> Markup {
    html! {
        form.actions method="post" action="index.html" {
            input type="hidden" name="token" value=(frame.token);
            input type="hidden" name="processname" value=(namespec);
            @for verb in verbs {
                button.action type="submit" name="action" value=(verb.action)
                    aria-label={ (verb.label) " " (namespec) } title=(verb.label) {
                    (icon(verb.action))
                    span.label { (verb.label) }
                }
            }
            details.menu {
                summary.action aria-label={ "More about " (namespec) } title="More" { (icon("more")) }
                div.popover {
                    button type="submit" name="action" value=(CLEAR.action)
                        aria-label={ (CLEAR.label) " of " (namespec) } { (CLEAR.label) }
                    a href=(link::stream(namespec, "stdout")) target="_blank" { "Raw stdout" }
                    a href=(link::stream(namespec, "stderr")) target="_blank" { "Raw stderr" }
                }
            }
        }
    }
}

/// What the buttons of a group, or those for everything, act on.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// All processes of a group.
    Group(&'a str),
    /// All processes.
    All,
}

/// Start, restart and stop for many processes; each asks before it does so.
pub(super) fn bulk_forms(scope: Scope<'_>, total: usize, frame: &Frame<'_>) -> Markup {
    html! {
        div.actions {
            @for verb in ALL { (confirmation(verb, scope, total, frame)) }
        }
    }
}

fn confirmation(verb: &Verb, scope: Scope<'_>, total: usize, frame: &Frame<'_>) -> Markup {
    let (kind, name, label) = match scope {
        Scope::Group(name) => ("group", Some(name), format!("{} group {name}", verb.label)),
        Scope::All => ("all", None, format!("{} all processes", verb.label)),
    };
    html! {
        details.menu {
            summary.action aria-label=(label) title={ (verb.label) " all" } {
                (icon(verb.action))
                span.label { (verb.label) " all" }
            }
            form.popover method="post" action="index.html" {
                input type="hidden" name="token" value=(frame.token);
                @if let Some(name) = name { input type="hidden" name="groupname" value=(name); }
                p {
                    (verb.label) " all " span.total { (total) } " processes"
                    @if let Some(name) = name { " of " b { (name) } }
                    "?"
                }
                button.primary type="submit" name="action" value={ (verb.action) (kind) } { (verb.label) " all" }
            }
        }
    }
}

/// One of [`ICONS`]; says nothing to a screen reader.
pub(super) fn icon(name: &str) -> Markup {
    html! { svg.icon aria-hidden="true" { use href={ "#icon-" (name) } {} } }
}

/// The shapes of all icons, once a page.
pub(super) const ICONS: PreEscaped<&str> = PreEscaped(
    r#"<svg hidden="" xmlns="http://www.w3.org/2000/svg">
<symbol id="icon-start" viewBox="0 0 16 16"><path d="M5 3.2v9.6l7.6-4.8z"/></symbol>
<symbol id="icon-stop" viewBox="0 0 16 16"><path d="M4 4h8v8H4z"/></symbol>
<symbol id="icon-restart" viewBox="0 0 16 16"><path fill="none" stroke-width="1.6" d="M12.6 8.6A4.7 4.7 0 1 1 11 4.3l1.4 1.3"/><path d="M13.4 2.4v4.2H9.2z"/></symbol>
<symbol id="icon-more" viewBox="0 0 16 16"><circle cx="3.5" cy="8" r="1.3"/><circle cx="8" cy="8" r="1.3"/><circle cx="12.5" cy="8" r="1.3"/></symbol>
<symbol id="icon-fold" viewBox="0 0 16 16"><path fill="none" stroke-width="1.6" d="m4.5 6.2 3.5 3.5 3.5-3.5"/></symbol>
<symbol id="icon-close" viewBox="0 0 16 16"><path fill="none" stroke-width="1.6" d="m4.5 4.5 7 7m0-7-7 7"/></symbol>
<symbol id="icon-theme" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.4" fill="none" stroke-width="1.4"/><path d="M8 2.6a5.4 5.4 0 0 1 0 10.8z"/></symbol>
<symbol id="icon-up" viewBox="0 0 16 16"><path fill="none" stroke-width="1.6" d="m4 10 4-4 4 4"/></symbol>
<symbol id="icon-down" viewBox="0 0 16 16"><path fill="none" stroke-width="1.6" d="m4 6 4 4 4-4"/></symbol>
</svg>"#,
);
