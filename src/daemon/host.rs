//! The core's verbs carried out by the operating system, and the descriptors of the programs that live.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::autolog;
use super::child::{self, SpawnFailure, SpawnPlan, Spawned, Surroundings};
use super::command;
use super::disk::{Disk, Pushed, Sink, SinkSpec, first_failure};
use super::fastcgi::{HostNames, Sockets};
use super::mainlog::MainLog;
use super::pump::{Channel, OutputPump, PumpConfig, Role};
use super::rollcall::RollCall;
use super::stdin::StdinPipe;
use super::syslog;
use super::taps::Taps;
use crate::core::capture::Capture;
use crate::core::config::{FastCgiSocket, GroupKind, ProcessConfig, Settings};
use crate::core::effect::{
    CommandError, Host, KillError, ProcId, ResolvedCommand, SpawnRequest, StdinError,
};
use crate::core::info::log_path;
use crate::core::states::Level;
use crate::native;

/// What the daemon holds of a program that is not finished.
struct Child {
    stdin: Option<StdinPipe>,
    outputs: Vec<OutputPump>,
}

/// How often in a row a listener's answer may not be there yet before it is looked for less often.
const ANSWER_PATIENCE: u8 = 8;

/// The listener that got the last event, and how promptly such have answered lately.
#[derive(Debug, Default)]
struct Expected {
    listener: Option<ProcId>,
    misses: u8,
}

/// The operating system's side of the programs.
pub(crate) struct OsHost {
    surroundings: Surroundings,
    /// Where commands without a slash are looked for, unless the program's environment says otherwise.
    search_path: Vec<String>,
    disk: Disk,
    main_log: MainLog,
    strip_ansi: Rc<Cell<bool>>,
    childlogdir: String,
    identifier: String,
    children: HashMap<ProcId, Child>,
    /// The process of every pid; of those without descriptors too.
    by_pid: HashMap<i32, ProcId>,
    roll_call: Rc<RollCall>,
    sockets: Sockets,
    taps: Rc<Taps>,
    expected: Expected,
    /// The daemon's stdout, once something was printed.
    stdout: Option<Sink>,
}

impl OsHost {
    /// A host without programs.
    pub(crate) fn new(
        surroundings: Surroundings,
        search_path: Vec<String>,
        disk: Disk,
        main_log: MainLog,
        settings: &Settings,
        names: HostNames,
    ) -> OsHost {
        let taps = Rc::new(Taps::default());
        OsHost {
            surroundings,
            search_path,
            disk,
            main_log,
            strip_ansi: Rc::new(Cell::new(settings.strip_ansi)),
            childlogdir: settings.childlogdir.clone(),
            identifier: settings.identifier.clone(),
            children: HashMap::new(),
            by_pid: HashMap::new(),
            roll_call: Rc::new(RollCall::new(Rc::clone(&taps))),
            sockets: Sockets::new(names),
            taps,
            expected: Expected::default(),
            stdout: None,
        }
    }

    /// What the programs' output means to the core.
    pub(crate) fn taps(&self) -> &Rc<Taps> {
        &self.taps
    }

    /// Looks whether the listener that got the last event has answered already: on a busy machine it often ran while
    /// the event was being written. Whether it had.
    pub(crate) fn hear_at_once(&mut self) -> bool {
        let Some(listener) = self.expected.listener.take() else {
            return false;
        };
        if self.expected.misses >= ANSWER_PATIENCE {
            // It takes its time; look again some events later.
            self.expected.misses = (self.expected.misses + 1) % (4 * ANSWER_PATIENCE);
            return false;
        }
        let stdout = self.children.get(&listener).and_then(|child| child.outputs.first());
        let heard = stdout.is_some_and(OutputPump::read_at_once);
        self.expected.misses = if heard { 0 } else { self.expected.misses + 1 };
        heard
    }

