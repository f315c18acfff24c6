//! From the command line and the configuration files to [`Config`](crate::core::config::Config).
//!
//! The layers, lowest first: [`ini`] reads Python's INI dialect and `oddities` are what is odd in it, [`expand`] and [`shlex`] its text formats,
//! [`datatypes`] the types of values, `values` options by their tables (`core::options`), [`complaint`] what is wrong with them; `files` puts files together; `imports` asks what names in Python stand for;
//! `supervisord`, `program`, `groups` and `server` read sections, `reader` all of them. [`cli`] reads the command line of
//! the daemon, [`ctl`] everything for the client. [`Loader`] is what the daemon keeps: it can load again. [`options`] lists
//! all options there are.
//!
//! Nothing here talks to a running daemon. It reads files, accounts and the current directory, and may block; it is
//! run before the daemon starts or off the supervision thread. No file imports another in a circle.

pub(crate) mod accounts;
pub(crate) mod cli;
pub(crate) mod complaint;
mod context;
pub(crate) mod ctl;
pub(crate) mod datatypes;
mod decoding;
pub(crate) mod environ;
pub(crate) mod expand;
mod files;
mod format;
pub(crate) mod getopt;
mod groups;
mod imports;
mod include;
pub(crate) mod ini;
mod loader;
pub(crate) mod names;
pub(crate) mod oddities;
pub(crate) mod options;
pub(crate) mod paths;
mod program;
mod reader;
mod scope;
mod server;
pub(crate) mod shlex;
mod supervisord;
mod values;

pub(crate) use cli::called_as;
pub use cli::{Checking, Parsed, parse_args};
pub(crate) use ctl::{ClientOptions, ClientParsed, Color, parse_client_args, split_scheme};
pub use environ::Environ;
pub(crate) use imports::Imports;
pub(crate) use loader::{Examination, Loader};

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
