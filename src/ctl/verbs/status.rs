//! `status`: what state every process is in.

use std::time::Duration;

use crate::core::json;
use crate::core::namespec;
use crate::core::value::Value;
use crate::ctl::failure::Outcome;
use crate::ctl::info::ProcessInfo;
use crate::ctl::interrupt::{Interrupts, Woken};
use crate::ctl::names::{self, take_flag};
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// Least width of the column of names, before the gap.
const NAME_WIDTH: usize = 30;

/// How often `--watch` looks, in seconds, when it is not told.
const WATCH_SECS: f64 = 2.0;

/// How often `--watch` may be told to look.
const WATCH_SECS_RANGE: std::ops::RangeInclusive<f64> = 0.1..=86_400.0;

/// What `--json` tells of a process, in this order, after its namespec.
const JSON_KEYS: [&str; 13] = [
    "group",
    "name",
    "state",
    "statename",
    "description",
    "pid",
    "exitstatus",
    "spawnerr",
    "start",
    "stop",
    "now",
    "stdout_logfile",
    "stderr_logfile",
];

/// The action `status`.
pub(super) static STATUS: Verb = Verb {
    name: "status",
    usage: "[--json] [--watch[=SECONDS]] [NAME...|all]",
    help: "status <name>\t\tGet status for a single process\n\
           status <gname>:*\tGet status for all processes in a group\n\
           status <name> <name>\tGet status for multiple named processes\n\
           status\t\t\tGet all process status info",
    shown: Shown::InList,
    completes: Completes::Processes,
    does: Does::Run(status),
};

/// Shows the state of the processes named, or of all. With `--json` one array of objects on a line; with `--watch`
/// (or `--watch=SECONDS`) again and again until Ctrl-C.
pub(super) fn status(session: &mut Session, argument: &str) -> Outcome {
    let mut names = names::words(argument);
    let json = take_flag(&mut names, "--json");
    let watch = match take_watch(&mut names) {
        Ok(watch) => watch,
        Err(word) => {
            session.output(&format!("Error: bad argument {word}"));
            session.exit_status = exit::GENERIC;
            return Ok(());
        }
    };
    match watch {
        Some(interval) => keep_showing(session, &names, json, interval),
        None => show(session, &names, json, "").map(drop),
    }
}

/// Removes `--watch` from the words and answers how often to look; the word if it cannot be read.
fn take_watch(words: &mut Vec<String>) -> Result<Option<Duration>, String> {
    let mut watch = None;
    for word in words.extract_if(.., |word| *word == "--watch" || word.starts_with("--watch=")) {
        let seconds = match word.strip_prefix("--watch=") {
            Some(seconds) => seconds.parse().ok().filter(|s| WATCH_SECS_RANGE.contains(s)),
            None => Some(WATCH_SECS),
        };
        watch = Some(Duration::from_secs_f64(seconds.ok_or(word)?));
    }
    Ok(watch)
}

/// Shows the states until Ctrl-C, until nobody reads them, or until the daemon is gone. The exit status tells only
/// whether the last look worked.
fn keep_showing(
    session: &mut Session,
    names: &[String],
    json: bool,
    interval: Duration,
) -> Outcome {
    let mut interrupts = Interrupts::take_over()?.or_reader_gone();
    let (clear, gap) = if session.terminal { ("\x1b[H\x1b[2J", "") } else { ("", "\n") };
    let mut before = clear;
    loop {
        let status = session.exit_status;
        let answered = match show(session, names, json, before) {
            // It is not gone yet; the next look tells what becomes of it.
            Err(failure) if failure.is_parting() => true,
            shown => shown?,
        };
        if !answered || session.nobody_reads {
            return Ok(());
        }
        session.exit_status = status;
        if interrupts.wait(None, Some(interval))? == Woken::Interrupted {
            session.output("");
            return Ok(());
        }
        before = if session.terminal {
            clear
        } else if json {
            ""
        } else {
            gap
        };
    }
}

/// Shows the states once, after the text `before`; whether the daemon was there.
fn show(session: &mut Session, names: &[String], json: bool, before: &str) -> Outcome<bool> {
    if !session.upcheck()? {
        session.exit_status = exit::STATUS_UNKNOWN;
        return Ok(false);
    }
    let infos = ProcessInfo::read_all(session.call("getAllProcessInfo", &[])?)?;
    let (found, missing) = choose(names, &infos);
    session.write(before);
    for message in missing {
        if json {
            session.complain(&message)
        } else {
            session.output(&message)
        }
        session.exit_status = exit::STATUS_UNKNOWN;
    }
    let text = if json { json_text(&found) } else { table(&found, session.colours) };
    session.write(&text);
    if found.iter().any(|info| info.is_stopped()) {
        session.exit_status = exit::STATUS_NOT_RUNNING;
    }
    Ok(true)
}

/// The processes that the names mean, in the order of the names, and a message for each name that means none.
fn choose<'a>(names: &[String], infos: &'a [ProcessInfo]) -> (Vec<&'a ProcessInfo>, Vec<String>) {
    if names.is_empty() || names.iter().any(|name| name == "all") {
        return (infos.iter().collect(), Vec::new());
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names::expand(names.to_vec(), infos) {
        let parts = namespec::split(&name);
        let before = found.len();
        found.extend(infos.iter().filter(|info| {
            info.group == parts.group && parts.process.is_none_or(|process| process == info.name)
        }));
        if found.len() == before {
            missing.push(match parts.process {
                None => format!("{}: ERROR (no such group)", parts.group),
                Some(_) => format!("{name}: ERROR (no such process)"),
            });
        }
    }
    (found, missing)
}

/// One line per process; the columns are counted in characters.
fn table(infos: &[&ProcessInfo], colours: bool) -> String {
    let namespecs: Vec<String> = infos.iter().map(|info| info.namespec()).collect();
    let widest = namespecs.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let width = widest.max(NAME_WIDTH) + 3;
    let mut text = String::new();
    for (info, name) in infos.iter().zip(&namespecs) {
        let state = format!("{:<10}", info.statename);
        let state = if colours { coloured(&state) } else { state };
        text.push_str(&format!("{name:<width$}{state}{}\n", info.description));
    }
    text
}

/// A padded state in its colour: green is up, yellow on its way, red needs a person.
fn coloured(state: &str) -> String {
    let colour = match state.trim_end() {
        "RUNNING" => 32,
        "STARTING" | "STOPPING" | "BACKOFF" => 33,
        "FATAL" | "UNKNOWN" => 31,
        _ => return state.to_string(),
    };
    format!("\x1b[{colour}m{state}\x1b[0m")
}

fn json_text(infos: &[&ProcessInfo]) -> String {
    let object = |info: &&ProcessInfo| {
        let mut members = vec![("namespec".to_string(), Value::Str(info.namespec()))];
        members.extend(json::select(&info.value, &JSON_KEYS));
        Value::Struct(members)
    };
    format!("{}\n", json::write(&Value::Array(infos.iter().map(object).collect())))
}
