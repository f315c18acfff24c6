//! Which log a client means and where it is, whoever asks: a method, a page, a stream.

use super::config::{ChannelConfig, ProcessConfig};
use super::event::Channel;
use super::info::log_path;
use super::process::Process;
use super::supervisor::Supervisor;

/// A log, as clients name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogRef {
    /// A process's.
    Process {
        /// `group:process`, or `process`.
        namespec: String,
        /// `stdout` or `stderr`, as the client wrote it.
        channel: String,
    },
    /// The daemon's own.
    Main,
}

/// Why there is no such log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLog {
    /// No process has that name.
    NoProcess,
    /// The process has no channel of that name, or nothing keeps what comes out of it.
    NoFile,
}

impl ProcessConfig {
    /// One of its channels.
    pub fn channel(&self, channel: Channel) -> &ChannelConfig {
        match channel {
            Channel::Stdout => &self.stdout,
            Channel::Stderr => &self.stderr,
        }
    }
}

impl Supervisor {
    /// Path of a log. Unlike the XML-RPC methods it is told during a shutdown, too.
    ///
    /// # Errors
    /// A process that is not there comes before a channel that is not.
    pub(crate) fn log_path(&self, log: &LogRef) -> Result<&str, NoLog> {
        match log {
            LogRef::Main => Ok(self.main_log()),
            LogRef::Process { namespec, channel } => {
                let process = self.process_named(namespec).ok_or(NoLog::NoProcess)?;
                let channel = Channel::named(channel).ok_or(NoLog::NoFile)?;
                path_of(process, channel)
            }
        }
    }

    /// Path of the main log.
    pub(super) fn main_log(&self) -> &str {
        &self.settings.logfile
    }

    /// Path of a log of the process that a namespec names.
    pub(super) fn process_log(&self, namespec: &str, channel: Channel) -> Result<&str, NoLog> {
        path_of(self.process_named(namespec).ok_or(NoLog::NoProcess)?, channel)
    }
}

fn path_of(process: &Process, channel: Channel) -> Result<&str, NoLog> {
    log_path(process.config().channel(channel)).ok_or(NoLog::NoFile)
}
