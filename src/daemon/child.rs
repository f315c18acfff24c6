//! Starting a program: pipes, the image of the child, fork (`process.py: spawn`), and sending it signals.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::SigSet;
use nix::unistd::{Pid, Uid, fchown, getpgid, pipe2};

use super::becoming::{self, Asks};
use super::daemonize::error_text;
use super::environment::{self, Environ};
use super::privileges;
use crate::core::config::{GroupKind, ProcessConfig};
use crate::core::effect::{KillError, SpawnRequest};
use crate::core::{errno, text};
use crate::native;
use crate::sys::{self, CStringArray, ChildIdentity, ChildImage};

/// What every program inherits from the daemon.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The daemon's environment, see [`environment::inherited`].
    pub environ: Environ,
    /// `SUPERVISOR_SERVER_URL` of programs that set none.
    pub serverurl: Option<String>,
    /// The signal mask the daemon was started with, see `signals::take_over`.
    pub signal_mask: SigSet,
    /// Who asks for the user and the groups of `user=`.
    pub asks: Asks,
    /// `minfds`: descriptors to close on systems that cannot close them all at once.
    pub min_fds: i64,
}

/// One program to be started.
#[derive(Debug)]
pub(crate) struct SpawnPlan<'a> {
    /// Which, and how.
    pub request: SpawnRequest<'a>,
    /// What it inherits.
    pub surroundings: &'a Surroundings,
    /// Its descriptor 0 instead of a pipe: the socket of a FastCGI program.
    pub stdin: Option<BorrowedFd<'a>>,
}

/// A program that was started, and our ends of its pipes: non-blocking, closed at exec.
#[derive(Debug)]
pub(crate) struct Spawned {
    /// Its process id, which is also that of its process group.
    pub pid: i32,
    /// Where to write its standard input; `None` for a FastCGI program.
    pub stdin: Option<OwnedFd>,
    /// Where to read its standard output.
    pub stdout: OwnedFd,
    /// Where to read its standard error; `None` when it goes to standard output.
    pub stderr: Option<OwnedFd>,
}

/// The text that becomes `spawnerr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpawnFailure(pub String);

/// Starts a program. What goes wrong after fork is written by the child to its standard error, and it exits with 127.
pub(crate) fn spawn(plan: &SpawnPlan<'_>) -> Result<Spawned, SpawnFailure> {
    let name = plan.request.config.name.as_str();
    let pipes = Pipes::new(plan).map_err(|error| match error {
        Errno::EMFILE => too_many(name),
        _ => failure("making dispatchers", name, error_name(error)),
    })?;
    if let Some(uid) = plan.request.config.uid {
        pipes.give(uid);
    }
    let making = |what| failure("making arguments", name, what);
    let mut image = image(plan, &pipes).map_err(making)?;
    let asking = asking_image(plan, &image).map_err(|error| match error {
        Errno::EMFILE => too_many(name),
        _ => making(error_name(error)),
    })?;
    if let (None, Some(uid)) = (&asking, plan.request.config.uid) {
        image.identity = privileges::identity(uid);
    }
    let pid = sys::spawn_child(asking.as_ref().unwrap_or(&image)).map_err(|error| match error {
        Errno::EAGAIN => {
            SpawnFailure(format!("Too many processes in process table to spawn '{name}'"))
        }
        _ => failure("during fork", name, error_name(error)),
    })?;
    Ok(Spawned { pid, stdin: pipes.stdin, stdout: pipes.stdout, stderr: pipes.stderr })
}

/// Sends a signal to a process, or to a process group when `pid` is negative, and then to its leader too, should that have
/// left the group. Never to everything or to ourselves, which is what 0 and -1 would mean.
pub(crate) fn kill(pid: i32, signal: i32) -> Result<(), KillError> {
    if pid == 0 || pid == -1 {
        return Err(KillError::Gone);
    }
    let leader = Pid::from_raw(-pid);
    let sent = sys::kill(pid, signal);
    let sent = match pid < 0 && getpgid(Some(leader)).is_ok_and(|group| group != leader) {
        true => sys::kill(leader.as_raw(), signal),
        false => sent,
    };
    sent.map_err(|error| match error {
        Errno::ESRCH => KillError::Gone,
        _ => KillError::Other(error_text(error)),
    })
}

fn too_many(name: &str) -> SpawnFailure {
    SpawnFailure(format!("too many open files to spawn '{name}'"))
}

fn failure(stage: &str, name: &str, what: &str) -> SpawnFailure {
    SpawnFailure(format!("unknown error {stage} for '{name}': {what}"))
}

fn error_name(error: Errno) -> &'static str {
    errno::name(error as i32).unwrap_or("unknown error")
}

/// Both ends of what connects us to a child.
struct Pipes<'a> {
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: Option<OwnedFd>,
    child_stdin: ChildStdin<'a>,
    child_stdout: OwnedFd,
    child_stderr: Option<OwnedFd>,
}

enum ChildStdin<'a> {
    Pipe(OwnedFd),
    Given(BorrowedFd<'a>),
}

