//! The simulator: seeded random histories of a supervisor, with the invariants of ARCHITECTURE.md checked after
//! every input. A failure prints its seed; `SIM_SEED=n cargo test sim` replays it, `SIM_SEEDS=n` runs more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::clock::Now;
use super::config::{
    AutoRestart, ChannelConfig, Config, FastCgiSocket, GroupConfig, GroupKind, ListenerConfig,
    LogFile, ProcessConfig, Settings,
};
use super::effect::{
    Call, CommandError, Effect, ExitStatus, Host, Input, Job, JobId, JobOutcome, KillError, ProcId,
    ReplyId, ResolvedCommand, SpawnRequest, StdinError,
};
use super::event::Channel;
use super::listener::{Listener, ListenerState, Step};
use super::states::{Level, Mood, ProcessState};
use super::supervisor::Supervisor;
use super::value::Value;

/// SplitMix64: small, seedable, good enough to pick among choices.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// A program of the simulated world, encoded in its command.
struct Child {
    proc: ProcId,
    priority: i64,
    ignores_term: bool,
    untouchable: bool,
    exit: Option<(Duration, ExitStatus)>,
    group: String,
    /// The program whose FastCGI socket it uses.
    socket: Option<String>,
    /// What a listener knows of itself: the same parser, fed the same bytes.
    mirror: Option<Mirror>,
}

#[derive(Default)]
struct Mirror {
    listener: Listener,
    /// Pool serial of the event it works on.
    holds: Option<u64>,
}

/// What is known about the events of a pool from the outside.
#[derive(Default)]
struct PoolWatch {
    /// The highest serial that was sent to a listener.
    highest: Option<u64>,
    sent: BTreeSet<u64>,
    accepted: BTreeSet<u64>,
}

struct World {
    rng: Rng,
    now: Duration,
    next_pid: i32,
    children: BTreeMap<i32, Child>,
    pools: BTreeMap<String, PoolWatch>,
    /// By group and program.
    socket_users: BTreeMap<(String, String), usize>,
    /// Priority of the group of every process that was asked to stop since this was last emptied.
    stop_signals: Vec<i64>,
}

impl World {
    fn schedule(&mut self, pid: i32, after_ms: u64, status: ExitStatus) {
        let at = self.now + Duration::from_millis(after_ms);
        if let Some(child) = self.children.get_mut(&pid)
            && child.exit.is_none_or(|(planned, _)| at < planned)
        {
            child.exit = Some((at, status));
        }
    }

