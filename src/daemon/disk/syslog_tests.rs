use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::super::HIGH_WATER_BYTES;
use super::super::testing::{block_on, eventually, start};
use super::*;
use crate::testing::TempDir;

fn bind(dir: &TempDir) -> UnixDatagram {
    let server = UnixDatagram::bind(dir.path("log")).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    server
}

/// What stands behind the time and the name.
fn receive(server: &UnixDatagram) -> String {
    let mut buffer = [0; 4096];
    let length = server.recv(&mut buffer).unwrap();
    let text = text::decode(&buffer[..length]);
    text.split_once(" supervisord: ").unwrap().1.to_string()
}

#[test]
fn every_line_is_a_message() {
    let dir = TempDir::new();
    let server = bind(&dir);
    let (disk, said) = start();
    let sink = disk.open_syslog(&dir.path("log"));
    sink.push("cat ", b"one\n\ntwo\xff\n\n".to_vec());
    sink.push("cat ", b"\n".to_vec());
    for expected in [b"cat one".as_slice(), b"cat ", b"cat two\xff", b"cat "] {
        assert_eq!(*text::encode(&receive(&server)), *expected);
    }
    disk.shutdown();
    assert_eq!(said.all(), []);
}

#[test]
fn lines_without_a_daemon_are_counted_and_that_is_said_once() {
    let dir = TempDir::new();
    let (disk, said) = start();
    let sink = disk.open_syslog(&dir.path("log"));
    for _ in 0..100 {
        sink.push("cat ", b"one\ntwo\n".to_vec());
    }
    block_on(disk.flush());
    assert_eq!(said.count("lines for it are lost until this is repaired"), 1);
    let server = bind(&dir);
    let mut lost = 200;
    eventually("the daemon is found", || {
        sink.push("cat ", b"again\n".to_vec());
        block_on(disk.flush());
        lost += 1;
        said.count("takes lines again") == 1
    });
    assert_eq!(said.count(&format!("takes lines again; {} were lost", lost - 1)), 1);
    assert_eq!(receive(&server), "cat again");
    disk.shutdown();
    assert_eq!(said.all().len(), 2);
}

#[test]
fn lines_that_never_found_a_daemon_are_counted_at_the_end() {
    let dir = TempDir::new();
    let (disk, said) = start();
    disk.open_syslog(&dir.path("log")).push("cat ", b"one\ntwo\n".to_vec());
    disk.shutdown();
    assert_eq!(said.count("2 lines for syslog at"), 1);
}

#[test]
fn a_daemon_that_takes_nothing_holds_back_who_prints_and_nothing_is_lost() {
    let dir = TempDir::new();
    let server = bind(&dir);
    let (disk, said) = start();
    let sink = disk.open_syslog(&dir.path("log"));
    let other = disk.open_syslog(&dir.path("log"));
    let mut sent = 0;
    while sink.push("cat ", vec![b'x'; 2000]) == Pushed::Accepted {
        sent += 1;
        assert!(sent < 10 * HIGH_WATER_BYTES / 2000, "without a bound");
    }
    sent += 1;
    assert_eq!(other.push("dog ", b"woof".to_vec()), Pushed::Accepted);
    let reader = std::thread::spawn(move || {
        let all: Vec<String> = (0..=sent).map(|_| receive(&server)).collect();
        (all, server)
    });
    block_on(sink.ready());
    let (all, _server) = reader.join().unwrap();
    assert_eq!(all.iter().filter(|line| line.len() == 2004).count(), sent);
    assert_eq!(all.last().unwrap(), "dog woof");
    disk.shutdown();
    assert_eq!(said.all(), []);
}

#[test]
fn what_nobody_takes_is_bounded_and_counted() {
    let dir = TempDir::new();
    let _server = bind(&dir);
    let (disk, said) = start();
    let sink = disk.open_syslog(&dir.path("log"));
    for _ in 0..100 {
        sink.push("cat ", vec![b'x'; 100_000]);
    }
    block_on(disk.flush());
    disk.shutdown();
    assert_eq!(said.count(" lines for syslog at"), 1);
}
