//! Answers: bodies, the headers every answer has, error pages, and the access log.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{convert::Infallible, io};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPIRES,
    HeaderMap, HeaderName, HeaderValue, PRAGMA, REFERRER_POLICY, SERVER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::live::Live;
use super::pace::{Pace, Phase};
use super::seats::Listening;
use crate::core::calendar::Civil;
use crate::core::states::Level;
use crate::daemon::follow::Follower;
use crate::daemon::handle::Handle;
use crate::sys::clock;

const SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("supervisord-rs/", env!("CARGO_PKG_VERSION")));

/// Whether proxies such as nginx may gather an answer before they pass it on.
pub(super) const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a browser is told of every page: take nothing from elsewhere, run nothing that is written into it, show it in
/// nobody's frame, and tell other sites nothing.
const PAGE_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    // Keeps a site that opens a page of ours from holding on to its window. Browsers heed it over https (a proxy's) and on
    // this very machine; elsewhere they ignore it, and Chromium says so in its console.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// What an answer carries.
pub(super) enum Content {
    /// Everything, at once.
    Bytes(Bytes),
    /// Chunk after chunk, for as long as the client stays.
    Endless(Stream),
    /// Piece after piece, as fast as the client takes them.
    Pieces(Stream),
}

/// Where the chunks of an endless answer come from.
pub(super) enum Feed {
    /// A log that grows.
    Log { follower: Follower, _place: Listening },
    /// What changes in the house.
    Live { live: Box<Live>, _place: Listening },
    /// What is made while it is sent.
    Pieces(Box<dyn Iterator<Item = Bytes>>),
}

impl Feed {
    async fn next(&mut self) -> io::Result<Bytes> {
        match self {
            Feed::Log { follower, .. } => follower.next().await.map(Bytes::from),
            Feed::Live { live, .. } => live.next().await,
            Feed::Pieces(pieces) => {
                tokio::task::yield_now().await; // a turn for the others
                pieces.next().ok_or(io::ErrorKind::UnexpectedEof.into())
            }
        }
    }
}

/// A feed, lent to the wait for its next chunk.
pub(super) struct Stream {
    next: Pin<Box<dyn Future<Output = NextChunk>>>,
}

type NextChunk = (Feed, io::Result<Bytes>);

impl Stream {
    pub(super) fn new(feed: Feed) -> Stream {
        Stream { next: Box::pin(next_chunk(feed)) }
    }
}

/// Waits for bytes; an empty file makes an empty first chunk, which would end a chunked answer.
async fn next_chunk(mut feed: Feed) -> NextChunk {
    loop {
        let chunk = feed.next().await;
        if !matches!(&chunk, Ok(bytes) if bytes.is_empty()) {
            return (feed, chunk);
        }
    }
}

/// A body that tells the connection and the access log when it is done.
pub(super) struct Tracked {
    content: Content,
    sent: u64,
    pace: Rc<Pace>,
    entry: Option<AccessEntry>,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = match &mut self.content {
            Content::Bytes(bytes) => std::mem::take(bytes),
            Content::Endless(stream) | Content::Pieces(stream) => {
                let (feed, chunk) = ready!(stream.next.as_mut().poll(cx));
                *stream = Stream::new(feed);
                // A log that cannot be read any more ends the answer, as does the end of the house or of the pieces.
                chunk.unwrap_or_default()
            }
        };
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        self.sent += chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Bytes(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Endless(_) | Content::Pieces(_) => SizeHint::default(),
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.pace.enter(Phase::Idle);
        if let Some(entry) = self.entry.take() {
            entry.write(self.sent);
        }
    }
}

/// What the access log needs of a request, kept until its answer is through.
pub(super) struct AccessEntry {
    handle: Handle,
    peer: Rc<str>,
    request: String,
    status: u16,
}

impl AccessEntry {
    pub(super) fn new<B>(handle: &Handle, peer: &Rc<str>, request: &Request<B>) -> AccessEntry {
        let request = format!("{} {} {:?}", request.method(), request.uri(), request.version());
        AccessEntry { handle: handle.clone(), peer: peer.clone(), request, status: 0 }
    }

