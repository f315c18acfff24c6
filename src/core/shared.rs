//! The configuration of a process, kept in that of its group.

use std::ops::Deref;
use std::rc::Rc;

use super::config::{GroupConfig, ProcessConfig};

/// A share of a group's configuration: one process of it. (The group is what is shared, and not each process: a
/// configuration comes from the thread that read it, as plain data, and becomes shared where it is taken over.)
#[derive(Clone, Debug)]
pub(super) struct SharedConfig {
    group: Rc<GroupConfig>,
    place: usize,
}

impl SharedConfig {
    /// That of the process in a place of the group's list.
    pub(super) fn new(group: Rc<GroupConfig>, place: usize) -> SharedConfig {
        SharedConfig { group, place }
    }

    /// The configuration of its group.
    pub(super) fn group(&self) -> &GroupConfig {
        &self.group
    }
}

impl Deref for SharedConfig {
    type Target = ProcessConfig;

    fn deref(&self) -> &ProcessConfig {
        &self.group.processes[self.place]
    }
}
