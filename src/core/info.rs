//! How processes and configurations are described to clients (`getProcessInfo`, `getAllConfigInfo`).

use super::calendar::Civil;
use super::clock::Now;
use super::config::{ChannelConfig, GroupConfig, LogFile, ProcessConfig};
use super::namespec;
use super::process::Process;
use super::states::ProcessState;
use super::value::Value;

/// The path of a channel's log, if it has one.
pub(crate) fn log_path(channel: &ChannelConfig) -> Option<&str> {
    match &channel.logfile {
        LogFile::Path(path) => Some(path),
        LogFile::None | LogFile::Auto => None,
    }
}

/// How much there is of everything supervised. Kept as groups come and go, and so there before anybody asks for all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that a description of every process holds.
    pub info_bytes: usize,
    /// Bytes that the configuration of every process holds.
    pub config_bytes: usize,
    /// Descriptors that are open in the daemon when all of them are alive.
    pub descriptors: usize,
}

/// What is said of every process in one of these, texts of its own aside.
const INFO_BYTES: usize = 2048;
const CONFIG_BYTES: usize = 3584;

impl Extent {
    /// That of one process.
    pub fn of(process: &Process) -> Extent {
        let config = process.config();
        let paths = [&config.stdout, &config.stderr].map(log_path);
        let path_bytes: usize = paths.into_iter().flatten().map(|path| 2 * path.len()).sum();
        let texts = 3 * (config.name.len() + process.group_name().len()) + path_bytes;
        let settings = config.command.len() + config.directory.as_deref().map_or(0, str::len);
        let logs = paths.into_iter().flatten().count();
        let pipes = if config.redirect_stderr { 2 } else { 3 };
        Extent {
            info_bytes: INFO_BYTES + texts,
            config_bytes: CONFIG_BYTES + texts + settings + 64 * config.exitcodes.len(),
            // What it is known by is one more.
            descriptors: pipes + logs + 1,
        }
    }

    /// One process more.
    pub fn add(&mut self, other: Extent) {
        self.info_bytes += other.info_bytes;
        self.config_bytes += other.config_bytes;
        self.descriptors += other.descriptors;
    }

    /// One less, which had been added.
    pub fn remove(&mut self, other: Extent) {
        self.info_bytes -= other.info_bytes;
        self.config_bytes -= other.config_bytes;
        self.descriptors -= other.descriptors;
    }
}

/// What clients are told about a process, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessInfo {
    /// Its group's name.
    pub group: String,
    /// Its own name.
    pub name: String,
    /// Its state.
    pub state: ProcessState,
    /// The last column of `supervisorctl status`.
    pub description: String,
    /// Its pid, while it has one.
    pub pid: Option<i32>,
    /// When it was started last, in seconds since the Unix epoch; 0 for never.
    pub start_secs: i64,
    /// When it ended last, likewise.
    pub stop_secs: i64,
    /// When this was true, likewise.
    pub now_secs: i64,
    /// Exit code of its last end, -1 after a death by a signal; `None` before the first.
    pub exit_status: Option<i64>,
    /// Why it could not be started or is considered failed; may be empty.
    pub spawn_error: String,
    /// Path of the log of its stdout, if it has one.
    pub stdout_logfile: Option<String>,
    /// Path of the log of its stderr, if it has one.
    pub stderr_logfile: Option<String>,
}

impl ProcessInfo {
    /// Looks at a process.
    pub fn of(process: &Process, now: Now) -> ProcessInfo {
        let config = process.config();
        ProcessInfo {
            group: process.group_name().to_string(),
            name: config.name.clone(),
            state: process.state(),
            description: description(process, now),
            pid: process.pid(),
            start_secs: process.start_secs(),
            stop_secs: process.stop_secs(),
            now_secs: now.wall_secs(),
            exit_status: process.exit_status(),
            spawn_error: process.spawn_error().unwrap_or_default().to_string(),
            stdout_logfile: log_path(&config.stdout).map(str::to_string),
            stderr_logfile: log_path(&config.stderr).map(str::to_string),
        }
    }

    /// The short form where it is enough: `web`, else `group:web`.
    pub fn namespec(&self) -> String {
        namespec::join(&self.group, &self.name)
    }

    /// The struct `getProcessInfo` answers, members in the reference's order.
    pub fn into_value(self) -> Value {
        let stdout_logfile = self.stdout_logfile.unwrap_or_default();
        let stderr_logfile = self.stderr_logfile.unwrap_or_default();
        record([
            ("name", Value::Str(self.name)),
            ("group", Value::Str(self.group)),
            ("start", Value::capped_int(self.start_secs)),
            ("stop", Value::capped_int(self.stop_secs)),
            ("now", Value::capped_int(self.now_secs)),
            ("state", Value::Int(self.state.code())),
            ("statename", Value::str(self.state.name())),
            ("spawnerr", Value::Str(self.spawn_error)),
            ("exitstatus", Value::Int(self.exit_status.unwrap_or(0))),
            ("logfile", Value::str(&stdout_logfile)),
            ("stdout_logfile", Value::Str(stdout_logfile)),
            ("stderr_logfile", Value::Str(stderr_logfile)),
            ("pid", Value::Int(i64::from(self.pid.unwrap_or(0)))),
            ("description", Value::Str(self.description)),
        ])
    }
}

