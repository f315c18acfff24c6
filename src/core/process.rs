//! One supervised process.
//!
//! [`next_state`] is the whole policy of changes, and [`goal`](super::goal) that of starts; everything else decides *when* a cause
//! occurs. What happens by itself (a retry, the step to RUNNING, the final SIGKILL) hangs on a timer, see
//! [`Process::due`]. The reference looks at every process once a second instead; where that is visible it is listed in
//! QUIRKS.md. How a process ends is told in [`ending`], how it stands
//! before the gate and what it is due for in [`standing`].

mod ending;
mod standing;

use std::time::Duration;

use super::clock::{Moment, after_secs};
use super::config::{GroupConfig, GroupKind, ProcessConfig};
use super::effect::{GroupId, KillError, ProcId, SpawnRequest};
use super::event::{Event, Subject};
use super::goal::{By, Gate, Goal, Shut};
use super::lifecycle::{Cause, next_state};
use super::outside::Outside;
use super::parting::Parting;
use super::shared::SharedConfig;
use super::signal;
use super::states::{Level, Mood, ProcessState};
use super::tally::Tally;
use super::timers::Kind;

/// What Python says of a signal to a process that is gone.
const NO_SUCH_PROCESS: &str = "[Errno 3] No such process";

/// Least time between two lines about waiting for the same process to stop, in seconds.
const STOP_REPORT_SECS: i64 = 2;

/// How long a process may outlive its SIGKILL before a shutdown goes on without it, in seconds: it hangs in the kernel.
const SURVIVAL_SECS: i64 = 10;

/// One process of a group.
#[derive(Debug)]
pub struct Process {
    id: ProcId,
    config: SharedConfig,
    group: GroupId,
    state: ProcessState,
    goal: Goal,
    pid: Option<i32>,
    /// Failed starts since the last successful one.
    backoff: i64,
    last_start: Option<Moment>,
    last_stop: Option<Moment>,
    last_stop_report: Option<Duration>,
    /// The exit that comes next was asked for.
    killing: bool,
    /// When the time to stop by itself is over (`stopwaitsecs` after the request).
    stop_until: Duration,
    /// When SIGKILL is due while it is STOPPING, at first then and later again.
    kill_due: Duration,
    /// When the first SIGKILL was sent because that time was over.
    killed_at: Option<Duration>,
    /// Its leader has ended.
    parting: Option<Parting>,
    exit_status: Option<i64>,
    spawn_error: Option<String>,
    /// It is a user of its program's FastCGI socket.
    uses_socket: bool,
    tally: Tally,
}

impl Process {
    /// A process that was never started. With `autostart` it is wanted from the beginning.
    pub(super) fn new(id: ProcId, config: SharedConfig, group: GroupId) -> Process {
        let goal = if config.autostart { Goal::Up(By::Autostart) } else { Goal::Down };
        Process {
            id,
            config,
            group,
            state: ProcessState::Stopped,
            goal,
            pid: None,
            backoff: 0,
            last_start: None,
            last_stop: None,
            last_stop_report: None,
            killing: false,
            stop_until: Duration::ZERO,
            kill_due: Duration::ZERO,
            killed_at: None,
            parting: None,
            exit_status: None,
            spawn_error: None,
            uses_socket: false,
            tally: Tally::default(),
        }
    }

    /// Its identity.
    pub fn id(&self) -> ProcId {
        self.id
    }

    /// Its configuration, log names resolved.
    pub fn config(&self) -> &ProcessConfig {
        &self.config
    }

    /// Name of its group.
    pub fn group_name(&self) -> &str {
        &self.config.group().name
    }

    /// Its group.
    pub(super) fn group(&self) -> GroupId {
        self.group
    }

    /// The configuration of its group.
    pub fn group_config(&self) -> &GroupConfig {
        self.config.group()
    }

    /// Kind of its group.
    pub fn kind(&self) -> &GroupKind {
        &self.config.group().kind
    }

