//! The supervisor: groups and processes, and what is due.
//!
//! [`Supervisor::handle`] takes one input and runs to a fix-point: due transitions, the shutdown sequence, pending
//! calls, until none of them moves. Nothing re-enters it; effects wait in a queue. What each input costs depends on
//! what is due and pending, not on how many programs there are.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::clock::Now;
use super::config::{Config, GroupKind, Settings};
use super::effect::{Effect, Host, Input, JobId, ProcId, ReplyId};
use super::event::{Event, EventKind};
use super::info::Extent;
use super::pool::Pool;
use super::process::{Process, Shell};
use super::roster::{Available, GroupId, Roster};
use super::rpc::pending::Pending;
use super::signal;
use super::states::{Level, Mood};
use super::tick::Ticker;
use super::timers::{Kind, Starts, Timer, Timers};

/// Most starts that one input brings about: each takes a fork, and others wait.
const STARTS_PER_INPUT: usize = 8;

/// The state of everything supervised.
#[derive(Debug)]
pub struct Supervisor {
    pub(super) settings: Settings,
    /// Names under which the main interface is published.
    pub(super) rpcinterfaces: Vec<String>,
    pub(super) available: Available,
    pub(super) roster: Roster,
    pub(super) mood: Mood,
    pub(super) pid: i32,
    pub(super) pending: Vec<Pending>,
    /// Multicalls that wait for their turn, the next one first.
    pub(super) put_off: VecDeque<ReplyId>,
    pub(super) effects: VecDeque<Effect>,
    /// The pools of the active groups of listeners.
    pub(super) pools: BTreeMap<GroupId, Pool>,
    /// Something changed that may allow a pool to hand out an event.
    pub(super) pools_moved: bool,
    pub(super) ticker: Ticker,
    /// Serial of the next event that somebody wants.
    pub(super) next_event: u64,
    /// Lines at level debug are written.
    pub(super) verbose: bool,
    /// How often anything changed that an [`Overview`](super::overview::Overview) shows.
    pub(super) changes: u64,
    pub(super) timers: Timers,
    /// When the input that is being handled came.
    pub(super) mono: Duration,
    /// Groups still to be stopped, the next one last; `None` until the shutdown begins.
    pub(super) stop_order: Option<Vec<GroupId>>,
    pub(super) exited: bool,
    next_job: u64,
}

impl Supervisor {
    /// A supervisor of the given configuration with nothing active yet; `pid` is the daemon's own.
    pub fn new(config: Config, pid: i32) -> Supervisor {
        Supervisor {
            verbose: config.settings.loglevel <= Level::Debug,
            settings: config.settings,
            rpcinterfaces: config.rpcinterfaces,
            available: Available::new(config.groups),
            roster: Roster::default(),
            mood: Mood::Running,
            pid,
            pending: Vec::new(),
            put_off: VecDeque::new(),
            effects: VecDeque::new(),
            pools: BTreeMap::new(),
            pools_moved: false,
            ticker: Ticker::new(),
            next_event: 0,
            changes: 0,
            timers: Timers::default(),
            mono: Duration::ZERO,
            stop_order: None,
            exited: false,
            next_job: 0,
        }
    }

    /// Adds every group of the configuration. Nothing is started before the first input.
    pub fn add_all_groups(&mut self, host: &mut dyn Host) {
        for index in 0..self.available.groups().len() {
            self.add_group(index, host);
        }
        self.notify(Event::supervisor(EventKind::SupervisorRunning));
    }

    /// The serial the next event will have. A restart in the same process goes on counting.
    pub fn next_event_serial(&self) -> u64 {
        self.next_event
    }

    /// Goes on counting events where an earlier life ended.
    pub fn count_events_from(&mut self, serial: u64) {
        self.next_event = serial;
    }

    /// Settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the supervisor is doing.
    pub fn mood(&self) -> Mood {
        self.mood
    }

    /// How often states, processes or the mood have changed; whoever sees the same number has seen everything.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// How much there is of everything supervised.
    pub fn extent(&self) -> Extent {
        self.roster.extent()
    }

    /// The process of a group, by their names as clients give them.
    pub fn find(&self, group: &str, process: &str) -> Option<&Process> {
        self.roster.find(group, process)
    }

