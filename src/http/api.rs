//! `/api/v1/…`: what the pages show, for programs. Only reads.

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Response, StatusCode, Uri};

use super::form::Form;
use super::live::Live;
use super::pace::{Lane, Pace};
use super::response::{Content, Feed, Stream, X_ACCEL_BUFFERING, complete, fresh};
use super::site::Site;
use super::{objects, percent};
use crate::core::info::record;
use crate::core::json;
use crate::core::logs::LogRef;
use crate::core::value::Value;
use crate::daemon::excerpt::{MAX_EXCERPT_BYTES, NoExcerpt, Part};

/// Where all of it lives.
pub(super) const ROOT: &str = "/api/";

const JSON: &str = "application/json";

/// Bytes of a log for those who do not say how many they want.
const DEFAULT_LOG_BYTES: u64 = 64 << 10;

/// Answers a request whose path starts with [`ROOT`].
pub(super) async fn respond(
    site: &Site,
    pace: &Pace,
    method: &Method,
    uri: &Uri,
) -> Response<Content> {
    if method != Method::GET {
        let text = "This interface only reads: use GET. XML-RPC is what changes things.";
        let mut response = message(StatusCode::METHOD_NOT_ALLOWED, text);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    // Decoded after it is split: a name may have slashes in it.
    let path = uri.path().strip_prefix(ROOT).unwrap_or_default();
    let segments: Vec<String> = path.split('/').map(percent::decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let form = Form::of_query(uri.query().unwrap_or_default());
    match segments.as_slice() {
        ["v1", "status"] => status(site, pace).await,
        ["v1", "processes", namespec] => process(site, namespec).await,
        ["v1", "logs", namespec, channel] => {
            let (namespec, channel) = (namespec.to_string(), channel.to_string());
            log(site, pace, LogRef::Process { namespec, channel }, &form).await
        }
        ["v1", "mainlog"] => log(site, pace, LogRef::Main, &form).await,
        ["v1", "events"] => events(site),
        _ => message(StatusCode::NOT_FOUND, "There is nothing at this address."),
    }
}

/// What went well, or what is wrong, for programs.
pub(super) fn message(status: StatusCode, text: &str) -> Response<Content> {
    let mut response = object(record([("message", Value::str(text))]));
    *response.status_mut() = status;
    response
}

fn object(value: Value) -> Response<Content> {
    fresh(complete(JSON, json::write(&value)))
}

fn leaving() -> Response<Content> {
    message(StatusCode::SERVICE_UNAVAILABLE, "The daemon is about to exit.")
}

async fn status(site: &Site, pace: &Pace) -> Response<Content> {
    let _turn = site.hub.turn_of_house().await;
    let Some(overview) = site.handle.overview().await else { return leaving() };
    let usage = site.handle.usage(overview.pids()).await;
    let supervisor = objects::supervisor(&overview);
    let processes = overview
        .processes
        .into_iter()
        .map(|info| {
            let usage = info.pid.and_then(|pid| usage.get(&pid));
            objects::process(info, usage)
        })
        .collect();
    let text =
        json::write(&record([("supervisor", supervisor), ("processes", Value::Array(processes))]));
    pace.hold(Lane::House, text.len());
    fresh(complete(JSON, text))
}

async fn process(site: &Site, namespec: &str) -> Response<Content> {
    let Some(program) = site.handle.program(namespec).await else {
        return message(StatusCode::NOT_FOUND, &format!("No such process named {namespec}"));
    };
    let usage = site.handle.usage(program.info.pid).await;
    let usage = usage.into_values().next();
    let mut value = objects::process(program.info, usage.as_ref());
    if let Value::Struct(members) = &mut value {
        members.push(("settings".to_string(), Value::Struct(program.settings)));
    }
    object(value)
}

async fn log(site: &Site, pace: &Pace, log: LogRef, form: &Form) -> Response<Content> {
    let Some(part) = part(form) else {
        let text = "offset and length are numbers of bytes; only an offset may be negative, and then without a length.";
        return message(StatusCode::BAD_REQUEST, text);
    };
    let (Part::End(wanted) | Part::Range { length: wanted, .. }) = part;
    let _turn = site.hub.turn_of_logs(wanted).await;
    let excerpt = match site.handle.read_log(log, part).await {
        Ok(excerpt) => excerpt,
        Err(why) => return message(StatusCode::NOT_FOUND, explain(why)),
    };
    let int = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let (offset, size) = (int(excerpt.offset), int(excerpt.size));
    let (text, next) = excerpt.text();
    let text = json::write(&record([
        ("offset", offset),
        ("next", int(next)),
        ("size", size),
        ("text", Value::Str(text)),
    ]));
    pace.hold(Lane::Logs, text.len());
    fresh(complete(JSON, text))
}

fn explain(why: NoExcerpt) -> &'static str {
    match why {
        NoExcerpt::NoProcess => "There is no process of this name.",
        NoExcerpt::NoFile => "There is no such log, or nothing was written to it yet.",
        NoExcerpt::Failed => "The log cannot be read.",
    }
}

/// Which part of a log `offset` and `length` mean; `None` when they mean nothing.
fn part(form: &Form) -> Option<Part> {
    let number = |name| form.get(name).map(str::parse::<i64>).transpose().ok();
    let (offset, length) = (number("offset")?, number("length")?);
    let length = length.map(u64::try_from).transpose().ok()?;
    Some(match (offset, length) {
        (None, length) => Part::End(length.unwrap_or(DEFAULT_LOG_BYTES)),
        (Some(..0), Some(_)) => return None,
        (Some(offset @ ..0), None) => Part::End(offset.unsigned_abs().min(MAX_EXCERPT_BYTES)),
        (Some(offset), length) => Part::Range {
            offset: offset.unsigned_abs(),
            length: length.unwrap_or(DEFAULT_LOG_BYTES),
        },
    })
}

fn events(site: &Site) -> Response<Content> {
    let Some(place) = site.hub.seats.listen() else {
        let text = "Too many pages are open: close some.";
        return message(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let live = Box::new(Live::new(&site.handle, &site.audience));
    let feed = Feed::Live { live, _place: place };
    let mut response = Response::new(Content::Endless(Stream::new(feed)));
    let headers = response.headers_mut();
    headers.insert(
        hyper::header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream;charset=utf-8"),
    );
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    fresh(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_logs() {
        let end = |length| Some(Part::End(length));
        let range = |offset, length| Some(Part::Range { offset, length });
        for (query, expected) in [
            ("", end(DEFAULT_LOG_BYTES)),
            ("length=7", end(7)),
            ("offset=0", range(0, DEFAULT_LOG_BYTES)),
            ("offset=5&length=7", range(5, 7)),
            ("offset=-5", end(5)),
            ("offset=-9223372036854775808", end(MAX_EXCERPT_BYTES)),
            ("offset=-5&length=7", None),
            ("length=-7", None),
            ("offset=x", None),
            ("length=99999999999999999999", None),
        ] {
            assert_eq!(part(&Form::of_query(query)), expected, "{query}");
        }
    }
}
