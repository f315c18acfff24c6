//! What Tab offers: actions, groups and processes (`supervisorctl.py: complete`).

use std::cell::RefCell;

use crate::config::ClientOptions;
use crate::ctl::client::Client;
use crate::ctl::info::ProcessInfo;
use crate::ctl::plugins;
use crate::ctl::verb::{Completes, Shown};
use crate::ctl::verbs;

/// What ends a word to be completed: readline's own delimiters without those that occur in names.
const DELIMITERS: &str = " \t\n`~!@#$%^&()=+[{]}\\|;'\",<>/?";

/// Offers completions. The daemon is asked at most once per line.
#[derive(Default)]
pub(super) struct Completions {
    options: RefCell<Option<ClientOptions>>,
    infos: RefCell<Option<Vec<ProcessInfo>>>,
    /// Names of the plugins' actions, which do not change.
    words: RefCell<Option<Vec<String>>>,
}

impl Completions {
    /// Forgets what the daemon said; the next answer comes from where the options say.
    pub(super) fn refresh(&self, options: &ClientOptions) {
        self.options.replace(Some(options.clone()));
        self.infos.replace(None);
    }

    /// Where the last word of what was typed starts, and what it may become.
    pub(super) fn complete(&self, typed: &str) -> (usize, Vec<String>) {
        let start = typed.rfind(|c| DELIMITERS.contains(c)).map_or(0, |delimiter| delimiter + 1);
        (start, candidates(typed, &typed[start..], || self.words(), || self.infos()))
    }

    /// What plugins can do.
    fn words(&self) -> Vec<String> {
        let ask = || self.options.borrow().as_ref().map(plugins::words).unwrap_or_default();
        self.words.borrow_mut().get_or_insert_with(ask).clone()
    }

    /// Everything that is known about processes; nothing when the daemon does not answer.
    fn infos(&self) -> Vec<ProcessInfo> {
        let ask = || {
            let options = self.options.borrow();
            let answer =
                Client::default().call(options.as_ref()?, "supervisor.getAllProcessInfo", &[]);
            ProcessInfo::read_all(answer.ok()?).ok()
        };
        self.infos.borrow_mut().get_or_insert_with(|| ask().unwrap_or_default()).clone()
    }
}

/// What the word may become, each with a space behind it, by the line it is in.
fn candidates(
    line: &str,
    word: &str,
    of_plugins: impl FnOnce() -> Vec<String>,
    infos: impl FnOnce() -> Vec<ProcessInfo>,
) -> Vec<String> {
    let mut words = line.split_whitespace();
    let (action, more) = (words.next(), words.next());
    let completes = match action {
        Some(action) if more.is_some() || line.ends_with(' ') => {
            verbs::find(action).map_or(Completes::Nothing, |verb| verb.completes)
        }
        Some(_) | None => Completes::Actions,
    };
    let all = match completes {
        Completes::Nothing => Vec::new(),
        Completes::Actions => actions().into_iter().chain(of_plugins()).collect(),
        Completes::Groups => groups(&infos()),
        Completes::Processes => processes(&infos(), word),
    };
    let mut fitting: Vec<String> =
        all.into_iter().filter(|name| name.starts_with(word)).map(|name| name + " ").collect();
    // They are shown in this order, as by readline.
    fitting.sort_unstable();
    fitting.dedup();
    fitting
}

fn actions() -> Vec<String> {
    let shown = verbs::VERBS.into_iter().filter(|verb| verb.shown != Shown::Nowhere);
    shown.map(|verb| verb.name.to_string()).collect()
}

fn groups(infos: &[ProcessInfo]) -> Vec<String> {
    let mut groups: Vec<String> = infos.iter().map(|info| info.group.clone()).collect();
    groups.dedup();
    groups
}

/// Names as people write them; in full when the word has a colon already.
fn processes(infos: &[ProcessInfo], word: &str) -> Vec<String> {
    let mut names = Vec::new();
    for info in infos {
        if info.name == info.group && !word.contains(':') {
            names.push(info.name.clone());
            continue;
        }
        names.push(format!("{}:{}", info.group, info.name));
        let whole = format!("{}:*", info.group);
        if !names.contains(&whole) {
            names.push(whole);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::value::Value;

    fn infos() -> Vec<ProcessInfo> {
        [("cat", "cat"), ("web", "web_0"), ("web", "web_1")]
            .map(|(group, name)| ProcessInfo {
                group: group.to_string(),
                name: name.to_string(),
                state: 20,
                statename: "RUNNING".to_string(),
                description: String::new(),
                pid: 1,
                value: Value::Int(0),
            })
            .to_vec()
    }

    fn offered(line: &str) -> String {
        let start = line.rfind(|c| DELIMITERS.contains(c)).map_or(0, |delimiter| delimiter + 1);
        candidates(line, &line[start..], || vec!["mstop".to_string()], infos).join("|")
    }

    #[test]
    fn offers_what_the_place_takes() {
        assert_eq!(offered("sta"), "start |status ");
        assert!(offered("").starts_with("add |avail |clear |exit |fg |help |"));
        assert_eq!(offered("help v"), "version ");
        assert_eq!(offered("ms"), "mstop ");
        assert_eq!(offered("update "), "cat |web ");
        assert_eq!(offered("remove w"), "web ");
        assert_eq!(offered("stop "), "cat |web:* |web:web_0 |web:web_1 ");
        assert_eq!(offered("stop cat w"), "web:* |web:web_0 |web:web_1 ");
        assert_eq!(offered("stop web:web_1"), "web:web_1 ");
        assert_eq!(offered("stop cat:"), "cat:* |cat:cat ");
        assert_eq!(offered("reo"), "reopen ");
        assert_eq!(offered("reopen c"), "cat ");
        assert_eq!(offered("version "), "");
        assert_eq!(offered("EO"), "");
        assert_eq!(offered("nonsense x"), "");
    }

    #[test]
    fn a_silent_daemon_is_not_waited_for() {
        let completions = Completions::default();
        assert!(completions.infos().is_empty());
    }
}
