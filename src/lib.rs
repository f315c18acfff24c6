//! supervisord-rs: a drop-in replacement of Supervisor 4.3.0.
//!
//! The modules and who may use whom are described in ARCHITECTURE.md; `compat-tests/repo/test_import_rules.py`
//! enforces it.

#![deny(unreachable_pub)]
#![warn(clippy::missing_docs_in_private_items)] // of what the crate sees (clippy.toml)

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
mod run;
mod sys;
#[cfg(test)]
mod testing;
mod xmlrpc;

/// The release of Supervisor this daemon is compatible with; what `-v` and `getSupervisorVersion` answer.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// Our own version, for the start-up log line and `--about`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
