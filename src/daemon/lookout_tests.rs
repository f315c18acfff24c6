//! Tests of the lookout: who is woken, and what is left of those who leave.

use std::fs;
use std::io::Write;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;
use crate::daemon::disk::testing::{block_on, occupy, start};
use crate::testing::TempDir;

/// Runs a test with a directory and a lookout.
fn with_lookout(test: impl AsyncFn(&TempDir, &Lookout)) {
    let (dir, (disk, _)) = (TempDir::new(), start());
    block_on(async {
        let lookout = Lookout::new(&disk);
        test(&dir, &lookout).await;
    });
    disk.shutdown();
}

fn append(path: &Path) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(b"x").unwrap();
}

/// Whether it has heard of something that it was not asked about yet.
fn is_rung(watch: &Watch) -> bool {
    pin!(watch.changed()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn only_those_concerned_are_woken() {
    with_lookout(async |dir, lookout| {
        let [a, b] = ["a.log", "b.log"].map(|name| dir.path(name));
        append(&a);
        let (first, second) = (lookout.watch(&a).await.unwrap(), lookout.watch(&a).await.unwrap());
        let other = lookout.watch(&b).await.unwrap();
        assert_eq!(lookout.watches(), Some(2)); // the directory and one file
        // Events come in order: what is heard of last was told last.
        append(&dir.path("c.log"));
        append(&a);
        assert!(first.changed().await);
        assert!(second.changed().await);
        assert!(!is_rung(&other));
        append(&b);
        assert!(other.changed().await);
        assert!(!is_rung(&first) && !is_rung(&second));
    });
}

#[test]
fn one_that_leaves_takes_nothing_from_the_others() {
    with_lookout(async |dir, lookout| {
        let (a, b) = (dir.path("a.log"), dir.path("b.log"));
        append(&a);
        append(&b);
        let stays = lookout.watch(&a).await.unwrap();
        // One leaves while another comes, in either order; the disk thread hears of both at once.
        for leaves_first in [true, false] {
            let mut leaves = lookout.watch(&b).await;
            let busy = occupy(lookout.disk());
            if leaves_first {
                leaves = None;
            }
            let mut late = pin!(lookout.watch(&b));
            assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop((leaves, busy));
            let late = late.await.unwrap();
            lookout.disk().flush().await;
            append(&b);
            assert!(late.changed().await);
        }
        drop(lookout.watch(&a).await);
        let late = lookout.watch(&b).await.unwrap();
        lookout.disk().flush().await;
        assert_eq!(lookout.watches(), Some(3));
        append(&a);
        assert!(stays.changed().await);
        append(&b);
        assert!(late.changed().await);
        drop(stays);
        lookout.disk().flush().await;
        assert_eq!(lookout.watches(), Some(2));
        drop(late);
        lookout.disk().flush().await;
        assert_eq!(lookout.watches(), None);
        // And from the start.
        let next = lookout.watch(&a).await.unwrap();
        append(&a);
        assert!(next.changed().await);
    });
}

#[test]
fn a_watch_for_a_directory_is_not_replaced_by_one_for_a_file() {
    with_lookout(async |dir, lookout| {
        let (a, itself) = (dir.path("a.log"), dir.path("itself"));
        std::os::unix::fs::symlink(".", &itself).unwrap();
        let watch = lookout.watch(&a).await.unwrap();
        let odd = lookout.watch(&itself).await.unwrap();
        assert_eq!(lookout.watches(), Some(1));
        append(&a);
        assert!(watch.changed().await);
        drop(odd);
        lookout.disk().flush().await;
        fs::rename(&a, dir.path("b.log")).unwrap();
        fs::rename(dir.path("b.log"), &a).unwrap();
        assert!(watch.changed().await);
    });
}

#[test]
fn all_are_woken_when_events_got_lost() {
    with_lookout(async |dir, lookout| {
        let watches =
            [lookout.watch(&dir.path("a.log")).await, lookout.watch(&dir.path("b.log")).await]
                .map(Option::unwrap);
        let event = InotifyEvent {
            wd: watches[0].descriptors[0],
            mask: AddWatchFlags::IN_Q_OVERFLOW,
            cookie: 0,
            name: None,
        };
        watches[0].station.posts().hear(&event);
        for watch in watches {
            assert!(watch.changed().await);
        }
    });
}

#[test]
fn a_watch_that_dies_is_told() {
    with_lookout(async |dir, lookout| {
        let (sub, path) = (dir.path("sub"), dir.path("sub/a.log"));
        let is_lost = async |watch: &Watch| while watch.changed().await {};
        fs::create_dir(&sub).unwrap();
        append(&path);
        let watch = lookout.watch(&path).await.unwrap();
        fs::remove_dir_all(&sub).unwrap();
        is_lost(&watch).await;
        assert_eq!(lookout.watches(), Some(0));
        // The directory is there, but elsewhere.
        fs::create_dir(&sub).unwrap();
        let watch = lookout.watch(&path).await.unwrap();
        fs::rename(&sub, dir.path("moved")).unwrap();
        is_lost(&watch).await;
        // What has died takes nothing with it.
        let moved = lookout.watch(&dir.path("moved/a.log")).await.unwrap();
        drop(watch);
        lookout.disk().flush().await;
        append(&dir.path("moved/a.log"));
        assert!(moved.changed().await);
    });
}

#[test]
fn without_a_reader_there_is_nothing_to_wait_for() {
    with_lookout(async |dir, lookout| {
        let path = dir.path("a.log");
        append(&path);
        let watch = lookout.watch(&path).await.unwrap();
        watch.station.posts().go_deaf();
        assert!(!watch.changed().await);
        let next = lookout.watch(&path).await.unwrap();
        append(&path);
        assert!(next.changed().await);
    });
}
