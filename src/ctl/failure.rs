//! What can go wrong in an action, in the words of the reference: it prints Python's exceptions.

use std::fmt;
use std::io;

use crate::core::fault::FaultCode;
use crate::core::python::repr;
use crate::sys::names::Unresolved;

/// The class of Python's exception for a connection that ends before an answer.
pub(crate) const DISCONNECTED: &str = "http.client.RemoteDisconnected";

/// Why an action ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The daemon answered with a fault.
    Fault {
        /// `faultCode`
        code: i64,
        /// `faultString`
        text: String,
    },
    /// The daemon answered with an HTTP status other than 200.
    Http {
        /// The status, e.g. 401.
        status: u16,
        /// What follows it in the status line.
        reason: String,
    },
    /// The connection could not be made or broke.
    Io(io::Error),
    /// Anything else, by the class of Python's exception.
    Other {
        /// The class as Python prints it, e.g. `ValueError` or `http.client.BadStatusLine`.
        class: &'static str,
        /// The exception's text.
        text: String,
    },
}

/// What an action, or a part of one, ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure known by the class of Python's exception.
    pub(crate) fn other(class: &'static str, text: impl Into<String>) -> Failure {
        Failure::Other { class, text: text.into() }
    }

    /// A value the reference's checks refuse.
    pub(crate) fn value(text: impl Into<String>) -> Failure {
        Failure::other("ValueError", text)
    }

    /// Whether this is the given fault.
    pub(crate) fn is_fault(&self, wanted: FaultCode) -> bool {
        matches!(self, Failure::Fault { code, .. } if *code == wanted.code())
    }

    /// Whether it is what a daemon that is about to exit answers with.
    pub(crate) fn is_parting(&self) -> bool {
        let broken = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        self.is_fault(FaultCode::ShutdownState)
            || broken.into_iter().any(|kind| self.is_io(kind))
            || self.class() == DISCONNECTED
    }

    /// Whether the connection failed with the given kind of error.
    pub(crate) fn is_io(&self, kind: io::ErrorKind) -> bool {
        matches!(self, Failure::Io(error) if error.kind() == kind)
    }

    /// The line the reference prints for an exception nobody expected. Where the reference names a place in Python's
    /// library, this names the place in ours.
    pub(crate) fn report(&self) -> String {
        format!("error: <class '{}'>, {self}: file: {} line: {}", self.class(), file!(), line!())
    }

    fn class(&self) -> &'static str {
        match self {
            Failure::Fault { .. } => "xmlrpc.client.Fault",
            Failure::Http { .. } => "xmlrpc.client.ProtocolError",
            Failure::Other { class, .. } => class,
            Failure::Io(error) if error.raw_os_error().is_none() => "OSError",
            Failure::Io(error) => os_error_class(error.kind()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl From<Unresolved> for Failure {
    fn from(why: Unresolved) -> Failure {
        match why {
            Unresolved::Name { .. } => Failure::other("socket.gaierror", why.to_string()),
            Unresolved::System(errno) => Failure::Io(errno.into()),
        }
    }
}

/// `str(exception)`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Fault { code, text } => write!(f, "<Fault {code}: {}>", repr(text)),
            Failure::Http { status, reason } => {
                write!(f, "<ProtocolError for 127.0.0.1/RPC2: {status} {reason}>")
            }
            Failure::Other { text, .. } => f.write_str(text),
            Failure::Io(error) => f.write_str(&os_error_text(error)),
        }
    }
}

impl std::error::Error for Failure {}

/// The subclass of `OSError` that Python raises.
fn os_error_class(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "ConnectionRefusedError",
        io::ErrorKind::NotFound => "FileNotFoundError",
        io::ErrorKind::PermissionDenied => "PermissionError",
        io::ErrorKind::ConnectionReset => "ConnectionResetError",
        io::ErrorKind::ConnectionAborted => "ConnectionAbortedError",
        io::ErrorKind::BrokenPipe => "BrokenPipeError",
        io::ErrorKind::TimedOut => "TimeoutError",
        io::ErrorKind::NotADirectory => "NotADirectoryError",
        io::ErrorKind::IsADirectory => "IsADirectoryError",
        io::ErrorKind::WouldBlock => "BlockingIOError",
        io::ErrorKind::Interrupted => "InterruptedError",
        _ => "OSError",
    }
}

/// `[Errno 111] Connection refused`; the text alone where there is no number.
fn os_error_text(error: &io::Error) -> String {
    let text = error.to_string();
    if let Some(number) = error.raw_os_error() {
        let words = text.split(" (os error").next().unwrap_or_default();
        return format!("[Errno {number}] {words}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_pythons_words() {
        for (failure, start) in [
            (
                Failure::Fault { code: 92, text: "CANT_REREAD: it's".to_string() },
                "error: <class 'xmlrpc.client.Fault'>, <Fault 92: \"CANT_REREAD: it's\">: file: ",
            ),
            (
                Failure::Http { status: 500, reason: "Internal Server Error".to_string() },
                "error: <class 'xmlrpc.client.ProtocolError'>, \
                 <ProtocolError for 127.0.0.1/RPC2: 500 Internal Server Error>: file: ",
            ),
            (
                Failure::Io(io::Error::from_raw_os_error(111)),
                "error: <class 'ConnectionRefusedError'>, [Errno 111] Connection refused: file: ",
            ),
            (
                Failure::from(Unresolved::Name {
                    code: -2,
                    words: "Name or service not known".to_string(),
                }),
                "error: <class 'socket.gaierror'>, [Errno -2] Name or service not known: file: ",
            ),
            (Failure::value("x"), "error: <class 'ValueError'>, x: file: "),
        ] {
            assert!(failure.report().starts_with(start), "{}", failure.report());
        }
    }
}
