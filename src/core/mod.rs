//! The deterministic core: all policy, no I/O, no clock, no async.
//!
//! `(state, input, now) → effects`. See ARCHITECTURE.md.

// A state, an effect or a kind of value that comes later is to be thought of wherever it matters.
#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod calendar;
pub(crate) mod capture;
pub(crate) mod census;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod effect;
pub(crate) mod errno;
pub(crate) mod event;
pub(crate) mod fastcgi;
pub(crate) mod fault;
pub(crate) mod goal;
pub(crate) mod info;
pub(crate) mod json;
pub(crate) mod lifecycle;
pub(crate) mod listener;
pub(crate) mod logs;
pub(crate) mod machine;
pub(crate) mod namespec;
mod notify;
pub(crate) mod options;
pub(crate) mod outside;
mod overflow;
pub(crate) mod overview;
pub(crate) mod parting;
mod plan;
pub(crate) mod plugins;
mod pool;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod result_handler;
mod roster;
pub(crate) mod rpc;
mod shared;
pub(crate) mod shlex;
mod shutdown;
pub(crate) mod signal;
#[cfg(test)]
mod sim;
pub(crate) mod states;
mod summary;
pub(crate) mod supervisor;
pub(crate) mod tally;
pub(crate) mod text;
mod tick;
mod timers;
pub(crate) mod value;
