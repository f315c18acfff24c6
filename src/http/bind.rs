//! Opening the listeners (`http.py: supervisor_af_inet_http_server`, `supervisor_af_unix_http_server`).
//!
//! A Unix socket is bound under a temporary name, given its owner and mode, set to listen, and only then linked to its
//! real name. The link fails when the name exists, which makes it the lock between two daemons; and at no moment can
//! anybody connect whom the mode forbids, or find a socket nobody listens on.

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrLike, UnixAddr, connect,
    listen, setsockopt, socket, sockopt,
};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{User, geteuid};

use crate::core::config::{Owner, ServerAddress, ServerConfig};
use crate::core::text;
use crate::native;

/// Connections that may wait to be accepted, as in the reference.
const BACKLOG: i32 = 1024;

/// How long a peer on an existing Unix socket may take to answer before it counts as alive without further proof.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Broken connections to one socket before its listener, being there each time, counts as alive.
const MAX_QUESTIONS: usize = 3;

/// Takeovers of one stale name before giving up: two daemons starting at once settle within two rounds.
const MAX_TAKEOVERS: usize = 8;

/// `getaddrinfo` codes, which the reference prints where it would print an errno.
const EAI_NONAME: i32 = -2;
const EAI_AGAIN: i32 = -3;
const EAI_ADDRFAMILY: i32 = -9;

/// A listener that is open and not served yet.
#[derive(Debug)]
pub struct Bound {
    pub(super) config: ServerConfig,
    pub(super) listener: OwnedFd,
}

impl Bound {
    /// The path to unlink when the daemon leaves, if this is a Unix socket.
    pub fn unix_path(&self) -> Option<&str> {
        match &self.config.address {
            ServerAddress::Unix { path, .. } => Some(path),
            ServerAddress::Inet { .. } => None,
        }
    }

    /// What it was opened for.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }
}

/// Why a server cannot listen. The text is what the reference prints after `Error: ` before it exits with 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindError {
    /// Another program listens there.
    InUse,
    /// A system call failed.
    System(Errno),
    /// The host name cannot be resolved to an IPv4 address; the `getaddrinfo` code.
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

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> BindError {
        BindError::from(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
    }
}

/// Opens the listener of one server. Blocks for name resolution and, if a Unix socket of that name exists, for up to
/// two seconds to see whether it is alive; to be called before the event loop runs.
pub fn bind(config: &ServerConfig) -> Result<Bound, BindError> {
    let listener = match &config.address {
        ServerAddress::Inet { host, port } => bind_inet(host, *port)?,
        ServerAddress::Unix { path, chmod, chown } => bind_unix(path, *chmod, *chown)?,
    };
    Ok(Bound { config: config.clone(), listener })
}

fn bind_inet(host: &str, port: u16) -> Result<OwnedFd, BindError> {
    let address = SockaddrIn::from(SocketAddrV4::new(resolve(host)?, port));
    let listener = new_socket(AddressFamily::Inet, SockFlag::empty())?;
    setsockopt(&listener, sockopt::ReuseAddr, &true)?;
    bind_and_check(&listener, &address)?;
    listen(&listener, Backlog::new(BACKLOG)?)?;
    Ok(listener)
}

/// IPv4 only, as the reference. It also refuses to start on all interfaces when its own host name has no address, for
/// the sake of a name it never shows; we do not.
fn resolve(host: &str) -> Result<Ipv4Addr, BindError> {
    match host {
        "" => return Ok(Ipv4Addr::UNSPECIFIED),
        "<broadcast>" => return Ok(Ipv4Addr::BROADCAST),
        _ => {}
    }
    let found = (host, 0).to_socket_addrs().map_err(|error| {
        // std keeps the code to itself but not its text.
        let again = ["Temporary failure", "Try again"];
        let code = if again.iter().any(|text| error.to_string().contains(text)) {
            EAI_AGAIN
        } else {
            EAI_NONAME
        };
        BindError::Resolve(code)
    })?;
    let v4 = found.filter_map(|address| match address {
        SocketAddr::V4(address) => Some(*address.ip()),
        SocketAddr::V6(_) => None,
    });
    v4.into_iter().next().ok_or(BindError::Resolve(EAI_ADDRFAMILY))
}

fn new_socket(family: AddressFamily, flags: SockFlag) -> Result<OwnedFd, Errno> {
    socket(family, SockType::Stream, flags | SockFlag::SOCK_CLOEXEC, None)
}

fn bind_and_check(listener: &OwnedFd, address: &dyn SockaddrLike) -> Result<(), Errno> {
    nix::sys::socket::bind(listener.as_raw_fd(), address)
}

/// A name that disappears when it goes out of scope.
struct TemporaryName(PathBuf);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn bind_unix(path: &str, chmod: u32, owner: Option<Owner>) -> Result<OwnedFd, BindError> {
    let name = TemporaryName(native::path(&format!("{path}.{}", std::process::id())));
    let (shown, path) = (path, native::path(path));
    let _ = fs::remove_file(&name.0);
    let address = UnixAddr::new(&name.0).map_err(|errno| match errno {
        Errno::ENAMETOOLONG => BindError::PathTooLong,
        other => BindError::System(other),
    })?;
    let listener = new_socket(AddressFamily::Unix, SockFlag::empty())?;
    let mask = umask(Mode::from_bits_truncate(0o177));
    let bound = bind_and_check(&listener, &address);
    umask(mask);
    bound?;
    if let Some(owner) = owner {
        change_owner(&name.0, shown, owner)?;
    }
    fs::set_permissions(&name.0, Permissions::from_mode(chmod))?;
    listen(&listener, Backlog::new(BACKLOG)?)?;
    for _ in 0..MAX_TAKEOVERS {
        match fs::hard_link(&name.0, &path) {
            Ok(()) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if is_alive(&path) {
            return Err(BindError::InUse);
        }
        // The main log does not exist yet.
        let _ = writeln!(io::stderr(), "Unlinking stale socket {}", text::shown(shown));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Err(BindError::InUse)
}

fn change_owner(temporary: &Path, path: &str, owner: Owner) -> Result<(), BindError> {
    chown(temporary, Some(owner.uid), owner.gid).map_err(|error| match BindError::from(error) {
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
