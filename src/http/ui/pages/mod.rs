//! The pages: markup only, no decisions about what is true. Everything from outside is escaped by the templates.
//!
//! Every page works without the script. What the script adds to (a row, a group) it clones from templates rendered
//! here, so that markup has one home.

mod controls;
mod layout;
mod link;
pub(super) mod log;
pub(super) mod program;
pub(super) mod refused;
pub(super) mod status;
mod words;

use crate::core::states::Mood;

/// What every page has around its contents.
pub(super) struct Frame<'a> {
    /// The `identifier` of the daemon, which tells one from another.
    pub(super) identifier: &'a str,
    /// What the daemon is doing.
    pub(super) mood: Mood,
    /// What the last action had to say.
    pub(super) message: Option<&'a str>,
    /// Proves that a form came from a page of ours; goes into every form as `token`.
    pub(super) token: &'a str,
}

#[cfg(test)]
mod tests;
