//! What all who listen to the house are told, looked at and put into words once for all of them.
//!
//! Listeners who know the same share what they know ([`Told`]), and so they share what is news to them, too. What was
//! seen is kept for a moment only, and nothing is kept when nobody listens.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, OnceCell, watch};
use tokio::time::Instant;

use super::super::objects;
use crate::core::info::{ProcessInfo, record};
use crate::core::json;
use crate::core::overview::Overview;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
use crate::daemon::usage::Usage;

/// Changes within this time are told together.
pub(super) const GATHER: Duration = Duration::from_millis(100);

/// For how long a snapshot serves newcomers if nothing changes; what it says of ages is that old.
const FRESH: Duration = Duration::from_secs(1);

/// How often it is looked what the processes use, in milliseconds.
const USAGE_INTERVAL_MILLIS: u64 = 2000;

/// Where listeners, of all servers, find each other.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Audience(Rc<RefCell<Weak<Watch>>>);

impl Audience {
    /// Takes a seat; whoever is the first opens the house.
    pub(super) fn join(&self, handle: &Handle) -> Rc<Watch> {
        let mut shared = self.0.borrow_mut();
        shared.upgrade().unwrap_or_else(|| {
            let watch = Rc::new(Watch::new(handle));
            *shared = Rc::downgrade(&watch);
            watch
        })
    }
}

/// What a listener was told of a process.
#[derive(Debug, PartialEq)]
struct Known {
    namespec: Rc<str>,
    fingerprint: u64,
    pid: Option<i32>,
}

/// What a listener was told of everything that does not just grow older.
#[derive(Debug, PartialEq)]
struct Index {
    /// Identifier and state of the daemon itself.
    supervisor: (String, i64),
    processes: Vec<Known>,
}

impl Index {
    /// Shares the names with the index before it, where it can.
    fn of(overview: &Overview, before: Option<&Index>) -> Index {
        let known = |(place, info): (usize, &ProcessInfo)| {
            let namespec = info.namespec();
            let before = before.and_then(|before| before.processes.get(place));
            let same = before.map(|known| &known.namespec).filter(|name| ***name == *namespec);
            Known {
                namespec: same.cloned().unwrap_or_else(|| namespec.into()),
                fingerprint: objects::fingerprint(info),
                pid: info.pid,
            }
        };
        Index {
            supervisor: (overview.about.identifier.clone(), overview.about.mood.code()),
            processes: overview.processes.iter().enumerate().map(known).collect(),
        }
    }

    fn pids(&self) -> impl Iterator<Item = i32> {
        self.processes.iter().filter_map(|known| known.pid)
    }
}

/// Everything that a listener was told.
#[derive(Debug)]
pub(super) struct Told {
    index: Rc<Index>,
    /// By pid, as it was looked at last, whether that was worth telling or not.
    usage: HashMap<i32, Usage>,
}

/// What a listener is to be told.
#[derive(Clone, Debug)]
pub(super) struct News {
    /// What comes in the event after what differs with the time of its sending: the processes, and those that are gone.
    /// Empty when there is nothing to tell.
    pub(super) text: Bytes,
    /// What it then knows.
    pub(super) told: Rc<Told>,
}

/// The house at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// How often anything had changed by then, at least.
    pub(super) changes: u64,
    /// All of it.
    pub(super) overview: Overview,
    taken: Instant,
    index: Rc<Index>,
    /// For those who know nothing yet.
    everything: OnceCell<News>,
    /// For those who know what is said here. Most know the same.
    difference: Mutex<Option<(Rc<Told>, News)>>,
}

impl Snapshot {
    /// Whether another look can be spared while the counter of changes is at that value. Who misses something comes again,
    /// later than [`GATHER`].
    fn serves(&self, changes: u64) -> bool {
        let age = self.taken.elapsed();
        age < if self.changes == changes { FRESH } else { GATHER }
    }

