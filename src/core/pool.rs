//! A pool of event listeners: the buffer, who gets the next event, and what becomes of results
//! (`process.py: EventListenerPool`).

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::config::ListenerConfig;
use super::effect::{Effect, Job, JobId, ProcId, StdinError, Verdict, earliest};
use super::event::{Event, EventKind};
use super::listener::{Listener, ListenerState, Step};
use super::outside::Outside;
use super::overflow::Overflow;
use super::python::repr_bytes;
use super::result_handler::{Judgement, ResultHandler};
use super::states::Level;
use super::text;

/// An event on its way through one pool.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    event: Rc<Event>,
    serial: u64,
    pool_serial: u64,
}

/// One process of the pool.
#[derive(Debug)]
struct Member {
    id: ProcId,
    name: String,
    listener: Listener,
    /// What it works on while it is BUSY.
    event: Option<Queued>,
    /// Its result is being judged by a handler in Python; it stays BUSY meanwhile.
    judging: Option<JobId>,
}

/// What became of an attempt to hand out an event.
enum Sent {
    /// A listener works on it.
    Yes,
    /// No listener is ready, or none of those that are can be written to.
    No,
}

/// Bytes that are kept of what a listener says while its result is being judged. READY is all it may say by then; with
/// anything behind that it has broken the protocol, however much it is.
const SAID_MEANWHILE_BYTES: usize = 64;

/// The last moments of a pool in a shutdown.
#[derive(Clone, Copy, Debug)]
struct Closing {
    /// Events from this pool serial on come too late.
    before: u64,
    /// How long the shutdown waits; `None` once it goes on.
    until: Option<Duration>,
}

/// How often in a row events may be rejected before the next one is held back. Giving an event to another listener by
/// rejecting it takes a few; a listener that rejects everything would go round as fast as the machine can.
const FREE_REJECTIONS: u32 = 16;

/// For how long it is held back at first; twice as long after each further rejection.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// For how long it is held back at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The listeners of one group and the events that wait for them.
#[derive(Debug)]
pub(super) struct Pool {
    name: String,
    subscriptions: Vec<String>,
    capacity: usize,
    handler: ResultHandler,
    members: Vec<Member>,
    buffer: VecDeque<Queued>,
    next_serial: u64,
    /// A listener that is ready could not take an event because of what it has not read yet.
    congested: bool,
    /// Rejections since an event was accepted.
    rejections: u32,
    /// Until when nothing is handed out because of them.
    held_until: Option<Duration>,
    overflow: Overflow,
    /// Events that had to make room for others.
    discarded: u64,
    closing: Option<Closing>,
    /// [`Pool::next_serial`] before the input that is being handled.
    serial_before_input: u64,
}

impl Pool {
    /// A pool whose listeners were never started; `members` in the order of the configuration.
    pub(super) fn new(name: &str, config: &ListenerConfig, members: Vec<(ProcId, String)>) -> Pool {
        let members = members
            .into_iter()
            .map(|(id, name)| Member {
                id,
                name,
                listener: Listener::new(),
                event: None,
                judging: None,
            })
            .collect();
        Pool {
            name: name.to_string(),
            subscriptions: config.events.clone(),
            capacity: usize::try_from(config.buffer_size).unwrap_or(usize::MAX).max(1),
            handler: ResultHandler::of(&config.result_handler),
            members,
            buffer: VecDeque::new(),
            next_serial: 0,
            congested: false,
            rejections: 0,
            held_until: None,
            overflow: Overflow::default(),
            discarded: 0,
            closing: None,
            serial_before_input: 0,
        }
    }

    /// The name of the group.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How often it wants events of this kind.
    pub(super) fn copies(&self, kind: EventKind) -> usize {
        kind.matches(&self.subscriptions)
    }

    /// Whether one of its listeners is this process.
    #[cfg(test)]
    pub(super) fn has(&self, id: ProcId) -> bool {
        self.members.iter().any(|member| member.id == id)
    }

    /// Whether events wait although a listener is ready, so that handing out is to be tried again.
    pub(super) fn is_congested(&self) -> bool {
        self.congested && !self.buffer.is_empty()
    }

