//! Random choices of the simulator: configurations, and calls of clients.

use crate::core::config::{
    AutoRestart, ChannelConfig, Config, Factory, FastCgiSocket, GroupConfig, GroupKind,
    ListenerConfig, LogFile, ProcessConfig, RpcInterface, Settings,
};
use crate::core::effect::{Call, Caller};
use crate::core::rpc::methods::{METHODS, Method, Namespace, OWN_NAMESPACE};
use crate::core::states::Level;
use crate::core::value::Value;

/// SplitMix64: small, seedable, good enough to pick among choices.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

const COMMANDS: [&str; 10] = [
    "steady",
    "instant",
    "quick",
    "crashing",
    "stubborn",
    "missing",
    "directory",
    "nofork",
    "setuid",
    "immortal",
];

fn random_process(rng: &mut Rng, name: String, priority: i64) -> ProcessConfig {
    ProcessConfig {
        name,
        command: (*rng.pick(&COMMANDS)).to_string(),
        priority,
        autostart: rng.chance(70),
        autorestart: *rng.pick(&[AutoRestart::Never, AutoRestart::Unexpected, AutoRestart::Always]),
        startsecs: *rng.pick(&[0, 1, 1, 3]),
        startretries: *rng.pick(&[0, 1, 3]),
        stdout: channel(),
        stderr: channel(),
        restart_delay: *rng.pick(&[0, 0, 0, 3]),
        stopsignal: *rng.pick(&[15, 15, 2]),
        stopwaitsecs: *rng.pick(&[0, 1, 5]),
        stopasgroup: rng.chance(20),
        killasgroup: rng.chance(30),
        exitcodes: vec![0],
        ..ProcessConfig::default()
    }
}

fn channel() -> ChannelConfig {
    ChannelConfig { logfile: LogFile::Auto, ..ChannelConfig::default() }
}

/// Ticks follow the wall clock; a run that must not notice its jumps has none.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ticks {
    Wanted,
    None,
}

fn random_kind(rng: &mut Rng, ticks: Ticks) -> GroupKind {
    let subscriptions: &[&str] = match (rng.below(3), ticks) {
        (0, Ticks::Wanted) => &["EVENT"],
        (0, Ticks::None) => &["PROCESS_GROUP", "PROCESS_STATE", "REMOTE_COMMUNICATION"],
        (1, Ticks::Wanted) => &["PROCESS_STATE_EXITED", "TICK_5"],
        (1, Ticks::None) => &["PROCESS_STATE_EXITED"],
        _ => &["PROCESS_COMMUNICATION", "PROCESS_LOG", "SUPERVISOR_STATE_CHANGE"],
    };
    match rng.below(4) {
        0 => GroupKind::Listener(ListenerConfig {
            buffer_size: 1 + rng.below(4) as i64,
            events: subscriptions.iter().map(|name| (*name).to_string()).collect(),
            result_handler: if rng.chance(30) { "handler:python".into() } else { String::new() },
        }),
        1 => GroupKind::FastCgi(socket("f")),
        _ => GroupKind::Plain,
    }
}

fn socket(program: &str) -> FastCgiSocket {
    let (program, url) = (program.to_string(), "tcp://localhost:1".to_string());
    FastCgiSocket { program, url, owner: None, mode: None, backlog: None }
}

/// All processes of a FastCGI program have its socket; in a group of programs, those of FastCGI programs have theirs.
fn random_socket(rng: &mut Rng, kind: &GroupKind) -> Option<FastCgiSocket> {
    match kind {
        GroupKind::FastCgi(socket) => Some(socket.clone()),
        GroupKind::Plain => rng.chance(40).then(|| socket(rng.pick::<&str>(&["a", "b"]))),
        GroupKind::Listener(_) => None,
    }
}

pub(super) fn random_config(rng: &mut Rng, ticks: Ticks) -> Config {
    let groups = (0..=rng.below(3))
        .map(|index| {
            let name = format!("g{}", rng.below(4).max(index));
            let priority = 10 * rng.below(4) as i64;
            let kind = random_kind(rng, ticks);
            let processes = (0..=rng.below(3))
                .map(|process| ProcessConfig {
                    socket: random_socket(rng, &kind),
                    ..random_process(rng, format!("p{process}"), priority)
                })
                .collect();
            GroupConfig { name, priority, processes, kind }
        })
        .collect();
    Config {
        settings: Settings {
            configfile: String::new(),
            here: String::new(),
            nodaemon: true,
            silent: false,
            user: None,
            umask: 0o22,
            directory: None,
            logfile: "/main.log".into(),
            logfile_maxbytes: 0,
            logfile_backups: 0,
            loglevel: Level::Info,
            pidfile: String::new(),
            identifier: "sim".into(),
            childlogdir: String::new(),
            nocleanup: false,
            strip_ansi: false,
            minfds: 0,
            minprocs: 0,
            python: None,
            serverurl: None,
        },
        servers: Vec::new(),
        rpcinterfaces: vec![RpcInterface { name: "supervisor".into(), factory: Factory::Main }],
        groups,
        messages: Vec::new(),
    }
}

/// `group:process`, or another way to name some.
fn random_name(rng: &mut Rng) -> Value {
    let group = format!("g{}", rng.below(5));
    Value::Str(match rng.below(6) {
        0 => format!("{group}:*"),
        1 => group,
        _ => format!("{group}:p{}", rng.below(2)),
    })
}

/// A call with parameters of the right types; calls in a multicall are `nested`.
pub(super) fn random_call(rng: &mut Rng, nested: bool) -> Call {
    let Method { namespace, name: method, params, .. } = rng.pick(METHODS);
    let wait = Value::Bool(rng.chance(60));
    let params = match *method {
        "shutdown" | "restart" if !rng.chance(5) => {
            return random_call(rng, nested);
        }
        "multicall" if nested => return random_call(rng, nested),
        "multicall" => {
            // Now and then more than fit into one turn.
            let most = if rng.chance(5) { 60 } else { 4 };
            let calls = (0..rng.below(most))
                .map(|_| {
                    let call = random_call(rng, true);
                    Value::Struct(vec![
                        ("methodName".into(), Value::Str(call.method)),
                        ("params".into(), Value::Array(call.params)),
                    ])
                })
                .collect();
            let (caller, method) = (Caller::Client(0), "system.multicall".into());
            return Call { caller, method, params: vec![Value::Array(calls)] };
        }
        "startAllProcesses" | "stopAllProcesses" => vec![wait],
        "startProcess" | "stopProcess" | "startProcessGroup" | "stopProcessGroup" => {
            vec![random_name(rng), wait]
        }
        "signalAllProcesses" => vec![Value::str("HUP")],
        "signalProcess" | "signalProcessGroup" => {
            let signal = *rng.pick(&["HUP", "TERM", "KILL", "nonsense"]);
            vec![random_name(rng), Value::str(signal)]
        }
        "sendProcessStdin" => vec![random_name(rng), Value::str("text")],
        "readLog" | "readMainLog" => vec![Value::Int(0), Value::Int(0)],
        "reopenLogs" if rng.chance(30) => Vec::new(),
        _ => match params.len() {
            0 => Vec::new(),
            1 => vec![random_name(rng)],
            _ => vec![random_name(rng), Value::Int(0), Value::Int(10)],
        },
    };
    let namespace = match namespace {
        Namespace::Supervisor => "supervisor",
        Namespace::System => "system",
        Namespace::Own => OWN_NAMESPACE,
    };
    Call { caller: Caller::Client(0), method: format!("{namespace}.{method}"), params }
}
