//! The house: the core, the programs' descriptors and the calls under way, in one loop on the supervision thread.
//!
//! Everything that happens comes in through six doors (signals, exits, requests, finished jobs, what programs say, the
//! core's deadline) and is handed to the core, whose effects are then carried out. Each door has its turn, and no turn is
//! longer than a few milliseconds, whatever waits behind the door. The loop sleeps whenever nothing happens.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::exits::Exits;
use super::follow::Follower;
use super::handle::{Inbox, Request};
use super::host::OsHost;
use super::lookout::Lookout;
use super::mainlog::MainLog;
use super::plugins::{Order, Port};
use super::signals::Signals;
use super::systemd::Herald;
use super::taps::Taps;
use crate::core::clock::Now;
use crate::core::effect::{
    Effect, ExitStatus, Input, Job, JobId, JobOutcome, ProcId, ReplyId, earliest,
};
use crate::core::fault::{Fault, FaultCode};
use crate::core::machine::Core;
use crate::core::result_handler::Judgement;
use crate::core::states::Mood;
use crate::core::value::Value;
use crate::native;
use crate::sys::clock;

/// What is to be read of the configuration.
#[derive(Debug)]
pub(crate) enum Reading {
    /// All of it, again.
    Everything,
    /// The section of a program that is in no file.
    Program {
        /// Its name.
        section: String,
        /// Its options and their values.
        options: Vec<(String, String)>,
        /// The group that its processes are for.
        group: String,
        /// Which of them is to become one of that group.
        add: Option<String>,
    },
}

/// Reads of the configuration; run apart, because that may wait for a name service.
pub(crate) type ConfigReader = Arc<Mutex<dyn FnMut(Reading) -> JobOutcome + Send>>;

/// The number of SIGCHLD.
const SIGCHLD: i32 = nix::libc::SIGCHLD;

/// How long exits are handled before others get a turn.
const EXITS_TURN: Duration = Duration::from_millis(5);

/// Most inputs taken from the programs before others get a turn.
const INPUTS_PER_TURN: usize = 64;

/// Whether there may be more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing is left.
    Done,
    /// The turn is over, and something may be left.
    Used,
}

/// A program that is to be finished.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    proc: ProcId,
    pid: i32,
    status: ExitStatus,
}

/// How a life ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    /// Whether to start again.
    pub mood: Mood,
    /// Where to go on counting events.
    pub next_event_serial: u64,
}

/// Everything the loop works with.
pub(crate) struct House {
    core: Core,
    host: OsHost,
    taps: Rc<Taps>,
    lookout: Lookout,
    main_log: MainLog,
    herald: Herald,
    read_config: ConfigReader,
    started: Instant,
    /// The second of the Unix epoch, and the offset of local time from UTC in it.
    utc_offset: (u64, i32),
    signals: Signals,
    exits: Exits,
    /// There may be more exits to be looked at than the last turn had time for.
    exits_wait: bool,
    /// Programs that are to be finished.
    leaving: VecDeque<Leaving>,
    inbox: Inbox,
    plugins: Port,
    /// Calls that await their reply.
    replies: HashMap<ReplyId, oneshot::Sender<Result<Value, Fault>>>,
    /// Finished jobs. Every job belongs to a call, so the calls under way bound the queue.
    finished: mpsc::UnboundedReceiver<(JobId, JobOutcome)>,
    finish: mpsc::UnboundedSender<(JobId, JobOutcome)>,
    exit: Option<Mood>,
}

impl House {
    /// Moves in: adds the groups of the configuration. Nothing is started before [`House::run`].
    pub(crate) fn new(
        mut core: Core,
        mut host: OsHost,
        herald: Herald,
        read_config: ConfigReader,
        signals: Signals,
        inbox: Inbox,
        plugins: Port,
    ) -> House {
        core.add_all_groups(&mut host);
        let (finish, finished) = mpsc::unbounded_channel();
        House {
            core,
            taps: Rc::clone(host.taps()),
            lookout: Lookout::new(host.disk()),
            host,
            main_log: herald.main_log().clone(),
            herald,
            read_config,
            started: Instant::now(),
            utc_offset: (0, clock::offset_secs(Duration::ZERO)),
            signals,
            exits: Exits::default(),
            exits_wait: false,
            leaving: VecDeque::new(),
            inbox,
            plugins,
            replies: HashMap::new(),
            finished,
            finish,
            exit: None,
        }
    }

