//! The only composer: options → configuration → log → servers → house → exit, or all over again.
//!
//! The order of a start is the reference's (`supervisord.py: main`, `run`), because it decides what is on the terminal,
//! what is in the log, and what is already there when something fails: privileges, limits, log, sockets, signals,
//! daemonizing, pid file. No thread exists before the daemon has forked.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::SigSet;
use tokio::task::LocalSet;

use crate::config::{self, Environ, Imports, Loader, Parsed};
use crate::core::config::{Config, RpcInterface, ServerConfig, Settings};
use crate::core::effect::JobOutcome;
use crate::core::machine::Core;
use crate::core::states::{Level, Mood};
use crate::core::text;
use crate::daemon::becoming::{self, Asks};
use crate::daemon::child::Surroundings;
use crate::daemon::daemonize::{self, Starter};
use crate::daemon::disk::{Disk, errno_text};
use crate::daemon::fastcgi::{self, HostNames};
use crate::daemon::handle::Handle;
use crate::daemon::host::OsHost;
use crate::daemon::house::{Departure, House, Reading};
use crate::daemon::mainlog::{MainLog, MainLogSpec};
use crate::daemon::pidfile::Pidfile;
use crate::daemon::plugins::Helpers;
use crate::daemon::signals::Signals;
use crate::daemon::systemd::{Herald, ServiceManager};
use crate::daemon::{autolog, command, environment, limits, privileges, signals};
use crate::http;
use crate::plugins::{Plan, Plugins, Resolver};
use crate::{SUPERVISOR_VERSION, VERSION, check, native, sys};

/// How long answers under way may take to be sent when the daemon leaves.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// Exit status of a command line, a configuration or a machine that does not allow to start.
const USAGE_STATUS: u8 = 2;

/// Runs `supervisord` to its end and returns its exit status.
pub(crate) fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let argv0 = native::text(args.next().unwrap_or_default());
    let args: Vec<OsString> = args.collect();
    if let Err(error) = signals::ignore_as_python() {
        return fail(&format!("Error: cannot set up signals: {error}\n"));
    }
    sys::return_big_memory();
    let environ = Environ::of_process();
    let mut before: Option<Before> = None;
    let mut starter = Starter::default();
    let helpers = Helpers::default();
    loop {
        let mut loader = match config::parse_args(&argv0, &args, &environ) {
            Parsed::Run(loader) => Box::new(loader.with_imports(imports(&helpers))),
            Parsed::Check(loader, how) => {
                return check::main(&loader.with_imports(imports(&helpers)), how);
            }
            Parsed::Exit { stdout, stderr, code } => {
                say(&mut io::stdout(), &stdout);
                say(&mut io::stderr(), &stderr);
                return ExitCode::from(u8::try_from(code).unwrap_or(USAGE_STATUS));
            }
        };
        say(&mut io::stderr(), loader.warning());
        let usage = loader.usage("");
        let life = match loader.load() {
            Ok(config) => live(config, loader, before.take(), &helpers, &mut starter),
            Err(complaints) => Err(complaints.to_string()),
        };
        match life {
            Ok((Mood::Restarting, after)) => before = Some(after),
            Ok((Mood::Shutdown | Mood::Running, _)) => return ExitCode::SUCCESS,
            Err(why) => {
                let words = usage.replacen("Error: ", &format!("Error: {why}"), 1);
                starter.failed(&words);
                return fail(&words);
            }
        }
    }
}

/// Asks Python what can be imported; why something cannot goes to the terminal, if there is one.
fn imports(helpers: &Helpers) -> Imports {
    let resolver = Resolver::new(helpers.clone(), |why| say(&mut io::stderr(), why));
    Imports::new(move |python, spec| resolver.resolves(python, spec))
}

/// What one life leaves for the next: a restart keeps the process.
struct Before {
    origin: Origin,
    next_event_serial: u64,
}

/// What is found out once.
#[derive(Clone)]
struct Origin {
    /// The signal mask the daemon was started with.
    signal_mask: SigSet,
    /// Who asks for the users of programs.
    asks: Asks,
    /// Who is told how it goes.
    manager: ServiceManager,
}

impl Origin {
    fn find_out() -> Result<Origin, String> {
        let asks = becoming::who_asks();
        let signal_mask =
            signals::take_over().map_err(|error| format!("cannot set up signals: {error}"))?;
        Ok(Origin { signal_mask, asks, manager: ServiceManager::of_process() })
    }
}

fn fail(text: &str) -> ExitCode {
    say(&mut io::stderr(), text);
    ExitCode::from(USAGE_STATUS)
}

