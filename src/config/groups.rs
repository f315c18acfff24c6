//! Process groups from `[group:x]`, `[program:x]`, `[eventlistener:x]` and `[fcgi-program:x]` sections.

use std::collections::HashSet;

use super::complaint::{Mistake, Notes};
use super::context::Context;
use super::datatypes::{port_number, process_or_group_name};
use super::ini::Document;
use super::names::Table;
use super::program::processes;
use super::scope::Scope;
use super::{accounts, paths, values};
use crate::core::config::{
    FastCgiSocket, GroupConfig, GroupKind, ListenerConfig, Owner, ProcessConfig,
};
use crate::core::options::{Field, Names, Row, Unset, field, program};
use crate::core::python::{decimal_digit, is_space, repr, strip};

/// What a section says of its group.
#[derive(Default)]
pub(super) struct Group {
    programs: Vec<String>,
    priority: i64,
    redirect_stderr: bool,
}

pub(super) const GROUP: &[Row<Group>] = &[
    Row::new(
        "programs",
        Field::List(field!(Group.programs)),
        Unset::Nothing("none"),
        "names from sections of programs, by commas",
    )
    .names(Names::Here),
    PRIORITY,
];

/// Programs give it to their own group, too.
const PRIORITY: Row<Group> = Row::new(
    "priority",
    Field::Integer(field!(Group.priority)),
    Unset::Text("999"),
    "the lowest starts first and stops last",
)
.names(Names::Here);

const POOL_PRIORITY: Row<Group> = Row::new(
    "priority",
    Field::Integer(field!(Group.priority)),
    Unset::Text("-1"),
    "by default ahead of programs, and after them at the stop",
)
.names(Names::Here);

const POOL_REDIRECT: Row<Group> = Row::new(
    "redirect_stderr",
    Field::Boolean(field!(Group.redirect_stderr)),
    Unset::Text("false"),
    "stays false: its stdout is spoken for",
)
.names(Names::Here);

/// Where listeners differ from programs.
pub(super) const POOL: &[Row<Group>] = &[POOL_PRIORITY, POOL_REDIRECT];

/// The order in which the reference reads what FastCGI programs have in addition.
const SOCKET_ORDER: [&str; 4] = ["socket_backlog", "socket_owner", "socket_mode", "socket"];

/// The order in which the reference reads what listeners have in addition.
const LISTENER_ORDER: [&str; 3] = ["buffer_size", "result_handler", "events"];

/// All groups, by priority, then name. The kinds are read one after the other, so the first mistake is that of the
/// first kind (`options.py: process_groups_from_parser`).
pub(super) fn read(context: &Context<'_>, notes: &mut Notes) -> Vec<GroupConfig> {
    let document = &context.files.document;
    let sections = document.sections();
    let scope = context.scope(context.here());
    let grouped = HashSet::new();
    let mut reader = Reader { context, document, scope, sections: &sections, grouped, notes };
    let mut groups = Vec::new();
    for (section, name) in named(&sections, "group:") {
        groups.extend(reader.heterogeneous(section, name));
    }
    for (section, name) in named(&sections, "program:") {
        if !reader.grouped.contains(section) {
            groups.extend(reader.program(section, name));
        }
    }
    for (section, name) in named(&sections, "eventlistener:") {
        groups.extend(reader.listener(section, name));
    }
    for (section, name) in named(&sections, "fcgi-program:") {
        if !reader.grouped.contains(section) {
            groups.extend(reader.fastcgi(section, name));
        }
    }
    groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    groups
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
    document: &'a Document,
    scope: Scope<'a>,
    sections: &'a [String],
    /// Sections that are members of a `[group:x]` and make no group of their own.
    grouped: HashSet<String>,
    notes: &'a mut Notes,
}

