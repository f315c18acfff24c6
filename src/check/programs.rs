//! What programs need: a directory they can enter, a command that can be executed, logs that can be written.

use std::collections::HashMap;

use super::eyes::Eyes;
use super::findings::{Finding, Findings, Severity};
use super::places::{self, Trouble};
use crate::config::complaint::Topic;
use crate::config::ini::Document;
use crate::config::paths;
use crate::core::config::{Config, GroupConfig, LogFile, ProcessConfig};
use crate::daemon::command;

/// What programs are looked at with.
pub(super) struct Programs<'a> {
    /// The text of the configuration.
    pub(super) document: &'a Document,
    /// Who looks.
    pub(super) eyes: &'a Eyes,
    /// Where the daemon looks for commands.
    pub(super) search_path: &'a [String],
    /// Takes down what is found.
    pub(super) findings: &'a mut Findings,
}

impl Programs<'_> {
    /// Looks at all programs. `sections` says of each section of programs the group it is for and how many processes it
    /// has there, in order.
    pub(super) fn look(&mut self, config: &Config, sections: &[(String, String, usize)]) {
        let mut names: HashMap<&str, u32> = HashMap::new();
        for group in &config.groups {
            *names.entry(&group.name).or_default() += 1;
            let of_group = sections.iter().filter(|(name, _, _)| *name == group.name);
            let of_process =
                of_group.flat_map(|(_, section, count)| std::iter::repeat_n(section, *count));
            for (process, section) in group.processes.iter().zip(of_process) {
                self.process(process, section);
            }
            self.same_names(group, sections);
        }
        for (name, _) in names.into_iter().filter(|(_, count)| *count > 1) {
            let message = format!("two groups are called {name}: only one of them is there");
            let section = section_of(name, sections);
            self.say(Severity::Warning, "same-name", &section, "", message);
        }
    }

    /// Of processes of one name the group has the last.
    fn same_names(&mut self, group: &GroupConfig, sections: &[(String, String, usize)]) {
        let mut names: Vec<&str> = group.processes.iter().map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!(
                "two processes of the group {} are called {}: only one of them is there",
                group.name, pair[0]
            );
            let section = section_of(&group.name, sections);
            self.say(Severity::Warning, "same-name", &section, "", message);
        }
    }

    fn say(
        &mut self,
        severity: Severity,
        kind: &'static str,
        section: &str,
        option: &str,
        message: String,
    ) {
        let place = self.document.option_position(section, option);
        let topic = match option {
            "" => Topic::Section(section.to_string()),
            _ => Topic::Option { section: section.to_string(), option: option.to_string() },
        };
        let position = place.or_else(|| self.document.section_position(section));
        self.findings.add(Finding { severity, kind, topic, position, message, suggestion: None });
    }

    /// A trouble that keeps a program from running, or costs it its output.
    fn trouble(
        &mut self,
        severity: Severity,
        kind: &'static str,
        (section, option): (&str, &str),
        trouble: &Trouble,
        message: String,
    ) {
        let severity = match trouble {
            Trouble::Denied => self.eyes.denial(severity),
            Trouble::System(_) | Trouble::Refused(_) => severity,
        };
        self.say(severity, kind, section, option, message);
    }

    fn process(&mut self, process: &ProcessConfig, section: &str) {
        self.directory(process, section);
        self.command(process, section);
        for (option, channel) in
            [("stdout_logfile", &process.stdout), ("stderr_logfile", &process.stderr)]
        {
            if let LogFile::Path(path) = &channel.logfile {
                self.log(path, channel.logfile_maxbytes > 0, section, option);
            }
        }
    }

    fn directory(&mut self, process: &ProcessConfig, section: &str) {
        let Some(directory) = &process.directory else { return };
        let entered = self.eyes.look_as_program(process.uid, || places::enterable(directory));
        if let Ok(Err(trouble)) = entered {
            let words = trouble.words();
            let message = format!("the program cannot go to its directory {directory}: {words}");
            let place = (section, "directory");
            self.trouble(Severity::Error, "directory", place, &trouble, message);
        }
    }

    fn command(&mut self, process: &ProcessConfig, section: &str) {
        let found = self.eyes.look(|| command::resolve(process, self.search_path));
        let filename = match found {
            Ok(command) => command.filename,
            Err(why) => {
                let words = why.message();
                let severity = match words.starts_with("no permission") {
                    true => self.eyes.denial(Severity::Error),
                    false => Severity::Error,
                };
                self.say(severity, "command", section, "command", words.to_string());
                return;
            }
        };
        // What has no slash at its beginning is looked for again where the program works.
        let there = match &process.directory {
            Some(directory) => paths::join(directory, &filename),
            None => filename.clone(),
        };
        match self.eyes.look_as_program(process.uid, || places::executable(&there)) {
            Err(why) => {
                let severity = self.eyes.denial(Severity::Error);
                self.say(severity, "user", section, "user", why);
            }
            Ok(Err(trouble)) => {
                let message = format!("the program cannot execute {there}: {}", trouble.words());
                let place = (section, "command");
                self.trouble(Severity::Error, "command", place, &trouble, message);
            }
            Ok(Ok(())) => {
                if let Some(missing) = self.eyes.look(|| places::missing_interpreter(&there)) {
                    let message = format!("{there} is a script for {missing}, which is not there");
                    self.say(Severity::Error, "command", section, "command", message);
                }
            }
        }
    }

    fn log(&mut self, path: &str, rotates: bool, section: &str, option: &str) {
        let (written, beside) = self.eyes.look(|| {
            (places::writable(path), places::enterable_and_writable(places::parent(path)))
        });
        match written {
            Err(trouble) => {
                let words = trouble.words();
                let message = format!(
                    "what the program prints would be lost, for {path} cannot be written: {words} (with Supervisor \
                     the program would not start)"
                );
                self.trouble(Severity::Warning, "logfile", (section, option), &trouble, message);
            }
            Ok(()) if rotates && !path.starts_with("/dev/") && !path.starts_with("/proc/") => {
                if let Err(trouble) = beside {
                    let words = trouble.words();
                    let message = format!("{path} cannot be rotated in its directory: {words}");
                    let place = (section, option);
                    self.trouble(Severity::Warning, "logfile", place, &trouble, message);
                }
            }
            Ok(()) => {}
        }
    }
}

/// The section in which a group begins.
fn section_of(group: &str, sections: &[(String, String, usize)]) -> String {
    let found = sections.iter().find(|(name, _, _)| name == group);
    found.map(|(_, section, _)| section.clone()).unwrap_or_default()
}
