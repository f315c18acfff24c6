//! Opening the listeners (`http.py: supervisor_af_inet_http_server`, `supervisor_af_unix_http_server`).
//!
//! A Unix socket is bound under a temporary name, given its owner and mode, set to listen, and only then renamed to its
//! real name, which fails when something has that already; so at no moment can anybody connect whom the mode forbids, or
//! find a socket nobody listens on. Two daemons that want the same name, or one that comes while another leaves, are kept
//! apart by a lock: what was seen of the name is still so when it is acted upon. Nothing is done to what others may
//! have put in the place of the temporary name (see [`crate::place`]).

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrLike, UnixAddr, connect,
    listen, setsockopt, socket, sockopt,
};
use nix::sys::stat::{Mode, fchmod, umask};
use nix::unistd::{User, geteuid};

use crate::core::config::{Owner, ServerAddress, ServerConfig};
use crate::core::text;
use crate::native;
use crate::place::{self, Identity, Lock, Place, SocketFile};
use crate::sys::names::{Unresolved, resolve_ipv4};
use crate::sys::random;

/// Connections that may wait to be accepted, as in the reference.
const BACKLOG: i32 = 1024;

/// How long a peer on an existing Unix socket may take to answer before it counts as alive without further proof.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Broken connections to one socket before its listener, being there each time, counts as alive.
const MAX_QUESTIONS: usize = 3;

/// Takeovers of one stale name before giving up. Only daemons that do not know our lock can make a second one necessary.
const MAX_TAKEOVERS: usize = 8;

/// Sockets made before giving up, where somebody keeps replacing their temporary names.
const MAX_SOCKETS: usize = 8;

/// How long another daemon may take to open or remove a socket of the same name: longer than it may ask an old one
/// whether it lives.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// A listener that is open and not served yet.
#[derive(Debug)]
pub struct Bound {
    pub(super) config: ServerConfig,
    pub(super) listener: OwnedFd,
    name: Option<SocketName>,
}

/// The name of a Unix socket that is open. It outlives the socket unless it is removed.
#[derive(Debug)]
pub struct SocketName {
    path: PathBuf,
    identity: Identity,
}

impl SocketName {
    /// Removes the name, unless it is another socket's by now. Blocks while another daemon looks at it.
    pub fn remove(self) {
        let Ok(place) = place::find_name(&self.path) else { return };
        let lock = place.lock(LOCK_PATIENCE);
        // Whoever holds the lock that long will find that nobody listens there.
        if !matches!(lock, Lock::Busy) && place.holds(self.identity) {
            let _ = place.remove(); // gone already is as good
        }
    }
}

impl Bound {
    /// The name to remove when the daemon leaves, if this is a Unix socket.
    pub fn take_name(&mut self) -> Option<SocketName> {
        self.name.take()
    }
}

/// Why a server cannot listen. The text is what the reference prints after `Error: ` before it exits with 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindError {
    /// Another program listens there.
    InUse,
    /// A system call failed.
    System(Errno),
    /// The host name cannot be resolved to an IPv4 address; the `getaddrinfo` code, which the reference prints where it
    /// would print an errno.
    Resolve(i32),
    /// The path does not fit into a socket address.
    PathTooLong,
    /// `chown=` is not permitted.
    Chown {
        /// The socket.
        path: String,
        /// What was asked for.
        owner: Owner,
        /// Who we are.
        user: String,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HELP: &str = "Cannot open an HTTP server: socket.error reported";
        match self {
            BindError::InUse => f.write_str(
                "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
                 Shut this program down first before starting supervisord.",
            ),
            // Python knows this number by its other name.
            BindError::System(Errno::EOPNOTSUPP) => {
                write!(f, "{HELP} errno.ENOTSUP ({})", Errno::EOPNOTSUPP as i32)
            }
            BindError::System(errno) => write!(f, "{HELP} errno.{errno:?} ({})", *errno as i32),
            BindError::Resolve(code) => write!(f, "{HELP} {code}"),
            BindError::PathTooLong => write!(f, "{HELP} AF_UNIX path too long"),
            BindError::Chown { path, owner, user } => write!(
                f,
                "Not permitted to chown {path} to uid/gid ({}, {}); adjust \"sockchown\" value in config file or on \
                 command line to values that the current user ({user}) can successfully chown",
                owner.uid,
                owner.gid.map_or(-1, i64::from),
            ),
        }
    }
}

