//! What processes use of the machine, from /proc, for those who look at the web interface.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};
use tokio::time::Instant;

/// For how long a reading serves everybody who asks.
const FRESH: Duration = Duration::from_secs(1);

/// Processes read before others get a turn: some 10 µs each.
const PROCESSES_PER_TURN: usize = 32;

/// Processor time and memory of one process, its children not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Milliseconds on a processor since it was started.
    pub cpu_millis: u64,
    /// Bytes of memory it has resident.
    pub memory_bytes: u64,
}

/// Reads what processes use, and remembers it for a moment, so that many open pages cost no more than one.
#[derive(Debug, Default)]
pub struct Meter {
    readings: RefCell<HashMap<i32, (Instant, Option<Usage>)>>,
}

impl Meter {
    /// What processes use, by pid; those that are gone are left out.
    pub async fn read(&self, pids: impl IntoIterator<Item = i32>) -> HashMap<i32, Usage> {
        let mut usages = HashMap::new();
        self.readings.borrow_mut().retain(|_, (taken, _)| taken.elapsed() < FRESH);
        for (index, pid) in pids.into_iter().enumerate() {
            if index % PROCESSES_PER_TURN == PROCESSES_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let usage = match self.readings.borrow().get(&pid) {
                Some((_, usage)) => *usage,
                None => None,
            };
            let usage = usage.or_else(|| self.look(pid));
            usages.extend(usage.map(|usage| (pid, usage)));
        }
        usages
    }

    fn look(&self, pid: i32) -> Option<Usage> {
        let usage =
            fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|stat| parse(&stat));
        self.readings.borrow_mut().insert(pid, (Instant::now(), usage));
        usage
    }
}

/// Reads a line of `/proc/PID/stat`: the fields follow the program's name, which may hold anything, parentheses too.
fn parse(stat: &str) -> Option<Usage> {
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // Counted from `state`, field 3 of proc(5): utime 14, stime 15, rss 24.
    let ticks = number(11)? + number(12)?;
    let unit = |name, usual| {
        sysconf(name).ok().flatten().and_then(|n| u64::try_from(n).ok()).unwrap_or(usual)
    };
    Some(Usage {
        cpu_millis: ticks * 1000 / unit(SysconfVar::CLK_TCK, 100).max(1),
        memory_bytes: number(21)? * unit(SysconfVar::PAGE_SIZE, 4096),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 97 0 0 0 150 50 0 0 20 0 1 0 1 1 25 18446744073709551615";
        let page = u64::try_from(sysconf(SysconfVar::PAGE_SIZE).unwrap().unwrap()).unwrap();
        assert_eq!(parse(stat), Some(Usage { cpu_millis: 2000, memory_bytes: 25 * page }));
        assert_eq!(parse("7 (a"), None);
        assert_eq!(parse(""), None);
    }
}
