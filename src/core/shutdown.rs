//! The shutdown: one group after the other is stopped, and what listeners hear of it (`supervisord.py: runforever`).

use super::clock::{Now, after_secs};
use super::effect::{Effect, Host};
use super::event::{Event, EventKind};
use super::pool::Pool;
use super::process::Process;
use super::states::ProcessState::{Backoff, Running, Starting};
use super::states::{Level, Mood};
use super::supervisor::{Group, Supervisor};
use super::timers::Timer;

/// Least time between two lines about processes that hold up the shutdown, in seconds.
const SHUTDOWN_REPORT_SECS: i64 = 3;

impl Supervisor {
    /// What is not stopped yet of a group.
    fn unstopped(&self, group: &Group) -> impl Iterator<Item = &Process> {
        group
            .members
            .iter()
            .map(|id| &self.processes[id])
            .filter(|process| !process.state().is_stopped())
    }

    /// Takes the shutdown one step further: one group at a time, highest priority number first, each waiting for the
    /// one before it. Returns whether something moved that calls for another look.
    pub(super) fn advance_shutdown(&mut self, now: Now, host: &mut dyn Host) -> bool {
        if self.mood == Mood::Running || self.exited {
            return false;
        }
        // The reference takes a turn of its loop for each stopped group, in which listeners hear what happened before.
        let mut heard = self.stop_order.is_none();
        if heard {
            let mut groups: Vec<&Group> = self.groups.iter().collect();
            groups.sort_by_key(|group| group.config.priority);
            let order = groups.into_iter().map(|group| group.config.name.clone()).collect();
            self.stop_order = Some(order);
            self.notify(Event::supervisor(EventKind::SupervisorStopping));
        }
        while let Some(index) = self.last_to_stop() {
            let may_stop = self.may_stop(index, now);
            if self.unstopped(&self.groups[index]).next().is_some() {
                if may_stop && self.stop_all(index, now, host) {
                    return true;
                }
                self.report_shutdown(now);
                return false;
            }
            if let Some(order) = &mut self.stop_order {
                order.pop();
            }
            if std::mem::replace(&mut heard, true) {
                self.pools.iter_mut().for_each(Pool::mark_input);
            }
        }
        self.exited = true;
        self.timers.set(Timer::ShutdownReport, None);
        self.effects.push_back(Effect::Exit(self.mood));
        false
    }

    /// Index of the group to be stopped next.
    fn last_to_stop(&mut self) -> Option<usize> {
        while let Some(name) = self.stop_order.as_ref()?.last().cloned() {
            match self.group_index(&name) {
                Some(index) => return Some(index),
                // Removed meanwhile.
                None => drop(self.stop_order.as_mut()?.pop()),
            }
        }
        None
    }

    /// Stops what runs in a group and gives up on what is in BACKOFF; whether there was any.
    fn stop_all(&mut self, index: usize, now: Now, host: &mut dyn Host) -> bool {
        let mut order = self.by_priority(&self.groups[index]);
        order.reverse();
        let mut moved = false;
        for id in order {
            let state = self.processes[&id].state();
            if matches!(state, Running | Starting | Backoff) {
                moved = true;
                self.with_process(id, now, host, |process, shell| {
                    if state == Backoff {
                        process.give_up(shell);
                    } else {
                        // A failure is in the log, and leaves a state that counts as stopped.
                        let _ = process.stop(shell);
                    }
                });
            }
        }
        moved
    }

    /// Says who holds up the shutdown, unless that was said a short time ago: the timer runs.
    fn report_shutdown(&mut self, now: Now) {
        if self.timers.deadline(Timer::ShutdownReport).is_some() {
            return;
        }
        let again = after_secs(now.mono, SHUTDOWN_REPORT_SECS);
        self.timers.set(Timer::ShutdownReport, Some(again));
        let waiting: Vec<(String, &'static str)> = self
            .groups
            .iter()
            .flat_map(|group| self.unstopped(group))
            .map(|process| (process.config().name.clone(), process.state().name()))
            .collect();
        let names: Vec<&str> = waiting.iter().map(|(name, _)| name.as_str()).collect();
        self.log(Level::Info, format!("waiting for {} to die", names.join(", ")));
        for (name, state) in waiting {
            self.log(Level::Blather, format!("{name} state: {state}"));
        }
    }
}
