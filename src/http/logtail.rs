//! `GET /logtail/NAME[/CHANNEL]` and `GET /mainlogtail`: logs as they grow (`http.py: logtail_handler`).

use std::time::UNIX_EPOCH;

use hyper::header::{CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use hyper::{Method, Response, StatusCode, Uri};

use super::form::Form;
use super::percent;
use super::response::{Content, Feed, Stream, X_ACCEL_BUFFERING, error};
use super::seats::Listening;
use super::site::Site;
use crate::core::calendar::Civil;
use crate::core::logs::LogRef;
use crate::daemon::follow::{Follower, HEAD_BYTES};

/// Most bytes of a log's end that a follower may ask to start with.
const MAX_HEAD_BYTES: u64 = 1 << 20;

/// Answers a request whose path starts with `/logtail`.
///
/// The reference decodes the path twice and answers 500 where a name is missing; this decodes once and answers 404.
pub(super) async fn process_log(site: &Site, method: &Method, uri: &Uri) -> Response<Content> {
    if method != Method::GET {
        return error(StatusCode::BAD_REQUEST);
    }
    let logs = targets(uri.path());
    follow(
        site,
        uri,
        logs.into_iter().map(|(namespec, channel)| LogRef::Process { namespec, channel }),
    )
    .await
}

/// Answers a request whose path starts with `/mainlogtail`.
pub(super) async fn main_log(site: &Site, method: &Method, uri: &Uri) -> Response<Content> {
    if method != Method::GET {
        return error(StatusCode::BAD_REQUEST);
    }
    follow(site, uri, [LogRef::Main]).await
}

/// Follows the first of these logs that there is.
async fn follow(
    site: &Site,
    uri: &Uri,
    logs: impl IntoIterator<Item = LogRef>,
) -> Response<Content> {
    let Some(place) = site.hub.seats.listen() else {
        return error(StatusCode::SERVICE_UNAVAILABLE);
    };
    for log in logs {
        if let Some(follower) = site.handle.follow(log, head_bytes(uri.query())).await {
            return stream(follower, place);
        }
    }
    error(StatusCode::NOT_FOUND)
}

/// How much of the end to start with: `tail=BYTES` of the query, else what the reference shows.
fn head_bytes(query: Option<&str>) -> u64 {
    let form = Form::of_query(query.unwrap_or_default());
    let asked = form.get("tail").and_then(|bytes| bytes.parse::<u64>().ok());
    asked.map_or(HEAD_BYTES, |bytes| bytes.min(MAX_HEAD_BYTES))
}

/// Namespec and channel: what follows the first segment, whatever that is exactly. Path parameters are dropped.
///
/// The reference decodes the path before it divides it. Where that makes a difference, a name with a slash in it may be
/// meant, which only ours can run.
fn targets(path: &str) -> Vec<(String, String)> {
    let path = path.split(';').next().unwrap_or_default();
    let divide = |path: &str| {
        let (_, rest) = path.trim_start_matches('/').split_once('/')?;
        let (namespec, channel) = rest.split_once('/').unwrap_or((rest, "stdout"));
        Some((namespec.to_string(), channel.to_string()))
    };
    let decoded = divide(&percent::decode(path));
    let divided = divide(path)
        .map(|(namespec, channel)| (percent::decode(&namespec), percent::decode(&channel)))
        .filter(|divided| Some(divided) != decoded.as_ref());
    decoded.into_iter().chain(divided).collect()
}

fn stream(follower: Follower, place: Listening) -> Response<Content> {
    let modified = follower.modified();
    let mut response =
        Response::new(Content::Endless(Stream::new(Feed::Log { follower, _place: place })));
    let headers = response.headers_mut();
    let modified = modified.duration_since(UNIX_EPOCH).ok();
    let date = modified
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .and_then(|secs| HeaderValue::from_str(&Civil::at(secs).http_date()).ok());
    if let Some(date) = date {
        headers.insert(LAST_MODIFIED, date);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    // Proxies such as nginx are to pass every line on at once.
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use super::{HEAD_BYTES, MAX_HEAD_BYTES, head_bytes, targets};

    #[test]
    fn what_a_path_names() {
        for (path, expected) in [
            ("/logtail/web", &[("web", "stdout")][..]),
            ("/logtail/web%3Aweb_1/stderr", &[("web:web_1", "stderr")]),
            ("/logtailing/web/a/b", &[("web", "a/b")]),
            ("/logtail/web/", &[("web", "")]),
            ("/logtail//web", &[("", "web")]),
            ("/logtail/100%25;x", &[("100%", "stdout")]),
            ("/logtail/a%2Fb/stderr", &[("a", "b/stderr"), ("a/b", "stderr")]),
            ("/logtail/", &[("", "stdout")]),
            ("/logtail", &[]),
        ] {
            let pair = |pair: &(&str, &str)| (pair.0.to_string(), pair.1.to_string());
            assert_eq!(targets(path), expected.iter().map(pair).collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn how_much_of_the_end() {
        for (query, bytes) in [
            (None, HEAD_BYTES),
            (Some("tail=0"), 0),
            (Some("x=1&tail=70000"), 70_000),
            (Some("tail=99999999"), MAX_HEAD_BYTES),
            (Some("tail=-1"), HEAD_BYTES),
            (Some("tail=x"), HEAD_BYTES),
        ] {
            assert_eq!(head_bytes(query), bytes, "{query:?}");
        }
    }
}
