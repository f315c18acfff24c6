//! A small client of the local syslog daemon that never blocks and never fails the caller.
//!
//! Messages have the form the C library gives `syslog(LOG_INFO, …)` without options: `<14>Nov 21 02:07:54 ident: text`.
//! A message that cannot be delivered (no daemon, a full queue) is lost, as it is with the C library.

use std::fmt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Zoned;
use nix::errno::Errno;

use crate::core::text;

/// Where the local daemon listens.
pub const SOCKET_PATH: &str = "/dev/log";

/// What the daemon calls itself (the base name of `argv[0]` in the reference).
pub const IDENT: &str = "supervisord";

/// `LOG_USER | LOG_INFO`, what Python's `syslog.syslog(text)` sends.
const PRIORITY: u8 = 14;

/// A cheap handle; clones share one socket.
#[derive(Clone)]
pub struct Syslog {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    ident: String,
    socket: Mutex<Option<UnixDatagram>>,
}

impl fmt::Debug for Syslog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syslog").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Syslog {
    /// A client of the system's daemon under the name the reference has there.
    pub fn system() -> Syslog {
        Syslog::new(SOCKET_PATH, IDENT)
    }

    /// A client of the daemon at `path` that calls itself `ident` (the base name of `argv[0]` in the reference).
    /// Connects with the first message, and again whenever the daemon was restarted.
    pub fn new(path: impl AsRef<Path>, ident: impl Into<String>) -> Syslog {
        Syslog {
            inner: Arc::new(Inner {
                path: path.as_ref().to_path_buf(),
                ident: ident.into(),
                socket: Mutex::new(None),
            }),
        }
    }

    /// Sends one message.
    pub fn send(&self, message: &str) {
        let stamp = Zoned::now().strftime("%b %e %H:%M:%S");
        let datagram = format!("<{PRIORITY}>{stamp} {}: {message}", self.inner.ident);
        let datagram = text::into_bytes(datagram);
        let mut socket = self.lock();
        if socket.as_ref().is_some_and(|socket| delivered(socket, &datagram)) {
            return;
        }
        *socket = self.connect();
        if let Some(fresh) = socket.as_ref()
            && !delivered(fresh, &datagram)
        {
            *socket = None;
        }
    }

    /// Sends every line of `text` as a message of its own, `prefix` before each (`loggers.py: SyslogHandler.emit`).
    pub fn send_lines(&self, prefix: &str, text: &str) {
        for line in text.trim_end_matches('\n').split('\n') {
            self.send(&format!("{prefix}{line}"));
        }
    }

    fn connect(&self) -> Option<UnixDatagram> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        socket.connect(&self.inner.path).ok()?;
        Some(socket)
    }

    fn lock(&self) -> MutexGuard<'_, Option<UnixDatagram>> {
        self.inner.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the socket is still good; a full queue or an oversized message loses the message, not the connection.
fn delivered(socket: &UnixDatagram, datagram: &[u8]) -> bool {
    match socket.send(datagram) {
        Ok(_) => true,
        Err(error) => {
            error.kind() == std::io::ErrorKind::WouldBlock
                || error.raw_os_error() == Some(Errno::EMSGSIZE as i32)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::TempDir;

    fn receive(server: &UnixDatagram) -> String {
        server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut buffer = [0; 4096];
        let length = server.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn one_message_per_line_in_the_c_librarys_form() {
        let dir = TempDir::new();
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        let syslog = Syslog::new(dir.path("log"), "supervisord");
        syslog.send_lines("cat ", "one\n\ntwo\n\n");
        let first = receive(&server);
        let rest = first.strip_prefix("<14>").unwrap();
        let (stamp, message) = rest.split_at("Nov 21 02:07:54".len());
        assert_eq!(message, " supervisord: cat one");
        assert!(stamp.as_bytes()[3] == b' ' && stamp.as_bytes()[9] == b':', "{stamp}");
        assert!(receive(&server).ends_with(" supervisord: cat "));
        assert!(receive(&server).ends_with(" supervisord: cat two"));
    }

    #[test]
    fn a_missing_restarted_or_hung_daemon_harms_nothing() {
        let dir = TempDir::new();
        let syslog = Syslog::new(dir.path("log"), "supervisord");
        syslog.send("lost");
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        syslog.send("one");
        assert!(receive(&server).ends_with(": one"));
        drop(server);
        std::fs::remove_file(dir.path("log")).unwrap();
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        syslog.send("two");
        assert!(receive(&server).ends_with(": two"));
        // Nobody receives: far more than the socket's queue must still return.
        for _ in 0..10_000 {
            syslog.send("flood");
        }
        assert!(receive(&server).ends_with(": flood"));
    }
}
