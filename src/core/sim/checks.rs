//! What must hold after every input.

use super::Run;
use super::world::Child;
use crate::core::listener::ListenerState;
use crate::core::process::Process;
use crate::core::states::{Mood, ProcessState};
use crate::core::timers::{Kind, Timer};

impl Run {
    /// What must hold of listeners and FastCGI sockets.
    fn check_groups(&self) {
        for pool in self.core.supervisor().pools.values() {
            assert!(pool.waiting() <= pool.capacity(), "buffer of {} too long", pool.name());
        }
        for child in self.world.children.values() {
            let Some(mirror) = &child.mirror else { continue };
            let pool =
                self.core.supervisor().pools.values().find(|pool| pool.name() == child.group);
            let (state, serial) = pool.and_then(|pool| pool.listener(child.proc)).expect("a pool");
            assert_eq!(state, mirror.listener.state());
            assert_eq!(serial.is_some(), state == ListenerState::Busy);
            assert_eq!(mirror.holds.is_some(), serial.is_some());
        }
        for ((group, program), users) in &self.world.socket_users {
            let uses =
                |child: &&Child| child.group == *group && child.socket.as_ref() == Some(program);
            let alive = self.world.children.values().filter(uses).count();
            assert_eq!(*users, alive, "users of the socket of {program} in {group}");
        }
    }

    /// The table of timers and the tickets of calls say what processes and calls themselves say.
    fn check_tables(&self) {
        let supervisor = self.core.supervisor();
        for process in supervisor.roster.processes() {
            for kind in Kind::ALL {
                let set = supervisor.timers.deadline(Timer::Process(process.id(), kind));
                assert_eq!(set, process.due(kind, supervisor.mood()), "{kind:?} of {process:?}");
            }
        }
        let calls = self.core.calls();
        assert!(calls.tickets_are_true(), "{calls:?}");
        for process in supervisor.roster.processes().map(Process::id) {
            let report = supervisor.timers.deadline(Timer::StopReport(process));
            assert!(report.is_none() || calls.wait_for(process), "a line that nobody waits for");
        }
    }

    /// What must hold after every input.
    pub(super) fn check(&self) {
        self.check_groups();
        self.check_tables();
        for process in self.core.supervisor().roster.processes() {
            let alive = matches!(
                process.state(),
                ProcessState::Starting
                    | ProcessState::Running
                    | ProcessState::Stopping
                    | ProcessState::Unknown
            );
            assert_eq!(process.pid().is_some(), alive, "{:?}", process.state());
            if let Some(pid) = process.pid() {
                assert_eq!(self.world.children[&pid].proc, process.id());
            }
        }
        for (pid, child) in &self.world.children {
            let owner =
                self.core.supervisor().process(child.proc).and_then(|process| process.pid());
            assert_eq!(owner, Some(*pid), "a child nobody knows");
        }
        if self.core.supervisor().mood() != Mood::Running {
            let unstopped =
                self.core.supervisor().roster.processes().filter(|p| !p.state().is_stopped());
            let highest = unstopped.map(|process| process.config().priority).max();
            for priority in &self.world.stop_signals {
                assert!(highest.is_none_or(|highest| highest <= *priority), "stopped out of order");
            }
        }
    }
}
