//! The whole house at one moment, as the web interface shows it.

use super::clock::Now;
use super::config::{
    AutoRestart, ChannelConfig, FastCgiSocket, GroupConfig, GroupKind, LogFile, ProcessConfig,
};
use super::info::{ProcessInfo, named};
use super::namespec;
use super::process::Process;
use super::signal;
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;

/// Everything supervised. Unlike the XML-RPC methods it is there during a shutdown, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The supervisor itself.
    pub about: About,
    /// Its own pid.
    pub pid: i32,
    /// Wall-clock milliseconds since the Unix epoch.
    pub now_millis: u128,
    /// Every process, by group and name.
    pub processes: Vec<ProcessInfo>,
}

/// What every page says of the supervisor itself.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// What it is doing.
    pub mood: Mood,
    /// The `identifier` of its configuration.
    pub identifier: String,
}

impl Overview {
    /// The pids of all processes that have one.
    pub fn pids(&self) -> impl Iterator<Item = i32> {
        self.processes.iter().filter_map(|process| process.pid)
    }
}

/// A process and its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The process.
    pub info: ProcessInfo,
    /// Names and values of its settings as parsed, in the order they are to be shown.
    pub settings: Vec<(String, Value)>,
}

impl Supervisor {
    /// Looks at nothing but itself.
    pub fn about(&self) -> About {
        About { mood: self.mood, identifier: self.settings.identifier.clone() }
    }

    /// Looks at everything.
    pub fn overview(&self, now: Now) -> Overview {
        Overview {
            about: self.about(),
            pid: self.pid,
            now_millis: now.wall.as_millis(),
            processes: self.infos(now).collect(),
        }
    }

    /// Looks at one process, by its namespec.
    pub fn program(&self, name: &str, now: Now) -> Option<Program> {
        let process = self.process_named(name)?;
        let settings = settings(process.group_config(), process.config());
        Some(Program { info: ProcessInfo::of(process, now), settings })
    }

    /// The one process that a namespec names.
    pub(super) fn process_named(&self, name: &str) -> Option<&Process> {
        let spec = namespec::split(name);
        self.find(spec.group, spec.process?)
    }

    /// Every process, by group and name.
    pub(super) fn infos(&self, now: Now) -> impl Iterator<Item = ProcessInfo> {
        let mut processes: Vec<_> = self.roster.processes().collect();
        processes.sort_by_key(|process| (process.group_name(), process.config().name.as_str()));
        processes.into_iter().map(move |process| ProcessInfo::of(process, now))
    }
}

/// Every setting under the name of its option; what is not set is nil. Of the environment only the names are told: among
/// the values are passwords.
fn settings(group: &GroupConfig, config: &ProcessConfig) -> Vec<(String, Value)> {
    let names = config.environment.iter().map(|(name, _)| name.as_str());
    let autorestart = match config.autorestart {
        AutoRestart::Never => Value::Bool(false),
        AutoRestart::Unexpected => Value::str("unexpected"),
        AutoRestart::Always => Value::Bool(true),
    };
    let mut settings = named([
        ("command", Value::str(&config.command)),
        ("directory", optional(config.directory.as_deref())),
        ("user", config.uid.map_or(Value::Nil, |uid| Value::Int(i64::from(uid)))),
        ("umask", config.umask.map_or(Value::Nil, |umask| Value::str(format!("{umask:03o}")))),
        ("environment", strings(names)),
        ("priority", Value::Int(config.priority)),
        ("autostart", Value::Bool(config.autostart)),
        ("autorestart", autorestart),
        ("startsecs", Value::Int(config.startsecs)),
        ("startretries", Value::Int(config.startretries)),
        ("exitcodes", Value::Array(config.exitcodes.iter().copied().map(Value::Int).collect())),
        ("stopsignal", Value::Str(signal::name(config.stopsignal))),
        ("stopwaitsecs", Value::Int(config.stopwaitsecs)),
        ("stopasgroup", Value::Bool(config.stopasgroup)),
        ("killasgroup", Value::Bool(config.killasgroup)),
        ("redirect_stderr", Value::Bool(config.redirect_stderr)),
    ]);
    settings.extend(channel_settings("stdout", &config.stdout));
    settings.extend(channel_settings("stderr", &config.stderr));
    settings.extend(named([
        ("serverurl", optional(config.serverurl.as_deref())),
        ("group", Value::str(&group.name)),
        ("group_priority", Value::Int(group.priority)),
    ]));
    settings.extend(kind_settings(&group.kind));
    settings.extend(config.socket.as_ref().map(socket_settings).unwrap_or_default());
    settings
}

fn channel_settings(channel: &str, config: &ChannelConfig) -> Vec<(String, Value)> {
    let logfile = match &config.logfile {
        LogFile::None => Value::Nil,
        LogFile::Auto => Value::str("AUTO"),
        LogFile::Path(path) => Value::str(path),
    };
    [
        ("logfile", logfile),
        ("logfile_maxbytes", Value::Int(config.logfile_maxbytes)),
        ("logfile_backups", Value::Int(config.logfile_backups)),
        ("capture_maxbytes", Value::Int(config.capture_maxbytes)),
        ("events_enabled", Value::Bool(config.events_enabled)),
        ("syslog", Value::Bool(config.syslog)),
    ]
    .into_iter()
    .map(|(name, value)| (format!("{channel}_{name}"), value))
    .collect()
}

/// What FastCGI programs have in addition, members of a group too.
fn socket_settings(socket: &FastCgiSocket) -> Vec<(String, Value)> {
    named([
        ("socket", Value::str(&socket.url)),
        ("socket_mode", socket.mode.map_or(Value::Nil, |mode| Value::str(format!("{mode:04o}")))),
        ("socket_backlog", socket.backlog.map_or(Value::Nil, Value::Int)),
    ])
}

/// What event listeners have in addition.
fn kind_settings(kind: &GroupKind) -> Vec<(String, Value)> {
    match kind {
        GroupKind::Plain | GroupKind::FastCgi(_) => Vec::new(),
        GroupKind::Listener(pool) => named([
            ("events", strings(pool.events.iter().map(String::as_str))),
            ("buffer_size", Value::Int(pool.buffer_size)),
            ("result_handler", Value::str(&pool.result_handler)),
        ]),
    }
}

fn strings<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::Array(texts.map(Value::str).collect())
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Nil, Value::str)
}
