//! What a connection is doing: a stream that takes note of it, below HTTP.
//!
//! hyper sees an ordinary connection. Its [`Phase`] tells the server which connections it may give up when it has too many,
//! and what the end of what a client sends means.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes read at once: more than any usual request.
const READ_CHUNK: usize = 8192;

/// Bytes of an unread request thrown away at the end, so that closing does not reset the connection under the answer.
const MAX_LINGER_BYTES: usize = 1 << 20;

/// How long a connection is kept whose client has closed its side, or is to. There is no other clock: somebody who says nothing
/// for a day is still served, unless the place was needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// Between the client's end of file and giving up an answer still being worked on: a client that only closed
    /// its sending side gets what is answered at once, one that is gone does not keep a call alive.
    pub(super) half_close: Duration,
    /// For the client to close after we did.
    pub(super) linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { half_close: Duration::from_millis(250), linger: Duration::from_secs(1) }
    }
}

/// Where a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Anybody may try.
    Inet,
    /// The mode of the socket says who may.
    Unix,
}

/// What is held, and so what it may have to wait for. A disk that hangs, or somebody who is slow to take a big log,
/// holds up no page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// A request, which its client has to send.
    #[default]
    Requests,
    /// What the house knows: made at once, and as big as the configuration.
    House,
    /// Logs, which the disk has to give.
    Logs,
    /// Multicalls, which may wait for programs between one call and the next.
    Multicalls,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for a request.
    Idle,
    /// In the middle of a request's headers.
    Head,
    /// In the middle of a request's body.
    Body,
    /// The house is working on the request.
    Busy,
    /// Sending a log or events, for as long as the client stays.
    Streaming,
}

/// The state of a connection, shared by its stream, its requests and the server.
#[derive(Debug)]
pub(super) struct Pace {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// How often it was seen to stand still since it last moved.
    strikes: Cell<u32>,
    /// Bytes of the request's body or of the answer that are kept for this connection.
    held: Cell<(Lane, usize)>,
    stalled_since: Cell<Option<Instant>>,
    /// Somebody who may ask for something.
    known: Cell<bool>,
    /// The connection, when an end of file is held back from it for as long as the phase lasts.
    held_back: RefCell<Option<Waker>>,
    eviction: Notify,
}

impl Pace {
    /// A new connection; on a Unix socket its client is known.
    pub(super) fn new(door: Door) -> Rc<Pace> {
        Rc::new(Pace {
            phase: Cell::new(Phase::Idle),
            since: Cell::new(Instant::now()),
            strikes: Cell::new(0),
            held: Cell::default(),
            stalled_since: Cell::new(None),
            known: Cell::new(door == Door::Unix),
            held_back: RefCell::new(None),
            eviction: Notify::new(),
        })
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.strikes.set(0);
        self.since.set(Instant::now());
        let held_back = self.held_back.take();
        if let Some(connection) = held_back {
            connection.wake();
        }
    }

    pub(super) fn streams(&self) -> bool {
        self.phase.get() == Phase::Streaming
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Its client asked for something and may.
    pub(super) fn know(&self) {
        self.known.set(true);
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.get()
    }

    /// Since when it does what it is doing.
    pub(super) fn since(&self) -> Instant {
        self.since.get()
    }

    /// Since when it waits for its client, if it does. Such connections may be closed to make room.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        match self.phase.get() {
            Phase::Idle | Phase::Head | Phase::Body => Some(self.since.get()),
            Phase::Busy | Phase::Streaming => self.stalled_since.get(),
        }
    }

    /// Takes note of the size of what is kept for this connection.
    pub(super) fn hold(&self, lane: Lane, bytes: usize) {
        self.held.set((lane, bytes));
    }

    /// Nothing is kept any more.
    pub(super) fn let_go(&self) {
        self.held.set(Default::default());
    }

    /// Bytes kept in a lane.
    pub(super) fn held(&self, lane: Lane) -> usize {
        let (of, bytes) = self.held.get();
        if of == lane { bytes } else { 0 }
    }

    /// Counts how often in a row a connection for which something is kept was seen waiting for its client.
    ///
    /// Looks are counted and not time, because a client is not to blame for the time in which we did not listen.
    pub(super) fn seen(&self) -> u32 {
        let stuck = match self.phase.get() {
            _ if self.held.get().1 == 0 => false,
            Phase::Body => true,
            Phase::Idle | Phase::Head | Phase::Busy | Phase::Streaming => {
                self.stalled_since.get().is_some()
            }
        };
        self.strikes.set(if stuck { self.strikes.get() + 1 } else { 0 });
        self.strikes.get()
    }

    /// Everything written has gone out. An answer is written when the phase is over, but for one without an end.
    fn flushed(&self) {
        if matches!(self.phase.get(), Phase::Idle | Phase::Streaming) {
            self.let_go();
        }
    }

    pub(super) fn evict(&self) {
        self.eviction.notify_one();
    }

    pub(super) async fn evicted(&self) {
        self.eviction.notified().await;
    }
}

