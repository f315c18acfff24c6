//! How events get from where they occur to the listener pools (`events.py: notify`).
//!
//! Occurring and being handed out are two steps: an event is put into the buffers of the pools that want it; when
//! everything that follows from an input is done, the pools hand out what they have.

use std::rc::Rc;
use std::time::Duration;

use super::clock::after_secs;
use super::config::{GroupConfig, GroupKind};
use super::effect::{Effect, GroupId, JobId, ProcId, earliest};
use super::event::{Event, Subject};
use super::outside::Outside;
use super::pool::Pool;
use super::process::Process;
use super::result_handler::Judgement;
use super::roster::Roster;
use super::states::ProcessState;
use super::supervisor::{Supervisor, next_job};
use super::timers::Timer;

/// How long until a listener that has not read its last events is tried again, in seconds.
const CONGESTION_RETRY_SECS: i64 = 1;

/// How long a shutdown waits for listeners to take what happened before it is their turn to be stopped.
const LISTENER_GRACE: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Puts an event into the buffer of every pool that wants it. Serials count only events that somebody wants.
    pub(super) fn notify(&mut self, event: Event, outside: &mut Outside<'_>) {
        let event = Rc::new(event);
        if self.plugins.watches(event.kind()) {
            outside.effect(Effect::TellPlugins(Rc::clone(&event)));
        }
        let mut serial = None;
        for pool in self.pools.values_mut() {
            let copies = pool.copies(event.kind());
            if copies == 0 {
                continue;
            }
            let serial = *serial.get_or_insert_with(|| {
                let next = self.next_event;
                self.next_event += 1;
                next
            });
            pool.accept(&event, serial, copies, outside);
            self.pools_moved = true;
        }
    }

    /// Makes the pool of a group of listeners that became active.
    pub(super) fn add_pool(&mut self, group: GroupId, config: &GroupConfig) {
        if let GroupKind::Listener(listener) = &config.kind {
            let member = |process: &Process| (process.id(), process.config().name.clone());
            let members = self.roster.members(group).map(member).collect();
            self.pools.insert(group, Pool::new(&config.name, listener, members));
            self.watch_ticks();
        }
    }

    /// Forgets a pool and what is in its buffer.
    pub(super) fn remove_pool(&mut self, group: GroupId) {
        self.pools.remove(&group);
        self.watch_ticks();
    }

    /// The clock is looked at for the periods that somebody wants to hear of.
    pub(super) fn watch_ticks(&mut self) {
        let (pools, plugins) = (&self.pools, &self.plugins);
        let wanted =
            |kind| plugins.watches(kind) || pools.values().any(|pool| pool.copies(kind) > 0);
        self.ticker.watch(wanted);
        self.timers.set(Timer::Tick, self.ticker.deadline());
    }

    /// Notifies of the periods that have begun.
    pub(super) fn tick(&mut self, outside: &mut Outside<'_>) {
        for event in self.ticker.tick(outside.now) {
            self.notify(event, outside);
        }
        self.timers.set(Timer::Tick, self.ticker.deadline());
    }

    /// Whether the shutdown may stop a group; listeners may still have something to hear.
    pub(super) fn may_stop(&mut self, group: GroupId, now: Duration) -> bool {
        let roster = &self.roster;
        let running = |id| is_running(roster, id);
        let pool = self.pools.get_mut(&group);
        let until = pool.and_then(|pool| pool.waits_until(now, LISTENER_GRACE, running));
        self.timers.set(Timer::LastEvents, until);
        until.is_none()
    }

    /// Tells the pool of a listener about a change of its process id, or of its state.
    pub(super) fn listener_moved(
        &mut self,
        group: GroupId,
        id: ProcId,
        before: Option<i32>,
        after: Option<i32>,
        outside: &mut Outside<'_>,
    ) {
        self.pools_moved = true;
        let Some(pool) = self.pools.get_mut(&group) else {
            return;
        };
        if before != after {
            match after {
                Some(_) => pool.started(id),
                None => {
                    pool.ended(id, outside);
                }
            }
        }
    }

    /// A listener wrote to its stdout.
    pub(super) fn listener_said(&mut self, id: ProcId, bytes: &[u8], outside: &mut Outside<'_>) {
        self.pools_moved = true;
        let group = self.roster.process(id).map(Process::group);
        let jobs = &mut self.next_job;
        if let Some(pool) = group.and_then(|group| self.pools.get_mut(&group)) {
            pool.heard(id, bytes, &mut || next_job(jobs), outside);
        }
    }

    /// A handler in Python has judged a result.
    pub(super) fn judged(&mut self, job: JobId, judgement: &Judgement, outside: &mut Outside<'_>) {
        self.pools_moved = true;
        let jobs = &mut self.next_job;
        for pool in self.pools.values_mut() {
            pool.judged(job, judgement.clone(), &mut || next_job(jobs), outside);
        }
    }

    /// Notifies of something that a process said.
    pub(super) fn notify_of(
        &mut self,
        id: ProcId,
        event: impl FnOnce(Subject<'_>) -> Event,
        outside: &mut Outside<'_>,
    ) {
        if let Some(process) = self.roster.process(id).filter(|_| self.is_listened_to()) {
            let event = event(process.subject());
            self.notify(event, outside);
        }
    }

    /// Hands out what waits, where something changed since the last time.
    pub(super) fn dispatch(&mut self, outside: &mut Outside<'_>) {
        if !std::mem::take(&mut self.pools_moved) {
            return;
        }
        let roster = &self.roster;
        let running = |id| is_running(roster, id);
        for pool in self.pools.values_mut() {
            pool.dispatch(&self.settings.identifier, running, outside);
        }
        let congested = self.pools.values().any(Pool::is_congested);
        let retry = congested.then(|| after_secs(outside.now.mono, CONGESTION_RETRY_SECS));
        let retry = earliest(self.pools.values().map(Pool::deadline).chain([retry]));
        self.timers.set(Timer::EventRetry, retry);
    }
}

fn is_running(roster: &Roster, id: ProcId) -> bool {
    roster.process(id).is_some_and(|process| process.state() == ProcessState::Running)
}
