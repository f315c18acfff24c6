//! The half of a program's start that runs between fork and exec.
//!
//! Between fork and exec the child shares nothing with the daemon but a copy of its memory, in which another thread may
//! have held any lock (the allocator's, for one). So everything is made ready before fork, and the child only reads it
//! and makes system calls: no allocation, no lock, no panic, no destructor.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{c_char, c_int, c_uint, gid_t, sigset_t, uid_t};
use nix::errno::Errno;
use nix::sys::signal::SigSet;

use crate::core::errno;

/// The exit code of a child that could not become the program (`process.py: _spawn_as_child`).
pub(crate) const NOT_SPAWNED: i32 = 127;

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
pub(crate) struct CStringArray {
    pointers: Vec<*const c_char>,
    // What the pointers point to; moving the vector does not move the strings' bytes.
    strings: Vec<CString>,
}

impl CStringArray {
    /// Takes the strings over.
    pub(crate) fn new(strings: Vec<CString>) -> CStringArray {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect();
        CStringArray { pointers, strings }
    }

    /// The strings.
    pub(crate) fn strings(&self) -> &[CString] {
        &self.strings
    }
}

/// Whom the child becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChildIdentity {
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
pub(crate) struct ChildImage<'a> {
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
pub(crate) fn spawn_child(image: &ChildImage<'_>) -> Result<i32, Errno> {
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
pub(crate) fn spawn_alike(
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
pub(super) unsafe fn set_disposition(signal: c_int, disposition: libc::sighandler_t) -> c_int {
    // SAFETY: all-zero is a valid sigaction (no flags, empty mask), and no handler is installed.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = disposition;
        libc::sigaction(signal, &action, ptr::null_mut())
    }
}

/// Closes every descriptor from this one on, whoever owns it: for a process that becomes another program, or ends.
pub(crate) fn close_from(first: c_int, min_fds: c_int) {
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
pub(crate) fn take_handed() -> Option<OwnedFd> {
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
