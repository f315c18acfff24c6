//! The core as it is driven: one input in, effects out.
//!
//! Two layers. Below is the state ([`Supervisor`]): who is supervised, what becomes due, who is told of it. Above are the
//! calls that have not been answered ([`Calls`]); they act on the state, which knows nothing of them. [`Core::handle`]
//! runs both to a fix-point: pending calls, what is due, the shutdown, until none of them moves. Nothing re-enters it;
//! effects wait in a queue.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::Now;
use super::config::Config;
use super::effect::{Caller, Effect, Host, Input};
use super::event::{Event, Subject};
use super::outside::Outside;
use super::pool::Pool;
use super::rpc::pending::Calls;
use super::states::Level;
use super::supervisor::Supervisor;
use super::timers::{Starts, Timer};

/// Most starts that one input brings about: each takes a fork, and others wait.
const STARTS_PER_INPUT: usize = 8;

/// The state, the calls that wait, and what is to be done about both.
#[derive(Debug)]
pub(crate) struct Core {
    supervisor: Supervisor,
    calls: Calls,
    effects: VecDeque<Effect>,
    /// Nothing becomes due.
    held: bool,
}

impl Core {
    /// A core of the given configuration with nothing active yet; `pid` is the daemon's own.
    pub(crate) fn new(config: Config, pid: i32) -> Core {
        let supervisor = Supervisor::new(config, pid);
        Core { supervisor, calls: Calls::default(), effects: VecDeque::new(), held: false }
    }

    /// Adds every group of the configuration. Nothing is started before the first input.
    pub(crate) fn add_all_groups(&mut self, host: &mut dyn Host) {
        let (supervisor, _, mut outside) = self.parts(Now::BEGINNING, host);
        supervisor.add_all_groups(&mut outside);
    }

    /// Lets nothing become due, neither the first starts, before the next [`Input::Timer`].
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    /// Goes on counting events where an earlier life ended.
    pub(crate) fn count_events_from(&mut self, serial: u64) {
        self.supervisor.next_event = serial;
    }

    /// What is supervised.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The calls that wait.
    #[cfg(test)]
    pub(super) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The next effect to be carried out.
    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Timer`] is wanted, on the monotonic clock.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.supervisor.timers.next()
    }

    /// Whether a call could go on, but for others that are to have a turn first: [`Input::Turn`] is wanted.
    pub(crate) fn waits_for_turn(&self) -> bool {
        self.calls.wait_for_turn()
    }

    /// Takes one input and does everything that follows from it; of starts that are due, a few. When more are,
    /// [`Core::next_deadline`] is in the past, and the others had their turn meanwhile.
    pub(crate) fn handle(&mut self, now: Now, host: &mut dyn Host, input: Input) {
        self.held &= !matches!(input, Input::Timer);
        let held = self.held;
        let (supervisor, calls, mut outside) = self.parts(now, host);
        supervisor.pools.values_mut().for_each(Pool::mark_input);
        take(input, supervisor, calls, &mut outside);
        settle(supervisor, calls, held, &mut outside);
    }

    fn parts<'a>(
        &'a mut self,
        now: Now,
        host: &'a mut dyn Host,
    ) -> (&'a mut Supervisor, &'a mut Calls, Outside<'a>) {
        let Core { supervisor, calls, effects, .. } = self;
        let (mood, verbose) = (supervisor.mood, supervisor.verbose);
        let caller = Caller::Client(0);
        (supervisor, calls, Outside { now, mood, host, effects, events: None, caller, verbose })
    }
}

fn take(input: Input, supervisor: &mut Supervisor, calls: &mut Calls, outside: &mut Outside<'_>) {
    match input {
        Input::Timer => {}
        Input::LeaderEnded { proc, status, open_pipes } => {
            supervisor.with_process(proc, outside, |process, outside| {
                process.leader_ended(status, open_pipes, outside);
            });
        }
        Input::PipeClosed { proc } => {
            supervisor.with_process(proc, outside, |process, outside| process.pipe_closed(outside));
        }
        Input::GroupSeen { proc, others } => {
            supervisor.with_process(proc, outside, |process, outside| {
                process.group_seen(others, outside);
            });
        }
        Input::Finished { proc, status } => {
            supervisor.with_process(proc, outside, |process, outside| {
                process.finish(status, outside);
            });
        }
        Input::StrangerEnded { pid, status } => {
            outside.log(Level::Info, format!("reaped unknown pid {pid} ({})", status.describe()));
        }
        Input::Call { reply, call } => calls.receive(reply, &call, supervisor, outside),
        Input::Hangup { reply } => calls.hang_up(reply, supervisor),
        Input::Turn => calls.give_turn(),
        Input::Signal(number) => supervisor.signalled(number, outside),
        Input::JobDone { job, outcome } => calls.job_done(job, outcome, supervisor, outside),
        Input::ListenerBytes { proc, bytes } => supervisor.listener_said(proc, &bytes, outside),
        Input::ProcessLog { proc, channel, data } => {
            supervisor.notify_of(proc, |subject| Event::log(subject, channel, data), outside);
        }
        Input::Communication { proc, channel, data } => {
            let event = |subject: Subject<'_>| Event::communication(subject, channel, data);
            supervisor.notify_of(proc, event, outside);
        }
    }
}

/// Runs pending calls, what is due and the shutdown until nothing moves; then hands out events.
fn settle(supervisor: &mut Supervisor, calls: &mut Calls, held: bool, outside: &mut Outside<'_>) {
    let mut starts = 0;
    loop {
        let may = if starts < STARTS_PER_INPUT { Starts::May } else { Starts::Wait };
        let due = supervisor.timers.due(outside.now.mono, may).filter(|_| !held);
        // Calls first: a client that waits for RUNNING must see it even if the process dies in the same instant. But what
        // they have to say is in the order they came, so all of it becomes due before.
        let reports = matches!(due, Some(Timer::StopReport(_)));
        if !reports && calls.poll(supervisor, outside) {
            continue;
        }
        if let Some(timer) = due {
            starts += usize::from(timer.is_start());
            become_due(timer, supervisor, calls, outside);
        } else if !supervisor.advance_shutdown(outside) {
            break;
        }
    }
    supervisor.dispatch(outside);
}

/// Does what is due, which sets the timer anew or stops it.
fn become_due(
    timer: Timer,
    supervisor: &mut Supervisor,
    calls: &mut Calls,
    outside: &mut Outside<'_>,
) {
    match timer {
        Timer::Process(id, kind) => {
            supervisor.with_process(id, outside, |process, outside| {
                process.become_due(kind, outside);
            });
        }
        Timer::Tick => supervisor.tick(outside),
        Timer::EventRetry => {
            supervisor.pools_moved = true;
            supervisor.timers.set(timer, None);
        }
        Timer::StopReport(id) => {
            supervisor.timers.set(timer, None);
            calls.wake_for_report(id);
        }
        // The shutdown is looked at when nothing else is due.
        Timer::LastEvents | Timer::ShutdownReport => supervisor.timers.set(timer, None),
    }
}
