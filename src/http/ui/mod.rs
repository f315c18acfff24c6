//! The web interface: pages, the actions of their buttons, and the JSON behind them.
//!
//! - `pages/`: what is rendered, from an [`Overview`](crate::core::overview::Overview) and nothing else
//! - `assets/`: style sheet, script and icon, compiled in
//! - here: who answers which path

mod assets;
mod pages;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};

use super::response::{Content, complete, error};
use super::server::{Site, no_such_file};
use pages::{Frame, status};

const HTML: &str = "text/html;charset=utf-8";

/// Answers a request that is neither XML-RPC nor a log stream; `path` is decoded.
pub(super) async fn respond(
    site: &Site,
    path: &str,
    request: Request<Incoming>,
) -> Response<Content> {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return no_such_file(request.method());
    }
    match path.trim_start_matches('/') {
        "" | "index.html" => {
            let Some(overview) = site.handle.overview().await else {
                return error(StatusCode::SERVICE_UNAVAILABLE);
            };
            let pids = overview.processes.iter().filter_map(|process| process.pid);
            let usage = site.handle.usage(pids).await;
            let frame = Frame {
                identifier: &overview.identifier,
                mood: overview.mood,
                message: None,
                token: "",
            };
            complete(HTML, status::render(&overview, &usage, &frame).into_string())
        }
        _ => no_such_file(request.method()),
    }
}
