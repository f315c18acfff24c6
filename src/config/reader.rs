//! From files to a whole configuration: the main file, its includes, the `[supervisord]` section, then the rest.

use std::collections::HashMap;

use super::complaint::{Complaint, Complaints, Mistake, Notes, Topic};
use super::context::Context;
use super::datatypes::overlay;
use super::files::Files;
use super::ini::Document;
use super::names::{Table, Value};
use super::scope::{Origin, here};
use super::supervisord::{self, SECTION, Section};
use super::{files, groups, program, server};
use crate::core::config::{GroupConfig, ProcessConfig, RpcInterface, ServerConfig};
use crate::core::states::Level;
use crate::native;

/// Everything one reading yields.
pub(super) struct Reading {
    pub(super) section: Section,
    pub(super) rpcinterfaces: Vec<RpcInterface>,
    pub(super) groups: Vec<GroupConfig>,
    pub(super) servers: Vec<ServerConfig>,
    pub(super) messages: Vec<(Level, String)>,
}

/// Reads everything. `expansions` holds the `ENV_` names; those of the `[supervisord]` environment are added, for
/// this reading and the ones after it. After a mistake the reading goes on, as far as that makes sense.
pub(super) fn read(origin: &Origin<'_>, expansions: &mut Table) -> Result<Reading, Complaints> {
    let mut notes = Notes::default();
    let names = names(origin, expansions);
    let read = files::read(origin, &names, &mut notes)
        .and_then(|files| sections(origin, expansions, &names, &files, &mut notes));
    match read {
        Ok(reading) => notes.outcome(reading),
        Err(last) => Err(notes.ending_with(last)),
    }
}

/// Everything one reading finds, whatever is wrong.
pub(super) struct Examined {
    /// The files, if the main one could be read.
    pub(super) files: Option<Files>,
    /// What they mean, as far as that makes sense.
    pub(super) reading: Option<Reading>,
    /// What is wrong, in the order of the reading.
    pub(super) complaints: Vec<Complaint>,
    /// What a start would warn of.
    pub(super) warnings: Vec<Complaint>,
    /// Of each section of programs: the group, the section, and how many processes it has there.
    pub(super) sections: Vec<(String, String, usize)>,
}

/// Reads everything, and keeps what could be read.
pub(super) fn examine(origin: &Origin<'_>, expansions: &mut Table) -> Examined {
    let mut notes = Notes::default();
    let names = names(origin, expansions);
    let files = files::read(origin, &names, &mut notes);
    let files = notes.check(files);
    let reading = files.as_ref().and_then(|files| {
        let reading = sections(origin, expansions, &names, files, &mut notes);
        notes.check(reading)
    });
    let complaints = notes.take_complaints();
    let Notes { warnings, sections, .. } = notes;
    Examined { files, reading, complaints, warnings, sections }
}

/// The names that `[include]` and what is expanded twice may hold.
fn names(origin: &Origin<'_>, expansions: &Table) -> Table {
    let mut names = here(origin.here);
    names.set("host_node_name", Value::Str(node_name()));
    names.update(expansions);
    names
}

/// Reads the sections that can be read, and takes down what is wrong. The error is what it cannot go on after.
fn sections(
    origin: &Origin<'_>,
    expansions: &mut Table,
    names: &Table,
    files: &Files,
    notes: &mut Notes,
) -> Result<Reading, Complaint> {
    let node_name = node_name();
    if !files.document.has_section(SECTION) {
        let mistake = Mistake::new(".ini file does not include supervisord section");
        let topic = Topic::File(origin.configfile.to_string());
        return Err(Complaint { topic, position: None, mistake });
    }
    let section = supervisord::read(origin, &files.document, expansions, names, notes)?;
    // The reference ends at the first mistake, and what it has not reached is nothing to a later reading.
    let mut apart = Table::new();
    let expansions = if notes.is_clean() {
        expansions
    } else {
        apart.update(expansions);
        &mut apart
    };
    expansions.set_environment(&section.environment);

    let python = section.settings.python.as_deref();
    let context = Context { origin, node_name: &node_name, files, expansions, python };
    let rpcinterfaces = server::rpcinterfaces(&context, notes);
    let mut groups = groups::read(&context, notes);
    for process in groups.iter_mut().flat_map(|group| &mut group.processes) {
        let own = std::mem::replace(&mut process.environment, section.environment.clone());
        for (name, value) in own {
            overlay(&mut process.environment, &name, &value);
        }
    }
    let servers = server::servers(&context, notes);
    let warnings = notes.warnings.iter().map(|warning| (Level::Warn, warning.to_string()));
    let infos = files.infos.iter().map(|text| (Level::Info, text.clone()));
    let messages = warnings.chain(infos).collect();
    Ok(Reading { section, rpcinterfaces, groups, servers, messages })
}

/// Reads the section of a program that is in no file, as [`read`] would. The complaints are those of the section alone.
pub(super) fn read_program(
    origin: &Origin<'_>,
    expansions: &Table,
    section: &str,
    options: &[(String, String)],
    group: &str,
) -> Result<Vec<ProcessConfig>, Complaints> {
    let document = Document::of_section(section, options, origin.configfile);
    let files = files::Files { document, origins: HashMap::new(), infos: Vec::new() };
    let node_name = node_name();
    let context =
        Context { origin, node_name: &node_name, files: &files, expansions, python: None };
    let mut notes = Notes::default();
    let processes = program::processes(&context, section, group, &mut notes);
    notes.outcome(processes.unwrap_or_default())
}

fn node_name() -> String {
    let name = nix::unistd::gethostname().map(native::text);
    name.unwrap_or_default()
}
