//! A check as one JSON document.
//!
//! `version` (of this program), `file`, `files` (all that were read), `findings`, and `groups` with everything that could
//! be read of the programs: of each process the attributes of the reference's `ProcessConfig` under their names, and what
//! only ours has. Numbers are numbers (also of signals and users), masks and modes too; what is not set is null, a log of
//! a name that is still to be chosen is `"AUTO"`, `autorestart` is a truth or `"unexpected"`.
//!
//! Among the variables of programs are passwords, and what is printed in a pipeline is kept for everybody to see. So of
//! `environment` there are only the names, each null, unless values were asked for (`--show-environment`).

use super::findings::{Finding, Findings};
use crate::config::Checking;
use crate::core::config::{GroupConfig, GroupKind, ProcessConfig};
use crate::core::json;
use crate::core::options::{Row, program};
use crate::core::value::Value;
use crate::{SUPERVISOR_VERSION, VERSION};

/// The document, with a line end.
pub(super) fn document(
    file: &str,
    files: &[String],
    findings: &Findings,
    groups: &[GroupConfig],
    how: Checking,
) -> String {
    let document = object(vec![
        ("version", Value::str(format!("{SUPERVISOR_VERSION}+rs{VERSION}"))),
        ("file", Value::str(file)),
        ("files", Value::Array(files.iter().map(Value::str).collect())),
        ("findings", Value::Array(findings.iter().map(finding).collect())),
        ("groups", Value::Array(groups.iter().map(|each| group(each, how)).collect())),
    ]);
    json::write(&document) + "\n"
}

fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Struct(members.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Nil, Value::str)
}

fn finding(finding: &Finding) -> Value {
    let position = finding.position.as_ref();
    object(vec![
        ("severity", Value::str(finding.severity.name())),
        ("kind", Value::str(finding.kind)),
        ("file", text(position.map(|at| &*at.file))),
        ("line", position.map_or(Value::Nil, |at| Value::Int(i64::from(at.line)))),
        ("section", text(finding.section())),
        ("option", text(finding.option())),
        ("message", Value::str(&finding.message)),
        ("suggestion", text(finding.suggestion.as_deref())),
    ])
}

fn group(group: &GroupConfig, how: Checking) -> Value {
    let kind = match &group.kind {
        GroupKind::Plain => "group",
        GroupKind::Listener(_) => "eventlistener",
        GroupKind::FastCgi(_) => "fcgi-program",
    };
    let mut members = vec![
        ("name".to_string(), Value::str(&group.name)),
        ("kind".to_string(), Value::str(kind)),
        ("priority".to_string(), Value::Int(group.priority)),
    ];
    match &group.kind {
        GroupKind::Plain => {}
        GroupKind::Listener(pool) => members.extend(options(program::LISTENER, pool)),
        GroupKind::FastCgi(socket) => members.extend(options(program::SOCKET, socket)),
    }
    let processes = group.processes.iter().map(|each| process(each, how)).collect();
    members.push(("processes".to_string(), Value::Array(processes)));
    Value::Struct(members)
}

/// Values of the options of a table.
fn options<C: 'static>(
    rows: impl IntoIterator<Item = &'static Row<C>>,
    config: &C,
) -> Vec<(String, Value)> {
    let rows = rows.into_iter();
    rows.map(|row| (row.about.name.to_string(), row.field.plain(config))).collect()
}

fn process(process: &ProcessConfig, how: Checking) -> Value {
    let mut members = options(program::process(), process);
    for (name, value) in &mut members {
        match name.as_str() {
            "process_name" => *name = "name".to_string(),
            "user" => *name = "uid".to_string(),
            "environment" => {
                let known = |text: &String| {
                    if how.show_environment { Value::str(text) } else { Value::Nil }
                };
                let variables = process.environment.iter();
                *value = Value::Struct(variables.map(|(n, v)| (n.clone(), known(v))).collect());
            }
            _ => {}
        }
    }
    Value::Struct(members)
}
