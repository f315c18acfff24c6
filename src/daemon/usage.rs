//! What processes use of the machine, from /proc, for those who look at the web interface.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{SysconfVar, sysconf};
use tokio::time::Instant;

use crate::sys::clock::wall_millis;

/// For how long a reading serves everybody who asks.
const FRESH: Duration = Duration::from_secs(1);

/// Processes read before others get a turn: some 10 µs each.
const PROCESSES_PER_TURN: usize = 32;

/// Descriptors counted before others get a turn: some hundred nanoseconds each.
const DESCRIPTORS_PER_TURN: u64 = 512;

/// Bytes of a line of `/proc/PID/stat` up to what is wanted: a name of at most 64, and two dozen numbers.
const LINE_BYTES: usize = 1024;

/// Processor time and memory of one process, its children not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Milliseconds on a processor since it was started.
    pub cpu_millis: u64,
    /// Bytes of memory it has resident.
    pub memory_bytes: u64,
    /// When both were read, in wall-clock milliseconds since the Unix epoch: a share of the processor is the difference of
    /// two readings by the time between them, and not between two questions.
    pub measured: i64,
}

impl Usage {
    /// Whether the numbers are those of another reading.
    pub fn is_as(&self, other: &Usage) -> bool {
        (self.cpu_millis, self.memory_bytes) == (other.cpu_millis, other.memory_bytes)
    }
}

/// What the daemon itself has of the machine; what the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Own {
    /// Open descriptors.
    pub open_fds: Option<u64>,
    /// Most descriptors that may be open.
    pub max_fds: Option<u64>,
    /// When it was started, in milliseconds since the Unix epoch.
    pub start_millis: Option<u64>,
}

/// What was read of a process; `None` when it was gone.
#[derive(Clone, Copy, Debug)]
struct Reading {
    taken: Instant,
    usage: Option<Usage>,
}

/// Reads what processes use, and remembers it for a moment, so that many open pages cost no more than one.
#[derive(Debug)]
pub(crate) struct Meter {
    /// By pid.
    readings: RefCell<HashMap<i32, Reading>>,
    /// When the daemon was started; read once.
    start_millis: OnceCell<Option<u64>>,
    millis_per_tick: u64,
    page_bytes: u64,
}

impl Default for Meter {
    fn default() -> Meter {
        let unit = |name, usual| {
            let value = sysconf(name).ok().flatten().and_then(|value| u64::try_from(value).ok());
            value.filter(|&value| value > 0).unwrap_or(usual)
        };
        Meter {
            readings: RefCell::default(),
            start_millis: OnceCell::new(),
            millis_per_tick: 1000 / unit(SysconfVar::CLK_TCK, 100).min(1000),
            page_bytes: unit(SysconfVar::PAGE_SIZE, 4096),
        }
    }
}

impl Meter {
    /// What processes use, by pid; those that are gone are left out.
    pub(crate) async fn read(&self, pids: impl IntoIterator<Item = i32>) -> HashMap<i32, Usage> {
        self.read_at(Instant::now(), pids).await
    }

    /// What the daemon itself has.
    pub(crate) async fn own(&self) -> Own {
        let start =
            || started(&read("/proc/self/stat")?, &read("/proc/stat")?, self.millis_per_tick);
        Own {
            open_fds: open_descriptors().await,
            max_fds: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
            start_millis: *self.start_millis.get_or_init(start),
        }
    }

    async fn read_at(
        &self,
        now: Instant,
        pids: impl IntoIterator<Item = i32>,
    ) -> HashMap<i32, Usage> {
        let is_fresh = |reading: &Reading| now.duration_since(reading.taken) < FRESH;
        self.readings.borrow_mut().retain(|_, reading| is_fresh(reading));
        let mut usages = HashMap::new();
        for (index, pid) in pids.into_iter().enumerate() {
            if index % PROCESSES_PER_TURN == PROCESSES_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            usages.extend(self.usage(now, pid).map(|usage| (pid, usage)));
        }
        usages
    }

    fn usage(&self, now: Instant, pid: i32) -> Option<Usage> {
        let look = || Reading { taken: now, usage: self.look(pid) };
        self.readings.borrow_mut().entry(pid).or_insert_with(look).usage
    }

