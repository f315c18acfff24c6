//! The web interface: pages, the actions of their buttons, and the JSON behind them.
//!
//! - `form`: what a request asks for
//! - `origin`: who sent it; `actions`: what it does; `location`: where the browser is sent back to
//! - `logs`: the pages of logs
//! - `api`, `live`, `objects`: the JSON, the stream of events, and what both say; `watch`: what all streams share
//! - `pages/`: what is rendered, from what it is handed and nothing else
//! - `assets/`: style sheet, script and icons; `files`: how they are sent
//! - here: who answers which path

mod actions;
mod api;
mod assets;
mod files;
pub(super) mod form;
pub(super) mod live;
pub(super) mod location;
mod logs;
mod objects;
pub(super) mod origin;
mod pages;
pub(super) mod watch;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, CACHE_CONTROL, EXPIRES, HeaderMap, HeaderValue, LOCATION, PRAGMA};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use maud::Markup;

use super::body;
use super::hub::Lane;
use super::pace::{Pace, Phase};
use super::response::{Content, closing_error, complete, error};
use super::server::{Site, no_such_file};
use crate::core::overview::About;
use crate::core::text;
use actions::Nonsense;
use form::Form;
use origin::Source;
use pages::{Frame, program, refused, status};

const HTML: &str = "text/html;charset=utf-8";

/// Largest form: its fields are names and verbs.
const MAX_FORM_BYTES: u64 = 64 << 10;

/// Answers a request that is neither XML-RPC nor a log stream; `path` is decoded.
pub(super) async fn respond(
    site: &Site,
    pace: &Pace,
    path: &str,
    request: Request<Incoming>,
) -> Response<Content> {
    let method = request.method();
    if request.uri().path().starts_with(api::ROOT) {
        return api::respond(site, pace, method, request.uri()).await;
    }
    // What follows a semicolon are parameters, which nothing here has.
    let name = path.split(';').next().unwrap_or_default().trim_start_matches('/');
    if let Some(page) = Page::named(name)
        && matches!(*method, Method::GET | Method::POST)
    {
        return page_for(site, pace, page, request).await;
    }
    match files::find(name) {
        Some(file) if matches!(*method, Method::GET | Method::HEAD) => {
            files::respond(file, request.headers())
        }
        _ => no_such_file(method),
    }
}

/// What is made anew for every request.
#[derive(Clone, Copy)]
enum Page {
    Status,
    Tail,
    MainLog,
    Program,
    Ok,
}

impl Page {
    fn named(name: &str) -> Option<Page> {
        Some(match name {
            "" | "index.html" => Page::Status,
            "tail.html" => Page::Tail,
            "mainlog.html" => Page::MainLog,
            "program.html" => Page::Program,
            "ok.html" => Page::Ok,
            _ => return None,
        })
    }
}

async fn page_for(
    site: &Site,
    pace: &Pace,
    page: Page,
    request: Request<Incoming>,
) -> Response<Content> {
    let (parts, body) = request.into_parts();
    let mut form = Form::of_query(parts.uri.query().unwrap_or_default());
    if parts.method == Method::POST {
        pace.enter(Phase::Body);
        match body::read(body, MAX_FORM_BYTES).await {
            Ok(body) => form = form.with_body(&body),
            Err(status) => return closing_error(status),
        }
        pace.enter(Phase::Busy);
    }
    let response = match (page, form.get("action")) {
        (Page::Status, Some(action)) => act(site, &parts, &form, action).await,
        (Page::Status, None) => status_page(site, &form).await,
        (Page::Tail, _) => logs::process(site, &form).await,
        (Page::MainLog, _) => logs::main(site, &form).await,
        (Page::Program, _) => program_page(site, &form).await,
        (Page::Ok, _) => complete("text/plain", "OK"),
    };
    if let Content::Bytes(bytes) = response.body() {
        let lane = match page {
            Page::Tail | Page::MainLog => Lane::Logs,
            Page::Status | Page::Program | Page::Ok => Lane::House,
        };
        pace.hold(lane, bytes.len());
    }
    response
}

