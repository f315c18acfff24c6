//! The shell around the core: operating system in, system calls out.

pub(crate) mod autolog;
pub(crate) mod becoming;
pub(crate) mod child;
pub(crate) mod command;
pub(crate) mod daemonize;
pub(crate) mod disk;
pub(crate) mod environment;
pub(crate) mod excerpt;
pub(crate) mod exits;
pub(crate) mod fastcgi;
pub(crate) mod follow;
pub(crate) mod handle;
pub(crate) mod host;
pub(crate) mod house;
pub(crate) mod limits;
pub(crate) mod lookout;
pub(crate) mod mainlog;
pub(crate) mod pidfile;
pub(crate) mod privileges;
pub(crate) mod pump;
mod rollcall;
pub(crate) mod signals;
pub(crate) mod stdin;
pub(crate) mod strip_ansi;
pub(crate) mod syslog;
pub(crate) mod taps;
pub(crate) mod usage;
