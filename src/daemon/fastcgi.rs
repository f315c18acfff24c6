//! The shared sockets of FastCGI programs: created before a program's first process is started, closed after its
//! last one has ended (`socket_manager.py`, `datatypes.py: SocketConfig`).
//!
//! Names of hosts are resolved where waiting harms nobody: at the start, and apart when the configuration is read again.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrLike, UnixAddr, bind, setsockopt,
    socket, sockopt::ReuseAddr,
};
use nix::sys::stat::{Mode, fchmod};

use super::mainlog::MainLog;
use crate::core::config::{FastCgiSocket, GroupConfig};
use crate::core::fastcgi;
use crate::place::{self, Place, SocketFile};
use crate::sys::names::resolve_ipv4;
use crate::{native, sys};

/// Backlog of a socket without `socket_backlog`: the system's maximum (`socket.SOMAXCONN`).
const DEFAULT_BACKLOG: i32 = nix::libc::SOMAXCONN;

/// Addresses of the hosts that FastCGI sockets name. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostNames {
    known: Arc<Mutex<HashMap<String, Result<Ipv4Addr, String>>>>,
}

impl HostNames {
    /// Resolves the names in the sockets of these groups. May wait for a name server.
    pub(crate) fn learn(&self, groups: &[GroupConfig]) {
        for socket in groups.iter().flat_map(GroupConfig::sockets) {
            let Some(Address::Tcp { host, .. }) = Address::of(&socket.url) else { continue };
            if host.parse::<Ipv4Addr>().is_ok() {
                continue;
            }
            let found = resolve_ipv4(host).map_err(|why| why.to_string());
            let mut known = self.lock();
            // A name server that is away for a while takes nothing away.
            if found.is_ok() || !matches!(known.get(host), Some(Ok(_))) {
                known.insert(host.to_string(), found);
            }
        }
    }

    /// The address of a host, or why it has none as Python prints it.
    fn find(&self, host: &str) -> Result<Ipv4Addr, String> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let unknown = || Err("[Errno -2] Name or service not known".to_string());
        self.lock().get(host).cloned().unwrap_or_else(unknown)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Result<Ipv4Addr, String>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates and closes the socket of every FastCGI program once, at the start. Asks name servers.
///
/// # Errors
/// The text for the terminal about the first socket that could not be created.
pub(crate) fn try_all(
    groups: &[GroupConfig],
    names: &HostNames,
    main_log: &MainLog,
) -> Result<(), String> {
    names.learn(groups);
    let attempt = |socket: &FastCgiSocket| create(socket, names).map(drop);
    fastcgi::try_all(groups, attempt, |level, line| main_log.log(level, &line))
}

/// The open sockets.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    names: HostNames,
    /// By group and program.
    open: HashMap<(String, String), Shared>,
}

#[derive(Debug)]
struct Shared {
    socket: OwnedFd,
    users: usize,
}

impl Sockets {
    /// No sockets yet.
    pub(crate) fn new(names: HostNames) -> Sockets {
        Sockets { names, open: HashMap::new() }
    }

    /// Adds a user to the socket of a program in a group; `true` if it was the first, so that the socket was created.
    ///
    /// # Errors
    /// The system's message as Python prints it.
    pub(crate) fn acquire(&mut self, group: &str, config: &FastCgiSocket) -> Result<bool, String> {
        let key = key(group, config);
        if let Some(shared) = self.open.get_mut(&key) {
            shared.users += 1;
            return Ok(false);
        }
        let socket = create(config, &self.names)?;
        self.open.insert(key, Shared { socket, users: 1 });
        Ok(true)
    }

    /// Takes a user away; `true` if it was the last, so that the socket was closed.
    pub(crate) fn release(&mut self, group: &str, config: &FastCgiSocket) -> bool {
        let key = key(group, config);
        let Some(shared) = self.open.get_mut(&key) else {
            return false;
        };
        shared.users = shared.users.saturating_sub(1);
        let last = shared.users == 0;
        if last {
            self.open.remove(&key);
        }
        last
    }

