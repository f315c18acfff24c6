//! What a check is doing, for who wonders why it takes so long: a name service or a mount may not answer.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// A step that takes longer is named.
const PATIENCE: Duration = Duration::from_secs(3);

/// The steps of a check.
pub(super) struct Steps(Sender<&'static str>);

impl Steps {
    /// Watches the steps from now on, until this goes. Where there can be no thread, nothing is said of them.
    pub(super) fn watch() -> Steps {
        let (sender, steps) = mpsc::channel();
        let watching = std::thread::Builder::new().spawn(move || {
            let mut step: Option<&str> = None;
            loop {
                let next = match step {
                    Some(_) => steps.recv_timeout(PATIENCE),
                    None => steps.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                step = match next {
                    Ok(next) => Some(next),
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let words = step.unwrap_or_default();
                        let _ = writeln!(io::stderr(), "supervisord --check: still {words}");
                        None
                    }
                };
            }
        });
        drop(watching);
        Steps(sender)
    }

    /// Begins a step, in words that follow "still".
    pub(super) fn begin(&self, step: &'static str) {
        let _ = self.0.send(step); // nobody watches: nothing is said
    }
}
