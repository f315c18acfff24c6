//! The actions. Each is a [`Verb`] with the function that does it, alone or beside its siblings; here is the table of
//! them all, which dispatch, `help` and completion read.

mod daemon;
mod fg;
mod groups;
mod logs;
mod pid;
mod process;
mod quit;
mod reopen;
mod status;

use super::columns;
use super::failure::Outcome;
use super::plugins;
use super::session::Session;
use super::verb::{Completes, Does, Shown, Verb};
use crate::core::python::strip;

/// Every action, in the order of the list that `help` prints.
pub(crate) static VERBS: [&Verb; 24] = [
    &groups::ADD,
    &groups::AVAIL,
    &logs::CLEAR,
    &quit::EOF,
    &quit::EXIT,
    &fg::FG,
    &HELP,
    &logs::MAINTAIL,
    &daemon::OPEN,
    &pid::PID,
    &quit::QUIT,
    &daemon::RELOAD,
    &groups::REMOVE,
    &reopen::REOPEN,
    &groups::REREAD,
    &process::RESTART,
    &daemon::SHUTDOWN,
    &process::SIGNAL,
    &process::START,
    &status::STATUS,
    &process::STOP,
    &logs::TAIL,
    &groups::UPDATE,
    &daemon::VERSION,
];

/// An action for those that list them all: its name, and its arguments as [`Verb::usage`] has them.
pub type Action = (&'static str, &'static str);

/// The actions that people find, by name.
pub fn actions() -> impl Iterator<Item = Action> {
    let shown = VERBS.into_iter().filter(|verb| verb.shown != Shown::Nowhere);
    shown.map(|verb| (verb.name, verb.usage))
}

/// What stands above the list, as Python's `cmd` sets it.
const LIST_TITLE: &str = "default commands (type help <topic>):";

/// Characters in a line of the list.
const LIST_WIDTH: usize = 79;

/// The action of a name.
pub(crate) fn find(name: &str) -> Option<&'static Verb> {
    VERBS.into_iter().find(|verb| verb.name == name)
}

/// The action `help`, which is about all the others.
static HELP: Verb = Verb {
    name: "help",
    usage: "[ACTION]",
    help: "help\t\tPrint a list of available actions\nhelp <action>\tPrint help for <action>",
    shown: Shown::ByName,
    completes: Completes::Actions,
    does: Does::Run(help),
};

/// Prints the list of actions, or the help of one.
fn help(session: &mut Session, argument: &str) -> Outcome {
    let topic = strip(argument);
    if topic.is_empty() {
        session.output(&list());
        return plugins::help(session, "");
    }
    match find(topic).filter(|verb| verb.shown != Shown::Nowhere) {
        Some(verb) => session.output(verb.help),
        None => session.output(&format!("*** No help on {topic}")),
    }
    // As by the reference every plugin is asked about everything, but for `help` itself.
    if topic == HELP.name { Ok(()) } else { plugins::help(session, topic) }
}

fn list() -> String {
    let listed = VERBS.into_iter().filter(|verb| verb.shown == Shown::InList);
    let names: Vec<&str> = listed.map(|verb| verb.name).collect();
    let rule = "=".repeat(LIST_TITLE.len());
    format!("\n{LIST_TITLE}\n{rule}\n{}", columns::downwards(&names, LIST_WIDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_help() {
        let wanted = "
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version
";
        assert_eq!(list(), wanted);
    }

    #[test]
    fn a_name_is_one_action_and_help_begins_with_it() {
        for (index, verb) in VERBS.iter().enumerate() {
            assert!(VERBS[..index].iter().all(|other| other.name != verb.name), "{}", verb.name);
            let explained = verb.shown == Shown::Nowhere || verb.help.starts_with(verb.name);
            assert!(explained, "{}", verb.name);
        }
    }

    #[test]
    fn a_usage_names_what_tab_offers() {
        for verb in VERBS {
            let placeholder = match verb.completes {
                Completes::Nothing => None,
                Completes::Actions => Some("ACTION"),
                Completes::Groups => Some("GROUP"),
                Completes::Processes => Some("NAME"),
            };
            for name in ["ACTION", "GROUP", "NAME"] {
                assert_eq!(verb.usage.contains(name), placeholder == Some(name), "{}", verb.name);
            }
        }
    }
}
