//! The client, `supervisorctl`: one action per run, or a shell of them.
//!
//! Scripts read its output and its exit status, so both are the reference's to the byte (`supervisorctl.py`). An action
//! is a file, or a few siblings in one, below [`verbs`], which has the table of them all; the [`controller`] finds it there,
//! hands it the [`Session`], and prints what went wrong in it. The files import each other in one direction only.
//!
//! What we have beyond the reference changes nothing unless it is asked for: `--json`, `--watch`, `--rolling`, wildcards
//! in names, colours, and the action `reopen`.

pub(crate) mod address;
pub(crate) mod client;
pub(crate) mod columns;
pub(crate) mod controller;
pub(crate) mod failure;
pub(crate) mod follow;
pub(crate) mod http;
pub(crate) mod info;
pub(crate) mod interrupt;
pub(crate) mod lines;
pub(crate) mod names;
pub(crate) mod plugins;
pub(crate) mod session;
pub(crate) mod shell;
pub(crate) mod verb;
pub(crate) mod verbs;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use nix::sys::signal::{Signal, raise};

use controller::Flow;
use session::Session;

use crate::config::{ClientParsed, Environ, called_as, parse_client_args};
use crate::core::text;

/// Runs `supervisorctl` and returns its exit status. `argv0` is the name it was called by, for messages and the search
/// for a configuration, `typed` what belongs to it (` ctl` after the daemon's name); `args` is what follows.
pub(crate) fn main(argv0: &str, typed: &str, args: &[OsString]) -> ExitCode {
    let environ = Environ::of_process();
    let name = called_as(argv0, &environ) + typed;
    let options = match parse_client_args(&name, args, &environ) {
        ClientParsed::Run(options) => options,
        ClientParsed::Exit { stdout, stderr, code } => {
            // Nobody reading is nobody's concern.
            let _ = io::stdout().write_all(&text::encode(&stdout));
            let _ = io::stderr().write_all(text::shown(&stderr).as_bytes());
            return ExitCode::from(code);
        }
    };
    let mut session = Session::new(options);
    if session.options.args.is_empty() {
        return match shell::run(&mut session) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                session.complain(&format!("{argv0}: {error}"));
                ExitCode::FAILURE
            }
        };
    }
    let line = session.options.args.join(" ");
    if controller::run(&mut session, &line) == Flow::Interrupted {
        // As whoever is not asked anything dies of Ctrl-C.
        let _ = raise(Signal::SIGINT);
    }
    ExitCode::from(session.exit_status)
}
