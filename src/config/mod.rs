//! From the command line and the configuration files to [`Config`](crate::core::config::Config).
//!
//! The layers, lowest first: [`ini`] reads Python's INI dialect, [`expand`] and [`shlex`] its text formats,
//! [`datatypes`] the types of values; `reader` puts files together, `program`, `groups` and `server` read sections;
//! [`cli`] reads the command line. [`Loader`] is what the daemon keeps: it can load again.
//!
//! Nothing here talks to a running daemon. It reads files, accounts and the current directory, and may block; it is
//! run before the daemon starts or off the supervision thread.

pub mod accounts;
pub mod cli;
pub mod ctl;
pub mod datatypes;
pub mod expand;
mod format;
pub mod getopt;
mod groups;
mod include;
pub mod ini;
pub mod paths;
mod program;
mod reader;
mod server;
pub mod shlex;

use cli::Overrides;
pub use cli::{called_as, parse_args};
pub use ctl::{ClientOptions, ClientParsed, Color, parse_client_args, split_scheme};
use expand::{Table, Value};
use reader::{Origin, Reading};

use crate::core::config::{Config, Settings, UserId};
use crate::native;

/// What a process is started with: environment variables in their order, and a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environ {
    pairs: Vec<(String, String)>,
    directory: String,
}

impl Environ {
    /// The variables and the current directory of this process; to be asked before it goes to another.
    pub fn of_process() -> Environ {
        let pairs = std::env::vars_os();
        Environ::from_pairs(pairs.map(|(name, value)| (native::text(name), native::text(value))))
    }

    /// The given variables, and the current directory.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Environ {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let directory = std::env::current_dir().map(native::text).unwrap_or_default();
        Environ { pairs, directory }
    }

    /// Where relative names begin; empty when that directory is gone.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Parsed {
    /// Load this and run.
    Run(Box<Loader>),
    /// Print and exit: help, version, or a usage error.
    Exit {
        /// What goes to standard output.
        stdout: String,
        /// What goes to standard error.
        stderr: String,
        /// The exit status.
        code: i32,
    },
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
}

impl Loader {
    fn new(progname: &str, configfile: String, overrides: Overrides, environ: &Environ) -> Loader {
        let mut expansions = Table::new();
        for (name, value) in &environ.pairs {
            expansions.set(&format!("ENV_{name}"), Value::Str(value.clone()));
        }
        Loader {
            progname: progname.to_string(),
            configfile,
            overrides,
            environ: environ.clone(),
            expansions,
            warning: "",
            settled: None,
        }
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
        cli::usage(&self.progname, why)
    }

    /// Reads everything for a start, where the user is looked up.
    ///
    /// The error is the text that follows `Error: `.
    pub fn load(&mut self) -> Result<Config, String> {
        let (reading, here) = self.read()?;
        let overridden = self.overrides.user.as_ref().or(reading.section.user.as_ref());
        let user = overridden.map(|name| accounts::uid(name)).transpose()?;
        let serverurl = server::server_url(&reading.servers);
        let mut settings = self.settings(&reading, here);
        settings.user = user.map(|uid| UserId { uid });
        settings.serverurl = serverurl;
        self.settled = Some(Settled { user: settings.user, serverurl: settings.serverurl.clone() });
        Ok(config(settings, reading))
    }

    /// Reads everything again, as the reference does for `reloadConfig`: the settings change at once, but the user and
    /// the URL of the server stay. Servers and RPC interfaces are those of the file; the running ones are not to be
    /// changed.
    ///
    /// The error is the detail of fault 92.
    pub fn reload(&mut self) -> Result<Config, String> {
        let (reading, here) = self.read()?;
        let mut settings = self.settings(&reading, here);
        if let Some(settled) = &self.settled {
            settings.user = settled.user;
            settings.serverurl.clone_from(&settled.serverurl);
        }
        Ok(config(settings, reading))
    }

    fn read(&mut self) -> Result<(Reading, String), String> {
        let here = paths::abspath(paths::dirname(&self.configfile), &self.environ);
        let origin = Origin { configfile: &self.configfile, here: &here, environ: &self.environ };
        let reading = reader::read(&origin, &mut self.expansions)?;
        Ok((reading, here))
    }

    /// The section under the overrides; an empty override of a file name counts as none.
    fn settings(&self, reading: &Reading, here: String) -> Settings {
        let section = reading.section.clone();
        let overrides = self.overrides.clone();
        let named = |path: Option<String>| path.filter(|path| !path.is_empty());
        let pidfile = named(overrides.pidfile).unwrap_or(section.pidfile);
        let logfile = named(overrides.logfile).unwrap_or(section.logfile);
        let childlogdir = overrides.childlogdir.unwrap_or(section.childlogdir);
        let environ = &self.environ;
        // Made absolute at once: the daemon may go to another directory.
        let logfile = match logfile.as_str() {
            "syslog" => logfile,
            path => paths::normalize(path, environ),
        };
        Settings {
            configfile: self.configfile.clone(),
            here,
            nodaemon: overrides.nodaemon || section.nodaemon,
            silent: overrides.silent || section.silent,
            user: None,
            umask: overrides.umask.unwrap_or(section.umask),
            directory: overrides.directory.or(section.directory),
            logfile,
            logfile_maxbytes: overrides.logfile_maxbytes.unwrap_or(section.logfile_maxbytes),
            logfile_backups: overrides.logfile_backups.unwrap_or(section.logfile_backups),
            loglevel: overrides.loglevel.unwrap_or(section.loglevel),
            pidfile: paths::normalize(&pidfile, environ),
            identifier: overrides.identifier.unwrap_or(section.identifier),
            childlogdir: paths::located(&childlogdir, environ),
            nocleanup: overrides.nocleanup || section.nocleanup,
            strip_ansi: overrides.strip_ansi || section.strip_ansi,
            minfds: overrides.minfds.unwrap_or(section.minfds),
            minprocs: overrides.minprocs.unwrap_or(section.minprocs),
            serverurl: None,
        }
    }
}

fn config(settings: Settings, reading: Reading) -> Config {
    Config {
        settings,
        servers: reading.servers,
        rpcinterfaces: reading.rpcinterfaces,
        groups: reading.groups,
        messages: reading.messages,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
