//! The shell around the core: operating system in, system calls out.

pub mod follow;
pub mod handle;
