//! Loads configurations as the daemon would and prints everything loaded as JSON, one line each:
//! `{"config": {...}}`, `{"error": "..."}`, or `{"exit": {...}}` where the command line already ends it.
//!
//! `load_config FILE [ARGUMENTS...]` loads one. `load_config --batch` reads one request per line from standard input,
//! fields separated by tabs: any number of `@NAME=VALUE` (added to the environment), at most one `!PATH` (after a first
//! loading, copy PATH over FILE and reload), then FILE and further command line arguments. An empty FILE gives no `-c`.

#[path = "json.rs"]
mod json;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};

use json::{array, object, string};
use supervisord_rs::parts::config::{Environ, Parsed, parse_args};
use supervisord_rs::parts::core::config::{
    AutoRestart, ChannelConfig, Config, Credentials, GroupConfig, GroupKind, LogFile, Owner,
    ProcessConfig, ServerAddress, ServerConfig, Settings,
};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut output = io::stdout().lock();
    if arguments.first().is_some_and(|first| first == "--batch") {
        for line in io::stdin().lock().lines() {
            let fields: Vec<String> = line?.split('\t').map(str::to_string).collect();
            writeln!(output, "{}", answer(&fields))?;
            output.flush()?;
        }
        return Ok(());
    }
    writeln!(output, "{}", answer(&arguments))
}

fn answer(fields: &[String]) -> String {
    let mut pairs: Vec<(String, String)> = std::env::vars().collect();
    let mut replacement = None;
    let mut rest = fields;
    while let Some((first, others)) = rest.split_first() {
        if let Some((name, value)) = first.strip_prefix('@').and_then(|pair| pair.split_once('=')) {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name.to_string(), value.to_string()));
        } else if let Some(path) = first.strip_prefix('!') {
            replacement = Some(path);
        } else {
            break;
        }
        rest = others;
    }
    let (file, arguments) = rest.split_first().map_or(("", rest), |(file, r)| (file.as_str(), r));
    let mut args: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    if !file.is_empty() {
        args.splice(0..0, ["-c".into(), file.into()]);
    }
    match parse_args("supervisord", &args, &Environ::from_pairs(pairs)) {
        Parsed::Exit { stdout, stderr, code } => object(&[(
            "exit",
            object(&[
                ("stdout", string(&stdout)),
                ("stderr", string(&stderr)),
                ("code", code.to_string()),
            ]),
        )]),
        Parsed::Check(..) => object(&[("error", string("nothing is loaded for a check"))]),
        Parsed::Run(mut loader) => {
            let mut result = loader.load().map_err(|complaints| complaints.to_string());
            if let (Ok(_), Some(path)) = (&result, replacement) {
                result = std::fs::copy(path, file)
                    .map_err(|why| format!("cannot copy: {why}"))
                    .and_then(|_| loader.reload().map_err(|complaints| complaints.to_string()));
            }
            match result {
                Ok(config) => object(&[("config", config_json(&config))]),
                Err(why) => object(&[("error", string(&why))]),
            }
        }
    }
}

fn or_null<T>(value: Option<T>, shown: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "null".to_string(), shown)
}

fn text_or_null(value: Option<&String>) -> String {
    or_null(value, |text| string(text))
}

fn owner_json(owner: Owner) -> String {
    array([owner.uid.to_string(), or_null(owner.gid, |gid| gid.to_string())])
}

fn config_json(config: &Config) -> String {
    let messages = config
        .messages
        .iter()
        .map(|(level, text)| array([string(level.abbreviation()), string(text)]));
    object(&[
        ("settings", settings_json(&config.settings)),
        ("servers", array(config.servers.iter().map(server_json))),
        (
            "rpcinterfaces",
            array(config.rpcinterfaces.iter().map(|interface| string(&interface.name))),
        ),
        ("groups", array(config.groups.iter().map(group_json))),
        ("messages", array(messages)),
    ])
}

