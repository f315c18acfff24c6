//! `/program.html`: one program, its state and its configuration as parsed.

use maud::{Markup, html};

use super::controls::{process_form, verbs};
use super::layout::{Place, page};
use super::{Frame, link, words};
use crate::core::calendar::Civil;
use crate::core::info::ProcessInfo;
use crate::core::json;
use crate::core::overview::Program;
use crate::core::value::Value;

/// The page of a program.
pub(in crate::http::ui) fn render(program: &Program, frame: &Frame<'_>) -> Markup {
    let info = &program.info;
    let namespec = info.namespec();
    let contents = html! {
        article.process data-namespec=(namespec) data-group=(info.group) data-name=(info.name) data-state=(info.state.name()) {
            div.toolbar {
                h1 { (namespec) }
                span.state { span.statename { (info.state.name().to_lowercase()) } }
                div.tools { (process_form(&namespec, verbs(info.state), frame)) }
            }
            p.about {
                span.description { (info.description) } " "
                span.note { @if let Some(note) = words::note(info) { (note) } } " "
                span.ago {}
            }
            div.gauges.with-script {
                @for (class, label) in [("cpu", "CPU"), ("memory", "Memory")] {
                    section class={ "gauge " (class) } aria-label=(label) { h2 { (label) } span.figure {} }
                }
            }
            div.columns {
                section { h2 { "Process" } (facts(info)) }
                section { h2 { "Configuration" } (settings(&program.settings)) }
            }
            // What the script puts buttons back from when they become available.
            template #row-template { (process_form(&namespec, super::controls::ALL, frame)) }
        }
    };
    page(&format!("{namespec} - Supervisor"), "program", Place::Elsewhere, frame, contents)
}

fn facts(info: &ProcessInfo) -> Markup {
    let namespec = info.namespec();
    let logs = [("stdout", &info.stdout_logfile), ("stderr", &info.stderr_logfile)];
    html! {
        table.facts {
            tr { th scope="row" { "pid" } td data-fact="pid" { (info.pid.map_or("none".to_string(), |pid| pid.to_string())) } }
            tr { th scope="row" { "started" } td data-fact="start" { (time(info.start_secs)) } }
            tr { th scope="row" { "ended" } td data-fact="stop" { (time(info.stop_secs)) } }
            tr { th scope="row" { "exit" } td data-fact="ending" { (words::ending(info).unwrap_or_else(|| "none".to_string())) } }
            tr { th scope="row" { "spawn error" } td data-fact="spawnerr" { @if info.spawn_error.is_empty() { "none" } @else { (info.spawn_error) } } }
            @for (channel, file) in logs {
                tr {
                    th scope="row" { (channel) }
                    td {
                        @if let Some(file) = file { a href=(link::tail(&namespec, channel)) { (file) } } @else { "no log file" }
                    }
                }
            }
        }
    }
}

/// A moment, as the script can put it into the reader's own time; 0 is never.
fn time(secs: i64) -> Markup {
    let moment = Civil::at(secs);
    html! {
        @if secs != 0 {
            time datetime={ (moment.machine_readable()) "Z" } { (moment.stamp()) " UTC" }
        } @else { "never" }
    }
}

/// The options by the names they have in a configuration file.
fn settings(settings: &[(String, Value)]) -> Markup {
    html! {
        table.settings {
            @for (name, value) in settings {
                tr { th scope="row" { (name) } td.unset[is_unset(value)] { (setting(name, value)) } }
            }
        }
    }
}

fn is_unset(value: &Value) -> bool {
    matches!(value, Value::Nil) || matches!(value, Value::Array(items) if items.is_empty())
}

/// A value as it would be written there.
fn setting(name: &str, value: &Value) -> String {
    match value {
        value if is_unset(value) => "not set".to_string(),
        Value::Str(text) => text.clone(),
        Value::Int(number) if name.ends_with("_maxbytes") && *number >= 1024 => {
            format!("{number} ({})", words::bytes(number.unsigned_abs()))
        }
        Value::Array(items) => {
            items.iter().map(|item| setting(name, item)).collect::<Vec<_>>().join(", ")
        }
        other => json::write(other),
    }
}