    /// When handing out, or saying what was discarded, is due by itself.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let held = self.held_until.filter(|_| !self.buffer.is_empty());
        earliest([held, self.overflow.deadline()])
    }

    /// An input is about to be handled, or a group was found stopped in a shutdown: what is known now is heard before the
    /// listeners are stopped.
    pub(super) fn mark_input(&mut self) {
        self.serial_before_input = self.next_serial;
    }

    /// Until when the listeners may not be stopped although the shutdown has come to them: while events wait that occurred
    /// before, or one is being worked on, but not for longer than `patience`. The reference looks at its listeners
    /// several times until it notices that the last program before them has ended; so they hear of everything but that
    /// end.
    pub(super) fn waits_until(
        &mut self,
        now: Duration,
        patience: Duration,
        running: impl Fn(ProcId) -> bool,
    ) -> Option<Duration> {
        let before = self.serial_before_input;
        let until = Some(now.saturating_add(patience));
        let closing = self.closing.get_or_insert(Closing { before, until });
        let listening = |member: &&Member| {
            running(member.id) && member.listener.state() != ListenerState::Unknown
        };
        let mut able = self.members.iter().filter(listening).peekable();
        let waiting = able.peek().is_some()
            && self.buffer.front().is_some_and(|first| first.pool_serial < closing.before);
        let busy = able.any(|member| member.event.is_some());
        if (!waiting && !busy) || closing.until.is_none_or(|until| until <= now) {
            closing.until = None;
        }
        closing.until
    }

    /// Takes a new event, `copies` times (a repeated subscription makes the reference deliver it repeatedly).
    pub(super) fn accept(
        &mut self,
        event: &Rc<Event>,
        serial: u64,
        copies: usize,
        outside: &mut Outside<'_>,
    ) {
        let queued = Queued { event: Rc::clone(event), serial, pool_serial: self.next_serial };
        self.next_serial += 1;
        for copy in 0..copies {
            if copy > 0 {
                self.say_rebuffering(&queued, outside);
            }
            self.make_room(outside);
            self.buffer.push_back(queued.clone());
        }
    }

    /// Takes an event back that a listener did not accept: it is the next to be handed out.
    fn rebuffer(&mut self, queued: Queued, outside: &mut Outside<'_>) {
        self.say_rebuffering(&queued, outside);
        self.make_room(outside);
        self.buffer.push_front(queued);
    }

    fn say_rebuffering(&self, queued: &Queued, outside: &mut Outside<'_>) {
        let (serial, size, capacity) = (queued.serial, self.buffer.len(), self.capacity);
        outside.debug(|| {
            let name = &self.name;
            format!("rebuffering event {serial} for pool {name} (buf size={size}, max={capacity})")
        });
    }

    fn make_room(&mut self, outside: &mut Outside<'_>) {
        if self.buffer.len() >= self.capacity
            && let Some(oldest) = self.buffer.pop_front()
        {
            self.discarded += 1;
            if !self.overflow.count(outside.now.mono) {
                return;
            }
            let (name, serial) = (&self.name, oldest.serial);
            let text = format!("pool {name} event buffer overflowed, discarding event {serial}");
            outside.log(Level::Error, text);
        }
    }

    /// A listener was started: it has said nothing yet.
    pub(super) fn started(&mut self, id: ProcId) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            member.listener = Listener::new();
            member.event = None;
            member.judging = None;
        }
    }

    /// A listener ended; what it worked on goes to another one, or to the next life of this one.
    pub(super) fn ended(&mut self, id: ProcId, outside: &mut Outside<'_>) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else {
            return;
        };
        member.judging = None;
        if let Some(queued) = member.event.take() {
            self.rebuffer(queued, outside);
        }
    }

    /// A listener said something. `job` numbers what a handler in Python is asked.
    pub(super) fn heard(
        &mut self,
        id: ProcId,
        mut bytes: &[u8],
        job: &mut dyn FnMut() -> JobId,
        outside: &mut Outside<'_>,
    ) {
        let Some(index) = self.members.iter().position(|member| member.id == id) else {
            return;
        };
        let member = &mut self.members[index];
        if member.judging.is_some() {
            let room = SAID_MEANWHILE_BYTES.saturating_sub(member.listener.held_bytes());
            bytes = &bytes[..bytes.len().min(room)];
        }
        member.listener.feed(bytes);
        self.go_on(index, job, outside);
    }

    /// Takes what a listener has said, up to a result that is to be judged first.
    fn go_on(&mut self, index: usize, job: &mut dyn FnMut() -> JobId, outside: &mut Outside<'_>) {
        while self.members[index].judging.is_none()
            && let Some(step) = self.members[index].listener.step()
        {
            self.take_step(index, step, job, outside);
        }
    }

    /// A handler in Python has judged a result. Whoever was judged may be gone.
    pub(super) fn judged(
        &mut self,
        asked: JobId,
        judgement: Judgement,
        job: &mut dyn FnMut() -> JobId,
        outside: &mut Outside<'_>,
    ) {
        let judged = self.members.iter().position(|member| member.judging == Some(asked));
        if let Some(index) = judged {
            self.members[index].judging = None;
            self.follow(index, judgement, outside);
            self.go_on(index, job, outside);
        }
    }

    fn take_step(
        &mut self,
        index: usize,
        step: Step,
        job: &mut dyn FnMut() -> JobId,
        outside: &mut Outside<'_>,
    ) {
        let member = &mut self.members[index];
        match step {
            Step::Ready => {
                say_change(member, ListenerState::Acknowledged, outside);
            }
            Step::Violation(from) => {
                say_change(member, from, outside);
                member.event = None;
            }
            Step::BadResult(line) => {
                let line = match String::from_utf8(line) {
                    Ok(line) => text::of(&line).into_owned(),
                    Err(error) => format!("Undecodable: {}", repr_bytes(error.as_bytes())),
                };
                outside.log(Level::Warn, format!("{}: bad result line: '{line}'", member.name));
                say_change(member, ListenerState::Busy, outside);
                self.take_back(index, outside);
            }
            Step::Result(result) => self.judge(index, result, job, outside),
        }
    }

    fn judge(
        &mut self,
        index: usize,
        result: Vec<u8>,
        job: &mut dyn FnMut() -> JobId,
        outside: &mut Outside<'_>,
    ) {
        let handler = match self.handler.judge(&result) {
            Ok(judgement) => return self.follow(index, judgement, outside),
            Err(handler) => handler.to_string(),
        };
        let member = &mut self.members[index];
        // A BUSY listener works on something.
        let Some(Queued { event, serial, pool_serial }) = member.event.clone() else {
            return self.follow(index, Judgement::Failed, outside);
        };
        let job = job();
        member.judging = Some(job);
        let pool = (self.name.clone(), pool_serial);
        let work = Job::Judge(Box::new(Verdict { handler, event, serial, pool, result }));
        outside.effect(Effect::Job { job, work });
    }

    /// Does what a judgement means.
    fn follow(&mut self, index: usize, judgement: Judgement, outside: &mut Outside<'_>) {
        let member = &mut self.members[index];
        let name = &member.name;
        let next = match &judgement {
            Judgement::Accepted { .. } => {
                outside.debug(|| format!("{name}: event was processed"));
                ListenerState::Acknowledged
            }
            Judgement::Rejected => {
                outside.log(Level::Warn, format!("{name}: event was rejected"));
                ListenerState::Acknowledged
            }
            Judgement::Failed => {
                outside.log(Level::Warn, format!("{name}: event caused an error"));
                ListenerState::Unknown
            }
        };
        member.listener.judged(next);
        say_change(member, ListenerState::Busy, outside);
        match judgement {
            Judgement::Accepted { print } => {
                member.event = None;
                self.rejections = 0;
                self.held_until = None;
                if !print.is_empty() {
                    outside.effect(Effect::Print(print));
                }
            }
            Judgement::Rejected | Judgement::Failed => {
                self.take_back(index, outside);
                self.hold_back(outside.now.mono);
            }
        }
    }

    /// After many rejections in a row the next event has to wait.
    fn hold_back(&mut self, now: Duration) {
        self.rejections = self.rejections.saturating_add(1);
        if let Some(beyond) = self.rejections.checked_sub(FREE_REJECTIONS) {
            let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(beyond)).min(LONGEST_PAUSE);
            self.held_until = Some(now.saturating_add(pause));
        }
    }

    /// Says how many events were discarded without a line of their own.
    fn report_overflow(&mut self, outside: &mut Outside<'_>) {
        if let Some(more) = self.overflow.report(outside.now.mono) {
            let name = &self.name;
            let text =
                format!("pool {name} event buffer overflowed, discarding {more} more events");
            outside.log(Level::Error, text);
        }
    }

    fn take_back(&mut self, index: usize, outside: &mut Outside<'_>) {
        if let Some(queued) = self.members[index].event.take() {
            self.rebuffer(queued, outside);
        }
    }

    /// Hands out events, oldest first, as long as there is a listener for them. `running` tells whose process is up.
    pub(super) fn dispatch(
        &mut self,
        identifier: &str,
        running: impl Fn(ProcId) -> bool,
        outside: &mut Outside<'_>,
    ) {
        self.congested = false;
        self.report_overflow(outside);
        if self.held_until.is_some_and(|until| until > outside.now.mono) {
            return;
        }
        self.held_until = None;
        let ready =
            |member: &Member| member.listener.state() == ListenerState::Ready && running(member.id);
        if !self.members.iter().any(&ready) {
            return;
        }
        let end = self.closing.map_or(u64::MAX, |closing| closing.before);
        while self.buffer.front().is_some_and(|first| first.pool_serial < end)
            && let Some(queued) = self.buffer.pop_front()
        {
            if let Sent::No = self.send(&queued, identifier, &ready, outside) {
                self.say_rebuffering(&queued, outside);
                self.buffer.push_front(queued);
                return;
            }
        }
    }

    fn send(
        &mut self,
        queued: &Queued,
        identifier: &str,
        ready: &impl Fn(&Member) -> bool,
        outside: &mut Outside<'_>,
    ) -> Sent {
        let serial = queued.serial;
        let mut envelope = None;
        for member in self.members.iter_mut().filter(|member| ready(member)) {
            let bytes = envelope.get_or_insert_with(|| {
                queued.event.envelope(identifier, serial, &self.name, queued.pool_serial)
            });
            match outside.host.write_event(member.id, bytes) {
                Ok(()) => {
                    member.listener.sent();
                    member.event = Some(queued.clone());
                    outside.debug(|| format!("event {serial} sent to listener {}", member.name));
                    return Sent::Yes;
                }
                Err(StdinError::Full) => self.congested = true,
                Err(StdinError::Closed) => outside.debug(|| {
                    format!(
                        "epipe occurred while sending event {serial} to listener {}, listener state unchanged",
                        member.name
                    )
                }),
            }
        }
        Sent::No
    }

    /// Events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Whether an event waits.
    #[cfg(test)]
    pub(super) fn holds(&self, serial: u64) -> bool {
        self.buffer.iter().any(|queued| queued.serial == serial)
    }

    /// Most events that may wait.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Events it was told of, and those of them that had to make room for others.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.next_serial, self.discarded)
    }

    /// Names and states of the listeners.
    pub(super) fn listeners(&self) -> impl Iterator<Item = (&str, ListenerState)> {
        self.members.iter().map(|member| (member.name.as_str(), member.listener.state()))
    }

    /// The listener state of a process, and the serial of what it works on.
    #[cfg(test)]
    pub(super) fn listener(&self, id: ProcId) -> Option<(ListenerState, Option<u64>)> {
        let member = self.members.iter().find(|member| member.id == id)?;
        Some((member.listener.state(), member.event.as_ref().map(|queued| queued.serial)))
    }
}

/// The lines about a change of a listener's state.
fn say_change(member: &Member, from: ListenerState, outside: &mut Outside<'_>) {
    let (name, to) = (&member.name, member.listener.state());
    outside.debug(|| format!("{name}: {} -> {}", from.name(), to.name()));
    if to == ListenerState::Unknown {
        outside.log(
            Level::Warn,
            format!(
                "{name}: has entered the UNKNOWN state and will no longer receive events, this usually indicates \
                 the process violated the eventlistener protocol"
            ),
        );
    }
}
