//! `/metrics`: what Prometheus reads, for servers with `metrics=true`.
//!
//! - `families`: the table of everything that is told, by name
//! - `text`: how it is written
//! - `latency`: how long calls take, counted where they are answered
//! - `scene`: what is asked of the house
//! - here: the answer
//!
//! The house is counted at one moment. What follows is written piece by piece as the client takes it, so that an answer
//! about ten thousand programs holds a megabyte and not ten, and others have their turn after each piece.

mod families;
mod latency;
mod scene;
mod text;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::pace::{Lane, Pace};
use super::response::{Content, Feed, Stream, error, fresh};
use super::site::Site;
use families::{FAMILIES, Family, Lines};
pub(super) use latency::{Found, Latencies};
use scene::{Scene, look};
use text::Page;

/// Where they are.
pub(super) const PATH: &str = "/metrics";

/// Bytes that are written before others get a turn.
const PIECE_BYTES: usize = 64 << 10;

/// Version 0.0.4 of the text format, which every release of Prometheus reads.
const TEXT_FORMAT: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Whether a request only reads; others get what they get at any address.
pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Answers [`PATH`].
pub(super) async fn respond(site: &Site, pace: &Pace) -> Response<Content> {
    let turn = site.hub.turn_of_house().await;
    let Some(scene) = look(site).await else {
        return error(StatusCode::SERVICE_UNAVAILABLE);
    };
    pace.hold(Lane::House, scene.held_bytes() + PIECE_BYTES);
    drop(turn);
    let pieces = Box::new(Exposition { scene, family: 0, item: 0 });
    let mut response = Response::new(Content::Pieces(Stream::new(Feed::Pieces(pieces))));
    response.headers_mut().insert(CONTENT_TYPE, TEXT_FORMAT);
    fresh(response)
}

/// A scene on its way to a client: which family is told, and which process or pool of it comes next.
struct Exposition {
    scene: Scene,
    family: usize,
    item: usize,
}

impl Exposition {
    /// Writes the next lines of a family; whether more may follow.
    fn tell(&mut self, family: &Family, page: &mut Page) -> bool {
        let (scene, item) = (&self.scene, self.item);
        if item == 0 {
            page.begin(family.name, family.kind, family.help);
        } else {
            page.go_on(family.name);
        }
        self.item += 1;
        match family.lines {
            Lines::House(write) => {
                write(page, scene);
                false
            }
            Lines::Process(write) => match scene.census.processes.get(item) {
                Some(process) => {
                    write(page, process, scene.usage[item]);
                    true
                }
                None => false,
            },
            Lines::Pool(write) => match scene.census.pools.get(item) {
                Some(pool) => {
                    write(page, pool);
                    true
                }
                None => false,
            },
        }
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut page = Page::default();
        while page.len() < PIECE_BYTES
            && let Some(family) = FAMILIES.get(self.family)
        {
            if !self.tell(family, &mut page) {
                self.family += 1;
                self.item = 0;
            }
        }
        (page.len() > 0).then(|| page.into())
    }
}
