//! A check as text: a line for each finding, in the manner of compilers, and a line that counts them.

use super::findings::{Finding, Findings, Severity};
use crate::core::text;

/// The lines. Findings that stand nowhere are those of `file`.
pub(super) fn lines(file: &str, findings: &Findings) -> String {
    let mut lines: String = findings.iter().map(|finding| line(file, finding)).collect();
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(|severity| counted(severity, findings.count(severity)))
        .collect();
    let summary = if counts.is_empty() { "nothing to say".to_string() } else { counts.join(", ") };
    lines.push_str(&format!("{file}: {summary}\n"));
    lines
}

fn counted(severity: Severity, count: usize) -> Option<String> {
    let name = severity.name();
    match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        _ => Some(format!("{count} {name}s")),
    }
}

fn line(file: &str, finding: &Finding) -> String {
    let place = match &finding.position {
        Some(position) => position.to_string(),
        None => file.to_string(),
    };
    let mut line = format!("{place}: {}: {}", finding.severity.name(), finding.message);
    if let Some(suggestion) = &finding.suggestion {
        line.push_str(&format!(" ({suggestion})"));
    }
    one_line(&line)
}

/// The text on one line, with nothing in it that a terminal obeys.
fn one_line(text: &str) -> String {
    let mut words: Vec<&str> = text.split(['\n', '\r']).map(str::trim).collect();
    words.retain(|word| !word.is_empty());
    let mut line = text::shown(&words.join(" ")).replace(|c: char| c.is_control(), "?");
    line.push('\n');
    line
}
