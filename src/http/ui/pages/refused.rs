//! What is shown instead of doing what was asked for.

use maud::{Markup, html};

use super::Frame;
use super::layout::{Place, page};

/// The page of a refusal: `text` says why; `again` are the fields of the form that does it after all, none when there
/// is nothing to confirm.
pub(in crate::http::ui) fn render(text: &str, again: &[(&str, &str)], frame: &Frame<'_>) -> Markup {
    let contents = html! {
        div.refusal {
            h1 { "Nothing was done" }
            p role="alert" { (text) }
            @if !again.is_empty() {
                form action="index.html" method="post" {
                    input type="hidden" name="token" value=(frame.token);
                    @for (name, value) in again { input type="hidden" name=(name) value=(value); }
                    button.primary { @for (_, value) in again { (value) " " } }
                }
            }
            p { a href="index.html" { "Supervisor status" } }
        }
    };
    page("Supervisor", "refused", Place::Elsewhere, frame, contents)
}
