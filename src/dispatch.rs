//! One binary, several programs: which one runs is decided by the name it is called as.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use crate::{ctl, run};

/// Runs the program that was asked for and returns its exit status: `supervisorctl` and `supervisord ctl …` are the
/// client, everything else is the daemon.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let argv0 = args.next().unwrap_or_default().to_string_lossy().into_owned();
    let args: Vec<OsString> = args.collect();
    let name = argv0.rsplit('/').next().unwrap_or_default();
    let first = args.first().map(OsString::as_os_str);
    match name {
        "supervisorctl" => ctl::main(&argv0, &args),
        _ if first == Some(OsStr::new("ctl")) => ctl::main(&argv0, &args[1..]),
        _ => run::main(),
    }
}
