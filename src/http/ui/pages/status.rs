//! `/`: every program, its state and its buttons.

use std::collections::HashMap;

use maud::{Markup, html};

use super::controls::{self, Scope, bulk_forms, icon, process_form};
use super::layout::{Place, page};
use super::{Frame, link, words};
use crate::core::info::ProcessInfo;
use crate::core::namespec;
use crate::core::overview::Overview;
use crate::core::states::ProcessState;
use crate::daemon::usage::Usage;

/// What the script replaces in a clone of a template. Percent-encoded it stays the same.
const GROUP: &str = "TEMPLATE-GROUP";
const PROCESS: &str = "TEMPLATE-PROCESS";

/// The cells of a row, for the headings of groups.
const COLUMNS: u32 = 7;

/// What the numbers and buttons of a row come from.
struct Sight<'a> {
    usage: &'a HashMap<i32, Usage>,
    frame: &'a Frame<'a>,
}

/// The status page; `usage` is by pid.
pub(in crate::http::ui) fn render(
    overview: &Overview,
    usage: &HashMap<i32, Usage>,
    frame: &Frame<'_>,
) -> Markup {
    let sight = Sight { usage, frame };
    let total = overview.processes.len();
    let contents = html! {
        div.toolbar {
            h1 { "Processes" }
            (counts(&overview.processes))
            div.tools {
                input.with-script #filter type="search" placeholder="Filter" aria-label="Filter by name or state"
                    aria-keyshortcuts="/" autocomplete="off" spellcheck="false";
                a.button.without-script href="index.html?action=refresh" { "Refresh" }
                (bulk_forms(Scope::All, total, frame))
            }
        }
        // The words only where they are true: scripts look for them.
        p.nothing #nothing hidden[total > 0] { @if total == 0 { "No programs to manage" } }
        p.nothing #unmatched hidden { "Nothing matches the filter. " kbd { "Esc" } " clears it." }
        table #processes hidden[total == 0] {
            caption.unseen { "Processes, their states and what can be done" }
            thead {
                tr {
                    th.state scope="col" { "State" }
                    th scope="col" { "Name" }
                    th scope="col" { "Description" }
                    th.number scope="col" { "CPU" }
                    th.number scope="col" { "Memory" }
                    th scope="col" { "Logs" }
                    th scope="col" { span.unseen { "Actions" } }
                }
            }
            (bodies(&overview.processes, &sight))
        }
        template #group-template { (group(GROUP, &[], &sight)) }
        template #row-template { (row(&placeholder(), &sight, controls::ALL)) }
    };
    page("Supervisor Status", "status", Place::Status, frame, contents)
}

/// How many processes are in each state; with the script, buttons that show only these.
fn counts(processes: &[ProcessInfo]) -> Markup {
    let count = |state| processes.iter().filter(|process| process.state == state).count();
    html! {
        div.counts role="group" aria-label="Show by state" {
            button type="button" data-state="" aria-pressed="true" disabled {
                span.total { (processes.len()) } " all"
            }
            @for state in ProcessState::ALL {
                button type="button" data-state=(state.name()) aria-pressed="false" disabled hidden[count(state) == 0] {
                    span.count { (count(state)) } " " (state.name().to_lowercase())
                }
            }
        }
    }
}

/// Programs that are no group but themselves first, then the groups. A member that has its group's name is no more than
/// a member.
fn bodies(processes: &[ProcessInfo], sight: &Sight<'_>) -> Markup {
    let groups = processes.chunk_by(|one, other| one.group == other.group);
    let (single, groups): (Vec<_>, Vec<_>) =
        groups.partition(|members| matches!(members, [only] if only.group == only.name));
    html! {
        tbody #single {
            @for process in single.into_iter().flatten() { (row(process, sight, controls::verbs(process.state))) }
        }
        @for members in groups { (group(&members[0].group, members, sight)) }
    }
}

fn group(name: &str, members: &[ProcessInfo], sight: &Sight<'_>) -> Markup {
    let running = members.iter().filter(|process| process.state == ProcessState::Running).count();
    html! {
        tbody.group data-group=(name) {
            tr.heading {
                th scope="rowgroup" colspan=(COLUMNS - 1) {
                    button.fold type="button" aria-expanded="true" disabled {
                        (icon("fold"))
                        span.group-name { (name) }
                    }
                    span.tally { span.count { (running) } " of " span.total { (members.len()) } " running" }
                }
                td { (bulk_forms(Scope::Group(name), members.len(), sight.frame)) }
            }
            @for process in members { (row(process, sight, controls::verbs(process.state))) }
        }
    }
}

fn row(process: &ProcessInfo, sight: &Sight<'_>, verbs: &[controls::Verb]) -> Markup {
    let namespec = process.namespec();
    let usage = process.pid.and_then(|pid| sight.usage.get(&pid));
    html! {
        tr.process data-namespec=(namespec) data-group=(process.group) data-name=(process.name) data-state=(process.state.name()) {
            td.state { span.statename { (process.state.name().to_lowercase()) } }
            th.name scope="row" { a href=(link::program(&namespec)) { (name(&process.group, &process.name)) } }
            td.about {
                span.description { (process.description) } " "
                span.note { @if let Some(note) = words::note(process) { (note) } } " "
                span.ago {}
            }
            td.number.cpu {
                span.figure title="Average since it was started" {
                    @if let Some(usage) = usage { (words::average_cpu(process, usage)) }
                }
            }
            td.number.memory { span.figure { @if let Some(usage) = usage { (words::bytes(usage.memory_bytes)) } } }
            td.logs {
                @for channel in ["stdout", "stderr"] {
                    a href=(link::tail(&namespec, channel)) aria-label={ (channel) " of " (namespec) } { (channel) } " "
                }
            }
            td { (process_form(&namespec, verbs, sight.frame)) }
        }
    }
}

/// A namespec whose group stands back.
fn name(group: &str, name: &str) -> Markup {
    let namespec = namespec::join(group, name);
    html! {
        @if group != name { span.prefix { (group) ":" } (name) } @else { (namespec) }
    }
}

/// The process of the template: its names are what the script looks for.
fn placeholder() -> ProcessInfo {
    ProcessInfo {
        group: GROUP.to_string(),
        name: PROCESS.to_string(),
        state: ProcessState::Unknown,
        description: String::new(),
        pid: None,
        start_secs: 0,
        stop_secs: 0,
        now_secs: 0,
        exit_status: None,
        spawn_error: String::new(),
        stdout_logfile: None,
        stderr_logfile: None,
    }
}
