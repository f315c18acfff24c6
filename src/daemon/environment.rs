//! The environment: what the daemon was started with, and what a program gets of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::core::effect::SpawnRequest;
use crate::core::text;
use crate::sys;

/// Names and values, any bytes, in order.
pub(crate) type Environ = Vec<(OsString, OsString)>;

/// The environment that programs inherit, as the reference's Python sees its own: the first of a repeated name counts,
/// and in the plain C locale character types are UTF-8 (`LC_CTYPE=C.UTF-8`, PEP 538). What a service manager has to say
/// to the daemon ([`ForDaemon`]) is not in it.
pub fn inherited() -> Environ {
    let mut environ = unique(std::env::vars_os());
    environ.retain(|(name, _)| !ForDaemon::NAMES.iter().any(|ours| name == *ours));
    coerce_locale(&mut environ);
    environ
}

/// What a service manager says to the daemon alone (sd_notify(3), sd_watchdog_enabled(3)). A program that heard it would
/// speak in the daemon's place, and call itself the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForDaemon {
    /// `NOTIFY_SOCKET`: where it listens.
    pub socket: Option<OsString>,
    /// `WATCHDOG_USEC`: how long it waits for a sign of life.
    pub watchdog_usec: Option<OsString>,
    /// `WATCHDOG_PID`: from whom.
    pub watchdog_pid: Option<OsString>,
    /// `SYSTEMD_EXEC_PID`: which process it started. This one says nothing that programs must not hear.
    pub main_pid: Option<OsString>,
}

impl ForDaemon {
    /// The variables that nobody else is to hear.
    pub(crate) const NAMES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

    /// What this process was told.
    pub(crate) fn of_process() -> ForDaemon {
        let [socket, watchdog_usec, watchdog_pid] = ForDaemon::NAMES.map(std::env::var_os);
        let main_pid = std::env::var_os("SYSTEMD_EXEC_PID");
        ForDaemon { socket, watchdog_usec, watchdog_pid, main_pid }
    }
}

/// The value of a name.
pub fn get<'a>(environ: &'a Environ, name: &str) -> Option<&'a OsStr> {
    environ.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
}

/// The environment of a program: the daemon's, under the `SUPERVISOR_*` variables, under its own `environment=`
/// (`process.py: _spawn_as_child`). A repeated name keeps its first place and takes its last value. An error is the
/// reference's Python's text for what no environment can hold.
pub(crate) fn of_program(
    environ: &Environ,
    default_serverurl: Option<&str>,
    request: &SpawnRequest<'_>,
) -> Result<Vec<CString>, &'static str> {
    let config = request.config;
    let serverurl = config.serverurl.as_deref().or(default_serverurl).filter(|url| !url.is_empty());
    let of_supervisor = [
        ("SUPERVISOR_ENABLED", Some("1")),
        ("SUPERVISOR_SERVER_URL", serverurl),
        ("SUPERVISOR_PROCESS_NAME", Some(config.name.as_str())),
        ("SUPERVISOR_GROUP_NAME", Some(request.group_name)),
    ];
    let mut layers = Layers::default();
    for (name, value) in environ {
        layers.set(name.as_bytes().into(), value.as_bytes().into());
    }
    for (name, value) in of_supervisor {
        if let Some(value) = value {
            layers.set(text::encode(name), text::encode(value));
        }
    }
    for (name, value) in &config.environment {
        layers.set(text::encode(name), text::encode(value));
    }
    layers.entries.into_iter().map(|(name, value)| entry(&name, &value)).collect()
}

type Bytes<'a> = Cow<'a, [u8]>;

/// An insertion-ordered map that borrows what it can.
#[derive(Default)]
struct Layers<'a> {
    entries: Vec<(Bytes<'a>, Bytes<'a>)>,
    places: HashMap<Bytes<'a>, usize>,
}

impl<'a> Layers<'a> {
    fn set(&mut self, name: Bytes<'a>, value: Bytes<'a>) {
        let place = *self.places.entry(name.clone()).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }
}

