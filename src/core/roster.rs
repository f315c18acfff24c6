//! Who is supervised: the active groups and their processes, found by identity and by name, and the configurations.
//!
//! A group's configuration is kept once: the list of what was read last, the group that is active by it and each of its
//! processes share it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::config::{GroupConfig, ProcessConfig};
use super::effect::{GroupId, ProcId};
use super::info::Extent;
use super::process::Process;
use super::shared::SharedConfig;
use super::text;

/// An active process group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) config: Rc<GroupConfig>,
    /// Its processes, in the order of the configuration; a repeated name replaced the earlier one.
    pub(super) members: Vec<ProcId>,
    /// What clients may call them, sorted.
    names: Vec<(Box<str>, ProcId)>,
}

impl Group {
    fn new(config: Rc<GroupConfig>, members: Vec<(ProcId, usize)>) -> Group {
        let mut names: Vec<(Box<str>, ProcId)> = Vec::with_capacity(members.len());
        for (id, place) in &members {
            let name = config.processes[*place].name.as_str();
            names.extend(text::names_of(name).map(|name| (name.into(), *id)));
        }
        // Stable: of two that may be called the same, the first in the configuration is meant.
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        names.dedup_by(|(later, _), (first, _)| later == first);
        Group { config, members: members.into_iter().map(|(id, _)| id).collect(), names }
    }

    /// One more process, whose name no other has.
    fn admit(&mut self, id: ProcId, config: ProcessConfig) {
        for name in text::names_of(&config.name) {
            if let Err(place) = self.names.binary_search_by(|(known, _)| (**known).cmp(&name)) {
                self.names.insert(place, (name.into(), id));
            }
        }
        // The others keep their shares of the configuration as it was.
        Rc::make_mut(&mut self.config).processes.push(config);
        self.members.push(id);
    }

    /// One less.
    fn dismiss(&mut self, id: ProcId, name: &str) {
        self.names.retain(|(_, known)| *known != id);
        self.members.retain(|member| *member != id);
        Rc::make_mut(&mut self.config).processes.retain(|config| config.name != name);
    }

    fn find(&self, name: &str) -> Option<ProcId> {
        let found = self.names.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
        Some(self.names[found].1)
    }
}

/// The active groups and their processes.
#[derive(Debug, Default)]
pub(super) struct Roster {
    groups: BTreeMap<GroupId, Group>,
    by_name: HashMap<String, GroupId>,
    processes: BTreeMap<ProcId, Process>,
    extent: Extent,
    last_group: u64,
    last_process: u64,
}

impl Roster {
    /// Makes a group active; its processes were never started. `None` when one of its name is active.
    pub(super) fn add(&mut self, config: Rc<GroupConfig>) -> Option<GroupId> {
        let Entry::Vacant(named) = self.by_name.entry(config.name.clone()) else {
            return None;
        };
        self.last_group += 1;
        let group = GroupId(self.last_group);
        named.insert(group);
        let mut members = Vec::with_capacity(config.processes.len());
        for place in places(&config.processes) {
            let id = ProcId(self.last_process + 1 + place as u64);
            let shared = SharedConfig::new(Rc::clone(&config), place);
            let process = Process::new(id, shared, group);
            self.extent.add(Extent::of(&process));
            self.processes.insert(id, process);
            members.push((id, place));
        }
        self.last_process += config.processes.len() as u64;
        self.groups.insert(group, Group::new(config, members));
        Some(group)
    }

    /// Takes a group and its processes away.
    pub(super) fn remove(&mut self, id: GroupId) -> Option<Group> {
        let group = self.groups.remove(&id)?;
        self.by_name.remove(&group.config.name);
        for member in &group.members {
            if let Some(process) = self.processes.remove(member) {
                self.extent.remove(Extent::of(&process));
            }
        }
        Some(group)
    }

