//! The daemon's own log: `2026-11-21 02:07:54,123 INFO message`.
//!
//! A handle exists before the disk thread does, because there is something to say before the daemon forks; until
//! [`MainLog::attach`] the lines are kept, then written in order. Handles may be used from any thread.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{self, Disk, HeldOutput, Missing, Sink, SinkSpec, SyslogSink, first_failure};
use super::syslog::{IDENT, SOCKET_PATH};
use crate::core::config::Settings;
use crate::core::fault::{Fault, FaultCode};
use crate::core::states::Level;
use crate::core::text;
use crate::core::value::Value;
use crate::native;
use crate::sys::clock;

/// The `logfile=` value that means the syslog daemon.
const SYSLOG: &str = "syslog";

/// Most lines kept before there is a disk thread; the messages of a start are far fewer.
const EARLY_LINES_LIMIT: usize = 10_000;

/// What a main log is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MainLogSpec {
    /// Lines below this level are not logged.
    pub threshold: Level,
    /// Where the log is kept.
    pub destination: Destination,
    /// Whether it is shown as well.
    pub echo: Echo,
}

/// Where a main log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// Size that triggers rotation; 0 means never.
        max_bytes: i64,
        /// Rotated files kept.
        backups: i64,
    },
    /// By the syslog daemon at this socket.
    Syslog(PathBuf),
}

/// Whether the log is also shown on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// In the foreground, unless silent.
    Stdout,
    /// Otherwise.
    None,
}

impl MainLogSpec {
    /// What the settings ask for (`options.py: make_logger`).
    pub(crate) fn from_settings(settings: &Settings) -> MainLogSpec {
        let destination = if settings.logfile == SYSLOG {
            Destination::Syslog(PathBuf::from(SOCKET_PATH))
        } else {
            Destination::File {
                path: native::path(&settings.logfile),
                max_bytes: settings.logfile_maxbytes,
                backups: settings.logfile_backups,
            }
        };
        let shown = settings.nodaemon && !settings.silent;
        let echo = if shown { Echo::Stdout } else { Echo::None };
        MainLogSpec { threshold: settings.loglevel, destination, echo }
    }
}

/// A cheap handle of the main log.
#[derive(Clone, Debug)]
pub(crate) struct MainLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spec: MainLogSpec,
    outputs: Mutex<Outputs>,
}

#[derive(Debug)]
enum Outputs {
    /// No disk thread yet.
    Early {
        /// The lines, their starts apart.
        lines: VecDeque<(String, String)>,
        /// The target, where its path leads to something else in the background.
        held: Option<HeldOutput>,
    },
    Attached {
        file: Option<Sink>,
        syslog: Option<SyslogSink>,
        stdout: Option<Sink>,
    },
}

impl MainLog {
    /// A main log. Opens its file once, so that a log that cannot be written is an error at the start.
    pub(crate) fn create(spec: MainLogSpec) -> io::Result<MainLog> {
        let held = match &spec.destination {
            Destination::File { path, .. } => disk::try_log(path)?,
            Destination::Syslog(_) => None,
        };
        let outputs = Mutex::new(Outputs::Early { lines: VecDeque::new(), held });
        Ok(MainLog { inner: Arc::new(Inner { spec, outputs }) })
    }

    /// Writes through this disk thread from now on, first what was logged before.
    pub(crate) fn attach(&self, disk: &Disk) {
        let spec = &self.inner.spec;
        let mut outputs = self.lock();
        let (lines, held) = match &mut *outputs {
            Outputs::Early { lines, held } => (std::mem::take(lines), held.take()),
            Outputs::Attached { .. } => (VecDeque::new(), None),
        };
        let (file, syslog) = match &spec.destination {
            Destination::File { path, max_bytes, backups } => {
                let spec = sink_spec(path.clone(), *max_bytes, *backups);
                (Some(disk.open_sink_on(spec, held)), None)
            }
            Destination::Syslog(socket) => (None, Some(disk.open_syslog(socket))),
        };
        let stdout = (spec.echo == Echo::Stdout)
            .then(|| disk.open_sink(sink_spec(PathBuf::from("/dev/stdout"), 0, 0)));
        *outputs = Outputs::Attached { file, syslog, stdout };
        lines.into_iter().for_each(|(start, text)| outputs.write(start, text));
    }

