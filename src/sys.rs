//! All unsafe code: the half of a program's start that runs between fork and exec (`spawn`), the time, names of hosts and
//! of files, random bytes, the terminal, and here the few system calls that `nix` offers no sound or no complete wrapper for.

#![allow(unsafe_code)]

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod names;
pub(crate) mod random;
mod spawn;
pub(crate) mod terminal;

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::sync::Mutex;

use libc::{c_int, gid_t, pid_t, sigset_t};
use nix::errno::Errno;
use nix::sys::signal::SigSet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use spawn::set_disposition;
pub(crate) use spawn::{
    CStringArray, ChildIdentity, ChildImage, NOT_SPAWNED, close_from, spawn_alike, spawn_child,
    take_handed,
};

/// Ignores a signal in this process from now on.
pub(crate) fn ignore_signal(signal: i32) -> Result<(), Errno> {
    // SAFETY: SIG_IGN is one of the two dispositions allowed.
    Errno::result(unsafe { set_disposition(signal, libc::SIG_IGN) }).map(drop)
}

/// Gives a signal its default disposition.
pub(crate) fn default_signal(signal: i32) -> Result<(), Errno> {
    // SAFETY: SIG_DFL is one of the two dispositions allowed.
    Errno::result(unsafe { set_disposition(signal, libc::SIG_DFL) }).map(drop)
}

/// Lets SIGINT end this process at once, on a new line of standard output and with exit status 0.
pub(crate) fn exit_on_interrupt() -> Result<(), Errno> {
    extern "C" fn leave(_signal: c_int) {
        // SAFETY: both calls are async-signal-safe, and the second never returns.
        unsafe {
            libc::write(1, b"\n".as_ptr().cast(), 1);
            libc::_exit(0)
        }
    }
    let handler: extern "C" fn(c_int) = leave;
    // SAFETY: all-zero is a valid sigaction (no flags, empty mask), and the handler has the type of a plain one.
    Errno::result(unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = handler as libc::sighandler_t;
        libc::sigaction(libc::SIGINT, &action, ptr::null_mut())
    })
    .map(drop)
}

/// A duplicate, closed at exec, with the lowest free number that is at least `min`.
pub(crate) fn duplicate_from(fd: BorrowedFd<'_>, min: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: fcntl on a live descriptor; what it returns is new and nobody else's.
    unsafe {
        let raw = Errno::result(libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, min))?;
        Ok(OwnedFd::from_raw_fd(raw))
    }
}

/// A descriptor that tells when one of the (blocked) signals waits; non-blocking, closed at exec.
pub(crate) fn signal_descriptor(signals: &SigSet) -> Result<OwnedFd, Errno> {
    let flags = libc::SFD_NONBLOCK | libc::SFD_CLOEXEC;
    // SAFETY: the set is a live value; what signalfd returns is new and nobody else's.
    unsafe {
        let raw = Errno::result(libc::signalfd(-1, signals.as_ref(), flags))?;
        Ok(OwnedFd::from_raw_fd(raw))
    }
}

/// Watches a descriptor within the current tokio runtime.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is valid, and stays the same descriptor, for as long as the watcher owns it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// The signals waiting for this process or thread because they are blocked.
pub(crate) fn pending_signals() -> SigSet {
    let mut raw = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set before it is read; sigpending overwrites it or leaves it alone.
    unsafe {
        libc::sigemptyset(raw.as_mut_ptr());
        libc::sigpending(raw.as_mut_ptr());
        SigSet::from_sigset_t_unchecked(raw.assume_init())
    }
}

/// Sends a signal: any number the system knows, unlike `nix`, and 0.
pub(crate) fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: a system call on plain numbers.
    Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// How long [`reap`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all.
    Poll,
    /// Until a child ends.
    UntilExit,
}