    /// Adds one process to a group; it was never started. `None` when there is no such group.
    pub(super) fn add_process(&mut self, id: GroupId, config: ProcessConfig) -> Option<ProcId> {
        let group = self.groups.get_mut(&id)?;
        self.last_process += 1;
        let member = ProcId(self.last_process);
        group.admit(member, config);
        let shared = SharedConfig::new(Rc::clone(&group.config), group.config.processes.len() - 1);
        let process = Process::new(member, shared, id);
        self.extent.add(Extent::of(&process));
        self.processes.insert(member, process);
        Some(member)
    }

    /// Takes one process away from its group.
    pub(super) fn remove_process(&mut self, id: ProcId) {
        let Some(process) = self.processes.remove(&id) else {
            return;
        };
        self.extent.remove(Extent::of(&process));
        if let Some(group) = self.groups.get_mut(&process.group()) {
            group.dismiss(id, &process.config().name);
        }
    }

    /// The active group of a name.
    pub(super) fn group_named(&self, name: &str) -> Option<GroupId> {
        self.by_name.get(name).copied()
    }

    /// An active group.
    pub(super) fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// Every active group, in the order they were added.
    pub(super) fn groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups.iter().map(|(id, group)| (*id, group))
    }

    /// The processes of a group, in the order of the configuration; none when it is not active.
    pub(super) fn members(&self, group: GroupId) -> impl Iterator<Item = &Process> {
        let members = self.groups.get(&group).map(|group| group.members.as_slice());
        members.unwrap_or_default().iter().map(|id| &self.processes[id])
    }

    /// The process of a group, by their names as clients give them.
    pub(super) fn find(&self, group: &str, process: &str) -> Option<&Process> {
        let id = self.groups.get(self.by_name.get(group)?)?.find(process)?;
        self.processes.get(&id)
    }

    /// A process by its identity.
    pub(super) fn process(&self, id: ProcId) -> Option<&Process> {
        self.processes.get(&id)
    }

    /// The same, to let it act.
    pub(super) fn process_mut(&mut self, id: ProcId) -> Option<&mut Process> {
        self.processes.get_mut(&id)
    }

    /// Every process, in the order they were added.
    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    /// How much there is of everything supervised.
    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    /// Members of a group in starting order: by priority, ties in the order of the configuration.
    pub(super) fn by_priority(&self, group: GroupId) -> Vec<ProcId> {
        let mut members: Vec<&Process> = self.members(group).collect();
        members.sort_by_key(|process| process.config().priority);
        members.into_iter().map(Process::id).collect()
    }

    /// Every group in starting order: by priority, ties in the order they were added.
    pub(super) fn groups_by_priority(&self) -> Vec<GroupId> {
        let mut groups: Vec<_> = self.groups().collect();
        groups.sort_by_key(|(_, group)| group.config.priority);
        groups.into_iter().map(|(id, _)| id).collect()
    }

    /// Every process in starting order: group by group.
    pub(super) fn all_by_priority(&self) -> Vec<ProcId> {
        self.groups_by_priority().into_iter().flat_map(|group| self.by_priority(group)).collect()
    }
}

/// Which processes of a list there are, one for each name: a repeated one takes the place of the earlier.
fn places(processes: &[ProcessConfig]) -> Vec<usize> {
    let mut places = Vec::with_capacity(processes.len());
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, process) in processes.iter().enumerate() {
        match known.entry(&process.name) {
            Entry::Vacant(new) => {
                new.insert(places.len());
                places.push(place);
            }
            Entry::Occupied(earlier) => places[*earlier.get()] = place,
        }
    }
    places
}

/// The groups of the last configuration read, in its order; `addProcessGroup` takes them from here.
#[derive(Debug, Default)]
pub(super) struct Available {
    groups: Vec<Rc<GroupConfig>>,
    /// Positions of those groups, sorted by their names; of one name, in the order of the configuration.
    by_name: Vec<usize>,
}