impl std::error::Error for BindError {}

impl From<Errno> for BindError {
    fn from(errno: Errno) -> BindError {
        if errno == Errno::EADDRINUSE { BindError::InUse } else { BindError::System(errno) }
    }
}

impl From<Unresolved> for BindError {
    fn from(why: Unresolved) -> BindError {
        match why {
            Unresolved::Name { code, .. } => BindError::Resolve(code),
            Unresolved::System(errno) => BindError::from(errno),
        }
    }
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> BindError {
        BindError::from(match (error.raw_os_error(), error.kind()) {
            (Some(code), _) => Errno::from_raw(code),
            (None, io::ErrorKind::PermissionDenied) => Errno::EACCES,
            (None, io::ErrorKind::IsADirectory) => Errno::EISDIR,
            (None, _) => Errno::EIO,
        })
    }
}

/// Opens the listener of one server. Blocks for name resolution and, if a Unix socket of that name exists, for up to
/// two seconds to see whether it is alive; to be called before the event loop runs.
pub fn bind(config: &ServerConfig) -> Result<Bound, BindError> {
    let (listener, name) = match &config.address {
        ServerAddress::Inet { host, port } => (bind_inet(host, *port)?, None),
        ServerAddress::Unix { path, chmod, chown } => {
            let (listener, name) = bind_unix(path, *chmod, *chown)?;
            (listener, Some(name))
        }
    };
    Ok(Bound { config: config.clone(), listener, name })
}

/// IPv4 only, as the reference. It also refuses to start on all interfaces when its own host name has no address, for the
/// sake of a name it never shows; we do not.
fn bind_inet(host: &str, port: u16) -> Result<OwnedFd, BindError> {
    let address = SockaddrIn::from(SocketAddrV4::new(resolve_ipv4(host)?, port));
    let listener = new_socket(AddressFamily::Inet, SockFlag::empty())?;
    setsockopt(&listener, sockopt::ReuseAddr, &true)?;
    bind_and_check(&listener, &address)?;
    listen(&listener, Backlog::new(BACKLOG)?)?;
    Ok(listener)
}

fn new_socket(family: AddressFamily, flags: SockFlag) -> Result<OwnedFd, Errno> {
    socket(family, SockType::Stream, flags | SockFlag::SOCK_CLOEXEC, None)
}

fn bind_and_check(listener: &OwnedFd, address: &dyn SockaddrLike) -> Result<(), Errno> {
    nix::sys::socket::bind(listener.as_raw_fd(), address)
}

/// A name that disappears when it goes out of scope.
struct TemporaryName(Place);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        let _ = self.0.remove();
    }
}

fn bind_unix(
    path: &str,
    chmod: u32,
    owner: Option<Owner>,
) -> Result<(OwnedFd, SocketName), BindError> {
    // The reference's name at first. Whoever knew that one beforehand does not know the next.
    let mut suffix = format!(".{}", std::process::id());
    unix_address(path, &suffix)?;
    let place = place::find_name(&native::path(path))?;
    let lock = place.lock(LOCK_PATIENCE);
    if matches!(lock, Lock::Busy) {
        return Err(BindError::InUse);
    }
    let mut why = Errno::EEXIST;
    for _ in 0..MAX_SOCKETS {
        let name = TemporaryName(place.sibling(&suffix));
        let _ = name.0.remove();
        let made = new_unix(&name.0, path, &suffix, chmod, owner).and_then(|(listener, file)| {
            give_name(&name.0, &place, path)?;
            Ok((listener, file.identity()))
        });
        match made {
            Ok((listener, identity)) if place.holds(identity) => {
                return Ok((listener, SocketName { path: native::path(path), identity }));
            }
            Ok(_) => {}
            // Somebody has replaced the temporary name, or removed it.
            Err(BindError::System(errno @ (Errno::EEXIST | Errno::ENOENT))) => why = errno,
            Err(error) => return Err(error),
        }
        suffix = format!(".{}", random::hex::<4>().map_err(|_| Errno::EIO)?);
    }
    Err(BindError::System(why))
}