impl<'a> Pipes<'a> {
    fn new(plan: &SpawnPlan<'a>) -> Result<Pipes<'a>, Errno> {
        let (stdin, child_stdin) = match plan.stdin {
            Some(given) if given.as_raw_fd() > 2 => (None, ChildStdin::Given(given)),
            Some(given) => (None, ChildStdin::Pipe(above_stdio(given)?)),
            None => {
                let (child_end, our_end) = pipe()?;
                (Some(ours(our_end)?), ChildStdin::Pipe(child_end))
            }
        };
        let (our_end, child_stdout) = pipe()?;
        let stdout = ours(our_end)?;
        let (stderr, child_stderr) = if wants_stderr(plan.request.config, plan.request.kind) {
            let (our_end, child_end) = pipe()?;
            (Some(ours(our_end)?), Some(child_end))
        } else {
            (None, None)
        };
        Ok(Pipes { stdin, stdout, stderr, child_stdin, child_stdout, child_stderr })
    }

    /// Makes them the program's user's, who could not open them by name otherwise (`/dev/stdout`). Only root can, and
    /// where it may not, everything is as it was.
    fn give(&self, uid: u32) {
        let user = Some(Uid::from_raw(uid));
        let stdin = match &self.child_stdin {
            ChildStdin::Pipe(fd) if self.stdin.is_some() => Some(fd),
            ChildStdin::Pipe(_) | ChildStdin::Given(_) => None,
        };
        let ends = stdin.into_iter().chain([&self.child_stdout]).chain(&self.child_stderr);
        for end in ends {
            let _ = fchown(end, user, None);
        }
    }

    fn child_ends(&self) -> [BorrowedFd<'_>; 3] {
        let stdin = match &self.child_stdin {
            ChildStdin::Pipe(fd) => fd.as_fd(),
            ChildStdin::Given(fd) => *fd,
        };
        let stderr = self.child_stderr.as_ref().unwrap_or(&self.child_stdout);
        [stdin, self.child_stdout.as_fd(), stderr.as_fd()]
    }
}

/// An event listener always has its own standard error: anything else in its standard output would break the protocol.
fn wants_stderr(config: &ProcessConfig, kind: &GroupKind) -> bool {
    !config.redirect_stderr || matches!(kind, GroupKind::Listener(_))
}

/// A pipe, closed at exec: the reading and the writing end.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((keep_above_stdio(reader)?, keep_above_stdio(writer)?))
}

/// A daemon that was started with 0, 1 or 2 closed gets pipes of these numbers, which the child could not rearrange.
fn keep_above_stdio(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { above_stdio(fd.as_fd()) }
}

fn above_stdio(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    sys::duplicate_from(fd, 3)
}

pub(super) fn ours(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    // Fresh from pipe2: there are no other status flags to keep.
    fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(fd)
}

/// The image of a child that asks for its user before it becomes the program of `image`; `None` if it need not, or if it
/// falls to the daemon to ask.
fn asking_image<'a>(
    plan: &SpawnPlan<'_>,
    image: &ChildImage<'a>,
) -> Result<Option<ChildImage<'a>>, Errno> {
    let SpawnPlan { request, surroundings, .. } = plan;
    let (Some(uid), Asks::Child) = (request.config.uid, surroundings.asks) else {
        return Ok(None);
    };
    let name = CString::new(request.config.name.as_str()).unwrap_or_default();
    match becoming::image(uid, image, name, &surroundings.environ) {
        // More than a pipe holds.
        Err(Errno::E2BIG) => Ok(None),
        result => result.map(Some),
    }
}

/// Everything the child needs, but who it is to become. An error says what cannot be passed to a program.
fn image<'a>(plan: &SpawnPlan<'_>, pipes: &'a Pipes<'_>) -> Result<ChildImage<'a>, &'static str> {
    let SpawnRequest { config, command, .. } = plan.request;
    let surroundings = plan.surroundings;
    let serverurl = surroundings.serverurl.as_deref();
    let envp = environment::of_program(&surroundings.environ, serverurl, &plan.request)?;
    let argv = command.argv.iter().map(|argument| c_string(argument));
    let uid = config.uid.map(|uid| uid.to_string()).unwrap_or_default();
    let directory = config.directory.as_deref();
    let argv0 = command.argv.first().map_or("", String::as_str);
    Ok(ChildImage {
        stdio: pipes.child_ends(),
        handed: None,
        min_fds: i32::try_from(surroundings.min_fds).unwrap_or(i32::MAX),
        identity: ChildIdentity::Keep,
        setuid_failed: format!("supervisor: couldn't setuid to {uid}: "),
        directory: directory.map(c_string).transpose()?,
        chdir_failed: format!(
            "supervisor: couldn't chdir to {}: ",
            text::shown(directory.unwrap_or_default())
        ),
        umask: config.umask,
        filename: c_string(&command.filename)?,
        argv: CStringArray::new(argv.collect::<Result<_, _>>()?),
        envp: CStringArray::new(envp),
        exec_failed: format!("supervisor: couldn't exec {}: ", text::shown(argv0)),
        signal_mask: surroundings.signal_mask,
    })
}

fn c_string(text: &str) -> Result<CString, &'static str> {
    native::c_string(text).map_err(|_| "embedded null byte")
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
