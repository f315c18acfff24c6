//! What a sink writes to, once opened: every kind of target behind one call that never waits (but for the disk).

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

use crate::place::{self, Identity, Place, Way};

/// Most bytes handed to a descriptor that may block: a pipe that polls writable takes this many at once.
const PIPE_BUF_BYTES: usize = 4096;

/// Permissions of a new log, less the daemon's mask.
const NEW_FILE_MODE: u32 = 0o666;

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
    /// A regular file that was handed to the daemon, or to another process, as its output: never rotated, renamed or
    /// removed.
    Redirected,
    /// A pipe, terminal or device that reports `WouldBlock`.
    NonBlocking,
    /// A pipe or terminal whose description is shared with others, so that its flags are not ours to change.
    Shared,
    /// A socket.
    Socket,
}

/// An output, and which file it is.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) output: Output,
    pub(super) identity: Identity,
}

impl Output {
    /// Opens a target for appending, creating it if it is missing.
    pub(super) fn open(path: &Path) -> io::Result<Opened> {
        let output = match place::find(path)? {
            Way::Stream(1) => Output::inherited(io::stdout().as_fd())?,
            Way::Stream(_) => Output::inherited(io::stderr().as_fd())?,
            Way::Place(place) => Output::at(&place)?,
        };
        Opened::new(output)
    }

    /// The file that follows on one that is gone from its place, with its owner and permissions.
    pub(super) fn successor(place: &Place, before: &Metadata) -> io::Result<Opened> {
        Opened::new(Output { file: place.create_like(before)?, kind: Kind::Log })
    }

    fn at(place: &Place) -> io::Result<Output> {
        // One of the daemon's own streams under another name (`/proc/1/fd/1`), which may not let itself be opened.
        let stream = || {
            let found = place.metadata().ok().flatten()?;
            let stream = stream_of(Identity::from(&found))?;
            Output::inherited(stream.as_fd()).ok()
        };
        if place.is_magic()
            && let Some(output) = stream()
        {
            return Ok(output);
        }
        let file = match place.open(appending(), NEW_FILE_MODE) {
            // A FIFO that nobody reads: open both ends, so that the bytes wait in it for a reader to come. (Names
            // that lead to an anonymous pipe are not in the file system; there no reader will ever come.)
            Err(error) if is(&error, Errno::ENXIO) && place.is_fifo() => {
                place.open((appending() - OFlag::O_ACCMODE) | OFlag::O_RDWR, NEW_FILE_MODE)?
            }
            Err(error) => return stream().ok_or(error),
            Ok(file) => file,
        };
        let kind = match file.metadata()?.is_file() {
            true if place.is_magic() => Kind::Redirected, // by whoever has opened it
            true => Kind::Log,
            false => Kind::NonBlocking,
        };
        Ok(Output { file, kind })
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
        let anew = OpenOptions::new()
            .append(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(match anew {
            Ok(file) => Output { file, kind: Kind::NonBlocking },
            Err(_) => Output { file, kind: Kind::Shared },
        })
    }

    /// Writes some of `bytes`; `WouldBlock` when the target takes none now.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind {
            Kind::Log | Kind::Redirected | Kind::NonBlocking => (&self.file).write(bytes),
            Kind::Shared => {
                if !is_writable(self.file.as_fd())? {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                (&self.file).write(&bytes[..bytes.len().min(PIPE_BUF_BYTES)])
            }
            Kind::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(self.file.as_raw_fd(), bytes, flags)?)
            }
        }
    }

    /// Whether it is a file of our own opening, which can rotate.
    pub(super) fn is_log(&self) -> bool {
        self.kind == Kind::Log
    }

    /// Size after the last write, where the target is a file that can rotate.
    pub(super) fn size(&self) -> Option<u64> {
        if self.is_log() { (&self.file).stream_position().ok() } else { None }
    }

    /// Removes all that is in the file.
    pub(super) fn empty(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).rewind()
    }

    /// What is known of the file.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Whether it is a file the daemon was started with.
    pub(super) fn is_inherited_file(&self) -> bool {
        self.kind == Kind::Redirected
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Opened {
    fn new(output: Output) -> io::Result<Opened> {
        let identity = Identity::from(&output.metadata()?);
        Ok(Opened { output, identity })
    }
}

/// Creates an empty file only its owner can use; one that exists is left as it is.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
    match place::find_name(path)?.open(flags, 0o600) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// An error in the words of Python, e.g. `[Errno 28] No space left on device`.
pub(crate) fn errno_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {}", Errno::from_raw(number).desc()),
        None => error.to_string(),
    }
}

pub(super) fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

fn appending() -> OFlag {
    // O_NONBLOCK keeps the opening of a FIFO from waiting; regular files ignore it.
    OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_NONBLOCK
}

/// The stream of the daemon that is this file.
fn stream_of(identity: Identity) -> Option<File> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    [stdout.as_fd(), stderr.as_fd()].into_iter().find_map(|stream| {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        (Identity::from(&file.metadata().ok()?) == identity).then_some(file)
    })
}

fn is_writable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
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
        let output = Output::inherited(writer.as_fd()).unwrap();
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
        let output = Output { file: File::from(writer), kind: Kind::Shared };
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
        let output = Output::inherited(ours.as_fd()).unwrap();
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