/// A connection that says what it is doing.
pub(super) struct Paced<S> {
    stream: S,
    pace: Rc<Pace>,
    timeouts: Timeouts,
    /// Passes when the client has had its time to close.
    timer: Timer,
    /// When the client closed its sending side.
    ended: Option<Instant>,
    /// Something the client sent was thrown away, so nothing it sends makes sense any more.
    deaf: bool,
    lingering: Option<usize>,
}

/// A timer that is created when first needed and moved when its deadline changes.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Paced<S> {
    pub(super) fn new(stream: S, pace: Rc<Pace>, timeouts: Timeouts) -> Paced<S> {
        let (timer, ended, lingering) = (Timer::default(), None, None);
        Paced { stream, pace, timeouts, timer, ended, deaf: false, lingering }
    }

    /// Reads some bytes into `chunk`; 0 at the end.
    fn read_some(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(chunk);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// The end of file, at once or, while the house works on an answer, after a while.
    fn read_end(&mut self, ended: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pace.phase() != Phase::Busy {
            return Poll::Ready(Ok(()));
        }
        self.pace.held_back.replace(Some(cx.waker().clone()));
        self.timer.poll(ended + self.timeouts.half_close, cx).map(Ok)
    }

    /// Whether the client of an answer without an end has left. hyper would not notice while it has something unread
    /// of it, and a silent log has nothing to write that could fail. What else the client says is thrown away.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        let mut chunk = [0; READ_CHUNK];
        loop {
            match self.read_some(cx, &mut chunk) {
                Poll::Pending => return false,
                Poll::Ready(Ok(0) | Err(_)) => return true,
                Poll::Ready(Ok(_)) => self.deaf = true,
            }
        }
    }

    /// Takes note of the result of a write: progress, failure, or a client that has stopped reading.
    fn written<T>(&mut self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.pace.stalled_since.set(None);
            self.pace.strikes.set(0);
        } else if self.pace.stalled_since.get().is_none() {
            self.pace.stalled_since.set(Some(Instant::now()));
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(ended) = this.ended {
            return this.read_end(ended, cx);
        }
        if this.deaf {
            return Poll::Ready(Ok(()));
        }
        let mut chunk = [0; READ_CHUNK];
        let length = cursor.remaining().min(chunk.len());
        let count = ready!(this.read_some(cx, &mut chunk[..length]))?;
        if count == 0 {
            let ended = *this.ended.insert(Instant::now());
            return this.read_end(ended, cx);
        }
        if this.pace.phase() == Phase::Idle {
            this.pace.enter(Phase::Head);
        }
        this.pace.strikes.set(0);
        cursor.put_slice(&chunk[..count]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.pace.flushed();
        if self.pace.phase() == Phase::Streaming && self.has_left(cx) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut discarded = match this.lingering {
            Some(discarded) => discarded,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                this.pace.enter(Phase::Idle);
                0
            }
        };
        let mut chunk = [0; READ_CHUNK];
        while this.ended.is_none() && discarded < MAX_LINGER_BYTES {
            this.lingering = Some(discarded);
            match this.read_some(cx, &mut chunk) {
                Poll::Ready(Ok(count)) if count > 0 => discarded += count,
                Poll::Ready(_) => break,
                Poll::Pending => {
                    return this
                        .timer
                        .poll(this.pace.since.get() + this.timeouts.linger, cx)
                        .map(Ok);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(outcome)
    }
}
