//! What the pumps read for the core: the answers of listeners, log events, captured text.
//!
//! One queue to the house. It is as long as the pumps that read at once, and a little more: whoever finds it full
//! waits before the next read, so the program behind it waits too, and nobody else.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;

use tokio::sync::Notify;

use crate::core::effect::Input;

/// Bytes queued beyond which pumps pause: a few reads.
const HIGH_WATER_BYTES: usize = 512 << 10;

/// What an entry counts besides its bytes, so that many small ones fill the queue too.
const ENTRY_BYTES: usize = 128;

/// The queue. Lives on the supervision thread.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    queue: RefCell<VecDeque<Input>>,
    bytes: Cell<usize>,
    /// What comes of the events finds no room.
    blocked: Cell<bool>,
    arrived: Notify,
    room: Notify,
}

impl Taps {
    /// Adds an input for the core.
    pub(crate) fn push(&self, input: Input) {
        self.bytes.set(self.bytes.get() + size(&input));
        self.queue.borrow_mut().push_back(input);
        self.arrived.notify_one();
    }

    /// The next input.
    pub(crate) fn take(&self) -> Option<Input> {
        let input = self.queue.borrow_mut().pop_front()?;
        let had_room = self.has_room();
        self.bytes.set(self.bytes.get().saturating_sub(size(&input)));
        if !had_room && self.has_room() {
            self.room.notify_waiters();
        }
        Some(input)
    }

    /// Makes [`Taps::arrived`] resolve once more.
    pub(crate) fn remind(&self) {
        self.arrived.notify_one();
    }

    /// Whether a pump may read on.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.get() < HIGH_WATER_BYTES && !self.blocked.get()
    }

    /// Lets no pump read on before `unblock`; what is queued already can be taken. `false` if that was so already.
    pub(crate) fn block(&self) -> bool {
        !self.blocked.replace(true)
    }

    /// Lets the pumps read on.
    pub(crate) fn unblock(&self) {
        self.blocked.set(false);
        self.room.notify_waiters();
    }

    /// Resolves when there is room.
    pub(crate) async fn room(&self) {
        while !self.has_room() {
            self.room.notified().await;
        }
    }

    /// Resolves when there may be something to take.
    pub(crate) fn arrived(&self) -> impl Future<Output = ()> + '_ {
        self.arrived.notified()
    }
}

fn size(input: &Input) -> usize {
    let bytes = match input {
        Input::ListenerBytes { bytes, .. } => bytes.len(),
        Input::ProcessLog { data, .. } | Input::Communication { data, .. } => data.len(),
        Input::Timer
        | Input::LeaderEnded { .. }
        | Input::PipeClosed { .. }
        | Input::GroupSeen { .. }
        | Input::Finished { .. }
        | Input::StrangerEnded { .. }
        | Input::Turn
        | Input::Call { .. }
        | Input::Hangup { .. }
        | Input::Signal(_)
        | Input::JobDone { .. } => 0,
    };
    bytes + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::core::effect::ProcId;
    use crate::daemon::disk::testing::block_on;

    fn chunk() -> Input {
        Input::ListenerBytes { proc: ProcId(1), bytes: vec![0; HIGH_WATER_BYTES / 2] }
    }

    #[test]
    fn a_full_queue_lets_nobody_read_on() {
        block_on(async {
            let taps = Rc::new(Taps::default());
            taps.push(chunk());
            assert!(taps.has_room());
            taps.push(chunk());
            assert!(!taps.has_room());
            let theirs = Rc::clone(&taps);
            let waiting = tokio::task::spawn_local(async move { theirs.room().await });
            taps.arrived().await;
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            assert!(taps.take().is_some());
            waiting.await.unwrap();
            assert!(taps.take().is_some());
            assert!(taps.take().is_none());
            assert_eq!(taps.bytes.get(), 0);
        });
    }
}
