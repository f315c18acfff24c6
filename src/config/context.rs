//! What the readers of the sections need.

use super::files::Files;
use super::names::Table;
use super::scope::{Importable, Origin, Scope, here};

/// One reading.
pub(super) struct Context<'a> {
    pub(super) origin: &'a Origin<'a>,
    pub(super) node_name: &'a str,
    pub(super) files: &'a Files,
    /// The `ENV_` names.
    pub(super) expansions: &'a Table,
    /// `python=` of the daemon.
    pub(super) python: Option<&'a str>,
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
            imports: self.importable(),
        }
    }

    /// Who knows what the daemon's Python can import.
    pub(super) fn importable(&self) -> Importable<'_> {
        Importable { imports: Some(self.origin.imports), python: self.python }
    }

    /// A table with `here` in it.
    pub(super) fn here(&self) -> Table {
        here(self.origin.here)
    }
}
