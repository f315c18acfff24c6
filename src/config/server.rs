//! HTTP servers and RPC interfaces (`options.py: server_configs_from_parser`, `get_plugins`).

use super::accounts;
use super::datatypes::{inet_address, names_factory, octal_type};
use super::expand::Table;
use super::paths;
use super::reader::{Context, Scope};
use crate::core::config::{Credentials, ServerAddress, ServerConfig};
use crate::core::python::{repr, strip};

/// The option that names the factory of an `[rpcinterface:x]`.
const FACTORY_OPTION: &str = "supervisor.rpcinterface_factory";

/// The one factory there is.
const MAIN_FACTORY: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// Permission bits of a Unix socket that sets none.
const DEFAULT_CHMOD: u32 = 0o700;

/// Names of the `[rpcinterface:x]` sections, in file order.
pub(super) fn rpcinterfaces(context: &Context<'_>) -> Result<Vec<String>, String> {
    let scope = context.scope(Table::new());
    let mut names = Vec::new();
    for section in context.files.document.sections() {
        let Some(name) = section.strip_prefix("rpcinterface:") else {
            continue;
        };
        let factory = scope
            .get(&section, FACTORY_OPTION)?
            .ok_or_else(|| format!("section [{section}] does not specify a {FACTORY_OPTION}"))?;
        if !names_factory(&factory, MAIN_FACTORY) {
            return Err(format!("{factory} cannot be resolved within [{section}]"));
        }
        // Arguments of the factory; the main interface takes none, but their expansion can fail.
        for option in context.files.document.options(&section) {
            if option != FACTORY_OPTION {
                scope.get(&section, &option)?;
            }
        }
        names.push(name.to_string());
    }
    Ok(names)
}

/// The HTTP servers: inet ones, then Unix ones, each in file order. Any section whose name starts so is one.
pub(super) fn servers(context: &Context<'_>) -> Result<Vec<ServerConfig>, String> {
    let sections = context.files.document.sections();
    let mut servers = Vec::new();
    for section in sections.iter().filter(|name| name.starts_with("inet_http_server")) {
        servers.push(inet_server(context, section)?);
    }
    for section in sections.iter().filter(|name| name.starts_with("unix_http_server")) {
        servers.push(unix_server(context, section)?);
    }
    Ok(servers)
}

/// The URL programs are told to reach this supervisor by: that of the first Unix server, else of the last inet one.
pub(super) fn server_url(servers: &[ServerConfig]) -> Option<String> {
    let unix = servers.iter().find_map(|server| match &server.address {
        ServerAddress::Unix { path, .. } => Some(format!("unix://{path}")),
        ServerAddress::Inet { .. } => None,
    });
    unix.or_else(|| {
        servers.iter().rev().find_map(|server| match &server.address {
            ServerAddress::Inet { host, port } => {
                let host = if host.is_empty() { "localhost" } else { host };
                Some(format!("http://{host}:{port}"))
            }
            ServerAddress::Unix { .. } => None,
        })
    })
}

fn credentials(scope: &Scope<'_>, section: &str) -> Result<Option<Credentials>, String> {
    match (scope.get(section, "username")?, scope.get(section, "password")?) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Credentials { username, password })),
        (Some(_), None) | (None, Some(_)) => Err(format!(
            "Section [{section}] contains incomplete authentication: If a username or a password is specified, both \
             the username and password must be specified"
        )),
    }
}

/// `allowed_hosts=`, which the reference does not have: names, separated by commas, spaces or line ends. What no browser
/// can ask for (`http://sv.lan`, `*.lan`, quotes) is an error, for it would allow nothing and not say so.
fn allowed_hosts(scope: &Scope<'_>, section: &str) -> Result<Vec<String>, String> {
    let text = scope.get(section, "allowed_hosts")?.unwrap_or_default();
    let names = text.split(|c: char| c == ',' || c.is_whitespace());
    let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_string).collect();
    match names.iter().find(|name| *name != "*" && name.contains(['/', '*', '"', '\''])) {
        Some(name) => Err(format!(
            "Section [{section}] contains an allowed_hosts value that is no name of a host: {}",
            repr(name)
        )),
        None => Ok(names),
    }
}

fn inet_server(context: &Context<'_>, section: &str) -> Result<ServerConfig, String> {
    let scope = context.scope(Table::new());
    let credentials = credentials(&scope, section)?;
    let port = scope
        .get(section, "port")?
        .ok_or_else(|| format!("section [{section}] has no port value"))?;
    let (host, port) = inet_address(&port)?;
    let address = ServerAddress::Inet { host, port };
    let allowed_hosts = allowed_hosts(&scope, section)?;
    Ok(ServerConfig { section: section.to_string(), address, credentials, allowed_hosts })
}

fn unix_server(context: &Context<'_>, section: &str) -> Result<ServerConfig, String> {
    let file = context
        .scope(context.here())
        .get(section, "file")?
        .ok_or_else(|| format!("section [{section}] has no file value"))?;
    let path = paths::normalize(strip(&file), context.origin.environ);
    // The other options do not know `%(here)s`.
    let scope = context.scope(Table::new());
    let credentials = credentials(&scope, section)?;
    let chown = match scope.get(section, "chown")? {
        None => None,
        Some(text) => {
            Some(accounts::owner(&text).ok_or_else(|| format!("Invalid sockchown value {text}"))?)
        }
    };
    let chmod = match scope.get(section, "chmod")? {
        None => DEFAULT_CHMOD,
        Some(text) => octal_type(&text).map_err(|_| format!("Invalid chmod value {text}"))?,
    };
    let address = ServerAddress::Unix { path, chmod, chown };
    // No browser reaches it but through a proxy, which knows its own names.
    let allowed_hosts = Vec::new();
    Ok(ServerConfig { section: section.to_string(), address, credentials, allowed_hosts })
}
