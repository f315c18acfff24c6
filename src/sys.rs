//! All unsafe code: the half of a program's start that runs between fork and exec, and the few system calls that
//! `nix` offers no sound or no complete wrapper for; the time and the names of hosts below.
//!
//! Between fork and exec the child shares nothing with the daemon but a copy of its memory, in which another thread may
//! have held any lock (the allocator's, for one). So everything is made ready before fork, and the child only reads it
//! and makes system calls: no allocation, no lock, no panic, no destructor.

#![allow(unsafe_code)]

pub mod clock;
pub mod files;
pub mod names;
pub mod terminal;

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::sync::Mutex;

use libc::{c_char, c_int, c_uint, gid_t, pid_t, sigset_t, uid_t};
use nix::errno::Errno;
use nix::sys::signal::SigSet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::core::errno;

/// The exit code of a child that could not become the program (`process.py: _spawn_as_child`).
pub const NOT_SPAWNED: i32 = 127;

/// Signals that every program starts with ignored, because the reference's Python ignores them.
const IGNORED_IN_CHILDREN: [c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// The number under which a child finds what is handed to it besides 0, 1 and 2.
const HANDED: c_int = 3;

/// Highest signal number of Linux.
const LAST_SIGNAL: c_int = 64;

// The system calls that take 32-bit ids; on the old 32-bit machines the plain names take 16-bit ones.
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
const ID_CALLS: (libc::c_long, libc::c_long, libc::c_long) =
    (libc::SYS_setgroups, libc::SYS_setgid, libc::SYS_setuid);
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
const ID_CALLS: (libc::c_long, libc::c_long, libc::c_long) =
    (libc::SYS_setgroups32, libc::SYS_setgid32, libc::SYS_setuid32);

/// A null-terminated array of C strings, as execve wants them.
#[derive(Debug)]
pub struct CStringArray {
    pointers: Vec<*const c_char>,
    // What the pointers point to; moving the vector does not move the strings' bytes.
    strings: Vec<CString>,
}

impl CStringArray {
    /// Takes the strings over.
    pub fn new(strings: Vec<CString>) -> CStringArray {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect();
        CStringArray { pointers, strings }
    }

    /// The strings.
    pub fn strings(&self) -> &[CString] {
        &self.strings
    }
}

/// Whom the child becomes.
#[derive(Debug, PartialEq, Eq)]
pub enum ChildIdentity {
    /// The user it already is.
    Keep,
    /// Another user.
    Become {
        /// Its user id.
        uid: uid_t,
        /// Its primary group.
        gid: gid_t,
        /// Its supplementary groups, the primary one first.
        groups: Vec<gid_t>,
    },
    /// Nobody: it was clear before fork that this cannot work. The text is written by the child, and it ends.
    Refuse(String),
}

/// Everything a child needs to become a program, made before fork. The texts are the beginnings of its last words.
#[derive(Debug)]
pub struct ChildImage<'a> {
    /// What becomes 0, 1 and 2. None of them may be one of these numbers already.
    pub stdio: [BorrowedFd<'a>; 3],
    /// What becomes 3. Its number is above that.
    pub handed: Option<OwnedFd>,
    /// How many descriptors to close one by one where the system cannot close them all at once.
    pub min_fds: c_int,
    /// The user to become.
    pub identity: ChildIdentity,
    /// E.g. `supervisor: couldn't setuid to 1000: `.
    pub setuid_failed: String,
    /// Directory to change to.
    pub directory: Option<CString>,
    /// E.g. `supervisor: couldn't chdir to /x: `.
    pub chdir_failed: String,
    /// File creation mask to set.
    pub umask: Option<libc::mode_t>,
    /// The executable.
    pub filename: CString,
    /// Its arguments.
    pub argv: CStringArray,
    /// Its environment.
    pub envp: CStringArray,
    /// E.g. `supervisor: couldn't exec /x: `.
    pub exec_failed: String,
    /// The signal mask the program starts with.
    pub signal_mask: SigSet,
}

/// Forks, and makes the child the program of `image` in a process group of its own. Returns its process id.
///
/// All signals are blocked from before fork until the child has no handlers left, so no handler of the daemon ever runs
/// in a child, and a signal sent to the child in between takes effect before or at exec instead of getting lost.
pub fn spawn_child(image: &ChildImage<'_>) -> Result<i32, Errno> {
    let previous = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    // SAFETY: the child calls nothing but `run_child`, which keeps to what is allowed after fork.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: this is the child right after fork.
        unsafe { run_child(image) }
    }
    let forked = Errno::result(pid);
    let restored = previous.thread_set_mask();
    debug_assert!(restored.is_ok(), "a mask read from the system can be set again");
    let pid = forked?;
    // The child does the same; whoever is first, the group exists when we return. It fails when the child already is
    // the program, and thus has done it.
    let _ = nix::unistd::setpgid(nix::unistd::Pid::from_raw(pid), nix::unistd::Pid::from_raw(pid));
    Ok(pid)
}

