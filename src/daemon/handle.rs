//! The one way from the HTTP servers into the house: an inbox of requests, each answered once.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::excerpt::{Excerpt, NoExcerpt, Part};
use super::follow::Follower;
use super::usage::{Meter, Own, Usage};
use crate::core::census::Census;
use crate::core::effect::{Call, ReplyId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::Extent;
use crate::core::logs::LogRef;
use crate::core::overview::{About, Overview, Program};
use crate::core::states::Level;
use crate::core::value::Value;

/// Something the house is asked to do.
#[derive(Debug)]
pub enum Request {
    /// Perform an XML-RPC call.
    Call {
        /// Identity of the call.
        id: ReplyId,
        /// The call.
        call: Call,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Value, Fault>>,
    },
    /// The client of a call went away before the answer.
    Hangup(ReplyId),
    /// Write a line to the main log.
    Log(Level, String),
    /// Tell about the supervisor itself.
    About(oneshot::Sender<About>),
    /// Tell about everything supervised.
    Overview(oneshot::Sender<Overview>),
    /// Count everything.
    Census(oneshot::Sender<Census>),
    /// Tell about one process and its configuration.
    Program {
        /// `group:process`, or `process`.
        namespec: String,
        /// `None` when there is no such process.
        reply: oneshot::Sender<Option<Program>>,
    },
    /// Follow a log as it grows.
    Follow {
        /// Which.
        log: LogRef,
        /// How much of its end comes first.
        head_bytes: u64,
        /// `None` when there is no such process, channel or file.
        reply: oneshot::Sender<Option<Follower>>,
    },
    /// Read part of a log.
    ReadLog {
        /// Which.
        log: LogRef,
        /// Which part.
        part: Part,
        /// Where it goes.
        reply: oneshot::Sender<Result<Excerpt, NoExcerpt>>,
    },
}

/// Calls that may go on without those who asked for them.
const MAX_CARRIED: usize = 256;

/// A cheap, clonable sender into the house. Lives on the supervision thread.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::UnboundedSender<Request>,
    next_reply: Rc<Cell<u64>>,
    changes: watch::Receiver<u64>,
    meter: Rc<Meter>,
    carried: Arc<Semaphore>,
    extent: Rc<Cell<Extent>>,
}

/// The house's end of the handles.
#[derive(Debug)]
pub struct Inbox {
    /// What it is asked to do.
    pub requests: mpsc::UnboundedReceiver<Request>,
    /// How often anything changed that an overview shows.
    pub changes: watch::Sender<u64>,
    /// How much there is of everything.
    pub extent: Rc<Cell<Extent>>,
}

/// Tells the house that nobody waits any more, unless the answer came.
struct HangupGuard<'a> {
    handle: &'a Handle,
    id: ReplyId,
    armed: bool,
}

impl Drop for HangupGuard<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.handle.send(Request::Hangup(self.id));
        }
    }
}

impl Handle {
    /// A handle and the inbox it sends to. Every connection has at most one request under way, so the connection
    /// limit of the servers bounds the inbox.
    pub fn new() -> (Handle, Inbox) {
        let (requests, received) = mpsc::unbounded_channel();
        let (changed, changes) = watch::channel(0);
        let (next_reply, meter) = (Rc::new(Cell::new(0)), Rc::new(Meter::default()));
        let carried = Arc::new(Semaphore::new(MAX_CARRIED));
        let extent = Rc::new(Cell::default());
        let inbox = Inbox { requests: received, changes: changed, extent: Rc::clone(&extent) };
        (Handle { requests, next_reply, changes, meter, carried, extent }, inbox)
    }

    /// Performs a call; dropping the future withdraws it.
    pub async fn call(&self, call: Call) -> Result<Value, Fault> {
        let id = ReplyId(self.next_reply.get());
        self.next_reply.set(id.0 + 1);
        let (reply, answer) = oneshot::channel();
        let mut guard = HangupGuard { handle: self, id, armed: true };
        self.send(Request::Call { id, call, reply });
        let result = answer.await;
        guard.armed = false;
        // The house drops unanswered calls only when it leaves its loop.
        result.unwrap_or_else(|_| Err(Fault::bare(FaultCode::ShutdownState)))
    }

    /// Performs a call to its end, also when the future is dropped: several steps that are not to stop half way. Only
    /// while very many go on already is it withdrawn as with [`Handle::call`].
    pub async fn carry_through(&self, call: Call) -> Result<Value, Fault> {
        let Ok(place) = Arc::clone(&self.carried).try_acquire_owned() else {
            return self.call(call).await;
        };
        let handle = self.clone();
        let carried = tokio::task::spawn_local(async move {
            let _place = place;
            handle.call(call).await
        });
        carried.await.unwrap_or_else(|_| Err(Fault::bare(FaultCode::ShutdownState)))
    }

    /// Writes a line to the main log.
    pub fn log(&self, level: Level, text: impl Into<String>) {
        self.send(Request::Log(level, text.into()));
    }

    /// The supervisor itself; `None` when the house has left its loop.
    pub async fn about(&self) -> Option<About> {
        self.ask(Request::About).await
    }

    /// Everything supervised; `None` when the house has left its loop.
    pub async fn overview(&self) -> Option<Overview> {
        self.ask(Request::Overview).await
    }

    /// What was counted of everything supervised; `None` when the house has left its loop.
    pub async fn census(&self) -> Option<Census> {
        self.ask(Request::Census).await
    }

    /// A process and its configuration, if there is one of this name.
    pub async fn program(&self, namespec: &str) -> Option<Program> {
        let namespec = namespec.to_string();
        self.ask(|reply| Request::Program { namespec, reply }).await.flatten()
    }

    /// A counter that moves whenever there is another overview to be had, descriptions that only grow older aside.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// How much there is of everything supervised.
    pub fn extent(&self) -> Extent {
        self.extent.get()
    }

    /// What processes use, by pid; those that are gone are left out.
    pub async fn usage(&self, pids: impl IntoIterator<Item = i32>) -> HashMap<i32, Usage> {
        self.meter.read(pids).await
    }

    /// What the daemon itself has of the machine.
    pub async fn own(&self) -> Own {
        self.meter.own().await
    }

    /// Follows a log, starting with its last `head_bytes`; `None` when there is no such process, channel or file.
    pub async fn follow(&self, log: LogRef, head_bytes: u64) -> Option<Follower> {
        self.ask(|reply| Request::Follow { log, head_bytes, reply }).await.flatten()
    }

    /// Reads part of a log; unlike the XML-RPC methods it does so during a shutdown, too.
    pub async fn read_log(&self, log: LogRef, part: Part) -> Result<Excerpt, NoExcerpt> {
        let answer = self.ask(|reply| Request::ReadLog { log, part, reply }).await;
        answer.unwrap_or(Err(NoExcerpt::Failed))
    }

    /// What the house answers; `None` when it has left its loop.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply));
        answer.await.ok()
    }

    fn send(&self, request: Request) {
        // A closed inbox means the house has left its loop; connections are about to be dropped too.
        let _ = self.requests.send(request);
    }
}
