//! The sockets of FastCGI programs are tried before anybody depends on them, so that a mistake shows at once: all of them
//! at the start (`process.py: FastCGIProcessGroup`), those of a group before it is added.

use std::collections::HashSet;

use super::config::{FastCgiSocket, GroupConfig};
use super::states::Level;

/// Tries the sockets of a configuration. `attempt` creates one and closes it again; its error is the system's, in Python's
/// words. `log` takes the lines for the main log.
///
/// # Errors
/// The text about the first socket that could not be created.
pub(crate) fn try_all(
    groups: &[GroupConfig],
    mut attempt: impl FnMut(&FastCgiSocket) -> Result<(), String>,
    mut log: impl FnMut(Level, String),
) -> Result<(), String> {
    // Of several groups of one name the first is the one that runs.
    let mut seen = HashSet::new();
    let mut running = groups.iter().filter(|group| seen.insert(&group.name));
    running.try_for_each(|group| try_group(group, &mut attempt, &mut log))
}

/// The same for one group.
pub(super) fn try_group(
    group: &GroupConfig,
    mut attempt: impl FnMut(&FastCgiSocket) -> Result<(), String>,
    mut log: impl FnMut(Level, String),
) -> Result<(), String> {
    for socket in group.sockets() {
        log(Level::Info, socket.creating());
        attempt(socket).map_err(|why| socket.failure(&why))?;
        log(Level::Info, socket.closing());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::GroupKind;

    fn group(name: &str, url: &str) -> GroupConfig {
        let (program, url) = (name.to_string(), url.to_string());
        let socket = FastCgiSocket { program, url, owner: None, mode: None, backlog: None };
        let (name, kind) = (name.to_string(), GroupKind::FastCgi(socket));
        GroupConfig { name, priority: 999, processes: Vec::new(), kind }
    }

    /// What was said and attempted, in order, when this URL cannot be had.
    fn tried(groups: &[GroupConfig], bad: &str) -> (Vec<String>, Result<(), String>) {
        let said = std::cell::RefCell::new(Vec::new());
        let attempt = |socket: &FastCgiSocket| {
            said.borrow_mut().push(format!("({})", socket.url));
            if socket.url == bad { Err("no".to_string()) } else { Ok(()) }
        };
        let outcome = try_all(groups, attempt, |_, line| said.borrow_mut().push(line));
        (said.into_inner(), outcome)
    }

    #[test]
    fn sockets_are_tried_in_order_up_to_the_first_failure() {
        let groups = ["a", "b", "c"].map(|name| group(name, &format!("unix:///{name}")));
        let (said, outcome) = tried(&groups, "unix:///b");
        let all = ["Creating socket unix:///a", "(unix:///a)", "Closing socket unix:///a"];
        assert_eq!(said[..3], all);
        assert_eq!(said[3..], ["Creating socket unix:///b", "(unix:///b)"]);
        let Err(text) = outcome else { panic!("nothing failed") };
        assert!(text.contains("unix:///b") && text.ends_with("no"), "{text}");
    }

    #[test]
    fn of_groups_of_one_name_the_first_is_tried() {
        let groups = [group("a", "unix:///x"), group("a", "unix:///y")];
        let (said, outcome) = tried(&groups, "unix:///y");
        assert_eq!((said.len(), outcome), (3, Ok(())));
    }
}
