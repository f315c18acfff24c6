//! The simulated operating system: programs that end by themselves or when they are told, listeners, sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::order::Orders;
use super::random::Rng;
use crate::core::config::{FastCgiSocket, GroupKind, ProcessConfig};
use crate::core::effect::{
    CommandError, ExitStatus, Host, JobId, KillError, ProcId, ResolvedCommand, SpawnRequest,
    StdinError, Verdict,
};
use crate::core::listener::{Listener, ListenerState, Step};
use crate::core::result_handler::{Judgement, ResultHandler};

/// A program of the simulated world, encoded in its command.
pub(super) struct Child {
    pub(super) proc: ProcId,
    pub(super) priority: i64,
    pub(super) ignores_term: bool,
    pub(super) untouchable: bool,
    /// It hangs in the kernel: signals do not end it.
    pub(super) immortal: bool,
    /// Its leader has ended, and so many of its pipes are open still.
    pub(super) parting: Option<usize>,
    pub(super) exit: Option<(Duration, ExitStatus)>,
    pub(super) group: String,
    /// The program whose FastCGI socket it uses.
    pub(super) socket: Option<String>,
    /// What a listener knows of itself: the same parser, fed the same bytes.
    pub(super) mirror: Option<Mirror>,
}

#[derive(Default)]
pub(super) struct Mirror {
    pub(super) listener: Listener,
    /// Serial of the event it works on.
    pub(super) holds: Option<u64>,
    /// Its pool asks a handler in Python.
    python: bool,
    /// What it asks about its result.
    judging: Option<Judging>,
}

impl Mirror {
    fn of(kind: &GroupKind) -> Option<Mirror> {
        let GroupKind::Listener(pool) = kind else { return None };
        let python = ResultHandler::is_python(&pool.result_handler);
        Some(Mirror { python, ..Mirror::default() })
    }
}

/// A question to a handler in Python.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judging {
    /// About to be asked.
    Soon,
    /// Asked.
    As(JobId),
}

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) now: Duration,
    /// Pids of processes that are finished and not reaped yet.
    pub(super) zombies: BTreeSet<i32>,
    pub(super) children: BTreeMap<i32, Child>,
    pub(super) orders: Orders,
    /// Events that listeners are done with, by pool and serial.
    pub(super) accepted: BTreeSet<(String, u64)>,
    /// By group and program.
    pub(super) socket_users: BTreeMap<(String, String), usize>,
    /// Priority of the group of every process that was asked to stop since this was last emptied.
    pub(super) stop_signals: Vec<i64>,
}

impl World {
    pub(super) fn schedule(&mut self, pid: i32, after_ms: u64, status: ExitStatus) {
        let at = self.now + Duration::from_millis(after_ms);
        if let Some(child) = self.children.get_mut(&pid)
            && child.exit.is_none_or(|(planned, _)| at < planned)
        {
            child.exit = Some((at, status));
        }
    }

    /// A listener takes note of what it has said, up to a result that a handler in Python is to judge.
    pub(super) fn listen(&mut self, pid: i32) {
        let Some(child) = self.children.get_mut(&pid) else { return };
        let Some(mirror) = &mut child.mirror else { return };
        while mirror.judging.is_none()
            && let Some(step) = mirror.listener.step()
        {
            let accepted = matches!(&step, Step::Result(result) if result == b"OK");
            if let Step::Result(_) = step {
                if mirror.python {
                    mirror.judging = Some(Judging::Soon);
                    return;
                }
                mirror.listener.judged(ListenerState::Acknowledged);
            }
            if mirror.listener.state() != ListenerState::Busy
                && let Some(serial) = mirror.holds.take()
            {
                if accepted {
                    self.accepted.insert((child.group.clone(), serial));
                } else {
                    self.orders.give_back(child.proc, serial);
                }
            }
        }
    }

    /// A handler in Python is asked.
    pub(super) fn asked(&mut self, job: JobId, verdict: &Verdict) {
        let asks = |child: &&mut Child| {
            child.group == verdict.pool.0
                && child.mirror.as_ref().is_some_and(|mirror| mirror.holds == Some(verdict.serial))
        };
        let child = self.children.values_mut().find(asks).expect("somebody works on it");
        let mirror = child.mirror.as_mut().expect("a listener");
        assert!(mirror.judging == Some(Judging::Soon), "asked twice, or about nothing");
        mirror.judging = Some(Judging::As(job));
    }

    /// It has answered; whoever was asked about may be gone.
    pub(super) fn judged(&mut self, job: JobId, judgement: &Judgement) {
        let is_judged = |child: &Child| {
            child.mirror.as_ref().is_some_and(|mirror| mirror.judging == Some(Judging::As(job)))
        };
        let Some((pid, child)) = self.children.iter_mut().find(|(_, child)| is_judged(child))
        else {
            return;
        };
        let (pid, mirror) = (*pid, child.mirror.as_mut().expect("a listener"));
        mirror.judging = None;
        mirror.listener.judged(match judgement {
            Judgement::Failed => ListenerState::Unknown,
            Judgement::Accepted { .. } | Judgement::Rejected => ListenerState::Acknowledged,
        });
        let serial = mirror.holds.take().expect("it works on something");
        match judgement {
            Judgement::Accepted { .. } => {
                self.accepted.insert((child.group.clone(), serial));
            }
            Judgement::Rejected | Judgement::Failed => self.orders.give_back(child.proc, serial),
        }
        self.listen(pid);
    }

