//! The conversation with one helper, from its start to its end.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::helper::Helper;
use super::messages;
use super::refusal::{failed, refuse};
use super::wire::{Frame, Kind, Reader, frame};
use crate::core::effect::Caller;
use crate::core::fault::Fault;
use crate::core::result_handler::Judgement;
use crate::core::rpc::weight::{Weight, weigh};
use crate::core::states::Level;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
use crate::daemon::plugins::Order;
use crate::xmlrpc::{parse_call_of_plugin, write_fault, write_response};

/// How long the plugins may take to be made. The reference would wait for ever, and so would who starts it.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long the helper may have something to do and neither answer nor put off any of it. Plugins run one at a time, as
/// in the reference, where one that takes so long holds up the whole daemon.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// Calls and results that wait for it.
const MAX_WAITING: usize = 256;

/// Calls of its own that wait for the daemon.
const MAX_OWN_CALLS: usize = 256;

/// Bytes of calls that it has not read.
const MAX_UNREAD_BYTES: usize = 32 << 20;

/// Events that it has not read; the oldest go first.
const MAX_UNREAD_EVENTS: usize = 1000;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// Whether the plugins of the configuration are there; an error is the text after `Error: `.
pub(super) type Ready = oneshot::Sender<Result<(), String>>;

/// How it ended.
pub(super) enum End {
    /// The house has left its loop.
    Stopped,
    /// It closed its socket.
    Closed,
    /// It is of no use any more: why, in words behind its name.
    Broken(String),
}

/// Who waits for an answer.
enum Waiting {
    Start,
    Call(oneshot::Sender<Result<Value, Fault>>),
    Judge(oneshot::Sender<Judgement>),
}

/// A helper at work.
pub(super) struct Life<'a> {
    helper: &'a Helper,
    handle: &'a Handle,
    ready: &'a mut Option<Ready>,
    reader: Reader,
    /// What it has not read: the rest of what is being written, then this.
    writing: VecDeque<u8>,
    events: VecDeque<Vec<u8>>,
    /// Events that it will never hear of, since that was said last.
    dropped: u64,
    waiting: HashMap<u64, Waiting>,
    /// Those of them that it has put off: they are about something else than the plugins.
    put_off: HashMap<u64, Waiting>,
    last_call: u64,
    /// When it answered, or was given the first thing to do.
    heard: Instant,
    own_calls: usize,
    own: (mpsc::UnboundedSender<OwnAnswer>, mpsc::UnboundedReceiver<OwnAnswer>),
    /// One log at a time is read for it.
    logs: Rc<Semaphore>,
}

/// The answer to a call of its own.
type OwnAnswer = (u64, Result<Value, Fault>);

