//! The processes of one program section (`options.py: _processes_from_section`).

use std::sync::LazyLock;

use super::complaint::{Complaint, Mistake, Notes};
use super::context::Context;
use super::datatypes::{is_syslog, process_or_group_name};
use super::ini::Document;
use super::names::Value;
use super::scope::Scope;
use super::values;
use crate::core::config::{ChannelConfig, LogFile, ProcessConfig};
use crate::core::options::{About, Field, Names, Row, Unset, field, program};
use crate::core::python::repr;

/// Processes one section may have. The reference has no limit but its memory.
const MAX_NUMPROCS: i64 = 100_000;

/// How many processes a section has.
#[derive(Default)]
pub(super) struct Numbers {
    numprocs: i64,
    numprocs_start: i64,
}

pub(super) const NUMBERS: &[Row<Numbers>] = &[
    Row::new(
        "numprocs",
        Field::Integer(field!(Numbers.numprocs)),
        Unset::Text("1"),
        "so many processes",
    ),
    Row::new(
        "numprocs_start",
        Field::Integer(field!(Numbers.numprocs_start)),
        Unset::Text("0"),
        "the number of the first process",
    ),
];

/// The order in which the reference reads the options, first those of the section, then those of each process.
pub(super) const ORDER: [&str; 32] = [
    "priority",
    "autostart",
    "autorestart",
    "startsecs",
    "startretries",
    "stopsignal",
    "stopwaitsecs",
    "stopasgroup",
    "killasgroup",
    "exitcodes",
    "redirect_stderr",
    "numprocs",
    "numprocs_start",
    "stdout_capture_maxbytes",
    "stdout_events_enabled",
    "stderr_capture_maxbytes",
    "stderr_events_enabled",
    "serverurl",
    "user",
    "umask",
    "process_name",
    "environment",
    "directory",
    "stdout_logfile",
    "stdout_logfile_backups",
    "stdout_logfile_maxbytes",
    "stdout_syslog",
    "stderr_logfile",
    "stderr_logfile_backups",
    "stderr_logfile_maxbytes",
    "stderr_syslog",
    "command",
];