    /// Writes to the daemon's stdout. While that takes nothing, nobody prints for events any more, and so nothing is lost.
    pub(crate) fn print(&mut self, bytes: Vec<u8>) {
        let stdout = self.stdout.get_or_insert_with(|| {
            self.disk.open_sink(SinkSpec {
                path: PathBuf::from("/dev/stdout"),
                max_bytes: 0,
                backups: 0,
                owner: "event listeners".to_string(),
            })
        });
        if stdout.push(bytes) == Pushed::Full && self.taps.block() {
            let (ready, taps) = (stdout.ready(), Rc::clone(&self.taps));
            tokio::task::spawn_local(async move {
                ready.await;
                taps.unblock();
            });
        }
    }

    /// The disk thread.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Settings of a configuration that was read again and that apply to what is running or is started from now on.
    pub(crate) fn apply(&mut self, settings: &Settings) {
        self.strip_ansi.set(settings.strip_ansi);
        self.childlogdir.clone_from(&settings.childlogdir);
        self.identifier.clone_from(&settings.identifier);
    }

    /// The pids of all programs that are not finished.
    pub(crate) fn pids(&self) -> impl Iterator<Item = i32> + '_ {
        self.by_pid.keys().copied()
    }

    /// The process a pid belongs to.
    pub(crate) fn process_of(&self, pid: i32) -> Option<ProcId> {
        self.by_pid.get(&pid).copied()
    }

    /// The leader of a program has ended: what it printed last goes to its logs. How many of its pipes are still open.
    pub(crate) fn leader_ended(&self, proc: ProcId) -> usize {
        let outputs = self.children.get(&proc).map(|child| child.outputs.as_slice());
        outputs.unwrap_or_default().iter().filter(|output| output.drain()).count()
    }

    /// Finds out who else lives of its group.
    pub(crate) fn call_roll(&self, proc: ProcId, pid: i32) {
        self.roll_call.watch(proc, pid);
    }

    /// A program is finished: the last of its output goes to its logs, then its descriptors are closed.
    pub(crate) fn let_go(&mut self, proc: ProcId, pid: i32) {
        self.roll_call.forget(pid);
        self.by_pid.remove(&pid);
        if let Some(child) = self.children.remove(&proc) {
            child.outputs.into_iter().for_each(OutputPump::drain_and_close);
        }
    }

    /// Reopens the logs of every program (SIGUSR2).
    pub(crate) fn reopen_all_logs(&self) {
        let outputs = self.children.values().flat_map(|child| &child.outputs);
        outputs.for_each(|output| drop(output.reopen()));
    }

    /// Reopens the logs of a living program; the first failure counts.
    pub(crate) fn reopen_logs(
        &self,
        proc: ProcId,
    ) -> impl Future<Output = io::Result<()>> + 'static {
        first_failure(self.of_outputs(proc, OutputPump::reopen))
    }

    /// Removes and reopens the logs of a living program; the first failure counts.
    pub(crate) fn clear_logs(
        &self,
        proc: ProcId,
    ) -> impl Future<Output = io::Result<()>> + 'static {
        first_failure(self.of_outputs(proc, OutputPump::clear))
    }

    /// What something comes to for each output of a program; nothing for a program that does not live.
    fn of_outputs<T>(&self, proc: ProcId, act: fn(&OutputPump) -> T) -> Vec<T> {
        let outputs = self.children.get(&proc).map(|child| child.outputs.as_slice());
        outputs.unwrap_or_default().iter().map(act).collect()
    }

    fn sink(&self, request: &SpawnRequest<'_>, channel: Channel) -> Option<Sink> {
        let config = request.config.channel(channel);
        log_path(config).map(|path| {
            let spec = SinkSpec {
                path: native::path(path),
                max_bytes: config.logfile_maxbytes,
                backups: config.logfile_backups,
                owner: format!("{} {}", request.config.name, channel.name()),
            };
            self.disk.open_counted_sink(spec, Arc::clone(request.logs), channel)
        })
    }

    fn pump(
        &self,
        pipe: OwnedFd,
        request: &SpawnRequest<'_>,
        channel: Channel,
    ) -> io::Result<OutputPump> {
        let program = request.config;
        let config = program.channel(channel);
        let listens = matches!(request.kind, GroupKind::Listener(_)) && channel == Channel::Stdout;
        let role = if listens {
            Role::Listener
        } else {
            let bytes = config.capture_maxbytes;
            let capture = (bytes != 0).then(|| Capture::new(bytes));
            Role::Output { capture, events: config.events_enabled }
        };
        let config = PumpConfig {
            program: program.name.clone(),
            channel,
            log: self.sink(request, channel),
            syslog: (config.syslog && !listens)
                .then(|| self.disk.open_syslog(syslog::SOCKET_PATH.as_ref())),
            strip_ansi: Rc::clone(&self.strip_ansi),
            proc: request.proc,
            role,
            taps: Rc::clone(&self.taps),
        };
        OutputPump::start(pipe, config, self.main_log.clone())
    }

    /// Puts our ends of a new program's pipes to work.
    fn adopt(&mut self, request: &SpawnRequest<'_>, spawned: Spawned) -> io::Result<()> {
        let mut outputs = vec![self.pump(spawned.stdout, request, Channel::Stdout)?];
        if let Some(stderr) = spawned.stderr {
            outputs.push(self.pump(stderr, request, Channel::Stderr)?);
        }
        let stdin = spawned.stdin.map(StdinPipe::new).transpose()?;
        self.children.insert(request.proc, Child { stdin, outputs });
        Ok(())
    }

    fn stdin(&self, proc: ProcId) -> Result<&StdinPipe, StdinError> {
        let stdin = self.children.get(&proc).and_then(|child| child.stdin.as_ref());
        stdin.ok_or(StdinError::Closed)
    }
}