impl<'a> Life<'a> {
    /// A helper to which nothing was said. `ready` is told when its plugins are made, or cannot be.
    pub(super) fn new(
        helper: &'a Helper,
        handle: &'a Handle,
        ready: &'a mut Option<Ready>,
    ) -> Life<'a> {
        Life {
            helper,
            handle,
            ready,
            reader: Reader::default(),
            writing: VecDeque::new(),
            events: VecDeque::new(),
            dropped: 0,
            waiting: HashMap::new(),
            put_off: HashMap::new(),
            last_call: 0,
            heard: Instant::now(),
            own_calls: 0,
            own: mpsc::unbounded_channel(),
            logs: Rc::new(Semaphore::new(1)),
        }
    }

    /// Tells it what to do first, and lives on.
    pub(super) async fn go_on(
        &mut self,
        start: Vec<u8>,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> End {
        self.ask(&start, Waiting::Start);
        let end = loop {
            if let Err(end) = self.turn(orders).await {
                break end;
            }
        };
        if let (Some(ready), End::Closed | End::Broken(_)) = (self.ready.take(), &end) {
            let why = match &end {
                End::Broken(why) => why.as_str(),
                End::Closed | End::Stopped => "has ended",
            };
            let _ = ready.send(Err(format!("the process of the plugins {why}"))); // the start may be over
        }
        for (_, waiting) in self.waiting.drain().chain(self.put_off.drain()) {
            give_up(waiting);
        }
        end
    }

    /// One thing that happens.
    async fn turn(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) -> Result<(), End> {
        let socket = &self.helper.socket;
        let has_more = !self.writing.is_empty() || !self.events.is_empty();
        let patience = if self.is_starting() { START_PATIENCE } else { ANSWER_PATIENCE };
        tokio::select! {
            order = orders.recv() => {
                self.carry_out(order.ok_or(End::Stopped)?);
                Ok(())
            }
            Some((id, result)) = self.own.1.recv() => {
                self.answer_own(id, result);
                Ok(())
            }
            ready = socket.readable() => {
                ready.map_err(|error| End::Broken(format!("cannot be read: {error}")))?;
                self.read()
            }
            ready = socket.writable(), if has_more => {
                ready.map_err(|error| End::Broken(format!("cannot be written to: {error}")))?;
                self.write()
            }
            () = sleep_until(self.heard + patience), if !self.waiting.is_empty() => {
                Err(End::Broken(format!("has not answered for {} s", patience.as_secs())))
            }
        }
    }

    fn is_starting(&self) -> bool {
        self.waiting.values().any(|waiting| matches!(waiting, Waiting::Start))
    }

    fn carry_out(&mut self, order: Order) {
        let is_full = self.waiting.len() + self.put_off.len() >= MAX_WAITING
            || self.writing.len() >= MAX_UNREAD_BYTES;
        match order {
            Order::Event(event) => self.push_event(messages::event(&event)),
            Order::Call(_, reply) if is_full => {
                // The client may be gone.
                let _ = reply.send(Err(failed("too many calls wait for the plugins")));
            }
            order @ Order::Judge(..) if is_full => refuse(order),
            Order::Call(call, reply) => {
                self.ask(&messages::call(call), Waiting::Call(reply));
            }
            Order::Judge(verdict, reply) => {
                self.ask(&messages::judge(&verdict), Waiting::Judge(reply));
            }
        }
    }

    fn ask(&mut self, document: &[u8], waiting: Waiting) {
        self.last_call += 1;
        let Some(bytes) = frame(Kind::Call, self.last_call, document) else {
            return give_up(waiting);
        };
        if self.waiting.is_empty() {
            self.heard = Instant::now();
        }
        self.waiting.insert(self.last_call, waiting);
        self.writing.extend(bytes);
    }

    fn push_event(&mut self, document: Vec<u8>) {
        if self.events.len() >= MAX_UNREAD_EVENTS {
            self.events.pop_front();
            self.dropped += 1;
            if self.dropped == 1 {
                let text = format!(
                    "plugins: more than {MAX_UNREAD_EVENTS} events wait for their process, discarding the oldest"
                );
                self.handle.log(Level::Error, text);
            }
        }
        self.events.extend(frame(Kind::Call, 0, &document));
    }

    fn write(&mut self) -> Result<(), End> {
        if self.writing.is_empty()
            && let Some(event) = self.events.pop_front()
        {
            self.writing.extend(event);
        }
        match self.helper.socket.try_write(self.writing.as_slices().0) {
            Ok(written) => {
                self.writing.drain(..written);
                if self.writing.is_empty() {
                    self.writing = VecDeque::new();
                    self.say_dropped();
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(End::Closed),
        }
    }

    /// It reads again: how much it has missed.
    fn say_dropped(&mut self) {
        if self.dropped > 0 && self.events.is_empty() {
            let dropped = std::mem::take(&mut self.dropped);
            self.handle.log(Level::Error, format!("plugins: {dropped} events were discarded"));
        }
    }

    fn read(&mut self) -> Result<(), End> {
        let mut chunk = vec![0; READ_BYTES];
        match self.helper.socket.try_read(&mut chunk) {
            Ok(0) => return Err(End::Closed),
            Ok(read) => self.reader.feed(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(End::Closed),
        }
        loop {
            match self.reader.next() {
                Ok(Some(frame)) => self.take(frame)?,
                Ok(None) => return Ok(()),
                Err(babble) => return Err(End::Broken(format!("babbles: {}", babble.0))),
            }
        }
    }

    fn take(&mut self, Frame { kind, id, document }: Frame) -> Result<(), End> {
        let unknown = || End::Broken("babbles: it answered what it was not asked".to_string());
        match kind {
            Kind::Call => {
                self.asked(id, &document);
                Ok(())
            }
            Kind::Deferred => {
                let waiting = self.waiting.remove(&id).ok_or_else(unknown)?;
                self.heard = Instant::now();
                self.put_off.insert(id, waiting);
                Ok(())
            }
            Kind::Answer => {
                let waiting = self.waiting.remove(&id).or_else(|| self.put_off.remove(&id));
                let waiting = waiting.ok_or_else(unknown)?;
                self.heard = Instant::now();
                // Of one call; what comes after it is read all the same.
                let answer = messages::answer(&document).unwrap_or_else(|why| Err(failed(&why)));
                self.answered(waiting, answer)
            }
        }
    }

    fn answered(&mut self, waiting: Waiting, answer: Result<Value, Fault>) -> Result<(), End> {
        match waiting {
            // Whoever asked may be gone, here and below.
            Waiting::Call(reply) => drop(reply.send(answer)),
            Waiting::Judge(reply) => drop(reply.send(messages::judgement(&answer))),
            Waiting::Start => {
                let published = answer.map_err(|fault| {
                    if let Some(ready) = self.ready.take() {
                        let _ = ready.send(Err(fault.text.clone()));
                    }
                    End::Broken(format!("could not make its plugins: {}", fault.text))
                })?;
                let (handle, ready) = (self.handle.clone(), self.ready.take());
                tokio::task::spawn_local(async move {
                    let publish = messages::private("publish", vec![published]);
                    let outcome = handle.call(publish).await;
                    if let Some(ready) = ready {
                        let _ = ready.send(outcome.map(drop).map_err(|fault| fault.text));
                    }
                });
            }
        }
        Ok(())
    }

    /// It calls a method of the daemon.
    fn asked(&mut self, id: u64, document: &[u8]) {
        let Ok(mut call) = parse_call_of_plugin(document) else {
            return self.answer(id, &Err(failed("the daemon cannot read the call")));
        };
        call.caller = Caller::Plugin;
        if self.own_calls >= MAX_OWN_CALLS {
            return self.answer(id, &Err(failed("too many calls of plugins wait for the daemon")));
        }
        self.own_calls += 1;
        let (handle, answers, logs) = (self.handle.clone(), self.own.0.clone(), self.logs.clone());
        tokio::task::spawn_local(async move {
            let reads = matches!(weigh(&call, &handle.extent()), Weight::Log(_));
            let _turn = if reads { logs.acquire().await.ok() } else { None };
            let result = handle.call(call).await;
            let _ = answers.send((id, result)); // it may have ended
        });
    }

    fn answer_own(&mut self, id: u64, result: Result<Value, Fault>) {
        self.own_calls -= 1;
        self.answer(id, &result);
    }

    fn answer(&mut self, id: u64, result: &Result<Value, Fault>) {
        if id == 0 {
            return;
        }
        let document = match result {
            Ok(value) => write_response(value),
            Err(fault) => write_fault(fault),
        };
        let bytes = frame(Kind::Answer, id, &document).or_else(|| {
            frame(Kind::Answer, id, &write_fault(&failed("the answer is too long for plugins")))
        });
        self.writing.extend(bytes.into_iter().flatten());
    }
}

/// Nobody answers any more.
fn give_up(waiting: Waiting) {
    match waiting {
        Waiting::Start => {}
        // Whoever asked may be gone.
        Waiting::Call(reply) => {
            drop(reply.send(Err(failed("the process of the plugins gave no answer"))));
        }
        Waiting::Judge(reply) => drop(reply.send(Judgement::Rejected)),
    }
}