    /// Whether lines of this level are logged.
    pub(crate) fn is_enabled(&self, level: Level) -> bool {
        level >= self.inner.spec.threshold
    }

    /// Writes a line; line breaks in the text stay. Never blocks: what cannot be written is dropped, and counted.
    pub(crate) fn log(&self, level: Level, text: &str) {
        if !self.is_enabled(level) {
            return;
        }
        let start = line_start(level);
        self.lock().write(start, text.to_string());
    }

    /// Reopens the file (SIGUSR2), after whoever calls this has said so.
    pub(crate) fn reopen(&self) -> impl Future<Output = io::Result<()>> + use<> {
        let reopened = match &*self.lock() {
            Outputs::Attached { file, .. } => file.as_ref().map(Sink::reopen),
            Outputs::Early { .. } => None,
        };
        first_failure(reopened)
    }

    /// Answers `clearLog`: removes the file and starts it anew; `true`. Faults: NO_FILE, FAILED.
    pub(crate) fn clear(&self) -> impl Future<Output = Result<Value, Fault>> + use<> {
        let file = match &*self.lock() {
            Outputs::Attached { file, .. } => file.clone(),
            Outputs::Early { .. } => None,
        };
        let log = self.clone();
        // Queued now, so that lines logged after this call are in the new file.
        let cleared = file.map(|file| file.clear(Missing::IsAnError));
        async move {
            let result = match cleared {
                Some(cleared) => cleared.await,
                None => Err(io::ErrorKind::NotFound.into()),
            };
            match result {
                Ok(()) => {
                    log.echo_reopening();
                    Ok(Value::Bool(true))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(Fault::bare(FaultCode::NoFile))
                }
                Err(_) => Err(Fault::bare(FaultCode::Failed)),
            }
        }
    }