    /// The socket of a program in a group while it has users.
    pub(crate) fn get(&self, group: &str, config: &FastCgiSocket) -> Option<BorrowedFd<'_>> {
        self.open.get(&key(group, config)).map(|shared| shared.socket.as_fd())
    }
}

fn key(group: &str, config: &FastCgiSocket) -> (String, String) {
    (group.to_string(), config.program.clone())
}

enum Address<'a> {
    Tcp { host: &'a str, port: u16 },
    Unix(PathBuf),
}

impl Address<'_> {
    fn of(url: &str) -> Option<Address<'_>> {
        if let Some(path) = url.strip_prefix("unix://") {
            return Some(Address::Unix(native::path(path)));
        }
        let (host, port) = url.strip_prefix("tcp://")?.rsplit_once(':')?;
        Some(Address::Tcp { host, port: port.parse().ok()? })
    }
}

/// Creates, binds and listens.
fn create(config: &FastCgiSocket, names: &HostNames) -> Result<OwnedFd, String> {
    let socket = match Address::of(&config.url) {
        Some(Address::Tcp { host, port }) => {
            let address = names.find(host)?;
            let socket = stream_socket(AddressFamily::Inet).map_err(python_error)?;
            setsockopt(&socket, ReuseAddr, &true).map_err(python_error)?;
            bind_to(&socket, &SockaddrIn::from(SocketAddrV4::new(address, port)))?;
            socket
        }
        Some(Address::Unix(path)) => unix_socket(&path, config)?,
        None => return Err(format!("Bad socket format {}", config.url)),
    };
    let backlog = config.backlog.and_then(|backlog| i32::try_from(backlog).ok());
    sys::listen(socket.as_fd(), backlog.unwrap_or(DEFAULT_BACKLOG)).map_err(python_error)?;
    Ok(socket)
}

fn stream_socket(family: AddressFamily) -> Result<OwnedFd, Errno> {
    // Blocking: the flags of the description are those the program gets.
    socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}

fn bind_to(socket: &OwnedFd, address: &dyn SockaddrLike) -> Result<(), String> {
    bind(socket.as_raw_fd(), address).map_err(python_error)
}

/// A socket left behind by an earlier life is replaced; what cannot get its owner and mode is removed again.
fn unix_socket(path: &Path, config: &FastCgiSocket) -> Result<OwnedFd, String> {
    let of_path = |error: std::io::Error| file_error(&error, path);
    let socket_path = UnixAddr::new(path).map_err(|_| "AF_UNIX path too long".to_string())?;
    let place = place::find_name(path).map_err(|error| plain_error(&error))?;
    if path.exists() {
        place.remove().map_err(of_path)?;
    }
    let socket = stream_socket(AddressFamily::Unix).map_err(python_error)?;
    if let Some(mode) = config.mode {
        // The file is made with the mode of the socket, less the process' mask.
        fchmod(&socket, Mode::from_bits_truncate(mode)).map_err(python_error)?;
    }
    bind_to(&socket, &socket_path)?;
    let given = give_away(&place, path, config);
    if given.is_err() && path.exists() {
        let _ = place.remove(); // the first failure is the one to report
    }
    given.map(|()| socket)
}

/// Owner, then mode, of the very file that was made: the directory may belong to somebody else.
fn give_away(place: &Place, path: &Path, config: &FastCgiSocket) -> Result<(), String> {
    let failed = |what: &str, error: &std::io::Error| {
        format!("Could not change {what} of socket file: {}", file_error(error, path))
    };
    if config.owner.is_none() && config.mode.is_none() {
        return Ok(());
    }
    let file = SocketFile::of(place).map_err(|error| file_error(&error, path))?;
    if let Some(owner) = config.owner {
        file.give(owner.uid, owner.gid).map_err(|error| failed("ownership", &error))?;
    }
    if let Some(mode) = config.mode {
        file.set_mode(mode).map_err(|error| failed("permissions", &error))?;
    }
    Ok(())
}

