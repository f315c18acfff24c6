//! Process groups from `[group:x]`, `[program:x]`, `[eventlistener:x]` and `[fcgi-program:x]` sections.

use std::collections::HashSet;

use super::accounts;
use super::datatypes::{
    boolean, event_type, integer, integer_in, list_of_strings, names_factory, octal_type,
    port_number, process_or_group_name,
};
use super::expand::Table;
use super::paths;
use super::program::processes;
use super::reader::{Context, Scope};
use crate::core::config::{
    FastCgiSocket, GroupConfig, GroupKind, ListenerConfig, Owner, ProcessConfig,
};
use crate::core::python::{decimal_digit, is_space, repr, strip};
use crate::core::result_handler::SUPERVISOR_STDOUT;

/// The result handler of listeners that name none.
const DEFAULT_RESULT_HANDLER: &str = "supervisor.dispatchers:default_handler";

/// Result handlers that are built in.
const RESULT_HANDLERS: [&str; 2] = [DEFAULT_RESULT_HANDLER, SUPERVISOR_STDOUT];

/// All groups, by priority, then name. The kinds are read one after the other, so the first mistake is that of the
/// first kind (`options.py: process_groups_from_parser`).
pub(super) fn read(
    context: &Context<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<GroupConfig>, String> {
    let sections = context.files.document.sections();
    let scope = context.scope(context.here());
    let mut reader =
        Reader { context, scope, sections: &sections, grouped: HashSet::new(), warnings };
    let mut groups = Vec::new();
    for (section, name) in named(&sections, "group:") {
        groups.push(reader.heterogeneous(section, name)?);
    }
    for (section, name) in named(&sections, "program:") {
        if !reader.grouped.contains(section) {
            groups.push(reader.program(section, name)?);
        }
    }
    for (section, name) in named(&sections, "eventlistener:") {
        groups.push(reader.listener(section, name)?);
    }
    for (section, name) in named(&sections, "fcgi-program:") {
        if !reader.grouped.contains(section) {
            groups.push(reader.fastcgi(section, name)?);
        }
    }
    groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Ok(groups)
}

/// The sections with a prefix, and what follows it.
fn named<'a>(
    sections: &'a [String],
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    sections.iter().filter_map(move |s| s.strip_prefix(prefix).map(|name| (s.as_str(), name)))
}

