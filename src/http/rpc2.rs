//! `POST /RPC2`: XML-RPC (`xmlrpc.py: supervisor_xmlrpc_handler`).

use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::body;
use super::hub::SMALL_BYTES;
use super::metrics::Found;
use super::origin::is_foreign_call;
use super::pace::{Lane, Pace, Phase};
use super::response::{Content, closing_error, complete, error};
use super::site::Site;
use crate::core::effect::{Call, Caller};
use crate::core::fault::{Fault, FaultCode};
use crate::core::python;
use crate::core::rpc::weight::{MULTICALL_BYTES, Weight, weigh};
use crate::core::states::Level;
use crate::core::text;
use crate::core::value::Value;
use crate::xmlrpc::{ArrayResponse, CallReader, ParseError, write_fault, write_response};

/// Largest request body. Everything but `sendProcessStdin` and big multicalls fits in a few KiB; the reference has no
/// limit.
pub(super) const MAX_BODY_BYTES: u64 = 8 << 20;

/// Tags and texts of a request that are read before others get a turn.
const READ_TURN_STEPS: usize = 8192;

/// Bytes of an answer that are written before others get a turn.
const WRITE_TURN_BYTES: usize = 256 << 10;

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
    let body = match body::read(incoming, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(status) => return closing_error(status),
    };
    pace.enter(Phase::Busy);
    let turn = site.hub.turn_of_reading(body.len()).await;
    let call = match read(&body).await {
        Ok(call) => call,
        Err(reason) => {
            let data = repr(&text::lossy(body.to_vec()));
            site.log(Level::Error, || format!("XML-RPC request data {data} is invalid: {reason}"));
            return error(StatusCode::BAD_REQUEST);
        }
    };
    drop((body, turn));
    let call = Call { caller: Caller::Client(site.server), ..call };
    let document = answer(site, pace, call).await;
    complete("text/xml", document)
}

/// Reads a request, a long one in turns with everything else.
async fn read(body: &[u8]) -> Result<Call, ParseError> {
    let mut reader = CallReader::new(body)?;
    loop {
        if let Some(call) = reader.read_on(READ_TURN_STEPS)? {
            return Ok(call);
        }
        tokio::task::yield_now().await;
    }
}

/// Makes a call when there is memory for its answer.
async fn answer(site: &Site, pace: &Pace, call: Call) -> Vec<u8> {
    let clock = site.latencies.as_ref().map(|latencies| (latencies, Instant::now()));
    let (mut lane, mut turn) = (Lane::House, None);
    match weigh(&call, &site.handle.extent()) {
        Weight::House(bytes) => site.hub.reserve_for_house(pace, bytes).await,
        Weight::Log(bytes) => {
            pace.let_go();
            turn = site.hub.turn_of_logs(bytes).await;
            lane = if turn.is_some() { Lane::Logs } else { Lane::House };
        }
        Weight::Multicall { bytes, logs } => {
            if site.hub.reserve_for_multicall(pace, bytes).await.is_err() {
                let text = "too much is kept for other multicalls that wait";
                return write_fault(&Fault::new(FaultCode::Failed, text));
            }
            lane = Lane::Multicalls;
            // A file may be far longer than what is left of it.
            if logs > MULTICALL_BYTES as u64 {
                turn = site.hub.turn_of_logs(logs).await;
            }
        }
    }
    let method = printable(&call.method);
    site.log(Level::Trace, || format!("XML-RPC method called: {method}()"));
    let result = site.handle.call(call).await;
    let found = match &result {
        Err(fault) if fault.code == FaultCode::UnknownMethod => Found::No,
        Ok(_) | Err(_) => Found::Yes,
    };
    let document = match result {
        Ok(value) => {
            site.log(Level::Trace, || format!("XML-RPC method {method}() returned successfully"));
            write(value).await
        }
        Err(fault) => {
            let code = fault.code.code();
            site.log(Level::Trace, || {
                format!("XML-RPC method {method}() returned fault: [{code}] {fault}")
            });
            write_fault(&fault)
        }
    };
    drop(turn);
    pace.hold(lane, document.len());
    if let Some((latencies, began)) = clock {
        latencies.count(&method, found, began.elapsed());
    }
    document
}

/// Writes a result, a long array in turns with everything else. What is written is not kept twice.
async fn write(result: Value) -> Vec<u8> {
    let Value::Array(items) = result else { return write_response(&result) };
    let mut response = ArrayResponse::new();
    let mut turn_ends = WRITE_TURN_BYTES;
    for item in items {
        response.push(&item);
        if response.len() > turn_ends {
            turn_ends = response.len() + WRITE_TURN_BYTES;
            tokio::task::yield_now().await;
        }
    }
    response.finish()
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
