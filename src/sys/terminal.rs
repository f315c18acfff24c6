//! What only the terminal knows.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

/// How many columns a terminal has; `None` when it does not say, or is none.
pub(crate) fn columns(terminal: BorrowedFd<'_>) -> Option<usize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the call fills a winsize, for which all-zero is a value already, or leaves it alone.
    let size = unsafe {
        Errno::result(libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()))
            .ok()?;
        size.assume_init()
    };
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
