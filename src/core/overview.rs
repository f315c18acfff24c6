//! The whole house at one moment, as the web interface shows it.

use super::clock::Now;
use super::config::{GroupConfig, GroupKind, ProcessConfig};
use super::info::{ProcessInfo, named};
use super::options::{program, shown};
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
    pub(crate) fn about(&self) -> About {
        About { mood: self.mood, identifier: self.settings.identifier.clone() }
    }

    /// Looks at everything.
    pub(crate) fn overview(&self, now: Now) -> Overview {
        Overview {
            about: self.about(),
            pid: self.pid,
            now_millis: now.wall.as_millis(),
            processes: self.infos(now).collect(),
        }
    }

    /// Looks at one process, by its namespec.
    pub(crate) fn program(&self, name: &str, now: Now) -> Option<Program> {
        let process = self.process_named(name)?;
        let settings = settings(process.group_config(), process.config());
        Some(Program { info: ProcessInfo::of(process, now), settings })
    }

    /// Every process, by group and name.
    pub(super) fn infos(&self, now: Now) -> impl Iterator<Item = ProcessInfo> {
        let mut processes: Vec<_> = self.roster.processes().collect();
        processes.sort_by_key(|process| (process.group_name(), process.config().name.as_str()));
        processes.into_iter().map(move |process| ProcessInfo::of(process, now))
    }
}

/// Every setting under the name of its option (`core::options`), then the group.
fn settings(group: &GroupConfig, config: &ProcessConfig) -> Vec<(String, Value)> {
    let mut settings: Vec<(String, Value)> = shown(program::process(), config).collect();
    settings.extend(named([
        ("group", Value::str(&group.name)),
        ("group_priority", Value::Int(group.priority)),
    ]));
    match &group.kind {
        GroupKind::Plain | GroupKind::FastCgi(_) => {}
        GroupKind::Listener(pool) => settings.extend(shown(program::LISTENER, pool)),
    }
    // Members of a group may have one, too.
    settings.extend(config.socket.iter().flat_map(|socket| shown(program::SOCKET, socket)));
    settings
}
