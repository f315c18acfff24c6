//! Following a growing log file, for `/logtail` and `/mainlogtail`.
//!
//! The lookout tells when to look; the looking is done by the disk thread.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::disk::{Followed, Probe};
use super::lookout::{Lookout, Watch};

/// How much of the end of the file a follower starts with unless it asks for more or less (`http.py: logtail_handler`).
pub(crate) const HEAD_BYTES: u64 = 1024;

/// What a follower is told when the file became shorter (`http.py: tail_f_producer`).
const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// How often a file is looked at that cannot be watched, or whose path leads nowhere.
const FALLBACK_INTERVAL: Duration = Duration::from_secs(1);

/// A log file being followed.
#[derive(Debug)]
pub struct Follower {
    lookout: Lookout,
    path: PathBuf,
    file: Arc<Followed>,
    modified: SystemTime,
    position: u64,
    /// Whether the first bytes were asked for.
    started: bool,
    /// `None` when the file cannot be watched.
    watch: Option<Watch>,
}

impl Follower {
    /// Starts following a file, with its last `head_bytes`; `None` when there is no such regular file or it cannot be
    /// read.
    pub async fn open(lookout: &Lookout, path: &Path, head_bytes: u64) -> Option<Follower> {
        let file = Arc::new(lookout.disk().open_followed(path).await?);
        // Whatever happened before the watch was set is seen at the first look.
        let watch = lookout.watch(path).await;
        Some(Follower {
            lookout: lookout.clone(),
            path: path.to_path_buf(),
            modified: file.modified,
            position: file.size.saturating_sub(head_bytes),
            file,
            started: false,
            watch,
        })
    }

