//! Leaving the terminal (`options.py: _daemonize`).

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use crate::core::python::repr;
use crate::core::states::Level;
use crate::{native, sys};

/// Goes on in a child process with its own session, no terminal, `/dev/null` for 0, 1 and 2, and the mask and directory
/// given; this process exits with 0. Returns lines for the main log in the child, or why it could not be done.
///
/// To be called before a thread or a tokio runtime exists: neither survives a fork. Signals that wait for this process
/// because they are blocked (see `signals::take_over`) are passed on to the child.
pub fn daemonize(directory: Option<&str>, mask: u32) -> Result<Vec<(Level, String)>, String> {
    match sys::fork_daemon() {
        Err(error) => return Err(format!("can't daemonize: {}", error_text(error))),
        Ok(Some(child)) => {
            for signal in Signal::iterator() {
                if sys::pending_signals().contains(signal) {
                    let _ = sys::kill(child, signal as i32);
                }
            }
            sys::exit_now(0);
        }
        Ok(None) => {}
    }
    let mut lines = vec![
        (Level::Blather, "supervisord forked; parent exiting".to_string()),
        (Level::Info, "daemonizing the supervisord process".to_string()),
    ];
    // An empty `directory=` changes nothing, as in the reference.
    if let Some(directory) = directory.filter(|directory| !directory.is_empty()) {
        lines.push(change_directory(directory));
    }
    redirect_stdio().map_err(|error| format!("can't open /dev/null: {error}"))?;
    setsid().map_err(|error| format!("can't daemonize: {}", error_text(error)))?;
    umask(Mode::from_bits_truncate(mask));
    Ok(lines)
}

fn change_directory(directory: &str) -> (Level, String) {
    let name = repr(directory);
    match chdir(&native::path(directory)) {
        Ok(()) => (Level::Info, format!("set current directory: {name}")),
        Err(error) => {
            let number = error as i32;
            let text = error_text(error);
            (Level::Critical, format!("can't chdir into {name}: [Errno {number}] {text}: {name}"))
        }
    }
}

fn redirect_stdio() -> io::Result<()> {
    let input = File::open("/dev/null")?;
    let output = File::options().write(true).open("/dev/null")?;
    dup2_stdin(&input)?;
    dup2_stdout(&output)?;
    dup2_stderr(&output)?;
    Ok(())
}

/// The system's own words for an error, e.g. `No such file or directory`.
pub(super) fn error_text(error: Errno) -> String {
    let text = io::Error::from(error).to_string();
    let suffix = format!(" (os error {})", error as i32);
    text.strip_suffix(&suffix).map(str::to_string).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_cannot_be_entered_is_reported_as_python_would() {
        let expected =
            "can't chdir into '/no/such': [Errno 2] No such file or directory: '/no/such'";
        assert_eq!(change_directory("/no/such"), (Level::Critical, expected.to_string()));
    }

    #[test]
    fn errors_in_the_words_of_the_c_library() {
        assert_eq!(error_text(Errno::EPERM), "Operation not permitted");
        assert_eq!(error_text(Errno::ELOOP), "Too many levels of symbolic links");
    }
}