fn settings_json(settings: &Settings) -> String {
    object(&[
        ("configfile", string(&settings.configfile)),
        ("here", string(&settings.here)),
        ("nodaemon", settings.nodaemon.to_string()),
        ("silent", settings.silent.to_string()),
        ("uid", or_null(settings.user, |user| user.uid.to_string())),
        ("umask", settings.umask.to_string()),
        ("directory", text_or_null(settings.directory.as_ref())),
        ("logfile", string(&settings.logfile)),
        ("logfile_maxbytes", settings.logfile_maxbytes.to_string()),
        ("logfile_backups", settings.logfile_backups.to_string()),
        ("loglevel", string(settings.loglevel.abbreviation())),
        ("pidfile", string(&settings.pidfile)),
        ("identifier", string(&settings.identifier)),
        ("childlogdir", string(&settings.childlogdir)),
        ("nocleanup", settings.nocleanup.to_string()),
        ("strip_ansi", settings.strip_ansi.to_string()),
        ("minfds", settings.minfds.to_string()),
        ("minprocs", settings.minprocs.to_string()),
        ("serverurl", text_or_null(settings.serverurl.as_ref())),
    ])
}

fn server_json(server: &ServerConfig) -> String {
    let credentials = or_null(server.credentials.as_ref(), |Credentials { username, password }| {
        array([string(username), string(password)])
    });
    let address = match &server.address {
        ServerAddress::Inet { host, port } => {
            object(&[("host", string(host)), ("port", port.to_string())])
        }
        ServerAddress::Unix { path, chmod, chown } => object(&[
            ("file", string(path)),
            ("chmod", chmod.to_string()),
            ("chown", or_null(*chown, owner_json)),
        ]),
    };
    object(&[
        ("section", string(&server.section)),
        ("credentials", credentials),
        ("address", address),
    ])
}

fn group_json(group: &GroupConfig) -> String {
    let kind = match &group.kind {
        GroupKind::Plain => string("plain"),
        GroupKind::Listener(listener) => object(&[
            ("buffer_size", listener.buffer_size.to_string()),
            ("events", array(listener.events.iter().map(|name| string(name)))),
        ]),
        GroupKind::FastCgi(socket) => object(&[
            ("url", string(&socket.url)),
            ("owner", or_null(socket.owner, owner_json)),
            ("mode", or_null(socket.mode, |mode| mode.to_string())),
            ("backlog", or_null(socket.backlog, |backlog| backlog.to_string())),
        ]),
    };
    object(&[
        ("name", string(&group.name)),
        ("priority", group.priority.to_string()),
        ("kind", kind),
        ("processes", array(group.processes.iter().map(process_json))),
    ])
}

fn channel_json(channel: &ChannelConfig) -> String {
    let logfile = match &channel.logfile {
        LogFile::None => "null".to_string(),
        LogFile::Auto => "true".to_string(),
        LogFile::Path(path) => string(path),
    };
    object(&[
        ("logfile", logfile),
        ("logfile_maxbytes", channel.logfile_maxbytes.to_string()),
        ("logfile_backups", channel.logfile_backups.to_string()),
        ("capture_maxbytes", channel.capture_maxbytes.to_string()),
        ("events_enabled", channel.events_enabled.to_string()),
        ("syslog", channel.syslog.to_string()),
    ])
}

fn process_json(process: &ProcessConfig) -> String {
    let autorestart = match process.autorestart {
        AutoRestart::Never => "never",
        AutoRestart::Unexpected => "unexpected",
        AutoRestart::Always => "always",
    };
    let environment =
        process.environment.iter().map(|(name, value)| array([string(name), string(value)]));
    object(&[
        ("name", string(&process.name)),
        ("uid", or_null(process.uid, |uid| uid.to_string())),
        ("command", string(&process.command)),
        ("directory", text_or_null(process.directory.as_ref())),
        ("umask", or_null(process.umask, |umask| umask.to_string())),
        ("priority", process.priority.to_string()),
        ("autostart", process.autostart.to_string()),
        ("autorestart", string(autorestart)),
        ("startsecs", process.startsecs.to_string()),
        ("startretries", process.startretries.to_string()),
        ("stdout", channel_json(&process.stdout)),
        ("stderr", channel_json(&process.stderr)),
        ("stopsignal", process.stopsignal.to_string()),
        ("stopwaitsecs", process.stopwaitsecs.to_string()),
        ("stopasgroup", process.stopasgroup.to_string()),
        ("killasgroup", process.killasgroup.to_string()),
        ("exitcodes", array(process.exitcodes.iter().map(ToString::to_string))),
        ("redirect_stderr", process.redirect_stderr.to_string()),
        ("environment", array(environment)),
        ("serverurl", text_or_null(process.serverurl.as_ref())),
    ])
}
