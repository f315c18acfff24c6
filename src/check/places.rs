//! Files and directories as the daemon would find them. Nothing is opened but to be looked at.

use std::error::Error;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access};

use crate::config::paths::dirname;
use crate::native;
use crate::place::{self, Refused, Way};

/// Bytes of a script that the kernel looks at for its interpreter.
const INTERPRETER_BYTES: u64 = 256;

/// Why something cannot be done with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not permitted.
    Denied,
    /// Another error of the system, in its words.
    System(&'static str),
    /// Its links are not followed.
    Refused(String),
}

impl Trouble {
    /// What there is to say.
    pub(super) fn words(&self) -> &str {
        match self {
            Trouble::Denied => Errno::EACCES.desc(),
            Trouble::System(words) => words,
            Trouble::Refused(words) => words,
        }
    }
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Trouble {
        match errno {
            Errno::EACCES | Errno::EPERM => Trouble::Denied,
            other => Trouble::System(other.desc()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        let refused = error.get_ref().and_then(|why| (why as &dyn Error).downcast_ref::<Refused>());
        match (refused, error.raw_os_error()) {
            (Some(refused), _) => Trouble::Refused(refused.to_string()),
            (None, Some(number)) => Errno::from_raw(number).into(),
            (None, None) if error.kind() == io::ErrorKind::IsADirectory => Errno::EISDIR.into(),
            (None, None) => Errno::EIO.into(),
        }
    }
}

/// Whether a file could be written, or made, there.
pub(super) fn writable(path: &str) -> Result<(), Trouble> {
    let Way::Place(place) = place::find(&native::path(path))? else { return Ok(()) };
    let Some(found) = place.metadata()? else {
        return enterable_and_writable(parent(path));
    };
    if found.is_dir() {
        return Err(Errno::EISDIR.into());
    }
    place.open(OFlag::O_PATH, 0)?;
    Ok(access(&native::path(path), AccessFlags::W_OK)?)
}

/// Whether names can be made in a directory.
pub(super) fn enterable_and_writable(path: &str) -> Result<(), Trouble> {
    Ok(access(&native::path(path), AccessFlags::W_OK | AccessFlags::X_OK)?)
}

/// Whether a directory can be entered.
pub(super) fn enterable(path: &str) -> Result<(), Trouble> {
    let found = std::fs::metadata(native::path(path))?;
    if !found.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    Ok(access(&native::path(path), AccessFlags::X_OK)?)
}

/// Whether a file can be executed.
pub(super) fn executable(path: &str) -> Result<(), Trouble> {
    Ok(access(&native::path(path), AccessFlags::X_OK)?)
}

/// The interpreter that a script names and that is not there. Nothing is said of what cannot be read.
pub(super) fn missing_interpreter(path: &str) -> Option<String> {
    let found = std::fs::metadata(native::path(path)).ok()?;
    // What is no file may do something when it is opened.
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return None;
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(native::path(path)).ok()?;
    file.take(INTERPRETER_BYTES).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    let interpreter = String::from_utf8_lossy(word).into_owned();
    (!std::fs::exists(&interpreter).unwrap_or(true)).then_some(interpreter)
}

/// The directory of a path.
pub(super) fn parent(path: &str) -> &str {
    match dirname(path) {
        "" => ".",
        directory => directory,
    }
}