/// `str()` of an `OSError`.
fn python_error(error: Errno) -> String {
    format!("[Errno {}] {}", error as i32, super::daemonize::error_text(error))
}

/// As [`python_error`], or in our own words what the system has no number for.
fn plain_error(error: &std::io::Error) -> String {
    let number = error.raw_os_error();
    number.map_or_else(|| error.to_string(), |number| python_error(Errno::from_raw(number)))
}

/// `str()` of an `OSError` about a file.
fn file_error(error: &std::io::Error, path: &Path) -> String {
    let error = plain_error(error);
    format!("{error}: {}", crate::core::python::repr(&native::text(path)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;
    use crate::testing::TempDir;

    fn config(url: &str) -> FastCgiSocket {
        let (program, url) = ("p".to_string(), url.to_string());
        FastCgiSocket { program, url, owner: None, mode: Some(0o640), backlog: Some(5) }
    }

    #[test]
    fn the_socket_lives_as_long_as_it_has_users() {
        let dir = TempDir::new();
        let path = dir.path("f.sock");
        let config = config(&format!("unix://{}", path.display()));
        let mut sockets = Sockets::default();
        assert_eq!(sockets.acquire("g", &config), Ok(true));
        assert_eq!(sockets.acquire("g", &config), Ok(false));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);

        let server =
            UnixListener::from(sockets.get("g", &config).unwrap().try_clone_to_owned().unwrap());
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(b"x").unwrap();
        let mut byte = [0];
        server.accept().unwrap().0.read_exact(&mut byte).unwrap();
        drop(server);

        // Another program of the group has its own.
        let other_path = dir.path("o.sock");
        let mut other = config.clone();
        other.program = "o".to_string();
        other.url = format!("unix://{}", other_path.display());
        assert_eq!(sockets.acquire("g", &other), Ok(true));
        assert!(sockets.release("g", &other));
        assert!(UnixStream::connect(&other_path).is_err());

        assert!(!sockets.release("g", &config));
        assert!(sockets.release("g", &config));
        assert!(sockets.get("g", &config).is_none());
        // The file stays, as in the reference, and is replaced next time.
        assert!(UnixStream::connect(&path).is_err());
        assert_eq!(sockets.acquire("g", &config), Ok(true));
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn tcp_sockets_listen_on_the_address() {
        let mut sockets = Sockets::default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let config = config(&format!("tcp://127.0.0.1:{port}"));
        assert_eq!(
            sockets.acquire("g", &config),
            Err("[Errno 98] Address already in use".to_string())
        );
        drop(free);
        assert_eq!(sockets.acquire("g", &config), Ok(true));
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }

    #[test]
    fn failures_in_the_words_of_python() {
        let mut sockets = Sockets::default();
        for (url, words) in [
            ("unix:///nonexistent/f.sock", "[Errno 2] No such file or directory"),
            ("tcp://nowhere.invalid:1", "[Errno -2] Name or service not known"),
            // Nobody has looked it up beforehand, and nobody does now.
            ("tcp://localhost:0", "[Errno -2] Name or service not known"),
            ("tcp://<broadcast>:0", "[Errno -2] Name or service not known"),
            ("tcp://192.0.2.1:9", "[Errno 99] Cannot assign requested address"),
        ] {
            assert_eq!(sockets.acquire("g", &config(url)), Err(words.to_string()), "{url}");
        }
        let dir = TempDir::new();
        std::fs::create_dir(dir.path("d")).unwrap();
        let path = dir.path("d");
        let error = sockets.acquire("g", &config(&format!("unix://{}", path.display())));
        let words = format!("[Errno 21] Is a directory: '{}'", path.display());
        assert_eq!(error, Err(words));
    }
}
