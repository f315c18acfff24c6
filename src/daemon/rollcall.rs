//! Who else lives of the process group of a leader that has ended.
//!
//! The kernel tells nobody when a group becomes empty, so /proc is looked through: while a leader that has ended waits
//! for the rest of its group, at most a twelfth of the time, and never otherwise. One look serves all groups.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::taps::Taps;
use crate::core::effect::{Input, ProcId};
use crate::core::effect::{Member, Others};

/// Entries of /proc read before others get a turn: some hundred microseconds.
const ENTRIES_PER_TURN: usize = 64;

/// Least time between two looks.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// Most time between two looks, unless a look itself takes long.
const MOST_PAUSE: Duration = Duration::from_millis(250);

/// A pause is this many times as long as a look took.
const PAUSES_PER_LOOK: u32 = 12;

/// A look is as late as a sixteenth of the time nothing has changed for: who takes a second to save its data is not asked
/// for every ten milliseconds.
const PATIENCE: u32 = 16;

/// A group that is looked at.
#[derive(Debug)]
struct Watched {
    proc: ProcId,
    told: Option<Others>,
}

/// The groups that are looked at. Lives on the supervision thread.
#[derive(Debug)]
pub(super) struct RollCall {
    watched: RefCell<HashMap<i32, Watched>>,
    running: Cell<bool>,
    added: Notify,
    taps: Rc<Taps>,
}

impl RollCall {
    /// Nobody is looked at. What is seen is handed in through the taps, as [`Input::GroupSeen`].
    pub(super) fn new(taps: Rc<Taps>) -> RollCall {
        let (watched, running) = (RefCell::default(), Cell::new(false));
        RollCall { watched, running, added: Notify::new(), taps }
    }

    /// Looks at the group of this id from now on, and tells who lives of it, on every change.
    pub(super) fn watch(self: &Rc<Self>, proc: ProcId, group: i32) {
        self.watched.borrow_mut().insert(group, Watched { proc, told: None });
        self.added.notify_one();
        if !self.running.replace(true) {
            tokio::task::spawn_local(Rc::clone(self).run());
        }
    }

    /// Looks no more.
    pub(super) fn forget(&self, group: i32) {
        self.watched.borrow_mut().remove(&group);
    }

    async fn run(self: Rc<Self>) {
        let mut last_change = Instant::now();
        while !self.watched.borrow().is_empty() {
            let begun = Instant::now();
            // Who is added while the look is under way may have been passed already.
            let groups = self.groups();
            let seen = look(&groups).await;
            if self.tell(&groups, seen.as_ref()) {
                last_change = Instant::now();
            }
            let least = (begun.elapsed() * PAUSES_PER_LOOK).max(LEAST_PAUSE);
            sleep(least).await;
            let rest = (last_change.elapsed() / PATIENCE).min(MOST_PAUSE).saturating_sub(least);
            tokio::select! {
                () = sleep(rest) => {}
                () = self.added.notified() => {}
            }
        }
        self.running.set(false);
    }

    fn groups(&self) -> Vec<(i32, ProcId)> {
        self.watched.borrow().iter().map(|(group, watched)| (*group, watched.proc)).collect()
    }

    /// Hands in what is new; whether anything was.
    fn tell(&self, groups: &[(i32, ProcId)], seen: Option<&Seen>) -> bool {
        let mut news = false;
        let mut watched = self.watched.borrow_mut();
        for (group, proc) in groups {
            // Meanwhile another process may have its id.
            let entry = watched.get_mut(group).filter(|entry| entry.proc == *proc);
            let Some(entry) = entry else { continue };
            let others = match seen.and_then(|seen| seen.get(group)) {
                Some(living) if living.leader_seen => Others::Seen(living.others.clone()),
                Some(_) | None => Others::Unknowable,
            };
            if entry.told.as_ref() != Some(&others) {
                entry.told = Some(others.clone());
                self.taps.push(Input::GroupSeen { proc: entry.proc, others });
                news = true;
            }
        }
        news
    }
}

/// What is seen of one group.
#[derive(Debug, Default)]
struct Living {
    /// The leader is there, as a zombie. Without it this /proc does not show our processes.
    leader_seen: bool,
    others: Vec<Member>,
}

type Seen = HashMap<i32, Living>;

/// Looks through /proc for the members of some groups. `None` where there is no /proc of our pid namespace.
async fn look(groups: &[(i32, ProcId)]) -> Option<Seen> {
    let own: u32 = std::fs::read_link("/proc/self").ok()?.to_str()?.parse().ok()?;
    if own != std::process::id() {
        return None;
    }
    let mut seen: Seen = groups.iter().map(|(group, _)| (*group, Living::default())).collect();
    for (index, entry) in std::fs::read_dir("/proc").ok()?.enumerate() {
        if index % ENTRIES_PER_TURN == ENTRIES_PER_TURN - 1 {
            tokio::task::yield_now().await;
        }
        let name = entry.ok()?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = std::fs::read(format!("/proc/{pid}/stat")) else { continue };
        if let Some(Stat { name, zombie, group }) = parse_stat(&stat)
            && let Some(living) = seen.get_mut(&group)
        {
            if !zombie {
                living.others.push(Member { pid, name });
            } else if pid == group {
                living.leader_seen = true;
            }
        }
    }
    Some(seen)
}

/// What counts of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    zombie: bool,
    group: i32,
}

/// The name is in parentheses and may contain any character, parentheses too (proc_pid_stat(5)).
fn parse_stat(stat: &[u8]) -> Option<Stat> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X" | "x");
    let group = fields.nth(1)?.parse().ok()?;
    // Names are shown in the log, one line each.
    let name = name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    Some(Stat { name, zombie, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_with_hostile_names() {
        let stat = |line: &str| parse_stat(line.as_bytes());
        let of = |name: &str, zombie, group| Some(Stat { name: name.into(), zombie, group });
        assert_eq!(stat("12 (cat) S 1 12 12 0"), of("cat", false, 12));
        assert_eq!(stat("12 (a) Z 1 7 (b)) Z 1 12 0"), of("a) Z 1 7 (b)", true, 12));
        assert_eq!(stat("12 (a\nb) R 1 -1 0"), of("a?b", false, -1));
        assert_eq!(stat("12 (cat) S 1"), None);
        assert_eq!(stat(") ("), None);
        assert_eq!(stat(""), None);
    }
}
