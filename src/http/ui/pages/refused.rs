//! What is shown instead of doing what was asked for.

use maud::{DOCTYPE, Markup, html};

use super::Frame;

/// The page of a refusal: `text` says why; `again` are the fields of the form that does it after all, none when there
/// is nothing to confirm.
pub(in crate::http::ui) fn render(text: &str, again: &[(&str, &str)], frame: &Frame<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Supervisor" }
                link rel="stylesheet" href="stylesheets/supervisor.css";
            }
            body {
                main {
                    p role="alert" { (text) }
                    @if !again.is_empty() {
                        form action="index.html" method="post" {
                            input type="hidden" name="token" value=(frame.token);
                            @for (name, value) in again {
                                input type="hidden" name=(name) value=(value);
                            }
                            button { @for (_, value) in again { (value) " " } }
                        }
                    }
                    p { a href="./" { "Supervisor status" } }
                }
            }
        }
    }
}