impl Reader<'_> {
    /// The name of a section, checked.
    fn name(&mut self, section: &str, name: &str) -> Option<String> {
        let name = process_or_group_name(name);
        self.notes.check(name.map_err(|mistake| self.document.section_complaint(section, mistake)))
    }

    fn group(&mut self, rows: &[Row<Group>], section: &str) -> Option<Group> {
        let mut group = Group::default();
        values::read_all(rows, &self.scope, section, &mut group, self.notes)?;
        Some(group)
    }

    fn processes(&mut self, section: &str, group: &str) -> Option<Vec<ProcessConfig>> {
        processes(self.context, section, group, self.notes)
    }

    /// Takes down whose processes these are.
    fn made(&mut self, section: &str, group: &str, processes: &[ProcessConfig]) {
        self.notes.sections.push((group.to_string(), section.to_string(), processes.len()));
    }

    fn heterogeneous(&mut self, section: &str, name: &str) -> Option<GroupConfig> {
        let name = self.name(section, name)?;
        let Group { programs, priority, .. } = self.group(GROUP, section)?;
        let mut members = Vec::new();
        // A mistake is reported against the section read last, not always the group's.
        let mut current = section.to_string();
        for program in programs {
            let plain = format!("program:{program}");
            let fastcgi = format!("fcgi-program:{program}");
            let is_there = [&plain, &fastcgi].map(|section| self.sections.contains(section));
            current = match is_there {
                [true, false] => plain,
                [false, true] => fastcgi,
                [both, _] => {
                    let why = if both {
                        format!("name {program} is ambiguous (exists as program and fcgi-program)")
                    } else {
                        format!("names unknown program or fcgi-program {program}")
                    };
                    let mistake = Mistake::new(format!("[{current}] {why}"));
                    let complaint = self.document.option_complaint(section, "programs", mistake);
                    self.notes.complain(complaint);
                    continue;
                }
            };
            self.grouped.insert(current.clone());
            let of_section = self.member(&current, &program, &name).unwrap_or_default();
            self.made(&current, &name, &of_section);
            members.extend(of_section);
        }
        Some(GroupConfig { name, priority, processes: members, kind: GroupKind::Plain })
    }

    /// The processes of a member of a group.
    fn member(&mut self, section: &str, program: &str, group: &str) -> Option<Vec<ProcessConfig>> {
        let mut processes = self.processes(section, group)?;
        // The reference never looks at the socket of such a member.
        if section.starts_with("fcgi-") {
            let socket = self.scope.get(section, "socket");
            if self.notes.check(socket)?.is_some() {
                share(&self.shared_socket(section, program)?, &mut processes);
            }
        }
        Some(processes)
    }

    fn program(&mut self, section: &str, name: &str) -> Option<GroupConfig> {
        let name = self.name(section, name)?;
        let priority = self.group(&[PRIORITY], section);
        let processes = self.processes(section, &name)?;
        let priority = priority?.priority;
        self.made(section, &name, &processes);
        Some(GroupConfig { name, priority, processes, kind: GroupKind::Plain })
    }

    fn listener(&mut self, section: &str, name: &str) -> Option<GroupConfig> {
        let priority = self.group(&[POOL_PRIORITY], section);
        let mut rows: Vec<_> = program::LISTENER.iter().collect();
        values::in_order(&mut rows, &LISTENER_ORDER, |row| &row.about);
        let mut pool = ListenerConfig::default();
        let complete = values::read_all(rows, &self.scope, section, &mut pool, self.notes);
        if self.group(&[POOL_REDIRECT], section).is_some_and(|pool| pool.redirect_stderr) {
            let mistake = Mistake::new(format!(
                "[{section}] section sets redirect_stderr=true but this is not allowed because it will interfere \
                 with the eventlistener protocol"
            ));
            let complaint = self.document.option_complaint(section, "redirect_stderr", mistake);
            self.notes.complain(complaint);
        }
        let processes = self.processes(section, name)?;
        complete?;
        let (name, priority) = (name.to_string(), priority?.priority);
        self.made(section, &name, &processes);
        Some(GroupConfig { name, priority, processes, kind: GroupKind::Listener(pool) })
    }

    fn fastcgi(&mut self, section: &str, name: &str) -> Option<GroupConfig> {
        let name = self.name(section, name)?;
        let priority = self.group(&[PRIORITY], section);
        let socket = self.shared_socket(section, &name);
        let processes = self.processes(section, &name);
        let (priority, socket, mut processes) = (priority?.priority, socket?, processes?);
        share(&socket, &mut processes);
        self.made(section, &name, &processes);
        Some(GroupConfig { name, priority, processes, kind: GroupKind::FastCgi(socket) })
    }

    /// The socket of a FastCGI program.
    fn shared_socket(&mut self, section: &str, program: &str) -> Option<FastCgiSocket> {
        let document = self.document;
        let of = |option| move |mistake| document.option_complaint(section, option, mistake);
        let user = self.scope.get(section, "user");
        let uid = user
            .and_then(|user| user.map(|user| accounts::uid(&user)).transpose().map_err(of("user")));
        let uid = self.notes.check(uid);
        let mut names = Table::new();
        names.set("program_name", program.into());
        names.update(&self.context.here());
        let named = self.context.scope(names);
        let mut rows: Vec<_> = program::SOCKET.iter().collect();
        values::in_order(&mut rows, &SOCKET_ORDER, |row| &row.about);
        let mut socket = FastCgiSocket { program: program.to_string(), ..FastCgiSocket::default() };
        let mut complete = Some(());
        for row in rows {
            let scope = if row.about.names == Names::Here { &self.scope } else { &named };
            let read = self.notes.check(values::read(row, scope, section, &mut socket));
            complete = read.and(complete);
        }
        complete?;
        let socket = if socket.url.is_empty() {
            Err(values::missing("socket", section))
        } else {
            self.fastcgi_socket(socket, uid?)
                .map_err(|mistake| mistake.within(|why| format!("{why} in [{section}] socket")))
        };
        self.notes.check(socket.map_err(of("socket")))
    }

    /// What the options mean together (`options.py: parse_fcgi_socket`). Two of the errors are Python tuples, printed as
    /// such.
    fn fastcgi_socket(
        &self,
        mut socket: FastCgiSocket,
        uid: Option<u32>,
    ) -> Result<FastCgiSocket, Mistake> {
        if let Some(path) = socket.url.strip_prefix("unix://") {
            if !path.starts_with('/') {
                let path = repr(path);
                return Err(Mistake::new(format!(
                    "('Unix socket path %s is not an absolute path', {path})"
                )));
            }
            let path = paths::normalize(path, self.context.origin.environ);
            let other_user = uid.filter(|uid| *uid != nix::unistd::Uid::current().as_raw());
            let of_user = |uid| Owner { uid, gid: accounts::primary_gid(uid) };
            socket.owner = socket.owner.or_else(|| other_user.map(of_user));
            socket.url = format!("unix://{path}");
            socket.mode = Some(socket.mode.unwrap_or(0o700));
            return Ok(socket);
        }
        if socket.owner.is_some() || socket.mode.is_some() {
            return Err(Mistake::new(
                "socket_owner and socket_mode params should only be used with a Unix domain socket",
            ));
        }
        let url = &socket.url;
        let (host, port) = tcp_address(url)
            .ok_or_else(|| Mistake::new(format!("('Bad socket format %s', {})", repr(url))))?;
        socket.url = format!("tcp://{}:{}", host.to_lowercase(), port_number(port)?);
        Ok(socket)
    }
}

fn share(socket: &FastCgiSocket, processes: &mut [ProcessConfig]) {
    for process in processes {
        process.socket = Some(socket.clone());
    }
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
