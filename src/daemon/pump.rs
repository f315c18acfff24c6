//! Reading a child's output: from its pipe, through the taps, to the log file and syslog.
//!
//! A pump reads as fast as its log is written and no faster: a full sink stops the reading of this one pipe, which in
//! the end makes the program wait, and nothing else.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use nix::errno::Errno;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use super::disk::{Missing, Pushed, Sink, SyslogSink, WASTE_PAUSE, first_failure};
use super::mainlog::MainLog;
use super::strip_ansi::strip_ansi;
use super::taps::Taps;
use crate::core::capture::{Capture, Piece};
use crate::core::effect::{Input, ProcId};
pub(crate) use crate::core::event::Channel;
use crate::core::python::{repr, repr_bytes};
use crate::core::states::Level;
use crate::core::text;

/// Most bytes read at a time (`options.py: readfd`); after each read the other programs get a turn.
const READ_BYTES: usize = 128 << 10;

/// A read that brought this much may have left something in the pipe: no ordinary pipe holds more.
const MUCH_BYTES: usize = 64 << 10;

/// Most bytes read when a child has exited: no pipe of an ordinary user holds more. Without a bound a grandchild that
/// keeps on printing would keep the supervisor reading.
const DRAIN_LIMIT_BYTES: usize = 1 << 20;

/// What becomes of what is read, besides being logged.
#[derive(Debug)]
pub(crate) enum Role {
    /// The output of a program.
    Output {
        /// Looks for the capture tokens.
        capture: Option<Capture>,
        /// Everything read is an event, too.
        events: bool,
    },
    /// The stdout of an event listener: its side of the protocol.
    Listener,
}

/// What a pump does with what it reads.
#[derive(Debug)]
pub(crate) struct PumpConfig {
    /// Name of the process, for messages and syslog lines.
    pub program: String,
    /// Which channel it is.
    pub channel: Channel,
    /// The log file, if there is one.
    pub log: Option<Sink>,
    /// The syslog daemon, if lines go there too.
    pub syslog: Option<SyslogSink>,
    /// Whether ANSI escapes are removed; shared, so that a reread changes running pumps.
    pub strip_ansi: Rc<Cell<bool>>,
    /// The process, as the core knows it.
    pub proc: ProcId,
    /// What else becomes of the bytes.
    pub role: Role,
    /// Where events and answers go.
    pub taps: Rc<Taps>,
}

/// One channel of one running child. Dropping it closes the pipe without reading what is left.
#[derive(Debug)]
pub(crate) struct OutputPump {
    shared: Rc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// `None` once it is closed. Borrowed only between awaits.
    pipe: RefCell<Option<Receiver>>,
    config: PumpConfig,
    /// The looking for tokens, which changes as bytes go by.
    capture: RefCell<Option<Capture>>,
    /// Reads have to wait when the core has too much to look at.
    talks_to_core: bool,
    /// The log was full after the last read.
    behind: Cell<bool>,
    /// The child has ended, and others have the pipe open.
    outlived: Cell<bool>,
    mainlog: MainLog,
}

