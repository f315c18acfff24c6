//! Python's `getopt` over an option table kept by clap: bundled short options, unambiguous prefixes of long ones, and
//! its words for mistakes. Help and manual are made of the same table.

use super::complaint::Mistake;
use std::fmt::Display;

use clap::{Arg, Command};

use crate::core::options::Source;

/// Characters in a line of the list of options.
const LIST_WIDTH: usize = 79;

/// One option as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The id of the option in the table.
    pub id: String,
    /// The option in full, as messages name it: `-c` or `--configuration`.
    pub spelling: String,
    /// Its value; empty for a flag.
    pub value: String,
}

/// Options in the order given, and the arguments after them.
pub(crate) type Scanned = (Vec<Given>, Vec<String>);

/// Scans the arguments (without the program's name). Options end at the first argument that is none, or at `--`.
/// Hidden options of the table are only recognized in full.
///
/// Errors are those of `getopt.GetoptError`, e.g. `option --x not recognized`.
pub(crate) fn scan(table: &Command, args: &[String]) -> Result<Scanned, Mistake> {
    let mut given = Vec::new();
    let mut rest = args.iter();
    while let Some(argument) = rest.clone().next() {
        if argument == "--" {
            rest.next();
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            rest.next();
            given.push(long_option(table, long, &mut rest)?);
        } else if let Some(bundle) = argument.strip_prefix('-').filter(|bundle| !bundle.is_empty())
        {
            rest.next();
            short_options(table, bundle, &mut rest, &mut given)?;
        } else {
            break;
        }
    }
    Ok((given, rest.cloned().collect()))
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

fn long_option(
    table: &Command,
    text: &str,
    rest: &mut std::slice::Iter<'_, String>,
) -> Result<Given, Mistake> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let option = find_long(table, name)?;
    let full = option.get_long().unwrap_or_default();
    let value = match (takes_value(option), value) {
        (true, Some(value)) => value.to_string(),
        (true, None) => rest
            .next()
            .ok_or_else(|| Mistake::new(format!("option --{full} requires argument")))?
            .clone(),
        (false, None) => String::new(),
        (false, Some(_)) => {
            return Err(Mistake::new(format!("option --{full} must not have an argument")));
        }
    };
    Ok(Given { id: option.get_id().to_string(), spelling: format!("--{full}"), value })
}

fn find_long<'a>(table: &'a Command, name: &str) -> Result<&'a Arg, Mistake> {
    let long = |option: &&Arg| option.get_long().is_some();
    let mut exact = table.get_arguments().filter(|option| option.get_long() == Some(name));
    if let Some(option) = exact.next() {
        return Ok(option);
    }
    let mut prefixed = table
        .get_arguments()
        .filter(long)
        .filter(|option| !option.is_hide_set())
        .filter(|option| option.get_long().is_some_and(|long| long.starts_with(name)));
    match (prefixed.next(), prefixed.next()) {
        (None, _) => Err(Mistake::new(format!("option --{name} not recognized"))),
        (Some(_), Some(_)) => Err(Mistake::new(format!("option --{name} not a unique prefix"))),
        (Some(option), None) => Ok(option),
    }
}

fn short_options(
    table: &Command,
    bundle: &str,
    rest: &mut std::slice::Iter<'_, String>,
    given: &mut Vec<Given>,
) -> Result<(), Mistake> {
    let mut characters = bundle.chars();
    while let Some(short) = characters.next() {
        let option = table
            .get_arguments()
            .find(|option| option.get_short() == Some(short))
            .ok_or_else(|| Mistake::new(format!("option -{short} not recognized")))?;
        let mut value = String::new();
        if takes_value(option) {
            value = characters.by_ref().collect();
            if value.is_empty() {
                value = rest
                    .next()
                    .ok_or_else(|| Mistake::new(format!("option -{short} requires argument")))?
                    .clone();
            }
        }
        given.push(Given { id: option.get_id().to_string(), spelling: format!("-{short}"), value });
    }
    Ok(())
}

/// An option of a command line, for those that list them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its letter.
    pub short: Option<char>,
    /// Its name.
    pub long: Option<String>,
    /// What stands for its value, if it takes one.
    pub value: Option<String>,
    /// What it is for, in a line.
    pub help: String,
    /// Whether it is ours: the reference does not have it.
    pub source: Source,
}

/// The options of a table that have a help, in its order; what has none is another spelling.
pub(crate) fn switches(table: &Command) -> Vec<Switch> {
    let explained = |option: &Arg| {
        Some(Switch {
            short: option.get_short(),
            long: option.get_long().map(str::to_string),
            value: option
                .get_value_names()
                .filter(|_| takes_value(option))
                .and_then(|names| Some(names.first()?.to_string())),
            help: option.get_help()?.to_string(),
            source: if option.is_hide_set() { Source::Ours } else { Source::Reference },
        })
    };
    table.get_arguments().filter_map(explained).collect()
}

/// The options as `-h` lists them, a line each or more.
pub(crate) fn list(table: &Command) -> String {
    switches(table).iter().map(listed).collect()
}

fn listed(switch: &Switch) -> String {
    let short = switch.short.map(|letter| format!("-{letter}"));
    let long = switch.long.as_ref().map(|name| format!("--{name}"));
    let spellings: Vec<String> = short.into_iter().chain(long).collect();
    let value = switch.value.iter().map(|name| format!(" {name}")).collect::<String>();
    let head = format!("{}{value} --", spellings.join("/"));
    let (mut lines, mut line) = (String::new(), head.clone());
    for word in switch.help.split(' ') {
        if line.len() + 1 + word.len() > LIST_WIDTH {
            lines += &format!("{line}\n");
            line = " ".repeat(head.len());
        }
        line += &format!(" {word}");
    }
    format!("{lines}{line}\n")
}

/// The text of a usage error.
pub(crate) fn usage(argv0: &str, why: impl Display) -> String {
    format!("Error: {why}\nFor help, use {argv0} -h\n")
}
