//! The pages: markup only, no decisions about what is true. Everything from outside is escaped by the templates.

pub(super) mod log;
pub(super) mod program;
pub(super) mod refused;
pub(super) mod status;

/// What every page has around its contents.
pub(in crate::http) struct Frame<'a> {
    /// What the last action had to say.
    pub(in crate::http) message: Option<&'a str>,
    /// Proves that a form came from a page of ours; goes into every form as `token`.
    pub(in crate::http) token: &'a str,
}
