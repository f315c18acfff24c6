//! From files to a whole configuration: the main file, its includes, the `[supervisord]` section, then the rest.

use std::collections::HashMap;
use std::io::Read;

use super::datatypes::{
    boolean, byte_size, existing_directory, existing_dirpath, integer, key_value_pairs,
    logging_level, octal_type,
};
use super::expand::{Table, Value, expand};
use super::ini::Document;
use super::{Environ, groups, include, paths, server};
use crate::core::config::{GroupConfig, ServerConfig};
use crate::core::states::Level;
use crate::native;

/// Larger files are refused; a configuration of ten thousand programs has about two megabytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Where the configuration is and what it is read with.
pub(super) struct Origin<'a> {
    /// The main file, as given or found.
    pub(super) configfile: &'a str,
    /// Its directory.
    pub(super) here: &'a str,
    /// The daemon's environment.
    pub(super) environ: &'a Environ,
}

/// The `[supervisord]` section as written.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) minfds: i64,
    pub(super) minprocs: i64,
    pub(super) directory: Option<String>,
    pub(super) user: Option<String>,
    pub(super) umask: u32,
    pub(super) logfile: String,
    pub(super) logfile_maxbytes: i64,
    pub(super) logfile_backups: i64,
    pub(super) loglevel: Level,
    pub(super) pidfile: String,
    pub(super) identifier: String,
    pub(super) nodaemon: bool,
    pub(super) silent: bool,
    pub(super) childlogdir: String,
    pub(super) nocleanup: bool,
    pub(super) strip_ansi: bool,
    environment: Vec<(String, String)>,
}

/// Everything one reading yields.
pub(super) struct Reading {
    pub(super) section: Section,
    pub(super) rpcinterfaces: Vec<String>,
    pub(super) groups: Vec<GroupConfig>,
    pub(super) servers: Vec<ServerConfig>,
    pub(super) messages: Vec<(Level, String)>,
}

/// The sections of all files, and which included file brought each.
pub(super) struct Files {
    pub(super) document: Document,
    /// Sections that first appeared in an included file, and that file.
    pub(super) origins: HashMap<String, String>,
    warnings: Vec<String>,
    infos: Vec<String>,
}

/// A view of the options in which values are expanded.
pub(super) struct Scope<'a> {
    /// The sections.
    pub(super) document: &'a Document,
    /// The `ENV_` names.
    pub(super) environment: &'a Table,
    /// Further names, which win.
    pub(super) local: Table,
}

impl Scope<'_> {
    /// The expanded value of an option, if it is set.
    pub(super) fn get(&self, section: &str, option: &str) -> Result<Option<String>, String> {
        self.document
            .get(section, option)
            .map(|raw| self.expand(raw, &format!("{section}.{option}")))
            .transpose()
    }

    /// The expanded value of an option or of its default.
    pub(super) fn get_or(
        &self,
        section: &str,
        option: &str,
        default: &str,
    ) -> Result<String, String> {
        let raw = self.document.get(section, option).unwrap_or(default);
        self.expand(raw, &format!("{section}.{option}"))
    }

    fn expand(&self, text: &str, name: &str) -> Result<String, String> {
        expand(text, &[self.environment, &self.local], name)
    }
}

/// Reads everything. `expansions` holds the `ENV_` names; those of the `[supervisord]` environment are added, for
/// this reading and the ones after it.
pub(super) fn read(origin: &Origin<'_>, expansions: &mut Table) -> Result<Reading, String> {
    let node_name = node_name();
    let mut names = Table::new();
    names.set("here", origin.here.into());
    names.set("host_node_name", Value::Str(node_name.clone()));
    names.update(expansions);

    let files = read_files(origin, &names)?;
    if !files.document.has_section("supervisord") {
        return Err(".ini file does not include supervisord section".to_string());
    }
    let section = supervisord_section(origin, &files.document, expansions, &names)?;
    expansions.set_environment(&section.environment);

    let context = Context { origin, node_name: &node_name, files: &files, expansions };
    let rpcinterfaces = server::rpcinterfaces(&context)?;
    let mut warnings = files.warnings.clone();
    let mut groups = groups::read(&context, &mut warnings)?;
    for process in groups.iter_mut().flat_map(|group| &mut group.processes) {
        let own = std::mem::replace(&mut process.environment, section.environment.clone());
        for (name, value) in own {
            super::datatypes::overlay(&mut process.environment, &name, &value);
        }
    }
    let servers = server::servers(&context)?;
    let warnings = warnings.into_iter().map(|text| (Level::Warn, text));
    let infos = files.infos.iter().map(|text| (Level::Info, text.clone()));
    let messages = warnings.chain(infos).collect();
    Ok(Reading { section, rpcinterfaces, groups, servers, messages })
}

