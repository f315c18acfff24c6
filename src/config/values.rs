//! Values of options by the tables of [`core::options`](crate::core::options): from the text of a section to a field.

use super::complaint::{Complaint, Mistake, Notes};
use super::datatypes::{
    auto_restart, boolean, byte_size, event_type, existing_directory, existing_dirpath,
    inet_address, integer, integer_in, key_value_pairs, list_of_exitcodes, list_of_strings,
    logfile_name, logging_level, names_factory, octal_type, process_or_group_name, signal_number,
};
use super::scope::{Importable, Scope};
use super::{accounts, paths};
use crate::core::options::{About, Expansion, Field, Row, Unset};
use crate::core::python::{repr, strip};
use crate::core::result_handler::{DEFAULT_RESULT_HANDLER, SUPERVISOR_STDOUT};

/// Result handlers that are built in.
const RESULT_HANDLERS: [&str; 2] = [DEFAULT_RESULT_HANDLER, SUPERVISOR_STDOUT];

/// Rows in the order in which the reference reads them, and so reports mistakes; the rest comes behind, as it stands.
pub(super) fn in_order<T>(rows: &mut [T], order: &[&str], about: impl Fn(&T) -> &About) {
    rows.sort_by_key(|row| {
        let name = about(row).name;
        order.iter().position(|known| *known == name).unwrap_or(order.len())
    });
}

/// Reads all options of a table, and takes down what is wrong with each; nothing was read if anything is.
pub(super) fn read_all<'a, C: 'static>(
    rows: impl IntoIterator<Item = &'a Row<C>>,
    scope: &Scope<'_>,
    section: &str,
    config: &mut C,
    notes: &mut Notes,
) -> Option<()> {
    rows.into_iter()
        .map(|row| notes.check(read(row, scope, section, config)))
        .fold(Some(()), Option::and)
}

/// Reads an option into its field, which keeps what it has if the option is not set and nothing stands for it.
pub(super) fn read<C: 'static>(
    row: &Row<C>,
    scope: &Scope<'_>,
    section: &str,
    config: &mut C,
) -> Result<(), Complaint> {
    let read = match text(&row.about, scope, section)? {
        Some(text) => set(row, text, scope, section, config),
        None if row.about.unset == Unset::Required => Err(missing(row.about.name, section)),
        None => Ok(()),
    };
    read.map_err(|mistake| scope.document.option_complaint(section, row.about.name, mistake))
}

/// The text of an option, expanded, or of what it means when it is not set.
pub(super) fn text(
    about: &About,
    scope: &Scope<'_>,
    section: &str,
) -> Result<Option<String>, Complaint> {
    let raw = || scope.document.get(section, about.name);
    let again = |text: &str| {
        let expanded = scope.expand(text, about.name);
        expanded.map_err(|mistake| scope.document.option_complaint(section, about.name, mistake))
    };
    let set = match about.expansion {
        Expansion::Once => scope.get(section, about.name)?,
        Expansion::Twice => scope.get(section, about.name)?.map(|text| again(&text)).transpose()?,
        Expansion::Late => raw().map(again).transpose()?,
        Expansion::Never => raw().map(str::to_string),
    };
    if set.is_some() {
        return Ok(set);
    }
    Ok(match about.unset {
        Unset::Text(text) | Unset::Explained(text, _) => Some(text.to_string()),
        Unset::As { option, default } => {
            Some(scope.get(section, option)?.unwrap_or_else(|| default.to_string()))
        }
        Unset::TemporaryDirectory => Some(paths::temporary_directory(scope.environ)),
        Unset::Nothing(_) | Unset::Required => None,
    })
}

/// What is said of an option that has to be set.
pub(super) fn missing(option: &str, section: &str) -> Mistake {
    Mistake::new(match option {
        "command" => format!("program section {section} does not specify a command"),
        "events" => format!("[{section}] section requires an \"events\" line"),
        "socket" => format!("[{section}] section requires a \"socket\" line"),
        "supervisor.rpcinterface_factory" => {
            format!("section [{section}] does not specify a {option}")
        }
        "files" => ".ini file has [include] section, but no files setting".to_string(),
        _ => format!("section [{section}] has no {option} value"),
    })
}

