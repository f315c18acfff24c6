//! The lookout: one inotify instance that tells all followers of files when to look.
//!
//! Watches are set and given back on the disk thread alone, since a dead network file system never answers when a path
//! is looked up. That thread does one thing after the other, so that no removal can undo a watch that another follower
//! has just been given: the kernel hands out one watch per file and instance, whoever asks. Events are read on the
//! supervision thread, by a task that exists while somebody watches, and so does the instance.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::errno::Errno;
use nix::libc;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, oneshot};

use super::disk::Disk;
use crate::sys;

/// What is watched of a directory: which names get a file, and whether its own path leads elsewhere from now on.
const NAMES: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ONLYDIR);

/// What is watched of a file: what is written, and whether it is deleted, which changes its count of links.
const BYTES: AddWatchFlags = AddWatchFlags::IN_MODIFY.union(AddWatchFlags::IN_ATTRIB);

/// Adds to what is watched of the same file already, whatever somebody else wants to know of it.
const ADD: AddWatchFlags = AddWatchFlags::from_bits_retain(libc::IN_MASK_ADD);

/// Where followers get their watches. Clones share what they see; it belongs to the supervision thread.
#[derive(Clone, Debug)]
pub struct Lookout {
    disk: Disk,
    make: fn() -> nix::Result<Inotify>,
    /// Alive as long as there are watches.
    station: Rc<RefCell<Weak<Station>>>,
}

impl Lookout {
    /// A lookout whose watches are set by this disk thread. It costs nothing until the first is.
    pub fn new(disk: &Disk) -> Lookout {
        Lookout::with(disk, || Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK))
    }

    /// As [`Lookout::new`], with another source of instances.
    pub(super) fn with(disk: &Disk, make: fn() -> nix::Result<Inotify>) -> Lookout {
        Lookout { disk: disk.clone(), make, station: Rc::default() }
    }

    /// The disk thread that sets the watches.
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Watches the file that has the path now, and its directory for another file of that name. Whatever happens after
    /// this resolves is heard of. `None` when the system has no instance or watch left, or does not watch that place.
    pub(super) async fn watch(&self, path: &Path) -> Option<Watch> {
        let station = self.station()?;
        let (disk, path) = (self.disk.clone(), path.to_path_buf());
        self.disk.ask(move || Watch::set(station, disk, &path).ok()).await.flatten()
    }

    /// The instance in use, or a new one with its reader.
    fn station(&self) -> Option<Arc<Station>> {
        let mut current = self.station.borrow_mut();
        if let Some(station) = current.upgrade()
            && !station.posts().deaf
        {
            return Some(station);
        }
        let inotify = Arc::new((self.make)().ok()?);
        let readable =
            sys::watch(inotify.as_fd().try_clone_to_owned().ok()?, Interest::READABLE).ok()?;
        let posts = Arc::<Mutex<Posts>>::default();
        let (in_use, unused) = oneshot::channel();
        let ears = Ears { inotify: Arc::clone(&inotify), readable, posts: Arc::clone(&posts) };
        tokio::task::spawn_local(ears.listen(unused));
        let station = Arc::new(Station { inotify, posts, _in_use: in_use });
        *current = Arc::downgrade(&station);
        Some(station)
    }
}

/// An inotify instance and those who watch with it. Its reader ends with it.
#[derive(Debug)]
struct Station {
    inotify: Arc<Inotify>,
    posts: Arc<Mutex<Posts>>,
    /// Closes with the last watch.
    _in_use: oneshot::Sender<()>,
}

impl Station {
    fn posts(&self) -> MutexGuard<'_, Posts> {
        lock(&self.posts)
    }

    /// Sets a watch for somebody, on the disk thread; of a directory for one name only.
    fn set(
        &self,
        path: &Path,
        wanted: AddWatchFlags,
        bell: &Arc<Bell>,
        name: Option<OsString>,
    ) -> Result<WatchDescriptor, Errno> {
        self.posts().died = Some(Vec::new());
        // Not under the lock: this may take for ever, and the reader is not to wait for it.
        let set = self.inotify.add_watch(path, wanted | ADD);
        let mut posts = self.posts();
        let died = posts.died.take().unwrap_or_default();
        let descriptor = set?;
        if died.contains(&descriptor) {
            return Err(Errno::ENOENT);
        }
        if posts.deaf {
            return Err(Errno::EBADF);
        }
        let post = Post { bell: Arc::clone(bell), name };
        posts.by_descriptor.entry(descriptor).or_default().push(post);
        Ok(descriptor)
    }

    /// Gives back somebody's watches, on the disk thread.
    fn give_back(&self, bell: &Arc<Bell>, descriptors: &[WatchDescriptor]) {
        for descriptor in descriptors {
            if self.posts().leave(bell, *descriptor) {
                let _ = self.inotify.rm_watch(*descriptor); // it may have died, and nobody heard of it yet
            }
        }
    }
}

/// Who watches what.
#[derive(Debug, Default)]
struct Posts {
    by_descriptor: HashMap<WatchDescriptor, Vec<Post>>,
    /// The watches that died since the disk thread began to set one: it may be among them.
    died: Option<Vec<WatchDescriptor>>,
    /// Nobody reads events any more.
    deaf: bool,
}

