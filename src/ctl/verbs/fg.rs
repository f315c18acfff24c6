//! `fg`: a program's standard input and logs, until Ctrl-C.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::core::fault::FaultCode;
use crate::core::states::ProcessState;
use crate::core::value::Value;
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::follow::LogStream;
use crate::ctl::info::ProcessInfo;
use crate::ctl::interrupt::Interrupts;
use crate::ctl::lines::{self, Progress};
use crate::ctl::names;
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// A program that is silent for so long has said what it has to say.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// After the end of the input nobody listens for longer than this.
const LONGEST_FAREWELL: Duration = Duration::from_secs(2);

/// The action `fg`.
pub(super) static FG: Verb = Verb {
    name: "fg",
    usage: "NAME",
    help: "fg <process>\tConnect to a process in foreground mode\n\t\tCtrl-C to exit",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(fg),
};

/// `fg NAME`: what is typed goes to the program line by line, what it logs is shown.
fn fg(session: &mut Session, argument: &str) -> Outcome {
    if !session.upcheck()? {
        return Ok(());
    }
    let names = names::words(argument);
    let [name] = names.as_slice() else {
        session.exit_status = exit::GENERIC;
        if names.is_empty() {
            session.output("ERROR: no process name supplied");
            session.output(FG.help);
        } else {
            session.output("ERROR: too many process names supplied");
        }
        return Ok(());
    };
    let running = match is_running(session, name) {
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            session.output("ERROR: bad process name supplied");
            session.exit_status = exit::GENERIC;
            return Ok(());
        }
        Err(failure @ Failure::Fault { .. }) => {
            session.output(&format!("ERROR: {failure}"));
            return Ok(());
        }
        other => other?,
    };
    if !running {
        session.output("ERROR: process not running");
        session.exit_status = exit::GENERIC;
        return Ok(());
    }
    // Before the message: who reads it may press Ctrl-C at once.
    let interrupts = Interrupts::take_over()?;
    session.output("==> Press Ctrl-C to exit <==");
    attend(session, name, interrupts)?;
    session.output("Exiting foreground");
    Ok(())
}

fn is_running(session: &mut Session, name: &str) -> Outcome<bool> {
    let info = ProcessInfo::read(session.call("getProcessInfo", &[Value::Str(name.to_string())])?)?;
    Ok(info.state == ProcessState::Running.code())
}

/// Carries lines and logs back and forth until there is a reason to stop.
fn attend(session: &mut Session, name: &str, mut interrupts: Interrupts) -> Outcome {
    let mut logs = [Log::open(session, name, "stdout")?, Log::open(session, name, "stderr")?];
    let stdin = io::stdin();
    let mut line = Vec::new();
    // How much was shown when the last line was sent.
    let mut asked = None;
    while !session.nobody_reads {
        let Some(typed) =
            show_logs(session, &mut logs, &mut interrupts, Some(stdin.as_fd()), None)?
        else {
            return Ok(());
        };
        if !typed {
            continue;
        }
        match lines::read_byte(stdin.as_fd(), &mut line)? {
            Progress::More => {}
            Progress::End => {
                let answered = asked != Some(shown(&logs));
                return hear_out(session, &mut logs, &mut interrupts, answered);
            }
            Progress::Line => {
                let text = lines::text(&std::mem::take(&mut line)) + "\n";
                asked = Some(shown(&logs));
                if !send(session, name, text)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// After the end of the input: the answers to its last lines, unless the program goes on talking. Whoever has not
/// answered yet has more time to begin.
#[expect(clippy::disallowed_methods, reason = "the client has no event loop")]
fn hear_out(
    session: &mut Session,
    logs: &mut [Log; 2],
    interrupts: &mut Interrupts,
    answered: bool,
) -> Outcome {
    let end = Instant::now() + LONGEST_FAREWELL;
    let before = shown(logs);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let heard = answered || shown(logs) > before;
        let patience = if heard { LAST_WORDS.min(left) } else { left };
        if left.is_zero()
            || show_logs(session, logs, interrupts, None, Some(patience))? != Some(true)
        {
            return Ok(());
        }
    }
}

/// Bytes of the logs that were shown.
fn shown(logs: &[Log; 2]) -> usize {
    logs.iter().map(|log| log.shown).sum()
}

/// Waits, and shows what the logs have got. Whether there is something to read: on the input if there is one, else on
/// the logs. `None` for Ctrl-C.
fn show_logs(
    session: &mut Session,
    logs: &mut [Log; 2],
    interrupts: &mut Interrupts,
    input: Option<BorrowedFd<'_>>,
    patience: Option<Duration>,
) -> Outcome<Option<bool>> {
    let mut watched: Vec<BorrowedFd<'_>> = input.into_iter().collect();
    watched.extend(logs.iter().filter_map(Log::descriptor));
    let Some(ready) = interrupts.wait_any(&watched, patience)? else { return Ok(None) };
    let mut ready = ready.into_iter();
    let typed = input.and_then(|_| ready.next());
    let mut shown = false;
    for log in logs.iter_mut().filter(|log| log.stream.is_some()) {
        if ready.next().unwrap_or_default() {
            log.show(session);
            shown = true;
        }
    }
    Ok(Some(typed.unwrap_or(shown)))
}

/// Sends a line; whether the program goes on. Says why if not.
fn send(session: &mut Session, name: &str, line: String) -> Outcome<bool> {
    let params = [Value::Str(name.to_string()), Value::Str(line)];
    let message = match session.call("sendProcessStdin", &params) {
        Ok(_) if is_running(session, name)? => return Ok(true),
        Ok(_) => "Process got killed".to_string(),
        Err(failure) if failure.is_fault(FaultCode::NotRunning) => "Process got killed".to_string(),
        Err(failure @ Failure::Fault { .. }) => format!("ERROR: {failure}"),
        Err(failure) => return Err(failure),
    };
    session.output(&message);
    Ok(false)
}

/// One of the program's logs.
struct Log {
    /// Where it is read from, for messages.
    url: String,
    /// `None` once it has ended or failed.
    stream: Option<LogStream>,
    /// Bytes shown so far.
    shown: usize,
}

impl Log {
    fn open(session: &Session, name: &str, channel: &str) -> Outcome<Log> {
        let path = format!("/logtail/{name}/{channel}");
        let url = format!("{}{path}", session.options.serverurl);
        Ok(Log { url, stream: Some(LogStream::open(&session.options, &path)?), shown: 0 })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(LogStream::descriptor)
    }

    /// Shows what has come. That a log cannot be read does not end `fg`.
    fn show(&mut self, session: &mut Session) {
        let Some(stream) = &mut self.stream else { return };
        match stream.read() {
            Ok(text) => {
                session.write(&text);
                self.shown += text.len();
                if stream.has_ended() {
                    self.stream = None;
                }
            }
            Err(failure) => {
                let message = match failure {
                    Failure::Http { status, .. } => format!("Cannot read, status code {status}"),
                    other => format!("Cannot connect, error: {other}"),
                };
                session.complain(&format!("{} {message}", self.url));
                self.stream = None;
            }
        }
    }
}
