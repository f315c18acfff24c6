//! What a check has to say.

use std::collections::HashSet;

use crate::config::complaint::{Complaint, Position, Topic};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Worth knowing.
    Note,
    /// The daemon starts, but something is probably not as it was meant.
    Warning,
    /// The daemon does not start, or a program cannot.
    Error,
}

impl Severity {
    /// How it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Something a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How much it matters.
    pub(super) severity: Severity,
    /// What kind of finding it is; these words do not change.
    pub(super) kind: &'static str,
    /// What it is about.
    pub(super) topic: Topic,
    /// Where that stands, if it stands in a file.
    pub(super) position: Option<Position>,
    /// What there is to say.
    pub(super) message: String,
    /// What to do about it, or to write instead.
    pub(super) suggestion: Option<String>,
}

impl Finding {
    /// A complaint of the reader's, or a warning, in its words.
    pub(super) fn of(complaint: Complaint, severity: Severity, kind: &'static str) -> Finding {
        let message = complaint.to_string();
        let Complaint { topic, position, .. } = complaint;
        Finding { severity, kind, topic, position, message, suggestion: None }
    }

    /// The section it is about.
    pub(super) fn section(&self) -> Option<&str> {
        match &self.topic {
            Topic::File(_) => None,
            Topic::Section(section) | Topic::Option { section, .. } => Some(section),
        }
    }

    /// The option it is about.
    pub(super) fn option(&self) -> Option<&str> {
        match &self.topic {
            Topic::File(_) | Topic::Section(_) => None,
            Topic::Option { option, .. } => Some(option),
        }
    }
}

/// All findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    /// What was said already, where: the processes of a program have much in common.
    said: HashSet<(Option<(String, u32)>, String)>,
    /// Options that could not be read: what has their place tells nothing.
    unread: HashSet<(String, String)>,
}

impl Findings {
    /// Takes down what the reader complains about. Nothing more is said of an option that it could not read.
    pub(super) fn complain(&mut self, complaint: Complaint, kind: &'static str) {
        if let Topic::Option { section, option } = &complaint.topic {
            self.unread.insert((section.clone(), option.clone()));
        }
        self.push(Finding::of(complaint, Severity::Error, kind));
    }

    /// Takes one down, once for each place and text.
    pub(super) fn add(&mut self, finding: Finding) {
        let option = finding.section().zip(finding.option());
        let option = option.map(|(section, option)| (section.to_string(), option.to_string()));
        if option.is_none_or(|option| !self.unread.contains(&option)) {
            self.push(finding);
        }
    }

    fn push(&mut self, finding: Finding) {
        let place = finding.position.as_ref().map(|at| (at.file.to_string(), at.line));
        if self.said.insert((place, finding.message.clone())) {
            self.all.push(finding);
        }
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.all.iter()
    }

    /// How many there are of a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.all.iter().filter(|finding| finding.severity == severity).count()
    }
}