/// The last column of `supervisorctl status` (`rpcinterface.py: _interpretProcessInfo`).
pub(crate) fn description(process: &Process, now: Now) -> String {
    match process.state() {
        ProcessState::Running => format!(
            "pid {}, uptime {}",
            process.pid().unwrap_or(0),
            uptime(now.wall_secs() - process.start_secs())
        ),
        ProcessState::Fatal | ProcessState::Backoff => match process.spawn_error() {
            Some(reason) if !reason.is_empty() => reason.to_string(),
            _ => format!("unknown error (try \"tail {}\")", process.config().name),
        },
        ProcessState::Stopped | ProcessState::Exited if process.start_secs() != 0 => {
            let offset = process.stop_utc_offset_secs().unwrap_or(now.utc_offset_secs);
            Civil::at(process.stop_secs() + i64::from(offset)).twelve_hours()
        }
        ProcessState::Stopped | ProcessState::Exited => "Not started".to_string(),
        ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => String::new(),
    }
}

/// `H:MM:SS`, with days in front from the first one on; a clock set back shows as zero.
fn uptime(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        _ => format!("{days} days, {clock}"),
    }
}

/// One struct of `getAllConfigInfo`, members in the reference's order; what XML-RPC cannot carry is `auto` or `none`.
pub(crate) fn config_info(group: &GroupConfig, config: &ProcessConfig, in_use: bool) -> Value {
    let (stdout, stderr) = (&config.stdout, &config.stderr);
    let exitcodes = config.exitcodes.iter().map(|code| Value::Int(*code)).collect();
    record([
        ("autostart", Value::Bool(config.autostart)),
        ("directory", text_or_none(config.directory.as_deref())),
        ("uid", config.uid.map_or(Value::str("none"), |uid| Value::Int(i64::from(uid)))),
        ("command", Value::str(&config.command)),
        ("exitcodes", Value::Array(exitcodes)),
        ("group", Value::str(&group.name)),
        ("group_prio", Value::Int(group.priority)),
        ("inuse", Value::Bool(in_use)),
        ("killasgroup", Value::Bool(config.killasgroup)),
        ("name", Value::str(&config.name)),
        ("process_prio", Value::Int(config.priority)),
        ("redirect_stderr", Value::Bool(config.redirect_stderr)),
        ("startretries", Value::Int(config.startretries)),
        ("startsecs", Value::Int(config.startsecs)),
        ("stdout_capture_maxbytes", Value::Int(stdout.capture_maxbytes)),
        ("stdout_events_enabled", Value::Bool(stdout.events_enabled)),
        ("stdout_logfile", logfile(&stdout.logfile)),
        ("stdout_logfile_backups", Value::Int(stdout.logfile_backups)),
        ("stdout_logfile_maxbytes", Value::Int(stdout.logfile_maxbytes)),
        ("stdout_syslog", Value::Bool(stdout.syslog)),
        ("stopsignal", Value::Int(i64::from(config.stopsignal))),
        ("stopwaitsecs", Value::Int(config.stopwaitsecs)),
        ("stderr_capture_maxbytes", Value::Int(stderr.capture_maxbytes)),
        ("stderr_events_enabled", Value::Bool(stderr.events_enabled)),
        ("stderr_logfile", logfile(&stderr.logfile)),
        ("stderr_logfile_backups", Value::Int(stderr.logfile_backups)),
        ("stderr_logfile_maxbytes", Value::Int(stderr.logfile_maxbytes)),
        ("stderr_syslog", Value::Bool(stderr.syslog)),
        ("serverurl", text_or_none(config.serverurl.as_deref())),
    ])
}

fn text_or_none(text: Option<&str>) -> Value {
    Value::str(text.unwrap_or("none"))
}

fn logfile(logfile: &LogFile) -> Value {
    Value::str(match logfile {
        LogFile::None => "none",
        LogFile::Auto => "auto",
        LogFile::Path(path) => path,
    })
}

/// A struct value from its members.
pub(crate) fn record<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Struct(named(members))
}

/// Values with owned names, as the members of a struct have them.
pub(crate) fn named<const N: usize>(values: [(&str, Value); N]) -> Vec<(String, Value)> {
    values.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_as_python_prints_a_timedelta() {
        assert_eq!(uptime(-5), "0:00:00");
        assert_eq!(uptime(3_661), "1:01:01");
        assert_eq!(uptime(86_400), "1 day, 0:00:00");
        assert_eq!(uptime(200_000), "2 days, 7:33:20");
    }
}
