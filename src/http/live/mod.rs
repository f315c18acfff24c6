//! `/api/v1/events`: what happens in the house, as it happens, in the format of server-sent events.
//!
//! A stream sleeps until the house announces a change, looks, and sends what is different from what it sent before. What
//! there is to see and to say is the same for all streams: `watch`.

mod watch;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, sleep_until};

use super::objects;
use crate::core::info::record;
use crate::core::json;
use crate::core::overview::Overview;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
pub(super) use watch::Audience;
use watch::{GATHER, Told, Watch};

/// After how much silence a comment is sent, so that proxies and browsers know that the stream lives.
const SILENCE: Duration = Duration::from_secs(20);

/// The stream of one client.
pub(super) struct Live {
    watch: Rc<Watch>,
    changes: Receiver<u64>,
    /// `None` before the first event.
    told: Option<Rc<Told>>,
    /// The value of the counter of changes that the client knows everything of.
    seen: u64,
    /// The end of the event whose beginning was sent.
    rest: Option<Bytes>,
    usage_due: Instant,
    /// When something was sent last.
    spoke: Instant,
}

impl Live {
    pub(super) fn new(handle: &Handle, audience: &Audience) -> Live {
        let watch = audience.join(handle);
        Live {
            changes: handle.changes(),
            told: None,
            seen: 0,
            rest: None,
            usage_due: watch.usage_due(),
            spoke: Instant::now(),
            watch,
        }
    }

    /// The next event, or a part of one, or a comment.
    ///
    /// # Errors
    /// When the house has left its loop.
    pub(super) async fn next(&mut self) -> io::Result<Bytes> {
        if let Some(rest) = self.rest.take() {
            return Ok(rest);
        }
        let bytes = loop {
            if self.told.is_none()
                && let Some(event) = self.status().await?
            {
                break event;
            }
            tokio::select! {
                moved = moved(&mut self.changes, self.seen) => {
                    moved?;
                    sleep(GATHER).await;
                    if let Some(event) = self.status().await? {
                        break event;
                    }
                }
                () = sleep_until(self.usage_due) => {
                    self.usage_due = self.watch.usage_due();
                    self.watch.tidy();
                    if let Some(event) = self.usage().await {
                        break event;
                    }
                }
                () = sleep_until(self.spoke + SILENCE) => break Bytes::from_static(b":\n\n"),
            }
        };
        self.spoke = Instant::now();
        Ok(bytes)
    }

    /// The beginning of the event that tells what is new, if anything is.
    async fn status(&mut self) -> io::Result<Option<Bytes>> {
        let complete = self.told.is_none();
        let snapshot = self.watch.look().await?;
        self.seen = snapshot.changes;
        let Some(news) = snapshot.news(&self.watch, self.told.as_ref()).await else {
            return Ok(None);
        };
        self.told = Some(news.told);
        if news.text.is_empty() {
            return Ok(None);
        }
        self.rest = Some(news.text);
        Ok(Some(beginning(complete, &snapshot.overview).into()))
    }

    /// The event that tells what processes use, of those that use something else than before.
    async fn usage(&mut self) -> Option<Bytes> {
        let (told, event) = self.watch.usage(self.told.as_ref()?).await;
        self.told = Some(told);
        event
    }
}

/// Waits until the counter of changes is not at this value.
async fn moved(changes: &mut Receiver<u64>, seen: u64) -> io::Result<()> {
    let moved = changes.wait_for(|&now| now != seen).await;
    moved.map(drop).map_err(|_| io::ErrorKind::BrokenPipe.into())
}

/// An event on the wire up to its processes. JSON on one line never breaks out of it.
fn beginning(complete: bool, overview: &Overview) -> String {
    let now = objects::now();
    let members = record([
        ("complete", Value::Bool(complete)),
        ("now", now.clone()),
        ("supervisor", objects::supervisor_at(overview, now)),
    ]);
    let members = json::write(&members);
    format!("event: status\ndata: {}, ", members.strip_suffix('}').unwrap_or_default())
}
