//! `supervisord --check`: what there is to say of a configuration, without starting, making or changing anything.
//!
//! `findings` is what is found. `report` writes it as text, `json` as a document, with everything that was read.

mod findings;
mod json;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::complaint::{Complaint, Topic};
use crate::config::{Checking, Examination, Loader};
use crate::core::text;

use findings::{Finding, Findings, Severity};

/// Checks what was loaded and says what there is to say, on standard output. The exit status is 0, 2 after errors, and 1
/// after warnings if those count.
pub(crate) fn main(loader: &Loader, how: Checking) -> ExitCode {
    let Examination { config, document, complaints, warnings } = loader.examine();
    let mut findings = Findings::default();
    for complaint in complaints {
        let kind = kind(&complaint);
        findings.add(Finding::of(complaint, Severity::Error, kind));
    }
    for warning in warnings {
        findings.add(Finding::of(warning, Severity::Warning, "configuration"));
    }
    let groups = config.as_ref().map_or(&[][..], |config| &config.groups);
    let file = loader.configfile();
    let said = if how.json {
        json::document(file, &document.files(), &findings, groups, how)
    } else {
        report::lines(file, &findings)
    };
    // That nobody reads on is nobody's concern.
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text::shown(&said).as_bytes()).and_then(|()| stdout.flush());
    ExitCode::from(status(&findings, how))
}

/// The kind of what the reader complains about.
fn kind(complaint: &Complaint) -> &'static str {
    match &complaint.topic {
        Topic::File(_) => "syntax",
        Topic::Section(_) => "section",
        Topic::Option { .. } => "value",
    }
}

fn status(findings: &Findings, how: Checking) -> u8 {
    if findings.count(Severity::Error) > 0 {
        2
    } else {
        u8::from(how.strict && findings.count(Severity::Warning) > 0)
    }
}
