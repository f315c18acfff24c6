//! Rotating log files: `x.log` becomes `x.log.1`, `x.log.1` becomes `x.log.2`, and so on.
//!
//! The files are renamed where the log is, also when links lead there, and by the directory that was found: a log may lie
//! in a directory of others. The new file has the owner and the permissions of the old one.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::output::{Opened, Output};
use crate::place::{self, Identity, Place, Way};

/// Most rotated files looked at in one rotation; a configured number beyond it would keep the disk thread from
/// everything else.
const BACKUPS_LIMIT: i64 = 10_000;

/// What a rotation came to.
pub(super) enum Turn {
    /// The log is empty again.
    Emptied,
    /// The log goes on in another file.
    Next(Opened),
    /// The path has to be opened anew to see.
    Gone,
}

/// Rotates a log (`RotatingFileHandler.doRollover`); without backups it is emptied.
///
/// # Errors
/// When the old files cannot be renamed. Nothing is lost then, the log is still there.
pub(super) fn turn(
    path: &Path,
    identity: Identity,
    output: &Output,
    backups: i64,
) -> io::Result<Turn> {
    let place = match place::find(path)? {
        Way::Place(place) if !place.is_magic() => place,
        Way::Place(_) | Way::Stream(_) => return Ok(Turn::Gone),
    };
    let is_there = match place.metadata()? {
        Some(found) if Identity::from(&found) == identity => true,
        // Somebody else has rotated it. What they put there has its own size.
        Some(_) => return Ok(Turn::Gone),
        None => false,
    };
    if backups <= 0 && is_there {
        output.empty()?;
        return Ok(Turn::Emptied);
    }
    if backups > 0 {
        shift(&place, backups)?;
    }
    Ok(match Output::successor(&place, &output.metadata()?) {
        Ok(opened) => Turn::Next(opened),
        Err(_) => Turn::Gone, // opening the path anew will say why
    })
}

/// Moves the rotated files up by one and the log to number 1; the oldest is overwritten. Numbers that are missing stay
/// missing, as does the log itself if it is.
fn shift(place: &Place, backups: i64) -> io::Result<()> {
    let numbered = |number: i64| place.sibling(&format!(".{number}"));
    for number in (1..backups.min(BACKUPS_LIMIT)).rev() {
        rename(&numbered(number), &numbered(number + 1))?;
    }
    rename(place, &numbered(1))
}

/// Renames over whatever is there; a source that is missing is fine.
fn rename(source: &Place, target: &Place) -> io::Result<()> {
    match source.rename(target) {
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
