//! The house: the core, the programs' descriptors and the calls under way, in one loop on the supervision thread.
//!
//! Everything that happens comes in through four doors (signals, requests, finished jobs, the core's deadline) and
//! is handed to the core, whose effects are then carried out. The loop sleeps whenever nothing happens.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::excerpt::{LogName, NoExcerpt};
use super::follow::Follower;
use super::handle::{Inbox, Request};
use super::host::OsHost;
use super::lookout::Lookout;
use super::mainlog::MainLog;
use super::signals::{Signals, wait_children};
use super::taps::Taps;
use crate::core::clock::Now;
use crate::core::config::{ChannelConfig, Config};
use crate::core::effect::{Effect, Input, Job, JobId, JobOutcome, ProcId, ReplyId};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::log_path;
use crate::core::namespec;
use crate::core::states::Mood;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;
use crate::native;

/// Reads the configuration again; run on the disk thread.
pub type ConfigReader = Arc<Mutex<dyn FnMut() -> Result<Config, String> + Send>>;

/// The number of SIGCHLD.
const SIGCHLD: i32 = nix::libc::SIGCHLD;

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

/// How a life ended.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// Whether to start again.
    pub mood: Mood,
    /// Where to go on counting events.
    pub next_event_serial: u64,
}

/// Everything the loop works with.
pub struct House {
    core: Supervisor,
    host: OsHost,
    taps: Rc<Taps>,
    lookout: Lookout,
    main_log: MainLog,
    read_config: ConfigReader,
    started: Instant,
    /// The minute of the Unix epoch, and the offset of local time from UTC in it.
    utc_offset: (u64, i32),
    signals: Signals,
    inbox: Inbox,
    /// Calls that await their reply.
    replies: HashMap<ReplyId, oneshot::Sender<Result<Value, Fault>>>,
    /// Finished jobs. Every job belongs to a call, so the calls under way bound the queue.
    finished: mpsc::UnboundedReceiver<(JobId, JobOutcome)>,
    finish: mpsc::UnboundedSender<(JobId, JobOutcome)>,
    exit: Option<Mood>,
}

impl House {
    /// Moves in: adds the groups of the configuration. Nothing is started before [`House::run`].
    pub fn new(
        mut core: Supervisor,
        mut host: OsHost,
        main_log: MainLog,
        read_config: ConfigReader,
        signals: Signals,
        inbox: Inbox,
    ) -> House {
        core.add_all_groups(&mut host);
        let (finish, finished) = mpsc::unbounded_channel();
        House {
            core,
            taps: Rc::clone(host.taps()),
            lookout: Lookout::new(host.disk()),
            host,
            main_log,
            read_config,
            started: Instant::now(),
            utc_offset: (0, 0),
            signals,
            inbox,
            replies: HashMap::new(),
            finished,
            finish,
            exit: None,
        }
    }

    /// Supervises until everything is stopped.
    ///
    /// # Errors
    /// Only when the system stops delivering signals.
    pub async fn run(mut self) -> std::io::Result<Departure> {
        self.input(Input::Timer);
        loop {
            if let Some(mood) = self.exit {
                let next_event_serial = self.core.next_event_serial();
                return Ok(Departure { mood, next_event_serial });
            }
            let deadline = self.core.next_deadline();
            tokio::select! {
                signal = self.signals.next() => self.signalled(signal?),
                Some(request) = self.inbox.requests.recv() => self.requested(request),
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
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Offsets change at whole minutes only, and looking them up takes longer than many an input.
        let minute = wall.as_secs() / 60;
        if self.utc_offset.0 != minute {
            self.utc_offset = (minute, local_offset_secs());
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
    }

    /// Wakes those who watch when there is something new to see.
    fn announce(&self) {
        let changes = self.core.changes();
        self.inbox.changes.send_if_modified(|seen| std::mem::replace(seen, changes) != changes);
    }

    fn signalled(&mut self, signal: i32) {
        if signal == SIGCHLD {
            for (pid, status) in wait_children() {
                // What it printed last must be in its log before anybody hears of its end.
                self.host.child_ended(pid);
                while let Some(input) = self.taps.take() {
                    self.input(input);
                }
                self.input(Input::ChildExited { pid, status });
            }
        }
        self.input(Input::Signal(signal));
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
                let _ = reply.send(self.core.about()); // the client may have gone away
            }
            Request::Overview(reply) => {
                let now = self.now();
                let _ = reply.send(self.core.overview(now)); // likewise
            }
            Request::Program { namespec, reply } => {
                let now = self.now();
                let _ = reply.send(self.core.program(&namespec, now)); // likewise
            }
            Request::Follow { log, head_bytes, reply } => {
                let (path, lookout) = (self.path_of(&log), self.lookout.clone());
                tokio::task::spawn_local(async move {
                    let follower = match path {
                        Ok(path) => {
                            Follower::open(&lookout, &native::path(&path), head_bytes).await
                        }
                        Err(_) => None,
                    };
                    let _ = reply.send(follower); // likewise
                });
            }
            Request::ReadLog { log, part, reply } => {
                let (path, disk) = (self.path_of(&log), self.host.disk().clone());
                tokio::task::spawn_local(async move {
                    let excerpt = match path {
                        Ok(path) => disk.excerpt(&native::path(&path), part).await,
                        Err(why) => Err(why),
                    };
                    let _ = reply.send(excerpt); // likewise
                });
            }
        }
    }

    fn path_of(&self, log: &LogName) -> Result<String, NoExcerpt> {
        let LogName::Process { namespec, channel } = log else {
            return Ok(self.core.settings().logfile.clone());
        };
        let spec = namespec::split(namespec);
        let process = spec.process.and_then(|process| self.core.find(spec.group, process));
        let config = process.ok_or(NoExcerpt::NoProcess)?.config();
        let channel: &ChannelConfig = match channel.as_str() {
            "stdout" => &config.stdout,
            "stderr" => &config.stderr,
            _ => return Err(NoExcerpt::NoFile),
        };
        log_path(channel).map(str::to_string).ok_or(NoExcerpt::NoFile)
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
            Effect::ReopenLogs => {
                self.main_log.reopen();
                self.host.reopen_logs();
            }
            Effect::ApplySettings => self.host.apply(self.core.settings()),
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
            Job::ClearProcessLogs { proc, name } => self.clear_process_logs(job, proc, name),
            Job::ReadConfig => {
                let (reader, finish) = (Arc::clone(&self.read_config), self.finish.clone());
                disk.run(Box::new(move || {
                    // A reader that panicked has left nothing half done that the next reading would see.
                    let mut read = reader.lock().unwrap_or_else(PoisonError::into_inner);
                    let outcome = JobOutcome::Config(read().map(Box::new));
                    let _ = finish.send((job, outcome)); // the house may have left its loop
                }));
            }
        }
    }

    fn clear_process_logs(&mut self, job: JobId, proc: ProcId, name: String) {
        let cleared = self.host.clear_logs(proc);
        self.answer_later(job, async move {
            match cleared.await {
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

/// Offset of local time from UTC now, in seconds east.
fn local_offset_secs() -> i32 {
    jiff::Zoned::now().offset().seconds()
}

/// Sleeps until a deadline of the core, or for ever.
async fn sleep_until(started: Instant, deadline: Option<Duration>) {
    match deadline.and_then(|deadline| started.checked_add(deadline)) {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