/// The life of a child that has not become its program yet.
///
/// # Safety
/// Only in a child right after fork, with all signals blocked.
unsafe fn run_child(image: &ChildImage<'_>) -> ! {
    // SAFETY: as for this function.
    unsafe {
        let _failed = become_program(image);
        say(b"supervisor: child process was not spawned\n", b"", b"");
        libc::_exit(NOT_SPAWNED)
    }
}

/// Forks, and makes the child a program that shares everything an exec passes on: descriptors, process group, ignored
/// signals. It starts with the given signal mask. A child that cannot become the program ends with [`NOT_SPAWNED`].
///
/// Unlike `posix_spawn` of the GNU C library this leaves no signal ignored that was not.
pub fn spawn_alike(
    file: &CStr,
    argv: &CStringArray,
    envp: &CStringArray,
    mask: &SigSet,
) -> Result<i32, Errno> {
    // SAFETY: between fork and exec the child only makes async-signal-safe calls, on memory that the arguments keep
    // alive; the arrays end with a null pointer.
    let pid = unsafe {
        let pid = libc::fork();
        if pid == 0 {
            reset_signals(mask);
            libc::execve(file.as_ptr(), argv.pointers.as_ptr(), envp.pointers.as_ptr());
            libc::_exit(NOT_SPAWNED);
        }
        pid
    };
    Errno::result(pid)
}

/// A step failed, and what there is to say about it has been said.
struct Failed;

/// The steps in the order of `process.py: _spawn_as_child`. Comes back only if one of them failed.
///
/// # Safety
/// As [`run_child`].
unsafe fn become_program(image: &ChildImage<'_>) -> Result<(), Failed> {
    // SAFETY: async-signal-safe calls on memory that `image` keeps alive.
    unsafe {
        step(libc::setpgid(0, 0))?;
        reset_signals(&image.signal_mask);
        let [stdin, stdout, stderr] = image.stdio;
        step(libc::dup2(stdin.as_raw_fd(), 0))?;
        step(libc::dup2(stdout.as_raw_fd(), 1))?;
        step(libc::dup2(stderr.as_raw_fd(), 2))?;
        let first_unwanted = match &image.handed {
            Some(handed) => step(libc::dup2(handed.as_raw_fd(), HANDED)).map(|()| HANDED + 1)?,
            None => HANDED,
        };
        close_from(first_unwanted, image.min_fds);
        become_user(&image.identity, &image.setuid_failed)?;
        if let Some(directory) = &image.directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            say(image.chdir_failed.as_bytes(), last_errno_name(), b"\n");
            return Err(Failed);
        }
        if let Some(mask) = image.umask {
            libc::umask(mask);
        }
        libc::execve(
            image.filename.as_ptr(),
            image.argv.pointers.as_ptr(),
            image.envp.pointers.as_ptr(),
        );
        say(image.exec_failed.as_bytes(), last_errno_name(), b"\n");
    }
    Err(Failed)
}

/// A step whose failure the reference does not comment on.
fn step(result: c_int) -> Result<(), Failed> {
    if result < 0 { Err(Failed) } else { Ok(()) }
}

