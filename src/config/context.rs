//! What the readers of the sections need.

use super::files::Files;
use super::names::Table;
use super::scope::{Origin, Scope, here};

/// One reading.
pub(super) struct Context<'a> {
    pub(super) origin: &'a Origin<'a>,
    pub(super) node_name: &'a str,
    pub(super) files: &'a Files,
    /// The `ENV_` names.
    pub(super) expansions: &'a Table,
}

impl Context<'_> {
    /// A scope with the given names besides the `ENV_` ones.
    pub(super) fn scope(&self, local: Table) -> Scope<'_> {
        Scope {
            document: &self.files.document,
            environ: self.origin.environ,
            environment: self.expansions,
            local,
            late: None,
        }
    }

    /// A table with `here` in it.
    pub(super) fn here(&self) -> Table {
        here(self.origin.here)
    }
}
