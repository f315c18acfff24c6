//! HTTP servers and RPC interfaces (`options.py: server_configs_from_parser`, `get_plugins`).

use super::complaint::{Mistake, Notes};
use super::context::Context;
use super::datatypes::names_factory;
use super::names::Table;
use super::scope::Scope;
use super::{paths, values};
use crate::core::config::{Credentials, Factory, Owner, RpcInterface, ServerAddress, ServerConfig};
use crate::core::options::{Field, Names, Reread, Row, Unset, field};
use crate::core::python::strip;

/// The option that names the factory of an `[rpcinterface:x]`.
const FACTORY_OPTION: &str = "supervisor.rpcinterface_factory";

/// The one factory that is ours.
const MAIN_FACTORY: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// The section of an RPC interface as written.
#[derive(Default)]
pub(super) struct Interface {
    factory: String,
}

pub(super) const RPCINTERFACE: &[Row<Interface>] = &[Row::new(
    FACTORY_OPTION,
    Field::Text(field!(Interface.factory)),
    Unset::Required,
    "what makes the interface",
)
.names(Names::Environment)
.reread(Reread::Reload)];

/// The section of an HTTP server as written.
#[derive(Default)]
pub(super) struct Section {
    file: String,
    chmod: Option<u32>,
    chown: Option<Owner>,
    port: Option<(String, u16)>,
    allowed_hosts: Vec<String>,
    username: Option<String>,
    password: Option<String>,
    metrics: bool,
}

/// Who may come in.
pub(super) const AUTHENTICATION: &[Row<Section>] = &[
    Row::new(
        "username",
        Field::OptionalText(field!(Section.username)),
        Unset::Nothing("everybody"),
        "who may come in",
    )
    .names(Names::Environment)
    .reread(Reread::Reload),
    Row::new(
        "password",
        Field::OptionalText(field!(Section.password)),
        Unset::Nothing("none"),
        "and with which word, plain or as {SHA} and 40 hex digits",
    )
    .names(Names::Environment)
    .reread(Reread::Reload),
];

/// What is served besides what the reference serves.
pub(super) const EXTRAS: &[Row<Section>] = &[Row::new(
    "metrics",
    Field::Boolean(field!(Section.metrics)),
    Unset::Text("false"),
    "true: answer /metrics, for Prometheus",
)
.names(Names::Environment)
.reread(Reread::Reload)
.ours()];

/// What TCP servers have in addition.
pub(super) const INET: &[Row<Section>] = &[
    Row::new(
        "port",
        Field::Address(field!(Section.port)),
        Unset::Required,
        "host:port; with * or nothing for the host, every interface",
    )
    .names(Names::Environment)
    .reread(Reread::Reload),
    Row::new(
        "allowed_hosts",
        Field::Hosts(field!(Section.allowed_hosts)),
        Unset::Text(""),
        "names under which browsers may come, besides those of this machine",
    )
    .names(Names::Environment)
    .reread(Reread::Reload)
    .ours(),
];

/// The socket of a Unix server; it is read before anything else of the section.
pub(super) const SOCKET_FILE: &[Row<Section>] =
    &[Row::new("file", Field::Text(field!(Section.file)), Unset::Required, "path of the socket")
        .names(Names::Here)
        .reread(Reread::Reload)];

/// Who may use the socket.
pub(super) const SOCKET_ACCESS: &[Row<Section>] = &[
    Row::new(
        "chown",
        Field::Owner(field!(Section.chown)),
        Unset::Nothing("who starts the daemon"),
        "its owner, user or user:group",
    )
    .names(Names::Environment)
    .reread(Reread::Reload),
    Row::new(
        "chmod",
        Field::Mode(field!(Section.chmod)),
        Unset::Text("0700"),
        "its permissions, octal",
    )
    .names(Names::Environment)
    .reread(Reread::Reload),
];

/// The `[rpcinterface:x]` sections, in file order.
pub(super) fn rpcinterfaces(context: &Context<'_>, notes: &mut Notes) -> Vec<RpcInterface> {
    let mut interfaces = Vec::new();
    for section in context.files.document.sections() {
        if let Some(name) = section.strip_prefix("rpcinterface:") {
            let factory = factory(context, &section, notes);
            interfaces.extend(factory.map(|factory| RpcInterface { name: name.into(), factory }));
        }
    }
    interfaces
}

