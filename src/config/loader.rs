//! What the daemon keeps of its command line and its configuration: it can load again.

use super::complaint::{Complaint, Complaints, Topic};
use super::environ::Environ;
use super::imports::Imports;
use super::ini::Document;
use super::names::Table;
use super::reader::{self, Reading};
use super::scope::Origin;
use super::supervisord::{self, Section};
use super::{accounts, getopt, paths, server};
use crate::core::config::{Config, ProcessConfig, Settings, UserId};
use crate::core::states::Level;

/// Options given on the command line; each overrides its setting in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Overrides {
    pub(super) configfile: Option<String>,
    pub(super) nodaemon: bool,
    pub(super) silent: bool,
    pub(super) nocleanup: bool,
    pub(super) strip_ansi: bool,
    pub(super) user: Option<String>,
    pub(super) umask: Option<u32>,
    pub(super) directory: Option<String>,
    pub(super) logfile: Option<String>,
    pub(super) logfile_maxbytes: Option<i64>,
    pub(super) logfile_backups: Option<i64>,
    pub(super) loglevel: Option<Level>,
    pub(super) pidfile: Option<String>,
    pub(super) identifier: Option<String>,
    pub(super) childlogdir: Option<String>,
    pub(super) minfds: Option<i64>,
    pub(super) minprocs: Option<i64>,
}

impl Overrides {
    /// The settings under the overrides; an empty override of a file name counts as none.
    fn apply(&self, file: &Settings) -> Settings {
        let given = self.clone();
        let named = |path: Option<String>| path.filter(|path| !path.is_empty());
        let file = file.clone();
        Settings {
            nodaemon: given.nodaemon || file.nodaemon,
            silent: given.silent || file.silent,
            nocleanup: given.nocleanup || file.nocleanup,
            strip_ansi: given.strip_ansi || file.strip_ansi,
            umask: given.umask.unwrap_or(file.umask),
            directory: given.directory.or(file.directory),
            logfile: named(given.logfile).unwrap_or(file.logfile),
            logfile_maxbytes: given.logfile_maxbytes.unwrap_or(file.logfile_maxbytes),
            logfile_backups: given.logfile_backups.unwrap_or(file.logfile_backups),
            loglevel: given.loglevel.unwrap_or(file.loglevel),
            pidfile: named(given.pidfile).unwrap_or(file.pidfile),
            identifier: given.identifier.unwrap_or(file.identifier),
            childlogdir: given.childlogdir.unwrap_or(file.childlogdir),
            minfds: given.minfds.unwrap_or(file.minfds),
            minprocs: given.minprocs.unwrap_or(file.minprocs),
            ..file
        }
    }
}

/// Everything one reading finds, whatever is wrong with it: for who asks about a configuration and runs nothing.
#[derive(Debug)]
pub(crate) struct Examination {
    /// What could be read of it, as it would run; groups and servers that have a mistake are missing.
    pub config: Option<Config>,
    /// The sections of all files, as they are written.
    pub document: Document,
    /// What is wrong, in the order of the reading: the reference ends with the first.
    pub complaints: Vec<Complaint>,
    /// Of what a start would warn in the main log.
    pub warnings: Vec<Complaint>,
    /// Of each section of programs: the group, the section, and how many processes it has there, in order.
    pub sections: Vec<(String, String, usize)>,
}

/// What later readings do not change.
#[derive(Clone, Debug)]
struct Settled {
    user: Option<UserId>,
    serverurl: Option<String>,
}

/// A command line, the configuration file it names or that was found, and what one reading leaves for the next.
#[derive(Clone, Debug)]
pub struct Loader {
    progname: String,
    configfile: String,
    overrides: Overrides,
    environ: Environ,
    /// The `ENV_` names: the daemon's environment, and the `[supervisord]` environment of every reading so far.
    expansions: Table,
    warning: &'static str,
    settled: Option<Settled>,
    imports: Imports,
}

impl Loader {
    pub(super) fn new(
        progname: &str,
        configfile: String,
        overrides: Overrides,
        environ: &Environ,
    ) -> Loader {
        let mut expansions = Table::new();
        expansions.set_environment(environ.pairs());
        Loader {
            progname: progname.to_string(),
            configfile,
            overrides,
            environ: environ.clone(),
            expansions,
            warning: "",
            settled: None,
            imports: Imports::default(),
        }
    }

    /// The same with something to be printed before anything else.
    pub(super) fn with_warning(self, warning: &'static str) -> Loader {
        Loader { warning, ..self }
    }

    /// The same with somebody who knows what can be imported.
    pub(crate) fn with_imports(self, imports: Imports) -> Loader {
        Loader { imports, ..self }
    }

