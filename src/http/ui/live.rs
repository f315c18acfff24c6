//! `/api/v1/events`: what happens in the house, as it happens, in the format of server-sent events.
//!
//! A stream sleeps until the house announces a change, looks once, and sends what is different from what it sent
//! before. Of each process it remembers no more than the name and a fingerprint.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::hub::Listening;
use super::objects;
use crate::core::info::record;
use crate::core::json;
use crate::core::overview::Overview;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
use crate::daemon::usage::Usage;

/// Changes within this time are sent together.
const GATHER: Duration = Duration::from_millis(100);

/// How often it is looked what the processes use.
const USAGE_INTERVAL: Duration = Duration::from_secs(2);

/// After how much silence a comment is sent, so that proxies and browsers know that the stream lives.
const SILENCE: Duration = Duration::from_secs(20);

/// What a client was told of a process.
#[derive(Debug)]
struct Told {
    fingerprint: u64,
    pid: Option<i32>,
    usage: Option<Usage>,
    /// In the latest overview.
    present: bool,
}

/// The stream of one client.
pub(in crate::http) struct Live {
    handle: Handle,
    changes: watch::Receiver<u64>,
    /// By namespec; `None` before the first event.
    told: Option<HashMap<String, Told>>,
    /// Of the daemon itself.
    told_supervisor: (String, i64),
    usage_due: Instant,
    /// When something was sent last.
    spoke: Instant,
    _place: Listening,
}

impl Live {
    pub(super) fn new(handle: &Handle, place: Listening) -> Live {
        let now = Instant::now();
        Live {
            handle: handle.clone(),
            changes: handle.changes(),
            told: None,
            told_supervisor: (String::new(), 0),
            usage_due: now + USAGE_INTERVAL,
            spoke: now,
            _place: place,
        }
    }

    /// The next event, or a comment.
    ///
    /// # Errors
    /// When the house has left its loop.
    pub(in crate::http) async fn next(&mut self) -> io::Result<Vec<u8>> {
        let text = loop {
            if self.told.is_none() {
                self.changes.mark_unchanged();
                if let Some(event) = self.status().await? {
                    break event;
                }
            }
            tokio::select! {
                changed = self.changes.changed() => {
                    changed.map_err(|_| io::ErrorKind::BrokenPipe)?;
                    sleep(GATHER).await;
                    self.changes.mark_unchanged();
                    if let Some(event) = self.status().await? {
                        break event;
                    }
                }
                () = sleep_until(self.usage_due) => {
                    self.usage_due = Instant::now() + USAGE_INTERVAL;
                    if let Some(event) = self.usage().await {
                        break event;
                    }
                }
                () = sleep_until(self.spoke + SILENCE) => break ":\n\n".to_string(),
            }
        };
        self.spoke = Instant::now();
        Ok(text.into_bytes())
    }

    /// The event that tells what is new, if anything is.
    async fn status(&mut self) -> io::Result<Option<String>> {
        let overview = self.handle.overview().await.ok_or(io::ErrorKind::BrokenPipe)?;
        let complete = self.told.is_none();
        let supervisor = (overview.about.identifier.clone(), overview.about.mood.code());
        let supervisor_is_new = self.told_supervisor != supervisor;
        self.told_supervisor = supervisor;
        let (now, about) = (objects::millis(&overview), objects::supervisor(&overview));
        let usage = self.handle.usage(self.unknown_pids(&overview)).await;
        let (processes, removed) = self.difference(overview, &usage);
        if processes.is_empty() && removed.is_empty() && !supervisor_is_new {
            return Ok(None);
        }
        Ok(Some(event(
            "status",
            &record([
                ("complete", Value::Bool(complete)),
                ("now", now),
                ("supervisor", about),
                ("processes", Value::Array(processes)),
                ("removed", Value::Array(removed)),
            ]),
        )))
    }

    /// Pids of processes whose use the client does not know yet.
    fn unknown_pids(&self, overview: &Overview) -> Vec<i32> {
        let known = |info: &crate::core::info::ProcessInfo| {
            let told = self.told.as_ref().and_then(|told| told.get(&info.namespec()));
            told.is_some_and(|told| told.fingerprint == objects::fingerprint(info))
        };
        overview.processes.iter().filter(|info| !known(info)).filter_map(|info| info.pid).collect()
    }

    /// The objects of processes that are new or different, and the names of those that are gone; from now on, the
    /// client knows.
    fn difference(
        &mut self,
        overview: Overview,
        usage: &HashMap<i32, Usage>,
    ) -> (Vec<Value>, Vec<Value>) {
        let told = self.told.get_or_insert_default();
        told.values_mut().for_each(|told| told.present = false);
        let mut different = Vec::new();
        for info in overview.processes {
            let (namespec, fingerprint, pid) =
                (info.namespec(), objects::fingerprint(&info), info.pid);
            if let Some(told) = told.get_mut(&namespec)
                && told.fingerprint == fingerprint
            {
                told.present = true;
                continue;
            }
            let usage = pid.and_then(|pid| usage.get(&pid)).copied();
            different.push(objects::process(info, usage.as_ref()));
            told.insert(namespec, Told { fingerprint, pid, usage, present: true });
        }
        let removed = told.extract_if(|_, told| !told.present).map(|(name, _)| Value::Str(name));
        let removed = removed.collect();
        (different, removed)
    }

    /// The event that tells what processes use, of those that use something else than before.
    async fn usage(&mut self) -> Option<String> {
        let told = self.told.as_mut()?;
        let usage = self.handle.usage(told.values().filter_map(|told| told.pid)).await;
        let mut different = Vec::new();
        for (namespec, told) in told.iter_mut() {
            let usage = told.pid.and_then(|pid| usage.get(&pid)).copied();
            let Some(usage) = usage else { continue };
            let was = told.usage.replace(usage);
            if was.is_some_and(|was| was.is_as(&usage)) {
                continue;
            }
            let int = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
            let figures = vec![
                int(usage.cpu_millis),
                int(usage.memory_bytes),
                Value::Int(usage.measured),
                was.map_or(Value::Nil, |was| Value::Int(was.measured)),
            ];
            different.push((namespec.clone(), Value::Array(figures)));
        }
        if different.is_empty() {
            return None;
        }
        let now = jiff::Timestamp::now().as_millisecond();
        let members = record([("now", Value::Int(now)), ("processes", Value::Struct(different))]);
        Some(event("usage", &members))
    }
}

/// An event on the wire. JSON on one line never breaks out of it.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {}\n\n", json::write(data))
}