thread_local! {
    /// Where every pump reads to; only what was read is kept, so idle programs hold no buffer.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// What one read brought.
enum Chunk {
    Bytes(Vec<u8>),
    /// Nothing there now.
    Dry,
    /// All writers are gone (or the pipe cannot be read, which leaves as little to monitor).
    End,
}

impl OutputPump {
    /// Starts reading the pipe on the current `LocalSet` or local runtime.
    ///
    /// # Errors
    /// When the descriptor is not the read end of a pipe or cannot be registered.
    pub(crate) fn start(
        pipe: OwnedFd,
        mut config: PumpConfig,
        mainlog: MainLog,
    ) -> io::Result<OutputPump> {
        let receiver = Receiver::from_owned_fd(pipe)?; // makes it non-blocking
        let (capture, talks_to_core) = match &mut config.role {
            Role::Output { capture, events } => {
                let talks = *events || capture.is_some();
                (capture.take(), talks)
            }
            Role::Listener => (None, true),
        };
        let shared = Rc::new(Shared {
            pipe: RefCell::new(Some(receiver)),
            capture: RefCell::new(capture),
            talks_to_core,
            behind: Cell::new(false),
            outlived: Cell::new(false),
            config,
            mainlog,
        });
        let task = tokio::task::spawn_local(Rc::clone(&shared).pump());
        Ok(OutputPump { shared, task })
    }

    /// The child has ended: reads what it left in the pipe. Whether others still have it open; then
    /// [`Input::PipeClosed`] tells when they no longer have. Does not wait; a full log gets the bytes nevertheless.
    pub(crate) fn drain(&self) -> bool {
        let mut total = 0;
        while total < DRAIN_LIMIT_BYTES {
            let chunk = match self.shared.pipe.borrow().as_ref() {
                Some(receiver) => read_now(receiver),
                None => return false,
            };
            match chunk {
                Chunk::Bytes(bytes) => {
                    total += bytes.len();
                    self.shared.deliver(bytes);
                }
                Chunk::Dry => break,
                Chunk::End => {
                    self.shared.close();
                    return false;
                }
            }
        }
        self.shared.outlived.set(true);
        true
    }

    /// Reads what is left in the pipe as [`OutputPump::drain`] does, then closes it.
    pub(crate) fn drain_and_close(self) {
        self.drain();
        self.shared.outlived.set(false); // nobody waits for that any more
        self.shared.close();
    }

    /// Reads what is in the pipe already, without asking the event loop; whether anything was.
    pub(crate) fn read_at_once(&self) -> bool {
        if self.shared.behind.get() || !self.shared.config.taps.has_room() {
            return false;
        }
        let chunk = self.shared.pipe.borrow().as_ref().map(read_now);
        let Some(Chunk::Bytes(bytes)) = chunk else {
            return false; // the end of the pipe is for the task to find
        };
        self.shared.deliver(bytes);
        true
    }

    /// Reopens the log file, whether the answer is awaited or not.
    pub(crate) fn reopen(&self) -> impl Future<Output = io::Result<()>> + use<> {
        first_failure(self.shared.config.log.as_ref().map(Sink::reopen))
    }

    /// Removes and reopens the log file; a capture under way starts anew.
    pub(crate) fn clear(&self) -> impl Future<Output = io::Result<()>> + use<> {
        self.shared.capture.borrow_mut().iter_mut().for_each(Capture::clear);
        first_failure(self.shared.config.log.as_ref().map(|log| log.clear(Missing::Fine)))
    }
}

impl Drop for OutputPump {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.close();
    }
}

impl Shared {
    async fn pump(self: Rc<Self>) {
        loop {
            match self.read().await {
                Chunk::Bytes(bytes) => {
                    let much = bytes.len() >= MUCH_BYTES;
                    if self.deliver(bytes) == Pushed::Full {
                        self.ready().await;
                    }
                    if self.talks_to_core {
                        self.config.taps.room().await;
                    }
                    // After less the pipe is empty: waiting for more is a turn for the others.
                    if much {
                        self.leave_a_turn().await;
                    }
                }
                Chunk::Dry => tokio::task::yield_now().await,
                Chunk::End => break,
            }
        }
        self.close();
    }

