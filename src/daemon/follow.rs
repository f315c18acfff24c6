//! Following a growing log file, for `/logtail` and `/mainlogtail`.
//!
//! inotify tells when to look; the looking is done by the disk thread.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::disk::{Disk, Followed, Probe};
use crate::sys;

/// How much of the end of the file a follower starts with unless it asks for more or less (`http.py: logtail_handler`).
pub const HEAD_BYTES: u64 = 1024;

/// What a follower is told when the file became shorter (`http.py: tail_f_producer`).
const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// How often a file is looked at when the system has no inotify instance left.
const FALLBACK_INTERVAL: Duration = Duration::from_secs(1);

/// A log file being followed.
#[derive(Debug)]
pub struct Follower {
    disk: Disk,
    path: PathBuf,
    file: Arc<Followed>,
    modified: SystemTime,
    position: u64,
    /// Whether the first bytes were asked for.
    started: bool,
    watch: Option<Watch>,
}

impl Follower {
    /// Starts following a file, with its last `head_bytes`; `None` when there is no such regular file or it cannot be
    /// read.
    pub async fn open(disk: &Disk, path: &Path, head_bytes: u64) -> Option<Follower> {
        // The watch comes first, so that nothing happens unseen between it and the first look.
        let watch = Watch::new(path).ok();
        let file = Arc::new(disk.open_followed(path).await?);
        Some(Follower {
            disk: disk.clone(),
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
            let probe = self.disk.probe(&self.file, &self.path, self.position).await;
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
                    self.file = next;
                    self.position = 0;
                    // A watch that cannot be moved would never wake: look regularly instead.
                    if self.watch.as_mut().is_some_and(|watch| watch.renew(&self.path).is_err()) {
                        self.watch = None;
                    }
                    self.started = !first;
                }
                Probe::Nothing if first => return Ok(Vec::new()),
                Probe::Nothing => self.changed().await,
            }
        }
    }

    /// Resolves when there may be news.
    async fn changed(&mut self) {
        match &mut self.watch {
            Some(watch) => {
                if watch.changed().await.is_err() {
                    self.watch = None;
                }
            }
            None => tokio::time::sleep(FALLBACK_INTERVAL).await,
        }
    }
}

/// Watches a file, and its directory for another file of its name.
#[derive(Debug)]
struct Watch {
    inotify: Inotify,
    /// The same instance, as the event loop knows it.
    readable: AsyncFd<OwnedFd>,
    file_name: OsString,
    file: Option<WatchDescriptor>,
}

