//! Where a path leads, and on whose word.
//!
//! A daemon of root works in directories of others: the logs of a program lie where its user can put anything in their
//! place, a socket lies in the directory of its group. So a path is walked name by name, every step holds the directory it
//! came to, and what is done is done to what was found there, not to whatever has the name by now.
//!
//! Links are followed wherever they lead if they belong to root, to the daemon's user or to the kernel (`/proc`). A link
//! of anybody else is followed only to what is theirs as well, made by the daemon in a directory of theirs, open to
//! everybody's writing, or the daemon's own output, so that nobody gains anything by it (`current -> releases/7` of a
//! deployment goes on working). A hard link gives no owner away: where others can make names, a file with more than one
//! is refused.

mod lock;
mod socket;
#[cfg(test)]
mod tests;
mod walk;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, geteuid, unlinkat};

use crate::sys;
pub(crate) use lock::Lock;
pub(crate) use socket::SocketFile;

/// Attempts to put a new file where another keeps appearing.
const MAX_ATTEMPTS: usize = 8;

/// Permission to make and remove names in a directory, for its group and for everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Way {
    /// To one of the daemon's own streams: 1 or 2.
    Stream(u8),
    /// To a name in a directory.
    Place(Place),
}

/// A name in a directory, behind all links; whether anything has the name is another question.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    dir: Arc<OwnedFd>,
    name: OsString,
    /// The name is a link of the kernel's to an open file, which only it can follow.
    magic: bool,
    /// Users whose links led here; what is found must be theirs.
    guides: Vec<u32>,
}

/// What makes a file the same under all its names, as long as it is open somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(found: &Metadata) -> Identity {
        Identity { device: found.dev(), inode: found.ino() }
    }
}

/// Why what a path leads to is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The link of this user leads to what is not theirs.
    Link(u32),
    /// A file with several names, in a directory where others can make names.
    HardLink,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Link(uid) => {
                write!(f, "a link of the user with uid {uid} leads to what is not theirs")
            }
            Refused::HardLink => {
                f.write_str("the file has another name, and others can make names in its directory")
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for io::Error {
    fn from(why: Refused) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, why)
    }
}

/// Follows a path to its end.
///
/// # Errors
/// When a directory on the way is missing or may not be searched, or a link is not followed.
pub(crate) fn find(path: &Path) -> io::Result<Way> {
    walk::find(path, walk::Last::Follow)
}

/// Follows a path up to its last name, whatever that is.
///
/// # Errors
/// As [`find`].
pub(crate) fn find_name(path: &Path) -> io::Result<Place> {
    match walk::find(path, walk::Last::Keep)? {
        Way::Place(place) => Ok(place),
        Way::Stream(_) => Err(Errno::EEXIST.into()),
    }
}

/// Opens what a path leads to; nothing is emptied, whatever the flags say of that. A new file gets `mode` as far as the
/// process' mask allows.
///
/// # Errors
/// Those of the system, and [`Refused`].
pub(crate) fn open(path: &Path, flags: OFlag, mode: u32) -> io::Result<File> {
    match find(path)? {
        Way::Place(place) => place.open(flags, mode),
        Way::Stream(_) => {
            let access = flags & OFlag::O_ACCMODE;
            OpenOptions::new()
                .read(access != OFlag::O_WRONLY)
                .write(access != OFlag::O_RDONLY)
                .custom_flags((flags - OFlag::O_ACCMODE - OFlag::O_TRUNC).bits())
                .open(path)
        }
    }
}

/// Opens a directory for reading its names.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok(openat(walk::find_directory(path)?, ".", flags, Mode::empty())?)
}

impl Place {
    /// Opens what is there. Never follows a link that appeared since, and never empties a file.
    ///
    /// # Errors
    /// Those of the system, and [`Refused`].
    pub(crate) fn open(&self, flags: OFlag, mode: u32) -> io::Result<File> {
        let mut flags = (flags - OFlag::O_TRUNC) | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        if !self.magic {
            flags |= OFlag::O_NOFOLLOW;
        }
        // A link of somebody's makes new files only in their directories.
        let strange = match self.guides.is_empty() || !flags.contains(OFlag::O_CREAT) {
            true => None,
            false => {
                let owner = self.directory()?.uid();
                self.guides.iter().find(|guide| **guide != owner)
            }
        };
        if strange.is_some() {
            flags -= OFlag::O_CREAT;
        }
        let mode = Mode::from_bits_truncate(mode);
        let file = match (openat(&self.dir, self.name.as_os_str(), flags, mode), strange) {
            (Err(Errno::ENOENT), Some(guide)) => return Err(Refused::Link(*guide).into()),
            (opened, _) => File::from(opened?),
        };
        self.admit(&file)?;
        Ok(file)
    }