    /// Waits until the plugins are made, and meanwhile answers what they ask. Nothing is started yet, and clients are not
    /// heard; a signal that ends the daemon ends this.
    ///
    /// # Errors
    /// Why they could not be made.
    pub(crate) async fn wait_for_plugins(
        &mut self,
        mut ready: oneshot::Receiver<Result<(), String>>,
    ) -> Result<(), String> {
        self.core.hold();
        while self.exit.is_none() {
            tokio::select! {
                ready = &mut ready => return ready.unwrap_or(Ok(())),
                signal = self.signals.next() => {
                    self.signalled(signal.map_err(|error| error.to_string())?);
                }
                Some(request) = self.inbox.requests.recv() => self.requested(request),
                Some((job, outcome)) = self.finished.recv() => {
                    self.input(Input::JobDone { job, outcome });
                }
            }
        }
        Ok(())
    }

    /// Whether everything is stopped for good.
    pub(crate) fn is_leaving(&self) -> bool {
        self.exit.is_some()
    }

    /// The servers are open.
    pub(crate) fn is_up(&mut self) {
        self.herald.is_up();
    }

    /// Supervises until everything is stopped.
    ///
    /// # Errors
    /// Only when the system stops delivering signals.
    pub(crate) async fn run(mut self) -> std::io::Result<Departure> {
        self.input(Input::Timer);
        loop {
            if let Some(mood) = self.exit {
                let next_event_serial = self.core.supervisor().next_event_serial();
                return Ok(Departure { mood, next_event_serial });
            }
            let herald = self.herald.deadline(self.core.supervisor());
            let deadline = earliest([self.core.next_deadline(), herald]);
            if self.exits_wait || self.core.waits_for_turn() || self.is_due(deadline) {
                tokio::task::yield_now().await; // a turn for the pipes and connections
            }
            tokio::select! {
                signal = self.signals.next() => self.signalled(signal?),
                () = std::future::ready(()), if self.exits_wait => self.look_at_exits(),
                () = std::future::ready(()), if self.core.waits_for_turn() => self.input(Input::Turn),
                Some(request) = self.inbox.requests.recv(), if !self.core.supervisor().starts_up() => {
                    self.requested(request);
                }
                Some((job, outcome)) = self.finished.recv() => {
                    self.input(Input::JobDone { job, outcome });
                }
                () = self.taps.arrived() => {
                    if self.tapped() == Turn::Used {
                        tokio::task::yield_now().await;
                    }
                }
                () = sleep_until(self.started, deadline) => self.input(Input::Timer),
            }
        }
    }

    fn now(&mut self) -> Now {
        let wall = clock::wall();
        // Offsets change at whole seconds only, and looking them up takes longer than many an input.
        if self.utc_offset.0 != wall.as_secs() {
            self.utc_offset = (wall.as_secs(), clock::offset_secs(wall));
        }
        Now { mono: self.started.elapsed(), wall, utc_offset_secs: self.utc_offset.1 }
    }

    /// Hands an input to the core and carries out what follows.
    fn input(&mut self, input: Input) {
        let now = self.now();
        self.input_at(now, input);
    }

    fn input_at(&mut self, now: Now, input: Input) {
        self.core.handle(now, &mut self.host, input);
        while let Some(effect) = self.core.poll_effect() {
            self.carry_out(effect);
        }
        self.announce();
        self.herald.look(self.core.supervisor(), now.mono);
    }

    /// Wakes those who watch when there is something new to see.
    fn announce(&self) {
        self.inbox.extent.set(self.core.supervisor().extent());
        let changes = self.core.supervisor().changes();
        self.inbox.changes.send_if_modified(|seen| std::mem::replace(seen, changes) != changes);
    }

