//! Becoming a user where waiting for a name service harms nobody: between a child's fork and its program.
//!
//! Who the user is and to which groups it belongs is asked of the C library, which may ask a server that does not
//! answer. The reference asks in the child; a child of ours must not (see `sys`). So the child of a program with
//! `user=` first becomes this binary again, in the daemon's own environment, with an order on descriptor 3: a process
//! without a past, that may ask, and only then becomes the user and the program. Its process id, group, signals and
//! 0, 1 and 2 are the program's already; a signal that arrives meanwhile ends it.

use std::convert::Infallible;
use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::str::FromStr;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, chdir, execve, setgid, setgroups, setuid, write};

use super::environment::{Environ, inherited};
use super::{child, privileges, signals};
use crate::core::errno;
use crate::sys::{self, CStringArray, ChildIdentity, ChildImage, NOT_SPAWNED, Patience};

/// What this binary is called as while it becomes another program.
pub(crate) const NAME: &str = "supervisord-become";

/// The file of this process, also when it was replaced or removed.
const OURSELVES: &CStr = c"/proc/self/exe";

/// Exit status of a call without the name of a process, which only asks whether the binary can be called at all.
const CALLED_STATUS: u8 = 97;

/// Where it is asked who a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// The child of the program.
    Child,
    /// The daemon, which waits as long as the name service takes: where it cannot call itself (no /proc, started
    /// through the dynamic linker, a security module that forbids it).
    Daemon,
}

/// Finds out, by trying. To be called before the signals are taken over, so that nobody hears of the end of this child.
pub(crate) fn who_asks() -> Asks {
    let (argv, envp) = (CStringArray::new(vec![own_name()]), environment_of(&inherited()));
    // Otherwise the child might be reaped behind our back.
    let _ = sys::default_signal(nix::libc::SIGCHLD);
    let mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
    let ended = sys::spawn_alike(OURSELVES, &argv, &envp, &mask)
        .and_then(|pid| sys::reap(pid, Patience::UntilExit));
    match ended {
        Ok(Some((_, status))) if status.code() == Some(i32::from(CALLED_STATUS)) => Asks::Child,
        Ok(_) | Err(_) => Asks::Daemon,
    }
}

/// The image of a child that asks who the user is, becomes it, and then becomes what `program` describes.
///
/// # Errors
/// `EMFILE` and the like; `E2BIG` when the order does not fit into a pipe.
pub(crate) fn image<'a>(
    uid: u32,
    program: &ChildImage<'a>,
    name: CString,
    environ: &Environ,
) -> Result<ChildImage<'a>, Errno> {
    let handed = hand_over(&Order::of(uid, program).to_bytes())?;
    Ok(ChildImage {
        stdio: program.stdio,
        handed: Some(handed),
        min_fds: program.min_fds,
        identity: ChildIdentity::Keep,
        setuid_failed: String::new(),
        directory: None,
        chdir_failed: String::new(),
        umask: None,
        filename: OURSELVES.to_owned(),
        argv: CStringArray::new(vec![own_name(), name]),
        envp: environment_of(environ),
        exec_failed: program.exec_failed.clone(),
        signal_mask: program.signal_mask,
    })
}

/// The daemon's own: nothing that is set for a program may change what this binary does, as root maybe.
fn environment_of(environ: &Environ) -> CStringArray {
    let entries = environ.iter().map(|(name, value)| {
        // From an environment, so there is no null byte.
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default()
    });
    CStringArray::new(entries.collect())
}

fn own_name() -> CString {
    CString::new(NAME).unwrap_or_default()
}

