//! What a service manager is told (sd_notify(3)): that the daemon is up, restarts, stops and how long that takes, how
//! its processes are, and that it lives.
//!
//! Nobody listens unless `NOTIFY_SOCKET` is set, and then all of this costs nothing. Everything is said when something
//! has changed: what `systemctl status` shows at most once a second, the rest at once. Only signs of life
//! (`WATCHDOG_USEC`) come by the clock, and only where they are asked for.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::rc::Rc;
use std::time::Duration;

use super::environment::ForDaemon;
use super::mainlog::MainLog;
use crate::core::effect::earliest;
use crate::core::states::{Level, Mood};
use crate::core::supervisor::Supervisor;
use crate::sys::clock;

/// Least time between two messages that only say how the processes are.
const STATUS_PERIOD: Duration = Duration::from_secs(1);

/// When a message is tried again that the manager had no room for.
const RETRY: Duration = Duration::from_millis(100);

/// Longest time asked for, in case of a `stopwaitsecs` that means for ever.
const MOST_TO_STOP: Duration = Duration::from_secs(366 * 24 * 3600);

/// Who listens, if anybody does. Clones speak to the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceManager {
    line: Option<Rc<(UnixDatagram, SocketAddr)>>,
    /// How often it wants a sign of life: twice in the time after which it gives up.
    signs_of_life: Option<Duration>,
    /// The process it takes for the service: the one it started, which may be a script in front of the daemon, or go away
    /// when the daemon goes into the background.
    knows: Option<u32>,
}

impl ServiceManager {
    /// Who started this process. To be called before it goes into the background: signs of life are asked of the process
    /// that was started, and what takes its place gives them.
    pub(crate) fn of_process() -> ServiceManager {
        ServiceManager::new(&ForDaemon::of_process(), std::process::id())
    }

    fn new(told: &ForDaemon, pid: u32) -> ServiceManager {
        let line = told.socket.as_deref().and_then(|name| open(name).ok()).map(Rc::new);
        let number = |text: &OsStr| text.to_str()?.parse::<u64>().ok();
        let usec = told.watchdog_usec.as_deref().and_then(number).filter(|usec| *usec > 0);
        let is_ours = told.watchdog_pid.as_deref().is_none_or(|it| number(it) == Some(pid.into()));
        let signs_of_life = usec
            .filter(|_| is_ours && line.is_some())
            .map(|usec| Duration::from_micros((usec / 2).max(1)));
        let knows =
            told.main_pid.as_deref().and_then(number).and_then(|pid| u32::try_from(pid).ok());
        ServiceManager { line, signs_of_life, knows: knows.or(Some(pid)) }
    }

    fn listens(&self) -> bool {
        self.line.is_some()
    }

    fn send(&self, message: &str) -> io::Result<()> {
        match self.line.as_deref() {
            Some((socket, address)) => {
                socket.send_to_addr(message.as_bytes(), address).map(|_bytes| ())
            }
            None => Ok(()),
        }
    }
}

/// The address is the path of a socket, or after `@` an abstract name; other kinds are not for us.
fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(name)?,
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// Tells the manager of one life of the daemon. Times are those of the house.
#[derive(Debug)]
pub(crate) struct Herald {
    manager: ServiceManager,
    main_log: MainLog,
    /// What the manager knows.
    mood: Mood,
    status: String,
    /// How often what is supervised had changed when it was looked at.
    seen: Option<u64>,
    /// When a change may be told.
    quiet_until: Duration,
    /// A message of weight that there was no room for.
    owed: Option<String>,
    retry: Option<Duration>,
    next_sign: Option<Duration>,
    failed: bool,
}

impl Herald {
    /// For a life that begins. It has nothing to say before [`Herald::is_up`].
    pub(crate) fn new(manager: ServiceManager, main_log: MainLog) -> Herald {
        let next_sign = manager.signs_of_life.map(|_period| Duration::ZERO);
        Herald {
            manager,
            main_log,
            mood: Mood::Running,
            status: String::new(),
            seen: None,
            quiet_until: Duration::ZERO,
            owed: None,
            retry: None,
            next_sign,
            failed: false,
        }
    }

    /// The main log.
    pub(crate) fn main_log(&self) -> &MainLog {
        &self.main_log
    }

    /// The servers are open: clients are heard as soon as the programs are started. To be called before whoever started
    /// the daemon in the background leaves.
    pub(crate) fn is_up(&mut self) {
        if self.manager.listens() {
            let pid = std::process::id();
            // A number means something else outside of a container, so it is told only where it is news.
            let news = self.manager.knows.is_some_and(|known| known != pid);
            let main_pid = if news { format!("\nMAINPID={pid}") } else { String::new() };
            self.say(format!("READY=1{main_pid}"), Duration::ZERO);
        }
    }

    /// Tells what is to be told now.
    pub(crate) fn look(&mut self, supervisor: &Supervisor, now: Duration) {
        if !self.manager.listens() {
            return;
        }
        self.give_sign_of_life(now);
        if self.retry.is_some_and(|retry| retry <= now)
            && let Some(message) = self.owed.take()
        {
            self.say(message, now);
        }
        if self.seen == Some(supervisor.changes()) {
            return;
        }
        if supervisor.mood() != self.mood {
            self.change_mood(supervisor, now);
        } else if self.quiet_until <= now {
            self.tell_status(supervisor, now);
        }
    }

