//! The deterministic core: all policy, no I/O, no clock, no async.
//!
//! `(state, input, now) → effects`. See ARCHITECTURE.md.

pub mod clock;
pub mod config;
pub mod effect;
pub mod event;
pub mod fault;
pub mod namespec;
pub mod python;
pub mod signal;
pub mod states;
pub mod value;
