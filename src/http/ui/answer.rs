//! A page as an answer.

use hyper::{Response, StatusCode};
use maud::Markup;

use super::super::response::{Content, complete, error, fresh};
use super::super::site::Site;
use super::pages::Frame;
use crate::core::overview::About;
use crate::core::text;

const HTML: &str = "text/html;charset=utf-8";

/// A page with what every page has around its contents, which no cache is to keep.
pub(super) async fn page(
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
pub(super) fn framed(
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
    let markup = render(&frame).into_string();
    let mut response = fresh(complete(HTML, text::shown(&markup).into_owned()));
    *response.status_mut() = status;
    response
}
