//! Where the daemon is, read from its URL as the reference reads it (`xmlrpc.py: SupervisorTransport`).

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::failure::{Failure, Outcome};
use crate::core::python::repr;
use crate::native;
use crate::sys::names;

/// What is used when the URL names no port.
const HTTP_PORT: u16 = 80;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A TCP port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket, by its path.
    Unix(String),
}

impl Address {
    /// Reads `http://HOST[:PORT]` or `unix://PATH`. What else an http URL holds is ignored.
    ///
    /// Fails as Python does on other schemes and impossible ports.
    pub(crate) fn parse(url: &str) -> Outcome<Address> {
        if let Some(path) = url.strip_prefix("unix://") {
            return Ok(Address::Unix(path.to_string()));
        }
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(Failure::value(format!("Unknown protocol for serverurl {url}")));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, after)) => (host, after.strip_prefix(':')),
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port.filter(|port| !port.is_empty()) {
            Some(port) => port_number(port)?,
            None => HTTP_PORT,
        };
        Ok(Address::Tcp { host: host.to_lowercase(), port })
    }

    /// What the `Host` header says.
    pub(crate) fn host_header(&self) -> String {
        match self {
            Address::Unix(_) => "localhost".to_string(),
            Address::Tcp { host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == HTTP_PORT { host } else { format!("{host}:{port}") }
            }
        }
    }

    /// Connects, trying every address of a name in turn. Blocks until the other side answers.
    pub(crate) fn connect(&self) -> Outcome<File> {
        self.connect_to_one(|host, port| Ok(names::resolve(Some(host), port)?))
    }

    /// Connects for a log as it grows: the reference asks for one IPv4 address then, and gives up where there is none
    /// or nobody answers. This goes on to the others.
    pub(crate) fn connect_for_log(&self) -> Outcome<File> {
        self.connect_to_one(|host, port| {
            let first = names::resolve_ipv4(host).map(|ip| SocketAddr::from((ip, port)));
            let mut all = Vec::from_iter(first);
            all.extend(names::resolve(Some(host), port)?);
            Ok(all)
        })
    }

    fn connect_to_one(
        &self,
        resolve: impl Fn(&str, u16) -> Outcome<Vec<SocketAddr>>,
    ) -> Outcome<File> {
        // A socket as a `File`: one type for both kinds, read(2) and write(2) are all that is needed.
        let descriptor = match self {
            Address::Tcp { host, port } => {
                let host = if host.is_empty() { "localhost" } else { host };
                let stream = TcpStream::connect(resolve(host, *port)?.as_slice())?;
                stream.set_nodelay(true)?;
                OwnedFd::from(stream)
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(native::path(path));
                OwnedFd::from(stream.map_err(unix_failure)?)
            }
        };
        Ok(File::from(descriptor))
    }
}

/// Paths that fit no socket are refused before the system is asked, with Python's words.
fn unix_failure(error: std::io::Error) -> Failure {
    if error.raw_os_error().is_none() {
        return Failure::other("OSError", "AF_UNIX path too long");
    }
    Failure::Io(error)
}

fn port_number(text: &str) -> Outcome<u16> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = repr(text);
        return Err(Failure::value(format!("Port could not be cast to integer value as {text}")));
    }
    text.parse().map_err(|_| Failure::value("Port out of range 0-65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let tcp = |host: &str, port| Address::Tcp { host: host.to_string(), port };
        for (url, address, header) in [
            ("http://localhost:9001", tcp("localhost", 9001), "localhost:9001"),
            ("http://u:p@Box/RPC2", tcp("box", 80), "box"),
            ("http://[::1]:9001/?x", tcp("::1", 9001), "[::1]:9001"),
            ("http://a:", tcp("a", 80), "a"),
            ("unix:///a/b.sock", Address::Unix("/a/b.sock".to_string()), "localhost"),
        ] {
            let parsed = Address::parse(url).unwrap();
            assert_eq!((&parsed, parsed.host_header().as_str()), (&address, header));
        }
        for (url, why) in [
            ("HTTP://a", "Unknown protocol for serverurl HTTP://a"),
            ("http://a:b", "Port could not be cast to integer value as 'b'"),
            ("http://a:65536", "Port out of range 0-65535"),
        ] {
            assert_eq!(Address::parse(url).unwrap_err().to_string(), why);
        }
    }
}
