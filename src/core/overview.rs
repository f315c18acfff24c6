//! The whole house at one moment, as the web interface shows it.

use super::clock::Now;
use super::info::{ProcessInfo, config_info};
use super::namespec;
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;

/// Everything supervised. Unlike the XML-RPC methods it is there during a shutdown, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// What the supervisor is doing.
    pub mood: Mood,
    /// Its own pid.
    pub pid: i32,
    /// The `identifier` of its configuration.
    pub identifier: String,
    /// Wall-clock milliseconds since the Unix epoch.
    pub now_millis: u128,
    /// Every process, by group and name.
    pub processes: Vec<ProcessInfo>,
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
    /// Looks at everything.
    pub fn overview(&self, now: Now) -> Overview {
        Overview {
            mood: self.mood,
            pid: self.pid,
            identifier: self.settings.identifier.clone(),
            now_millis: now.wall.as_millis(),
            processes: self.infos(now).collect(),
        }
    }

    /// Looks at one process. The values of its environment are left out: there are passwords among them.
    pub fn program(&self, name: &str, now: Now) -> Option<Program> {
        let spec = namespec::split(name);
        let process = self.find(spec.group, spec.process?)?;
        let group = &self.groups[self.group_index(spec.group)?].config;
        let settings = match config_info(group, process.config(), true) {
            Value::Struct(members) => members,
            _ => Vec::new(),
        };
        Some(Program { info: ProcessInfo::of(process, now), settings })
    }

    /// Every process, by group and name.
    pub(super) fn infos(&self, now: Now) -> impl Iterator<Item = ProcessInfo> {
        let mut processes: Vec<_> = self.processes.values().collect();
        processes.sort_by_key(|process| (process.group_name(), process.config().name.as_str()));
        processes.into_iter().map(move |process| ProcessInfo::of(process, now))
    }
}
