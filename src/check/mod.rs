//! `supervisord --check`: what there is to say of a configuration, without starting, making or changing anything.
//!
//! The reader complains of all that is wrong (`config`). `written` looks at what is written and read by nobody, or otherwise
//! than it was meant, with the nearest known name (`spelling`); `differences` at what we do differently; `system` and
//! `programs` ask the system for what the configuration needs (`places`, `sockets`), as the user that would use it
//! (`eyes`). `findings` is what is found; `report` writes it as text, `json` as a document, with everything that was read.
//!
//! A name service or a mount may make it wait, which holds up nobody: it is a command of its own.

mod differences;
mod eyes;
mod findings;
mod json;
mod places;
mod programs;
mod report;
mod sockets;
mod spelling;
mod steps;
mod system;
mod written;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use crate::config::complaint::{Complaint, Topic};
use crate::config::{Checking, Examination, Loader};
use crate::core::config::Config;
use crate::core::text;
use crate::daemon::command;
use crate::native;

use eyes::Eyes;
use findings::{Finding, Findings, Severity};
use programs::Programs;
use steps::Steps;
use system::System;

/// Checks what was loaded and says what there is to say, on standard output. The exit status is 0, 2 after errors, and 1
/// after warnings if those count.
pub(crate) fn main(loader: &Loader, how: Checking) -> ExitCode {
    let steps = Steps::watch();
    let mut findings = Findings::default();
    let examination = examine(loader, &steps, &mut findings);
    let Examination { config, document, .. } = &examination;
    let file = loader.configfile();
    let said = if how.json {
        let groups = config.as_ref().map_or(&[][..], |config| &config.groups);
        json::document(file, &document.files(), &findings, groups, how)
    } else {
        report::lines(file, &findings)
    };
    // That nobody reads on is nobody's concern.
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text::shown(&said).as_bytes()).and_then(|()| stdout.flush());
    ExitCode::from(status(&findings, how))
}

/// Looks at everything, in order.
fn examine(loader: &Loader, steps: &Steps, findings: &mut Findings) -> Examination {
    steps.begin("reading the files, and asking for the users and groups they name");
    let mut examination = loader.examine();
    for complaint in std::mem::take(&mut examination.complaints) {
        let kind = kind(&complaint);
        findings.complain(complaint, kind);
    }
    for warning in std::mem::take(&mut examination.warnings) {
        let kind = if warning.is_about("include") { "include" } else { "configuration" };
        findings.add(Finding::of(warning, Severity::Warning, kind));
    }
    let Examination { config, document, sections, .. } = &examination;
    written::look(document, findings);
    let Some(config) = config else { return examination };
    differences::look(config, document, loader.configfile(), findings);
    let eyes = Eyes::of(config.settings.user);
    steps.begin(
        "looking at the daemon's files and sockets, and asking for the hosts of its servers",
    );
    System { document, eyes: &eyes, findings }.look(config);
    steps.begin("looking at the commands, directories and logs of the programs");
    go_where_the_daemon_works(config);
    let path = loader.variable("PATH").map(text::encode);
    let search_path = command::search_path(path.as_deref().map(OsStr::from_bytes));
    let mut programs = Programs { document, eyes: &eyes, search_path: &search_path, findings };
    programs.look(config, sections);
    examination
}

/// What programs are given may be relative to where the daemon goes in the background. That it cannot go there was said.
fn go_where_the_daemon_works(config: &Config) {
    let settings = &config.settings;
    if let Some(directory) = settings.directory.as_ref().filter(|_| !settings.nodaemon) {
        let _ = std::env::set_current_dir(native::path(directory));
    }
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

#[cfg(test)]
mod tests;
