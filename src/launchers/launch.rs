//! What the small executables of wheels and of `cargo install` do, which cannot bring links: become the `supervisord`
//! that was installed with them. They do without the library, so they are small and start at once.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The executable that is every program.
const SUPERVISORD: &str = "supervisord";

/// What shells answer when a command is there and cannot be run, and when there is none.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Becomes the `supervisord` beside this executable, as `program`, under the name and with the arguments this one was
/// called by: the search for a configuration begins beside that name. Called by another one (through a link, or with a
/// name of the caller's own) it says by `word`, the first argument, which program is meant.
///
/// Returns only if that is not possible, with 127 where there is no `supervisord` and 126 where it cannot be run.
pub(crate) fn sibling(program: &str, word: &str) -> ExitCode {
    let mut args = std::env::args_os();
    let called = args.next().filter(|name| !name.is_empty()).unwrap_or_else(|| program.into());
    let meant = (Path::new(&called).file_name() != Some(OsStr::new(program))).then_some(word);
    let (path, error) = match find(&called) {
        Ok(path) => {
            #[expect(clippy::disallowed_methods, reason = "no child: this process becomes it")]
            let error = Command::new(&path).arg0(&called).args(meant).args(args).exec();
            (path, error)
        }
        Err(failed) => failed,
    };
    let shown = path.display();
    let (why, status) = if error.kind() == ErrorKind::NotFound {
        (format!("there is no {shown}: both belong into one directory"), NOT_FOUND)
    } else {
        (format!("cannot run {shown}: {error}"), CANNOT_RUN)
    };
    let _ = writeln!(io::stderr(), "{program}: {why}"); // nowhere left to complain
    ExitCode::from(status)
}

/// The `supervisord` beside this file, whatever links lead here; else the one beside the name that was called, where
/// somebody has links of all of them in one place, or where no /proc tells of this file. What is wrong is told of the first.
fn find(called: &OsStr) -> Result<PathBuf, (PathBuf, io::Error)> {
    let named = if called.as_encoded_bytes().contains(&b'/') {
        Some(PathBuf::from(called))
    } else {
        let places = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&places).map(|place| place.join(called)).find(|path| path.is_file())
    };
    let mut wrong = None;
    for file in std::env::current_exe().ok().into_iter().chain(named) {
        let path = file.with_file_name(SUPERVISORD);
        match check(&path) {
            Ok(()) => return Ok(path),
            Err(error) => _ = wrong.get_or_insert((path, error)),
        }
    }
    Err(wrong.unwrap_or_else(|| (SUPERVISORD.into(), ErrorKind::NotFound.into())))
}

/// Whether a file may be the executable: Python's, a script, would take a call of `supervisorctl` for one of the daemon.
fn check(path: &Path) -> io::Result<()> {
    let mut start = [0; 2];
    match File::open(path).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) if &start == b"#!" => {
            Err(io::Error::other("it is a script, not what was installed with this one"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()), // whether it can be executed is for the system to say
    }
}