/// Removes every handler, keeps what was ignored, ignores what Python ignores; then lets signals in.
///
/// # Safety
/// As [`run_child`].
unsafe fn reset_signals(mask: &SigSet) {
    // SAFETY: sigaction and sigprocmask are async-signal-safe and get pointers to live values of their types. Numbers
    // that cannot be changed (SIGKILL, those of the C library) are refused without harm.
    unsafe {
        for signal in 1..=LAST_SIGNAL {
            let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            if libc::sigaction(signal, ptr::null(), &mut action) == 0
                && action.sa_sigaction != libc::SIG_IGN
                && action.sa_sigaction != libc::SIG_DFL
            {
                set_disposition(signal, libc::SIG_DFL);
            }
        }
        for signal in IGNORED_IN_CHILDREN {
            set_disposition(signal, libc::SIG_IGN);
        }
        let raw: *const sigset_t = mask.as_ref();
        libc::pthread_sigmask(libc::SIG_SETMASK, raw, ptr::null_mut());
    }
}

/// # Safety
/// `disposition` must be `SIG_DFL` or `SIG_IGN`.
unsafe fn set_disposition(signal: c_int, disposition: libc::sighandler_t) -> c_int {
    // SAFETY: all-zero is a valid sigaction (no flags, empty mask), and no handler is installed.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = disposition;
        libc::sigaction(signal, &action, ptr::null_mut())
    }
}

/// Closes every descriptor from this one on, whoever owns it: for a process that becomes another program, or ends.
pub fn close_from(first: c_int, min_fds: c_int) {
    // SAFETY: what owns a descriptor is not used any more by a caller that leaves.
    unsafe {
        let (first_unsigned, last) = (first.cast_unsigned(), c_uint::MAX);
        if libc::syscall(libc::SYS_close_range, first_unsigned, last, 0 as c_uint) != 0 {
            // Before Linux 5.9, or not allowed. What we opened ourselves closes at exec anyway.
            for fd in first..min_fds {
                libc::close(fd);
            }
        }
    }
}

/// The descriptor handed over by [`ChildImage::handed`], in the program that was made of the child. To be called once,
/// before anything else is opened.
pub fn take_handed() -> Option<OwnedFd> {
    // SAFETY: fcntl takes no pointers. Open at this point, the number was handed over for us to own.
    unsafe { (libc::fcntl(HANDED, libc::F_GETFD) != -1).then(|| OwnedFd::from_raw_fd(HANDED)) }
}

/// Becomes the user, with the system calls themselves: the C library's functions would try to tell the other threads,
/// which do not exist in the child.
///
/// # Safety
/// As [`run_child`].
unsafe fn become_user(identity: &ChildIdentity, prefix: &str) -> Result<(), Failed> {
    let (setgroups, setgid, setuid) = ID_CALLS;
    let message = match identity {
        ChildIdentity::Keep => return Ok(()),
        ChildIdentity::Refuse(message) => message.as_str(),
        ChildIdentity::Become { uid, gid, groups } => {
            // SAFETY: system calls on plain numbers and on a live array of the length given.
            unsafe {
                if libc::syscall(setgroups, groups.len(), groups.as_ptr()) != 0 {
                    "Could not set groups of effective user"
                } else if libc::syscall(setgid, *gid) != 0 {
                    "Could not set group id of effective user"
                } else if libc::syscall(setuid, *uid) != 0 {
                    // The reference has no words for this one.
                    return Err(Failed);
                } else {
                    return Ok(());
                }
            }
        }
    };
    // SAFETY: as for this function.
    unsafe { say(prefix.as_bytes(), message.as_bytes(), b"\n") };
    Err(Failed)
}

/// The name of the last error, without allocating.
fn last_errno_name() -> &'static [u8] {
    errno::name(Errno::last_raw()).unwrap_or("unknown error").as_bytes()
}

/// Writes the parts to standard error in one go, as far as it takes them.
///
/// # Safety
/// As [`run_child`].
unsafe fn say(first: &[u8], second: &[u8], third: &[u8]) {
    let parts = [first, second, third]
        .map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    // SAFETY: three live parts, which writev only reads.
    unsafe { libc::writev(2, parts.as_ptr(), 3) };
}

