//! What a sink writes to, once opened: every kind of target behind one call that never waits (but for the disk).

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

/// Most bytes handed to a descriptor that may block: a pipe that polls writable takes this many at once.
const PIPE_BUF_BYTES: usize = 4096;

/// An open target.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A regular file of our own opening: it can rotate.
    Log,
    /// A regular file that was handed to the daemon as its output: never rotated, renamed or removed.
    Redirected,
    /// A pipe, terminal or device that reports `WouldBlock`.
    NonBlocking,
    /// A pipe or terminal whose description is shared with others, so that its flags are not ours to change.
    Shared,
    /// A socket.
    Socket,
}

/// How the file of a regular path is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// Appended to.
    Keep,
    /// Emptied first.
    Empty,
}

impl Output {
    /// Opens a target for appending, creating it if it is missing.
    pub(super) fn open(path: &Path, contents: Contents) -> io::Result<Output> {
        if let Some(number) = standard_stream(path) {
            return match number {
                1 => Output::inherited(io::stdout().as_fd()),
                _ => Output::inherited(io::stderr().as_fd()),
            };
        }
        let file = match appending(contents).create(true).open(path) {
            // A FIFO that nobody reads: open both ends, so that the bytes wait in it for a reader to come. (Names
            // that lead to an anonymous pipe are not in the file system; there no reader will ever come.)
            Err(error) if is(&error, Errno::ENXIO) && is_fifo(path) => {
                appending(contents).read(true).open(path)?
            }
            opened => opened?,
        };
        let regular = file.metadata()?.is_file();
        Ok(Output { file, kind: if regular { Kind::Log } else { Kind::NonBlocking } })
    }

    /// Makes an output of a descriptor the daemon was started with. Pipes and terminals are opened anew through
    /// `/proc`, because making the inherited description non-blocking would change it for every other process that
    /// has it.
    fn inherited(fd: BorrowedFd<'_>) -> io::Result<Output> {
        let file = File::from(fd.try_clone_to_owned()?);
        let kind = file.metadata()?.file_type();
        if kind.is_file() {
            return Ok(Output { file, kind: Kind::Redirected });
        }
        if kind.is_socket() {
            return Ok(Output { file, kind: Kind::Socket });
        }
        let anew = appending(Contents::Keep).open(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(match anew {
            Ok(file) => Output { file, kind: Kind::NonBlocking },
            Err(_) => Output { file, kind: Kind::Shared },
        })
    }

    /// Writes some of `bytes`; `WouldBlock` when the target takes none now.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind {
            Kind::Log | Kind::Redirected | Kind::NonBlocking => self.file.write(bytes),
            Kind::Shared => {
                if !is_writable(self.file.as_fd())? {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                self.file.write(&bytes[..bytes.len().min(PIPE_BUF_BYTES)])
            }
            Kind::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(self.file.as_raw_fd(), bytes, flags)?)
            }
        }
    }

    /// Position after the last write, where the target is a file that can rotate.
    pub(super) fn position(&mut self) -> Option<u64> {
        if self.kind != Kind::Log {
            return None;
        }
        self.file.stream_position().ok()
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Whether the path may be removed to clear the log: a file or a dangling link, but no device, pipe or directory.
pub(super) fn is_removable(path: &Path) -> bool {
    standard_stream(path).is_none() && std::fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Creates an empty file only its owner can use; one that exists is left as it is.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(path);
    match created {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// An error in the words of Python, e.g. `[Errno 28] No space left on device`.
pub fn errno_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {}", Errno::from_raw(number).desc()),
        None => error.to_string(),
    }
}

pub(super) fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

fn appending(contents: Contents) -> OpenOptions {
    // O_NONBLOCK keeps the opening of a FIFO from waiting; regular files ignore it.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let flags = match contents {
        Contents::Keep => flags,
        Contents::Empty => flags | OFlag::O_TRUNC,
    };
    let mut options = OpenOptions::new();
    options.append(true).mode(0o666).custom_flags(flags.bits());
    options
}

fn is_fifo(path: &Path) -> bool {
    std::fs::canonicalize(path).is_ok()
        && std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

fn is_writable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
}

/// The descriptor a path stands for, where it is the daemon's own output or error stream.
fn standard_stream(path: &Path) -> Option<u8> {
    match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some(1),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use nix::fcntl::{FcntlArg, fcntl};
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use nix::unistd::pipe;

    use super::*;

    fn flags(fd: &OwnedFd) -> OFlag {
        OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL).unwrap())
    }

    #[test]
    fn an_inherited_pipe_keeps_its_flags() {
        let (reader, writer) = pipe().unwrap();
        let mut output = Output::inherited(writer.as_fd()).unwrap();
        assert_eq!(output.kind, Kind::NonBlocking);
        assert!(!flags(&writer).contains(OFlag::O_NONBLOCK));
        let block = vec![b'x'; 1 << 16];
        let error = loop {
            if let Err(error) = output.write(&block) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(reader);
        assert!(is(&output.write(&block).unwrap_err(), Errno::EPIPE));
    }

    #[test]
    fn a_shared_description_is_polled_before_each_write() {
        let (reader, writer) = pipe().unwrap();
        let mut output = Output { file: File::from(writer), kind: Kind::Shared };
        let block = vec![b'x'; 1 << 16];
        let mut total = 0;
        let error = loop {
            match output.write(&block) {
                Ok(written) => {
                    assert!(written <= PIPE_BUF_BYTES);
                    total += written;
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(total > 0);
        drop(reader);
    }

    #[test]
    fn a_socket_is_written_without_waiting() {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty()).unwrap();
        let mut output = Output::inherited(ours.as_fd()).unwrap();
        assert_eq!(output.kind, Kind::Socket);
        let block = vec![b'x'; 1 << 16];
        let error = loop {
            if let Err(error) = output.write(&block) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(!flags(&ours).contains(OFlag::O_NONBLOCK));
        drop(theirs);
    }

    #[test]
    fn errors_read_like_pythons() {
        assert_eq!(
            errno_text(&io::Error::from_raw_os_error(Errno::ENOSPC as i32)),
            "[Errno 28] No space left on device"
        );
    }
}
