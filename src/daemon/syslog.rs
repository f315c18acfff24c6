//! A small client of the local syslog daemon that never waits.
//!
//! Messages have the form the C library gives `syslog(LOG_INFO, …)` without options: `<14>Nov 21 02:07:54 ident: text`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::sys::clock;

/// Where the local daemon listens.
pub(crate) const SOCKET_PATH: &str = "/dev/log";

/// What the daemon calls itself (the base name of `argv[0]` in the reference).
pub(crate) const IDENT: &str = "supervisord";

/// `LOG_USER | LOG_INFO`, what Python's `syslog.syslog(text)` sends.
const PRIORITY: u8 = 14;

/// A connection to the syslog daemon, made when it is needed.
#[derive(Debug)]
pub(crate) struct Client {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The daemon has it.
    Delivered,
    /// The daemon takes none now; wait for the socket.
    Blocked,
    /// It is too long for the daemon; others are not.
    TooLong,
    /// There is no daemon.
    Nobody(io::Error),
}

impl Client {
    /// A client of the daemon at `path`. Connects with the first message, and again whenever the daemon was restarted.
    pub(crate) fn new(path: impl AsRef<Path>) -> Client {
        Client { path: path.as_ref().to_path_buf(), socket: None }
    }

    /// Where the daemon is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, message: &[u8]) -> Sent {
        if let Some(socket) = &self.socket {
            match sent(socket.send(message)) {
                Sent::Nobody(_) => self.socket = None,
                sent => return sent,
            }
        }
        match self.connect() {
            Ok(socket) => {
                let sent = sent(socket.send(message));
                if !matches!(sent, Sent::Nobody(_)) {
                    self.socket = Some(socket);
                }
                sent
            }
            Err(error) => Sent::Nobody(error),
        }
    }

    /// What to wait for when it is blocked.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    fn connect(&self) -> io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        Ok(socket)
    }
}

fn sent(result: io::Result<usize>) -> Sent {
    match result {
        Ok(_) => Sent::Delivered,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Sent::Blocked,
        Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => Sent::TooLong,
        Err(error) => Sent::Nobody(error),
    }
}

/// What stands before the text of a message sent now.
pub(crate) fn header() -> String {
    let stamp = clock::local_now().0.syslog();
    format!("<{PRIORITY}>{stamp} {IDENT}: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn receive(server: &UnixDatagram) -> Vec<u8> {
        let mut buffer = [0; 64];
        let length = server.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn a_header_in_the_c_librarys_form() {
        let header = header();
        let stamp = header.strip_prefix("<14>").unwrap().strip_suffix(" supervisord: ").unwrap();
        assert_eq!(stamp.len(), "Nov 21 02:07:54".len());
        assert!(stamp.as_bytes()[3] == b' ' && stamp.as_bytes()[9] == b':', "{stamp}");
    }

    #[test]
    fn a_missing_restarted_or_hung_daemon_is_noticed() {
        let dir = TempDir::new();
        let mut client = Client::new(dir.path("log"));
        assert!(matches!(client.send(b"lost"), Sent::Nobody(_)));
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        assert!(matches!(client.send(b"one"), Sent::Delivered));
        assert_eq!(receive(&server), b"one");
        drop(server);
        std::fs::remove_file(dir.path("log")).unwrap();
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        assert!(matches!(client.send(b"two"), Sent::Delivered));
        assert_eq!(receive(&server), b"two");
        assert!(matches!(client.send(&vec![b'x'; 16 << 20]), Sent::TooLong));
        // Nobody receives: sooner or later its queue is full.
        while matches!(client.send(b"flood"), Sent::Delivered) {}
        assert!(matches!(client.send(b"flood"), Sent::Blocked));
        assert_eq!(receive(&server), b"flood");
        assert!(matches!(client.send(b"more"), Sent::Delivered));
    }
}
