//! The shell around the core: operating system in, system calls out.

pub mod autolog;
pub mod child;
pub mod command;
pub mod daemonize;
pub mod environment;
pub mod follow;
pub mod handle;
pub mod limits;
pub mod pidfile;
pub mod privileges;
pub mod signals;
