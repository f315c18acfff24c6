//! The processes of one program section (`options.py: _processes_from_section`).

use super::accounts;
use super::datatypes::{
    LogName, auto_restart, boolean, byte_size, integer, key_value_pairs, list_of_exitcodes,
    logfile_name, octal_type, process_or_group_name, signal_number,
};
use super::expand::{Table, Value, expand};
use super::reader::{Context, Scope};
use crate::core::config::{AutoRestart, ChannelConfig, LogFile, ProcessConfig};
use crate::core::python::{repr, strip};

/// Processes one section may have. The reference has no limit but its memory.
const MAX_NUMPROCS: i64 = 100_000;

/// Reads the section of a program, listener or FastCGI program, and makes its processes for a group.
pub(super) fn processes(
    context: &Context<'_>,
    section: &str,
    group_name: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<ProcessConfig>, String> {
    read(context, section, group_name, warnings).map_err(|why| {
        let origin = context.files.origins.get(section);
        let file = origin.map_or(context.origin.configfile, String::as_str);
        format!("{why} in section {} (file: {})", repr(section), repr(file))
    })
}

fn read(
    context: &Context<'_>,
    section: &str,
    group_name: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<ProcessConfig>, String> {
    let name = section.split_once(':').map_or("", |(_, name)| name);
    let program_name = process_or_group_name(name)?;
    let mut names = context.here();
    names.set("program_name", Value::Str(program_name));
    names.set("host_node_name", context.node_name.into());
    names.set("group_name", group_name.into());
    let mut scope = context.scope(names);

    let common = Common::read(&scope, section)?;
    let first = common.numprocs_start;
    let mut processes = Vec::new();
    for number in first..first.saturating_add(common.numprocs) {
        scope.local.set("process_num", Value::Int(number));
        scope.local.set("numprocs", Value::Int(common.numprocs));
        scope.local.update(context.expansions);
        let mut reader = ProcessReader { context, section, common: &common, warnings };
        processes.push(reader.process(&mut scope)?);
    }
    processes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Ok(processes)
}

/// The options that are the same for every process of the section.
struct Common {
    priority: i64,
    autostart: bool,
    autorestart: AutoRestart,
    startsecs: i64,
    startretries: i64,
    stopsignal: i32,
    stopwaitsecs: i64,
    stopasgroup: bool,
    killasgroup: bool,
    exitcodes: Vec<i64>,
    redirect_stderr: bool,
    numprocs: i64,
    numprocs_start: i64,
    environment: String,
    stdout: Capture,
    stderr: Capture,
    serverurl: Option<String>,
    uid: Option<u32>,
    umask: Option<u32>,
    process_name: String,
}

struct Capture {
    maxbytes: i64,
    events_enabled: bool,
}

impl Capture {
    fn read(scope: &Scope<'_>, section: &str, channel: &str) -> Result<Capture, String> {
        let maxbytes = scope.get_or(section, &format!("{channel}_capture_maxbytes"), "0")?;
        let maxbytes = byte_size(&maxbytes)?;
        let events = scope.get_or(section, &format!("{channel}_events_enabled"), "false")?;
        Ok(Capture { maxbytes, events_enabled: boolean(&events)? })
    }
}

impl Common {
    /// Reads the options in the order in which the reference reports mistakes.
    fn read(scope: &Scope<'_>, section: &str) -> Result<Common, String> {
        let get = |option, default| scope.get_or(section, option, default);
        let raw =
            |option, default| scope.document.get(section, option).unwrap_or(default).to_string();
        let priority = integer(&get("priority", "999")?)?;
        let autostart = boolean(&get("autostart", "true")?)?;
        let autorestart = auto_restart(&get("autorestart", "unexpected")?)?;
        let startsecs = integer(&get("startsecs", "1")?)?;
        let startretries = integer(&get("startretries", "3")?)?;
        let stopsignal = signal_number(&get("stopsignal", "TERM")?)?;
        let stopwaitsecs = integer(&get("stopwaitsecs", "10")?)?;
        let stopasgroup = boolean(&get("stopasgroup", "false")?)?;
        let killasgroup =
            boolean(&get("killasgroup", if stopasgroup { "true" } else { "false" })?)?;
        let exitcodes = list_of_exitcodes(&get("exitcodes", "0")?)?;
        let redirect_stderr = boolean(&get("redirect_stderr", "false")?)?;
        let numprocs = integer(&get("numprocs", "1")?)?;
        let numprocs_start = integer(&get("numprocs_start", "0")?)?;
        let environment = raw("environment", "");
        let stdout = Capture::read(scope, section, "stdout")?;
        let stderr = Capture::read(scope, section, "stderr")?;
        let serverurl = scope
            .get(section, "serverurl")?
            .filter(|url| url.is_empty() || strip(url).to_uppercase() != "AUTO");
        let uid = scope.get(section, "user")?.map(|user| accounts::uid(&user)).transpose()?;
        let umask = scope.get(section, "umask")?.map(|umask| octal_type(&umask)).transpose()?;
        let process_name = process_or_group_name(&raw("process_name", "%(program_name)s"))?;
        if numprocs > 1 && !process_name.contains("%(process_num)") {
            return Err(
                "%(process_num) must be present within process_name when numprocs > 1".to_string()
            );
        }
        if numprocs > MAX_NUMPROCS {
            return Err(format!("numprocs is above the limit of {MAX_NUMPROCS}"));
        }
        if stopasgroup && !killasgroup {
            return Err("Cannot set stopasgroup=true and killasgroup=false".to_string());
        }
        Ok(Common {
            priority,
            autostart,
            autorestart,
            startsecs,
            startretries,
            stopsignal,
            stopwaitsecs,
            stopasgroup,
            killasgroup,
            exitcodes,
            redirect_stderr,
            numprocs,
            numprocs_start,
            environment,
            stdout,
            stderr,
            serverurl,
            uid,
            umask,
            process_name,
        })
    }
}

struct ProcessReader<'a> {
    context: &'a Context<'a>,
    section: &'a str,
    common: &'a Common,
    warnings: &'a mut Vec<String>,
}

impl ProcessReader<'_> {
    /// One process. Its environment stays in the scope's names for the processes after it, as in the reference.
    fn process(&mut self, scope: &mut Scope<'_>) -> Result<ProcessConfig, String> {
        let common = self.common;
        let environment = expand(&common.environment, &[&scope.local], "environment")?;
        let environment = key_value_pairs(&environment)?;
        scope.local.set_environment(&environment);
        let directory = scope.get(self.section, "directory")?;
        let stdout = self.channel(scope, "stdout", &common.stdout)?;
        let mut stderr = self.channel(scope, "stderr", &common.stderr)?;
        if common.redirect_stderr {
            if matches!(stderr.logfile, LogFile::Path(_)) {
                self.warnings.push(format!(
                    "For [{}], redirect_stderr=true but stderr_logfile has also been set to a filename, the \
                     filename has been ignored",
                    self.section
                ));
            }
            stderr.logfile = LogFile::None;
        }
        let command = scope.get(self.section, "command")?;
        let command = command.ok_or_else(|| {
            format!("program section {} does not specify a command", self.section)
        })?;
        Ok(ProcessConfig {
            name: expand(&common.process_name, &[&scope.local], "process_name")?,
            uid: common.uid,
            command,
            directory,
            umask: common.umask,
            priority: common.priority,
            autostart: common.autostart,
            autorestart: common.autorestart,
            startsecs: common.startsecs,
            startretries: common.startretries,
            stdout,
            stderr,
            stopsignal: common.stopsignal,
            stopwaitsecs: common.stopwaitsecs,
            stopasgroup: common.stopasgroup,
            killasgroup: common.killasgroup,
            exitcodes: common.exitcodes.clone(),
            redirect_stderr: common.redirect_stderr,
            environment,
            serverurl: common.serverurl.clone(),
            socket: None,
        })
    }

    fn channel(
        &mut self,
        scope: &Scope<'_>,
        channel: &str,
        capture: &Capture,
    ) -> Result<ChannelConfig, String> {
        let section = self.section;
        let option = |suffix: &str| format!("{channel}_{suffix}");
        let log_option = option("logfile");
        let name = scope.get(section, &log_option)?;
        let name = name.map(|name| self.log_name(&scope.local, &name, &log_option)).transpose()?;
        let backups = integer(&scope.get_or(section, &option("logfile_backups"), "10")?)?;
        let maxbytes = byte_size(&scope.get_or(section, &option("logfile_maxbytes"), "50MB")?)?;
        let syslog_option = option("syslog");
        let mut syslog = boolean(&scope.get_or(section, &syslog_option, "false")?)?;
        let logfile = match name {
            None => LogFile::Auto,
            Some(LogName::File(logfile)) => logfile,
            Some(LogName::Syslog) => {
                self.warnings.push(format!(
                    "For [{section}], {log_option}=syslog but this is deprecated and will be removed.  Use \
                     {syslog_option}=true to enable syslog instead."
                ));
                syslog = true;
                LogFile::None
            }
        };
        if logfile == LogFile::Auto && maxbytes == 0 {
            self.warnings.push(format!(
                "For [{section}], AUTO logging used for {log_option} without rollover, set maxbytes > 0 to avoid \
                 filling up filesystem unintentionally"
            ));
        }
        Ok(ChannelConfig {
            logfile,
            logfile_maxbytes: maxbytes,
            logfile_backups: backups,
            capture_maxbytes: capture.maxbytes,
            events_enabled: capture.events_enabled,
            syslog,
        })
    }

    /// Log names are expanded once more after their expansion.
    fn log_name(&self, names: &Table, text: &str, option: &str) -> Result<LogName, String> {
        logfile_name(&expand(text, &[names], option)?, self.context.origin.environ)
    }
}
