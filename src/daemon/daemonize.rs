//! Leaving the terminal (`options.py: _daemonize`).

use std::fs::File;
use std::io::{self, Read, Write};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use super::child;
use crate::core::python::repr;
use crate::core::states::Level;
use crate::{native, sys};

/// Exit status of the process that was started when the daemon did not get so far.
const START_FAILED: i32 = 2;

/// Whoever started the daemon in the background and waits to hear how that went. Dropped without a word, it tells of a
/// daemon that ended.
#[derive(Debug, Default)]
pub struct Starter {
    /// `None` in the foreground, or when it was told.
    pipe: Option<File>,
}

/// The first byte of what the starter hears when all went well. Otherwise it hears text.
const IS_UP: u8 = 0;

impl Starter {
    /// The daemon runs.
    pub fn is_up(&mut self) {
        self.hear(&[IS_UP]);
    }

    /// It does not, and this is what there is to say on standard error.
    pub fn failed(&mut self, words: &str) {
        self.hear(words.as_bytes());
    }

    fn hear(&mut self, bytes: &[u8]) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(bytes); // it may have been killed
        }
    }
}

/// Goes on in a child process with its own session, no terminal, `/dev/null` for 0, 1 and 2, and the mask and directory
/// given. This process waits until the child says how it went, and exits with 0, or with its words and 2. Returns lines
/// for the main log in the child, or why it could not be done.
///
/// To be called before a thread or a tokio runtime exists: neither survives a fork. Signals that wait for this process
/// because they are blocked (see `signals::take_over`) are passed on to the child.
pub fn daemonize(
    directory: Option<&str>,
    mask: u32,
    starter: &mut Starter,
) -> Result<Vec<(Level, String)>, String> {
    let failed = |error| format!("can't daemonize: {}", error_text(error));
    let (reader, writer) = child::pipe().map_err(failed)?;
    match sys::fork_daemon().map_err(failed)? {
        Some(daemon) => {
            drop(writer);
            wait_and_exit(daemon, File::from(reader));
        }
        None => starter.pipe = Some(File::from(writer)),
    }
    drop(reader);
    let mut lines = vec![
        (Level::Blather, "supervisord forked; parent exiting".to_string()),
        (Level::Info, "daemonizing the supervisord process".to_string()),
    ];
    // An empty `directory=` changes nothing, as in the reference.
    if let Some(directory) = directory.filter(|directory| !directory.is_empty()) {
        lines.push(change_directory(directory));
    }
    redirect_stdio().map_err(|error| format!("can't open /dev/null: {error}"))?;
    setsid().map_err(failed)?;
    umask(Mode::from_bits_truncate(mask));
    Ok(lines)
}

/// The rest of the life of the process that was started.
fn wait_and_exit(daemon: i32, mut pipe: File) -> ! {
    let mut heard = Vec::new();
    let _ = pipe.read_to_end(&mut heard); // what there is to hear came before
    for signal in Signal::iterator() {
        if sys::pending_signals().contains(signal) {
            let _ = sys::kill(daemon, signal as i32);
        }
    }
    if heard.first() == Some(&IS_UP) {
        sys::exit_now(0);
    }
    if heard.is_empty() {
        heard = b"Error: the daemon ended while it was starting\n".to_vec();
    }
    let _ = io::stderr().write_all(&heard);
    sys::exit_now(START_FAILED);
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
