//! The state of everything supervised: groups and processes, what becomes due, the mood.
//!
//! It is told what to do and knows nothing of calls; [`machine`](super::machine) drives it. What anything costs here
//! depends on what is due, not on how many programs there are.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::config::{Config, Factory, GroupKind, ProcessConfig, RpcInterface, Settings};
use super::effect::{Effect, GroupId, JobId, ProcId};
use super::event::{Event, EventKind};
use super::info::Extent;
use super::namespec;
use super::outside::Outside;
use super::plan::StopPlan;
use super::plugins::Plugins;
use super::pool::Pool;
use super::process::Process;
use super::roster::{Available, Roster};
use super::signal;
use super::states::{Level, Mood};
use super::tick::Ticker;
use super::timers::{Kind, Timer, Timers};

/// The state of everything supervised.
#[derive(Debug)]
pub(crate) struct Supervisor {
    pub(super) settings: Settings,
    /// Names under which the main interface is published.
    pub(super) rpcinterfaces: Vec<String>,
    pub(super) plugins: Plugins,
    pub(super) available: Available,
    pub(super) roster: Roster,
    pub(super) mood: Mood,
    pub(super) pid: i32,
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
    /// Processes that changed since anybody asked, for the calls that wait for that.
    pub(super) changed: Vec<ProcId>,
    /// What is still to be stopped; `None` until the shutdown begins.
    pub(super) stop_plan: Option<StopPlan>,
    pub(super) exited: bool,
    /// The last number given to a job.
    pub(super) next_job: u64,
}

/// The number of the next job.
pub(super) fn next_job(last: &mut u64) -> JobId {
    *last += 1;
    JobId(*last)
}

impl Supervisor {
    /// A supervisor of the given configuration with nothing active yet; `pid` is the daemon's own.
    pub(super) fn new(config: Config, pid: i32) -> Supervisor {
        let (main, plugins): (Vec<_>, Vec<_>) = config
            .rpcinterfaces
            .into_iter()
            .partition(|interface| interface.factory == Factory::Main);
        let names = |interfaces: Vec<RpcInterface>| {
            interfaces.into_iter().map(|interface| interface.name).collect()
        };
        Supervisor {
            verbose: config.settings.loglevel <= Level::Debug,
            settings: config.settings,
            rpcinterfaces: names(main),
            plugins: Plugins::new(names(plugins)),
            available: Available::new(config.groups),
            roster: Roster::default(),
            mood: Mood::Running,
            pid,
            pools: BTreeMap::new(),
            pools_moved: false,
            ticker: Ticker::new(),
            next_event: 0,
            changes: 0,
            timers: Timers::default(),
            changed: Vec::new(),
            stop_plan: None,
            exited: false,
            next_job: 0,
        }
    }

    /// Adds every group of the configuration. Nothing is started before the first input.
    pub(super) fn add_all_groups(&mut self, outside: &mut Outside<'_>) {
        for index in 0..self.available.groups().len() {
            self.add_group(index, outside);
        }
        self.notify(Event::supervisor(EventKind::SupervisorRunning), outside);
    }

    /// The serial the next event will have. A restart in the same process goes on counting.
    pub(crate) fn next_event_serial(&self) -> u64 {
        self.next_event
    }

    /// Settings in force.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the supervisor is doing.
    pub(crate) fn mood(&self) -> Mood {
        self.mood
    }

    /// How often states, processes or the mood have changed; whoever sees the same number has seen everything.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// How much there is of everything supervised.
    pub(crate) fn extent(&self) -> Extent {
        self.roster.extent()
    }

    /// The process of a group, by their names as clients give them.
    pub(crate) fn find(&self, group: &str, process: &str) -> Option<&Process> {
        self.roster.find(group, process)
    }

    /// The one process that a namespec names.
    pub(super) fn process_named(&self, name: &str) -> Option<&Process> {
        let spec = namespec::split(name);
        self.find(spec.group, spec.process?)
    }

    /// A process by its identity.
    pub(crate) fn process(&self, id: ProcId) -> Option<&Process> {
        self.roster.process(id)
    }

    /// Whether programs wait for a first start that is due at once, of the configuration or of a group just added. Whoever
    /// asks finds them started, as under the reference: clients are heard when this is over.
    pub(crate) fn starts_up(&self) -> bool {
        self.mood == Mood::Running && self.timers.first_starts_wait()
    }

