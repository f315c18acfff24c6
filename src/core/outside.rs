//! The outside, as everything in the core meets it while one input is handled.

use std::collections::VecDeque;

use super::clock::Now;
use super::effect::{Caller, Effect, Host};
use super::event::Event;
use super::states::{Level, Mood};

/// The time, the verbs, and where effects and events go. There is one for each input, and whoever acts is handed it.
pub struct Outside<'a> {
    /// The present.
    pub now: Now,
    /// What the supervisor is doing, for processes: whether new ones may be started.
    pub mood: Mood,
    /// The verbs answered at once.
    pub host: &'a mut dyn Host,
    /// Effects to be carried out later, in order.
    pub effects: &'a mut VecDeque<Effect>,
    /// Events that have just occurred, in order; `None` while nobody listens.
    pub events: Option<Vec<Event>>,
    /// Who makes the call that acts, while one does.
    pub caller: Caller,
    /// Lines at level debug are written; of each event there are several.
    pub verbose: bool,
}

impl Outside<'_> {
    /// Has something done later.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// Writes a line to the main log.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.effect(Effect::Log(level, text.into()));
    }

    /// Writes a line that is worth making up only where it is read.
    pub fn debug(&mut self, text: impl FnOnce() -> String) {
        if self.verbose {
            self.log(Level::Debug, text());
        }
    }

    /// Something has occurred, for listeners.
    pub fn occurred(&mut self, event: impl FnOnce() -> Event) {
        if let Some(events) = &mut self.events {
            events.push(event());
        }
    }
}