    /// Whether a file that was found here may be used.
    ///
    /// # Errors
    /// [`Refused`], or that of the system.
    fn admit(&self, file: &File) -> io::Result<()> {
        let found = file.metadata()?;
        let is_file = found.is_file();
        let open_to_all = !found.is_dir() && found.mode() & 0o002 != 0;
        for guide in &self.guides {
            // A log that we made for them in a directory of theirs, where they can do with it what they like.
            let made_for_them =
                is_file && is_trusted(found.uid()) && self.directory()?.uid() == *guide;
            if found.uid() != *guide && !open_to_all && !made_for_them {
                return Err(Refused::Link(*guide).into());
            }
        }
        if is_file && !self.magic && found.nlink() > 1 && !self.is_private()? {
            return Err(Refused::HardLink.into());
        }
        Ok(())
    }

    /// What is known of what has the name (a link itself, but not one of the kernel's); `None` when nothing has.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn metadata(&self) -> io::Result<Option<Metadata>> {
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let flags = if self.magic { flags } else { flags | OFlag::O_NOFOLLOW };
        match openat(&self.dir, self.name.as_os_str(), flags, Mode::empty()) {
            Ok(node) => File::from(node).metadata().map(Some),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this file has the name now.
    pub(crate) fn holds(&self, identity: Identity) -> bool {
        matches!(self.metadata(), Ok(Some(found)) if Identity::from(&found) == identity)
    }

    /// Whether the name is a link of the kernel's to an open file.
    pub(crate) fn is_magic(&self) -> bool {
        self.magic
    }

    /// Whether a FIFO has the name.
    pub(crate) fn is_fifo(&self) -> bool {
        !self.magic && matches!(self.metadata(), Ok(Some(found)) if found.file_type().is_fifo())
    }

    /// The name with something appended, in the same directory.
    pub(crate) fn sibling(&self, suffix: &str) -> Place {
        let mut name = self.name.clone();
        name.push(suffix);
        Place { dir: Arc::clone(&self.dir), name, magic: false, guides: Vec::new() }
    }

    /// Removes the name.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&self.dir, self.name.as_os_str(), UnlinkatFlags::NoRemoveDir)?)
    }

    /// Gives what is here the other name, taking it from whatever has it.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn rename(&self, to: &Place) -> io::Result<()> {
        Ok(renameat(&self.dir, self.name.as_os_str(), &to.dir, to.name.as_os_str())?)
    }

    /// Gives what is here the other name if nothing has it. Where the file system cannot do that in one step it looks
    /// first.
    ///
    /// # Errors
    /// `AlreadyExists`, or those of the system.
    pub(crate) fn rename_new(&self, to: &Place) -> io::Result<()> {
        match sys::files::rename_new(self.dir.as_fd(), &self.name, to.dir.as_fd(), &to.name) {
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EPERM | Errno::EOPNOTSUPP) => {
                if to.metadata()?.is_some() {
                    return Err(Errno::EEXIST.into());
                }
                self.rename(to)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Creates a file, for appending, with the owner and the permissions of the one that had the name before.
    ///
    /// What took the name meanwhile is used if it is as trustworthy, else it makes room.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn create_like(&self, model: &Metadata) -> io::Result<File> {
        let append = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_NONBLOCK;
        for _ in 0..MAX_ATTEMPTS {
            match self.open(append | OFlag::O_CREAT | OFlag::O_EXCL, 0o600) {
                Ok(file) => {
                    resemble(&file, model)?;
                    return Ok(file);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            let found = self.open(append, 0).and_then(|file| Ok((file.metadata()?, file)));
            match found {
                Ok((found, file))
                    if found.is_file()
                        && (is_trusted(found.uid()) || found.uid() == model.uid()) =>
                {
                    return Ok(file);
                }
                _ => self.remove()?,
            }
        }
        Err(Errno::EEXIST.into())
    }

    /// Whether nobody but root and the daemon's user can make names in the directory.
    fn is_private(&self) -> io::Result<bool> {
        let dir = self.directory()?;
        Ok(is_trusted(dir.uid()) && dir.mode() & WRITABLE_BY_OTHERS == 0)
    }

    fn directory(&self) -> io::Result<Metadata> {
        File::from(self.dir.try_clone()?).metadata()
    }
}

/// Whether the owner of a link may lead anywhere.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

/// Owner first, because changing it may take permissions away. An owner that cannot be had is no reason to do without the
/// file.
fn resemble(file: &File, model: &Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    let (uid, gid) = (Uid::from_raw(model.uid()), Gid::from_raw(model.gid()));
    if (made.uid(), made.gid()) != (model.uid(), model.gid())
        && fchown(file, Some(uid), Some(gid)).is_err()
    {
        let _ = fchown(file, None, Some(gid));
    }
    file.set_permissions(Permissions::from_mode(model.mode() & 0o777))
}

/// The descriptor a path stands for by its spelling, where there may be no `/proc`.
fn standard_stream(path: &OsStr) -> Option<u8> {
    match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some(1),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(2),
        _ => None,
    }
}
