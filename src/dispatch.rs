//! Which of the tools this process is: one binary, many names.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use crate::{echo, pidproxy, run};

/// Runs the tool that the binary was called as. `supervisord echo_supervisord_conf` and `supervisord pidproxy …` reach
/// the tools without a link.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let name = args.first().and_then(|path| Path::new(path).file_name());
    tool(name, &args)
        .or_else(|| tool(args.get(1).map(OsString::as_os_str), args.get(1..)?))
        .unwrap_or_else(run::main)
}

/// Runs the tool of this name, if it is one; its arguments begin with the name.
fn tool(name: Option<&OsStr>, args: &[OsString]) -> Option<ExitCode> {
    match name?.to_str()? {
        "echo_supervisord_conf" => Some(echo::main()),
        "pidproxy" => Some(pidproxy::main(args)),
        _ => None,
    }
}
