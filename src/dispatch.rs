//! One binary, several programs: which one runs is decided by the name it is called as.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::daemon::becoming;
use crate::{ctl, echo, native, pidproxy, run};

/// Runs the program that was asked for and returns its exit status: `supervisorctl`, `echo_supervisord_conf` and
/// `pidproxy` by name, also as the first argument (`supervisord ctl …`, `supervisord pidproxy …`); everything else is
/// the daemon. (Nobody calls it [`becoming::NAME`] but the daemon itself.)
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let argv0 = args.first().map(native::text).unwrap_or_default();
    let rest = args.get(1..).unwrap_or_default();
    let name = argv0.rsplit('/').next().unwrap_or_default();
    let first = rest.first().and_then(|word| word.to_str()).unwrap_or_default();
    if argv0 == becoming::NAME {
        return becoming::main(&args);
    }
    match (name, first) {
        ("supervisorctl", _) => ctl::main(&argv0, rest),
        ("echo_supervisord_conf", _) => echo::main(),
        ("pidproxy", _) => pidproxy::main(&args),
        (_, "ctl") => ctl::main(&argv0, &rest[1..]),
        (_, "echo_supervisord_conf") => echo::main(),
        (_, "pidproxy") => pidproxy::main(rest),
        _ => run::main(),
    }
}