struct Reader<'a> {
    context: &'a Context<'a>,
    scope: Scope<'a>,
    sections: &'a [String],
    /// Sections that are members of a `[group:x]` and make no group of their own.
    grouped: HashSet<String>,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn priority(&self, section: &str, default: &str) -> Result<i64, String> {
        integer(&self.scope.get_or(section, "priority", default)?)
    }

    fn heterogeneous(&mut self, section: &str, name: &str) -> Result<GroupConfig, String> {
        let name = process_or_group_name(name)?;
        let programs = list_of_strings(&self.scope.get_or(section, "programs", "")?);
        let priority = self.priority(section, "999")?;
        let mut members = Vec::new();
        // A mistake is reported against the section read last, not always the group's.
        let mut current = section.to_string();
        for program in programs {
            let plain = format!("program:{program}");
            let fastcgi = format!("fcgi-program:{program}");
            current = match (self.sections.contains(&plain), self.sections.contains(&fastcgi)) {
                (true, true) => {
                    return Err(format!(
                        "[{current}] name {program} is ambiguous (exists as program and fcgi-program)"
                    ));
                }
                (false, false) => {
                    return Err(format!(
                        "[{current}] names unknown program or fcgi-program {program}"
                    ));
                }
                (true, false) => plain,
                (false, true) => fastcgi,
            };
            self.grouped.insert(current.clone());
            let mut of_program = processes(self.context, &current, &name, self.warnings)?;
            // The reference never looks at the socket of such a member.
            if current.starts_with("fcgi-") && self.scope.get(&current, "socket")?.is_some() {
                share(&self.shared_socket(&current, &program)?, &mut of_program);
            }
            members.extend(of_program);
        }
        Ok(GroupConfig { name, priority, processes: members, kind: GroupKind::Plain })
    }

    fn program(&mut self, section: &str, name: &str) -> Result<GroupConfig, String> {
        let name = process_or_group_name(name)?;
        let priority = self.priority(section, "999")?;
        let processes = processes(self.context, section, &name, self.warnings)?;
        Ok(GroupConfig { name, priority, processes, kind: GroupKind::Plain })
    }

    fn listener(&mut self, section: &str, name: &str) -> Result<GroupConfig, String> {
        let priority = self.priority(section, "-1")?;
        let buffer_size = self.scope.get_or(section, "buffer_size", "10")?;
        let buffer_size = integer_in(&buffer_size, 1..=i64::MAX, |digits| {
            format!("[{section}] section sets invalid buffer_size ({digits})")
        })?;
        let written = self.scope.get_or(section, "result_handler", DEFAULT_RESULT_HANDLER)?;
        let known = RESULT_HANDLERS.into_iter().find(|known| names_factory(&written, known));
        let result_handler = known.map(str::to_string).ok_or_else(|| {
            format!(
                "{written} cannot be resolved within [{section}]: result handlers in Python cannot be called; \
                 use {DEFAULT_RESULT_HANDLER} (which is what an unset result_handler means) or {SUPERVISOR_STDOUT}"
            )
        })?;
        let names = list_of_strings(&self.scope.get_or(section, "events", "")?);
        if names.is_empty() {
            return Err(format!("[{section}] section requires an \"events\" line"));
        }
        let mut events = Vec::new();
        for name in names.iter().map(|name| name.to_uppercase()) {
            let known = event_type(&name)
                .ok_or_else(|| format!("Unknown event type {name} in [{section}] events"))?;
            events.push(known.to_string());
        }
        events.sort_unstable();
        events.dedup();
        if boolean(&self.scope.get_or(section, "redirect_stderr", "false")?)? {
            return Err(format!(
                "[{section}] section sets redirect_stderr=true but this is not allowed because it will interfere \
                 with the eventlistener protocol"
            ));
        }
        let processes = processes(self.context, section, name, self.warnings)?;
        let kind = GroupKind::Listener(ListenerConfig { buffer_size, events, result_handler });
        Ok(GroupConfig { name: name.to_string(), priority, processes, kind })
    }

    fn fastcgi(&mut self, section: &str, name: &str) -> Result<GroupConfig, String> {
        let name = process_or_group_name(name)?;
        let priority = self.priority(section, "999")?;
        let socket = self.shared_socket(section, &name)?;
        let mut processes = processes(self.context, section, &name, self.warnings)?;
        share(&socket, &mut processes);
        Ok(GroupConfig { name, priority, processes, kind: GroupKind::FastCgi(socket) })
    }

    /// The socket of a FastCGI program.
    fn shared_socket(&self, section: &str, program: &str) -> Result<FastCgiSocket, String> {
        let user = self.scope.get(section, "user")?;
        let uid = user.map(|user| accounts::uid(&user)).transpose()?;
        let options = SocketOptions {
            uid,
            backlog: self.scope.get(section, "socket_backlog")?.map(backlog).transpose()?,
            owner: self.scope.get(section, "socket_owner")?.map(socket_owner).transpose()?,
            mode: self.scope.get(section, "socket_mode")?.map(socket_mode).transpose()?,
        };
        let mut names = Table::new();
        names.set("program_name", program.into());
        names.update(&self.context.here());
        let socket = self.context.scope(names).get_or(section, "socket", "")?;
        if socket.is_empty() {
            return Err(format!("[{section}] section requires a \"socket\" line"));
        }
        self.fastcgi_socket(program, &socket, options)
            .map_err(|why| format!("{why} in [{section}] socket"))
    }

    /// `options.py: parse_fcgi_socket`. Two of its errors are Python tuples, printed as such.
    fn fastcgi_socket(
        &self,
        program: &str,
        url: &str,
        options: SocketOptions,
    ) -> Result<FastCgiSocket, String> {
        let program = program.to_string();
        let SocketOptions { uid, backlog, owner, mode } = options;
        if let Some(path) = url.strip_prefix("unix://") {
            if !path.starts_with('/') {
                let path = repr(path);
                return Err(format!("('Unix socket path %s is not an absolute path', {path})"));
            }
            let path = paths::normalize(path, self.context.origin.environ);
            let other_user = uid.filter(|uid| *uid != nix::unistd::Uid::current().as_raw());
            let owner = owner
                .or_else(|| other_user.map(|uid| Owner { uid, gid: accounts::primary_gid(uid) }));
            let url = format!("unix://{path}");
            let mode = Some(mode.unwrap_or(0o700));
            return Ok(FastCgiSocket { program, url, owner, mode, backlog });
        }
        if owner.is_some() || mode.is_some() {
            return Err(
                "socket_owner and socket_mode params should only be used with a Unix domain socket"
                    .to_string(),
            );
        }
        let (host, port) =
            tcp_address(url).ok_or_else(|| format!("('Bad socket format %s', {})", repr(url)))?;
        let url = format!("tcp://{}:{}", host.to_lowercase(), port_number(port)?);
        Ok(FastCgiSocket { program, url, owner: None, mode: None, backlog })
    }
}

fn share(socket: &FastCgiSocket, processes: &mut [ProcessConfig]) {
    for process in processes {
        process.socket = Some(socket.clone());
    }
}

struct SocketOptions {
    uid: Option<u32>,
    backlog: Option<i64>,
    owner: Option<Owner>,
    mode: Option<u32>,
}

fn backlog(text: String) -> Result<i64, String> {
    integer_in(&text, 1..=65535, |digits| format!("Invalid socket_backlog value {digits}"))
}

fn socket_owner(text: String) -> Result<Owner, String> {
    accounts::owner(&text).ok_or_else(|| format!("Invalid socket_owner value {text}"))
}

fn socket_mode(text: String) -> Result<u32, String> {
    octal_type(&text).map_err(|_| format!("Invalid socket_mode value {text}"))
}

/// Host and port of `tcp://host:port`; a line end may follow.
fn tcp_address(url: &str) -> Option<(&str, &str)> {
    let address = url.strip_prefix("tcp://")?;
    let address = address.strip_suffix('\n').unwrap_or(address);
    let (host, port) = address.split_once(':')?;
    let is_host = !host.is_empty() && !host.contains(is_space);
    let is_port = !port.is_empty() && port.chars().all(|digit| decimal_digit(digit).is_some());
    (is_host && is_port).then_some((host, strip(port)))
}
