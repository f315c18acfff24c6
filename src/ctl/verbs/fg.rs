//! `fg`: a program's standard input and logs, until Ctrl-C.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::help;
use crate::core::fault::FaultCode;
use crate::core::states::ProcessState;
use crate::core::value::Value;
use crate::ctl::controller::{Controller, exit};
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::follow::LogStream;
use crate::ctl::info::ProcessInfo;
use crate::ctl::interrupt::Interrupts;
use crate::ctl::names;
use crate::ctl::shell::input::{self, Progress};

/// A program that is silent for so long has said what it has to say.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// After the end of the input nobody listens for longer than this.
const LONGEST_FAREWELL: Duration = Duration::from_secs(2);

/// `fg NAME`: what is typed goes to the program line by line, what it logs is shown.
pub fn fg(ctl: &mut Controller, argument: &str) -> Outcome {
    if !ctl.upcheck()? {
        return Ok(());
    }
    let names = names::words(argument);
    let [name] = names.as_slice() else {
        ctl.exit_status = exit::GENERIC;
        if names.is_empty() {
            ctl.output("ERROR: no process name supplied");
            help::topic(ctl, "fg");
        } else {
            ctl.output("ERROR: too many process names supplied");
        }
        return Ok(());
    };
    let running = match is_running(ctl, name) {
        Err(failure) if failure.is_fault(FaultCode::BadName) => {
            ctl.output("ERROR: bad process name supplied");
            ctl.exit_status = exit::GENERIC;
            return Ok(());
        }
        Err(failure @ Failure::Fault { .. }) => {
            ctl.output(&format!("ERROR: {failure}"));
            return Ok(());
        }
        other => other?,
    };
    if !running {
        ctl.output("ERROR: process not running");
        ctl.exit_status = exit::GENERIC;
        return Ok(());
    }
    // Before the message: who reads it may press Ctrl-C at once.
    let interrupts = Interrupts::take_over()?;
    ctl.output("==> Press Ctrl-C to exit <==");
    attend(ctl, name, interrupts)?;
    ctl.output("Exiting foreground");
    Ok(())
}

fn is_running(ctl: &mut Controller, name: &str) -> Outcome<bool> {
    let info = ProcessInfo::read(ctl.call("getProcessInfo", &[Value::Str(name.to_string())])?)?;
    Ok(info.state == ProcessState::Running.code())
}

/// Carries lines and logs back and forth until there is a reason to stop.
fn attend(ctl: &mut Controller, name: &str, mut interrupts: Interrupts) -> Outcome {
    let mut logs = [Log::open(ctl, name, "stdout")?, Log::open(ctl, name, "stderr")?];
    let stdin = io::stdin();
    let mut line = Vec::new();
    // How much was shown when the last line was sent.
    let mut asked = None;
    while !ctl.nobody_reads {
        let Some(typed) = show_logs(ctl, &mut logs, &mut interrupts, Some(stdin.as_fd()), None)?
        else {
            return Ok(());
        };
        if !typed {
            continue;
        }
        match input::read_byte(stdin.as_fd(), &mut line)? {
            Progress::More => {}
            Progress::End => {
                let answered = asked != Some(shown(&logs));
                return hear_out(ctl, &mut logs, &mut interrupts, answered);
            }
            Progress::Line => {
                let text = input::text(&std::mem::take(&mut line)) + "\n";
                asked = Some(shown(&logs));
                if !send(ctl, name, text)? {
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
    ctl: &mut Controller,
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
        if left.is_zero() || show_logs(ctl, logs, interrupts, None, Some(patience))? != Some(true) {
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
    ctl: &mut Controller,
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
            log.show(ctl);
            shown = true;
        }
    }
    Ok(Some(typed.unwrap_or(shown)))
}

/// Sends a line; whether the program goes on. Says why if not.
fn send(ctl: &mut Controller, name: &str, line: String) -> Outcome<bool> {
    let params = [Value::Str(name.to_string()), Value::Str(line)];
    let message = match ctl.call("sendProcessStdin", &params) {
        Ok(_) if is_running(ctl, name)? => return Ok(true),
        Ok(_) => "Process got killed".to_string(),
        Err(failure) if failure.is_fault(FaultCode::NotRunning) => "Process got killed".to_string(),
        Err(failure @ Failure::Fault { .. }) => format!("ERROR: {failure}"),
        Err(failure) => return Err(failure),
    };
    ctl.output(&message);
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
    fn open(ctl: &Controller, name: &str, channel: &str) -> Outcome<Log> {
        let path = format!("/logtail/{name}/{channel}");
        let url = format!("{}{path}", ctl.options.serverurl);
        Ok(Log { url, stream: Some(LogStream::open(&ctl.options, &path)?), shown: 0 })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(LogStream::descriptor)
    }

    /// Shows what has come. That a log cannot be read does not end `fg`.
    fn show(&mut self, ctl: &mut Controller) {
        let Some(stream) = &mut self.stream else { return };
        match stream.read() {
            Ok(text) => {
                ctl.write(&text);
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
                ctl.complain(&format!("{} {message}", self.url));
                self.stream = None;
            }
        }
    }
}
