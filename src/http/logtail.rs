//! `GET /logtail/NAME[/CHANNEL]` and `GET /mainlogtail`: logs as they grow (`http.py: logtail_handler`).

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LAST_MODIFIED};
use hyper::{Method, Response, StatusCode};
use jiff::Timestamp;

use super::response::{Content, Tail, error};
use super::server::{Site, percent_decode};
use crate::daemon::follow::Follower;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers a request whose path starts with `/logtail`. `path` is as sent.
///
/// The reference decodes the path twice and answers 500 where a name is missing; this decodes once and answers 404.
pub(super) async fn process_log(site: &Site, method: &Method, path: &str) -> Response<Content> {
    if method != Method::GET {
        return error(StatusCode::BAD_REQUEST);
    }
    let Some((namespec, channel)) = target(path) else {
        return error(StatusCode::NOT_FOUND);
    };
    match site.handle.follow_process(&namespec, &channel).await {
        Some(follower) => {
            let mut response = stream(follower);
            // Proxies such as nginx are to pass every line on at once.
            response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
            response
        }
        None => error(StatusCode::NOT_FOUND),
    }
}

/// Answers a request whose path starts with `/mainlogtail`.
pub(super) async fn main_log(site: &Site, method: &Method) -> Response<Content> {
    if method != Method::GET {
        return error(StatusCode::BAD_REQUEST);
    }
    match site.handle.follow_main_log().await {
        Some(follower) => stream(follower),
        None => error(StatusCode::NOT_FOUND),
    }
}

/// Namespec and channel: what follows the first segment, whatever that is exactly. Path parameters are dropped.
fn target(path: &str) -> Option<(String, String)> {
    let path = path.split(';').next().unwrap_or_default();
    let decoded = percent_decode(path);
    let (_, rest) = decoded.trim_start_matches('/').split_once('/')?;
    let (namespec, channel) = rest.split_once('/').unwrap_or((rest, "stdout"));
    Some((namespec.to_string(), channel.to_string()))
}

fn stream(follower: Follower) -> Response<Content> {
    let modified = follower.modified();
    let mut response = Response::new(Content::Log(Tail::new(follower)));
    let headers = response.headers_mut();
    if let Ok(modified) = Timestamp::try_from(modified) {
        let date = modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            headers.insert(LAST_MODIFIED, date);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn what_a_path_names() {
        let pair = |a: &str, b: &str| Some((a.to_string(), b.to_string()));
        assert_eq!(target("/logtail/web"), pair("web", "stdout"));
        assert_eq!(target("/logtail/web%3Aweb_1/stderr"), pair("web:web_1", "stderr"));
        assert_eq!(target("/logtailing/web/a/b"), pair("web", "a/b"));
        assert_eq!(target("/logtail/web/"), pair("web", ""));
        assert_eq!(target("/logtail//web"), pair("", "web"));
        assert_eq!(target("/logtail/100%25;x"), pair("100%", "stdout"));
        assert_eq!(target("/logtail/"), pair("", "stdout"));
        assert_eq!(target("/logtail"), None);
    }
}
