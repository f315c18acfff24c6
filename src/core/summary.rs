//! Everything supervised in one line, and how long its shutdown may take: what a service manager is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::after_secs;
use super::parting::KILLED_GRACE;
use super::process::Process;
use super::states::{Mood, ProcessState};
use super::supervisor::Supervisor;

/// What a group may take besides the time of its slowest process: its listeners hear their last events, SIGKILL does
/// its work, and what shares a group with a leader that has ended has its grace.
const GROUP_MARGIN: Duration = Duration::from_secs(3).saturating_add(KILLED_GRACE);

impl Supervisor {
    /// How many processes are in which state: `5 processes: 4 RUNNING, 1 FATAL`, with what the supervisor does before it
    /// unless it just runs.
    pub(crate) fn summary(&self) -> String {
        let mut counts: BTreeMap<ProcessState, usize> = BTreeMap::new();
        for process in self.roster.processes() {
            *counts.entry(process.state()).or_default() += 1;
        }
        let total: usize = counts.values().sum();
        let by_state: Vec<String> =
            counts.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
        let doing = match self.mood {
            Mood::Running => "",
            Mood::Restarting => "Restarting; ",
            Mood::Shutdown => "Shutting down; ",
        };
        let processes = if total == 1 { "process" } else { "processes" };
        match total {
            0 => format!("{doing}no processes"),
            _ => format!("{doing}{total} {processes}: {}", by_state.join(", ")),
        }
    }

    /// How long it may still take until everything is stopped: groups stop one after the other, and each takes as long as
    /// the slowest of its processes may.
    pub(crate) fn time_to_stop(&self, now: Duration) -> Duration {
        let of_group = |group| {
            let alive = self.roster.members(group).filter(|process| !process.state().is_stopped());
            alive.map(|process| process.time_to_stop(now)).max()
        };
        self.roster
            .groups()
            .filter_map(|(group, _)| of_group(group))
            .fold(Duration::ZERO, |sum, time| sum.saturating_add(time).saturating_add(GROUP_MARGIN))
    }
}

impl Process {
    /// How long it may still take until it gets SIGKILL, if it is asked to stop now or was asked before.
    fn time_to_stop(&self, now: Duration) -> Duration {
        match self.stops_until() {
            Some(until) => until.saturating_sub(now),
            None => after_secs(Duration::ZERO, self.config().stopwaitsecs),
        }
    }
}
