//! `/program.html`: one program, its state and its configuration as parsed.

use maud::{DOCTYPE, Markup, html};

use super::Frame;
use crate::core::json;
use crate::core::overview::Program;

/// The page of a program.
pub(in crate::http::ui) fn render(program: &Program, frame: &Frame<'_>) -> Markup {
    html! {
        (DOCTYPE)
        title { (program.info.namespec()) }
        @if let Some(message) = frame.message { p { (message) } }
        dl {
            @for (name, value) in &program.settings {
                dt { (name) }
                dd { (json::write(value)) }
            }
        }
    }
}