/// What the readers of the sections need.
pub(super) struct Context<'a> {
    pub(super) origin: &'a Origin<'a>,
    pub(super) node_name: &'a str,
    pub(super) files: &'a Files,
    pub(super) expansions: &'a Table,
}

impl Context<'_> {
    /// A scope with the given names besides the `ENV_` ones.
    pub(super) fn scope(&self, local: Table) -> Scope<'_> {
        Scope { document: &self.files.document, environment: self.expansions, local }
    }

    /// A table with `here` in it.
    pub(super) fn here(&self) -> Table {
        let mut table = Table::new();
        table.set("here", self.origin.here.into());
        table
    }
}

fn node_name() -> String {
    let name = nix::unistd::gethostname().map(native::text);
    name.unwrap_or_default()
}

fn read_files(origin: &Origin<'_>, names: &Table) -> Result<Files, String> {
    let configfile = origin.configfile;
    let located = paths::located(configfile, origin.environ);
    if !paths::exists(&located) {
        return Err(format!("could not find config file {configfile}"));
    }
    let content =
        file_content(&located).map_err(|_| format!("could not read config file {configfile}"))?;
    let mut document = Document::new();
    document.read(&content, configfile)?;
    let mut files =
        Files { document, origins: HashMap::new(), warnings: Vec::new(), infos: Vec::new() };
    if files.document.has_section("include") {
        files.include(origin, names)?;
    }
    Ok(files)
}

pub(super) fn file_content(path: &str) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    std::fs::File::open(native::path(path))?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

impl Files {
    /// Reads the files `[include]` names. From here on `%(here)s` is replaced as text, per file.
    fn include(&mut self, origin: &Origin<'_>, names: &Table) -> Result<(), String> {
        self.document.expand_here(origin.here);
        let Some(patterns) = self.document.get("include", "files") else {
            return Err(".ini file has [include] section, but no files setting".to_string());
        };
        let patterns = expand(patterns, &[names], "include.files")?;
        let base = paths::abspath(origin.configfile, origin.environ);
        let base = paths::dirname(&base);
        let is_space = crate::core::python::is_space;
        for pattern in patterns.split(is_space).filter(|pattern| !pattern.is_empty()) {
            let pattern = paths::join(base, pattern);
            let found = include::matches(&pattern);
            if found.is_empty() {
                self.warnings.push(format!("No file matches via include \"{pattern}\""));
            }
            for file in found {
                self.include_file(file, origin.environ)?;
            }
        }
        Ok(())
    }

    fn include_file(&mut self, name: String, environ: &Environ) -> Result<(), String> {
        self.infos.push(format!("Included extra file \"{name}\" during parsing"));
        let known: std::collections::HashSet<String> =
            self.document.sections().into_iter().collect();
        // A file that cannot be opened is passed over in silence, as in the reference.
        if let Ok(content) = file_content(&name) {
            self.document.read(&content, &name)?;
        }
        for section in self.document.sections().into_iter().filter(|name| !known.contains(name)) {
            self.origins.insert(section, name.clone());
        }
        self.document.expand_here(&paths::abspath(paths::dirname(&name), environ));
        Ok(())
    }
}

fn supervisord_section(
    origin: &Origin<'_>,
    document: &Document,
    expansions: &Table,
    names: &Table,
) -> Result<Section, String> {
    let mut local = Table::new();
    local.set("here", origin.here.into());
    let scope = Scope { document, environment: expansions, local };
    let environ = origin.environ;
    let get = |option, default| scope.get_or("supervisord", option, default);
    // The order of the options is the order in which mistakes are reported.
    let minfds = integer(&get("minfds", "1024")?)?;
    let minprocs = integer(&get("minprocs", "200")?)?;
    let directory = scope
        .get("supervisord", "directory")?
        .map(|path| existing_directory(&path, environ))
        .transpose()?;
    Ok(Section {
        minfds,
        minprocs,
        directory,
        user: scope.get("supervisord", "user")?,
        umask: octal_type(&get("umask", "022")?)?,
        logfile: existing_dirpath(&get("logfile", "supervisord.log")?, environ)?,
        logfile_maxbytes: byte_size(&get("logfile_maxbytes", "50MB")?)?,
        logfile_backups: integer(&get("logfile_backups", "10")?)?,
        loglevel: logging_level(&get("loglevel", "info")?)?,
        pidfile: existing_dirpath(&get("pidfile", "supervisord.pid")?, environ)?,
        identifier: get("identifier", "supervisor")?,
        nodaemon: boolean(&get("nodaemon", "false")?)?,
        silent: boolean(&get("silent", "false")?)?,
        childlogdir: existing_directory(
            &get("childlogdir", &paths::temporary_directory(environ))?,
            environ,
        )?,
        nocleanup: boolean(&get("nocleanup", "false")?)?,
        strip_ansi: boolean(&get("strip_ansi", "false")?)?,
        environment: key_value_pairs(&expand(&get("environment", "")?, &[names], "environment")?)?,
    })
}
