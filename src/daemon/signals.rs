//! The signals sent to the daemon.
//!
//! The six signals of the reference's `setsignals` are blocked and read from a signalfd instead of being handled: none
//! interrupts a system call, none is lost between two phases of the start (they wait in the kernel), and repetitions
//! of one that waits already are one, as in the reference's `SignalReceiver`.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::read;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::core::effect::ExitStatus;
use crate::sys;

/// The signals the daemon acts upon.
const HANDLED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGCHLD,
    Signal::SIGUSR2,
];

/// What the reference's Python ignores from its first moment on.
const IGNORED: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// From here on no signal the daemon acts upon ends it; they wait until [`Signals`] reads them. Returns the signal mask
/// from before, which the programs start with.
///
/// To be called where the reference calls `setsignals` (before daemonizing) and before any thread exists, because
/// threads inherit the mask. A second call returns a mask that contains ours: keep the result of the first.
pub fn take_over() -> Result<SigSet, Errno> {
    ignore_as_python()?;
    let inherited = handled().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    for signal in HANDLED {
        // Started under nohup, say, SIGHUP would be discarded (and SIGCHLD would reap behind our back).
        sys::default_signal(signal as i32)?;
    }
    Ok(inherited)
}

/// Ignores SIGPIPE and SIGXFSZ, as the reference's Python does from its first moment on.
pub(crate) fn ignore_as_python() -> Result<(), Errno> {
    IGNORED.iter().try_for_each(|&signal| sys::ignore_signal(signal as i32))
}

fn handled() -> SigSet {
    SigSet::from_iter(HANDLED)
}

/// Size of the kernel's `signalfd_siginfo`, which begins with the signal's number.
const RECORD_BYTES: usize = 128;

/// Reads the signals sent to the daemon.
#[derive(Debug)]
pub struct Signals {
    fd: AsyncFd<OwnedFd>,
}

impl Signals {
    /// To be created after [`take_over`] and after daemonizing, within the runtime of the supervision thread.
    pub fn new() -> io::Result<Signals> {
        let fd = sys::signal_descriptor(&handled())?;
        Ok(Signals { fd: sys::watch(fd, Interest::READABLE)? })
    }

    /// The next signal. Dropping the future loses none. An error means that the system is out of order for good.
    pub async fn next(&mut self) -> io::Result<i32> {
        loop {
            let mut ready = self.fd.readable().await?;
            match ready.try_io(|fd| read_signal(fd.get_ref())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return result,
                Err(_would_block) => {}
            }
        }
    }
}

fn read_signal(fd: &OwnedFd) -> io::Result<i32> {
    let mut record = [0_u8; RECORD_BYTES];
    // The kernel gives whole records only.
    read(fd, &mut record)?;
    let [a, b, c, d, ..] = record;
    Ok(i32::from_ne_bytes([a, b, c, d]))
}

/// How a child ended, in the core's terms.
pub(crate) fn exit_status(status: std::process::ExitStatus) -> ExitStatus {
    match status.signal() {
        Some(signal) => ExitStatus::Signaled { signal, core_dumped: status.core_dumped() },
        None => ExitStatus::Exited(status.code().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_every_kind() {
        let decode = |raw| exit_status(std::process::ExitStatus::from_raw(raw));
        assert_eq!(decode(3 << 8), ExitStatus::Exited(3));
        assert_eq!(decode(9), ExitStatus::Signaled { signal: 9, core_dumped: false });
        assert_eq!(decode(11 | 0x80), ExitStatus::Signaled { signal: 11, core_dumped: true });
        assert_eq!(decode(35), ExitStatus::Signaled { signal: 35, core_dumped: false });
    }
}