/// Reaps one child that has ended: the one of this id, or any when `pid` is -1. `None` when there is none (yet).
///
/// Knows every way to end, unlike `nix`, which reaps children killed by a real-time signal and then reports an error.
pub(crate) fn reap(pid: i32, patience: Patience) -> Result<Option<(i32, ExitStatus)>, Errno> {
    let options = match patience {
        Patience::Poll => libc::WNOHANG,
        Patience::UntilExit => 0,
    };
    let mut status: c_int = 0;
    loop {
        // SAFETY: `status` is a live integer.
        let result = unsafe { libc::waitpid(pid as pid_t, &mut status, options) };
        match Errno::result(result) {
            Ok(0) | Err(Errno::ECHILD) => return Ok(None),
            Ok(pid) => return Ok(Some((pid, ExitStatus::from_raw(status)))),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A child that has ended and is not reaped yet: the one of this id, or any. It stays as it is, and its id stays its own.
pub(crate) fn ended_child(pid: Option<i32>) -> Option<(i32, ExitStatus)> {
    let (kind, id) = match pid {
        Some(pid) => (libc::P_PID, libc::id_t::try_from(pid).ok()?),
        None => (libc::P_ALL, 0),
    };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: all-zero is a valid siginfo_t, which waitid overwrites or leaves alone; the two fields are those of SIGCHLD.
    let (found, code, status) = unsafe {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed().assume_init();
        if libc::waitid(kind, id, &mut info, options) != 0 {
            return None; // there are no children, or not this one
        }
        (info.si_pid(), info.si_code, info.si_status())
    };
    let raw = match code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    };
    (found != 0).then(|| (found, ExitStatus::from_raw(raw)))
}

/// Forks the daemon itself. The parent gets the child's id, the child `None`. `EBUSY` when there is another thread.
pub(crate) fn fork_daemon() -> Result<Option<i32>, Errno> {
    // Without /proc there is no way to count; the daemon calls this before it starts a thread.
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(Errno::EBUSY);
    }
    // SAFETY: this is the only thread, so the child's memory is as consistent as ours.
    let pid = Errno::result(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Ends the process at once: no destructors, no exit handlers, no flushing.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: never returns, touches no memory.
    unsafe { libc::_exit(code) }
}

/// The groups whose member lists name the user, in the order of the group database (`grp.getgrall`).
pub(crate) fn groups_listing(user: &CStr) -> Vec<gid_t> {
    // The database is walked with one cursor and one buffer per process.
    static WALKING: Mutex<()> = Mutex::new(());
    let _guard = WALKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut groups = Vec::new();
    // SAFETY: this is the only place that walks the group database, one thread at a time. An entry and its
    // null-terminated list of members are valid until the next call.
    unsafe {
        libc::setgrent();
        while let Some(entry) = libc::getgrent().as_ref() {
            let mut member = entry.gr_mem;
            while !(*member).is_null() {
                if CStr::from_ptr(*member) == user {
                    groups.push(entry.gr_gid);
                    break;
                }
                member = member.add(1);
            }
        }
        libc::endgrent();
    }
    groups
}

/// Starts listening. The system lowers what is more than it allows (`net.core.somaxconn`); nix refuses what is more than
/// a constant of its own.
pub(crate) fn listen(socket: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: takes no pointers.
    Errno::result(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// Has the kernel take no more of what a TCP socket is to send than so many bytes ahead of what is on its way (tcp(7)
/// does not know `TCP_NOTSENT_LOWAT`; since Linux 3.12).
pub(crate) fn limit_unsent(socket: BorrowedFd<'_>, bytes: u32) -> Result<(), Errno> {
    let (value, length) = ((&raw const bytes).cast(), size_of::<u32>() as libc::socklen_t);
    // SAFETY: the descriptor is open, and the value is readable for the length given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            value,
            length,
        )
    };
    Errno::result(result).map(drop)
}

/// Makes the allocator return big pieces of memory (logs read for a client) to the system as soon as they are freed,
/// instead of keeping room for the next of the biggest size seen (mallopt(3): `M_MMAP_THRESHOLD`).
#[cfg(target_env = "gnu")]
pub(crate) fn return_big_memory() {
    // SAFETY: changes numbers in the allocator, under its own lock. It fails on values out of range only.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10) };
}

/// Other allocators return big pieces by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn return_big_memory() {}

/// Whether the C library knows a locale of this name for character types. Changes nothing.
pub(crate) fn has_ctype_locale(name: &CStr) -> bool {
    // SAFETY: a new locale object is asked for and freed again; no global state is involved.
    unsafe {
        let locale = libc::newlocale(libc::LC_CTYPE_MASK, name.as_ptr(), ptr::null_mut());
        if locale.is_null() {
            return false;
        }
        libc::freelocale(locale);
        true
    }
}
