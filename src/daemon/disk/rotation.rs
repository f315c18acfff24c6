//! Shifting rotated log files: `x.log` to `x.log.1`, `x.log.1` to `x.log.2`, and so on.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Most rotated files looked at in one rotation; a configured number beyond it would keep the disk thread from
/// everything else.
const BACKUPS_LIMIT: i64 = 10_000;

/// Moves the rotated files of `path` up by one and `path` to number 1; the oldest is overwritten
/// (`RotatingFileHandler.doRollover`). Numbers that are missing stay missing, as does `path` itself if it is.
///
/// # Errors
/// At the first rename that fails. Nothing is lost then: what is above moved up, `path` is still there.
pub(super) fn shift(path: &Path, backups: i64) -> io::Result<()> {
    for number in (1..backups.min(BACKUPS_LIMIT)).rev() {
        let source = numbered(path, number);
        if source.exists() {
            rename(&source, &numbered(path, number + 1))?;
        }
    }
    rename(path, &numbered(path, 1))
}

/// Renames over whatever is there; a source that went away is fine.
fn rename(source: &Path, target: &Path) -> io::Result<()> {
    match std::fs::rename(source, target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The name of a rotated file.
pub(super) fn numbered(path: &Path, number: i64) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}