/// A pipe that holds the order and has no writer any more.
fn hand_over(order: &[u8]) -> Result<OwnedFd, Errno> {
    let (reader, writer) = child::pipe()?;
    let capacity = fcntl(&writer, FcntlArg::F_GETPIPE_SZ)?;
    let wanted = i32::try_from(order.len()).map_err(|_| Errno::E2BIG)?;
    if capacity < wanted {
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(wanted)).map_err(|_| Errno::E2BIG)?;
    }
    let writer = child::ours(writer)?; // whatever happens, it must not wait here
    let mut rest = order;
    while !rest.is_empty() {
        match write(&writer, rest) {
            Ok(length) => rest = &rest[length..],
            Err(Errno::EINTR) => {}
            Err(_) => return Err(Errno::E2BIG),
        }
    }
    sys::duplicate_from(reader.as_fd(), 4)
}

/// What the child is to become. None of the strings holds a null byte.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    uid: u32,
    min_fds: i32,
    umask: Option<u32>,
    directory: Option<CString>,
    setuid_failed: Vec<u8>,
    chdir_failed: Vec<u8>,
    exec_failed: Vec<u8>,
    filename: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
}

impl Order {
    fn of(uid: u32, program: &ChildImage<'_>) -> Order {
        Order {
            uid,
            min_fds: program.min_fds,
            umask: program.umask,
            directory: program.directory.clone(),
            setuid_failed: program.setuid_failed.clone().into(),
            chdir_failed: program.chdir_failed.clone().into(),
            exec_failed: program.exec_failed.clone().into(),
            filename: program.filename.clone(),
            argv: program.argv.strings().to_vec(),
            envp: program.envp.strings().to_vec(),
        }
    }

    /// The fields, a null byte after each; what may be missing is counted.
    fn to_bytes(&self) -> Vec<u8> {
        let number = |number: &dyn ToString| number.to_string().into_bytes();
        let umask: Vec<Vec<u8>> = self.umask.iter().map(|umask| number(umask)).collect();
        let directory: Vec<&[u8]> = self.directory.iter().map(|it| it.as_bytes()).collect();
        let mut fields = vec![number(&self.uid), number(&self.min_fds), number(&umask.len())];
        fields.extend(umask);
        fields.push(number(&directory.len()));
        fields.extend(directory.into_iter().map(<[u8]>::to_vec));
        fields.extend([&self.setuid_failed, &self.chdir_failed, &self.exec_failed].map(Vec::clone));
        fields.push(self.filename.as_bytes().to_vec());
        for list in [&self.argv, &self.envp] {
            fields.push(number(&list.len()));
            fields.extend(list.iter().map(|it| it.as_bytes().to_vec()));
        }
        fields.iter().flat_map(|field| field.iter().copied().chain([0])).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Order> {
        let mut fields = Fields(bytes.strip_suffix(b"\0")?.split(|&byte| byte == 0));
        let order = Order {
            uid: fields.number()?,
            min_fds: fields.number()?,
            umask: match fields.number()? {
                0 => None,
                1_u32 => Some(fields.number()?),
                2.. => return None,
            },
            directory: fields.list()?.into_iter().next(),
            setuid_failed: fields.0.next()?.to_vec(),
            chdir_failed: fields.0.next()?.to_vec(),
            exec_failed: fields.0.next()?.to_vec(),
            filename: fields.string()?,
            argv: fields.list()?,
            envp: fields.list()?,
        };
        fields.0.next().is_none().then_some(order)
    }
}

/// What is left to be read.
struct Fields<I>(I);

impl<'a, I: Iterator<Item = &'a [u8]>> Fields<I> {
    fn string(&mut self) -> Option<CString> {
        CString::new(self.0.next()?).ok()
    }

    fn number<N: FromStr>(&mut self) -> Option<N> {
        std::str::from_utf8(self.0.next()?).ok()?.parse().ok()
    }