    /// Lets a process act and keeps the timers true to what it did.
    pub(super) fn with_process<T>(
        &mut self,
        id: ProcId,
        outside: &mut Outside<'_>,
        act: impl FnOnce(&mut Process, &mut Outside<'_>) -> T,
    ) -> Option<T> {
        let listened_to = self.is_listened_to();
        let process = self.roster.process_mut(id)?;
        let (pid_before, state_before) = (process.pid(), process.state());
        let start_before = (process.start_secs(), process.spawn_error().map(str::to_string));
        outside.mood = self.mood;
        outside.events = listened_to.then(Vec::new);
        let result = act(process, outside);
        let occurred = outside.events.take();
        let pid_after = process.pid();
        let moved = pid_before != pid_after || state_before != process.state();
        // A retry that fails at once leaves the state as it was, perhaps with another reason.
        let start_after = (process.start_secs(), process.spawn_error());
        let retried = (start_before.0, start_before.1.as_deref()) != start_after;
        if moved || retried {
            self.changes += 1;
            self.changed.push(id);
        }
        let listens =
            (moved && matches!(process.kind(), GroupKind::Listener(_))).then(|| process.group());
        set_timers(&mut self.timers, process, self.mood);
        for event in occurred.into_iter().flatten() {
            self.notify(event, outside);
        }
        if let Some(group) = listens {
            self.listener_moved(group, id, pid_before, pid_after, outside);
        }
        Some(result)
    }

    /// Whether anybody may want an event.
    pub(super) fn is_listened_to(&self) -> bool {
        !self.pools.is_empty() || self.plugins.watch_any()
    }

    pub(super) fn new_job(&mut self) -> JobId {
        next_job(&mut self.next_job)
    }

    /// The daemon got a signal.
    pub(super) fn signalled(&mut self, number: i32, outside: &mut Outside<'_>) {
        let name = signal::name(number);
        match name.as_str() {
            "SIGTERM" | "SIGINT" | "SIGQUIT" => {
                outside.log(Level::Warn, format!("received {name} indicating exit request"));
                self.set_mood(Mood::Shutdown);
            }
            "SIGHUP" if self.mood == Mood::Shutdown => outside.log(
                Level::Warn,
                format!("ignored {name} indicating restart request (shutdown in progress)"),
            ),
            "SIGHUP" => {
                outside.log(Level::Warn, format!("received {name} indicating restart request"));
                self.set_mood(Mood::Restarting);
            }
            "SIGCHLD" => {
                outside.log(Level::Debug, format!("received {name} indicating a child quit"))
            }
            "SIGUSR2" => {
                outside.log(Level::Info, format!("received {name} indicating log reopen request"));
                outside.log(Level::Info, "supervisord logreopen");
                outside.effect(Effect::ReopenLogs);
            }
            _ => outside.log(Level::Blather, format!("received {name} indicating nothing")),
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
    pub(super) fn add_group(&mut self, available: usize, outside: &mut Outside<'_>) -> bool {
        let name = &self.available.groups()[available].name;
        if self.roster.group_named(name).is_some() {
            return false;
        }
        let choose = |process: &str, channel: &str| outside.host.auto_log_name(process, channel);
        let config = self.available.with_named_logs(available, choose);
        let Some(id) = self.roster.add(Rc::clone(&config)) else {
            return false;
        };
        for process in self.roster.members(id) {
            set_timers(&mut self.timers, process, self.mood);
        }
        self.add_pool(id, &config);
        self.changes += 1;
        self.notify(Event::group(EventKind::GroupAdded, &config.name), outside);
        true
    }

    /// Deactivates a group; `false` while any of its processes is alive or coming up.
    pub(super) fn remove_group(&mut self, id: GroupId, outside: &mut Outside<'_>) -> bool {
        let idle = |process: &Process| process.state().is_stopped() && process.pid().is_none();
        if !self.roster.members(id).all(idle) {
            return false;
        }
        let Some(group) = self.roster.remove(id) else {
            return false;
        };
        self.changes += 1;
        for member in group.members {
            self.changed.push(member);
            self.forget_timers(member);
        }
        self.remove_pool(id);
        self.notify(Event::group(EventKind::GroupRemoved, &group.config.name), outside);
        true
    }

    /// Makes a program that is in no file a process of an active group of programs. `None` when the group takes none.
    pub(super) fn add_process(
        &mut self,
        group: GroupId,
        mut config: ProcessConfig,
        outside: &mut Outside<'_>,
    ) -> Option<ProcId> {
        let active = self.roster.group(group)?;
        if active.config.kind != GroupKind::Plain {
            return None;
        }
        config.name_logs(|process, channel| outside.host.auto_log_name(process, channel));
        let id = self.roster.add_process(group, config)?;
        if let Some(process) = self.roster.process(id) {
            set_timers(&mut self.timers, process, self.mood);
        }
        self.changes += 1;
        Some(id)
    }

    /// Takes one process away from its group; `false` while it is alive or coming up.
    pub(super) fn remove_process(&mut self, id: ProcId) -> bool {
        let idle = |process: &Process| process.state().is_stopped() && process.pid().is_none();
        if !self.roster.process(id).is_some_and(idle) {
            return false;
        }
        self.roster.remove_process(id);
        self.changes += 1;
        self.changed.push(id);
        self.forget_timers(id);
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
