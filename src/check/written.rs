//! What is written and read by nobody, or read otherwise than it was meant: names that nobody knows, and oddities of the
//! text. Both daemons read on in silence.

use super::findings::{Finding, Findings, Severity};
use super::spelling::nearest;
use crate::config::complaint::Topic;
use crate::config::ini::{DEFAULT_SECTION, Document};
use crate::config::oddities::{Oddity, Quirk};
use crate::config::options::{self, Section};
use crate::core::options::Source;
use crate::core::python::repr;

/// Kinds of sections with options of a plugin's own.
const OF_PLUGINS: [&str; 2] = ["rpcinterface", "ctlplugin"];

/// Kinds of sections of which there can be several, each with a name behind a colon.
const NAMED: [&str; 6] =
    ["program", "group", "eventlistener", "fcgi-program", "rpcinterface", "ctlplugin"];

/// Kinds of sections that the reference takes by the beginning of their name, whatever follows it.
const BY_PREFIX: [&str; 2] = ["inet_http_server", "unix_http_server"];

/// Looks through the text of a configuration.
pub(super) fn look(document: &Document, findings: &mut Findings) {
    document.oddities().filter_map(odd).for_each(|it| findings.add(it));
    let known = options::sections();
    let all = document.sections();
    for section in all.iter().map(String::as_str).chain([DEFAULT_SECTION]) {
        match kind(section, &known) {
            Kind::Known(kind) => {
                let of_kind = known.iter().find(|it| it.kind == kind);
                of_kind
                    .iter()
                    .for_each(|it| unknown_options(document, section, it, &known, findings));
            }
            Kind::Defaults => {
                let all = Section {
                    kind: DEFAULT_SECTION,
                    options: known.iter().flat_map(|it| it.options.iter().copied()).collect(),
                };
                unknown_options(document, section, &all, &known, findings);
            }
            Kind::Unknown => findings.add(unknown_section(document, section, &known)),
        }
    }
}

/// What a section is.
enum Kind {
    Known(&'static str),
    Defaults,
    Unknown,
}

fn kind(section: &str, known: &[Section]) -> Kind {
    if section == DEFAULT_SECTION {
        return Kind::Defaults;
    }
    if let Some(kind) = BY_PREFIX.into_iter().find(|kind| section.starts_with(kind)) {
        return Kind::Known(kind);
    }
    let (head, is_named) = match section.split_once(':') {
        Some((head, _)) => (head, true),
        None => (section, false),
    };
    let mut kinds = known.iter().map(|it| it.kind).chain(NAMED);
    match kinds.find(|kind| *kind == head && NAMED.contains(kind) == is_named) {
        Some(kind) => Kind::Known(kind),
        None => Kind::Unknown,
    }
}

fn section_finding(
    document: &Document,
    section: &str,
    severity: Severity,
    kind: &'static str,
) -> Finding {
    Finding {
        severity,
        kind,
        topic: Topic::Section(section.to_string()),
        position: document.section_position(section),
        message: String::new(),
        suggestion: None,
    }
}

fn unknown_section(document: &Document, section: &str, known: &[Section]) -> Finding {
    let (head, name) = section.split_once(':').map_or((section, None), |(h, n)| (h, Some(n)));
    let kinds = known.iter().map(|it| it.kind).chain(NAMED);
    let near = nearest(head, kinds);
    let meant = near.map(|kind| match (NAMED.contains(&kind), name) {
        (true, Some(name)) => format!("[{kind}:{}]", name.trim()),
        (true, None) => format!("[{kind}:NAME]"),
        (false, _) => format!("[{kind}]"),
    });
    let severity = if meant.is_some() { Severity::Warning } else { Severity::Note };
    Finding {
        message: format!("section [{section}] is passed over: no section is called so"),
        suggestion: meant.map(|meant| format!("did you mean {meant}?")),
        ..section_finding(document, section, severity, "unknown-section")
    }
}

fn unknown_options(
    document: &Document,
    section: &str,
    of_kind: &Section,
    known: &[Section],
    findings: &mut Findings,
) {
    for option in document.own_options(section) {
        let finding = |severity, kind, message, suggestion| Finding {
            severity,
            kind,
            topic: Topic::Option { section: section.to_string(), option: option.to_string() },
            position: document.option_position(section, option),
            message,
            suggestion,
        };
        if let Some(about) = of_kind.options.iter().find(|about| about.name == option) {
            if about.source == Source::Ours {
                let message = format!("option {option} is ours: Supervisor passes over it");
                findings.add(finding(Severity::Note, "ours", message, None));
            }
            continue;
        }
        if option.starts_with('[') {
            let message = format!(
                "{} in [{section}] is an option, for nothing closes its bracket",
                repr(option)
            );
            let meant = Some("what follows belongs to the section above".to_string());
            findings.add(finding(Severity::Warning, "unfinished-header", message, meant));
            continue;
        }
        if OF_PLUGINS.contains(&of_kind.kind) {
            continue;
        }
        let message =
            format!("option {option} in [{section}] is passed over: no option is called so here");
        let near = nearest(option, of_kind.options.iter().map(|about| about.name));
        let elsewhere = known.iter().find(|it| it.options.iter().any(|about| about.name == option));
        let meant = match (near, elsewhere) {
            (_, Some(other)) => Some(format!("it belongs into [{}]", other.kind)),
            (Some(near), None) => Some(format!("did you mean {near}?")),
            (None, None) => None,
        };
        let severity = if meant.is_some() { Severity::Warning } else { Severity::Note };
        findings.add(finding(severity, "unknown-option", message, meant));
    }
}

/// What there is to say of an oddity, if anything.
fn odd(oddity: &Oddity) -> Option<Finding> {
    let Oddity { quirk, position, section, option } = oddity;
    let above = option.as_deref().unwrap_or_default();
    let mut severity = Severity::Warning;
    let (kind, message, suggestion) = match quirk {
        Quirk::IndentedHeader(header) => (
            "indented-header",
            format!("[{header}] is indented, and so continues the value of {above} in [{section}]"),
            Some("write it at the beginning of the line"),
        ),
        Quirk::IndentedOption(name) => {
            let known = options::sections();
            let is_known = |it: &Section| it.options.iter().any(|about| about.name == name);
            known.iter().any(is_known).then_some(())?;
            (
                "indented-option",
                format!("{name} is indented, and so continues the value of {above} in [{section}]"),
                Some("write it at the beginning of the line"),
            )
        }
        Quirk::BehindHeader(text) => (
            "behind-header",
            format!("{} behind the header of [{section}] is passed over", repr(text)),
            None,
        ),
        Quirk::CutInQuotes(left) => (
            "comment-in-quotes",
            format!("a comment begins within quotes: what is left is {}", repr(left)),
            Some(
                "a ; or # behind white space begins one, quotes or not; write it without the white space",
            ),
        ),
        Quirk::SetBefore(before) => (
            "set-twice",
            format!("{above} of [{section}] is set once more; {before} counts no more"),
            None,
        ),
        Quirk::BegunBefore(before) => {
            if before.file != position.file && !section.contains(':') {
                severity = Severity::Note;
            }
            (
                "begun-twice",
                format!(
                    "[{section}] begins once more, as it did in {before}: both are one section"
                ),
                None,
            )
        }
    };
    let topic = match option {
        Some(option) => Topic::Option { section: section.clone(), option: option.clone() },
        None => Topic::Section(section.clone()),
    };
    let (position, suggestion) = (Some(position.clone()), suggestion.map(str::to_string));
    Some(Finding { severity, kind, topic, position, message, suggestion })
}
