//! The deterministic core: all policy, no I/O, no clock, no async.
//!
//! `(state, input, now) → effects`. See ARCHITECTURE.md.

// A state, an effect or a kind of value that comes later is to be thought of wherever it matters.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod calendar;
pub mod capture;
pub mod clock;
pub mod config;
pub mod effect;
pub mod errno;
pub mod event;
pub mod fastcgi;
pub mod fault;
pub mod goal;
pub mod info;
pub mod json;
pub mod lifecycle;
pub mod listener;
pub mod logs;
pub mod machine;
pub mod namespec;
mod notify;
pub mod options;
pub mod outside;
pub mod overview;
pub mod parting;
mod plan;
mod pool;
pub mod process;
pub mod python;
pub mod result_handler;
mod roster;
pub mod rpc;
mod shared;
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
