//! `version`, `open`, `reload` and `shutdown`: the daemon itself.

use std::io::ErrorKind;

use crate::config::split_scheme;
use crate::core::fault::FaultCode;
use crate::core::python::strip;
use crate::ctl::failure::{Failure, Outcome};
use crate::ctl::info::plain;
use crate::ctl::session::{Session, exit};
use crate::ctl::verb::{Completes, Does, Shown, Verb};

use super::status::status;

/// The action `version`.
pub(super) static VERSION: Verb = Verb {
    name: "version",
    usage: "",
    help: "version\t\t\tShow the version of the remote supervisord process",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(version),
};

/// Prints the daemon's version.
fn version(session: &mut Session, argument: &str) -> Outcome {
    if !argument.is_empty() {
        VERSION.misused(session, "Error: version accepts no arguments");
        return Ok(());
    }
    if !session.upcheck()? {
        return Ok(());
    }
    let version = session.call("getSupervisorVersion", &[])?;
    session.output(&plain(&version));
    Ok(())
}

/// The action `open`.
pub(super) static OPEN: Verb = Verb {
    name: "open",
    usage: "URL",
    help: "open <url>\tConnect to a remote supervisord process.\n\
           \t\t(for UNIX domain socket, use unix:///socket/path)",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(open),
};

/// Turns to another daemon and shows its status; the exit status stays as it was.
fn open(session: &mut Session, argument: &str) -> Outcome {
    let url = strip(argument);
    if !matches!(split_scheme(url).0.as_str(), "unix" | "http") {
        session.output("ERROR: url must be http:// or unix://");
        session.exit_status = exit::GENERIC;
        return Ok(());
    }
    session.options.serverurl = url.to_string();
    session.client.hang_up();
    let before = session.exit_status;
    status(session, "")?;
    session.exit_status = before;
    Ok(())
}

/// The action `reload`.
pub(super) static RELOAD: Verb = Verb {
    name: "reload",
    usage: "",
    help: "reload \t\tRestart the remote supervisord.",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(reload),
};

/// Has the daemon stop everything and start again.
fn reload(session: &mut Session, argument: &str) -> Outcome {
    if !argument.is_empty() {
        RELOAD.misused(session, "Error: reload accepts no arguments");
        return Ok(());
    }
    if !session.confirm("Really restart the remote supervisord process y/N? ")? {
        return Ok(());
    }
    match session.call("restart", &[]) {
        Ok(_) => session.output("Restarted supervisord"),
        Err(failure) if failure.is_fault(FaultCode::ShutdownState) => {
            session.exit_status = exit::GENERIC;
            session.output("ERROR: already shutting down");
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// The action `shutdown`.
pub(super) static SHUTDOWN: Verb = Verb {
    name: "shutdown",
    usage: "",
    help: "shutdown \tShut the remote supervisord down.",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Run(shutdown),
};

/// Has the daemon stop everything and end. That it is ending already is no failure.
fn shutdown(session: &mut Session, argument: &str) -> Outcome {
    if !argument.is_empty() {
        SHUTDOWN.misused(session, "Error: shutdown accepts no arguments");
        return Ok(());
    }
    if !session.confirm("Really shut the remote supervisord process down y/N? ")? {
        return Ok(());
    }
    match session.call("shutdown", &[]) {
        Ok(_) => session.output("Shut down"),
        Err(failure) if failure.is_fault(FaultCode::ShutdownState) => {
            session.output("ERROR: already shutting down");
        }
        Err(failure) => return not_there(session, failure),
    }
    Ok(())
}

fn not_there(session: &mut Session, failure: Failure) -> Outcome {
    let what = if failure.is_io(ErrorKind::ConnectionRefused) {
        "refused connection"
    } else if failure.is_io(ErrorKind::NotFound) {
        "no such file"
    } else {
        return Err(failure);
    };
    session.exit_status = exit::GENERIC;
    let message = format!("ERROR: {} {what} (already shut down?)", session.options.serverurl);
    session.output(&message);
    Ok(())
}