/// Writes to a terminal or pipe, in Python's manner of stderr; that nobody may be reading is nobody's concern.
fn say(stream: &mut dyn Write, text: &str) {
    let _ = stream.write_all(text::shown(text).as_bytes()).and_then(|()| stream.flush());
}

/// One life: from a configuration to the moment everything is stopped. An error is the text after `Error: `.
fn live(
    config: Config,
    loader: Box<Loader>,
    before: Option<Before>,
    helpers: &Helpers,
    starter: &mut Starter,
) -> Result<(Mood, Before), String> {
    let settings = config.settings.clone();
    let mut notes = config.messages.clone();
    notes.extend(privileges::drop_privileges(settings.user)?);
    if before.is_none() {
        notes.extend(limits::raise(settings.minfds, settings.minprocs)?);
    }
    let main_log = MainLog::create(MainLogSpec::from_settings(&settings)).map_err(|error| {
        format!("cannot open the log file {}: {}", settings.logfile, errno_text(&error))
    })?;
    // The reference keeps them in three lists and logs one after the other.
    notes.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    notes.iter().for_each(|(level, text)| main_log.log(*level, text));

    let outcome = settle_in(config, loader, before, helpers, &main_log, starter);
    if outcome.is_err() {
        write_out(&main_log, None);
    }
    outcome
}

/// Writes what was logged before there was a disk thread, for a start that failed, and last words.
fn write_out(main_log: &MainLog, last_words: Option<&str>) {
    if let Ok(disk) = start_disk(main_log) {
        last_words.iter().for_each(|words| main_log.log(Level::Critical, words));
        disk.shutdown();
    }
}

fn start_disk(main_log: &MainLog) -> io::Result<Disk> {
    let reports = main_log.clone();
    let disk = Disk::start(Box::new(move |level, text| reports.log(level, &text)))?;
    main_log.attach(&disk);
    Ok(disk)
}

/// Opens the servers, leaves the terminal, writes the pid file, and runs; cleans up whatever happens.
fn settle_in(
    config: Config,
    loader: Box<Loader>,
    before: Option<Before>,
    helpers: &Helpers,
    main_log: &MainLog,
    starter: &mut Starter,
) -> Result<(Mood, Before), String> {
    let settings = config.settings.clone();
    let servers = OpenServers::open(&config, main_log)?;
    // Only now is it sure that no other daemon of this configuration runs, whose FastCGI sockets and logs would go. The
    // reference removes them before it looks.
    let names = HostNames::default();
    fastcgi::try_all(&config.groups, &names, main_log)?;
    if !settings.nocleanup {
        for (level, text) in autolog::clear(&settings.childlogdir, &settings.identifier) {
            main_log.log(level, &text);
        }
    }
    let first = before.is_none();
    let next_event_serial = before.as_ref().map_or(0, |before| before.next_event_serial);
    let origin = before.map_or_else(Origin::find_out, |before| Ok(before.origin))?;
    if first && !settings.nodaemon {
        let directory = settings.directory.as_deref();
        for (level, text) in daemonize::daemonize(directory, settings.umask, starter)? {
            main_log.log(level, &text);
        }
    }
    main_log.log(
        Level::Info,
        &format!("supervisord-rs {VERSION}, compatible with Supervisor {SUPERVISOR_VERSION}"),
    );
    let (pidfile, (level, text)) = Pidfile::write(&settings.pidfile, std::process::id());
    main_log.log(level, &text);

    let (helpers, life) = (helpers.clone(), origin.clone());
    let fresh = Fresh { config, loader, servers, names, origin: life, next_event_serial, helpers };
    let result = supervise(fresh, main_log, starter);
    if let Some(pidfile) = pidfile {
        pidfile.remove();
    }
    let Departure { mood, next_event_serial } = result.map_err(|failure| match failure {
        Failure::Refused(why) => why,
        Failure::Broken(error) => {
            let why = format!("the daemon cannot go on: {error}");
            write_out(main_log, Some(&why));
            why
        }
    })?;
    Ok((mood, Before { origin, next_event_serial }))
}

/// The servers' listeners; dropping them removes their sockets from the file system.
struct OpenServers {
    bound: Vec<http::Bound>,
    names: Vec<http::SocketName>,
}

