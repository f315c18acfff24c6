//! The web interface: pages, and the actions of their buttons.
//!
//! - `actions`: what buttons do
//! - `logs`: the pages of logs
//! - `answer`: a page as an answer
//! - `pages/`: what is rendered, from what it is handed and nothing else
//! - `assets/`: style sheet, script and icons; `files`: how they are sent
//! - here: who answers which path

mod actions;
mod answer;
mod assets;
mod files;
mod logs;
mod pages;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};

use super::form::Form;
use super::origin::Source;
use super::pace::{Lane, Pace, Phase};
use super::response::{Content, closing_error, complete, error, fresh, no_such_file};
use super::site::Site;
use super::{api, body, location};
use actions::Nonsense;
use answer::{framed, page};
use pages::{Frame, program, refused, status};

/// Largest form: its fields are names and verbs.
const MAX_FORM_BYTES: u64 = 64 << 10;

/// Answers a request that nobody else does; `path` is decoded.
pub(super) async fn respond(
    site: &Site,
    pace: &Pace,
    path: &str,
    request: Request<Incoming>,
) -> Response<Content> {
    let method = request.method();
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
