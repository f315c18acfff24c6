//! The shell around the core: operating system in, system calls out.

pub mod autolog;
pub mod becoming;
pub mod child;
pub mod command;
pub mod daemonize;
pub mod disk;
pub mod environment;
pub mod excerpt;
pub mod exits;
pub mod fastcgi;
pub mod follow;
pub mod handle;
pub mod host;
pub mod house;
pub mod limits;
pub mod lookout;
pub mod mainlog;
pub mod pidfile;
pub mod privileges;
pub mod pump;
mod rollcall;
pub mod signals;
pub mod stdin;
pub mod strip_ansi;
pub mod syslog;
pub mod taps;
pub mod usage;