    /// When it wants to look again although nothing may have happened.
    pub(crate) fn deadline(&self, supervisor: &Supervisor) -> Option<Duration> {
        if !self.manager.listens() {
            return None;
        }
        let changed = self.seen != Some(supervisor.changes());
        earliest([self.next_sign, self.retry, changed.then_some(self.quiet_until)])
    }

    fn change_mood(&mut self, supervisor: &Supervisor, now: Duration) {
        self.mood = supervisor.mood();
        let change = match self.mood {
            Mood::Running => "READY=1".to_string(),
            Mood::Restarting => {
                format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic().as_micros())
            }
            Mood::Shutdown => "STOPPING=1".to_string(),
        };
        let status = self.status_of(supervisor, now);
        self.say(format!("{change}\n{status}"), now);
    }

    fn tell_status(&mut self, supervisor: &Supervisor, now: Duration) {
        let known = std::mem::take(&mut self.status);
        let message = self.status_of(supervisor, now);
        if known != self.status {
            self.quiet_until = now.saturating_add(STATUS_PERIOD);
            if self.manager.send(&message).is_err() {
                self.status.clear(); // the next change finds another
            }
        }
    }

    /// How the processes are; while they are stopped also for how much longer. The manager only ever adds to the time that
    /// its own settings give, so what is told too early or twice does no harm.
    fn status_of(&mut self, supervisor: &Supervisor, now: Duration) -> String {
        self.seen = Some(supervisor.changes());
        self.status = supervisor.summary();
        match self.mood {
            Mood::Running => format!("STATUS={}", self.status),
            Mood::Restarting | Mood::Shutdown => {
                let most = supervisor.time_to_stop(now).min(MOST_TO_STOP);
                format!("STATUS={}\nEXTEND_TIMEOUT_USEC={}", self.status, most.as_micros())
            }
        }
    }

    fn give_sign_of_life(&mut self, now: Duration) {
        let (Some(due), Some(period)) = (self.next_sign, self.manager.signs_of_life) else {
            return;
        };
        if due <= now {
            self.next_sign = Some(now.saturating_add(period));
            let _ = self.manager.send("WATCHDOG=1"); // the next one is sent all the same
        }
    }

    /// Sends a message of weight: what it says last of all counts, so one that had to wait is forgotten.
    fn say(&mut self, message: String, now: Duration) {
        (self.owed, self.retry) = (None, None);
        match self.manager.send(&message) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.owed = Some(message);
                self.retry = Some(now.saturating_add(RETRY));
            }
            Err(error) if !self.failed => {
                self.failed = true;
                let text = format!("cannot tell the service manager how it goes: {error}");
                self.main_log.log(Level::Warn, &text);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;
    use std::ffi::OsString;

    fn told(socket: &str, usec: Option<&str>, pid: Option<&str>) -> ForDaemon {
        ForDaemon {
            socket: Some(socket.into()),
            watchdog_usec: usec.map(OsString::from),
            watchdog_pid: pid.map(OsString::from),
            main_pid: None,
        }
    }

    fn heard(listener: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = listener.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn speaks_to_sockets_with_a_path_and_to_abstract_ones() {
        let dir = TempDir::new();
        let path = dir.path("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        ServiceManager::new(&told(path.to_str().unwrap(), None, None), 1).send("A=1").unwrap();
        assert_eq!(heard(&listener), "A=1");

        let name = format!("supervisord-rs-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        ServiceManager::new(&told(&format!("@{name}"), None, None), 1).send("B=1").unwrap();
        assert_eq!(heard(&listener), "B=1");
    }

    #[test]
    fn speaks_to_nobody_where_the_address_is_none() {
        for name in ["", "relative", "vsock:2:1234", "@", &format!("/{}", "x".repeat(200))] {
            let manager = ServiceManager::new(&told(name, Some("1000"), None), 1);
            assert!(manager.signs_of_life.is_none() || name == "@", "{name}");
            let _ = manager.send("A=1"); // whatever comes of it
        }
        let nobody = ServiceManager::new(&ForDaemon::default(), 1);
        assert!(!nobody.listens() && nobody.send("A=1").is_ok());
    }

    #[test]
    fn gives_signs_of_life_where_they_are_asked_of_this_process() {
        let period = |usec, pid| ServiceManager::new(&told("/x", usec, pid), 7).signs_of_life;
        assert_eq!(period(Some("3000000"), None), Some(Duration::from_millis(1500)));
        assert_eq!(period(Some("3000000"), Some("7")), Some(Duration::from_millis(1500)));
        assert_eq!(period(Some("1"), Some("7")), Some(Duration::from_micros(1)));
        for (usec, pid) in [(Some("3000000"), "8"), (Some("0"), "7"), (Some("x"), "7"), (None, "7")]
        {
            assert_eq!(period(usec, Some(pid)), None, "{usec:?} {pid}");
        }
    }
}