/// Sets a field from a text of its type.
fn set<C: 'static>(
    row: &Row<C>,
    text: String,
    scope: &Scope<'_>,
    section: &str,
    config: &mut C,
) -> Result<(), Mistake> {
    let environ = scope.environ;
    match &row.field {
        Field::Text(field) => field.set(config, text),
        Field::OptionalText(field) => field.set(config, Some(text)),
        Field::Name(field) => field.set(config, process_or_group_name(&text)?),
        Field::List(field) => field.set(config, list_of_strings(&text)),
        Field::Hosts(field) => field.set(config, hosts(section, &text)?),
        Field::Boolean(field) => field.set(config, boolean(&text)?),
        Field::Integer(field) | Field::Seconds(field) => field.set(config, integer(&text)?),
        Field::Bytes(field) => field.set(config, byte_size(&text)?),
        Field::Mask(field) => field.set(config, octal_type(&text)?),
        Field::OptionalMask(field) => field.set(config, Some(octal_type(&text)?)),
        Field::Mode(field) => field.set(config, Some(mode(row.about.name, &text)?)),
        Field::User(field) => field.set(config, Some(accounts::uid(&text)?)),
        Field::Owner(field) => {
            let owner = accounts::owner(&text);
            let owner = owner.ok_or_else(|| unknown_owner(row.about.name, &text))?;
            field.set(config, Some(owner));
        }
        Field::Log(field) => field.set(config, logfile_name(&text, environ)?),
        Field::File(field) => field.set(config, existing_dirpath(&text, environ)?),
        Field::Directory(field) => field.set(config, existing_directory(&text, environ)?),
        Field::OptionalDirectory(field) => {
            field.set(config, Some(existing_directory(&text, environ)?));
        }
        Field::Environment(field) => field.set(config, key_value_pairs(&text)?),
        Field::Level(field) => field.set(config, logging_level(&text)?),
        Field::Signal(field) => field.set(config, signal_number(&text)?),
        Field::ExitCodes(field) => field.set(config, list_of_exitcodes(&text)?),
        Field::AutoRestart(field) => field.set(config, auto_restart(&text)?),
        Field::Url(field) => {
            let is_url = text.is_empty() || strip(&text).to_uppercase() != "AUTO";
            field.set(config, is_url.then_some(text));
        }
        Field::Address(field) => field.set(config, Some(inet_address(&text)?)),
        Field::EventBuffer(field) => field.set(config, event_buffer(section, &text)?),
        Field::Events(field) => field.set(config, events(section, &text)?),
        Field::ResultHandler(field) => {
            field.set(config, result_handler(scope.imports, section, &text)?)
        }
        Field::Backlog(field) => field.set(config, Some(backlog(&text)?)),
    }
    Ok(())
}

fn mode(option: &str, text: &str) -> Result<u32, Mistake> {
    octal_type(text).map_err(|_| Mistake::new(format!("Invalid {option} value {text}")))
}

fn unknown_owner(option: &str, text: &str) -> Mistake {
    let shown = if option == "chown" { "sockchown" } else { option };
    Mistake::new(format!("Invalid {shown} value {text}"))
}

fn event_buffer(section: &str, text: &str) -> Result<i64, Mistake> {
    integer_in(text, 1..=i64::MAX, |digits| {
        format!("[{section}] section sets invalid buffer_size ({digits})")
    })
}

fn backlog(text: &str) -> Result<i64, Mistake> {
    integer_in(text, 1..=65535, |digits| format!("Invalid socket_backlog value {digits}"))
}

/// Types of events, upper-case, sorted, each once.
fn events(section: &str, text: &str) -> Result<Vec<String>, Mistake> {
    let names = list_of_strings(text);
    if names.is_empty() {
        return Err(missing("events", section));
    }
    let mut events = Vec::new();
    for name in names.iter().map(|name| name.to_uppercase()) {
        let known = event_type(&name).ok_or_else(|| {
            Mistake::new(format!("Unknown event type {name} in [{section}] events"))
        })?;
        events.push(known.to_string());
    }
    events.sort_unstable();
    events.dedup();
    Ok(events)
}

/// A handler that is built in, or the name of one in Python.
fn result_handler(imports: Importable<'_>, section: &str, text: &str) -> Result<String, Mistake> {
    let known = RESULT_HANDLERS.into_iter().find(|known| names_factory(text, known));
    match known {
        Some(known) => Ok(known.to_string()),
        None if imports.knows(text) => Ok(text.to_string()),
        None => Err(unresolved(text, section)),
    }
}

/// What is said of a factory or a handler that there is not (`options.py: get_plugins`).
pub(super) fn unresolved(text: &str, section: &str) -> Mistake {
    Mistake::new(format!("{text} cannot be resolved within [{section}]"))
}

/// Names of hosts, separated by commas, spaces or line ends. What no browser can ask for (`http://sv.lan`, `*.lan`,
/// quotes) is an error, for it would allow nothing and not say so.
fn hosts(section: &str, text: &str) -> Result<Vec<String>, Mistake> {
    let names = text.split(|c: char| c == ',' || c.is_whitespace());
    let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_string).collect();
    match names.iter().find(|name| *name != "*" && name.contains(['/', '*', '"', '\''])) {
        Some(name) => Err(Mistake::new(format!(
            "Section [{section}] contains an allowed_hosts value that is no name of a host: {}",
            repr(name)
        ))),
        None => Ok(names),
    }
}
