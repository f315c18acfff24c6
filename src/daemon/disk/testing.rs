//! What the tests of the log path share.

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use tokio::sync::oneshot;

use super::{Disk, Reports, SinkSpec};
use crate::core::states::Level;

/// Collects what the disk thread says.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<(Level, String)>>>);

impl Said {
    pub(crate) fn reports(&self) -> Reports {
        let said = self.clone();
        Box::new(move |level, text| said.0.lock().unwrap().push((level, text)))
    }

    pub(crate) fn all(&self) -> Vec<(Level, String)> {
        self.0.lock().unwrap().clone()
    }

    /// How many of the texts contain this.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|(_, text)| text.contains(part)).count()
    }
}

/// A disk thread and what it says.
pub(crate) fn start() -> (Disk, Said) {
    let said = Said::default();
    (Disk::start(said.reports()).unwrap(), said)
}

/// A log that never rotates.
pub(crate) fn plain(path: impl AsRef<Path>) -> SinkSpec {
    rotating(path, 0, 0)
}

/// A log that rotates.
pub(crate) fn rotating(path: impl AsRef<Path>, max_bytes: i64, backups: i64) -> SinkSpec {
    SinkSpec { path: path.as_ref().to_path_buf(), max_bytes, backups, owner: "cat stdout".into() }
}

/// Waits for a condition another thread makes true; fails after a minute.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..60_000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("never came true: {what}");
}

/// Runs a test on an event loop like the supervision thread's.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(std::time::Duration::from_secs(60), test).await.unwrap()
    })
}

/// A disk thread that is kept from its work until this is dropped.
pub(crate) struct Busy {
    _release: mpsc::Sender<()>,
    begun: oneshot::Receiver<()>,
}

impl Busy {
    /// Resolves when everything queued before is done.
    pub(crate) async fn begun(&mut self) {
        (&mut self.begun).await.unwrap();
    }
}

/// Keeps the disk thread busy, after what is queued.
pub(crate) fn occupy(disk: &Disk) -> Busy {
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel();
    disk.run(Box::new(move || {
        let _ = begin.send(()); // not every test waits for it
        let _ = released.recv(); // an error, when it is dropped
    }));
    Busy { _release: release, begun }
}
