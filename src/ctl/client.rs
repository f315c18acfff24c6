//! Calls of the daemon's methods over a connection that is kept while it is of use.

use std::fmt::Write as _;
use std::os::fd::AsFd;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::address::Address;
use super::failure::{Failure, Outcome};
use super::http::Connection;
use crate::VERSION;
use crate::config::ClientOptions;
use crate::core::text;
use crate::core::value::Value;
use crate::xmlrpc::{Response, parse_response, write_call};

/// A client of one daemon.
#[derive(Default)]
pub(crate) struct Client {
    connection: Option<Connection>,
}

impl Client {
    /// Calls a method, e.g. `supervisor.getState`, and returns its result. Waits as long as the daemon takes.
    ///
    /// The connection is made when it is needed, to where the options say.
    pub(crate) fn call(
        &mut self,
        options: &ClientOptions,
        method: &str,
        params: &[Value],
    ) -> Outcome<Value> {
        let address = Address::parse(&options.serverurl)?;
        check_integers(params)?;
        let body = write_call(method, params);
        let mut request = head("POST", "/RPC2", &address, options);
        // Writing to a String cannot fail.
        let _ = write!(
            request,
            "Content-Type: text/xml\r\nAccept: text/xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut request = request.into_bytes();
        request.extend(body);

        let mut connection = match self.connection.take().filter(is_fresh) {
            Some(connection) => connection,
            None => Connection::new(address.connect()?),
        };
        connection.send(&request)?;
        let head = connection.read_head()?;
        if head.status != 200 {
            return Err(Failure::Http { status: head.status, reason: head.reason });
        }
        let body = connection.read_body(head.framing)?;
        if !head.closes {
            self.connection = Some(connection);
        }
        match parse_response(&body) {
            Ok(Response::Value(value)) => Ok(value),
            Ok(Response::Fault { code, text }) => Err(Failure::Fault { code, text }),
            Err(_) => Err(Failure::other("xmlrpc.client.ResponseError", "ResponseError()")),
        }
    }

    /// Closes the connection.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }
}

/// The start of a request's head: the request line and the headers every request has, each with its line end.
pub(crate) fn head(verb: &str, path: &str, address: &Address, options: &ClientOptions) -> String {
    let host = address.host_header();
    let mut text = format!(
        "{verb} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: supervisorctl (supervisord-rs {VERSION})\r\n"
    );
    if let (Some(username), Some(password)) = (&options.username, &options.password) {
        let credentials = STANDARD.encode(text::into_bytes(format!("{username}:{password}")));
        let _ = write!(text, "Authorization: Basic {credentials}\r\n");
    }
    text
}

/// Whether a kept connection can take another request: nothing has come on it, not even its end.
fn is_fresh(connection: &Connection) -> bool {
    let mut waiting = [PollFd::new(connection.socket().as_fd(), PollFlags::POLLIN)];
    !connection.has_buffered() && poll(&mut waiting, PollTimeout::ZERO) == Ok(0)
}

/// XML-RPC has integers of 32 bits, and Python refuses to send others.
fn check_integers(params: &[Value]) -> Outcome {
    let fits = |param: &Value| match param {
        Value::Int(number) => i32::try_from(*number).is_ok(),
        _ => true,
    };
    if params.iter().all(fits) {
        return Ok(());
    }
    Err(Failure::other("OverflowError", "int exceeds XML-RPC limits"))
}