/// A page with what every page has around its contents, which no cache is to keep.
async fn page(
    site: &Site,
    status: StatusCode,
    message: Option<&str>,
    render: impl FnOnce(&Frame<'_>) -> Markup,
) -> Response<Content> {
    match site.handle.about().await {
        Some(about) => framed(site, &about, status, message, render),
        None => error(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The same, of a supervisor that was looked at already.
fn framed(
    site: &Site,
    about: &About,
    status: StatusCode,
    message: Option<&str>,
    render: impl FnOnce(&Frame<'_>) -> Markup,
) -> Response<Content> {
    let frame = Frame {
        identifier: &about.identifier,
        mood: about.mood,
        message,
        token: site.token.as_str(),
    };
    let page = render(&frame).into_string();
    let mut response = fresh(complete(HTML, text::shown(&page).into_owned()));
    *response.status_mut() = status;
    response
}

/// Keeps caches from keeping an answer, in the reference's words.
fn fresh(mut response: Response<Content>) -> Response<Content> {
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    response
}

async fn status_page(site: &Site, form: &Form) -> Response<Content> {
    let _turn = site.hub.turn_of_house().await;
    let Some(overview) = site.handle.overview().await else {
        return error(StatusCode::SERVICE_UNAVAILABLE);
    };
    let usage = site.handle.usage(overview.pids()).await;
    let render = |frame: &Frame<'_>| status::render(&overview, &usage, frame);
    framed(site, &overview.about, StatusCode::OK, form.get("message"), render)
}

async fn program_page(site: &Site, form: &Form) -> Response<Content> {
    let Some(name) = form.get("processname") else {
        return refuse(site, StatusCode::BAD_REQUEST, "No process name found", None).await;
    };
    match site.handle.program(name).await {
        Some(found) => {
            let render = |frame: &Frame<'_>| program::render(&found, frame);
            page(site, StatusCode::OK, form.get("message"), render).await
        }
        None => {
            let text = format!("No such process named {name}");
            refuse(site, StatusCode::NOT_FOUND, &text, None).await
        }
    }
}

/// Does what was asked for, if a person or a script asked for it, and sends the browser back with the message.
async fn act(site: &Site, parts: &Parts, form: &Form, action: &str) -> Response<Content> {
    let script = parts.method == Method::POST && wants_json(&parts.headers);
    let proven = parts.method == Method::POST
        && form.posted("token").is_some_and(|token| site.token.is(token));
    if !(proven
        || actions::is_harmless(action)
        || Source::of(&parts.method, &parts.headers) == Source::Own)
    {
        let text = "This request did not come from a page of this supervisor, so nothing was done. \
                    If you want it done, do it here.";
        return if script {
            api::message(StatusCode::FORBIDDEN, text)
        } else {
            refuse(site, StatusCode::FORBIDDEN, text, Some(form)).await
        };
    }
    match actions::perform(&site.handle, action, form).await {
        Ok(message) if script => api::message(StatusCode::OK, &message),
        Ok(message) if proven => redirect(StatusCode::SEE_OTHER, &location::back(&message)),
        Ok(message) => redirect(
            StatusCode::MOVED_PERMANENTLY,
            &location::absolute(&parts.headers, &site.authority, &message),
        ),
        Err(Nonsense(text)) if script => api::message(StatusCode::BAD_REQUEST, &text),
        Err(Nonsense(text)) => refuse(site, StatusCode::BAD_REQUEST, &text, None).await,
    }
}

/// Our script takes nothing else. Many a client takes whatever comes but names JSON first, and is to get what the reference
/// gives it.
fn wants_json(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| {
        accepted.as_bytes().trim_ascii().eq_ignore_ascii_case(b"application/json")
    })
}

/// A page that says why nothing was done; `again` is what was asked for, to be confirmed.
async fn refuse(
    site: &Site,
    status: StatusCode,
    text: &str,
    again: Option<&Form>,
) -> Response<Content> {
    let fields: Vec<(&str, &str)> = ["action", "processname", "groupname"]
        .into_iter()
        .filter_map(|name| Some((name, again?.get(name)?)))
        .collect();
    page(site, status, None, |frame| refused::render(text, &fields, frame)).await
}

fn redirect(status: StatusCode, location: &str) -> Response<Content> {
    let mut response = fresh(error(status));
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        // A host with control characters; hyper lets none through.
        Err(_) => error(StatusCode::BAD_REQUEST),
    }
}
