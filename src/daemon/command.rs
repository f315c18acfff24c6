//! From a program's command line to the executable and its arguments (`process.py: get_execv_args`).

use std::ffi::OsStr;

use nix::sys::stat::{SFlag, stat};
use nix::unistd::{AccessFlags, access};

use crate::core::config::ProcessConfig;
use crate::core::effect::{CommandError, ResolvedCommand};
use crate::core::python::repr;
use crate::core::shlex;
use crate::native;

/// Where commands are looked for when nobody sets `PATH` (`options.py: get_path`).
const DEFAULT_PATH: [&str; 3] = ["/bin", "/usr/bin", "/usr/local/bin"];

/// The directories of the daemon's own `PATH`, or the default ones when it is unset or empty.
pub fn search_path(path: Option<&OsStr>) -> Vec<String> {
    match path {
        Some(path) if !path.is_empty() => {
            native::text(path).split(':').map(str::to_string).collect()
        }
        _ => DEFAULT_PATH.map(String::from).to_vec(),
    }
}

/// Splits the command and finds its executable: as written if it has a slash, else in the `PATH` of the program's own
/// environment, else in `daemon_path`. The first entry of that name counts, whatever it is.
pub fn resolve(
    config: &ProcessConfig,
    daemon_path: &[String],
) -> Result<ResolvedCommand, CommandError> {
    let argv = shlex::split(&config.command).map_err(|error| {
        let command = repr(&config.command);
        CommandError::NotExecutable(format!("can't parse command {command}: {error}"))
    })?;
    let Some(program) = argv.first() else {
        return Err(CommandError::NotExecutable("command is empty".to_string()));
    };
    let found = if program.contains('/') {
        mode_of(program).map(|mode| (program.clone(), mode))
    } else if let Some(path) = config.env("PATH") {
        search(path.split(':'), program)
    } else {
        search(daemon_path.iter().map(String::as_str), program)
    };
    let Some((filename, mode)) = found else {
        return Err(CommandError::NotFound(format!("can't find command {}", repr(program))));
    };
    check(&filename, mode)?;
    Ok(ResolvedCommand { filename, argv })
}

fn search<'a>(dirs: impl Iterator<Item = &'a str>, program: &str) -> Option<(String, u32)> {
    dirs.map(|dir| join(dir, program)).find_map(|path| mode_of(&path).map(|mode| (path, mode)))
}

/// `os.path.join` for a name without a slash; an empty directory is the current one.
fn join(dir: &str, name: &str) -> String {
    let separator = if dir.is_empty() || dir.ends_with('/') { "" } else { "/" };
    format!("{dir}{separator}{name}")
}

fn mode_of(path: &str) -> Option<u32> {
    stat(&native::path(path)).ok().map(|status| status.st_mode)
}

/// `options.py: check_execv_args`. Access is checked for the real user, as `os.access` does.
fn check(filename: &str, mode: u32) -> Result<(), CommandError> {
    let name = repr(filename);
    let refuse = |text| Err(CommandError::NotExecutable(text));
    if mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits() {
        refuse(format!("command at {name} is a directory"))
    } else if mode & 0o111 == 0 {
        refuse(format!("command at {name} is not executable"))
    } else if access(&native::path(filename), AccessFlags::X_OK).is_err() {
        refuse(format!("no permission to run command {name}"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_path_means_the_default_directories() {
        let default = ["/bin", "/usr/bin", "/usr/local/bin"];
        assert_eq!(search_path(None), default);
        assert_eq!(search_path(Some(OsStr::new(""))), default);
        assert_eq!(search_path(Some(OsStr::new("/a::b"))), ["/a", "", "b"]);
    }

    #[test]
    fn joins_like_python() {
        assert_eq!(join("", "x"), "x");
        assert_eq!(join("/a", "x"), "/a/x");
        assert_eq!(join("/a/", "x"), "/a/x");
    }
}