    fn next_exit(&self) -> Option<(Duration, i32)> {
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
        // Pids come around again, as on a real system, but never while in use.
        loop {
            self.next_pid = self.next_pid % 40 + 1;
            if !self.children.contains_key(&self.next_pid) {
                break;
            }
        }
        let pid = self.next_pid;
        let priority = request.config.priority;
        let child = Child {
            proc: request.proc,
            priority,
            ignores_term: request.config.command == "stubborn",
            untouchable: request.config.command == "setuid",
            exit: None,
            group: request.group_name.to_string(),
            socket: request.config.socket.as_ref().map(|socket| socket.program.clone()),
            mirror: matches!(request.kind, GroupKind::Listener(_)).then(Mirror::default),
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
        if child.exit.is_some_and(|(at, _)| at <= self.now) {
            return Err(KillError::Gone);
        }
        if child.untouchable {
            return Err(KillError::Other("Operation not permitted".into()));
        }
        if matches!(signal, 15 | 2) {
            self.stop_signals.push(child.priority);
        }
        let fatal = signal == 9 || (signal == 15 && !child.ignores_term);
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
        let serial: u64 =
            field("poolserial:").and_then(|text| text.parse().ok()).expect("a serial");
        let pool = self.pools.entry(field("pool:").expect("a pool").to_string()).or_default();
        let again = pool.sent.contains(&serial);
        assert!(again || pool.highest < Some(serial), "event {serial} handed out too late");
        assert!(
            !pool.accepted.contains(&serial),
            "event {serial} handed out after it was accepted"
        );
        pool.highest = pool.highest.max(Some(serial));
        pool.sent.insert(serial);
        let group = field("pool:").expect("a pool").to_string();
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

const COMMANDS: [&str; 9] = [
    "steady",
    "instant",
    "quick",
    "crashing",
    "stubborn",
    "missing",
    "directory",
    "nofork",
    "setuid",
];

fn channel() -> ChannelConfig {
    ChannelConfig {
        logfile: LogFile::Auto,
        logfile_maxbytes: 0,
        logfile_backups: 0,
        capture_maxbytes: 0,
        events_enabled: false,
        syslog: false,
    }
}

fn random_process(rng: &mut Rng, name: String, priority: i64) -> ProcessConfig {
    ProcessConfig {
        name,
        uid: None,
        command: (*rng.pick(&COMMANDS)).to_string(),
        directory: None,
        umask: None,
        priority,
        autostart: rng.chance(70),
        autorestart: *rng.pick(&[AutoRestart::Never, AutoRestart::Unexpected, AutoRestart::Always]),
        startsecs: *rng.pick(&[0, 1, 1, 3]),
        startretries: *rng.pick(&[0, 1, 3]),
        stdout: channel(),
        stderr: channel(),
        stopsignal: *rng.pick(&[15, 15, 2]),
        stopwaitsecs: *rng.pick(&[0, 1, 5]),
        stopasgroup: rng.chance(20),
        killasgroup: rng.chance(30),
        exitcodes: vec![0],
        redirect_stderr: false,
        environment: Vec::new(),
        serverurl: None,
        socket: None,
    }
}

/// Ticks follow the wall clock; a run that must not notice its jumps has none.
#[derive(Clone, Copy, PartialEq)]
enum Ticks {
    Wanted,
    None,
}

fn random_kind(rng: &mut Rng, ticks: Ticks) -> GroupKind {
    let subscriptions: &[&str] = match (rng.below(3), ticks) {
        (0, Ticks::Wanted) => &["EVENT"],
        (0, Ticks::None) => &["PROCESS_GROUP", "PROCESS_STATE", "REMOTE_COMMUNICATION"],
        (1, Ticks::Wanted) => &["PROCESS_STATE_EXITED", "TICK_5"],
        (1, Ticks::None) => &["PROCESS_STATE_EXITED"],
        _ => &["PROCESS_COMMUNICATION", "PROCESS_LOG", "SUPERVISOR_STATE_CHANGE"],
    };
    match rng.below(4) {
        0 => GroupKind::Listener(ListenerConfig {
            buffer_size: 1 + rng.below(4) as i64,
            events: subscriptions.iter().map(|name| (*name).to_string()).collect(),
            result_handler: String::new(),
        }),
        1 => GroupKind::FastCgi(socket("f")),
        _ => GroupKind::Plain,
    }
}

fn socket(program: &str) -> FastCgiSocket {
    let (program, url) = (program.to_string(), "tcp://localhost:1".to_string());
    FastCgiSocket { program, url, owner: None, mode: None, backlog: None }
}

/// All processes of a FastCGI program have its socket; in a group of programs, those of FastCGI programs have theirs.
fn random_socket(rng: &mut Rng, kind: &GroupKind) -> Option<FastCgiSocket> {
    match kind {
        GroupKind::FastCgi(socket) => Some(socket.clone()),
        GroupKind::Plain => rng.chance(40).then(|| socket(*rng.pick(&["a", "b"]))),
        GroupKind::Listener(_) => None,
    }
}

fn random_config(rng: &mut Rng, ticks: Ticks) -> Config {
    let groups = (0..=rng.below(3))
        .map(|index| {
            let name = format!("g{}", rng.below(4).max(index));
            let priority = 10 * rng.below(4) as i64;
            let kind = random_kind(rng, ticks);
            let processes = (0..=rng.below(3))
                .map(|process| ProcessConfig {
                    socket: random_socket(rng, &kind),
                    ..random_process(rng, format!("p{process}"), priority)
                })
                .collect();
            GroupConfig { name, priority, processes, kind }
        })
        .collect();
    Config {
        settings: Settings {
            configfile: String::new(),
            here: String::new(),
            nodaemon: true,
            silent: false,
            user: None,
            umask: 0o22,
            directory: None,
            logfile: "/main.log".into(),
            logfile_maxbytes: 0,
            logfile_backups: 0,
            loglevel: Level::Info,
            pidfile: String::new(),
            identifier: "sim".into(),
            childlogdir: String::new(),
            nocleanup: false,
            strip_ansi: false,
            minfds: 0,
            minprocs: 0,
            serverurl: None,
        },
        servers: Vec::new(),
        rpcinterfaces: vec!["supervisor".into()],
        groups,
        messages: Vec::new(),
    }
}

/// A run of one seed.
struct Run {
    world: World,
    supervisor: Supervisor,
    wall: Duration,
    jumpy_clock: bool,
    ticks: Ticks,
    clock_rng: Rng,
    next_reply: u64,
    outstanding: BTreeSet<ReplyId>,
    withdrawn: BTreeSet<ReplyId>,
    jobs: Vec<(JobId, Job)>,
    exit: Option<Mood>,
    /// What happened, without wall-clock times: equal for equal seeds, however the wall clock jumps.
    trace: Vec<String>,
}

impl Run {
    fn new(seed: u64, jumpy_clock: bool, ticks: Ticks) -> Run {
        let mut rng = Rng(seed);
        let config = random_config(&mut rng, ticks);
        let mut world = World {
            rng,
            now: Duration::from_secs(100),
            next_pid: 0,
            children: BTreeMap::new(),
            pools: BTreeMap::new(),
            socket_users: BTreeMap::new(),
            stop_signals: Vec::new(),
        };
        let mut supervisor = Supervisor::new(config, 4711);
        supervisor.add_all_groups(&mut world);
        Run {
            world,
            supervisor,
            wall: Duration::from_secs(1_700_000_000),
            jumpy_clock,
            ticks,
            clock_rng: Rng(!seed),
            next_reply: 0,
            outstanding: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            jobs: Vec::new(),
            exit: None,
            trace: Vec::new(),
        }
    }

    fn input(&mut self, input: Input) {
        if self.jumpy_clock && self.clock_rng.chance(20) {
            self.wall = Duration::from_secs(self.clock_rng.below(3_000_000_000));
        }
        let now = Now { mono: self.world.now, wall: self.wall, utc_offset_secs: 3600 };
        self.world.stop_signals.clear();
        self.supervisor.handle(now, &mut self.world, input);
        while let Some(effect) = self.supervisor.poll_effect() {
            self.carry_out(effect);
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { reply, result } => {
                assert!(
                    self.outstanding.remove(&reply),
                    "{reply:?} answered twice or after hangup"
                );
                let told = match &result {
                    Ok(_) => "ok".to_string(),
                    Err(fault) => fault.text.clone(),
                };
                self.trace.push(format!("{:?} {reply:?} {told}", self.world.now));
            }
            Effect::Log(_, text) => self.trace.push(format!("{:?} {text}", self.world.now)),
            Effect::Job { job, work } => self.jobs.push((job, work)),
            Effect::Exit(mood) => {
                assert!(self.exit.is_none(), "left twice");
                self.exit = Some(mood);
            }
            Effect::ReopenLogs | Effect::ApplySettings | Effect::Print(_) => {}
        }
    }

    /// What must hold of listeners and FastCGI sockets.
    fn check_groups(&self) {
        for pool in &self.supervisor.pools {
            assert!(pool.waiting() <= pool.capacity(), "buffer of {} too long", pool.name());
        }
        for child in self.world.children.values() {
            let Some(mirror) = &child.mirror else { continue };
            let pool = self.supervisor.pools.iter().find(|pool| pool.name() == child.group);
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

    /// What must hold after every input.
    fn check(&self) {
        self.check_groups();
        for process in self.supervisor.processes() {
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
            let owner = self.supervisor.process(child.proc).and_then(|process| process.pid());
            assert_eq!(owner, Some(*pid), "a child nobody knows");
        }
        if self.supervisor.mood() != Mood::Running {
            let unstopped = self.supervisor.processes().filter(|p| !p.state().is_stopped());
            let highest = unstopped.map(|process| process.config().priority).max();
            for priority in &self.world.stop_signals {
                assert!(highest.is_none_or(|highest| highest <= *priority), "stopped out of order");
            }
        }
        if let Some(deadline) = self.supervisor.next_deadline() {
            assert!(deadline > self.world.now, "something due was left undone");
        }
    }

    /// Goes to the next thing that happens by itself, at most `limit` ahead.
    fn advance(&mut self, limit: Duration) {
        let end = self.world.now + limit;
        let deadline = self.supervisor.next_deadline().filter(|at| *at <= end);
        let exit = self.world.next_exit().filter(|(at, _)| *at <= end);
        let step_from = self.world.now;
        match (deadline, exit) {
            (Some(deadline), Some((at, _))) if deadline < at => self.tick(deadline),
            (_, Some((at, pid))) => {
                self.world.now = at.max(step_from);
                let status = self.world.children.remove(&pid).and_then(|child| child.exit);
                let status = status.map(|(_, status)| status).expect("it was chosen for its exit");
                self.input(Input::ChildExited { pid, status });
            }
            (Some(deadline), None) => self.tick(deadline),
            (None, None) => self.world.now = end,
        }
        self.wall += self.world.now - step_from;
    }

    fn tick(&mut self, deadline: Duration) {
        self.world.now = deadline.max(self.world.now);
        self.input(Input::Timer);
    }

    fn finish_job(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        let (job, work) = self.jobs.remove(0);
        let outcome = match work {
            Job::ReadConfig if self.world.rng.chance(20) => JobOutcome::Config(Err("bad".into())),
            Job::ReadConfig => {
                JobOutcome::Config(Ok(Box::new(random_config(&mut self.world.rng, self.ticks))))
            }
            Job::ReadLog { .. }
            | Job::TailLog { .. }
            | Job::ClearMainLog
            | Job::ClearProcessLogs { .. } => JobOutcome::Answer(Ok(Value::Bool(true))),
        };
        self.input(Input::JobDone { job, outcome });
    }

    fn random_name(&mut self) -> Value {
        let group = format!("g{}", self.world.rng.below(5));
        Value::Str(match self.world.rng.below(6) {
            0 => format!("{group}:*"),
            1 => group,
            _ => format!("{group}:p{}", self.world.rng.below(2)),
        })
    }

    fn random_call(&mut self, nested: bool) -> Call {
        let method = super::rpc::methods::METHODS
            [self.world.rng.below(super::rpc::methods::METHODS.len() as u64) as usize]
            .name;
        let wait = Value::Bool(self.world.rng.chance(60));
        let params = match method {
            "shutdown" | "restart" if !self.world.rng.chance(5) => {
                return self.random_call(nested);
            }
            "multicall" if nested => return self.random_call(nested),
            "multicall" => {
                let calls = (0..self.world.rng.below(4))
                    .map(|_| {
                        let call = self.random_call(true);
                        Value::Struct(vec![
                            ("methodName".into(), Value::Str(call.method)),
                            ("params".into(), Value::Array(call.params)),
                        ])
                    })
                    .collect();
                return Call {
                    method: "system.multicall".into(),
                    params: vec![Value::Array(calls)],
                };
            }
            "startAllProcesses" | "stopAllProcesses" => vec![wait],
            "startProcess" | "stopProcess" | "startProcessGroup" | "stopProcessGroup" => {
                vec![self.random_name(), wait]
            }
            "signalAllProcesses" => vec![Value::str("HUP")],
            "signalProcess" | "signalProcessGroup" => {
                let signal = *self.world.rng.pick(&["HUP", "TERM", "KILL", "nonsense"]);
                vec![self.random_name(), Value::str(signal)]
            }
            "sendProcessStdin" => vec![self.random_name(), Value::str("text")],
            "readLog" | "readMainLog" => vec![Value::Int(0), Value::Int(0)],
            other => match super::rpc::methods::METHODS
                .iter()
                .find(|candidate| candidate.name == other)
                .map_or(0, |method| method.params.len())
            {
                0 => Vec::new(),
                1 => vec![self.random_name()],
                _ => vec![self.random_name(), Value::Int(0), Value::Int(10)],
            },
        };
        let system = matches!(method, "listMethods" | "methodHelp" | "methodSignature");
        let namespace = if system { "system" } else { "supervisor" };
        Call { method: format!("{namespace}.{method}"), params }
    }

    /// A listener says something: what it should, in one piece or cut, or nonsense.
    fn listener_speaks(&mut self) {
        let speakers: Vec<i32> = self
            .world
            .children
            .iter()
            .filter(|(_, child)| child.mirror.is_some())
            .map(|(pid, _)| *pid)
            .collect();
        if speakers.is_empty() {
            return;
        }
        let pid = *self.world.rng.pick(&speakers);
        let world = &mut self.world;
        let child = world.children.get_mut(&pid).expect("a living child");
        let proc = child.proc;
        let state = child.mirror.as_ref().map(|mirror| mirror.listener.state());
        let bytes: &[u8] = match (world.rng.below(12), state) {
            (0, _) => {
                world.rng.pick::<&[u8]>(&[b"junk", b"READ", b"\n", b"RESULT -1\n", b"RESULT x\n"])
            }
            (1, _) => world.rng.pick::<&[u8]>(&[b"RESULT 2\nOKREADY\n", b"RE", b"RESULT 4"]),
            (2..=4, Some(ListenerState::Busy)) => b"RESULT 4\nFAIL",
            (_, Some(ListenerState::Busy)) => b"RESULT 2\nOK",
            _ => b"READY\n",
        };
        let child = world.children.get_mut(&pid).expect("a living child");
        let mirror = child.mirror.as_mut().expect("a listener");
        mirror.listener.feed(bytes);
        while let Some(step) = mirror.listener.step() {
            if let Step::Result(result) = step {
                if result == b"OK"
                    && let Some(serial) = mirror.holds
                {
                    world.pools.entry(child.group.clone()).or_default().accepted.insert(serial);
                }
                mirror.listener.judged(ListenerState::Acknowledged);
            }
            if mirror.listener.state() != ListenerState::Busy {
                mirror.holds = None;
            }
        }
        self.trace.push(format!("{:?} {proc:?} says {bytes:?}", self.world.now));
        self.input(Input::ListenerBytes { proc, bytes: bytes.to_vec() });
    }

    /// A process prints something that is an event.
    fn program_prints(&mut self) {
        let procs: Vec<ProcId> = self.world.children.values().map(|child| child.proc).collect();
        if procs.is_empty() {
            return;
        }
        let proc = *self.world.rng.pick(&procs);
        let channel = *self.world.rng.pick(&[Channel::Stdout, Channel::Stderr]);
        let data = b"text \xff".to_vec();
        let input = if self.world.rng.chance(50) {
            Input::ProcessLog { proc, channel, data }
        } else {
            Input::Communication { proc, channel, data }
        };
        self.input(input);
    }

    fn step(&mut self) {
        match self.world.rng.below(14) {
            10..=12 => self.listener_speaks(),
            13 => self.program_prints(),
            0..=3 => {
                let limit = Duration::from_millis(self.world.rng.below(4000));
                self.advance(limit);
            }
            4..=7 => {
                let call = self.random_call(false);
                self.next_reply += 1;
                let reply = ReplyId(self.next_reply);
                self.outstanding.insert(reply);
                self.trace.push(format!("{:?} {reply:?} {call:?}", self.world.now));
                self.input(Input::Call { reply, call });
            }
            8 => self.finish_job(),
            _ => {
                if let Some(reply) = self.outstanding.first().copied()
                    && self.world.rng.chance(30)
                {
                    self.outstanding.remove(&reply);
                    self.withdrawn.insert(reply);
                    self.input(Input::Hangup { reply });
                } else {
                    let signal = *self.world.rng.pick(&[12, 17, 10]);
                    self.input(Input::Signal(signal));
                }
            }
        }
    }

    /// The way down: everything ends, in order, and everybody is answered.
    fn finish(&mut self) {
        if self.exit.is_none() {
            self.input(Input::Signal(15));
        }
        for _ in 0..10_000 {
            if self.exit.is_some() && self.jobs.is_empty() {
                break;
            }
            self.finish_job();
            if self.exit.is_none() {
                self.advance(Duration::from_secs(60));
            }
        }
        assert!(self.exit.is_some(), "never left");
        for child in self.world.children.values() {
            assert!(child.untouchable, "left while a child lives");
        }
        assert_eq!(self.outstanding, BTreeSet::new(), "calls without an answer");
    }
}

fn run(seed: u64, jumpy_clock: bool, ticks: Ticks) -> Vec<String> {
    let mut run = Run::new(seed, jumpy_clock, ticks);
    run.input(Input::Timer);
    for _ in 0..90 {
        if run.exit.is_some() {
            break;
        }
        run.step();
    }
    run.finish();
    run.trace
}

fn seeds() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("SIM_SEEDS").unwrap_or(20_000)),
    }
}

/// Prints the seed of a run that fails.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

#[test]
fn random_histories_keep_the_invariants() {
    let (first, end) = seeds();
    for seed in first..end {
        let _guard = SeedOnPanic(seed);
        run(seed, false, Ticks::Wanted);
    }
}

#[test]
fn wall_clock_jumps_change_nothing_but_the_reported_times() {
    let (first, end) = seeds();
    for seed in first..end.min(first + 2000) {
        let _guard = SeedOnPanic(seed);
        assert_eq!(run(seed, false, Ticks::None), run(seed, true, Ticks::None));
    }
}