    /// A process by its identity.
    pub fn process(&self, id: ProcId) -> Option<&Process> {
        self.roster.process(id)
    }

    /// Every process, in the order they were added.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.roster.processes()
    }

    /// The next effect to be carried out.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Timer`] is wanted, on the monotonic clock.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Whether programs wait for a first start that is due at once, of the configuration or of a group just added. Whoever
    /// asks finds them started, as under the reference: clients are heard when this is over.
    pub fn starts_up(&self) -> bool {
        self.mood == Mood::Running && self.timers.first_starts_wait()
    }

    /// Takes one input and does everything that follows from it; of starts that are due, a few. When more are,
    /// [`Supervisor::next_deadline`] is in the past, and the others had their turn meanwhile.
    pub fn handle(&mut self, now: Now, host: &mut dyn Host, input: Input) {
        self.mono = now.mono;
        self.pools.values_mut().for_each(Pool::mark_input);
        match input {
            Input::Timer => {}
            Input::LeaderEnded { proc, status, open_pipes } => {
                self.with_process(proc, now, host, |process, shell| {
                    process.leader_ended(status, open_pipes, shell);
                });
            }
            Input::PipeClosed { proc } => {
                self.with_process(proc, now, host, |process, shell| process.pipe_closed(shell));
            }
            Input::GroupSeen { proc, others } => {
                self.with_process(proc, now, host, |process, shell| {
                    process.group_seen(others, shell);
                });
            }
            Input::Finished { proc, status } => {
                self.with_process(proc, now, host, |process, shell| process.finish(status, shell));
            }
            Input::StrangerEnded { pid, status } => {
                self.log(Level::Info, format!("reaped unknown pid {pid} ({})", status.describe()));
            }
            Input::Call { reply, call } => self.receive(reply, &call, now, host),
            Input::Hangup { reply } => self.hang_up(reply),
            Input::Turn => self.give_turn(),
            Input::Signal(number) => self.signalled(number),
            Input::JobDone { job, outcome } => self.job_done(job, outcome),
            Input::ListenerBytes { proc, bytes } => self.listener_said(proc, &bytes),
            Input::ProcessLog { proc, channel, data } => self.printed(proc, channel, data),
            Input::Communication { proc, channel, data } => self.communicated(proc, channel, data),
        }
        self.settle(now, host);
    }

    /// Runs due transitions, the shutdown sequence and pending calls until nothing moves; then hands out events.
    fn settle(&mut self, now: Now, host: &mut dyn Host) {
        let mut starts = 0;
        loop {
            // Calls first: a client that waits for RUNNING must see it even if the process dies in the same instant.
            self.poll_pending(now, host);
            let may = if starts < STARTS_PER_INPUT { Starts::May } else { Starts::Wait };
            if let Some(timer) = self.timers.due(now.mono, may) {
                starts += usize::from(matches!(timer, Timer::Process(_, Kind::Start)));
                self.become_due(timer, now, host);
                continue;
            }
            if self.advance_shutdown(now, host) {
                continue;
            }
            break;
        }
        self.dispatch(host);
    }

    /// Does what is due, which sets the timer anew or stops it.
    fn become_due(&mut self, timer: Timer, now: Now, host: &mut dyn Host) {
        match timer {
            Timer::Process(id, kind) => {
                self.with_process(id, now, host, |process, shell| process.become_due(kind, shell));
            }
            Timer::Tick => self.tick(now),
            Timer::EventRetry => {
                self.pools_moved = true;
                self.timers.set(timer, None);
            }
            // The calls that wait are looked at next, and then the shutdown.
            Timer::StopReport(_) | Timer::LastEvents | Timer::ShutdownReport => {
                self.timers.set(timer, None);
            }
        }
    }

    /// Lets a process act and keeps the timers true to what it did.
    pub(super) fn with_process<T>(
        &mut self,
        id: ProcId,
        now: Now,
        host: &mut dyn Host,
        act: impl FnOnce(&mut Process, &mut Shell<'_>) -> T,
    ) -> Option<T> {
        let process = self.roster.process_mut(id)?;
        let (pid_before, state_before) = (process.pid(), process.state());
        let start_before = (process.start_secs(), process.spawn_error().map(str::to_string));
        let mut occurred = Vec::new();
        let events = (!self.pools.is_empty()).then_some(&mut occurred);
        let mut shell = Shell { now, mood: self.mood, host, effects: &mut self.effects, events };
        let result = act(process, &mut shell);
        let pid_after = process.pid();
        let moved = pid_before != pid_after || state_before != process.state();
        // A retry that fails at once leaves the state as it was, perhaps with another reason.
        let start_after = (process.start_secs(), process.spawn_error());
        let retried = (start_before.0, start_before.1.as_deref()) != start_after;
        self.changes += u64::from(moved || retried);
        let listens =
            (moved && matches!(process.kind(), GroupKind::Listener(_))).then(|| process.group());
        set_timers(&mut self.timers, process, self.mood);
        for event in occurred {
            self.notify(event);
        }
        if let Some(group) = listens {
            self.listener_moved(group, id, pid_before, pid_after);
        }
        Some(result)
    }

    pub(super) fn log(&mut self, level: Level, text: impl Into<String>) {
        self.effects.push_back(Effect::Log(level, text.into()));
    }

    pub(super) fn new_job(&mut self) -> JobId {
        self.next_job += 1;
        JobId(self.next_job)
    }

    fn signalled(&mut self, number: i32) {
        let name = signal::name(number);
        match name.as_str() {
            "SIGTERM" | "SIGINT" | "SIGQUIT" => {
                self.log(Level::Warn, format!("received {name} indicating exit request"));
                self.set_mood(Mood::Shutdown);
            }
            "SIGHUP" if self.mood == Mood::Shutdown => self.log(
                Level::Warn,
                format!("ignored {name} indicating restart request (shutdown in progress)"),
            ),
            "SIGHUP" => {
                self.log(Level::Warn, format!("received {name} indicating restart request"));
                self.set_mood(Mood::Restarting);
            }
            "SIGCHLD" => self.log(Level::Debug, format!("received {name} indicating a child quit")),
            "SIGUSR2" => {
                self.log(Level::Info, format!("received {name} indicating log reopen request"));
                self.log(Level::Info, "supervisord logreopen");
                self.effects.push_back(Effect::ReopenLogs);
            }
            _ => self.log(Level::Blather, format!("received {name} indicating nothing")),
        }
    }

    /// Changes the mood. Leaving [`Mood::Running`] disarms the timers of everything that would start something.
    pub(super) fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
        self.changes += 1;
        for process in self.roster.processes() {
            set_timers(&mut self.timers, process, mood);
        }
    }

    /// Activates a group of the last configuration read; `false` when one of its name is active.
    pub(super) fn add_group(&mut self, available: usize, host: &mut dyn Host) -> bool {
        let name = &self.available.groups()[available].name;
        if self.roster.group_named(name).is_some() {
            return false;
        }
        let choose = |process: &str, channel: &str| host.auto_log_name(process, channel);
        let config = self.available.with_named_logs(available, choose);
        let Some(id) = self.roster.add(Rc::clone(&config)) else {
            return false;
        };
        for process in self.roster.members(id) {
            set_timers(&mut self.timers, process, self.mood);
        }
        self.add_pool(id, &config);
        self.changes += 1;
        self.notify(Event::group(EventKind::GroupAdded, &config.name));
        true
    }

    /// Deactivates a group; `false` while any of its processes is alive or coming up.
    pub(super) fn remove_group(&mut self, id: GroupId) -> bool {
        let idle = |process: &Process| process.state().is_stopped() && process.pid().is_none();
        if !self.roster.members(id).all(idle) {
            return false;
        }
        let Some(group) = self.roster.remove(id) else {
            return false;
        };
        self.changes += 1;
        for member in group.members {
            self.forget_timers(member);
        }
        self.remove_pool(id);
        self.notify(Event::group(EventKind::GroupRemoved, &group.config.name));
        true
    }

    fn forget_timers(&mut self, id: ProcId) {
        for kind in Kind::ALL {
            self.timers.set(Timer::Process(id, kind), None);
        }
        self.timers.set(Timer::StopReport(id), None);
    }
}

/// Keeps the timers true to what a process waits for.
fn set_timers(timers: &mut Timers, process: &Process, mood: Mood) {
    for kind in Kind::ALL {
        timers.set(Timer::Process(process.id(), kind), process.due(kind, mood));
    }
}
