//! What the tables of the programs say, in the markup of the pages.

use std::fmt::Write;

use supervisord_rs::parts::config::command_line::{Switch, of_client, of_daemon};
use supervisord_rs::parts::config::options::{
    About, Expansion, Names, Reread, Section, Source, Unset, sections,
};
use supervisord_rs::parts::ctl::{Action, actions};

use crate::words::Words;

/// The tables, and the words about what they name.
pub(crate) struct Tables {
    sections: Vec<Section>,
    /// The options of the daemon.
    pub(crate) daemon: Vec<Switch>,
    /// The options of the client.
    pub(crate) client: Vec<Switch>,
    /// The client's actions.
    pub(crate) actions: Vec<Action>,
    option_words: Words,
    action_words: Words,
    switch_words: Words,
}

/// Who is meant by the topic of a switch.
const DAEMON: &str = "supervisord";
const CLIENT: &str = "supervisorctl";

impl Tables {
    /// All of them; fails where words and tables do not fit.
    pub(crate) fn new() -> Result<Tables, String> {
        let tables = Tables {
            sections: sections(),
            daemon: of_daemon(),
            client: of_client(),
            actions: actions().collect(),
            option_words: Words::read(include_str!("words/options.txt")),
            action_words: Words::read(include_str!("words/actions.txt")),
            switch_words: Words::read(include_str!("words/switches.txt")),
        };
        tables.option_words.check(|kind, name| {
            let mut options = tables.sections.iter().filter(|section| section.kind == kind);
            options.any(|section| section.options.iter().any(|about| about.name == name))
        })?;
        tables.action_words.check(|client, name| {
            client == CLIENT && tables.actions.iter().any(|action| action.0 == name)
        })?;
        tables.switch_words.check(|program, name| {
            let switches = if program == DAEMON { &tables.daemon } else { &tables.client };
            switches.iter().any(|switch| switch.long.as_deref() == Some(name))
        })?;
        Ok(tables)
    }

    /// A page with its lines `{{TABLE}}` replaced.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        for line in text.lines() {
            let place = line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            match place {
                None => filled += &format!("{line}\n"),
                Some("daemon options") => filled += &self.switches(DAEMON, &self.daemon),
                Some("client options") => filled += &self.switches(CLIENT, &self.client),
                Some("actions") => filled += &self.actions()?,
                Some(kind) => filled += &self.section(kind)?,
            }
        }
        match self.sections.iter().find(|section| {
            text.contains("{{program}}") && !text.contains(&format!("{{{{{}}}}}", section.kind))
        }) {
            Some(section) => {
                Err(format!("the page of the file has no place for [{}]", section.kind))
            }
            None => Ok(filled),
        }
    }

    fn switches(&self, program: &str, switches: &[Switch]) -> String {
        let mut items = String::new();
        for switch in switches {
            let short = switch.short.map(|letter| format!("`-{letter}`"));
            let long = switch.long.as_ref().map(|name| format!("`--{name}`"));
            let spellings: Vec<String> = short.into_iter().chain(long).collect();
            let value = switch.value.iter().map(|name| format!(" <{name}>")).collect::<String>();
            let name = switch.long.as_deref().unwrap_or_default();
            let more = self.switch_words.of(program, name).unwrap_or_default();
            let ours = ours(switch.source, "Supervisor does not have it.");
            let text = format!("{}. {more}\n{ours}", sentence(&switch.help));
            let _ = write!(items, "- {}{value}\n{}", spellings.join(", "), within(&text));
        }
        items
    }

    fn actions(&self) -> Result<String, String> {
        let mut items = String::new();
        for (name, usage) in &self.actions {
            let (about, more) = self.words_of_action(name)?;
            let text = format!("{}.\n{more}\n", sentence(about));
            let usage = usage_markup(usage);
            let _ = write!(items, "- {}\n{}", format!("`{name}` {usage}").trim(), within(&text));
        }
        Ok(items)
    }

    /// What an action does in a line, without a stop, and what else there is to say.
    pub(crate) fn words_of_action(&self, name: &str) -> Result<(&str, &str), String> {
        let words = self.action_words.of(CLIENT, name);
        let words = words.ok_or_else(|| format!("no words about the action {name}"))?;
        Ok(words.split_once('\n').unwrap_or((words, "")))
    }

    fn section(&self, kind: &str) -> Result<String, String> {
        let mut found = self.sections.iter().filter(|section| section.kind == kind);
        let section = found.next().ok_or_else(|| format!("no table {kind}"))?;
        let programs = self.sections.iter().find(|section| section.kind == "program");
        let mut items = String::new();
        for (at, about) in section.options.iter().enumerate() {
            let before = section.options[..at].iter().any(|before| before.name == about.name);
            let told = kind != "program"
                && programs.is_some_and(|programs| programs.options.contains(about));
            if !before && !told {
                items += &self.option(kind, about);
            }
        }
        Ok(items)
    }

    fn option(&self, kind: &str, about: &About) -> String {
        let more = self.option_words.of(kind, about.name).unwrap_or_default();
        let ours = ours(about.source, "Supervisor passes over it.");
        let facts = [default(about.unset), names(about), reread(about.reread).to_string()];
        let about_it = [format!("{}.", sentence(about.help)), more.to_string(), ours];
        let about_it = about_it.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let text = format!("{}\n\n{}\n", about_it.join("\n"), facts.join(" "));
        format!("- `{}`=<{}>\n{}", about.name, about.value, within(&text))
    }
}

