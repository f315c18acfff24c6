//! `POST /RPC2`: XML-RPC (`xmlrpc.py: supervisor_xmlrpc_handler`).

use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};

use super::body;
use super::hub::{Lane, SMALL_BYTES, log_bytes};
use super::pace::{Pace, Phase};
use super::response::{Content, closing_error, complete, error};
use super::server::Site;
use super::ui::origin::is_foreign_call;
use crate::core::python;
use crate::core::states::Level;
use crate::core::text;
use crate::xmlrpc::{parse_call, write_fault, write_response};

/// Largest request body. Everything but `sendProcessStdin` and big multicalls fits in a few KiB; the reference has no
/// limit.
pub(super) const MAX_BODY_BYTES: u64 = 8 << 20;

/// Characters of a bad request, or of a method name, that go into a log line.
const MAX_LOGGED_CHARS: usize = 1024;

/// Answers a request whose path starts with `/RPC2`.
pub(super) async fn respond(
    site: &Site,
    pace: &Pace,
    request: Request<Incoming>,
) -> Response<Content> {
    if request.method() != Method::POST {
        return error(StatusCode::BAD_REQUEST);
    }
    let headers = request.headers();
    if is_foreign_call(headers) {
        return error(StatusCode::FORBIDDEN);
    }
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return error(StatusCode::LENGTH_REQUIRED);
    }
    let incoming = request.into_body();
    // A body in chunks does not tell its size.
    let expected = incoming.size_hint().exact().unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES);
    if expected > SMALL_BYTES {
        site.hub.memory().await;
    }
    pace.hold(Lane::Requests, usize::try_from(expected).unwrap_or(usize::MAX));
    pace.enter(Phase::Body);
    let body = match body::read(incoming, MAX_BODY_BYTES, site.timeouts.body).await {
        Ok(body) => body,
        Err(status) => return closing_error(status),
    };
    pace.enter(Phase::Busy);
    let call = match parse_call(&body) {
        Ok(call) => call,
        Err(reason) => {
            let data = repr(&text::lossy(body.to_vec()));
            site.log(Level::Error, || format!("XML-RPC request data {data} is invalid: {reason}"));
            return error(StatusCode::BAD_REQUEST);
        }
    };
    drop(body);
    pace.let_go();
    let turn = site.hub.turn_of_logs(log_bytes(&call)).await;
    let method = printable(&call.method);
    site.log(Level::Trace, || format!("XML-RPC method called: {method}()"));
    let document = match site.handle.call(call).await {
        Ok(value) => {
            site.log(Level::Trace, || format!("XML-RPC method {method}() returned successfully"));
            write_response(&value)
        }
        Err(fault) => {
            let code = fault.code.code();
            site.log(Level::Trace, || {
                format!("XML-RPC method {method}() returned fault: [{code}] {fault}")
            });
            write_fault(&fault)
        }
    };
    let lane = if turn.is_some() { Lane::Logs } else { Lane::House };
    pace.hold(lane, document.len());
    complete("text/xml", document)
}

/// A method name as it may stand in a line of the log.
fn printable(method: &str) -> String {
    let clean = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    method.chars().take(MAX_LOGGED_CHARS).map(clean).collect()
}

/// The start of a string in Python's notation.
fn repr(text: &str) -> String {
    match text.char_indices().nth(MAX_LOGGED_CHARS) {
        Some((cut, _)) => format!("{}...", python::repr(&text[..cut])),
        None => python::repr(text),
    }
}
