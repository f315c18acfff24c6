//! What is asked of the house for one answer.

use std::rc::Rc;

use super::latency::Latencies;
use crate::core::census::{Census, Counted, CountedPool};
use crate::daemon::usage::{Own, Usage};
use crate::http::site::Site;

/// Everything that is told, at one moment.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) census: Census,
    /// What each process of the census uses; nothing of those that do not run.
    pub(super) usage: Vec<Option<Usage>>,
    /// What the daemon uses, and has.
    pub(super) own_usage: Option<Usage>,
    pub(super) own: Own,
    /// Connections that are open, and that ever were accepted.
    pub(super) connections: (usize, u64),
    pub(super) latencies: Option<Rc<Latencies>>,
}

/// Looks at everything; `None` when the house has left its loop.
pub(super) async fn look(site: &Site) -> Option<Scene> {
    let census = site.handle.census().await?;
    let pids = census.processes.iter().filter_map(|process| process.pid);
    let used = site.handle.usage(pids.chain([census.pid])).await;
    let usage_of = |process: &Counted| used.get(&process.pid?).copied();
    Some(Scene {
        usage: census.processes.iter().map(usage_of).collect(),
        own_usage: used.get(&census.pid).copied(),
        own: site.handle.own().await,
        connections: site.hub.seats.counts(),
        latencies: site.latencies.clone(),
        census,
    })
}

impl Scene {
    /// Bytes it holds while it is told.
    pub(super) fn held_bytes(&self) -> usize {
        let pool = |pool: &CountedPool| {
            size_of_val(pool) + pool.listeners.iter().map(size_of_val).sum::<usize>()
        };
        size_of_val(&*self.census.processes)
            + size_of_val(&*self.usage)
            + self.census.pools.iter().map(pool).sum::<usize>()
    }
}