    fn look(&self, pid: i32) -> Option<Usage> {
        let mut line = [0; LINE_BYTES];
        // The kernel gives the line in one piece, as far as there is room.
        let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut line).ok()?;
        let measured = wall_millis();
        self.parse(&String::from_utf8_lossy(&line[..length]), measured)
    }

    /// Reads a line of `/proc/PID/stat`: the fields follow the program's name, which may hold anything, parentheses too.
    fn parse(&self, stat: &str, measured: i64) -> Option<Usage> {
        let fields: Vec<&str> =
            stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        // Counted from `state`, field 3 of proc(5): utime 14, stime 15, rss 24.
        let ticks = number(11)?.saturating_add(number(12)?);
        Some(Usage {
            cpu_millis: ticks.saturating_mul(self.millis_per_tick),
            memory_bytes: number(21)?.saturating_mul(self.page_bytes),
            measured,
        })
    }
}

/// A file of the kernel's.
fn read(path: &str) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// When a process was started: ticks after the boot (field 22 of proc(5), starttime), whose second the system tells.
fn started(stat: &str, system: &str, millis_per_tick: u64) -> Option<u64> {
    let fields = stat.get(stat.rfind(')')? + 1..)?;
    let ticks: u64 = fields.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let boot_secs = system.lines().find_map(|line| line.strip_prefix("btime "))?;
    let boot_millis = boot_secs.trim().parse::<u64>().ok()?.checked_mul(1000)?;
    boot_millis.checked_add(ticks.checked_mul(millis_per_tick)?)
}

/// How many descriptors the daemon has open. Since Linux 6.2 the size of the directory tells; before, they are counted.
async fn open_descriptors() -> Option<u64> {
    let size = std::fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 {
        return Some(size);
    }
    let mut count = 0;
    for entry in std::fs::read_dir("/proc/self/fd").ok()? {
        entry.ok()?;
        count += 1;
        if count % DESCRIPTORS_PER_TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    Some(count - 1) // the directory itself
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::disk::testing::block_on;

    #[test]
    fn a_line_of_proc() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 97 0 0 0 150 50 0 0 20 0 1 0 1 1 25 18446744073709551615";
        let meter = Meter { millis_per_tick: 10, page_bytes: 4096, ..Meter::default() };
        let usage = Usage { cpu_millis: 2000, memory_bytes: 25 * 4096, measured: 5 };
        assert_eq!(meter.parse(stat, 5), Some(usage));
        assert_eq!(meter.parse("7 (a", 5), None);
        assert_eq!(meter.parse("", 5), None);
    }

    #[test]
    fn the_living_and_the_gone() {
        block_on(async {
            let meter = Meter::default();
            let me = std::process::id().cast_signed();
            let before = wall_millis();
            let usages = meter.read([me, -1, i32::MAX]).await;
            assert_eq!(usages.keys().copied().collect::<Vec<_>>(), [me]);
            assert!(usages[&me].memory_bytes > 0 && usages[&me].measured >= before);
        });
    }

    #[test]
    fn what_the_daemon_itself_has() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 97 0 0 0 150 50 0 0 20 0 1 0 1234 1 25";
        assert_eq!(started(stat, "cpu 1\nbtime 1700000000\n", 10), Some(1_700_000_012_340));
        assert_eq!((started(stat, "cpu 1\n", 10), started("7 (a", "btime 1\n", 10)), (None, None));
        block_on(async {
            let own = Meter::default().own().await;
            let (open, most) = (own.open_fds.unwrap(), own.max_fds.unwrap());
            assert!((3..most).contains(&open), "{open} of {most}");
            let now = u64::try_from(wall_millis()).unwrap();
            // The boot is told in whole seconds.
            assert!((now - 3_600_000..now + 2000).contains(&own.start_millis.unwrap()));
        });
    }

    #[test]
    fn a_reading_keeps_its_time() {
        block_on(async {
            let (meter, start) = (Meter::default(), Instant::now());
            let me = std::process::id().cast_signed();
            let first = meter.read_at(start, [me]).await[&me];
            while wall_millis() <= first.measured {
                tokio::task::yield_now().await;
            }
            // Whoever asks soon hears the same, and of which moment it is.
            assert_eq!(meter.read_at(start + FRESH / 2, [me]).await[&me], first);
            assert!(meter.read_at(start + FRESH, [me]).await[&me].measured > first.measured);
        });
    }
}