    /// The reference's line; it counts the bytes of the headers too.
    fn write(self, bytes: u64) {
        let AccessEntry { handle, peer, request, status } = self;
        let date = Civil::at(clock::wall_millis() / 1000).access_log();
        handle.log(Level::Trace, format!("{peer} - - [{date}] \"{request}\" {status} {bytes}"));
    }
}

/// How the request wants its connection treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// HTTP/1.1 without more words.
    Default,
    /// HTTP/1.0 with `Connection: Keep-Alive`, which is to be confirmed.
    KeepAlive,
    /// To be closed after the answer.
    Close,
}

impl Persistence {
    pub(super) fn of<B>(request: &Request<B>) -> Persistence {
        let connection = request.headers().get(CONNECTION).map(HeaderValue::as_bytes);
        let wants = |word: &[u8]| connection.is_some_and(|value| value.eq_ignore_ascii_case(word));
        match request.version() {
            Version::HTTP_10 if wants(b"keep-alive") => Persistence::KeepAlive,
            Version::HTTP_10 => Persistence::Close,
            _ if wants(b"close") => Persistence::Close,
            _ => Persistence::Default,
        }
    }
}

/// A complete answer of the given type.
pub(super) fn complete(content_type: &'static str, body: impl Into<Bytes>) -> Response<Content> {
    let body = body.into();
    let mut response = Response::new(Content::Bytes(body.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

/// The error page of the reference (`medusa/http_server.py: DEFAULT_ERROR_MESSAGE`), with its reason phrases.
pub(super) fn error(status: StatusCode) -> Response<Content> {
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or("Error"),
    };
    let page = [
        "<head>",
        "<title>Error response</title>",
        "</head>",
        "<body>",
        "<h1>Error response</h1>",
        &format!("<p>Error code {}.", status.as_u16()),
        &format!("<p>Message: {reason}."),
        "</body>",
        "",
    ];
    let mut response = complete("text/html", page.join("\r\n"));
    *response.status_mut() = status;
    response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    response
}

/// The reference's answer where nobody answers a path.
pub(super) fn no_such_file(method: &Method) -> Response<Content> {
    match *method {
        Method::GET | Method::HEAD => error(StatusCode::NOT_FOUND),
        _ => error(StatusCode::BAD_REQUEST),
    }
}

/// An error after which the connection cannot go on, because the rest of the request is not read.
pub(super) fn closing_error(status: StatusCode) -> Response<Content> {
    let mut response = error(status);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The request for credentials.
pub(super) fn unauthorized() -> Response<Content> {
    let mut response = closing_error(StatusCode::UNAUTHORIZED);
    let realm = HeaderValue::from_static("Basic realm=\"default\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

/// Keeps caches from keeping an answer, in the reference's words.
pub(super) fn fresh(mut response: Response<Content>) -> Response<Content> {
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    response
}

/// Keeps browsers from taking an answer for anything but what it is.
fn protect(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.extend(PAGE_HEADERS.map(|(name, value)| (Some(name), value)));
    }
}

/// Adds what every answer has, and hands the connection over to its body.
pub(super) fn finish(
    response: Response<Content>,
    persistence: Persistence,
    pace: Rc<Pace>,
    entry: Option<AccessEntry>,
) -> Response<Tracked> {
    let (mut parts, content) = response.into_parts();
    parts.headers.insert(SERVER, SERVER_NAME);
    protect(&mut parts.headers);
    match (&content, persistence) {
        (Content::Bytes(_), Persistence::KeepAlive) => {
            let keep_alive = HeaderValue::from_static("Keep-Alive");
            parts.headers.entry(CONNECTION).or_insert(keep_alive);
        }
        // Raw bytes until the connection closes, which hyper offers to the old protocol only.
        (Content::Endless(_) | Content::Pieces(_), Persistence::Close | Persistence::KeepAlive) => {
            parts.version = Version::HTTP_10;
            parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    if matches!(content, Content::Endless(_)) {
        pace.enter(Phase::Streaming);
    }
    let status = parts.status.as_u16();
    let entry = entry.map(|entry| AccessEntry { status, ..entry });
    Response::from_parts(parts, Tracked { content, sent: 0, pace, entry })
}
