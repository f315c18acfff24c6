//! Whether a name in the configuration stands for something in Python: a short-lived interpreter tries to import it, as the
//! reference does while it reads.

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::helper;
use crate::daemon::plugins::Helpers;
use crate::native;
use crate::python_host;
use crate::sys::{self, Patience};

/// How long an import may take. The reference waits for ever, and so would a start.
const IMPORT_PATIENCE_MS: u16 = 60_000;

/// What the interpreter prints when it has found the object.
const FOUND: &str = "found";

/// Most of what it prints otherwise that is read.
const MAX_WORDS_BYTES: usize = 2048;

/// How long a pause in what it prints may be.
const PAUSE_MS: u16 = 1000;

/// Asks interpreters, each about one name once.
pub(crate) struct Resolver {
    helpers: Helpers,
    known: Mutex<HashMap<(Option<String>, String), bool>>,
    report: fn(&str),
}

impl Resolver {
    /// Nobody was asked yet. `report` is told why something cannot be imported, for the terminal.
    pub(crate) fn new(helpers: Helpers, report: fn(&str)) -> Resolver {
        Resolver { helpers, known: Mutex::default(), report }
    }

    /// Whether a name can be imported by the interpreter that `python=` names. Waits for the interpreter; what failed
    /// is tried again when it is asked for again.
    pub(crate) fn resolves(&self, python: Option<&str>, spec: &str) -> bool {
        let key = (python.map(str::to_string), spec.to_string());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains_key(&key) {
            return true;
        }
        match self.ask(python, spec) {
            Ok(()) => known().insert(key, true).is_none(),
            Err(why) => {
                (self.report)(&format!("{spec}: {why}\n"));
                false
            }
        }
    }

    fn ask(&self, python: Option<&str>, spec: &str) -> Result<(), String> {
        let python = python_host::interpreter(python.map(native::path).as_deref());
        let words = |error: io::Error| {
            format!("cannot start {}: {error}; {}", python.display(), python_host::advice(&python))
        };
        let (mut read, write) = io::pipe().map_err(words)?;
        let errors = write.try_clone().map_err(words)?;
        let pid = {
            let mut state = self.helpers.lock();
            let stdio = [Stdio::null(), write.into(), errors.into()];
            let pid =
                helper::spawn(&python, python_host::RESOLVE, &[spec], stdio).map_err(words)?;
            state.pids.insert(pid);
            pid
        };
        let printed = read_words(&mut read);
        let mut state = self.helpers.lock();
        // It has nothing more to say, and may not end by itself: what is named need not be an interpreter. Nobody else has
        // the number of its group while nobody has reaped it.
        if state.pids.contains(&pid) {
            let _ = sys::kill(-pid, nix::libc::SIGKILL);
        }
        if !state.house_reaps && state.pids.remove(&pid) {
            let _ = sys::reap(pid, Patience::UntilExit);
        }
        drop(state);
        match String::from_utf8_lossy(&printed).trim_end() {
            FOUND => Ok(()),
            "" => Err(format!("the import took more than {} s", IMPORT_PATIENCE_MS / 1000)),
            // The reference's package has no such module, and no package neither.
            words if words.contains("supervisor.plugin_host") || words.contains("'supervisor'") => {
                Err(python_host::advice(&python))
            }
            words => Err(words.to_string()),
        }
    }
}

/// What is printed, up to its end or a pause in it; nothing when it takes too long.
fn read_words(pipe: &mut io::PipeReader) -> Vec<u8> {
    let (mut words, mut patience) = (Vec::new(), IMPORT_PATIENCE_MS);
    while words.len() < MAX_WORDS_BYTES {
        let mut chunk = [0; 256];
        let mut wait = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        match poll(&mut wait, PollTimeout::from(patience)) {
            Ok(1) => {}
            Ok(_) | Err(_) => break,
        }
        match pipe.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => words.extend_from_slice(&chunk[..read]),
        }
        patience = PAUSE_MS;
    }
    words
}