fn factory(context: &Context<'_>, section: &str, notes: &mut Notes) -> Option<Factory> {
    let document = &context.files.document;
    let scope = context.scope(Table::new());
    let mut interface = Interface::default();
    values::read_all(RPCINTERFACE, &scope, section, &mut interface, notes)?;
    let spec = interface.factory;
    let is_main = names_factory(&spec, MAIN_FACTORY);
    if !is_main && !scope.imports.knows(&spec) {
        let mistake = values::unresolved(&spec, section);
        notes.complain(document.option_complaint(section, FACTORY_OPTION, mistake));
    }
    // Arguments of the factory; the main interface takes none, but their expansion can fail.
    let mut options = Vec::new();
    for option in document.options(section) {
        if option != FACTORY_OPTION {
            let value = notes.check(scope.get(section, &option)).flatten();
            options.extend(value.map(|value| (option, value)));
        }
    }
    Some(if is_main { Factory::Main } else { Factory::Python { spec, options } })
}

/// The HTTP servers: inet ones, then Unix ones, each in file order. Any section whose name starts so is one.
pub(super) fn servers(context: &Context<'_>, notes: &mut Notes) -> Vec<ServerConfig> {
    let sections = context.files.document.sections();
    let mut servers = Vec::new();
    for section in sections.iter().filter(|name| name.starts_with("inet_http_server")) {
        servers.extend(inet_server(context, section, notes));
    }
    for section in sections.iter().filter(|name| name.starts_with("unix_http_server")) {
        servers.extend(unix_server(context, section, notes));
    }
    servers
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

/// Reads user name and password, both or neither.
fn credentials(
    scope: &Scope<'_>,
    section: &str,
    server: &mut Section,
    notes: &mut Notes,
) -> Option<Credentials> {
    values::read_all(AUTHENTICATION, scope, section, server, notes)?;
    match (server.username.take(), server.password.take()) {
        (None, None) => None,
        (Some(username), Some(password)) => Some(Credentials { username, password }),
        (Some(_), None) | (None, Some(_)) => {
            let mistake = Mistake::new(format!(
                "Section [{section}] contains incomplete authentication: If a username or a password is specified, \
                 both the username and password must be specified"
            ));
            notes.complain(scope.document.section_complaint(section, mistake));
            None
        }
    }
}

fn inet_server(context: &Context<'_>, section: &str, notes: &mut Notes) -> Option<ServerConfig> {
    let scope = context.scope(Table::new());
    let mut server = Section::default();
    let credentials = credentials(&scope, section, &mut server, notes);
    let inet = values::read_all(INET, &scope, section, &mut server, notes);
    values::read_all(EXTRAS, &scope, section, &mut server, notes)?;
    inet?;
    let (host, port) = server.port?;
    let address = ServerAddress::Inet { host, port };
    let Section { allowed_hosts, metrics, .. } = server;
    let section = section.to_string();
    Some(ServerConfig { section, address, credentials, allowed_hosts, metrics })
}

fn unix_server(context: &Context<'_>, section: &str, notes: &mut Notes) -> Option<ServerConfig> {
    let mut server = Section::default();
    let placed = context.scope(context.here());
    let file = values::read_all(SOCKET_FILE, &placed, section, &mut server, notes);
    let path = paths::normalize(strip(&server.file), context.origin.environ);
    // The other options do not know `%(here)s`.
    let scope = context.scope(Table::new());
    let credentials = credentials(&scope, section, &mut server, notes);
    let access = values::read_all(SOCKET_ACCESS, &scope, section, &mut server, notes);
    values::read_all(EXTRAS, &scope, section, &mut server, notes)?;
    file.and(access)?;
    let address = ServerAddress::Unix { path, chmod: server.chmod?, chown: server.chown };
    // No browser reaches it but through a proxy, which knows its own names.
    let (allowed_hosts, metrics) = (Vec::new(), server.metrics);
    let section = section.to_string();
    Some(ServerConfig { section, address, credentials, allowed_hosts, metrics })
}
