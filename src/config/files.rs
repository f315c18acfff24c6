//! The main file and those it includes.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::complaint::{Complaint, Mistake, Notes, Topic};
use super::environ::Environ;
use super::ini::Document;
use super::names::Table;
use super::scope::{Importable, Origin, Scope};
use super::{include, paths, values};
use crate::core::options::{Field, Names, Reread, Row, Unset, field};
use crate::core::python::is_space;
use crate::native;

/// Larger files are refused; a configuration of ten thousand programs has about two megabytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The sections of all files, and which included file brought each.
pub(super) struct Files {
    pub(super) document: Document,
    /// Sections that first appeared in an included file, and that file.
    pub(super) origins: HashMap<String, String>,
    pub(super) infos: Vec<String>,
}

/// `[include]` as written.
#[derive(Default)]
pub(super) struct Include {
    files: String,
}

pub(super) const INCLUDE: &[Row<Include>] = &[Row::new(
    "files",
    Field::Text(field!(Include.files)),
    Unset::Required,
    "patterns of names, between white space",
)
.names(Names::Here)
.reread(Reread::InPlace)];

/// The content of a configuration file.
fn content(path: &str) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    std::fs::File::open(native::path(path))?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

/// Reads the main file and what it includes. `names` are those that `[include]` may hold. Without the main
/// file there is nothing to go on with.
pub(super) fn read(
    origin: &Origin<'_>,
    names: &Table,
    notes: &mut Notes,
) -> Result<Files, Complaint> {
    let mut document = Document::new();
    let content = main_content(origin.configfile, origin.environ)?;
    let complaints = document.read_on(&content, origin.configfile);
    complaints.into_iter().for_each(|complaint| notes.complain(complaint));
    let mut files = Files { document, origins: HashMap::new(), infos: Vec::new() };
    if files.document.has_section("include") {
        files.include(origin, names, notes);
    }
    Ok(files)
}

/// Reads one file, which has to be there and right.
pub(super) fn read_main(
    configfile: &str,
    environ: &Environ,
    document: &mut Document,
) -> Result<(), Complaint> {
    document.read(&main_content(configfile, environ)?, configfile)
}

/// The content of a file that has to be there.
fn main_content(configfile: &str, environ: &Environ) -> Result<Vec<u8>, Complaint> {
    let complaint = |words: &str| Complaint {
        topic: Topic::File(configfile.to_string()),
        position: None,
        mistake: Mistake::new(format!("could not {words} config file {configfile}")),
    };
    let located = paths::located(configfile, environ);
    if !paths::exists(&located) {
        return Err(complaint("find"));
    }
    content(&located).map_err(|_| complaint("read"))
}

impl Files {
    /// Reads the files `[include]` names. From here on `%(here)s` is replaced as text, per file.
    fn include(&mut self, origin: &Origin<'_>, names: &Table, notes: &mut Notes) -> Option<()> {
        self.document.expand_here(origin.here);
        let mut include = Include::default();
        let scope = Scope {
            document: &self.document,
            environ: origin.environ,
            environment: names,
            local: Table::new(),
            late: None,
            imports: Importable::default(),
        };
        values::read_all(INCLUDE, &scope, "include", &mut include, notes)?;
        let base = paths::abspath(origin.configfile, origin.environ);
        let base = paths::dirname(&base);
        for pattern in include.files.split(is_space).filter(|pattern| !pattern.is_empty()) {
            let pattern = paths::join(base, pattern);
            let found = include::matches(&pattern);
            if found.is_empty() {
                let words = format!("No file matches via include \"{pattern}\"");
                let warning =
                    self.document.option_complaint("include", "files", Mistake::new(words));
                notes.warnings.push(warning);
            }
            for file in found {
                self.include_file(file, origin.environ, notes);
            }
        }
        Some(())
    }

    fn include_file(&mut self, name: String, environ: &Environ, notes: &mut Notes) {
        self.infos.push(format!("Included extra file \"{name}\" during parsing"));
        let known: HashSet<String> = self.document.sections().into_iter().collect();
        // A file that cannot be opened is passed over in silence, as in the reference.
        if let Ok(content) = content(&name) {
            let complaints = self.document.read_on(&content, &name);
            complaints.into_iter().for_each(|complaint| notes.complain(complaint));
        }
        for section in self.document.sections().into_iter().filter(|name| !known.contains(name)) {
            self.origins.insert(section, name.clone());
        }
        self.document.expand_here(&paths::abspath(paths::dirname(&name), environ));
    }
}
