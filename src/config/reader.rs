//! From files to a whole configuration: the main file, its includes, the `[supervisord]` section, then the rest.

use super::context::Context;
use super::datatypes::overlay;
use super::names::{Table, Value};
use super::scope::{Origin, here};
use super::supervisord::{self, Section};
use super::{files, groups, server};
use crate::core::config::{GroupConfig, ServerConfig};
use crate::core::states::Level;
use crate::native;

/// Everything one reading yields.
pub(super) struct Reading {
    pub(super) section: Section,
    pub(super) rpcinterfaces: Vec<String>,
    pub(super) groups: Vec<GroupConfig>,
    pub(super) servers: Vec<ServerConfig>,
    pub(super) messages: Vec<(Level, String)>,
}

/// Reads everything. `expansions` holds the `ENV_` names; those of the `[supervisord]` environment are added, for
/// this reading and the ones after it.
pub(super) fn read(origin: &Origin<'_>, expansions: &mut Table) -> Result<Reading, String> {
    let node_name = node_name();
    let mut names = here(origin.here);
    names.set("host_node_name", Value::Str(node_name.clone()));
    names.update(expansions);

    let files = files::read(origin, &names)?;
    if !files.document.has_section("supervisord") {
        return Err(".ini file does not include supervisord section".to_string());
    }
    let section = supervisord::read(origin, &files.document, expansions, &names)?;
    expansions.set_environment(&section.environment);

    let context = Context { origin, node_name: &node_name, files: &files, expansions };
    let rpcinterfaces = server::rpcinterfaces(&context)?;
    let mut warnings = files.warnings.clone();
    let mut groups = groups::read(&context, &mut warnings)?;
    for process in groups.iter_mut().flat_map(|group| &mut group.processes) {
        let own = std::mem::replace(&mut process.environment, section.environment.clone());
        for (name, value) in own {
            overlay(&mut process.environment, &name, &value);
        }
    }
    let servers = server::servers(&context)?;
    let warnings = warnings.into_iter().map(|text| (Level::Warn, text));
    let infos = files.infos.iter().map(|text| (Level::Info, text.clone()));
    let messages = warnings.chain(infos).collect();
    Ok(Reading { section, rpcinterfaces, groups, servers, messages })
}

fn node_name() -> String {
    let name = nix::unistd::gethostname().map(native::text);
    name.unwrap_or_default()
}
