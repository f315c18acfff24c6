//! The file of a Unix socket that was just bound: its owner and its mode.
//!
//! A socket's file cannot be opened, and its name may lead elsewhere a moment after bind(2), where the directory belongs
//! to others. So it is taken hold of first, looked at, and then changed through that hold.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, fchownat, geteuid};

use super::{Identity, Place};

/// All bits of a mode.
const MODE_BITS: u32 = 0o7777;

/// A hold on the file of a socket.
#[derive(Debug)]
pub(crate) struct SocketFile {
    node: File,
    identity: Identity,
}

impl SocketFile {
    /// Takes hold of the socket that this process has bound to the name.
    ///
    /// # Errors
    /// `AlreadyExists` when something else has the name by now, or those of the system.
    pub(crate) fn of(place: &Place) -> io::Result<SocketFile> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let node = File::from(openat(&place.dir, place.name.as_os_str(), flags, Mode::empty())?);
        let found = node.metadata()?;
        let is_ours = found.file_type().is_socket()
            && found.uid() == geteuid().as_raw()
            && found.nlink() == 1;
        if !is_ours {
            return Err(Errno::EEXIST.into());
        }
        let identity = Identity::from(&found);
        Ok(SocketFile { node, identity })
    }

    /// What tells it from others.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Gives it to an owner and, perhaps, a group.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn give(&self, uid: u32, gid: Option<u32>) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(uid), gid.map(Gid::from_raw));
        Ok(fchownat(&self.node, "", Some(uid), gid, AtFlags::AT_EMPTY_PATH)?)
    }

    /// Sets its mode. Without `/proc` only a mode that it has already can be had.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        if self.node.metadata()?.mode() & MODE_BITS == mode & MODE_BITS {
            return Ok(());
        }
        let through = format!("/proc/self/fd/{}", self.node.as_raw_fd());
        std::fs::set_permissions(Path::new(&through), Permissions::from_mode(mode))
    }
}