impl OpenServers {
    fn open(config: &Config, main_log: &MainLog) -> Result<OpenServers, String> {
        let mut servers = OpenServers { bound: Vec::new(), names: Vec::new() };
        for server in &config.servers {
            let mut bound = http::bind(server).map_err(|error| error.to_string())?;
            servers.names.extend(bound.take_name());
            servers.bound.push(bound);
            // Plugins are made when there is a house to ask; then this is said.
            if !config.has_plugins() {
                say_initialized(config, server, main_log);
            }
        }
        Ok(servers)
    }
}

/// What the log says of a server that has its interfaces.
fn say_initialized(config: &Config, server: &ServerConfig, main_log: &MainLog) {
    for RpcInterface { name, .. } in &config.rpcinterfaces {
        main_log.log(Level::Info, &format!("RPC interface '{name}' initialized"));
    }
    if !http::requires_authentication(server) {
        let section = &server.section;
        let text = format!("Server '{section}' running without any HTTP authentication checking");
        main_log.log(Level::Critical, &text);
    }
}

impl Drop for OpenServers {
    fn drop(&mut self) {
        self.names.drain(..).for_each(http::SocketName::remove);
    }
}

/// What a life begins with.
struct Fresh {
    config: Config,
    loader: Box<Loader>,
    servers: OpenServers,
    names: HostNames,
    origin: Origin,
    next_event_serial: u64,
    helpers: Helpers,
}

/// Why a life did not come to its end.
enum Failure {
    /// The configuration cannot be served: the text after `Error: `.
    Refused(String),
    /// The system does not let it go on.
    Broken(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Broken(error)
    }
}

/// Runs the event loop until everything is stopped.
fn supervise(
    fresh: Fresh,
    main_log: &MainLog,
    starter: &mut Starter,
) -> Result<Departure, Failure> {
    let Fresh { config, loader, mut servers, names, origin, next_event_serial, helpers } = fresh;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let disk = start_disk(main_log)?;
    let settings = config.settings.clone();
    let bound = std::mem::take(&mut servers.bound);
    let departure = LocalSet::new().block_on(&runtime, async {
        disk.work_here()?;
        let (handle, inbox) = Handle::new();
        let host = new_host(&settings, &disk, &origin, main_log, names.clone());
        let mut core = Core::new(config.clone(), std::process::id().cast_signed());
        core.count_events_from(next_event_serial);
        let reader = config_reader(loader, names);
        let plan = Plan::of(&config);
        let (plugins, port, ready) = Plugins::start(plan, handle.clone(), helpers.clone());
        let signals = Signals::new()?;
        let herald = Herald::new(origin.manager, main_log.clone());
        let mut house = House::new(core, host, herald, reader, signals, inbox, port);
        helpers.house_reaps(true);
        let outcome = async {
            if config.has_plugins() {
                house.wait_for_plugins(ready).await.map_err(Failure::Refused)?;
                let servers = config.servers.iter().filter(|_| !house.is_leaving());
                servers.for_each(|server| say_initialized(&config, server, main_log));
            }
            let serving = http::serve(bound, &handle, settings.loglevel)?;
            house.is_up(); // before whoever was started, and is the service so far, leaves
            starter.is_up();
            let departure = house.run().await?;
            helpers.house_reaps(false);
            serving.finish(ANSWER_GRACE).await;
            Ok(departure)
        };
        let outcome = outcome.await;
        helpers.house_reaps(false);
        plugins.finish().await;
        outcome
    });
    drop(servers);
    disk.shutdown();
    departure
}

/// Runs apart, where waiting for a name server harms nobody.
fn config_reader(mut loader: Box<Loader>, names: HostNames) -> crate::daemon::house::ConfigReader {
    Arc::new(Mutex::new(move |reading| match reading {
        Reading::Everything => {
            let config = loader.reload().map_err(|complaints| complaints.to_string());
            config.iter().for_each(|config| names.learn(&config.groups));
            JobOutcome::Config(config.map(Box::new))
        }
        Reading::Program { section, options, group, add } => {
            let processes = loader.read_program(&section, &options, &group);
            let processes = processes.map_err(|complaints| complaints.to_string());
            JobOutcome::Program { processes, group, add }
        }
    }))
}

fn new_host(
    settings: &Settings,
    disk: &Disk,
    origin: &Origin,
    main_log: &MainLog,
    names: HostNames,
) -> OsHost {
    let environ = environment::inherited();
    let search_path = command::search_path(environment::get(&environ, "PATH"));
    let surroundings = Surroundings {
        environ,
        serverurl: settings.serverurl.clone(),
        signal_mask: origin.signal_mask,
        asks: origin.asks,
        min_fds: settings.minfds,
    };
    OsHost::new(surroundings, search_path, disk.clone(), main_log.clone(), settings, names)
}