impl Available {
    /// What was read.
    pub(super) fn new(groups: Vec<GroupConfig>) -> Available {
        let mut by_name: Vec<usize> = (0..groups.len()).collect();
        by_name.sort_by(|a, b| groups[*a].name.cmp(&groups[*b].name));
        Available { groups: groups.into_iter().map(Rc::new).collect(), by_name }
    }

    /// Every group.
    pub(super) fn groups(&self) -> &[Rc<GroupConfig>] {
        &self.groups
    }

    /// The position of a group; of several of one name, the first.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let place = self.by_name.partition_point(|at| self.groups[*at].name.as_str() < name);
        self.by_name.get(place).copied().filter(|at| self.groups[*at].name == name)
    }

    /// A group, its AUTO logs named: once per configuration read (`options.py: create_autochildlogs`). `choose` names
    /// the log of a process and a channel.
    pub(super) fn with_named_logs(
        &mut self,
        position: usize,
        mut choose: impl FnMut(&str, &str) -> String,
    ) -> Rc<GroupConfig> {
        let group = &mut self.groups[position];
        // Nobody shares a configuration before it has become active once, and then its logs are named.
        for process in &mut Rc::make_mut(group).processes {
            process.name_logs(&mut choose);
        }
        Rc::clone(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::LogFile;
    use crate::core::sim::group_of;

    fn roster(programs: &[&str]) -> Roster {
        let mut roster = Roster::default();
        let group = group_of("g", programs.iter().map(ToString::to_string));
        assert!(roster.add(Rc::new(group)).is_some());
        roster
    }

    fn place(roster: &Roster, name: &str) -> Option<u64> {
        roster.find("g", name).map(|process| process.id().0)
    }

    #[test]
    fn a_repeated_name_replaces_the_earlier_one_in_its_place() {
        let roster = roster(&["a", "b", "a"]);
        let (_, group) = roster.groups().next().unwrap();
        assert_eq!(group.members, [ProcId(3), ProcId(2)]);
        assert_eq!((place(&roster, "a"), place(&roster, "c")), (Some(3), None));
        assert!(roster.process(ProcId(1)).is_none());
    }

    #[test]
    fn names_are_found_as_they_are_shown_too_and_the_first_counts() {
        let latin = text::decode(b"caf\xe9");
        let shown = "caf\\udce9";
        let latin_first = roster(&[&latin, shown]);
        assert_eq!((place(&latin_first, &latin), place(&latin_first, shown)), (Some(1), Some(1)));
        let shown_first = roster(&[shown, &latin]);
        assert_eq!((place(&shown_first, &latin), place(&shown_first, shown)), (Some(2), Some(1)));
        assert_eq!(place(&shown_first, "caf"), None);
    }

    #[test]
    fn what_was_added_is_gone_when_it_is_removed() {
        let mut roster = roster(&["a", "b"]);
        let name = || Rc::new(group_of("g", []));
        assert!(roster.add(name()).is_none() && roster.extent() != Extent::default());
        let id = roster.group_named("g").unwrap();
        roster.remove(id).unwrap();
        assert_eq!((roster.extent(), roster.processes().count()), (Extent::default(), 0));
        assert_eq!((roster.group_named("g"), place(&roster, "a")), (None, None));
        assert!(roster.add(name()).is_some_and(|again| again > id));
    }

    #[test]
    fn a_configuration_is_kept_once() {
        let groups = vec![group_of("g", ["a", "b"].map(String::from)), group_of("g", [])];
        let mut available = Available::new(groups);
        assert_eq!((available.position("g"), available.position("h")), (Some(0), None));
        let config =
            available.with_named_logs(0, |process, channel| format!("{process}-{channel}"));
        assert_eq!(config.processes[1].stderr.logfile, LogFile::Path("b-stderr".into()));
        let mut roster = Roster::default();
        let id = roster.add(config).unwrap();
        // The list, the active group, and two processes.
        assert_eq!(Rc::strong_count(&available.groups()[0]), 4);
        assert!(roster.members(id).all(|process| process.group_config().processes.len() == 2));
    }
}