fn entry(name: &[u8], value: &[u8]) -> Result<CString, &'static str> {
    // A leading `=` is allowed, as in `os.execve`.
    if name.is_empty() || name.iter().skip(1).any(|&byte| byte == b'=') {
        return Err("illegal environment variable name");
    }
    CString::new([name, b"=", value].concat()).map_err(|_| "embedded null byte")
}

fn unique(vars: impl Iterator<Item = (OsString, OsString)>) -> Environ {
    let mut environ: Environ = Vec::new();
    let mut seen = HashSet::new();
    for (name, value) in vars {
        if seen.insert(name.clone()) {
            environ.push((name, value));
        }
    }
    environ
}

/// Sets `LC_CTYPE=C.UTF-8` where CPython 3 would: `LC_ALL` unset, and the locale for character types is `C`, `POSIX`
/// or one that does not exist, unless `PYTHONCOERCECLOCALE=0`.
fn coerce_locale(environ: &mut Environ) {
    const TARGET: &str = "C.UTF-8";
    let value = |name| get(environ, name).filter(|value| !value.is_empty());
    if value("LC_ALL").is_some() || value("PYTHONCOERCECLOCALE").is_some_and(|it| it == "0") {
        return;
    }
    let name = value("LC_CTYPE").or(value("LANG")).unwrap_or(OsStr::new("C"));
    let is_plain = name == "C" || name == "POSIX" || !has_locale(name);
    if !is_plain || !has_locale(OsStr::new(TARGET)) {
        return;
    }
    match environ.iter_mut().find(|(key, _)| key == "LC_CTYPE") {
        Some((_, value)) => *value = OsString::from(TARGET),
        None => environ.push((OsString::from("LC_CTYPE"), OsString::from(TARGET))),
    }
}

fn has_locale(name: &OsStr) -> bool {
    CString::new(name.as_bytes()).is_ok_and(|name| sys::has_ctype_locale(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environ(pairs: &[(&str, &str)]) -> Environ {
        pairs.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))).collect()
    }

    fn coerced(pairs: &[(&str, &str)]) -> Option<OsString> {
        let mut environ = environ(pairs);
        coerce_locale(&mut environ);
        get(&environ, "LC_CTYPE").map(OsStr::to_os_string)
    }

    #[test]
    fn the_plain_locale_is_made_utf8_as_python_does() {
        let utf8 = Some(OsString::from("C.UTF-8"));
        assert_eq!(coerced(&[("X", "1")]), utf8);
        assert_eq!(coerced(&[("LANG", "POSIX")]), utf8);
        assert_eq!(coerced(&[("LANG", "xx_YY.UTF-8")]), utf8);
        assert_eq!(coerced(&[("LC_CTYPE", "C"), ("LANG", "C.UTF-8")]), utf8);
        assert_eq!(coerced(&[("LC_ALL", "")]), utf8);
        assert_eq!(coerced(&[("LANG", "C.UTF-8")]), None);
        assert_eq!(coerced(&[("LC_ALL", "C")]), None);
        assert_eq!(coerced(&[("PYTHONCOERCECLOCALE", "0")]), None);
    }

    #[test]
    fn the_first_of_a_repeated_name_counts() {
        let twice = environ(&[("A", "1"), ("B", "2"), ("A", "3")]);
        assert_eq!(unique(twice.into_iter()), environ(&[("A", "1"), ("B", "2")]));
    }

    #[test]
    fn what_no_environment_can_hold_is_an_error() {
        assert_eq!(entry(b"", b"x"), Err("illegal environment variable name"));
        assert_eq!(entry(b"A=B", b"x"), Err("illegal environment variable name"));
        assert_eq!(entry(b"A", b"x\0y"), Err("embedded null byte"));
        assert_eq!(entry(b"=A", b"\xff").unwrap().as_bytes(), b"=A=\xff");
    }
}