    /// What is new to one who knows this; nothing may be.
    pub(super) async fn news(&self, watch: &Watch, told: Option<&Rc<Told>>) -> Option<News> {
        let Some(told) = told else {
            return Some(self.everything.get_or_init(|| self.everything(watch)).await.clone());
        };
        if Rc::ptr_eq(&told.index, &self.index) {
            return None;
        }
        let mut difference = self.difference.lock().await;
        if let Some((known, news)) = &*difference
            && Rc::ptr_eq(known, told)
        {
            return Some(news.clone());
        }
        let news = self.difference(watch, told).await;
        *difference = Some((Rc::clone(told), news.clone()));
        Some(news)
    }

    async fn everything(&self, watch: &Watch) -> News {
        let usage = watch.handle.usage(self.index.pids()).await;
        let text = rest_of_event(self.overview.processes.iter(), &[], &usage);
        News { text, told: Rc::new(Told { index: Rc::clone(&self.index), usage }) }
    }

    async fn difference(&self, watch: &Watch, told: &Told) -> News {
        let known = told.index.processes.iter().map(|known| (&known.namespec, known.fingerprint));
        let mut known: HashMap<&Rc<str>, u64> = known.collect();
        let processes = self.overview.processes.iter().zip(&self.index.processes);
        let different: Vec<&ProcessInfo> = processes
            .filter(|(_, now)| known.remove(&now.namespec) != Some(now.fingerprint))
            .map(|(info, _)| info)
            .collect();
        let mut removed: Vec<&str> = known.into_keys().map(|name| &**name).collect();
        removed.sort_unstable();
        if different.is_empty()
            && removed.is_empty()
            && told.index.supervisor == self.index.supervisor
        {
            // All that has changed since was undone.
            let (index, usage) = (Rc::clone(&self.index), told.usage.clone());
            return News { text: Bytes::new(), told: Rc::new(Told { index, usage }) };
        }
        let fresh = watch.handle.usage(different.iter().filter_map(|info| info.pid)).await;
        let text = rest_of_event(different.into_iter(), &removed, &fresh);
        let mut usage = told.usage.clone();
        usage.extend(fresh);
        News { text, told: Rc::new(Told { index: Rc::clone(&self.index), usage }) }
    }
}

fn rest_of_event<'a>(
    processes: impl Iterator<Item = &'a ProcessInfo>,
    removed: &[&str],
    usage: &HashMap<i32, Usage>,
) -> Bytes {
    let mut text = "\"processes\": [".to_string();
    for (index, info) in processes.enumerate() {
        let usage = info.pid.and_then(|pid| usage.get(&pid));
        text.push_str(if index > 0 { ", " } else { "" });
        text.push_str(&json::write(&objects::process(info.clone(), usage)));
    }
    let removed = Value::Array(removed.iter().copied().map(Value::str).collect());
    text.push_str("], \"removed\": ");
    text.push_str(&json::write(&removed));
    text.push_str("}\n\n");
    text.shrink_to_fit();
    text.into()
}

/// What the processes of an index used at one moment.
#[derive(Debug)]
struct Looked {
    taken: Instant,
    /// What everybody knows who is told of it.
    told: Rc<Told>,
    /// The event for those who knew what is said here. Most know the same.
    event: Option<(Rc<Told>, Option<Bytes>)>,
}

/// What was seen of the house last.
#[derive(Debug, Default)]
struct Latest {
    /// What does not change is shared with the next.
    index: Option<Rc<Index>>,
    snapshot: Option<Rc<Snapshot>>,
}

/// The house, as it is looked at for all listeners.
#[derive(Debug)]
pub(super) struct Watch {
    handle: Handle,
    changes: watch::Receiver<u64>,
    started: Instant,
    latest: Mutex<Latest>,
    usage: Mutex<Option<Looked>>,
}

impl Watch {
    fn new(handle: &Handle) -> Watch {
        Watch {
            handle: handle.clone(),
            changes: handle.changes(),
            started: Instant::now(),
            latest: Mutex::default(),
            usage: Mutex::default(),
        }
    }