    /// After much, when there may be more: the others come first, and they have all of it if nobody gets what is read.
    async fn leave_a_turn(&self) {
        if self.config.syslog.as_ref().is_some_and(SyslogSink::is_wasted) {
            tokio::time::sleep(WASTE_PAUSE).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until what was delivered is on its way.
    async fn ready(&self) {
        if let Some(log) = &self.config.log {
            log.ready().await;
        }
        if let Some(syslog) = &self.config.syslog {
            syslog.ready().await;
        }
    }

    /// Waits for bytes and reads them; the pipe is not borrowed while it waits.
    async fn read(&self) -> Chunk {
        poll_fn(|context| {
            let mut pipe = self.pipe.borrow_mut();
            let Some(receiver) = pipe.as_mut() else {
                return Poll::Ready(Chunk::End);
            };
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                Pin::new(receiver).poll_read(context, &mut buffer).map(|result| match result {
                    Ok(()) if buffer.filled().is_empty() => Chunk::End,
                    Ok(()) => Chunk::Bytes(buffer.filled().to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Chunk::Dry,
                    Err(_) => Chunk::End,
                })
            })
        })
        .await
    }

    /// Sends a chunk where it belongs. What is to be logged is in the queue of its log afterwards.
    fn deliver(&self, bytes: Vec<u8>) -> Pushed {
        let pushed = self.deliver_by_role(bytes);
        self.behind.set(pushed == Pushed::Full);
        pushed
    }

    fn deliver_by_role(&self, bytes: Vec<u8>) -> Pushed {
        if let Role::Listener = self.config.role {
            return self.hear(bytes);
        }
        let clean = |bytes| self.clean(bytes);
        let Some(capture) = &mut *self.capture.borrow_mut() else {
            return self.output(clean(bytes));
        };
        let mut pushed = Pushed::Accepted;
        for piece in capture.feed(bytes, clean) {
            match piece {
                Piece::Output(text) => pushed = self.output(text),
                Piece::Captured(text) => self.show(&text),
                Piece::Communication(data) => self.communicate(data),
            }
        }
        pushed
    }

    fn clean(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.config.strip_ansi.get() { strip_ansi(bytes) } else { bytes }
    }

    /// What a listener says (`PEventListenerDispatcher.handle_read_event`).
    fn hear(&self, bytes: Vec<u8>) -> Pushed {
        let PumpConfig { program, channel, proc, log, .. } = &self.config;
        if self.mainlog.is_enabled(Level::Debug) {
            let (name, channel, said) = (repr(program), channel.name(), repr_bytes(&bytes));
            self.mainlog.log(Level::Debug, &format!("{name} {channel} output:\n{said}"));
        }
        match log {
            Some(log) => {
                let pushed = log.push(self.clean(bytes.clone()));
                self.config.taps.push(Input::ListenerBytes { proc: *proc, bytes });
                pushed
            }
            None => {
                self.config.taps.push(Input::ListenerBytes { proc: *proc, bytes });
                Pushed::Accepted
            }
        }
    }

    /// Output of a program: to its logs, and shown to whoever wants to see it (`POutputDispatcher._log`).
    fn output(&self, bytes: Vec<u8>) -> Pushed {
        self.show(&bytes);
        let PumpConfig { program, syslog, log, .. } = &self.config;
        let send = |bytes| match syslog {
            Some(syslog) => syslog.push(&format!("{program} "), bytes),
            None => Pushed::Accepted,
        };
        match log {
            Some(log) if syslog.is_none() => log.push(bytes),
            Some(log) => {
                let sent = send(bytes.clone());
                let logged = log.push(bytes);
                if sent == Pushed::Full { sent } else { logged }
            }
            None => send(bytes),
        }
    }

    /// A copy for the main log, and an event: also of what is captured.
    fn show(&self, bytes: &[u8]) {
        let PumpConfig { program, channel, proc, role, taps, .. } = &self.config;
        if self.mainlog.is_enabled(Level::Debug) {
            self.mainlog.log(Level::Debug, &debug_copy(program, *channel, bytes));
        }
        if let Role::Output { events: true, .. } = role {
            let data = bytes.to_vec();
            taps.push(Input::ProcessLog { proc: *proc, channel: *channel, data });
        }
    }

    fn communicate(&self, data: Vec<u8>) {
        let PumpConfig { program, channel, proc, taps, .. } = &self.config;
        taps.push(Input::Communication { proc: *proc, channel: *channel, data });
        if self.mainlog.is_enabled(Level::Debug) {
            let (name, channel) = (repr(program), channel.name());
            self.mainlog.log(Level::Debug, &format!("{name} {channel} emitted a comm event"));
        }
    }

    fn close(&self) {
        let Some(receiver) = self.pipe.borrow_mut().take() else {
            return;
        };
        // The reference loses what was held back in case a token would follow.
        let held = self.capture.borrow_mut().as_mut().map(Capture::finish).unwrap_or_default();
        if let Some(log) = self.config.log.as_ref().filter(|_| !held.is_empty()) {
            log.push(self.clean(held));
        }
        let PumpConfig { program, channel, proc, taps, .. } = &self.config;
        if self.outlived.get() {
            taps.push(Input::PipeClosed { proc: *proc });
        }
        let (fd, channel) = (receiver.as_fd().as_raw_fd(), channel.name());
        let text = format!("fd {fd} closed, stopped monitoring {program} {channel}");
        self.mainlog.log(Level::Debug, &text);
    }
}

/// What the main log shows of a chunk at level debug.
fn debug_copy(program: &str, channel: Channel, bytes: &[u8]) -> String {
    let start = format!("{} {} output:\n", repr(program), channel.name());
    match std::str::from_utf8(bytes) {
        Ok(output) => start + &text::of(output),
        Err(_) => format!("{start}Undecodable: {}", repr_bytes(bytes)),
    }
}

/// Reads without asking the event loop, which may not have looked yet.
fn read_now(receiver: &Receiver) -> Chunk {
    SCRATCH.with_borrow_mut(|scratch| {
        loop {
            return match nix::unistd::read(receiver.as_fd(), scratch) {
                Ok(0) => Chunk::End,
                Ok(length) => Chunk::Bytes(scratch[..length].to_vec()),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => Chunk::Dry,
                Err(_) => Chunk::End,
            };
        }
    })
}

#[cfg(test)]
#[path = "pump_tests.rs"]
mod tests;
