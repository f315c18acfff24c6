//! Names of hosts, as the C library resolves them when it is asked as Python asks it.
//!
//! Whoever needs an IPv4 address has to ask for one: from a hosts file that gives a name only `::1` the library makes
//! 127.0.0.1 for them, and tells everybody else of `::1` alone.

use std::ffi::{CStr, CString};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ptr;

use libc::{addrinfo, c_int, sockaddr, sockaddr_in, sockaddr_in6};
use nix::errno::Errno;

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// What the resolver says: a code of netdb.h, e.g. -2, and its words.
    Name {
        /// The code.
        code: i32,
        /// The words.
        words: String,
    },
    /// A system call failed on the way.
    System(Errno),
}

/// As Python prints it (`socket.gaierror`, `OSError`).
impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::Name { code, words } => write!(f, "[Errno {code}] {words}"),
            Unresolved::System(errno) => {
                let text = io::Error::from(*errno).to_string();
                let words = text.split(" (os error").next().unwrap_or_default();
                write!(f, "[Errno {}] {words}", *errno as i32)
            }
        }
    }
}

impl std::error::Error for Unresolved {}

/// The address a server listens at, or a client of IPv4 connects to (`bind` and `connect` of a Python socket): of an
/// empty name all of them, of `<broadcast>` the one that reaches everybody. May wait for a name server.
pub(crate) fn resolve_ipv4(host: &str) -> Result<Ipv4Addr, Unresolved> {
    match host {
        "" => return Ok(Ipv4Addr::UNSPECIFIED),
        "<broadcast>" => return Ok(Ipv4Addr::BROADCAST),
        _ => {}
    }
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let found = look_up(Some(host), 0, libc::AF_INET)?;
    let first = found.into_iter().find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    first.ok_or_else(|| failure(libc::EAI_NONAME))
}

/// All addresses of a name, in the order in which they are to be tried (`socket.create_connection`); without a name this
/// machine's own. May wait for a name server.
pub(crate) fn resolve(host: Option<&str>, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
    look_up(host, port, libc::AF_UNSPEC)
}

fn look_up(host: Option<&str>, port: u16, family: c_int) -> Result<Vec<SocketAddr>, Unresolved> {
    let name = host.map(CString::new).transpose().map_err(|_| failure(libc::EAI_NONAME))?;
    // The library wants a name or a service. Any will do: ports are put in below.
    let service = c"0";
    let mut list: *mut addrinfo = ptr::null_mut();
    let name = name.as_deref().map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: all-zero is a valid addrinfo; the strings live as long as the call, which sets `list` when it succeeds; the
    // list is read before it is freed, once.
    unsafe {
        let mut hints = MaybeUninit::<addrinfo>::zeroed().assume_init();
        (hints.ai_family, hints.ai_socktype) = (family, libc::SOCK_STREAM);
        let code = libc::getaddrinfo(name, service.as_ptr(), &raw const hints, &raw mut list);
        if code != 0 {
            return Err(failure(code));
        }
        let addresses = addresses(list, port);
        libc::freeaddrinfo(list);
        Ok(addresses)
    }
}

/// # Safety
/// `list` must be what getaddrinfo gave, and not be freed yet.
unsafe fn addresses(mut list: *const addrinfo, port: u16) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    // SAFETY: every item is valid or null, and its address has the type its family says.
    unsafe {
        while let Some(item) = list.as_ref() {
            found.extend(socket_address(item.ai_addr, port));
            list = item.ai_next;
        }
    }
    found
}

/// # Safety
/// `address` must be null or point to an address of the type its family says.
unsafe fn socket_address(address: *const sockaddr, port: u16) -> Option<SocketAddr> {
    // SAFETY: as for this function; the casts are to the type the family says.
    unsafe {
        match c_int::from(address.as_ref()?.sa_family) {
            libc::AF_INET => {
                let address = &*address.cast::<sockaddr_in>();
                let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
                Some(SocketAddr::from((ip, port)))
            }
            libc::AF_INET6 => {
                let address = &*address.cast::<sockaddr_in6>();
                let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
                Some(SocketAddrV6::new(ip, port, 0, address.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

fn failure(code: c_int) -> Unresolved {
    if code == libc::EAI_SYSTEM {
        return Unresolved::System(Errno::last());
    }
    // SAFETY: gai_strerror returns a constant string for every number.
    let words = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
    Unresolved::Name { code, words: words.to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_of_this_machine() {
        for (host, address) in [
            ("", Ipv4Addr::UNSPECIFIED),
            ("<broadcast>", Ipv4Addr::BROADCAST),
            ("127.0.0.9", Ipv4Addr::new(127, 0, 0, 9)),
            // What inet_aton takes, too.
            ("127.1", Ipv4Addr::LOCALHOST),
            ("0x7f000002", Ipv4Addr::new(127, 0, 0, 2)),
            ("localhost", Ipv4Addr::LOCALHOST),
        ] {
            assert_eq!(resolve_ipv4(host), Ok(address), "{host}");
        }
        let own = resolve(None, 7).unwrap();
        assert!(own.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
        assert_eq!(resolve(Some("::1"), 9), Ok(vec!["[::1]:9".parse().unwrap()]));
    }

    #[test]
    fn what_has_no_address_in_pythons_words() {
        for (host, words) in [
            ("::1", "[Errno -9] Address family for hostname not supported"),
            ("a b", "[Errno -2] Name or service not known"),
            ("a\0b", "[Errno -2] Name or service not known"),
        ] {
            assert_eq!(resolve_ipv4(host).unwrap_err().to_string(), words, "{host:?}");
        }
        let system = Unresolved::System(Errno::EMFILE).to_string();
        assert_eq!(system, "[Errno 24] Too many open files");
    }
}