    /// The house now, or a moment ago.
    ///
    /// # Errors
    /// When the house has left its loop.
    pub(super) async fn look(&self) -> io::Result<Rc<Snapshot>> {
        // Who comes while another looks gets what that one sees.
        let mut latest = self.latest.lock().await;
        // Before the look: what changes meanwhile may be missing in it.
        let changes = *self.changes.borrow();
        if let Some(snapshot) = latest.snapshot.as_ref().filter(|it| it.serves(changes)) {
            return Ok(Rc::clone(snapshot));
        }
        let overview = self.handle.overview().await.ok_or(io::ErrorKind::BrokenPipe)?;
        let index = Index::of(&overview, latest.index.as_deref());
        let index = match &latest.index {
            Some(before) if **before == index => Rc::clone(before),
            _ => Rc::new(index),
        };
        let snapshot = Rc::new(Snapshot {
            changes,
            overview,
            taken: Instant::now(),
            index: Rc::clone(&index),
            everything: OnceCell::new(),
            difference: Mutex::default(),
        });
        *latest = Latest { index: Some(index), snapshot: Some(Rc::clone(&snapshot)) };
        Ok(snapshot)
    }

    /// Forgets what no newcomer would be shown any more.
    pub(super) fn tidy(&self) {
        if let Ok(mut latest) = self.latest.try_lock() {
            latest.snapshot.take_if(|snapshot| snapshot.taken.elapsed() >= FRESH);
        }
    }

    /// When it is to be looked next what processes use: at the same moments for all.
    pub(super) fn usage_due(&self) -> Instant {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        let wait = USAGE_INTERVAL_MILLIS - elapsed % USAGE_INTERVAL_MILLIS;
        Instant::now() + Duration::from_millis(wait)
    }

    /// What one knows who knew this and is told what processes use now, and the event that tells it; there is none when
    /// they use what they did.
    pub(super) async fn usage(&self, told: &Rc<Told>) -> (Rc<Told>, Option<Bytes>) {
        let mut latest = self.usage.lock().await;
        let serves = |looked: &Looked| {
            Rc::ptr_eq(&looked.told.index, &told.index) && looked.taken.elapsed() < GATHER
        };
        let mut looked = match latest.take().filter(serves) {
            Some(looked) => looked,
            None => {
                let (index, taken) = (Rc::clone(&told.index), Instant::now());
                let usage = self.handle.usage(index.pids()).await;
                Looked { taken, told: Rc::new(Told { index, usage }), event: None }
            }
        };
        let event = match &looked.event {
            Some((known, event)) if Rc::ptr_eq(known, told) => event.clone(),
            _ => usage_event(told, &looked.told),
        };
        let now = Rc::clone(&looked.told);
        looked.event = Some((Rc::clone(told), event.clone()));
        *latest = Some(looked);
        (now, event)
    }
}

/// Tells of the processes that use something else than before.
fn usage_event(before: &Told, now: &Told) -> Option<Bytes> {
    let int = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let mut different = Vec::new();
    for known in &now.index.processes {
        let Some((pid, usage)) = known.pid.and_then(|pid| Some((pid, now.usage.get(&pid)?))) else {
            continue;
        };
        let was = before.usage.get(&pid);
        if was.is_some_and(|was| was.is_as(usage)) {
            continue;
        }
        let since = was.map_or(Value::Nil, |was| Value::Int(was.measured));
        let figures =
            vec![int(usage.cpu_millis), int(usage.memory_bytes), Value::Int(usage.measured), since];
        different.push((known.namespec.to_string(), Value::Array(figures)));
    }
    if different.is_empty() {
        return None;
    }
    let members = record([("now", objects::now()), ("processes", Value::Struct(different))]);
    Some(format!("event: usage\ndata: {}\n\n", json::write(&members)).into())
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
