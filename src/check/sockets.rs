//! Whether sockets are free. A port is bound for a moment, and nobody can connect to it; a socket in the file system is
//! only asked whether somebody listens.

use std::fs;
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrLike, UnixAddr, bind, connect,
    setsockopt, socket, sockopt::ReuseAddr,
};

use super::places::{Trouble, enterable_and_writable, parent};
use crate::native;
use crate::sys::names::resolve_ipv4;

/// Room in an address for what is put behind the name of a socket until it has it: a dot and a process id.
const SUFFIX_BYTES: usize = 8;

/// How a socket is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It can be opened.
    Free,
    /// Somebody listens there.
    Served,
    /// It is there and nobody listens: it is replaced.
    Stale,
    /// Something else has the name, and would be removed.
    NoSocket,
    /// It cannot be opened.
    Trouble(Trouble),
    /// The host has no address.
    Unresolved(String),
}

/// A TCP port. May wait for a name server.
pub(super) fn tcp(host: &str, port: u16) -> State {
    let address = match resolve_ipv4(host) {
        Ok(address) => SockaddrIn::from(SocketAddrV4::new(address, port)),
        Err(why) => return State::Unresolved(why.to_string()),
    };
    let tried = new_socket(AddressFamily::Inet).and_then(|listener| {
        setsockopt(&listener, ReuseAddr, &true)?;
        bind(listener.as_raw_fd(), &address as &dyn SockaddrLike)
    });
    match tried {
        Ok(()) => State::Free,
        Err(Errno::EADDRINUSE) => State::Served,
        Err(errno) => State::Trouble(errno.into()),
    }
}

/// A socket in the file system.
pub(super) fn unix(path: &str) -> State {
    let file = native::path(path);
    let Ok(address) = UnixAddr::new(&file) else {
        return State::Trouble(Errno::ENAMETOOLONG.into());
    };
    if UnixAddr::new(&native::path(&format!("{path}{:.<SUFFIX_BYTES$}", ""))).is_err() {
        return State::Trouble(Errno::ENAMETOOLONG.into());
    }
    if let Err(trouble) = enterable_and_writable(parent(path)) {
        return State::Trouble(trouble);
    }
    match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return State::Free,
        Err(error) => return State::Trouble(error.into()),
        Ok(found) if found.is_dir() => return State::Trouble(Errno::EISDIR.into()),
        Ok(found) if !found.file_type().is_socket() => return State::NoSocket,
        Ok(_) => {}
    }
    let asked = new_socket(AddressFamily::Unix)
        .and_then(|peer| connect(peer.as_raw_fd(), &address as &dyn SockaddrLike));
    match asked {
        Ok(()) | Err(Errno::EAGAIN) => State::Served,
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => State::Stale,
        Err(errno) => State::Trouble(errno.into()),
    }
}

fn new_socket(family: AddressFamily) -> Result<std::os::fd::OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket(family, SockType::Stream, flags, None)
}
