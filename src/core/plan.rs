//! In which order things are stopped.

use super::effect::{GroupId, ProcId};
use super::roster::Roster;

/// In which order the shutdown stops everything: one group after the other, highest priority number first; in a group
/// likewise, all at once. (A call that stops a group or all processes takes them in starting order, as the reference
/// does: [`Roster::by_priority`].)
#[derive(Debug)]
pub(super) struct StopPlan {
    /// The next one last.
    groups: Vec<GroupId>,
}

impl StopPlan {
    /// The plan for what is active now. A shutdown adds no groups and removes none.
    pub(super) fn new(roster: &Roster) -> StopPlan {
        StopPlan { groups: roster.groups_by_priority() }
    }

    /// The group to be stopped next.
    pub(super) fn next(&self) -> Option<GroupId> {
        self.groups.last().copied()
    }

    /// That group has stopped.
    pub(super) fn done(&mut self) {
        self.groups.pop();
    }

    /// The processes of a group in the order in which they are stopped.
    pub(super) fn members(roster: &Roster, group: GroupId) -> Vec<ProcId> {
        let mut members = roster.by_priority(group);
        members.reverse();
        members
    }
}
