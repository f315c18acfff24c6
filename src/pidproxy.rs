//! `pidproxy`: runs a command that puts itself into the background, and hands the signals it gets to the process whose
//! id the command leaves in a file (`pidproxy.py`).
//!
//! The signals are blocked and waited for instead of being handled, so none is lost between the start of the command
//! and the first wait. The rhythm is the reference's: it looks for the end of its child every five seconds, which
//! programs with `startsecs` rely on.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::core::{python, text};
use crate::native;
use crate::sys::{self, CStringArray, Patience};

/// Signals that are handed on.
const PASSED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGQUIT,
];

/// Those after which the proxy itself ends.
const LAST: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT];

/// How long the reference sleeps between two looks at its child.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// More than any number takes: a longer pid file is none.
const MAX_PIDFILE_BYTES: u64 = 4096;

/// Runs `pidproxy PIDFILE COMMAND [ARGUMENT …]` to its end; `args` begin with the program's own name.
///
/// The status is 0 after a last signal and after the end of the command, whatever its own status; 1 after a wrong
/// command line and when a signal cannot be handed on.
pub(crate) fn main(args: &[OsString]) -> ExitCode {
    let (pidfile, command) = match args {
        [_, pidfile, command @ ..] if !command.is_empty() => (Path::new(pidfile), command),
        _ => {
            let name = args.first().map_or("pidproxy".into(), native::text);
            say(&mut io::stdout(), &usage(&name));
            return ExitCode::FAILURE;
        }
    };
    match run(pidfile, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&mut io::stderr(), &format!("pidproxy: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn usage(name: &str) -> String {
    format!(
        "pidproxy -- run a command and hand signals to the process named in its pid file.\n\n\
         Usage: {name} <pidfile name> <command> [<cmdarg1> ...]\n\n\
         SIGTERM, SIGINT and SIGQUIT also end pidproxy; SIGHUP, SIGUSR1 and SIGUSR2 do not.\n"
    )
}

fn say(stream: &mut dyn Write, text: &str) {
    let _ = stream.write_all(&text::encode(text)).and_then(|()| stream.flush()); // nobody may be reading
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without an event loop")]
fn run(pidfile: &Path, command: &[OsString]) -> Result<(), String> {
    if command[0].is_empty() {
        return Err("the command must not be empty".to_string());
    }
    let out_of_order = |error: Errno| format!("cannot set up signals: {}", error.desc());
    sys::ignore_signal(Signal::SIGXFSZ as i32).map_err(out_of_order)?; // SIGPIPE is ignored already
    let passed = SigSet::from_iter(PASSED);
    let inherited = passed.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(out_of_order)?;
    for signal in PASSED.into_iter().chain([Signal::SIGCHLD]) {
        // An ignored signal would be discarded instead of waiting (nohup ignores SIGHUP).
        sys::default_signal(signal as i32).map_err(out_of_order)?;
    }
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    let signals = SignalFd::with_flags(&passed, flags).map_err(out_of_order)?;
    start(command, &inherited)
        .map_err(|error| format!("cannot start the command: {}", error.desc()))?;
    loop {
        let look = Instant::now() + LOOK_EVERY;
        while let Some(signal) = next_signal(&signals, look).map_err(out_of_order)? {
            if hand_on(pidfile, signal)? && LAST.contains(&signal) {
                return Ok(());
            }
        }
        if matches!(sys::reap(-1, Patience::Poll), Ok(Some(_))) {
            return Ok(());
        }
    }
}

/// Starts the command in this process group, with the signals as an exec from here would leave them.
fn start(command: &[OsString], mask: &SigSet) -> Result<i32, Errno> {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| Errno::EINVAL);
    let file = text(absolute(Path::new(&command[0])).as_os_str().as_bytes())?;
    let arguments = command.iter().map(|word| text(word.as_bytes())).collect::<Result<_, _>>()?;
    let environment = std::env::vars_os()
        .map(|(name, value)| text(&[name.as_bytes(), value.as_bytes()].join(&b'=')))
        .collect::<Result<_, _>>()?;
    sys::spawn_alike(&file, &CStringArray::new(arguments), &CStringArray::new(environment), mask)
}

/// `os.path.abspath`: no search in PATH, `..` removed by the text alone.
fn absolute(path: &Path) -> PathBuf {
    let mut whole = PathBuf::from("/");
    for part in std::env::current_dir().unwrap_or_default().join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    whole
}

/// The next signal before `deadline`.
#[expect(clippy::disallowed_methods, reason = "a program of its own, without an event loop")]
fn next_signal(signals: &SignalFd, deadline: Instant) -> Result<Option<Signal>, Errno> {
    loop {
        if let Some(record) = signals.read_signal()? {
            let number = i32::try_from(record.ssi_signo).map_err(|_| Errno::EINVAL)?;
            return Signal::try_from(number).map(Some);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        // Rounded up, or the last millisecond would be spent turning round.
        let timeout =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(
            &mut [PollFd::new(std::os::fd::AsFd::as_fd(signals), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hands a signal on. Without a readable pid file it says so and returns false; a process that cannot be signalled is
/// the end of the proxy, as in the reference.
fn hand_on(pidfile: &Path, signal: Signal) -> Result<bool, String> {
    let Some(pid) = read_pid(pidfile) else {
        say(&mut io::stdout(), &format!("Can't read child pidfile {}!\n", native::text(pidfile)));
        return Ok(false);
    };
    i32::try_from(pid)
        .map_err(|_| "no such process".to_string())
        .and_then(|pid| sys::kill(pid, signal as i32).map_err(|error| error.desc().to_string()))
        .map_err(|why| format!("cannot signal process {pid}: {why}"))?;
    Ok(true)
}

/// The number in the file. 0 and -1 are none: they would signal the proxy's own group, or everything.
fn read_pid(pidfile: &Path) -> Option<i64> {
    let mut text = String::new();
    File::open(pidfile).ok()?.take(MAX_PIDFILE_BYTES + 1).read_to_string(&mut text).ok()?;
    if text.len() as u64 > MAX_PIDFILE_BYTES {
        return None;
    }
    python::int(&text).filter(|pid| ![0, -1].contains(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_by_text_alone() {
        assert_eq!(absolute(Path::new("/bin/../usr//./bin/cat")), Path::new("/usr/bin/cat"));
        assert_eq!(absolute(Path::new("/../x")), Path::new("/x"));
        let here = std::env::current_dir().expect("a current directory");
        assert_eq!(absolute(Path::new("./cat")), here.join("cat"));
    }

    #[test]
    fn pid_files() {
        let path = std::env::temp_dir().join(format!("pidproxy-test-{}", std::process::id()));
        let reads = |content: &[u8]| {
            std::fs::write(&path, content).expect("a writable temporary directory");
            read_pid(&path)
        };
        assert_eq!(reads(b" 12\n"), Some(12));
        assert_eq!(reads(b"1_0"), Some(10));
        assert_eq!(reads(b"-12"), Some(-12));
        for none in [&b""[..], b"0", b"-1", b"x", b"1 2", b"\xff", &[b'1'; 4097]] {
            assert_eq!(reads(none), None, "{} bytes", none.len());
        }
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(read_pid(&path), None);
    }
}
