//! Where the Python is that runs plugins, and how its half of them is started: the module
//! `supervisor.plugin_host`.
//!
//! One rule for the daemon and for `supervisorctl`: what the configuration names (`python=` of `[supervisord]`), else the
//! environment (`SUPERVISOR_PYTHON`), else the `python3` beside this binary, as a virtual environment has it, else the one
//! in PATH.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The variable that names the interpreter.
pub(crate) const VARIABLE: &str = "SUPERVISOR_PYTHON";

/// What the interpreter is called where nobody says otherwise.
const NAME: &str = "python3";

/// What the interpreter is told. As `-m supervisor.plugin_host` is, but without the current directory among the places
/// that modules are imported from: whoever may write there would run code as us.
const START: &str = "\
import sys
if sys.path[:1] == ['']:
    del sys.path[0]
from supervisor.plugin_host.__main__ import main
sys.exit(main())";

/// The interpreter, as a path or as a name to be looked up in PATH. `option` is `python=` of the configuration.
pub(crate) fn interpreter(option: Option<&Path>) -> PathBuf {
    choose(
        option,
        std::env::var_os(VARIABLE).as_deref(),
        std::env::current_exe().ok().as_deref(),
        |path| path.is_file(),
    )
}

fn choose(
    option: Option<&Path>,
    variable: Option<&OsStr>,
    binary: Option<&Path>,
    is_there: impl Fn(&Path) -> bool,
) -> PathBuf {
    let named = option.filter(|path| !path.as_os_str().is_empty()).map(Path::to_path_buf);
    let named = named.or_else(|| variable.filter(|name| !name.is_empty()).map(PathBuf::from));
    let beside = || binary.map(|path| path.with_file_name(NAME)).filter(|path| is_there(path));
    named.or_else(beside).unwrap_or_else(|| PathBuf::from(NAME))
}

/// The part that only tells whether a name can be imported.
pub(crate) const RESOLVE: &str = "resolve";

/// The arguments that make the interpreter the host of plugins of a part, `daemon`, `ctl` or [`RESOLVE`]. Its standard error
/// is not to wait for a buffer to be full, and who only asks leaves no compiled modules behind.
pub(crate) fn arguments(part: &str) -> [OsString; 4] {
    let flags = if part == RESOLVE { "-uB" } else { "-u" };
    [flags, "-c", START, part].map(OsString::from)
}

/// What to do when there is no such interpreter, or when it has no such module.
pub(crate) fn advice(interpreter: &Path) -> String {
    format!(
        "plugins in Python need {} with the module supervisor: install python3-supervisor, or the wheel with pip for that \
         Python, or name another one with python= in the configuration or {VARIABLE}",
        interpreter.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_the_interpreter() {
        let (option, binary) = (Path::new("/opt/py"), Path::new("/venv/bin/supervisord"));
        let (there, nowhere) = (|_: &Path| true, |_: &Path| false);
        let variable = OsStr::new("/usr/bin/python3.8");
        let none = None::<&Path>;
        for (chosen, expected) in [
            (choose(Some(option), Some(variable), Some(binary), there), "/opt/py"),
            (choose(none, Some(variable), Some(binary), there), "/usr/bin/python3.8"),
            (
                choose(Some(Path::new("")), Some(OsStr::new("")), Some(binary), there),
                "/venv/bin/python3",
            ),
            (choose(none, None, Some(binary), nowhere), "python3"),
            (choose(none, None, None, there), "python3"),
        ] {
            assert_eq!(chosen, Path::new(expected));
        }
    }
}
