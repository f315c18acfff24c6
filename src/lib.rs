//! supervisord-rs: a drop-in replacement of Supervisor 4.3.0.
//!
//! The modules and who may use whom are described in ARCHITECTURE.md; `compat-tests/repo/test_import_rules.py`
//! enforces it.

pub mod config;
pub mod core;
pub mod ctl;
pub mod daemon;
pub mod dispatch;
pub mod echo;
pub mod http;
pub mod native;
pub mod pidproxy;
pub mod place;
pub mod run;
pub mod sys;
#[cfg(test)]
mod testing;
pub mod xmlrpc;

/// The release of Supervisor this daemon is compatible with; what `-v` and `getSupervisorVersion` answer.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// Our own version, for the start-up log line and `--about`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