impl Host for OsHost {
    fn resolve(&mut self, config: &ProcessConfig) -> Result<ResolvedCommand, CommandError> {
        command::resolve(config, &self.search_path)
    }

    fn spawn(&mut self, request: SpawnRequest<'_>) -> Result<i32, String> {
        // The core has made the process a user of it.
        let socket = request.config.socket.as_ref();
        let stdin = socket.and_then(|socket| self.sockets.get(request.group_name, socket));
        let plan = SpawnPlan { request, surroundings: &self.surroundings, stdin };
        let spawned = child::spawn(&plan).map_err(|SpawnFailure(text)| text)?;
        let pid = spawned.pid;
        self.by_pid.insert(pid, request.proc);
        if let Err(error) = self.adopt(&request, spawned) {
            // The event loop took no more descriptors. The program is there and is supervised; its output is not read.
            self.main_log.log(
                Level::Critical,
                &format!("cannot read the output of {} (pid {pid}): {error}", request.config.name),
            );
        }
        Ok(pid)
    }

    fn kill(&mut self, pid: i32, signal: i32) -> Result<(), KillError> {
        child::kill(pid, signal)
    }

    fn write_stdin(&mut self, proc: ProcId, bytes: &[u8]) -> Result<(), StdinError> {
        self.stdin(proc)?.write(bytes)
    }

    fn write_event(&mut self, proc: ProcId, event: &[u8]) -> Result<(), StdinError> {
        self.stdin(proc)?.write_event(event)?;
        self.expected.listener = Some(proc);
        Ok(())
    }

    fn open_socket(&mut self, group: &str, socket: &FastCgiSocket) -> Result<bool, String> {
        self.sockets.acquire(group, socket)
    }

    fn close_socket(&mut self, group: &str, socket: &FastCgiSocket) -> bool {
        self.sockets.release(group, socket)
    }

    fn auto_log_name(&mut self, process: &str, channel: &str) -> String {
        let path = autolog::name(&self.childlogdir, process, channel, &self.identifier);
        // Queued before anything that will write to it or read it.
        self.disk.create_log(native::path(&path));
        path
    }
}
