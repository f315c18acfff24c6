//! The simulator: seeded random histories of a supervisor, with the invariants of ARCHITECTURE.md checked after
//! every input. A failure prints its seed; `SIM_SEED=n cargo test sim` replays it, `SIM_SEEDS=n` runs more.

mod checks;
mod order;
mod random;
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use order::Orders;
use random::{Rng, Ticks, random_call, random_config};
use world::{Child, World};

use super::clock::Now;
use super::config::{GroupConfig, GroupKind, ProcessConfig};
use super::effect::{
    Call, Caller, Effect, ExitStatus, Input, Job, JobId, JobOutcome, Member, Others, ProcId,
    ReplyId,
};
use super::event::Channel;
use super::listener::ListenerState;
use super::machine::Core;
use super::overview::Overview;
use super::result_handler::Judgement;
use super::states::Mood;
use super::value::Value;

/// A run of one seed.
struct Run {
    world: World,
    core: Core,
    wall: Duration,
    jumpy_clock: bool,
    ticks: Ticks,
    clock_rng: Rng,
    next_reply: u64,
    outstanding: BTreeSet<ReplyId>,
    withdrawn: BTreeSet<ReplyId>,
    jobs: Vec<(JobId, Job)>,
    /// Processes to be finished.
    leaving: VecDeque<(ProcId, i32, ExitStatus)>,
    /// Processes whose group is to be looked at.
    roll: BTreeSet<ProcId>,
    exit: Option<Mood>,
    /// By when the shutdown is over, as was said in time.
    stopped_by: Option<Duration>,
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
            zombies: BTreeSet::new(),
            children: BTreeMap::new(),
            orders: Orders::default(),
            accepted: BTreeSet::new(),
            socket_users: BTreeMap::new(),
            stop_signals: Vec::new(),
        };
        let mut core = Core::new(config, 4711);
        core.add_all_groups(&mut world);
        Run {
            world,
            core,
            wall: Duration::from_secs(1_700_000_000),
            jumpy_clock,
            ticks,
            clock_rng: Rng(!seed),
            next_reply: 0,
            outstanding: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            jobs: Vec::new(),
            leaving: VecDeque::new(),
            roll: BTreeSet::new(),
            exit: None,
            stopped_by: None,
            trace: Vec::new(),
        }
    }

    /// A run of one group instead of a random configuration.
    fn of_group(group: GroupConfig) -> Run {
        let mut run = Run::new(1, false, Ticks::None);
        let mut config = random_config(&mut run.world.rng, Ticks::None);
        config.groups = vec![group];
        run.core = Core::new(config, 4711);
        run.core.add_all_groups(&mut run.world);
        run
    }

    /// Hands in an input, and then whatever is due and whoever is let go, as the house does.
    fn input(&mut self, input: Input) {
        self.input_one(input);
        loop {
            if let Some((proc, pid, status)) = self.leaving.pop_front() {
                self.let_go(proc, pid, status);
            } else if self.core.next_deadline().is_some_and(|due| due <= self.world.now) {
                self.input_one(Input::Timer);
            } else {
                break;
            }
        }
    }

    fn let_go(&mut self, proc: ProcId, pid: i32, status: ExitStatus) {
        let child = self.world.children.remove(&pid).expect("it was let go");
        assert_eq!((child.proc, child.parting.is_some()), (proc, true), "let go while it lives");
        if let Some(serial) = child.mirror.and_then(|mirror| mirror.holds) {
            self.world.orders.give_back(proc, serial);
        }
        self.roll.remove(&proc);
        self.world.zombies.insert(pid);
        self.input_one(Input::Finished { proc, status });
        self.world.zombies.remove(&pid);
    }

    fn input_one(&mut self, input: Input) {
        if self.jumpy_clock && self.clock_rng.chance(20) {
            self.wall = Duration::from_secs(self.clock_rng.below(3_000_000_000));
        }
        let now = Now { mono: self.world.now, wall: self.wall, utc_offset_secs: 3600 };
        self.world.stop_signals.clear();
        let called =
            !matches!(input, Input::Signal(_)) && self.core.supervisor().mood() == Mood::Running;
        let before = (self.core.supervisor().changes(), self.timeless(now));
        self.core.handle(now, &mut self.world, input);
        self.promise();
        while let Some(effect) = self.core.poll_effect() {
            self.carry_out(effect);
        }
        let after = (self.core.supervisor().changes(), self.timeless(now));
        assert!(before.0 != after.0 || before.1 == after.1, "changed unseen: {before:?} {after:?}");
        self.world.orders.check(self.core.supervisor());
        if called {
            // Calls of a multicall before the one that begins the shutdown stop what they like.
            self.world.stop_signals.clear();
        }
        self.check();
    }

    /// Whoever waits for the end of a shutdown is told how long that may take, again after every change.
    fn promise(&mut self) {
        if self.core.supervisor().mood() != Mood::Running {
            let promised = self.world.now + self.core.supervisor().time_to_stop(self.world.now);
            self.stopped_by = self.stopped_by.max(Some(promised));
        }
    }

    /// What people are shown, but for what changes with time alone.
    fn timeless(&self, now: Now) -> Overview {
        let mut overview = self.core.supervisor().overview(now);
        overview.processes.iter_mut().for_each(|process| process.description.clear());
        overview
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
            Effect::Log(_, text) => {
                self.trace.push(format!("{:?} {text}", self.world.now));
            }
            Effect::Job { job, work } => {
                if let Job::Judge(verdict) = &work {
                    self.world.asked(job, verdict);
                }
                self.jobs.push((job, work));
            }
            Effect::CallRoll { proc, pid } => {
                assert_eq!(self.world.children[&pid].proc, proc);
                self.roll.insert(proc);
            }
            Effect::LetGo { proc, pid, status } => self.leaving.push_back((proc, pid, status)),
            Effect::Exit(mood) => {
                assert!(self.exit.is_none(), "left twice");
                let willing = |child: &Child| !child.untouchable && !child.immortal;
                let kept = self.stopped_by >= Some(self.world.now);
                assert!(
                    kept || !self.world.children.values().all(willing),
                    "took longer than said"
                );
                self.exit = Some(mood);
            }
            Effect::ReopenLogs
            | Effect::ApplySettings
            | Effect::TellPlugins(_)
            | Effect::Print(_) => {}
        }
    }

    /// Goes to the next thing that happens by itself, at most `limit` ahead.
    fn advance(&mut self, limit: Duration) {
        let end = self.world.now + limit;
        let deadline = self.core.next_deadline().filter(|at| *at <= end);
        let exit = self.world.next_exit().filter(|(at, _)| *at <= end);
        let step_from = self.world.now;
        match (deadline, exit) {
            (Some(deadline), Some((at, _))) if deadline < at => self.tick(deadline),
            (_, Some((at, pid))) => {
                self.world.now = at.max(step_from);
                let open_pipes = self.world.rng.below(3) as usize;
                let child = self.world.children.get_mut(&pid).expect("it was chosen for its exit");
                let (_, status) = child.exit.take().expect("it was chosen for its exit");
                child.parting = Some(open_pipes);
                let proc = child.proc;
                self.input(Input::LeaderEnded { proc, status, open_pipes });
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
            | Job::ClearProcessLogs { .. }
            | Job::ReopenMainLog { .. }
            | Job::Plugin(_)
            | Job::ReopenProcessLogs { .. } => JobOutcome::Answer(Ok(Value::Bool(true))),
            Job::ReadProgram { group, add, .. } => {
                JobOutcome::Program { processes: Err("bad".into()), group, add }
            }
            Job::Judge(_) => {
                let outcomes = [
                    Judgement::Accepted { print: Vec::new() },
                    Judgement::Rejected,
                    Judgement::Failed,
                ];
                let judgement = self.world.rng.pick(&outcomes).clone();
                self.world.judged(job, &judgement);
                JobOutcome::Judged(judgement)
            }
        };
        self.input(Input::JobDone { job, outcome });
    }

    /// A listener says something: what it should, in one piece or cut, or nonsense.
    fn listener_speaks(&mut self) {
        let speakers: Vec<i32> = self
            .world
            .children
            .iter()
            .filter(|(_, child)| child.mirror.is_some() && child.parting.is_none())
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
        let mirror = world.children.get_mut(&pid).and_then(|child| child.mirror.as_mut());
        mirror.expect("a listener").listener.feed(bytes);
        world.listen(pid);
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

    /// Something happens to the group of a leader that has ended.
    fn group_changes(&mut self) {
        let closing = self.world.children.values_mut().find(|child| child.parting > Some(0));
        if let Some(child) = closing.filter(|_| self.world.rng.chance(50)) {
            child.parting = child.parting.map(|open| open - 1);
            let proc = child.proc;
            self.input(Input::PipeClosed { proc });
        } else if let Some(&proc) = self.roll.first() {
            let others = match self.world.rng.below(3) {
                0 => Others::Unknowable,
                1 => Others::Seen(Vec::new()),
                _ => Others::Seen(vec![Member { pid: 9999, name: "other".into() }]),
            };
            self.input(Input::GroupSeen { proc, others });
        }
    }

    /// Gives those that were put off a turn: each time there are some, or now and then.
    fn turns(&mut self, percent: u64) {
        while self.core.waits_for_turn() && self.world.rng.chance(percent) {
            self.input(Input::Turn);
        }
    }

    fn step(&mut self) {
        self.turns(50);
        if self.world.rng.chance(10) {
            return self.group_changes();
        }
        match self.world.rng.below(14) {
            10..=12 => self.listener_speaks(),
            13 => self.program_prints(),
            0..=3 => {
                let limit = Duration::from_millis(self.world.rng.below(4000));
                self.advance(limit);
            }
            4..=7 => {
                let call = random_call(&mut self.world.rng, false);
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
            if self.exit.is_some() && self.jobs.is_empty() && !self.core.waits_for_turn() {
                break;
            }
            self.finish_job();
            self.turns(100);
            if self.exit.is_none() {
                self.advance(Duration::from_secs(60));
            }
        }
        assert!(self.exit.is_some(), "never left");
        for child in self.world.children.values() {
            assert!(child.untouchable || child.immortal, "left while a child lives");
        }
        assert_eq!(self.outstanding, BTreeSet::new(), "calls without an answer");
    }
}

/// A group of programs of these names that start and run for ever.
pub(super) fn group_of(name: &str, programs: impl IntoIterator<Item = String>) -> GroupConfig {
    let mut config = random_config(&mut Rng(1), Ticks::None);
    let mut group = config.groups.remove(0);
    let process = group.processes.remove(0);
    let program = |name| ProcessConfig {
        name,
        command: "steady".into(),
        autostart: true,
        socket: None,
        ..process.clone()
    };
    let processes = programs.into_iter().map(program).collect();
    GroupConfig { name: name.to_string(), kind: GroupKind::Plain, processes, ..group }
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

#[test]
fn a_fleet_starts_in_turns_and_others_are_heard_meanwhile() {
    let mut run = Run::of_group(group_of("fleet", (0..30).map(|number| format!("p{number}"))));
    let mut started = vec![0];
    while run.core.supervisor().starts_up() {
        run.input_one(Input::Timer);
        started.push(run.world.children.len());
    }
    assert_eq!(started, [0, 8, 16, 24, 30]);
}

#[test]
fn a_call_that_starts_many_starts_nothing_once_the_shutdown_has_begun() {
    let mut group = group_of("fleet", (0..30).map(|number| format!("p{number}")));
    group.processes.iter_mut().for_each(|process| process.autostart = false);
    let mut run = Run::of_group(group);
    let reply = ReplyId(1);
    run.outstanding.insert(reply);
    let call = Call {
        caller: Caller::Client(0),
        method: "supervisor.startAllProcesses".into(),
        params: vec![Value::Bool(false)],
    };
    run.input(Input::Call { reply, call });
    assert_eq!((run.world.children.len(), run.core.waits_for_turn()), (8, true));
    run.input(Input::Signal(15));
    while run.core.waits_for_turn() {
        run.input(Input::Turn);
    }
    let spawned = run.trace.iter().filter(|line| line.contains("spawned: ")).count();
    assert_eq!((spawned, run.outstanding.len()), (8, 0));
    run.finish();
}
