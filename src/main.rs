//! Entry point.

use std::process::ExitCode;

fn main() -> ExitCode {
    supervisord_rs::dispatch::main()
}