    /// The reference logs this once per destination, before it reopens the file, so only stdout ever shows it.
    fn echo_reopening(&self) {
        if !self.is_enabled(Level::Info) {
            return;
        }
        if let Outputs::Attached { stdout: Some(stdout), .. } = &*self.lock() {
            let line = format!("{}reopening log file\n", line_start(Level::Info));
            stdout.push(line.clone().into_bytes());
            stdout.push(line.into_bytes());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outputs> {
        self.inner.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outputs {
    fn write(&mut self, start: String, text: String) {
        match self {
            Outputs::Early { lines, .. } => {
                if lines.len() < EARLY_LINES_LIMIT {
                    lines.push_back((start, text));
                }
            }
            // A full sink is no reason to wait here; beyond its cap it drops, and says so.
            Outputs::Attached { file, syslog, stdout } => {
                let line = text::into_bytes(format!("{start}{text}\n"));
                if let Some(stdout) = stdout {
                    stdout.push(line.clone());
                }
                if let Some(syslog) = syslog {
                    syslog.push(&start, text::into_bytes(text));
                }
                if let Some(file) = file {
                    file.push(line);
                }
            }
        }
    }
}

fn sink_spec(path: PathBuf, max_bytes: i64, backups: i64) -> SinkSpec {
    SinkSpec { path, max_bytes, backups, owner: IDENT.to_string() }
}

/// Local time with milliseconds cut off, not rounded, and the level (`loggers.py: LogRecord.asdict`).
fn line_start(level: Level) -> String {
    let (now, millis) = clock::local_now();
    format!("{},{millis:03} {} ", now.stamp(), level.abbreviation())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::daemon::disk::testing::{block_on, start};
    use crate::testing::TempDir;

    fn file_log(path: PathBuf, threshold: Level, max_bytes: i64) -> MainLog {
        let destination = Destination::File { path, max_bytes, backups: 1 };
        MainLog::create(MainLogSpec { threshold, destination, echo: Echo::None }).unwrap()
    }

    /// The text after the time stamp, whose form is checked.
    fn message(line: &str) -> &str {
        let (stamp, rest) = line.split_at("2026-11-21 02:07:54,123 ".len());
        let form: String =
            stamp.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(form, "9999-99-99 99:99:99,999 ");
        rest
    }

    #[test]
    fn early_lines_come_first_and_the_threshold_holds() {
        let dir = TempDir::new();
        let log = file_log(dir.path("main.log"), Level::Info, 0);
        log.log(Level::Critical, "early");
        log.log(Level::Debug, "not this");
        let (disk, said) = start();
        log.attach(&disk);
        log.log(Level::Warn, "two\nlines é");
        assert!(log.is_enabled(Level::Info) && !log.is_enabled(Level::Debug));
        disk.shutdown();
        let text = std::fs::read_to_string(dir.path("main.log")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(message(lines[0]), "CRIT early");
        assert_eq!(message(lines[1]), "WARN two");
        assert_eq!(lines[2..], ["lines é"]);
        assert_eq!(said.all(), []);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_an_error_at_the_start() {
        let dir = TempDir::new();
        let destination = Destination::File {
            path: dir.path("missing").join("main.log"),
            max_bytes: 0,
            backups: 0,
        };
        let spec = MainLogSpec { threshold: Level::Info, destination, echo: Echo::None };
        assert_eq!(MainLog::create(spec).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn clear_leaves_only_later_lines() {
        let dir = TempDir::new();
        let path = dir.path("main.log");
        let log = file_log(path.clone(), Level::Info, 0);
        assert_eq!(block_on(log.clear()), Err(Fault::bare(FaultCode::NoFile))); // not attached
        let (disk, _) = start();
        log.attach(&disk);
        log.log(Level::Info, "before");
        let cleared = log.clear();
        log.log(Level::Info, "after");
        assert_eq!(block_on(cleared), Ok(Value::Bool(true)));
        block_on(disk.flush());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(message(text.trim_end()), "INFO after");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(block_on(log.clear()), Err(Fault::bare(FaultCode::NoFile)));
        disk.shutdown();
    }

    #[test]
    fn the_disk_thread_can_log_its_own_trouble() {
        let dir = TempDir::new();
        let log = file_log(dir.path("main.log"), Level::Info, 0);
        let theirs = log.clone();
        let disk = Disk::start(Box::new(move |level, text| theirs.log(level, &text))).unwrap();
        log.attach(&disk);
        let full = disk.open_sink(crate::daemon::disk::testing::plain("/dev/full"));
        full.push(b"lost".to_vec());
        block_on(disk.flush());
        disk.shutdown();
        let text = std::fs::read_to_string(dir.path("main.log")).unwrap();
        assert!(
            message(&text).starts_with("CRIT could not write to log file '/dev/full'"),
            "{text}"
        );
    }

    #[test]
    fn to_syslog_every_line_has_its_own_start() {
        let dir = TempDir::new();
        let server = UnixDatagram::bind(dir.path("log")).unwrap();
        server.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let destination = Destination::Syslog(dir.path("log"));
        let spec = MainLogSpec { threshold: Level::Info, destination, echo: Echo::None };
        let log = MainLog::create(spec).unwrap();
        log.log(Level::Error, "one\ntwo");
        let (disk, _) = start();
        log.attach(&disk);
        for expected in ["ERRO one", "ERRO two"] {
            let mut buffer = [0; 1024];
            let length = server.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            let (_, line) = text.split_once(" supervisord: ").unwrap();
            assert_eq!(message(line), expected);
        }
        assert_eq!(block_on(log.clear()), Err(Fault::bare(FaultCode::NoFile)));
    }
}