    fn signalled(&mut self, signal: i32) {
        if signal == SIGCHLD {
            // What they printed last must be in their logs before anybody hears of their end, or of the signal.
            self.look_at_exits();
        }
        self.input(Input::Signal(signal));
    }

    /// Handles what has ended, for one turn.
    #[expect(clippy::disallowed_methods, reason = "how long it works, which no test may set")]
    fn look_at_exits(&mut self) {
        let begun = std::time::Instant::now();
        while begun.elapsed() < EXITS_TURN {
            if let Some(leaving) = self.leaving.pop_front() {
                self.let_go(leaving);
            } else if let Some((pid, status)) = self.exits.next(self.host.pids()) {
                self.child_ended(pid, status);
            } else {
                self.exits_wait = false;
                return;
            }
        }
        self.exits_wait = true;
    }

    fn child_ended(&mut self, pid: i32, status: ExitStatus) {
        let Some(proc) = self.host.process_of(pid) else {
            if self.plugins.helpers().is_over(pid) {
                self.exits.reap(pid);
                return;
            }
            self.input(Input::StrangerEnded { pid, status });
            self.exits.reap(pid);
            return;
        };
        let open_pipes = self.host.leader_ended(proc);
        self.take_all_taps();
        self.input(Input::LeaderEnded { proc, status, open_pipes });
    }

    fn let_go(&mut self, Leaving { proc, pid, status }: Leaving) {
        self.host.let_go(proc, pid);
        self.take_all_taps();
        self.input(Input::Finished { proc, status });
        self.exits.reap(pid);
    }

    /// What a program printed last is heard before its end.
    fn take_all_taps(&mut self) {
        while let Some(input) = self.taps.take() {
            self.input(input);
        }
    }

    fn is_due(&self, deadline: Option<Duration>) -> bool {
        deadline.is_some_and(|deadline| deadline <= self.started.elapsed())
    }

    /// Hands over what the programs printed for the core, and what listeners answer to that at once.
    fn tapped(&mut self) -> Turn {
        let now = self.now();
        for _ in 0..INPUTS_PER_TURN {
            match self.taps.take() {
                Some(input) => self.input_at(now, input),
                None if self.host.hear_at_once() => {}
                None => return Turn::Done,
            }
        }
        self.taps.remind();
        Turn::Used
    }

