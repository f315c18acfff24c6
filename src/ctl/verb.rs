//! What the client knows of one of its actions. Each stands in a file below `verbs`, with the function that does it; the
//! table of them all is [`verbs::VERBS`](super::verbs::VERBS).

use super::failure::Outcome;
use super::names;
use super::session::{Session, exit};

/// An action: how it is called, explained and completed, and what it does.
#[derive(Debug)]
pub(crate) struct Verb {
    /// What is typed.
    pub name: &'static str,
    /// Its arguments, as the manual shows them; completions go by these words, too.
    pub usage: &'static str,
    /// How it is used, as `help NAME` and complaints about its arguments print it.
    pub help: &'static str,
    /// Where people find it.
    pub shown: Shown,
    /// What Tab makes of the words of its argument.
    pub completes: Completes,
    /// What it is for.
    pub does: Does,
}

/// Where people find an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In the list of `help`, which is the reference's, and everywhere below.
    InList,
    /// Under its own topic of `help`, and by Tab.
    ByName,
    /// Nowhere.
    Nowhere,
}

/// What the words of an argument may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completes {
    /// Nothing that is known.
    Nothing,
    /// Names of actions.
    Actions,
    /// Names of groups.
    Groups,
    /// Names of processes, and whole groups.
    Processes,
}

/// What an action is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Something; the function gets the text after the name, without space around it.
    Run(fn(&mut Session, &str) -> Outcome),
    /// It ends the shell.
    Leave,
}

impl Verb {
    /// Complains about the arguments: the message, the exit status, and the help.
    pub(crate) fn misused(&self, session: &mut Session, message: &str) {
        session.output(message);
        session.exit_status = exit::GENERIC;
        session.output(self.help);
    }

    /// The names of the processes to act on, where the daemon is there; complains, with this exit status, if none is named.
    pub(crate) fn names(
        &self,
        session: &mut Session,
        argument: &str,
        unnamed_status: u8,
    ) -> Outcome<Option<Vec<String>>> {
        if !session.upcheck()? {
            return Ok(None);
        }
        if argument.is_empty() {
            self.misused(session, &format!("Error: {} requires a process name", self.name));
            session.exit_status = unnamed_status;
            return Ok(None);
        }
        names::of(session, argument).map(Some)
    }
}
