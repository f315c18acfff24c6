//! Who does the work of the disk: a thread, or the supervision thread where the system allows no other.
//!
//! Old container runtimes answer EPERM to system calls they do not know, clone3 among them, and with a recent C library
//! no thread can be started then. The reference needs none. There, the supervision thread does the work itself between
//! other things; a disk that hangs holds up everything, as it does with the reference.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{Builder, JoinHandle};

use nix::sys::signal::SigSet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::queue::Queue;
use super::thread::{DiskWork, Next};
use super::{Disk, Reports, SHUTDOWN_BOUND, errno_text};
use crate::core::states::Level;
use crate::sys;

/// Whoever does the work, and how to hear of its end.
pub(super) enum Lane {
    Thread {
        thread: JoinHandle<()>,
        /// Disconnects when the thread ends.
        ended: mpsc::Receiver<()>,
    },
    /// Done by [`Disk::work_here`], and the rest at the end.
    Here(Arc<Mutex<DiskWork>>),
    /// It has ended.
    Closed,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Lane::Thread { .. } => "Thread",
            Lane::Here(_) => "Here",
            Lane::Closed => "Closed",
        })
    }
}

impl Lane {
    /// A thread if there can be one; if not, that is said.
    pub(super) fn start(queue: &Arc<Queue>, reports: Reports) -> Lane {
        let work = Arc::new(Mutex::new(DiskWork::new(reports)));
        let (alive, ended) = mpsc::channel();
        let (theirs, their_work) = (Arc::clone(queue), Arc::clone(&work));
        let started = Builder::new().name("disk".to_string()).spawn(move || {
            // Signals are the supervision thread's business; and a write to a closed pipe or beyond a file size limit
            // must be an error here, whatever the dispositions are.
            let _ = SigSet::all().thread_block();
            lock(&their_work).run(&theirs);
            drop(alive);
        });
        match started {
            Ok(thread) => Lane::Thread { thread, ended },
            Err(error) => {
                lock(&work).report_no_thread(&errno_text(&error));
                Lane::Here(work)
            }
        }
    }

    /// Waits for the end of the thread, or does what is left.
    pub(super) fn finish(self, queue: &Queue) {
        match self {
            Lane::Thread { thread, ended } => {
                if ended.recv_timeout(SHUTDOWN_BOUND) == Err(RecvTimeoutError::Disconnected) {
                    let _ = thread.join(); // only a panic makes it an error, and there is nobody left to tell
                }
            }
            Lane::Here(work) => lock(&work).run(queue),
            Lane::Closed => {}
        }
    }
}

fn lock(work: &Mutex<DiskWork>) -> MutexGuard<'_, DiskWork> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Does the work of the disk on the current thread, as a task of its event loop, if no thread does it.
    ///
    /// # Errors
    /// When the event loop takes no more descriptors.
    pub fn work_here(&self) -> io::Result<()> {
        let work = match &*self.lane.lock().unwrap_or_else(PoisonError::into_inner) {
            Lane::Here(work) => Arc::clone(work),
            Lane::Thread { .. } | Lane::Closed => return Ok(()),
        };
        let queue = Arc::clone(&self.queue);
        let wake = sys::watch(queue.wake_fd().try_clone_to_owned()?, Interest::READABLE)?;
        tokio::task::spawn_local(async move {
            while lock(&work).process(queue.take()) == Next::GoOn {
                let parked = lock(&work).parked_fds();
                wait(&wake, parked).await;
                lock(&work).resume_parked();
                // So that a flood of output leaves others their turn.
                tokio::task::yield_now().await;
            }
        });
        Ok(())
    }
}

/// Waits for messages or for a parked target.
async fn wait(wake: &AsyncFd<OwnedFd>, parked: Vec<OwnedFd>) {
    // What cannot be watched is looked at when something else happens.
    let watch = |fd| sys::watch(fd, Interest::WRITABLE).ok();
    let parked: Vec<AsyncFd<OwnedFd>> = parked.into_iter().filter_map(watch).collect();
    std::future::poll_fn(|context| {
        if let Poll::Ready(ready) = wake.poll_read_ready(context) {
            if let Ok(mut ready) = ready {
                ready.clear_ready(); // it is read before the queue is looked at again
            }
            return Poll::Ready(());
        }
        let writable = |fd: &AsyncFd<OwnedFd>| fd.poll_write_ready(context).is_ready();
        if parked.iter().any(writable) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl DiskWork {
    fn report_no_thread(&self, why: &str) {
        let text = format!(
            "cannot start a thread ({why}); logs are written between other things, and a disk that hangs holds up \
             everything"
        );
        self.report(Level::Warn, text);
    }
}
