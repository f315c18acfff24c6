//! The deterministic core: all policy, no I/O, no clock, no async.
//!
//! `(state, input, now) → effects`. See ARCHITECTURE.md.

pub mod clock;
pub mod config;
pub mod effect;
pub mod errno;
pub mod fault;
pub mod namespec;
pub mod python;
pub mod shlex;
pub mod signal;
pub mod states;
pub mod value;