    /// Modification time of the file when it was opened, for `Last-Modified`.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    /// The next bytes: first the last ones of the file (at once, possibly empty), then whatever is added, as soon as
    /// it is; at most 64 KiB at a time. A truncated file yields `==> File truncated <==\n` first; of a rotated one
    /// the rest is read, then the new file from its start.
    ///
    /// # Errors
    /// When the file cannot be read any more, or the disk thread has ended.
    pub async fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let first = !std::mem::replace(&mut self.started, true);
            let probe = self.lookout.disk().probe(&self.file, &self.path, self.position).await;
            match probe.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))? {
                Probe::Data(bytes) => {
                    self.position += bytes.len() as u64;
                    return Ok(bytes);
                }
                Probe::Truncated => {
                    self.position = 0;
                    return Ok(TRUNCATED.to_vec());
                }
                Probe::Replaced(next) => {
                    // The old watch goes when there is a new one, so that what both see is watched throughout.
                    self.watch = self.lookout.watch(&self.path).await;
                    self.file = next;
                    self.position = 0;
                    self.started = !first;
                }
                Probe::Nothing | Probe::Missing if first => return Ok(Vec::new()),
                Probe::Nothing => self.changed().await,
                Probe::Missing => {
                    // The directory may be gone as well, of which nothing is heard while the file is open.
                    let _ = tokio::time::timeout(FALLBACK_INTERVAL, self.changed()).await;
                }
            }
        }
    }

    /// Resolves when there may be news.
    async fn changed(&mut self) {
        match &self.watch {
            Some(watch) => {
                if !watch.changed().await {
                    self.watch = None;
                }
            }
            None => tokio::time::sleep(FALLBACK_INTERVAL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    use super::*;
    use crate::daemon::disk::Disk;
    use crate::daemon::disk::testing::{Busy, block_on, occupy, plain, rotating, start};
    use crate::testing::TempDir;

    fn append(path: &Path, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    /// Everything up to `length` bytes.
    async fn gather(follower: &mut Follower, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            all.extend(follower.next().await.unwrap());
        }
        all
    }

    /// A place with a disk thread, where files can be watched or not.
    struct Scene {
        dir: TempDir,
        disk: Disk,
        lookout: Lookout,
        watched: bool,
    }

    impl Scene {
        /// Follows a file.
        async fn follow(&self, path: &Path) -> Follower {
            let follower = Follower::open(&self.lookout, path, HEAD_BYTES).await.unwrap();
            self.check(&follower);
            follower
        }

        /// Fails for a follower that looks regularly where it could be woken.
        fn check(&self, follower: &Follower) {
            assert_eq!(follower.watch.is_some(), self.watched);
        }

        /// How many descriptors of this process lead to a file.
        fn opened(path: &Path) -> usize {
            let descriptors = fs::read_dir("/proc/self/fd").unwrap();
            descriptors.filter(|entry| links_to(&entry.as_ref().unwrap().path(), path)).count()
        }
    }

    fn links_to(link: &Path, path: &Path) -> bool {
        fs::read_link(link).is_ok_and(|target| target == path) // another test may have closed it
    }

    /// Runs the same scenario with inotify and without.
    fn both_ways(scenario: impl AsyncFn(&Scene)) {
        for watched in [true, false] {
            let (disk, _) = start();
            let lookout = if watched { Lookout::new(&disk) } else { Lookout::blind(&disk) };
            let scene = Scene { dir: TempDir::new(), disk, lookout, watched };
            block_on(scenario(&scene));
            scene.disk.shutdown();
        }
    }

    #[test]
    fn starts_with_the_last_kilobyte_then_yields_additions() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            fs::write(&path, [b'a'; 3000]).unwrap();
            let mut follower = scene.follow(&path).await;
            assert_eq!(follower.modified(), fs::metadata(&path).unwrap().modified().unwrap());
            assert_eq!(follower.next().await.unwrap(), [b'a'; 1024]);
            let sink = scene.disk.open_sink(plain(&path));
            sink.push(b"new".to_vec());
            assert_eq!(follower.next().await.unwrap(), b"new");
            append(&path, &[b'b'; 200_000]);
            assert_eq!(gather(&mut follower, 200_000).await, [b'b'; 200_000]);
        });
    }

    #[test]
    fn an_empty_file_yields_nothing_first() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            append(&path, b"");
            let mut follower = scene.follow(&path).await;
            assert_eq!(follower.next().await.unwrap(), b"");
            append(&path, b"x");
            assert_eq!(follower.next().await.unwrap(), b"x");
        });
    }

    #[test]
    fn truncation_is_told() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            append(&path, b"long enough");
            let mut follower = scene.follow(&path).await;
            assert_eq!(follower.next().await.unwrap(), b"long enough");
            fs::write(&path, b"").unwrap();
            append(&path, b"short");
            assert_eq!(follower.next().await.unwrap(), TRUNCATED);
            assert_eq!(follower.next().await.unwrap(), b"short");
        });
    }

    #[test]
    fn rotation_loses_nothing() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            let sink = scene.disk.open_sink(rotating(&path, 10, 5));
            scene.disk.flush().await;
            let mut follower = scene.follow(&path).await;
            assert_eq!(follower.next().await.unwrap(), b"");
            for round in ["0123456789", "abcdefghijk", "end"] {
                sink.push(round.as_bytes().to_vec());
                assert_eq!(gather(&mut follower, round.len()).await, round.as_bytes());
            }
            for round in ["--a-reader", "--slower---", "--than---", "--rotation"] {
                sink.push(round.as_bytes().to_vec());
            }
            scene.disk.flush().await;
            let expected = b"--a-reader--slower-----than-----rotation";
            assert_eq!(gather(&mut follower, expected.len()).await, expected);
            // The watch followed too.
            sink.push(b"!".to_vec());
            assert_eq!(follower.next().await.unwrap(), b"!");
            scene.check(&follower);
        });
    }

    #[test]
    fn what_cannot_be_followed() {
        let dir = TempDir::new();
        let (disk, _) = start();
        block_on(async {
            let lookout = Lookout::new(&disk);
            let open = |path: PathBuf| {
                let lookout = lookout.clone();
                async move { Follower::open(&lookout, &path, HEAD_BYTES).await }
            };
            for path in [dir.path("missing"), dir.path(""), "/dev/null".into()] {
                assert!(open(path).await.is_none());
            }
            assert_eq!(lookout.watches(), None);
            append(&dir.path("cat.log"), b"x");
            let mut follower = open(dir.path("cat.log")).await.unwrap();
            disk.shutdown();
            assert!(follower.next().await.is_err());
        });
    }

    /// Appends to a file, and expects a follower that sleeps to hear of it.
    async fn hears(scene: &Scene, follower: &mut Follower, path: &Path) {
        {
            let mut next = pin!(follower.next());
            fall_asleep(scene, next.as_mut()).await;
            append(path, b"news");
            assert_eq!(next.await.unwrap(), b"news");
        }
        scene.check(follower);
    }

    /// Asks a follower for what comes next until it sleeps.
    async fn fall_asleep(scene: &Scene, mut next: Pin<&mut impl Future>) {
        // Each time it is either asleep or waits for the disk thread once more.
        for _ in 0..5 {
            assert!(is_pending(next.as_mut()));
            scene.disk.flush().await;
        }
    }

    /// Asks a future once.
    fn is_pending(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Asks a future, then lets the disk thread do what that wants of it, and no more.
    async fn step(disk: &Disk, busy: Busy, future: Pin<&mut impl Future>) -> Busy {
        assert!(is_pending(future));
        let mut later = occupy(disk);
        drop(busy);
        later.begun().await;
        later
    }

    #[test]
    fn followers_of_one_directory_leave_each_other_alone() {
        both_ways(async |scene| {
            let (x, y) = (scene.dir.path("x.log"), scene.dir.path("y.log"));
            append(&x, b"");
            append(&y, b"");
            let mut leaves = scene.follow(&x).await;
            let mut stays = scene.follow(&x).await;
            let mut other = scene.follow(&y).await;
            assert_eq!((Scene::opened(&x), Scene::opened(&y)), (2, 1));
            for follower in [&mut leaves, &mut stays, &mut other] {
                assert_eq!(follower.next().await.unwrap(), b"");
            }
            drop(leaves);
            scene.disk.flush().await;
            assert_eq!(Scene::opened(&x), 1);
            hears(scene, &mut stays, &x).await;
            hears(scene, &mut other, &y).await;
            // Both are heard of by name as well.
            for (path, follower) in [(&x, &mut stays), (&y, &mut other)] {
                fs::rename(path, scene.dir.path("old.log")).unwrap();
                append(path, b"another");
                assert_eq!(follower.next().await.unwrap(), b"another");
                hears(scene, follower, path).await;
            }
            drop(stays);
            scene.disk.flush().await;
            hears(scene, &mut other, &y).await;
            drop(other);
            scene.disk.flush().await;
            assert_eq!((Scene::opened(&x), Scene::opened(&y)), (0, 0));
            assert_eq!(scene.lookout.watches(), None);
        });
    }

    #[test]
    fn a_directory_may_be_missing_for_a_moment() {
        both_ways(async |scene| {
            let (sub, path) = (scene.dir.path("sub"), scene.dir.path("sub/cat.log"));
            fs::create_dir(&sub).unwrap();
            append(&path, b"one");
            let mut follower = scene.follow(&path).await;
            assert_eq!(follower.next().await.unwrap(), b"one");
            for (text, remove) in [("deleted", true), ("moved", false)] {
                let mut next = pin!(follower.next());
                fall_asleep(scene, next.as_mut()).await;
                if remove {
                    fs::remove_dir_all(&sub).unwrap();
                } else {
                    fs::rename(&sub, scene.dir.path("elsewhere")).unwrap();
                }
                // It has heard of that, and there is nothing to be seen.
                scene.disk.flush().await;
                fall_asleep(scene, next.as_mut()).await;
                fs::create_dir(&sub).unwrap();
                append(&path, text.as_bytes());
                assert_eq!(next.await.unwrap(), text.as_bytes());
            }
            hears(scene, &mut follower, &path).await;
        });
    }

    #[test]
    fn a_busy_disk_holds_up_nobody() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            append(&path, b"");
            // First it opens the file, then it sets the watches; both wait for the disk thread.
            let mut opening = pin!(Follower::open(&scene.lookout, &path, HEAD_BYTES));
            let busy = step(&scene.disk, occupy(&scene.disk), opening.as_mut()).await;
            assert_eq!(Scene::opened(&path), 1);
            assert_eq!(is_pending(opening.as_mut()), scene.watched);
            assert_eq!(scene.lookout.watches(), scene.watched.then_some(0));
            drop(busy);
            if scene.watched {
                let follower = opening.await.unwrap();
                assert_eq!(scene.lookout.watches(), Some(2));
                // It is closed and given back there, too.
                let mut busy = occupy(&scene.disk);
                busy.begun().await;
                drop(follower);
                assert_eq!((Scene::opened(&path), scene.lookout.watches()), (1, Some(2)));
                drop(busy);
                scene.disk.flush().await;
                assert_eq!((Scene::opened(&path), scene.lookout.watches()), (0, None));
            }
        });
    }

    #[test]
    fn one_that_leaves_early_keeps_nothing() {
        both_ways(async |scene| {
            let path = scene.dir.path("cat.log");
            append(&path, b"");
            // What the disk thread does for it: it opens the file and sets the watches.
            let jobs = if scene.watched { 2 } else { 1 };
            for done in 0..=jobs {
                let mut opening = Box::pin(Follower::open(&scene.lookout, &path, HEAD_BYTES));
                let mut busy = occupy(&scene.disk);
                for _ in 0..done {
                    busy = step(&scene.disk, busy, opening.as_mut()).await;
                }
                assert!(done == jobs || is_pending(opening.as_mut()));
                drop(opening);
                drop(busy);
                // What it asked for is done by the first, what that gives back by the second.
                scene.disk.flush().await;
                scene.disk.flush().await;
                assert_eq!((Scene::opened(&path), scene.lookout.watches()), (0, None), "{done}");
            }
        });
    }
}