/// An option to be read.
enum Step {
    Process(&'static Row<ProcessConfig>),
    Numbers(&'static Row<Numbers>),
}

impl Step {
    fn about(&self) -> &About {
        match self {
            Step::Process(row) => &row.about,
            Step::Numbers(row) => &row.about,
        }
    }
}

/// What is read once for a section, in order.
static OF_SECTION: LazyLock<Vec<Step>> = LazyLock::new(|| {
    let rows = program::process().filter(|row| row.about.names != Names::Process);
    let mut steps: Vec<Step> =
        rows.map(Step::Process).chain(NUMBERS.iter().map(Step::Numbers)).collect();
    values::in_order(&mut steps, &ORDER, Step::about);
    steps
});

/// What is read for each of its processes, in order.
static OF_PROCESS: LazyLock<Vec<&Row<ProcessConfig>>> = LazyLock::new(|| {
    let mut rows: Vec<_> =
        program::process().filter(|row| row.about.names == Names::Process).collect();
    values::in_order(&mut rows, &ORDER, |row| &row.about);
    rows
});

/// Reads the section of a program, listener or FastCGI program, and makes its processes for a group.
pub(super) fn processes(
    context: &Context<'_>,
    section: &str,
    group_name: &str,
    notes: &mut Notes,
) -> Option<Vec<ProcessConfig>> {
    let before = notes.count();
    let processes = read(context, section, group_name, notes);
    notes.revise(before, |why| {
        let origin = context.files.origins.get(section);
        let file = origin.map_or(context.origin.configfile, String::as_str);
        format!("{why} in section {} (file: {})", repr(section), repr(file))
    });
    processes
}

fn read(
    context: &Context<'_>,
    section: &str,
    group_name: &str,
    notes: &mut Notes,
) -> Option<Vec<ProcessConfig>> {
    let document = &context.files.document;
    let name = section.split_once(':').map_or("", |(_, name)| name);
    let program_name = process_or_group_name(name);
    let program_name = notes
        .check(program_name.map_err(|mistake| document.section_complaint(section, mistake)))?;
    let mut names = context.here();
    names.set("program_name", Value::Str(program_name));
    names.set("host_node_name", context.node_name.into());
    names.set("group_name", group_name.into());
    let mut scope = context.scope(names);

    let mut common = Common::default();
    let complete = common.read(&scope, section, notes);
    let process_name = std::mem::take(&mut common.process.name);
    let Numbers { numprocs_start: first, numprocs } = common.numbers;
    // Something is wrong already: one process tells what else is.
    let count = if complete.is_some() { numprocs } else { 1 };
    let mut processes = Vec::new();
    for number in first..first.saturating_add(count) {
        scope.local.set("process_num", Value::Int(number));
        scope.local.set("numprocs", Value::Int(numprocs));
        scope.local.update(context.expansions);
        let mut process = common.process.clone();
        read_process(&mut scope, section, &mut process, notes)?;
        let name = scope.expand(&process_name, "process_name");
        process.name = notes.check(
            name.map_err(|mistake| document.option_complaint(section, "process_name", mistake)),
        )?;
        processes.push(process);
    }
    complete?;
    processes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Some(processes)
}

/// What all processes of a section have in common, and their number. The name is still to be expanded.
#[derive(Default)]
struct Common {
    process: ProcessConfig,
    numbers: Numbers,
}

impl Common {
    fn read(&mut self, scope: &Scope<'_>, section: &str, notes: &mut Notes) -> Option<()> {
        let mut complete = Some(());
        for step in &*OF_SECTION {
            let read = match step {
                Step::Process(row) => values::read(row, scope, section, &mut self.process),
                Step::Numbers(row) => values::read(row, scope, section, &mut self.numbers),
            };
            complete = notes.check(read).and(complete);
        }
        complete?;
        notes.check(self.fits_together().map_err(|(option, words)| {
            scope.document.option_complaint(section, option, Mistake::new(words))
        }))
    }

    /// Whether the options mean something together; if not, which does not, and why.
    fn fits_together(&self) -> Result<(), (&'static str, String)> {
        let Common { process, numbers } = self;
        if numbers.numprocs > 1 && !process.name.contains("%(process_num)") {
            let why = "%(process_num) must be present within process_name when numprocs > 1";
            return Err(("process_name", why.to_string()));
        }
        if numbers.numprocs > MAX_NUMPROCS {
            return Err(("numprocs", format!("numprocs is above the limit of {MAX_NUMPROCS}")));
        }
        if process.stopasgroup && !process.killasgroup {
            let why = "Cannot set stopasgroup=true and killasgroup=false";
            return Err(("killasgroup", why.to_string()));
        }
        Ok(())
    }
}

/// Reads what differs between processes. The environment of one stays in the scope's names for the processes after it,
/// as in the reference.
fn read_process(
    scope: &mut Scope<'_>,
    section: &str,
    process: &mut ProcessConfig,
    notes: &mut Notes,
) -> Option<()> {
    let mut complete = Some(());
    let mut deprecated = Vec::new();
    for row in &*OF_PROCESS {
        let read = notes.check(values::read(row, scope, section, process));
        complete = read.and(complete);
        match &row.field {
            Field::Environment(_) => {
                // Other values may have names from it.
                read?;
                scope.local.set_environment(&process.environment);
            }
            Field::Log(log) if *(log.get)(process) == LogFile::None => {
                let text = notes.check(values::text(&row.about, scope, section)).flatten();
                deprecated.extend(text.filter(|text| is_syslog(text)).map(|_| row.about.name));
            }
            _ => {}
        }
    }
    let document = scope.document;
    let mut channels =
        ChannelReader { document, section, deprecated: &deprecated, warnings: &mut notes.warnings };
    channels.settle("stdout", &mut process.stdout);
    channels.settle("stderr", &mut process.stderr);
    if process.redirect_stderr {
        if matches!(process.stderr.logfile, LogFile::Path(_)) {
            let words = format!(
                "For [{section}], redirect_stderr=true but stderr_logfile has also been set to a filename, the \
                 filename has been ignored"
            );
            let warning = document.option_complaint(section, "stderr_logfile", Mistake::new(words));
            notes.warnings.push(warning);
        }
        process.stderr.logfile = LogFile::None;
    }
    complete
}

struct ChannelReader<'a> {
    document: &'a Document,
    section: &'a str,
    /// The options that name `syslog` as their file.
    deprecated: &'a [&'static str],
    warnings: &'a mut Vec<Complaint>,
}

impl ChannelReader<'_> {
    /// What the options of a channel mean together.
    fn settle(&mut self, name: &str, channel: &mut ChannelConfig) {
        let section = self.section;
        let option = format!("{name}_logfile");
        if self.deprecated.contains(&option.as_str()) {
            let words = format!(
                "For [{section}], {option}=syslog but this is deprecated and will be removed.  Use {name}_syslog=true \
                 to enable syslog instead."
            );
            self.warn(&option, words);
            channel.syslog = true;
        }
        if channel.logfile == LogFile::Auto && channel.logfile_maxbytes == 0 {
            let words = format!(
                "For [{section}], AUTO logging used for {option} without rollover, set maxbytes > 0 to avoid filling \
                 up filesystem unintentionally"
            );
            self.warn(&option, words);
        }
    }

    fn warn(&mut self, option: &str, words: String) {
        let mistake = Mistake::new(words);
        self.warnings.push(self.document.option_complaint(self.section, option, mistake));
    }
}