impl Watch {
    fn new(path: &Path) -> io::Result<Watch> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let readable = sys::watch(inotify.as_fd().try_clone_to_owned()?, Interest::READABLE)?;
        let file_name = path.file_name().unwrap_or_default().to_os_string();
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let arrivals = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        inotify.add_watch(directory, arrivals | AddWatchFlags::IN_ONLYDIR)?;
        let mut watch = Watch { inotify, readable, file_name, file: None };
        watch.renew(path)?;
        Ok(watch)
    }

    /// Watches the file that has the path now, and no other. A file that is missing is watched when it comes.
    fn renew(&mut self, path: &Path) -> io::Result<()> {
        if let Some(old) = self.file.take() {
            let _ = self.inotify.rm_watch(old); // gone already when the file is deleted
        }
        match self.inotify.add_watch(path, AddWatchFlags::IN_MODIFY) {
            Ok(watch) => self.file = Some(watch),
            Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Resolves when something happened to the file or to its name.
    async fn changed(&mut self) -> io::Result<()> {
        loop {
            let mut guard = self.readable.readable().await?;
            match self.inotify.read_events() {
                Ok(events) => {
                    let ours = events.iter().any(|event| {
                        event.name.as_ref().is_none_or(|name| *name == self.file_name)
                    });
                    if ours {
                        return Ok(());
                    }
                }
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::daemon::disk::testing::{block_on, plain, rotating, start};
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

    /// Runs the same scenario with inotify and without.
    fn both_ways(scenario: impl AsyncFn(&Disk, &TempDir, &dyn Fn(Follower) -> Follower)) {
        for without in [false, true] {
            let dir = TempDir::new();
            let (disk, _) = start();
            let prepare = move |mut follower: Follower| {
                assert!(follower.watch.is_some());
                if without {
                    follower.watch = None;
                }
                follower
            };
            block_on(scenario(&disk, &dir, &prepare));
            disk.shutdown();
        }
    }

    #[test]
    fn starts_with_the_last_kilobyte_then_yields_additions() {
        both_ways(async |disk, dir, prepare| {
            let path = dir.path("cat.log");
            fs::write(&path, [b'a'; 3000]).unwrap();
            let mut follower = prepare(Follower::open(disk, &path, HEAD_BYTES).await.unwrap());
            assert_eq!(follower.modified(), fs::metadata(&path).unwrap().modified().unwrap());
            assert_eq!(follower.next().await.unwrap(), [b'a'; 1024]);
            let sink = disk.open_sink(plain(&path));
            sink.push(b"new".to_vec());
            assert_eq!(follower.next().await.unwrap(), b"new");
            append(&path, &[b'b'; 200_000]);
            assert_eq!(gather(&mut follower, 200_000).await, [b'b'; 200_000]);
        });
    }

    #[test]
    fn an_empty_file_yields_nothing_first() {
        both_ways(async |disk, dir, prepare| {
            let path = dir.path("cat.log");
            append(&path, b"");
            let mut follower = prepare(Follower::open(disk, &path, HEAD_BYTES).await.unwrap());
            assert_eq!(follower.next().await.unwrap(), b"");
            append(&path, b"x");
            assert_eq!(follower.next().await.unwrap(), b"x");
        });
    }

    #[test]
    fn truncation_is_told() {
        both_ways(async |disk, dir, prepare| {
            let path = dir.path("cat.log");
            append(&path, b"long enough");
            let mut follower = prepare(Follower::open(disk, &path, HEAD_BYTES).await.unwrap());
            assert_eq!(follower.next().await.unwrap(), b"long enough");
            fs::write(&path, b"").unwrap();
            append(&path, b"short");
            assert_eq!(follower.next().await.unwrap(), TRUNCATED);
            assert_eq!(follower.next().await.unwrap(), b"short");
        });
    }

    #[test]
    fn rotation_loses_nothing() {
        both_ways(async |disk, dir, prepare| {
            let path = dir.path("cat.log");
            let sink = disk.open_sink(rotating(&path, 10, 5));
            disk.flush().await;
            let mut follower = prepare(Follower::open(disk, &path, HEAD_BYTES).await.unwrap());
            assert_eq!(follower.next().await.unwrap(), b"");
            for round in ["0123456789", "abcdefghijk", "end"] {
                sink.push(round.as_bytes().to_vec());
                assert_eq!(gather(&mut follower, round.len()).await, round.as_bytes());
            }
            for round in ["--a-reader", "--slower---", "--than---", "--rotation"] {
                sink.push(round.as_bytes().to_vec());
            }
            disk.flush().await;
            let expected = b"--a-reader--slower-----than-----rotation";
            assert_eq!(gather(&mut follower, expected.len()).await, expected);
            // The watch followed too.
            sink.push(b"!".to_vec());
            assert_eq!(follower.next().await.unwrap(), b"!");
        });
    }

    #[test]
    fn what_cannot_be_followed() {
        let dir = TempDir::new();
        let (disk, _) = start();
        block_on(async {
            assert!(Follower::open(&disk, &dir.path("missing"), HEAD_BYTES).await.is_none());
            assert!(Follower::open(&disk, &dir.path(""), HEAD_BYTES).await.is_none());
            assert!(Follower::open(&disk, Path::new("/dev/null"), HEAD_BYTES).await.is_none());
            append(&dir.path("cat.log"), b"x");
            let mut follower =
                Follower::open(&disk, &dir.path("cat.log"), HEAD_BYTES).await.unwrap();
            disk.shutdown();
            assert!(follower.next().await.is_err());
        });
    }
}