    fn requested(&mut self, request: Request) {
        match request {
            Request::Call { id, call, reply } => {
                self.replies.insert(id, reply);
                self.input(Input::Call { reply: id, call });
            }
            Request::Hangup(id) => {
                self.replies.remove(&id);
                self.input(Input::Hangup { reply: id });
            }
            Request::Log(level, text) => self.main_log.log(level, &text),
            Request::About(reply) => {
                let _ = reply.send(self.core.supervisor().about()); // the client may have gone away
            }
            Request::Overview(reply) => {
                let now = self.now();
                let _ = reply.send(self.core.supervisor().overview(now)); // likewise
            }
            Request::Census(reply) => {
                let _ = reply.send(self.core.supervisor().census()); // likewise
            }
            Request::Program { namespec, reply } => {
                let now = self.now();
                let _ = reply.send(self.core.supervisor().program(&namespec, now)); // likewise
            }
            Request::Follow { log, head_bytes, reply } => {
                let path = self.core.supervisor().log_path(&log).map(native::path);
                let lookout = self.lookout.clone();
                tokio::task::spawn_local(async move {
                    let follower = match path {
                        Ok(path) => Follower::open(&lookout, &path, head_bytes).await,
                        Err(_) => None,
                    };
                    let _ = reply.send(follower); // likewise
                });
            }
            Request::ReadLog { log, part, reply } => {
                let path = self.core.supervisor().log_path(&log).map(native::path);
                let disk = self.host.disk().clone();
                tokio::task::spawn_local(async move {
                    let excerpt = match path {
                        Ok(path) => disk.excerpt(&path, part).await,
                        Err(why) => Err(why.into()),
                    };
                    let _ = reply.send(excerpt); // likewise
                });
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { reply, result } => {
                if let Some(sender) = self.replies.remove(&reply) {
                    let _ = sender.send(result); // the client may have gone away
                }
            }
            Effect::Log(level, text) => self.main_log.log(level, &text),
            Effect::Print(bytes) => self.host.print(bytes),
            Effect::Job { job, work } => self.start_job(job, work),
            Effect::CallRoll { proc, pid } => self.host.call_roll(proc, pid),
            Effect::LetGo { proc, pid, status } => {
                self.leaving.push_back(Leaving { proc, pid, status });
                self.exits_wait = true;
            }
            Effect::ReopenLogs => {
                drop(self.main_log.reopen());
                self.host.reopen_all_logs();
            }
            Effect::TellPlugins(event) => self.plugins.order(Order::Event(event)),
            Effect::ApplySettings => self.host.apply(self.core.supervisor().settings()),
            Effect::Exit(mood) => self.exit = Some(mood),
        }
    }

    fn start_job(&mut self, job: JobId, work: Job) {
        let disk = self.host.disk().clone();
        match work {
            Job::ReadLog { path, offset, length } => {
                self.answer_later(job, disk.read_log(&path, offset, length));
            }
            Job::TailLog { path, offset, length } => {
                self.answer_later(job, disk.tail_log(&path, offset, length));
            }
            Job::ClearMainLog => {
                let main_log = self.main_log.clone();
                self.answer_later(job, async move { main_log.clear().await });
            }
            Job::ClearProcessLogs { proc, name } => {
                self.answer_done(job, self.host.clear_logs(proc), name);
            }
            Job::ReopenMainLog { name } => self.answer_done(job, self.main_log.reopen(), name),
            Job::ReopenProcessLogs { proc, name } => {
                self.answer_done(job, self.host.reopen_logs(proc), name);
            }
            Job::ReadConfig => self.read_apart(job, Reading::Everything),
            Job::ReadProgram { section, options, group, add } => {
                self.read_apart(job, Reading::Program { section, options, group, add });
            }
            Job::Plugin(call) => {
                let (reply, answer) = oneshot::channel();
                self.plugins.order(Order::Call(call, reply));
                let gone = || Fault::bare(FaultCode::ShutdownState);
                self.answer_later(job, async move { answer.await.unwrap_or_else(|_| Err(gone())) });
            }
            Job::Judge(verdict) => {
                let (reply, judgement) = oneshot::channel();
                self.plugins.order(Order::Judge(verdict, reply));
                let finish = self.finish.clone();
                tokio::task::spawn_local(async move {
                    let judgement = judgement.await.unwrap_or(Judgement::Rejected);
                    let _ = finish.send((job, JobOutcome::Judged(judgement))); // the house may have left its loop
                });
            }
        }
    }

    fn read_apart(&self, job: JobId, reading: Reading) {
        let (reader, finish) = (Arc::clone(&self.read_config), self.finish.clone());
        self.host.disk().run_apart(Box::new(move || {
            // A reader that panicked has left nothing half done that the next reading would see.
            let mut read = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = read(reading);
            let _ = finish.send((job, outcome)); // the house may have left its loop
        }));
    }

    /// Reports that something was done to a log, or that it failed.
    fn answer_done(
        &self,
        job: JobId,
        done: impl Future<Output = std::io::Result<()>> + 'static,
        name: String,
    ) {
        self.answer_later(job, async move {
            match done.await {
                Ok(()) => Ok(Value::Bool(true)),
                Err(_) => Err(Fault::new(FaultCode::Failed, name)),
            }
        });
    }

    /// Reports the outcome of a job when it is there.
    fn answer_later(
        &self,
        job: JobId,
        answer: impl Future<Output = Result<Value, Fault>> + 'static,
    ) {
        let finish = self.finish.clone();
        tokio::task::spawn_local(async move {
            let outcome = JobOutcome::Answer(answer.await);
            let _ = finish.send((job, outcome)); // the house may have left its loop
        });
    }
}

/// Sleeps until a deadline of the core, or for ever.
async fn sleep_until(started: Instant, deadline: Option<Duration>) {
    match deadline.and_then(|deadline| started.checked_add(deadline)) {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
