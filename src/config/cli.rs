//! The command line of the daemon: the options, `-h`, `-v`, and the search for a configuration file.

use super::complaint::Mistake;
use std::ffi::OsString;
use std::fmt::Display;

use clap::{Arg, ArgAction, Command};

use super::datatypes::{
    byte_size, existing_directory, existing_dirpath, integer, logging_level, octal_type,
};
use super::environ::Environ;
use super::getopt::Switch;
use super::loader::{Loader, Overrides};
use super::{getopt, paths};
use crate::core::python::repr;
use crate::{SUPERVISOR_VERSION, VERSION, native};

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Parsed {
    /// Load this and run.
    Run(Box<Loader>),
    /// Say what is to be said of this, and run nothing.
    Check(Box<Loader>, Checking),
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

/// How a configuration is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checking {
    /// Warnings are a failure, too.
    pub strict: bool,
    /// One JSON document instead of lines.
    pub json: bool,
    /// With the values of the programs' variables in it.
    pub show_environment: bool,
}

fn flag(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).action(ArgAction::SetTrue).help(help)
}

/// One of ours; hidden options have no prefixes, so `--a` is as unknown as in the reference.
fn ours(id: &'static str, help: &'static str) -> Arg {
    flag(id, help).hide(true)
}

fn valued(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).action(ArgAction::Set).value_name(name).help(help)
}

/// The option table, in the order of the help.
fn table() -> Command {
    Command::new("supervisord").args([
        valued("configuration", "FILENAME", "read this configuration file (default: search)")
            .short('c'),
        flag("nodaemon", "stay in the foreground (nodaemon=true in the file)").short('n'),
        flag("silent", "do not log to stdout (silent=true in the file)").short('s'),
        flag("help", "print this text and exit").short('h'),
        Arg::new("help?").short('?').action(ArgAction::SetTrue),
        flag("version", "print the compatible release of Supervisor and exit").short('v'),
        valued("user", "USER", "become this user, given by name or number").short('u'),
        valued("umask", "UMASK", "umask of the daemon and its programs (default 022)").short('m'),
        valued("directory", "DIRECTORY", "change to DIRECTORY when daemonizing").short('d'),
        valued("logfile", "FILENAME", "use FILENAME as the main log").short('l'),
        valued("logfile_maxbytes", "BYTES", "rotate the main log at this size").short('y'),
        valued("logfile_backups", "NUM", "number of rotated main logs to keep").short('z'),
        valued("loglevel", "LEVEL", LEVELS_HELP).short('e'),
        valued("pidfile", "FILENAME", "use FILENAME as the pid file").short('j'),
        valued("identifier", "STR", "name of this instance").short('i'),
        valued("childlogdir", "DIRECTORY", "directory of automatic logs of programs").short('q'),
        flag("nocleanup", "keep automatic logs of an earlier run").short('k'),
        valued("minfds", "NUM", "least number of file descriptors to start with").short('a'),
        flag("strip_ansi", "remove ANSI escapes from the output of programs").short('t'),
        valued("minprocs", "NUM", "least number of processes to start with"),
        valued("profile_options", "OPTIONS", "accepted for compatibility, without effect"),
        ours("about", "print the version of this program itself and exit"),
        ours("check", CHECK_HELP),
        ours("strict", "with --check: exit with 1 after warnings"),
        ours("json", "with --check: print one JSON document"),
        ours("show-environment", "with --json: the values of variables, too"),
    ])
}

/// What is said of `--check`.
const CHECK_HELP: &str = "say everything that is to be said of the configuration, start nothing, and exit with 2 after \
                          errors, else with 0";

/// The options of the daemon, for those that list them.
pub fn switches() -> Vec<Switch> {
    getopt::switches(&table())
}

/// What is said of `-e`.
const LEVELS_HELP: &str =
    "threshold of the main log: critical, error, warn, info, debug, trace or blather";

/// Reads the command line. `argv0` is the program's name as called; the search for a configuration starts beside it.
pub fn parse_args(argv0: &str, args: &[OsString], environ: &Environ) -> Parsed {
    let argv0 = &called_as(argv0, environ);
    let args: Vec<String> = args.iter().map(native::text).collect();
    let (given, positional) = match getopt::scan(&table(), &args) {
        Ok(scanned) => scanned,
        Err(why) => return usage_exit(argv0, "", why),
    };
    if !positional.is_empty() {
        let shown: Vec<String> = positional.iter().map(|arg| repr(arg)).collect();
        let why = format!("positional arguments are not supported: [{}]", shown.join(", "));
        return usage_exit(argv0, "", why);
    }
    let mut overrides = Overrides::default();
    let mut seen: Vec<&str> = Vec::new();
    for option in &given {
        let spelling = &option.spelling;
        match option.id.as_str() {
            "help" | "help?" => return printed(help(argv0)),
            "version" => return printed(format!("{SUPERVISOR_VERSION}\n")),
            "about" => {
                return printed(format!(
                    "supervisord-rs {VERSION}, compatible with Supervisor {SUPERVISOR_VERSION}\n"
                ));
            }
            id => {
                if let Err(why) = apply(&mut overrides, id, &option.value, environ) {
                    let value = repr(&option.value);
                    let why = format!("invalid value for {spelling} {value}: {why}");
                    return usage_exit(argv0, "", why);
                }
                if seen.contains(&id) {
                    let why = format!("conflicting command line option {}", repr(spelling));
                    return usage_exit(argv0, "", why);
                }
                seen.push(id);
            }
        }
    }
    match (checking(&seen), start(argv0, overrides, environ)) {
        (Ok(Some(checking)), Parsed::Run(loader)) => Parsed::Check(loader, checking),
        (Ok(_), parsed) => parsed,
        (Err(why), _) => usage_exit(argv0, "", why),
    }
}