    pub(super) fn next_exit(&self) -> Option<(Duration, i32)> {
        self.children.iter().filter_map(|(pid, child)| Some((child.exit?.0, *pid))).min()
    }
}

impl Host for World {
    fn resolve(&mut self, config: &ProcessConfig) -> Result<ResolvedCommand, CommandError> {
        match config.command.as_str() {
            "missing" => Err(CommandError::NotFound("can't find command 'missing'".into())),
            "directory" => Err(CommandError::NotExecutable("is a directory".into())),
            command => Ok(ResolvedCommand { filename: command.into(), argv: vec![command.into()] }),
        }
    }

    fn spawn(&mut self, request: SpawnRequest<'_>) -> Result<i32, String> {
        assert!(
            self.children.values().all(|child| child.proc != request.proc),
            "two processes for {:?}",
            request.proc
        );
        if request.config.command == "nofork" && self.rng.chance(50) {
            return Err("Too many processes in process table to spawn".into());
        }
        // The smallest free one: what is reaped is used again at once.
        let free = |pid: &i32| !self.children.contains_key(pid) && !self.zombies.contains(pid);
        let pid = (1..).find(free).expect("more pids than children");
        let priority = request.config.priority;
        let child = Child {
            proc: request.proc,
            priority,
            ignores_term: request.config.command == "stubborn",
            untouchable: request.config.command == "setuid",
            immortal: request.config.command == "immortal",
            parting: None,
            exit: None,
            group: request.group_name.to_string(),
            socket: request.config.socket.as_ref().map(|socket| socket.program.clone()),
            mirror: Mirror::of(request.kind),
        };
        self.children.insert(pid, child);
        let life_ms = match request.config.command.as_str() {
            "instant" => Some(0),
            "quick" => Some(self.rng.below(1500)),
            "crashing" => Some(1000 + self.rng.below(20_000)),
            _ => None,
        };
        if let Some(life_ms) = life_ms {
            let status = if self.rng.chance(70) {
                ExitStatus::Exited(self.rng.below(3) as i32)
            } else {
                ExitStatus::Signaled { signal: 11, core_dumped: self.rng.chance(50) }
            };
            self.schedule(pid, life_ms, status);
        }
        Ok(pid)
    }

    fn kill(&mut self, pid: i32, signal: i32) -> Result<(), KillError> {
        let id = pid.abs();
        let Some(child) = self.children.get(&id) else { return Err(KillError::Gone) };
        if child.parting.is_some() {
            return Ok(()); // a zombie
        }
        if child.untouchable {
            return Err(KillError::Other("Operation not permitted".into()));
        }
        if matches!(signal, 15 | 2) {
            self.stop_signals.push(child.priority);
        }
        let fatal = !child.immortal && (signal == 9 || (signal == 15 && !child.ignores_term));
        if fatal {
            let delay = self.rng.below(2000);
            self.schedule(id, delay, ExitStatus::Signaled { signal, core_dumped: false });
        }
        Ok(())
    }

    fn write_stdin(&mut self, _: ProcId, bytes: &[u8]) -> Result<(), StdinError> {
        match bytes.len() {
            0 => Err(StdinError::Closed),
            1 => Err(StdinError::Full),
            _ => Ok(()),
        }
    }

    fn write_event(&mut self, proc: ProcId, event: &[u8]) -> Result<(), StdinError> {
        match self.rng.below(20) {
            0 => return Err(StdinError::Closed),
            1 => return Err(StdinError::Full),
            _ => {}
        }
        let header = String::from_utf8_lossy(event);
        let field =
            |name: &str| header.split_once(name).and_then(|(_, rest)| rest.split(' ').next());
        let serial = field(" serial:").and_then(|text| text.parse().ok()).expect("a serial");
        let group = field("pool:").expect("a pool").to_string();
        assert!(
            !self.accepted.contains(&(group.clone(), serial)),
            "event {serial} handed out after it was accepted"
        );
        self.orders.hand_out(proc, serial);
        for child in self.children.values_mut().filter(|child| child.group == group) {
            let mirror = child.mirror.as_mut().expect("a group of listeners");
            if child.proc == proc {
                mirror.listener.sent();
                mirror.holds = Some(serial);
            } else {
                assert_ne!(mirror.holds, Some(serial), "two listeners work on event {serial}");
            }
        }
        Ok(())
    }

    fn open_socket(&mut self, group: &str, socket: &FastCgiSocket) -> Result<bool, String> {
        let key = (group.to_string(), socket.program.clone());
        let users = self.socket_users.entry(key).or_default();
        if *users == 0 && self.rng.chance(10) {
            return Err("[Errno 98] Address already in use".into());
        }
        *users += 1;
        Ok(*users == 1)
    }

    fn close_socket(&mut self, group: &str, socket: &FastCgiSocket) -> bool {
        let key = (group.to_string(), socket.program.clone());
        let users = self.socket_users.get_mut(&key).expect("an open socket");
        *users = users.checked_sub(1).expect("a user");
        *users == 0
    }

    fn auto_log_name(&mut self, process: &str, channel: &str) -> String {
        format!("/auto/{process}-{channel}")
    }
}
