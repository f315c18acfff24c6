//! Parts that stand alone, for the tools of the differential tests and for the fuzz targets. Nobody else is to build on
//! them: what is not named here is seen by nobody outside, and so the compiler knows what nothing uses.
#![doc(hidden)]

/// Reading configurations.
pub mod config {
    pub use crate::config::{Checking, Environ, Parsed, parse_args};

    /// Types of values.
    pub mod datatypes {
        pub use crate::config::datatypes::key_value_pairs;
    }
    /// Names in values.
    pub mod expand {
        pub use crate::config::expand::expand;
    }
    /// Python's dialect.
    pub mod ini {
        pub use crate::config::ini::Document;
    }
    /// Every option there is, for what lists them.
    pub mod options {
        pub use crate::config::options::{Section, sections};
        pub use crate::core::options::{About, Display, Expansion, Names, Reread, Source, Unset};
    }
    /// The command lines, for what lists their options.
    pub mod command_line {
        pub use crate::config::cli::switches as of_daemon;
        pub use crate::config::ctl::switches as of_client;
        pub use crate::config::getopt::Switch;
    }
    /// What names mean.
    pub mod names {
        pub use crate::config::names::{Table, Value};
    }
}

/// The policy, and what it works on.
pub mod core {
    /// What is counted.
    pub mod census {
        pub use crate::core::census::Census;
    }
    /// What is said between the capture tokens.
    pub mod capture {
        pub use crate::core::capture::{BEGIN_TOKEN, Capture, END_TOKEN, Piece};
    }
    /// What a configuration means.
    pub mod config {
        pub use crate::core::config::{
            AutoRestart, ChannelConfig, Config, Credentials, GroupConfig, GroupKind, LogFile,
            Owner, ProcessConfig, ServerAddress, ServerConfig, Settings,
        };
    }
    /// What the host answers.
    pub mod effect {
        pub use crate::core::effect::CommandError;
    }
    /// Faults.
    pub mod fault {
        pub use crate::core::fault::{Fault, FaultCode};
    }
    /// The protocol of listeners.
    pub mod listener {
        pub use crate::core::listener::{Listener, ListenerState, RESULT_LIMIT_BYTES, Step};
    }
    /// Everything at one moment.
    pub mod overview {
        pub use crate::core::overview::{About, Overview};
    }
    /// Moods and levels.
    pub mod states {
        pub use crate::core::states::{Level, Mood};
    }
    /// Values of XML-RPC.
    pub mod value {
        pub use crate::core::value::Value;
    }
}

/// The client.
pub mod ctl {
    pub use crate::ctl::verbs::{Action, actions};
}

/// The shell.
pub mod daemon {
    /// Finding the command of a program.
    pub mod command {
        pub use crate::daemon::command::{resolve, search_path};
    }
    /// Leaving the terminal.
    pub mod daemonize {
        pub use crate::daemon::daemonize::{Starter, daemonize};
    }
    /// The disk thread.
    pub mod disk {
        pub use crate::daemon::disk::{Disk, Missing, SinkSpec};
    }
    /// Variables of the daemon.
    pub mod environment {
        pub use crate::daemon::environment::{get, inherited};
    }
    /// Parts of logs.
    pub mod excerpt {
        pub use crate::daemon::excerpt::NoExcerpt;
    }
    /// Who has ended.
    pub mod exits {
        pub use crate::daemon::exits::Exits;
    }
    /// What servers ask of the daemon.
    pub mod handle {
        pub use crate::daemon::handle::{Handle, Inbox, Request};
    }
    /// The pid file.
    pub mod pidfile {
        pub use crate::daemon::pidfile::Pidfile;
    }
    /// Signals to the daemon.
    pub mod signals {
        pub use crate::daemon::signals::{Signals, take_over};
    }
    /// ANSI escapes.
    pub mod strip_ansi {
        pub use crate::daemon::strip_ansi::strip_ansi;
    }
}

/// The servers.
pub mod http {
    pub use crate::http::{bind, serve};
}

/// The wire format.
pub mod xmlrpc {
    pub use crate::xmlrpc::{CallReader, parse_call, parse_response, write_call, write_response};
}
