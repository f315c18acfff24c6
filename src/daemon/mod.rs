//! The shell around the core: operating system in, system calls out.

pub mod disk;
pub mod follow;
pub mod handle;
pub mod mainlog;
pub mod pump;
pub mod pyrepr;
pub mod stdin;
pub mod strip_ansi;
pub mod syslog;
