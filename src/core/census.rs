//! Everything that is counted, at one moment, for who measures.
//!
//! Unlike an [`Overview`](super::overview::Overview) it copies no text: ten thousand processes are less than a megabyte.

use std::sync::Arc;

use super::event::Channel;
use super::info::log_path;
use super::listener::ListenerState;
use super::pool::Pool;
use super::process::Process;
use super::shared::SharedConfig;
use super::states::{Mood, ProcessState};
use super::supervisor::Supervisor;
use super::tally::LogTallies;

/// Everything supervised, and what was counted of it.
#[derive(Debug)]
pub struct Census {
    /// What the supervisor is doing.
    pub mood: Mood,
    /// Its own pid.
    pub pid: i32,
    /// Every process, in the order they were added.
    pub processes: Vec<Counted>,
    /// Every pool of event listeners.
    pub pools: Vec<CountedPool>,
}

/// One process.
#[derive(Debug)]
pub struct Counted {
    config: SharedConfig,
    /// Its state.
    pub state: ProcessState,
    /// Its pid, while it has one.
    pub pid: Option<i32>,
    /// When it was started last, in seconds since the Unix epoch; 0 for never.
    pub start_secs: i64,
    /// What `getProcessInfo` answers: exit code of its last end, -1 after a death by a signal, 0 when nothing is known.
    pub exit_status: i64,
    /// Starts that nobody asked for.
    pub restarts: u32,
    /// Starts that yielded no process.
    pub spawn_failures: u32,
    logs: Option<Arc<LogTallies>>,
}

impl Counted {
    fn of(process: &Process) -> Counted {
        let tally = process.tally();
        Counted {
            config: process.shared_config(),
            state: process.state(),
            pid: process.pid(),
            start_secs: process.start_secs(),
            exit_status: process.exit_status().unwrap_or(0),
            restarts: tally.restarts,
            spawn_failures: tally.spawn_failures,
            logs: tally.logs(),
        }
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Its group's name.
    pub fn group(&self) -> &str {
        &self.config.group().name
    }

    /// Each channel that has a log file, and the bytes that went there and that were lost.
    pub fn logs(&self) -> impl Iterator<Item = (Channel, u64, u64)> + '_ {
        let logged = |channel: &Channel| log_path(self.config.channel(*channel)).is_some();
        [Channel::Stdout, Channel::Stderr].into_iter().filter(logged).map(|channel| {
            let tally = self.logs.as_ref().map(|logs| logs.of(channel));
            let (written, dropped) =
                tally.map_or((0, 0), |tally| (tally.written(), tally.dropped()));
            (channel, written, dropped)
        })
    }
}

/// One pool of event listeners.
#[derive(Debug)]
pub struct CountedPool {
    /// The name of its group.
    pub group: String,
    /// Events that wait.
    pub waiting: usize,
    /// Most events that may wait.
    pub capacity: usize,
    /// Events it was told of.
    pub accepted: u64,
    /// Those of them that had to make room for others.
    pub discarded: u64,
    /// Name and state of each listener.
    pub listeners: Vec<(String, ListenerState)>,
}

impl CountedPool {
    fn of(pool: &Pool) -> CountedPool {
        let (accepted, discarded) = pool.counts();
        let listener = |(name, state): (&str, ListenerState)| (name.to_string(), state);
        CountedPool {
            group: pool.name().to_string(),
            waiting: pool.waiting(),
            capacity: pool.capacity(),
            accepted,
            discarded,
            listeners: pool.listeners().map(listener).collect(),
        }
    }
}

impl Supervisor {
    /// Counts everything.
    pub(crate) fn census(&self) -> Census {
        Census {
            mood: self.mood,
            pid: self.pid,
            processes: self.roster.processes().map(Counted::of).collect(),
            pools: self.pools.values().map(CountedPool::of).collect(),
        }
    }
}