/// How the configuration is to be checked, if it is.
fn checking(seen: &[&str]) -> Result<Option<Checking>, Mistake> {
    let [check, strict, json, show_environment] =
        ["check", "strict", "json", "show-environment"].map(|id| seen.contains(&id));
    for (given, option, other, needed) in [
        (strict, "strict", "check", check),
        (json, "json", "check", check),
        (show_environment, "show-environment", "json", json),
    ] {
        if given && !needed {
            return Err(Mistake::new(format!("option --{option} only goes with --{other}")));
        }
    }
    Ok(check.then_some(Checking { strict, json, show_environment }))
}

/// Sets the override an option stands for.
fn apply(
    overrides: &mut Overrides,
    id: &str,
    value: &str,
    environ: &Environ,
) -> Result<(), Mistake> {
    let text = || Some(value.to_string());
    match id {
        "configuration" => overrides.configfile = text(),
        "nodaemon" => overrides.nodaemon = true,
        "silent" => overrides.silent = true,
        "nocleanup" => overrides.nocleanup = true,
        "strip_ansi" => overrides.strip_ansi = true,
        "user" => overrides.user = text(),
        "identifier" => overrides.identifier = text(),
        "umask" => overrides.umask = Some(octal_type(value)?),
        "directory" => overrides.directory = Some(existing_directory(value, environ)?),
        "childlogdir" => overrides.childlogdir = Some(existing_directory(value, environ)?),
        "logfile" => overrides.logfile = Some(existing_dirpath(value, environ)?),
        "pidfile" => overrides.pidfile = Some(existing_dirpath(value, environ)?),
        "logfile_maxbytes" => overrides.logfile_maxbytes = Some(byte_size(value)?),
        "logfile_backups" => overrides.logfile_backups = Some(integer(value)?),
        "loglevel" => overrides.loglevel = Some(logging_level(value)?),
        "minfds" => overrides.minfds = Some(integer(value)?),
        "minprocs" => overrides.minprocs = Some(integer(value)?),
        // Python's profiler has no counterpart here.
        _ => {}
    }
    Ok(())
}

/// Settles which configuration file to read.
fn start(argv0: &str, overrides: Overrides, environ: &Environ) -> Parsed {
    if let Some(configfile) = overrides.configfile.clone() {
        return Parsed::Run(Box::new(Loader::new(argv0, configfile, overrides, environ)));
    }
    let warning = if nix::unistd::getuid().is_root() { ROOT_SEARCH_WARNING } else { "" };
    let candidates = search_path(argv0);
    let Some(found) = candidates.iter().find(|path| is_there(path, environ)) else {
        let why = format!(
            "No config file found at default paths ({}); use the -c option to specify a config file at a different path",
            candidates.join(", ")
        );
        return usage_exit(argv0, warning, why);
    };
    let loader = Loader::new(argv0, found.clone(), overrides, environ).with_warning(warning);
    Parsed::Run(Box::new(loader))
}

/// The path of the program as Python's `sys.argv[0]` has it: where the shell has found it, if it was called by its bare
/// name. Messages and the search for a configuration use it.
pub(crate) fn called_as(argv0: &str, environ: &Environ) -> String {
    if argv0.is_empty() || argv0.contains('/') {
        return argv0.to_string();
    }
    let places = environ.get("PATH").unwrap_or_default().split(':');
    let mut found =
        places.map(|place| paths::join(if place.is_empty() { "." } else { place }, argv0));
    found
        .find(|path| paths::is_executable(&paths::located(path, environ)))
        .unwrap_or_else(|| argv0.to_string())
}

/// Whether there is a file where this path led at the start.
pub(super) fn is_there(path: &str, environ: &Environ) -> bool {
    paths::exists(&paths::located(path, environ))
}

/// Where a configuration is looked for: beside the directory of the program, here, and in `/etc`.
pub(crate) fn search_path(argv0: &str) -> [String; 6] {
    let beside = paths::dirname(paths::dirname(argv0));
    [
        paths::join(beside, "etc/supervisord.conf"),
        paths::join(beside, "supervisord.conf"),
        "supervisord.conf".to_string(),
        "etc/supervisord.conf".to_string(),
        "/etc/supervisord.conf".to_string(),
        "/etc/supervisor/supervisord.conf".to_string(),
    ]
}

/// What the reference's Python prints when the superuser lets it search.
const ROOT_SEARCH_WARNING: &str = "supervisor/options.py:469: UserWarning: Supervisord is running as root and it is \
searching for its configuration file in default locations (including its current working directory); you probably want \
to specify a \"-c\" argument specifying an absolute path to a configuration file for improved security.
  self.warnings.warn(
";

fn printed(stdout: String) -> Parsed {
    Parsed::Exit { stdout, stderr: String::new(), code: 0 }
}

fn usage_exit(argv0: &str, warning: &str, why: impl Display) -> Parsed {
    let stderr = format!("{warning}{}", getopt::usage(argv0, why));
    Parsed::Exit { stdout: String::new(), stderr, code: 2 }
}

fn help(argv0: &str) -> String {
    format!(
        "supervisord -- run a set of applications and keep them running.\n\n\
         Usage: {argv0} [options]\n\nOptions:\n{}\n{HELP_END}",
        getopt::list(&table())
    )
}

const HELP_END: &str = "\
With ctl, echo_supervisord_conf or pidproxy as its first word it is that program
(ctl: supervisorctl), as it is when it is called by that name.

";

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
