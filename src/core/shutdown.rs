//! The shutdown: one group after the other is stopped, and what listeners hear of it (`supervisord.py: runforever`).

use super::clock::after_secs;
use super::effect::{Effect, GroupId};
use super::event::{Event, EventKind};
use super::outside::Outside;
use super::plan::StopPlan;
use super::pool::Pool;
use super::process::Process;
use super::states::ProcessState::{
    Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown,
};
use super::states::{Level, Mood};
use super::supervisor::Supervisor;
use super::timers::Timer;

/// Least time between two lines about processes that hold up the shutdown, in seconds.
const SHUTDOWN_REPORT_SECS: i64 = 3;

impl Supervisor {
    /// What is not stopped yet of a group.
    fn unstopped(&self, group: GroupId) -> impl Iterator<Item = &Process> {
        self.roster.members(group).filter(|process| !process.state().is_stopped())
    }

    /// Takes the shutdown one step further: one group at a time, highest priority number first, each waiting for the
    /// one before it. Returns whether something moved that calls for another look.
    pub(super) fn advance_shutdown(&mut self, outside: &mut Outside<'_>) -> bool {
        if self.mood == Mood::Running || self.exited {
            return false;
        }
        // The reference takes a turn of its loop for each stopped group, in which listeners hear what happened before.
        let mut heard = self.stop_plan.is_none();
        if heard {
            self.stop_plan = Some(StopPlan::new(&self.roster));
            self.notify(Event::supervisor(EventKind::SupervisorStopping), outside);
        }
        while let Some(group) = self.stop_plan.as_ref().and_then(StopPlan::next) {
            let may_stop = self.may_stop(group, outside.now.mono);
            if self.unstopped(group).next().is_some() {
                if may_stop && self.stop_all(group, outside) {
                    return true;
                }
                self.report_shutdown(outside);
                return false;
            }
            self.stop_plan.iter_mut().for_each(StopPlan::done);
            if std::mem::replace(&mut heard, true) {
                self.pools.values_mut().for_each(Pool::mark_input);
            }
        }
        self.exited = true;
        self.timers.set(Timer::ShutdownReport, None);
        outside.effect(Effect::Exit(self.mood));
        false
    }

    /// Stops what runs in a group and gives up on what is in BACKOFF; whether there was any.
    fn stop_all(&mut self, group: GroupId, outside: &mut Outside<'_>) -> bool {
        let mut moved = false;
        for id in StopPlan::members(&self.roster, group) {
            let stop = |process: &mut Process, outside: &mut Outside<'_>| match process.state() {
                Backoff => {
                    process.give_up(outside);
                    true
                }
                Running | Starting => {
                    // A failure is in the log, and leaves a state that counts as stopped.
                    let _ = process.stop(outside);
                    true
                }
                Stopped | Stopping | Exited | Fatal | Unknown => false,
            };
            moved |= self.with_process(id, outside, stop).unwrap_or(false);
        }
        moved
    }

    /// Says who holds up the shutdown, unless that was said a short time ago: the timer runs.
    fn report_shutdown(&mut self, outside: &mut Outside<'_>) {
        if self.timers.deadline(Timer::ShutdownReport).is_some() {
            return;
        }
        let again = after_secs(outside.now.mono, SHUTDOWN_REPORT_SECS);
        self.timers.set(Timer::ShutdownReport, Some(again));
        let waiting: Vec<(String, &'static str)> = self
            .roster
            .groups()
            .flat_map(|(group, _)| self.unstopped(group))
            .map(|process| (process.config().name.clone(), process.state().name()))
            .collect();
        let names: Vec<&str> = waiting.iter().map(|(name, _)| name.as_str()).collect();
        outside.log(Level::Info, format!("waiting for {} to die", names.join(", ")));
        for (name, state) in waiting {
            outside.log(Level::Blather, format!("{name} state: {state}"));
        }
    }
}
