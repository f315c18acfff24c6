//! `/`: every program, its state and its buttons.

use std::collections::HashMap;

use maud::{DOCTYPE, Markup, html};

use super::Frame;
use crate::core::overview::Overview;
use crate::daemon::usage::Usage;

/// The status page; `usage` is by pid.
pub(in crate::http::ui) fn render(
    overview: &Overview,
    usage: &HashMap<i32, Usage>,
    frame: &Frame<'_>,
) -> Markup {
    html! {
        (DOCTYPE)
        title { "Supervisor Status" }
        @if let Some(message) = frame.message { p { (message) } }
        table {
            @for process in &overview.processes {
                tr {
                    td { (process.namespec()) }
                    td { (process.state.name()) }
                    td { (process.description) }
                    td { @if let Some(usage) = process.pid.and_then(|pid| usage.get(&pid)) { (usage.memory_bytes) } }
                }
            }
        }
    }
}
