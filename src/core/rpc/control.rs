//! The supervisor itself: identity, state, configuration, groups, shutdown.

use super::params;
use super::wait::{Answer, DONE, job};
use crate::SUPERVISOR_VERSION;
use crate::core::config::{Config, FastCgiSocket};
use crate::core::effect::{Effect, Job};
use crate::core::event::Event;
use crate::core::fastcgi;
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::{config_info, record};
use crate::core::outside::Outside;
use crate::core::roster::Available;
use crate::core::states::Mood;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// Version of the interface, unchanged since Supervisor 3.0.
const API_VERSION: &str = "3.0";

pub(super) fn get_api_version(
    _: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(Answer::Value(Value::str(API_VERSION)))
}

pub(super) fn get_supervisor_version(
    _: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(Answer::Value(Value::str(SUPERVISOR_VERSION)))
}

pub(super) fn get_identification(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(Answer::Value(Value::str(&supervisor.settings().identifier)))
}

pub(super) fn get_state(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let mood = supervisor.mood();
    Ok(Answer::Value(record([
        ("statecode", Value::Int(mood.code())),
        ("statename", Value::str(mood.name())),
    ])))
}

pub(super) fn get_pid(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(Answer::Value(Value::Int(i64::from(supervisor.pid))))
}

pub(super) fn shutdown(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    supervisor.set_mood(Mood::Shutdown);
    Ok(DONE)
}

pub(super) fn restart(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    supervisor.set_mood(Mood::Restarting);
    Ok(DONE)
}

pub(super) fn reload_config(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    Ok(job(supervisor, outside, Job::ReadConfig))
}

pub(super) fn add_process_group(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::compared_name(&args[0])?;
    let index =
        supervisor.available.position(name).ok_or_else(|| Fault::new(FaultCode::BadName, name))?;
    if supervisor.roster.group_named(name).is_none() {
        try_sockets(supervisor, outside, index)?;
    }
    if supervisor.add_group(index, outside) {
        Ok(DONE)
    } else {
        Err(Fault::new(FaultCode::AlreadyAdded, name))
    }
}

/// A group is added only if its FastCGI sockets can be created; the reference answers HTTP 500 when they cannot.
fn try_sockets(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    available: usize,
) -> Result<(), Fault> {
    let group = &supervisor.available.groups()[available];
    let Outside { host, effects, .. } = outside;
    let attempt = |socket: &FastCgiSocket| {
        host.open_socket(&group.name, socket)?;
        host.close_socket(&group.name, socket);
        Ok(())
    };
    let log = |level, line| effects.push_back(Effect::Log(level, line));
    fastcgi::try_group(group, attempt, log).map_err(|text| Fault::new(FaultCode::Failed, text))
}

pub(super) fn remove_process_group(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let name = params::group_name(&args[0])?;
    let bad_name = || Fault::new(FaultCode::BadName, name);
    let group = supervisor.roster.group_named(name).ok_or_else(bad_name)?;
    if supervisor.remove_group(group, outside) {
        Ok(DONE)
    } else {
        Err(Fault::new(FaultCode::StillRunning, name))
    }
}

pub(super) fn get_all_config_info(
    supervisor: &mut Supervisor,
    _: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let mut entries: Vec<(&str, Value)> = Vec::new();
    for group in supervisor.available.groups() {
        let in_use = supervisor.roster.group_named(&group.name).is_some();
        for process in &group.processes {
            entries.push((&process.name, config_info(group, process, in_use)));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(b.0));
    Ok(Answer::Value(Value::Array(entries.into_iter().map(|(_, entry)| entry).collect())))
}

/// Tells event listeners; accepted even during a shutdown. What is not text is shown as Python would.
pub(super) fn send_remote_comm_event(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let (kind, data) = (params::display(&args[0]), params::display(&args[1]));
    supervisor.notify(Event::remote_communication(&kind, &data), outside);
    Ok(DONE)
}

impl Supervisor {
    /// Takes over a configuration that was read again and answers `reloadConfig`. Active groups stay as they are.
    pub(super) fn take_config(&mut self, config: Config, outside: &mut Outside<'_>) -> Value {
        // The URL for children is worked out once, at start (`options.py: realize`).
        let serverurl = self.settings.serverurl.take();
        self.settings = config.settings;
        self.settings.serverurl = serverurl;
        self.available = Available::new(config.groups);
        self.changes += 1; // the identifier is shown
        outside.effect(Effect::ApplySettings);
        let lists = self
            .diff_to_active()
            .map(|names| Value::Array(names.into_iter().map(Value::Str).collect()));
        Value::Array(vec![Value::Array(lists.to_vec())])
    }

    /// Groups added, changed and removed between the active ones and a configuration
    /// (`supervisord.py: diff_to_active`).
    fn diff_to_active(&self) -> [Vec<String>; 3] {
        let [mut added, mut changed, mut removed] = [const { Vec::new() }; 3];
        for group in self.available.groups() {
            let active = self.roster.group_named(&group.name).and_then(|id| self.roster.group(id));
            match active {
                None => added.push(group.name.clone()),
                Some(active) if active.config != *group => changed.push(group.name.clone()),
                Some(_) => {}
            }
        }
        for (_, group) in self.roster.groups() {
            if self.available.position(&group.config.name).is_none() {
                removed.push(group.config.name.clone());
            }
        }
        [added, changed, removed]
    }
}
