//! The deterministic core: all policy, no I/O, no clock, no async.
//!
//! `(state, input, now) → effects`. See ARCHITECTURE.md.

pub mod calendar;
pub mod capture;
pub mod clock;
pub mod config;
pub mod effect;
pub mod errno;
pub mod event;
pub mod fault;
pub mod info;
pub mod json;
pub mod lifecycle;
pub mod listener;
pub mod namespec;
mod notify;
pub mod options;
pub mod overview;
pub mod parting;
mod pool;
pub mod process;
pub mod python;
pub mod result_handler;
pub mod rpc;
pub mod shlex;
mod shutdown;
pub mod signal;
#[cfg(test)]
mod sim;
pub mod states;
pub mod supervisor;
pub mod text;
mod tick;
mod timers;
pub mod value;