/// Lines of the text of an item. What is further in keeps that.
fn within(text: &str) -> String {
    let mut lines = String::new();
    for line in text.trim_end().lines() {
        let kept = line.is_empty() || line.starts_with("    ");
        let _ = writeln!(lines, "{}{line}", if kept { "" } else { "  " });
    }
    lines
}

/// With a capital, unless it begins with something that is typed.
fn sentence(text: &str) -> String {
    let typed = |word: &str| word.contains(|c: char| !c.is_ascii_alphabetic());
    if text.split(' ').next().is_some_and(typed) {
        return text.to_string();
    }
    let mut characters = text.chars();
    characters
        .next()
        .map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

fn ours(source: Source, others: &str) -> String {
    match source {
        Source::Ours => format!("An addition of supervisord-rs; {others}"),
        Source::Reference => String::new(),
    }
}

/// The arguments of an action: what is in capitals stands for something, the rest is typed.
fn usage_markup(usage: &str) -> String {
    let mut out = String::new();
    let mut rest = usage;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '-') {
        out += &rest[..start];
        rest = &rest[start..];
        let stands = rest.starts_with(|c: char| c.is_ascii_uppercase());
        let word = |c: char| {
            if stands { c.is_ascii_uppercase() } else { c == '-' || c.is_ascii_lowercase() }
        };
        let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        let (open, close) = if stands { ('<', '>') } else { ('`', '`') };
        let _ = write!(out, "{open}{}{close}", &rest[..end]);
        rest = &rest[end..];
    }
    out + rest
}

fn default(unset: Unset) -> String {
    match unset {
        Unset::Text("") => "Default: empty.".to_string(),
        Unset::Text(text) => format!("Default: `{text}`."),
        Unset::Explained(text, more) => format!("Default: `{text}`{more}."),
        Unset::As { option, default } => {
            format!("Default: as `{option}`, whose default is `{default}`.")
        }
        Unset::TemporaryDirectory => {
            "Default: the system's directory for temporary files.".to_string()
        }
        Unset::Nothing(words) => format!("Default: {words}."),
        Unset::Required => "It has to be set.".to_string(),
    }
}

fn names(about: &About) -> String {
    let names = match about.names {
        Names::Environment => "those of the environment",
        Names::Here => "those of the file",
        Names::Program => "those of the program",
        Names::Process => "those of the process",
    };
    match about.expansion {
        Expansion::Once | Expansion::Never => format!("Names: {names}."),
        Expansion::Twice => format!("Names: {names}, replaced twice."),
        Expansion::Late => {
            format!("Names: {names}, replaced for each process when it is configured.")
        }
    }
}

fn reread(reread: Reread) -> &'static str {
    match reread {
        Reread::Restart => "Changed: `update` restarts the group.",
        Reread::InPlace => "Changed: `reread` applies it.",
        Reread::Reload => "Changed: `reload` applies it.",
        Reread::DaemonOnly => "Changed: a new start of the daemon applies it.",
        Reread::Unnoticed => {
            "Changed: not noticed; applied when the group is started anew for another reason."
        }
        Reread::Client => "Changed: each client reads it for itself.",
    }
}
