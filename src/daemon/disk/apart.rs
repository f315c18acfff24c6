//! Work that may wait for a name service: a reread of the configuration, which asks for users, groups and hosts.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use nix::sys::signal::SigSet;

/// Something to run.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// A queue that is worked off by a thread, which is there while it is needed. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Apart {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    running: bool,
}

impl std::fmt::Debug for Apart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Apart").field("queued", &self.lock().queue.len()).finish_non_exhaustive()
    }
}

impl Apart {
    /// Runs it after what was given before. Gives back what cannot be run, because there can be no thread.
    pub(super) fn run(&self, work: Work) -> VecDeque<Work> {
        let mut state = self.lock();
        state.queue.push_back(work);
        if state.running {
            return VecDeque::new();
        }
        let theirs = self.clone();
        match Builder::new().name("reread".to_string()).spawn(move || theirs.work()) {
            Ok(_detached) => {
                state.running = true;
                VecDeque::new()
            }
            Err(_) => std::mem::take(&mut state.queue),
        }
    }

    fn work(&self) {
        let _ = SigSet::all().thread_block(); // signals are the supervision thread's business
        while let Some(work) = self.next() {
            let _ = catch_unwind(AssertUnwindSafe(work)); // said on stderr; what waits behind it goes on
        }
    }

    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        let work = state.queue.pop_front();
        state.running = work.is_some();
        work
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
