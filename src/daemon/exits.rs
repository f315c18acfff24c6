//! Children that have ended, looked at before they are reaped.
//!
//! A pid belongs to a child until it is reaped; then the kernel may give it to the next fork, and handling an exit forks.
//! So an exit is handled first, and its child reaped after that: at no moment do two programs of the house have one pid,
//! and a signal to the pid or the group of a program can hit nobody else.

use std::collections::{HashSet, VecDeque};

use super::signals::exit_status;
use crate::core::effect::ExitStatus;
use crate::sys::{self, Patience};

/// Who has ended and is not reaped yet.
#[derive(Debug, Default)]
pub struct Exits {
    /// Everybody [`Exits::next`] has told of.
    held: HashSet<i32>,
    /// Found together with others, and not told of yet.
    found: VecDeque<(i32, ExitStatus)>,
}

impl Exits {
    /// The next child that has ended, in the order the system reports them. It is a zombie until [`Exits::reap`].
    /// `children` are those we started. As process 1 of a container we get orphans, too.
    pub fn next(&mut self, children: impl Iterator<Item = i32>) -> Option<(i32, ExitStatus)> {
        if let Some(found) = self.found.pop_front() {
            return Some(found);
        }
        let (pid, status) = sys::ended_child(None)?;
        if self.held.insert(pid) {
            return Some((pid, exit_status(status)));
        }
        // The system goes on reporting the oldest one; behind it each is to be asked for by name. All that are found now
        // are told of one after the other, so the cost of a round is shared by what ended since the last.
        for pid in children.chain(listed()) {
            if !self.held.contains(&pid)
                && let Some((pid, status)) = sys::ended_child(Some(pid))
            {
                self.held.insert(pid);
                self.found.push_back((pid, exit_status(status)));
            }
        }
        self.found.pop_front()
    }

    /// Gives the pid of a child back to the system.
    pub fn reap(&mut self, pid: i32) {
        // It has ended, so there is nothing to wait for.
        let _ = sys::reap(pid, Patience::Poll);
        self.held.remove(&pid);
    }
}

/// The children as the system lists them, where it does; some may be missing while others end. Orphans become children
/// of the supervision thread, which is the first.
fn listed() -> Vec<i32> {
    let list = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
