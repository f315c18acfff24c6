//! Tests of the pumps.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe2};

use super::*;
use crate::daemon::disk::Disk;
use crate::daemon::disk::testing::{block_on, plain, start};
use crate::daemon::mainlog::{Destination, Echo, MainLogSpec};
use crate::testing::TempDir;

fn main_log(dir: &TempDir, threshold: Level) -> MainLog {
    let destination = Destination::File { path: dir.path("main.log"), max_bytes: 0, backups: 0 };
    MainLog::create(MainLogSpec { threshold, destination, echo: Echo::None }).unwrap()
}

fn config(log: Option<Sink>) -> PumpConfig {
    PumpConfig {
        program: "cat".to_string(),
        channel: Channel::Stdout,
        log,
        syslog: None,
        strip_ansi: Rc::new(Cell::new(false)),
        proc: ProcId(1),
        role: Role::Output { capture: None, events: false },
        taps: Rc::default(),
    }
}

fn child_pipe() -> (OwnedFd, std::fs::File) {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
    (reader, std::fs::File::from(writer))
}

/// Lets the pumps run until the file has this content.
async fn until(disk: &Disk, path: &Path, expected: &[u8]) {
    loop {
        disk.flush().await;
        match std::fs::read(path) {
            Ok(found) if found == expected => return,
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

#[test]
fn output_reaches_the_log_while_the_child_lives() {
    let dir = TempDir::new();
    let (disk, said) = start();
    block_on(async {
        let path = dir.path("cat.log");
        let (reader, mut child) = child_pipe();
        let config = config(Some(disk.open_sink(plain(&path))));
        let strip = Rc::clone(&config.strip_ansi);
        let pump = OutputPump::start(reader, config, main_log(&dir, Level::Info)).unwrap();
        child.write_all(b"\x1b[31mone\n").unwrap();
        until(&disk, &path, b"\x1b[31mone\n").await;
        strip.set(true);
        child.write_all(b"\x1b[31mtwo\n").unwrap();
        until(&disk, &path, b"\x1b[31mone\ntwo\n").await;
        pump.clear().await.unwrap();
        child.write_all(b"three\n").unwrap();
        until(&disk, &path, b"three\n").await;
        drop(child);
        pump.drain_and_close();
    });
    disk.shutdown();
    assert_eq!(said.all(), []);
}

#[test]
fn the_last_words_are_drained_at_once() {
    let dir = TempDir::new();
    let (disk, _) = start();
    block_on(async {
        let (reader, mut child) = child_pipe();
        let log = Some(disk.open_sink(plain(dir.path("cat.log"))));
        let pump = OutputPump::start(reader, config(log), main_log(&dir, Level::Info)).unwrap();
        child.write_all(b"last words").unwrap();
        // The pump's task has never run, and a grandchild still holds the pipe.
        pump.drain_and_close();
        let error = child.write_all(b"nobody reads").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
    disk.shutdown();
    assert_eq!(std::fs::read(dir.path("cat.log")).unwrap(), b"last words");
}

#[test]
fn a_stuck_log_stops_the_reading_and_loses_nothing() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let (disk, said) = start();
    block_on(async {
        let (reader, mut child) = child_pipe();
        fcntl(&child, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let log = Some(disk.open_sink(plain(&path)));
        let pump = OutputPump::start(reader, config(log), main_log(&dir, Level::Info)).unwrap();
        let mut written = 0;
        let mut dry_turns = 0;
        // The program is stopped when its pipe stays full although the pump had every chance to read.
        while dry_turns < 200 {
            match child.write(&[b'x'; 4096]) {
                Ok(length) => {
                    written += length;
                    dry_turns = 0;
                }
                Err(_) => dry_turns += 1,
            }
            assert!(written < 3 << 20, "it never stops");
            disk.flush().await;
            tokio::task::yield_now().await;
        }
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&path)
            .unwrap();
        drop(child);
        let mut all = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while all.len() < written {
            match std::io::Read::read(&mut file, &mut buffer) {
                Ok(length) => all.extend_from_slice(&buffer[..length]),
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        assert_eq!(all.len(), written);
        pump.drain_and_close();
    });
    disk.shutdown();
    assert_eq!(said.all(), []);
}

/// How far a clock that only moves for who sleeps has moved when `rounds` pipes full of lines for syslog are read.
fn paused_for_a_flood(disk: &Disk, socket: &Path, dir: &TempDir, rounds: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let syslog = disk.open_syslog(socket);
        syslog.push("", b"looks whether anybody is there".to_vec());
        disk.flush().await;
        let (reader, mut child) = child_pipe();
        fcntl(&child, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let config = PumpConfig { syslog: Some(syslog), ..config(None) };
        let pump = OutputPump::start(reader, config, main_log(dir, Level::Info)).unwrap();
        let began = tokio::time::Instant::now();
        let mut left = rounds * MUCH_BYTES;
        while left > 0 {
            match child.write(&[b'\n'; MUCH_BYTES][..left.min(MUCH_BYTES)]) {
                Ok(length) => left -= length,
                Err(_) => disk.flush().await,
            }
            tokio::task::yield_now().await;
        }
        pump.drain_and_close();
        began.elapsed()
    })
}

#[test]
fn a_flood_of_lines_that_nobody_gets_is_read_at_leisure() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let nobody = paused_for_a_flood(&disk, &dir.path("nobody"), &dir, 20);
    assert!(nobody >= 18 * WASTE_PAUSE, "{nobody:?}");
    let server = std::os::unix::net::UnixDatagram::bind(dir.path("log")).unwrap();
    std::thread::spawn(move || while server.recv(&mut [0; 64]).is_ok() {});
    let taken = paused_for_a_flood(&disk, &dir.path("log"), &dir, 2);
    assert_eq!(taken, Duration::ZERO);
    disk.shutdown();
}

#[test]
fn debug_level_copies_output_and_closing_into_the_main_log() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let mainlog = main_log(&dir, Level::Debug);
    mainlog.attach(&disk);
    block_on(async {
        let (reader, mut child) = child_pipe();
        let pump = OutputPump::start(reader, config(None), mainlog).unwrap();
        child.write_all(b"text\n").unwrap();
        // Long enough for the pump to take it as a chunk of its own.
        while !std::fs::read_to_string(dir.path("main.log")).unwrap().contains("text") {
            disk.flush().await;
            tokio::task::yield_now().await;
        }
        child.write_all(b"\xff\n").unwrap();
        drop(child);
        pump.drain_and_close();
    });
    disk.shutdown();
    let text = std::fs::read_to_string(dir.path("main.log")).unwrap();
    assert!(text.contains("DEBG 'cat' stdout output:\ntext\n\n"), "{text}");
    assert!(text.contains("DEBG 'cat' stdout output:\nUndecodable: b'\\xff\\n'\n"), "{text}");
    assert!(text.contains("closed, stopped monitoring cat stdout\n"), "{text}");
}

fn drained(config: PumpConfig, dir: &TempDir, bytes: &[u8]) -> Vec<String> {
    block_on(async {
        let taps = Rc::clone(&config.taps);
        let (reader, mut child) = child_pipe();
        let pump = OutputPump::start(reader, config, main_log(dir, Level::Info)).unwrap();
        child.write_all(bytes).unwrap();
        pump.drain_and_close();
        std::iter::from_fn(|| taps.take())
            .map(|input| match input {
                Input::ListenerBytes { bytes, .. } => {
                    format!("said {:?}", String::from_utf8_lossy(&bytes))
                }
                Input::ProcessLog { data, .. } => {
                    format!("log {:?}", String::from_utf8_lossy(&data))
                }
                Input::Communication { data, .. } => {
                    format!("comm {:?}", String::from_utf8_lossy(&data))
                }
                other => panic!("{other:?}"),
            })
            .collect()
    })
}

#[test]
fn the_core_hears_listeners_before_escapes_are_removed() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let config = PumpConfig {
        role: Role::Listener,
        strip_ansi: Rc::new(Cell::new(true)),
        ..config(Some(disk.open_sink(plain(dir.path("cat.log")))))
    };
    let heard = drained(config, &dir, b"\x1b[0mREADY\n");
    disk.shutdown();
    assert_eq!(heard, ["said \"\\u{1b}[0mREADY\\n\""]);
    assert_eq!(std::fs::read(dir.path("cat.log")).unwrap(), b"READY\n");
}

#[test]
fn events_tell_of_the_log_and_of_captures() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let config = PumpConfig {
        role: Role::Output { capture: Some(Capture::new(100)), events: true },
        strip_ansi: Rc::new(Cell::new(true)),
        ..config(Some(disk.open_sink(plain(dir.path("cat.log")))))
    };
    let said = b"one\x1b[1m\n<!--XSUPERVISOR:BEGIN-->in\x1b[0mside<!--XSUPERVISOR:END-->held";
    let heard = drained(config, &dir, said);
    disk.shutdown();
    assert_eq!(heard, ["log \"one\\n\"", "log \"inside\"", "comm \"inside\""]);
    // What was held back in case a token would follow is logged when the program has ended.
    assert_eq!(std::fs::read(dir.path("cat.log")).unwrap(), b"one\nheld");
}
