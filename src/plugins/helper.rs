//! The helper process: how it is started, what becomes of what it prints, and how it is ended.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{UnixStream, unix::pipe};
use tokio::time::{Instant, sleep, sleep_until};

use crate::core::states::Level;
use crate::core::text;
use crate::daemon::environment::ForDaemon;
use crate::daemon::handle::Handle;
use crate::daemon::plugins::Helpers;
use crate::python_host;
use crate::sys::{self, Patience};

/// Bytes of what plugins print that go into the main log in a second. What is more waits, and in the end they do.
const PRINTED_BYTES_PER_SEC: usize = 64 << 10;

/// Longest line of the main log that they fill; what is longer becomes several.
const PRINTED_LINE_BYTES: usize = 4 << 10;

/// How long each of the ways to end takes before the next one: the end of its socket, SIGTERM, SIGKILL.
const END_STEP: Duration = Duration::from_secs(1);

/// How often it is looked whether it has ended, when nobody else does.
const END_LOOK: Duration = Duration::from_millis(10);

/// A helper that was started.
pub(super) struct Helper {
    /// What is said to it and heard of it.
    pub(super) socket: UnixStream,
    /// Its process id.
    pub(super) pid: i32,
    helpers: Helpers,
}

/// Starts Python with the daemon's half of the plugins. Its standard input is the socket, which it makes its own; what it
/// prints goes into the main log.
///
/// # Errors
/// The system's, in words.
pub(super) fn start(python: &Path, helpers: &Helpers, handle: &Handle) -> Result<Helper, String> {
    let interpreter = python_host::interpreter(Some(python));
    let words = |error: io::Error| {
        let advice = python_host::advice(&interpreter);
        format!("cannot start {} for plugins: {error}; {advice}", interpreter.display())
    };
    let (ours, theirs) = StdUnixStream::pair().map_err(words)?;
    let (read, write) = io::pipe().map_err(words)?;
    let errors = write.try_clone().map_err(words)?;
    ours.set_nonblocking(true).map_err(words)?;
    let socket = UnixStream::from_std(ours).map_err(words)?;
    let printed = pipe::Receiver::from_owned_fd(read.into()).map_err(words)?;
    let pid = {
        let mut state = helpers.lock();
        let [stdin, stdout, stderr] = [OwnedFd::from(theirs).into(), write.into(), errors.into()];
        let pid = spawn(&interpreter, "daemon", &[], [stdin, stdout, stderr]).map_err(words)?;
        state.pids.insert(pid);
        pid
    };
    tokio::task::spawn_local(log_printed(printed, handle.clone()));
    Ok(Helper { socket, pid, helpers: helpers.clone() })
}

/// Starts the interpreter, in a group of its own: a ^C at the daemon's terminal is for the daemon. What a service manager
/// says to the daemon it does not hear: what plugins start would speak in its place. Whoever reaps children reaps it.
#[expect(
    clippy::disallowed_methods,
    reason = "no program: it is part of the daemon, and needs nothing that programs get"
)]
pub(super) fn spawn(
    interpreter: &Path,
    part: &str,
    more: &[&str],
    [stdin, stdout, stderr]: [Stdio; 3],
) -> io::Result<i32> {
    let mut command = Command::new(interpreter);
    command.args(python_host::arguments(part)).args(more).process_group(0);
    ForDaemon::NAMES.iter().for_each(|name| _ = command.env_remove(name));
    let child = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

impl Helper {
    /// Ends it at once. It is reaped by whoever reaps children.
    pub(super) fn kill(&self) {
        self.signal(nix::libc::SIGKILL);
    }

    fn signal(&self, signal: i32) {
        // While the guard lives nobody gives its pid away.
        let state = self.helpers.lock();
        if state.pids.contains(&self.pid) {
            let _ = sys::kill(self.pid, signal);
        }
    }

    /// Lets it end, makes it end, and reaps it: the house has left its loop. It has a moment for each.
    pub(super) async fn end(self) {
        let Helper { socket, .. } = &self;
        // Its reader sees the end of the socket.
        let _ = nix::sys::socket::shutdown(
            std::os::fd::AsRawFd::as_raw_fd(socket),
            nix::sys::socket::Shutdown::Both,
        );
        for signal in [None, Some(nix::libc::SIGTERM), Some(nix::libc::SIGKILL)] {
            signal.into_iter().for_each(|signal| self.signal(signal));
            let until = Instant::now() + END_STEP;
            while Instant::now() < until {
                if !self.helpers.lock().pids.contains(&self.pid) {
                    return;
                }
                if sys::ended_child(Some(self.pid)).is_some() {
                    self.helpers.lock().pids.remove(&self.pid);
                    let _ = sys::reap(self.pid, Patience::Poll);
                    return;
                }
                sleep(END_LOOK).await;
            }
        }
    }
}

/// Writes what plugins print into the main log, line by line.
async fn log_printed(pipe: pipe::Receiver, handle: Handle) {
    let mut chunk = [0; 4096];
    let mut line: Vec<u8> = Vec::new();
    let (mut began, mut bytes) = (Instant::now(), 0);
    loop {
        if pipe.ready(Interest::READABLE).await.is_err() {
            break;
        }
        let read = match pipe.try_read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        };
        for piece in chunk[..read].split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.len() >= PRINTED_LINE_BYTES {
                log_line(&mut line, &handle);
            }
        }
        bytes += read;
        if bytes >= PRINTED_BYTES_PER_SEC {
            sleep_until(began + Duration::from_secs(1)).await;
            (began, bytes) = (Instant::now(), 0);
        }
    }
    log_line(&mut line, &handle);
}

fn log_line(line: &mut Vec<u8>, handle: &Handle) {
    let bytes = std::mem::take(line);
    let words = text::lossy(bytes);
    let words = words.trim_end_matches(['\n', '\r']);
    if !words.is_empty() {
        handle.log(Level::Info, format!("plugins: {words}"));
    }
}

/// The interpreter of a configuration; the rule is that of [`python_host::interpreter`].
pub(super) fn named(option: Option<&str>) -> PathBuf {
    PathBuf::from(option.unwrap_or_default())
}
