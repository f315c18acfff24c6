//! The sections, and the names that their values may hold.

use super::complaint::{Complaint, Mistake};
use super::environ::Environ;
use super::expand::expand;
use super::imports::Imports;
use super::ini::Document;
use super::names::Table;

/// Where the configuration is and what it is read with.
pub(super) struct Origin<'a> {
    /// The main file, as given or found.
    pub(super) configfile: &'a str,
    /// Its directory.
    pub(super) here: &'a str,
    /// The daemon's environment.
    pub(super) environ: &'a Environ,
    /// Who knows what can be imported.
    pub(super) imports: &'a Imports,
}

/// A table with `here` in it.
pub(super) fn here(directory: &str) -> Table {
    let mut table = Table::new();
    table.set("here", directory.into());
    table
}

/// A view of the options in which values are expanded.
pub(super) struct Scope<'a> {
    /// The sections.
    pub(super) document: &'a Document,
    /// Where relative names begin.
    pub(super) environ: &'a Environ,
    /// The `ENV_` names.
    pub(super) environment: &'a Table,
    /// Further names, which win.
    pub(super) local: Table,
    /// The names of what is expanded late or twice, if these are not the further ones.
    pub(super) late: Option<&'a Table>,
    /// What may be imported, where something in Python may be named.
    pub(super) imports: Importable<'a>,
}

/// Who knows what the daemon's Python can import.
#[derive(Clone, Copy, Default)]
pub(super) struct Importable<'a> {
    pub(super) imports: Option<&'a Imports>,
    /// `python=` of the daemon.
    pub(super) python: Option<&'a str>,
}

impl Importable<'_> {
    /// Whether a name of a factory or a handler stands for something.
    pub(super) fn knows(self, spec: &str) -> bool {
        self.imports.is_some_and(|imports| imports.know(self.python, spec))
    }
}

impl Scope<'_> {
    /// The expanded value of an option, if it is set.
    pub(super) fn get(&self, section: &str, option: &str) -> Result<Option<String>, Complaint> {
        let names = [self.environment, &self.local];
        self.document
            .get(section, option)
            .map(|raw| expand(raw, &names, &format!("{section}.{option}")))
            .transpose()
            .map_err(|mistake| self.document.option_complaint(section, option, mistake))
    }

    /// Expands a value late, or a second time.
    pub(super) fn expand(&self, text: &str, option: &str) -> Result<String, Mistake> {
        expand(text, &[self.late.unwrap_or(&self.local)], option)
    }
}