/// One who watches something.
#[derive(Debug)]
struct Post {
    bell: Arc<Bell>,
    /// The name that matters, for a directory.
    name: Option<OsString>,
}

impl Posts {
    /// Wakes those whom an event concerns.
    fn hear(&mut self, event: &InotifyEvent) {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            // Whatever it was that got lost.
            self.by_descriptor.values().flatten().for_each(|post| post.bell.ring());
        } else if event.mask.contains(AddWatchFlags::IN_IGNORED) {
            if let Some(died) = &mut self.died {
                died.push(event.wd);
            }
            let posts = self.by_descriptor.remove(&event.wd).unwrap_or_default();
            posts.iter().for_each(|post| post.bell.lose());
        } else {
            let moved = event.mask.contains(AddWatchFlags::IN_MOVE_SELF);
            for post in self.by_descriptor.get(&event.wd).into_iter().flatten() {
                if moved {
                    post.bell.lose();
                } else if post.name.is_none() || post.name == event.name {
                    post.bell.ring();
                }
            }
        }
    }

    /// Removes somebody from those who watch something; true when nobody is left.
    fn leave(&mut self, bell: &Arc<Bell>, descriptor: WatchDescriptor) -> bool {
        let Some(posts) = self.by_descriptor.get_mut(&descriptor) else {
            return false;
        };
        posts.retain(|post| !Arc::ptr_eq(&post.bell, bell));
        let empty = posts.is_empty();
        if empty {
            self.by_descriptor.remove(&descriptor);
        }
        empty
    }

    /// Tells all that nobody will hear anything any more.
    fn go_deaf(&mut self) {
        self.deaf = true;
        self.by_descriptor.values().flatten().for_each(|post| post.bell.lose());
    }
}

fn lock(posts: &Mutex<Posts>) -> MutexGuard<'_, Posts> {
    posts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reader of events.
#[derive(Debug)]
struct Ears {
    inotify: Arc<Inotify>,
    /// The same instance, as the event loop knows it.
    readable: AsyncFd<OwnedFd>,
    posts: Arc<Mutex<Posts>>,
}

impl Ears {
    /// Wakes followers until the instance is out of use.
    async fn listen(self, unused: oneshot::Receiver<()>) {
        tokio::select! {
            () = self.hear() => {}
            _ = unused => {}
        }
        lock(&self.posts).go_deaf();
    }

    /// Wakes followers until there is nothing to be read any more.
    async fn hear(&self) {
        while let Ok(mut guard) = self.readable.readable().await {
            match self.inotify.read_events() {
                Ok(events) => {
                    let mut posts = lock(&self.posts);
                    events.iter().for_each(|event| posts.hear(event));
                }
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
            // However much happens to the files, others get their turn.
            tokio::task::yield_now().await;
        }
    }
}

/// What wakes one follower.
#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    /// Part of what is watched will not be heard of again.
    lost: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        self.rung.notify_one();
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.ring();
    }
}

/// The watches of one follower: of a file, and of the file's name. Dropping it gives them back.
#[derive(Debug)]
pub(super) struct Watch {
    disk: Disk,
    station: Arc<Station>,
    bell: Arc<Bell>,
    descriptors: Vec<WatchDescriptor>,
}

impl Watch {
    /// Sets the watches, on the disk thread.
    fn set(station: Arc<Station>, disk: Disk, path: &Path) -> Result<Watch, Errno> {
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_os_string();
        let mut watch = Watch { disk, station, bell: Arc::default(), descriptors: Vec::new() };
        watch.add(directory, NAMES, Some(name))?;
        match watch.add(path, BYTES, None) {
            // It is watched when it comes.
            Ok(()) | Err(Errno::ENOENT) => Ok(watch),
            Err(error) => Err(error),
        }
    }

    fn add(
        &mut self,
        path: &Path,
        wanted: AddWatchFlags,
        name: Option<OsString>,
    ) -> Result<(), Errno> {
        self.descriptors.push(self.station.set(path, wanted, &self.bell, name)?);
        Ok(())
    }

    /// Resolves when something happened to the file or to its name since this last resolved; false when this watch
    /// will not hear of everything any more, e.g. because the directory is gone.
    pub(super) async fn changed(&self) -> bool {
        self.bell.rung.notified().await;
        !self.bell.lost.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (station, bell) = (Arc::clone(&self.station), Arc::clone(&self.bell));
        let descriptors = std::mem::take(&mut self.descriptors);
        self.disk.run(Box::new(move || station.give_back(&bell, &descriptors)));
    }
}

#[cfg(test)]
impl Lookout {
    /// As on a system that has no instance left.
    pub(super) fn blind(disk: &Disk) -> Lookout {
        Lookout::with(disk, || Err(Errno::EMFILE))
    }

    /// How many watches the kernel keeps for it; `None` while there is no instance.
    pub(super) fn watches(&self) -> Option<usize> {
        use std::os::fd::AsRawFd;
        let station = self.station.borrow().upgrade()?;
        let info = format!("/proc/self/fdinfo/{}", station.inotify.as_fd().as_raw_fd());
        let info = std::fs::read_to_string(info).unwrap();
        Some(info.lines().filter(|line| line.starts_with("inotify ")).count())
    }
}

#[cfg(test)]
#[path = "lookout_tests.rs"]
mod tests;
