//! Ctrl-C as something to wait for, so that it ends a wait and not the program; and with it the reader of standard
//! output, who may leave (`tail -f web | head -1`) while there is nothing to write that would tell.

use std::io::{self, Stdout};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// SIGINT, held back and read here as long as this lives.
pub(crate) struct Interrupts {
    descriptor: SignalFd,
    before: SigSet,
    /// Whose reader is watched, if anybody's.
    output: Option<Stdout>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Ctrl-C, or the reader has left.
    Interrupted,
    /// The descriptor has something to read.
    Readable,
    /// The time is over.
    TimedOut,
}

impl Interrupts {
    /// Takes SIGINT over for this thread.
    pub(crate) fn take_over() -> io::Result<Interrupts> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let descriptor =
            SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Interrupts { descriptor, before, output: None })
    }

    /// From now on the reader of standard output ends a wait by leaving, as Ctrl-C does. For what only shows something:
    /// a question is still to be answered when nobody reads the output.
    pub(crate) fn or_reader_gone(mut self) -> Interrupts {
        self.output = Some(io::stdout());
        self
    }

    /// Waits until the descriptor is readable, for so long at most, or for Ctrl-C or a reader that has left, which win.
    pub(crate) fn wait(
        &mut self,
        readable: Option<BorrowedFd<'_>>,
        patience: Option<Duration>,
    ) -> io::Result<Woken> {
        Ok(match self.wait_any(readable.as_slice(), patience)? {
            None => Woken::Interrupted,
            Some(ready) if ready.contains(&true) => Woken::Readable,
            Some(_) => Woken::TimedOut,
        })
    }

    /// Waits until one of the descriptors is readable, for so long at most, and says which are; `None` for Ctrl-C or a
    /// reader that has left, which win.
    pub(crate) fn wait_any(
        &mut self,
        readable: &[BorrowedFd<'_>],
        patience: Option<Duration>,
    ) -> io::Result<Option<Vec<bool>>> {
        let patience = match patience {
            Some(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        loop {
            let mut waiting = vec![PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
            waiting.extend(readable.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)));
            // Nothing is asked of it, so all it can report is that nobody is at its other end.
            let output = self.output.as_ref().map(|fd| PollFd::new(fd.as_fd(), PollFlags::empty()));
            waiting.extend(output);
            match poll(&mut waiting, patience) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let mut woken = waiting.iter().map(|fd| fd.any().unwrap_or(true));
            let interrupted = woken.next() == Some(true);
            let ready = woken.by_ref().take(readable.len()).collect();
            let reader_gone = woken.next() == Some(true);
            if reader_gone || interrupted && self.descriptor.read_signal()?.is_some() {
                return Ok(None);
            }
            return Ok(Some(ready));
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // One that came after the last wait has done what it was for.
        while let Ok(Some(_)) = self.descriptor.read_signal() {}
        // Setting back a mask that was read cannot fail.
        let _ = self.before.thread_set_mask();
    }
}