fn unix_address(path: &str, suffix: &str) -> Result<UnixAddr, BindError> {
    UnixAddr::new(&native::path(&format!("{path}{suffix}"))).map_err(|errno| match errno {
        Errno::ENAMETOOLONG => BindError::PathTooLong,
        other => BindError::System(other),
    })
}

/// A socket that listens under a temporary name, with the owner and the mode it is to have.
fn new_unix(
    name: &Place,
    path: &str,
    suffix: &str,
    chmod: u32,
    owner: Option<Owner>,
) -> Result<(OwnedFd, SocketFile), BindError> {
    let address = unix_address(path, suffix)?;
    let listener = new_socket(AddressFamily::Unix, SockFlag::empty())?;
    // The file is made with the mode of the socket (unix(7) does not tell), so that it never has another.
    fchmod(&listener, Mode::from_bits_truncate(chmod))?;
    let mask = umask(Mode::empty());
    let bound = bind_and_check(&listener, &address);
    umask(mask);
    bound.map_err(|errno| match errno {
        Errno::EADDRINUSE => BindError::System(Errno::EEXIST),
        other => other.into(),
    })?;
    let file = SocketFile::of(name)?;
    if let Some(owner) = owner {
        change_owner(&file, path, owner)?;
    }
    file.set_mode(chmod)?;
    listen(&listener, Backlog::new(BACKLOG)?)?;
    Ok((listener, file))
}

/// Gives the socket its real name, which may be that of a socket nobody serves any more.
fn give_name(temporary: &Place, place: &Place, path: &str) -> Result<(), BindError> {
    for _ in 0..MAX_TAKEOVERS {
        match temporary.rename_new(place) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if is_alive(&native::path(path)) {
            return Err(BindError::InUse);
        }
        // The main log does not exist yet.
        let _ = writeln!(io::stderr(), "Unlinking stale socket {}", text::shown(path));
        match place.remove() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Err(BindError::InUse)
}

fn change_owner(file: &SocketFile, path: &str, owner: Owner) -> Result<(), BindError> {
    file.give(owner.uid, owner.gid).map_err(|error| match BindError::from(error) {
        BindError::System(Errno::EPERM) => {
            let me = geteuid();
            let user = User::from_uid(me).ok().flatten().map_or(me.to_string(), |user| user.name);
            BindError::Chown { path: path.to_string(), owner, user }
        }
        other => other,
    })
}

/// Whether somebody serves the socket. Whoever accepts, or has a full backlog, or merely does not answer, is alive.
/// A connection that breaks may belong to a daemon on its way out, so the question is asked again.
fn is_alive(path: &Path) -> bool {
    (0..MAX_QUESTIONS).find_map(|_| ask(path)).unwrap_or(true)
}

/// `None` when the connection broke before an answer.
fn ask(path: &Path) -> Option<bool> {
    let Ok(address) = UnixAddr::new(path) else { return Some(false) };
    let Ok(peer) = new_socket(AddressFamily::Unix, SockFlag::SOCK_NONBLOCK) else {
        return Some(true);
    };
    if let Err(errno) = connect(peer.as_raw_fd(), &address) {
        return Some(errno == Errno::EAGAIN);
    }
    let mut peer = UnixStream::from(peer);
    let exchange = peer
        .set_nonblocking(false)
        .and_then(|()| peer.set_read_timeout(Some(ANSWER_TIMEOUT)))
        .and_then(|()| peer.set_write_timeout(Some(ANSWER_TIMEOUT)))
        .and_then(|()| peer.write_all(b"GET / HTTP/1.0\r\n\r\n"))
        .and_then(|()| peer.read(&mut [0]));
    match exchange {
        Ok(_) => Some(true),
        Err(error) => {
            let silent =
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            silent.then_some(true)
        }
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
