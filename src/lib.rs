//! supervisord-rs: a drop-in replacement of Supervisor 4.3.0.
//!
//! The modules and who may use whom are described in ARCHITECTURE.md; `compat-tests/repo/test_import_rules.py`
//! enforces it.

#![deny(unreachable_pub)]
#![warn(clippy::missing_docs_in_private_items)] // of what the crate sees (clippy.toml)

mod check;
mod config;
mod core;
mod ctl;
mod daemon;
pub mod dispatch;
mod echo;
mod http;
mod native;
pub mod parts;
mod pidproxy;
mod place;
mod plugins;
mod python_host;
mod run;
mod sys;
#[cfg(test)]
mod testing;
mod xmlrpc;

/// The two releases that the version of the package names (`4.3.0+rs0.1.0`): of Supervisor, and after `+rs` ours.
const RELEASES: (&str, &str) = {
    let whole = env!("CARGO_PKG_VERSION");
    let mut plus = 0;
    while whole.as_bytes()[plus] != b'+' {
        plus += 1;
    }
    (whole.split_at(plus).0, whole.split_at(plus + "+rs".len()).1)
};

/// The release of Supervisor this daemon is compatible with; what `-v` and `getSupervisorVersion` answer.
pub const SUPERVISOR_VERSION: &str = RELEASES.0;

/// Our own version, for the start-up log line and `--about`.
pub const VERSION: &str = RELEASES.1;