    /// The configuration file, as given or found.
    pub fn configfile(&self) -> &str {
        &self.configfile
    }

    /// What to print on standard error before anything else: the warning about searching as the superuser, or nothing.
    pub fn warning(&self) -> &str {
        self.warning
    }

    /// The two lines a usage error prints on standard error before exit status 2.
    pub fn usage(&self, why: &str) -> String {
        getopt::usage(&self.progname, why)
    }

    /// Reads everything for a start, where the user is looked up.
    ///
    /// The text of the complaints follows `Error: `.
    pub fn load(&mut self) -> Result<Config, Complaints> {
        let reading = self.read()?;
        let settled = Settled {
            user: self.user(&reading.section)?,
            serverurl: server::server_url(&reading.servers),
        };
        self.settled = Some(settled.clone());
        Ok(self.config(reading, Some(settled)))
    }

    /// The user of the command line or of the section.
    fn user(&self, section: &Section) -> Result<Option<UserId>, Complaint> {
        let (name, position) = match (&self.overrides.user, &section.user) {
            (Some(given), _) => (given, None),
            (None, Some(written)) => (written, section.user_position.clone()),
            (None, None) => return Ok(None),
        };
        let uid = accounts::uid(name).map_err(|mistake| {
            let (section, option) = (supervisord::SECTION.to_string(), "user".to_string());
            Complaint { topic: Topic::Option { section, option }, position, mistake }
        })?;
        Ok(Some(UserId { uid }))
    }

    /// Reads everything again, as the reference does for `reloadConfig`: the settings change at once, but the user and
    /// the URL of the server stay. Servers and RPC interfaces are those of the file; the running ones are not to be
    /// changed.
    ///
    /// The text of the complaints is the detail of fault 92.
    pub fn reload(&mut self) -> Result<Config, Complaints> {
        let reading = self.read()?;
        Ok(self.config(reading, self.settled.clone()))
    }

    /// Reads everything as for a start, and goes on after what is wrong. Neither starts nor settles anything.
    pub(crate) fn examine(&self) -> Examination {
        let here = self.here();
        let origin = Origin {
            configfile: &self.configfile,
            here: &here,
            environ: &self.environ,
            imports: &self.imports,
        };
        let mut expansions = self.expansions.clone();
        let reader::Examined { files, reading, mut complaints, warnings, sections } =
            reader::examine(&origin, &mut expansions);
        let config = reading.map(|reading| {
            let user = self.user(&reading.section).unwrap_or_else(|complaint| {
                complaints.push(complaint);
                None
            });
            let serverurl = server::server_url(&reading.servers);
            self.config(reading, Some(Settled { user, serverurl }))
        });
        let document = files.map(|files| files.document).unwrap_or_default();
        Examination { config, document, complaints, warnings, sections }
    }

    /// A variable that the daemon is started with.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environ.get(name)
    }

    fn here(&self) -> String {
        paths::abspath(paths::dirname(&self.configfile), &self.environ)
    }

    fn read(&mut self) -> Result<Reading, Complaints> {
        let here = self.here();
        let Loader { configfile, environ, imports, expansions, .. } = self;
        reader::read(&Origin { configfile, here: &here, environ, imports }, expansions)
    }

    /// Reads the section of a program that is in no file, for a group.
    ///
    /// # Errors
    /// What is wrong, in the reference's words (`options.py: processes_from_section`).
    pub(crate) fn read_program(
        &self,
        section: &str,
        options: &[(String, String)],
        group: &str,
    ) -> Result<Vec<ProcessConfig>, Complaints> {
        let here = self.here();
        let Loader { configfile, environ, imports, expansions, .. } = self;
        let origin = Origin { configfile, here: &here, environ, imports };
        reader::read_program(&origin, expansions, section, options, group)
    }

    /// What was read under the command line, with names that are good wherever the daemon goes.
    fn config(&self, reading: Reading, settled: Option<Settled>) -> Config {
        let environ = &self.environ;
        let settings = self.overrides.apply(&reading.section.settings);
        let (user, serverurl) = settled.map_or((None, None), |it| (it.user, it.serverurl));
        let logfile = match settings.logfile.as_str() {
            "syslog" => settings.logfile,
            path => paths::normalize(path, environ),
        };
        let settings = Settings {
            configfile: self.configfile.clone(),
            here: self.here(),
            user,
            serverurl,
            logfile,
            pidfile: paths::normalize(&settings.pidfile, environ),
            childlogdir: paths::located(&settings.childlogdir, environ),
            ..settings
        };
        Config {
            settings,
            servers: reading.servers,
            rpcinterfaces: reading.rpcinterfaces,
            groups: reading.groups,
            messages: reading.messages,
        }
    }
}
