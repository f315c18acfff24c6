//! Writes the manual pages and the completions for shells, from the tables with which the programs read their command
//! lines, their actions and their options.
//!
//! `manuals DIRECTORY DATE` makes `DIRECTORY/man/*.N` and `DIRECTORY/completions/SHELL/*`; the pages bear the date. What
//! no table says stands in `pages/`, `words/` and `shells/` beside this file. A table that names what the words do not
//! explain, or words about what no table has, are an error. `packaging/manual/build` runs it.
//!
//! `clap_mangen` and `clap_complete` were looked at and left: they know neither actions nor sections, leave out what is
//! hidden from getopt's prefixes, and complete no names of processes.

mod completions;
mod roff;
mod tables;
mod words;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Pages whose text stands in a file: name, section, title of the section, text.
const PAGES: [(&str, u8, &str, &str); 5] = [
    ("supervisord", 1, COMMANDS, include_str!("pages/supervisord.txt")),
    ("supervisorctl", 1, COMMANDS, include_str!("pages/supervisorctl.txt")),
    ("echo_supervisord_conf", 1, COMMANDS, include_str!("pages/echo_supervisord_conf.txt")),
    ("pidproxy", 1, COMMANDS, include_str!("pages/pidproxy.txt")),
    ("supervisord.conf", 5, "File Formats", include_str!("pages/supervisord.conf.txt")),
];

const COMMANDS: &str = "User Commands";

/// A link to a page: Debian's package has one of this name.
const LINK: (&str, &str) = ("man/supervisor.1", "supervisord.1");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, date] = arguments.as_slice() else {
        let _ = writeln!(io::stderr(), "usage: manuals DIRECTORY DATE");
        return ExitCode::from(2);
    };
    match write_all(Path::new(directory), date) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "manuals: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(directory: &Path, date: &str) -> Result<(), String> {
    let tables = tables::Tables::new()?;
    for (name, section, manual, text) in PAGES {
        let title = roff::Title { name, section, date, manual };
        let page = roff::page(&title, &tables.fill(text)?);
        write(directory, &format!("man/{name}.{section}"), &page)?;
    }
    link(directory, LINK)?;
    for (path, script) in completions::scripts(&tables)? {
        write(directory, &format!("completions/{path}"), &script)?;
    }
    Ok(())
}

fn link(directory: &Path, (name, target): (&str, &str)) -> Result<(), String> {
    let path = directory.join(name);
    match std::os::unix::fs::symlink(target, &path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

fn write(directory: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = directory.join(name);
    let parent = path.parent().unwrap_or(directory);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