    /// What events say about it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            process: &self.config.name,
            group: self.group_name(),
            pid: self.pid.unwrap_or_default(),
        }
    }

    /// A share of the same.
    pub(super) fn shared_config(&self) -> SharedConfig {
        self.config.clone()
    }

    /// What was counted of it.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Its state.
    pub fn state(&self) -> ProcessState {
        self.state
    }

    /// Process id while there is a process.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// The next exit was asked for.
    pub fn is_killing(&self) -> bool {
        self.killing
    }

    /// Exit status of the last run; -1 after a death by signal, `None` after a start or a quick exit.
    pub fn exit_status(&self) -> Option<i64> {
        self.exit_status
    }

    /// Why the last start failed or the last exit was not expected.
    pub fn spawn_error(&self) -> Option<&str> {
        self.spawn_error.as_deref()
    }

    /// Unix time of the last start, 0 if never.
    pub fn start_secs(&self) -> i64 {
        self.last_start.map_or(0, |moment| moment.wall_secs)
    }

    /// Unix time of the last exit, 0 if never.
    pub fn stop_secs(&self) -> i64 {
        self.last_stop.map_or(0, |moment| moment.wall_secs)
    }

    /// Offset of local time from UTC at the last exit, if there was one.
    pub fn stop_utc_offset_secs(&self) -> Option<i32> {
        self.last_stop.map(|moment| moment.utc_offset_secs)
    }

    /// A client wants it to run: it starts if the gate is open, and else when it opens. A live one is left alone with a
    /// warning.
    pub(super) fn start(&mut self, outside: &mut Outside<'_>) -> Gate {
        if self.pid.is_some() {
            let text = format!("process '{}' already running", self.config.name);
            outside.log(Level::Warn, text);
            return Gate::Shut(Shut::Alive);
        }
        self.goal = Goal::Up(By::Call);
        let gate = self.gate(outside.mood);
        self.become_due(Kind::Start, outside);
        self.become_due(Kind::Survive, outside); // startsecs=0 is RUNNING at once
        gate
    }

    /// Starts the process, for which the gate is open (`process.py: spawn`). A failure leaves the reason in
    /// [`Process::spawn_error`] and the process in BACKOFF.
    fn spawn(&mut self, outside: &mut Outside<'_>) {
        if self.failures().is_some() || self.goal == Goal::Up(By::Restart) {
            self.tally.restarts = self.tally.restarts.saturating_add(1);
        }
        self.killing = false;
        self.killed_at = None;
        self.spawn_error = None;
        self.exit_status = None;
        self.last_start = Some(outside.now.into());
        // The reference opens the socket before anything else, and dies when it cannot.
        let socket = self.open_socket(outside);
        self.change(Cause::Spawn, outside);
        match socket.and_then(|()| self.try_spawn(outside)) {
            Ok(pid) => {
                self.pid = Some(pid);
                outside.log(Level::Info, format!("spawned: '{}' with pid {pid}", self.config.name));
            }
            Err(reason) => {
                outside.log(Level::Info, format!("spawnerr: {reason}"));
                self.spawn_error = Some(reason);
                self.tally.spawn_failures = self.tally.spawn_failures.saturating_add(1);
                self.back_off(Cause::SpawnFailed, outside);
                self.close_socket(outside);
            }
        }
    }

    fn try_spawn(&mut self, outside: &mut Outside<'_>) -> Result<i32, String> {
        let logs = self.tally.count_logs();
        let command =
            outside.host.resolve(&self.config).map_err(|error| error.message().to_string())?;
        outside.host.spawn(SpawnRequest {
            proc: self.id,
            group_name: self.group_name(),
            kind: self.kind(),
            config: &self.config,
            command: &command,
            logs: &logs,
        })
    }

    /// Becomes a user of the program's FastCGI socket, if it has one (`process.py: FastCGISubprocess`).
    fn open_socket(&mut self, outside: &mut Outside<'_>) -> Result<(), String> {
        let Some(socket) = &self.config.socket else {
            return Ok(());
        };
        let opened = outside.host.open_socket(&self.config.group().name, socket);
        if opened != Ok(false) {
            outside.log(Level::Info, socket.creating());
        }
        self.uses_socket = opened.is_ok();
        opened.map(drop).map_err(|why| socket.failure(&why))
    }

    fn close_socket(&mut self, outside: &mut Outside<'_>) {
        if std::mem::take(&mut self.uses_socket)
            && let Some(socket) = &self.config.socket
            && outside.host.close_socket(&self.config.group().name, socket)
        {
            outside.log(Level::Info, socket.closing());
        }
    }

    /// Stops the process on request: its stop signal now, SIGKILL after `stopwaitsecs`. One that waits for its restart stays
    /// as it is.
    ///
    /// # Errors
    /// The text of fault FAILED when there is nothing to stop or the signal could not be sent.
    pub fn stop(&mut self, outside: &mut Outside<'_>) -> Result<(), String> {
        self.last_stop_report = None;
        if self.waits_to_restart() {
            self.goal = Goal::Down;
            outside.log(
                Level::Info,
                format!("stopped: {} (its restart is called off)", self.config.name),
            );
            return Ok(());
        }
        self.kill(self.config.stopsignal, outside)
    }

    /// Sends a signal with the intent to end the process (`process.py: kill`).
    fn kill(&mut self, signal: i32, outside: &mut Outside<'_>) -> Result<(), String> {
        let name = self.config.name.clone();
        if self.state == ProcessState::Backoff {
            outside
                .log(Level::Debug, format!("Attempted to kill {name}, which is in BACKOFF state."));
            self.change(Cause::Kill, outside);
            self.goal = Goal::Down;
            return Ok(());
        }
        let Some(pid) = self.pid else {
            let text = format!(
                "attempted to kill {name} with sig {} but it wasn't running",
                signal::name(signal)
            );
            outside.log(Level::Debug, text.clone());
            return Err(text);
        };
        // A second signal is the final SIGKILL.
        let as_group = if self.state == ProcessState::Stopping {
            self.config.killasgroup
        } else {
            self.config.stopasgroup
        };
        let whom = if as_group { "process group " } else { "" };
        outside.log(
            Level::Debug,
            format!("killing {name} (pid {pid}) {whom}with signal {}", signal::name(signal)),
        );
        // A stopwaitsecs of 0 means SIGKILL at once; after that the kernel gets a second before it is asked again.
        let wait_secs = if self.state == ProcessState::Stopping {
            self.config.stopwaitsecs.max(1)
        } else {
            self.config.stopwaitsecs
        };
        let due = after_secs(outside.now.mono, wait_secs);
        if self.state == ProcessState::Stopping {
            self.killed_at.get_or_insert(outside.now.mono);
        } else {
            self.stop_until = due;
        }
        self.killing = true;
        self.goal = Goal::Down;
        self.kill_due = due;
        self.change(Cause::Kill, outside);
        match outside.host.kill(if as_group { -pid } else { pid }, signal) {
            Ok(()) => Ok(()),
            Err(KillError::Gone) => {
                outside.log(
                    Level::Debug,
                    format!(
                        "unable to signal {name} (pid {pid}), it probably just exited on its own: {NO_SUCH_PROCESS}"
                    ),
                );
                Ok(())
            }
            Err(KillError::Other(why)) => {
                let text = format!("unknown problem killing {name} ({pid}):{why}");
                outside.log(Level::Critical, text.clone());
                self.change(Cause::SignalFailed, outside);
                self.killing = false;
                Err(text)
            }
        }
    }

    /// Sends a signal without the intent to end the process (`process.py: signal`).
    ///
    /// # Errors
    /// The text of fault FAILED when the signal could not be sent.
    pub fn signal(&mut self, signal: i32, outside: &mut Outside<'_>) -> Result<(), String> {
        let name = self.config.name.clone();
        let Some(pid) = self.pid else {
            let text = format!(
                "attempted to send {name} sig {} but it wasn't running",
                signal::name(signal)
            );
            outside.log(Level::Debug, text.clone());
            return Err(text);
        };
        outside
            .log(Level::Debug, format!("sending {name} (pid {pid}) sig {}", signal::name(signal)));
        match outside.host.kill(pid, signal) {
            Ok(()) => Ok(()),
            Err(KillError::Gone) => {
                outside.log(
                    Level::Debug,
                    format!(
                        "unable to signal {name} (pid {pid}), it probably just now exited on its own: {NO_SUCH_PROCESS}"
                    ),
                );
                Ok(())
            }
            Err(KillError::Other(why)) => {
                let text = format!("unknown problem sending sig {name} ({pid}):{why}");
                outside.log(Level::Critical, text.clone());
                self.change(Cause::SignalFailed, outside);
                Err(text)
            }
        }
    }

    /// Enters BACKOFF: the gate opens later, or giving up is due at once.
    fn back_off(&mut self, cause: Cause, outside: &mut Outside<'_>) {
        self.backoff += 1;
        self.change(cause, outside);
    }

    /// BACKOFF → FATAL, also when the supervisor stops.
    pub fn give_up(&mut self, outside: &mut Outside<'_>) {
        self.backoff = 0;
        self.goal = Goal::Down;
        self.change(Cause::GiveUp, outside);
    }

    /// Does what is due (`process.py: transition`), and nothing before its time. Every call either moves the deadline or
    /// removes it.
    pub fn become_due(&mut self, kind: Kind, outside: &mut Outside<'_>) {
        if self.due(kind, outside.mood).is_none_or(|due| due > outside.now.mono) {
            return;
        }
        match kind {
            Kind::Start | Kind::Restart => self.spawn(outside),
            Kind::GiveUp => {
                self.give_up(outside);
                outside.log(
                    Level::Info,
                    format!(
                        "gave up: {} entered FATAL state, too many start retries too quickly",
                        self.config.name
                    ),
                );
            }
            Kind::Survive => self.survive(outside),
            Kind::Kill if self.has_survived(outside) => self.leave_behind(outside),
            Kind::Kill => self.kill_finally(outside),
            Kind::Part => self.part(outside),
        }
    }

    fn survive(&mut self, outside: &mut Outside<'_>) {
        self.backoff = 0;
        self.change(Cause::Survived, outside);
        outside.log(
            Level::Info,
            format!(
                "success: {} entered RUNNING state, process has stayed up for > than {} seconds (startsecs)",
                self.config.name, self.config.startsecs
            ),
        );
    }

    /// The time to stop by itself is over: SIGKILL.
    fn kill_finally(&mut self, outside: &mut Outside<'_>) {
        let (name, pid) = (&self.config.name, self.pid.unwrap_or_default());
        outside.log(Level::Warn, format!("killing '{name}' ({pid}) with SIGKILL"));
        // A failure is already in the log, and the state says UNKNOWN.
        let _ = self.kill(signal::SIGKILL, outside);
    }

    /// Whether it is no use to wait for it any longer in a shutdown. Else it gets SIGKILL for as long as it takes.
    fn has_survived(&self, outside: &Outside<'_>) -> bool {
        let too_long = |killed| after_secs(killed, SURVIVAL_SECS) <= outside.now.mono;
        outside.mood != Mood::Running && self.killed_at.is_some_and(too_long)
    }

    fn leave_behind(&mut self, outside: &mut Outside<'_>) {
        let (name, pid) = (&self.config.name, self.pid.unwrap_or_default());
        let text = format!("'{name}' ({pid}) has survived SIGKILL and is left behind");
        outside.log(Level::Critical, text);
        self.change(Cause::SignalFailed, outside);
        self.killing = false;
    }

    /// Says that a stop is being waited for, at most every two seconds.
    pub fn stop_report(&mut self, outside: &mut Outside<'_>) {
        if self.stop_report_due().is_some_and(|due| due <= outside.now.mono) {
            outside.log(Level::Info, format!("waiting for {} to stop", self.config.name));
            self.last_stop_report = Some(outside.now.mono);
        }
    }

    /// When the next such line is due, while the process is stopping.
    pub fn stop_report_due(&self) -> Option<Duration> {
        (self.state == ProcessState::Stopping).then(|| {
            self.last_stop_report.map_or(Duration::ZERO, |last| after_secs(last, STOP_REPORT_SECS))
        })
    }

    fn change(&mut self, cause: Cause, outside: &mut Outside<'_>) {
        self.change_state(cause, true, outside);
    }

    /// The only place where the state changes (`process.py: change_state`). `expected` is for the event of an exit.
    fn change_state(&mut self, cause: Cause, expected: bool, outside: &mut Outside<'_>) {
        let next = next_state(self.state, cause);
        debug_assert!(next.is_some(), "{cause:?} in {:?}", self.state);
        let Some(next) = next.filter(|next| *next != self.state) else {
            return;
        };
        let from = std::mem::replace(&mut self.state, next);
        let (subject, tries) = (self.subject(), self.backoff);
        outside.occurred(|| Event::process_state(subject, from, next, tries, expected));
    }
}