    fn list(&mut self) -> Option<Vec<CString>> {
        let length: usize = self.number()?;
        (0..length).map(|_| self.string()).collect()
    }
}

/// Runs the half of a program's start that asks. Comes back only if the program could not be started.
pub(crate) fn main(args: &[OsString]) -> ExitCode {
    if args.len() == 1 {
        return ExitCode::from(CALLED_STATUS);
    }
    let order = sys::take_handed().and_then(|handed| {
        let mut bytes = Vec::new();
        File::from(handed).read_to_end(&mut bytes).ok()?;
        Order::from_bytes(&bytes)
    });
    if let Some(Err(words)) = order.map(become_program) {
        say(&words);
    }
    say(b"supervisor: child process was not spawned\n");
    ExitCode::from(u8::try_from(NOT_SPAWNED).unwrap_or(u8::MAX))
}

/// The steps after the descriptors in the order of `process.py: _spawn_as_child`. An error is what there is to say.
fn become_program(order: Order) -> Result<Infallible, Vec<u8>> {
    let Order { uid, min_fds, .. } = order;
    become_user(uid).map_err(|why| match why {
        Some(why) => [&order.setuid_failed, why.as_bytes(), b"\n"].concat(),
        None => Vec::new(),
    })?;
    let failed = |words: Vec<u8>, error: Errno| {
        let name = errno::name(error as i32).unwrap_or("unknown error");
        [&words, name.as_bytes(), b"\n"].concat()
    };
    if let Some(directory) = &order.directory {
        chdir(directory.as_c_str()).map_err(|error| failed(order.chdir_failed, error))?;
    }
    if let Some(mask) = order.umask {
        umask(Mode::from_bits_truncate(mask));
    }
    // Modules of the name service may have changed that, and left descriptors open.
    let _ = signals::ignore_as_python();
    sys::close_from(3, min_fds);
    execve(&order.filename, &order.argv, &order.envp)
        .map_err(|error| failed(order.exec_failed, error))
}

/// An error is why not; the reference has no words for the last of them.
fn become_user(uid: u32) -> Result<(), Option<String>> {
    let (uid, gid, groups) = match privileges::identity(uid) {
        ChildIdentity::Keep => return Ok(()),
        ChildIdentity::Refuse(why) => return Err(Some(why)),
        ChildIdentity::Become { uid, gid, groups } => (uid, gid, groups),
    };
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    let no_groups = "Could not set groups of effective user";
    setgroups(&groups).map_err(|_| Some(no_groups.to_string()))?;
    let no_group = "Could not set group id of effective user";
    setgid(Gid::from_raw(gid)).map_err(|_| Some(no_group.to_string()))?;
    setuid(Uid::from_raw(uid)).map_err(|_| None)
}

/// Writes to what is the program's standard error already; that nobody may be reading is nobody's concern.
fn say(words: &[u8]) {
    let _ = io::stderr().write_all(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).unwrap()).collect()
    }

    fn order() -> Order {
        Order {
            uid: 1000,
            min_fds: 1024,
            umask: Some(0o22),
            directory: Some(c"/tmp".to_owned()),
            setuid_failed: b"a: ".to_vec(),
            chdir_failed: Vec::new(),
            exec_failed: b"\xff".to_vec(),
            filename: c"/bin/sh".to_owned(),
            argv: strings(&["sh", "-c", "", "a\nb"]),
            envp: strings(&["LD_PRELOAD=/x", "", "=A="]),
        }
    }

    #[test]
    fn an_order_arrives_as_it_was_given() {
        let bare = Order { umask: None, directory: None, argv: vec![], envp: vec![], ..order() };
        for order in [order(), bare] {
            assert_eq!(Order::from_bytes(&order.to_bytes()), Some(order));
        }
    }

    #[test]
    fn a_part_of_an_order_is_none() {
        let bytes = order().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Order::from_bytes(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(Order::from_bytes(&[&bytes[..], b"more\0"].concat()), None);
    }

    #[test]
    fn an_order_of_a_mebibyte_is_handed_over_or_refused() {
        let order = vec![b'x'; 1 << 20];
        match hand_over(&order) {
            Ok(pipe) => {
                let mut got = Vec::new();
                File::from(pipe).read_to_end(&mut got).unwrap();
                assert_eq!(got, order);
            }
            Err(error) => assert_eq!(error, Errno::E2BIG),
        }
    }
}
