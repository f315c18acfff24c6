//! How a process stands: before the gate, and for what it is due.

use std::time::Duration;

use super::Process;
use crate::core::clock::{Moment, after_secs};
use crate::core::goal::{self, By, Failures, Gate, Goal, Standing};
use crate::core::states::{Mood, ProcessState};
use crate::core::timers::Kind;

impl Process {
    /// Whether it may start.
    pub(in crate::core) fn gate(&self, mood: Mood) -> Gate {
        let (started, ended) = self.last_turns();
        let (goal, alive, failed) = (self.goal, self.pid.is_some(), self.failures());
        let delay = self.config.restart_delay;
        goal::gate(&Standing { goal, alive, failed, started, ended, delay }, mood)
    }

    /// Whether a client can stop it.
    pub(in crate::core) fn can_be_stopped(&self) -> bool {
        self.state.is_running() || self.waits_to_restart()
    }

    /// Whether it ended by itself and waits for its `restart_delay` to be over.
    pub(in crate::core) fn waits_to_restart(&self) -> bool {
        let delayed = self.config.restart_delay > 0 && self.pid.is_none();
        delayed && self.kind_of_start() == Kind::Restart
    }

    /// What its next start is. One that failed is tried again like any other.
    fn kind_of_start(&self) -> Kind {
        match (self.goal, self.failures()) {
            (Goal::Up(By::Restart), None) => Kind::Restart,
            (Goal::Up(By::Restart), Some(_)) => Kind::Start,
            (Goal::Up(By::Autostart | By::Call) | Goal::Down, _) => Kind::Start,
        }
    }

    /// Whether a client wants it to start, and it waits for that.
    pub(in crate::core) fn is_about_to_start(&self, mood: Mood) -> bool {
        let asked = self.goal == Goal::Up(By::Call) && self.failures().is_none();
        asked && matches!(self.gate(mood), Gate::Opens(_))
    }

    /// When the time is over that it has to stop by itself, once it was asked to.
    pub(in crate::core) fn stops_until(&self) -> Option<Duration> {
        (self.state == ProcessState::Stopping).then_some(self.stop_until)
    }

    /// When it was started and when it ended last; the beginning of time for never.
    pub(super) fn last_turns(&self) -> (Duration, Duration) {
        let mono = |moment: Option<Moment>| moment.map_or(Duration::ZERO, |moment| moment.mono);
        (mono(self.last_start), mono(self.last_stop))
    }

    pub(super) fn failures(&self) -> Option<Failures> {
        let failed = self.state == ProcessState::Backoff;
        failed.then_some(Failures { count: self.backoff, most: self.config.startretries })
    }

    /// When it has something of this kind to do, on the monotonic clock.
    pub(in crate::core) fn due(&self, kind: Kind, mood: Mood) -> Option<Duration> {
        let (started, ended) = self.last_turns();
        match (kind, &self.parting) {
            (Kind::Part, parting) => parting.as_ref()?.deadline(self.asked()),
            (Kind::Start | Kind::Restart, _) => match self.gate(mood) {
                Gate::Opens(at) => (kind == self.kind_of_start()).then_some(at),
                Gate::Shut(_) => None,
            },
            (Kind::GiveUp, _) => {
                let too_many = self.failures().is_some_and(Failures::are_too_many);
                too_many.then(|| started.max(ended))
            }
            (Kind::Survive, None) => (self.state == ProcessState::Starting)
                .then(|| after_secs(started, self.config.startsecs)),
            (Kind::Kill, None) => (self.state == ProcessState::Stopping).then_some(self.kill_due),
            (Kind::Survive | Kind::Kill, Some(_)) => None,
        }
    }
}