/// Ignores a signal in this process from now on.
pub fn ignore_signal(signal: i32) -> Result<(), Errno> {
    // SAFETY: SIG_IGN is one of the two dispositions allowed.
    Errno::result(unsafe { set_disposition(signal, libc::SIG_IGN) }).map(drop)
}

/// Gives a signal its default disposition.
pub fn default_signal(signal: i32) -> Result<(), Errno> {
    // SAFETY: SIG_DFL is one of the two dispositions allowed.
    Errno::result(unsafe { set_disposition(signal, libc::SIG_DFL) }).map(drop)
}

/// Lets SIGINT end this process at once, on a new line of standard output and with exit status 0.
pub fn exit_on_interrupt() -> Result<(), Errno> {
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
pub fn duplicate_from(fd: BorrowedFd<'_>, min: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: fcntl on a live descriptor; what it returns is new and nobody else's.
    unsafe {
        let raw = Errno::result(libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, min))?;
        Ok(OwnedFd::from_raw_fd(raw))
    }
}

/// A descriptor that tells when one of the (blocked) signals waits; non-blocking, closed at exec.
pub fn signal_descriptor(signals: &SigSet) -> Result<OwnedFd, Errno> {
    let flags = libc::SFD_NONBLOCK | libc::SFD_CLOEXEC;
    // SAFETY: the set is a live value; what signalfd returns is new and nobody else's.
    unsafe {
        let raw = Errno::result(libc::signalfd(-1, signals.as_ref(), flags))?;
        Ok(OwnedFd::from_raw_fd(raw))
    }
}

/// Watches a descriptor within the current tokio runtime.
pub fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is valid, and stays the same descriptor, for as long as the watcher owns it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// The signals waiting for this process or thread because they are blocked.
pub fn pending_signals() -> SigSet {
    let mut raw = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set before it is read; sigpending overwrites it or leaves it alone.
    unsafe {
        libc::sigemptyset(raw.as_mut_ptr());
        libc::sigpending(raw.as_mut_ptr());
        SigSet::from_sigset_t_unchecked(raw.assume_init())
    }
}

/// Sends a signal: any number the system knows, unlike `nix`, and 0.
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: a system call on plain numbers.
    Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// How long [`reap`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all.
    Poll,
    /// Until a child ends.
    UntilExit,
}

/// Reaps one child that has ended: the one of this id, or any when `pid` is -1. `None` when there is none (yet).
///
/// Knows every way to end, unlike `nix`, which reaps children killed by a real-time signal and then reports an error.
pub fn reap(pid: i32, patience: Patience) -> Result<Option<(i32, ExitStatus)>, Errno> {
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
pub fn ended_child(pid: Option<i32>) -> Option<(i32, ExitStatus)> {
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
pub fn fork_daemon() -> Result<Option<i32>, Errno> {
    // Without /proc there is no way to count; the daemon calls this before it starts a thread.
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(Errno::EBUSY);
    }
    // SAFETY: this is the only thread, so the child's memory is as consistent as ours.
    let pid = Errno::result(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Ends the process at once: no destructors, no exit handlers, no flushing.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: never returns, touches no memory.
    unsafe { libc::_exit(code) }
}

/// The groups whose member lists name the user, in the order of the group database (`grp.getgrall`).
pub fn groups_listing(user: &CStr) -> Vec<gid_t> {
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
pub fn listen(socket: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: takes no pointers.
    Errno::result(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// Has the kernel take no more of what a TCP socket is to send than so many bytes ahead of what is on its way (tcp(7)
/// does not know `TCP_NOTSENT_LOWAT`; since Linux 3.12).
pub fn limit_unsent(socket: BorrowedFd<'_>, bytes: u32) -> Result<(), Errno> {
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
pub fn return_big_memory() {
    // SAFETY: changes numbers in the allocator, under its own lock. It fails on values out of range only.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10) };
}

/// Other allocators return big pieces by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn return_big_memory() {}

/// Whether the C library knows a locale of this name for character types. Changes nothing.
pub fn has_ctype_locale(name: &CStr) -> bool {
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
