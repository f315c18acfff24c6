//! One server, as those see it who answer its requests.

use std::rc::Rc;

use super::auth::Gate;
use super::hosts::Names;
use super::hub::Hub;
use super::live::Audience;
use super::metrics::Latencies;
use super::origin::Token;
use super::pace::Timeouts;
use crate::core::states::Level;
use crate::daemon::handle::Handle;

/// One server, as its requests see it.
#[derive(Debug)]
pub(super) struct Site {
    /// The way into the house.
    pub(super) handle: Handle,
    /// Lines below it are not even composed.
    pub(super) threshold: Level,
    /// Which server it is, by its place in the configuration: each has plugins of its own.
    pub(super) server: usize,
    /// Who may ask.
    pub(super) gate: Gate,
    /// Under which names.
    pub(super) names: Names,
    /// Host and port in redirects for clients that do not say whom they asked.
    pub(super) authority: String,
    /// What the forms of our pages carry.
    pub(super) token: Token,
    pub(super) timeouts: Timeouts,
    /// The memory and the places of all connections.
    pub(super) hub: Rc<Hub>,
    /// Those who listen to the house.
    pub(super) audience: Audience,
    /// It answers `/metrics`.
    pub(super) metrics: bool,
    /// Where calls are counted, if any server answers that.
    pub(super) latencies: Option<Rc<Latencies>>,
}

impl Site {
    /// Writes a line to the main log if that takes such lines.
    pub(super) fn log(&self, level: Level, line: impl FnOnce() -> String) {
        if level >= self.threshold {
            self.handle.log(level, line());
        }
    }
}
