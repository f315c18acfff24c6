//! Tests of the disk thread as its users see it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::testing::{block_on, eventually, plain, rotating, start};
use super::*;
use crate::testing::TempDir;

fn contents(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn reader(path: &Path) -> fs::File {
    let flags = OFlag::O_NONBLOCK.bits();
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path).unwrap()
}

/// Everything the FIFO holds until `wanted` bytes are there.
fn read_fifo(file: &mut fs::File, wanted: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    eventually("the FIFO delivers", || {
        while let Ok(length) = file.read(&mut buffer) {
            all.extend_from_slice(&buffer[..length]);
            if length == 0 {
                break;
            }
        }
        all.len() >= wanted
    });
    all
}

fn text_of(value: Value) -> String {
    match value {
        Value::Str(text) => text,
        other => panic!("no string: {other:?}"),
    }
}

#[test]
fn chunks_are_appended_and_reads_see_them() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    fs::write(&path, "old\n").unwrap();
    let (disk, said) = start();
    let sink = disk.open_sink(plain(&path));
    for number in 0..1000 {
        sink.push(format!("{number}\n").into_bytes());
    }
    let read = block_on(disk.read_log(path.to_str().unwrap(), 0, 0)).unwrap();
    let expected: String = (0..1000).fold("old\n".into(), |text, n| format!("{text}{n}\n"));
    assert_eq!(text_of(read), expected);
    disk.shutdown();
    assert_eq!(said.all(), []);
}

#[test]
fn what_is_written_and_what_is_lost_is_counted_however_often_a_log_is_opened() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let logs = Arc::new(LogTallies::default());
    for (path, channel) in [
        (dir.path("cat.log"), Channel::Stdout),
        (dir.path("cat.log"), Channel::Stdout),
        (PathBuf::from("/dev/full"), Channel::Stderr),
        (dir.path("no/such/directory.log"), Channel::Stderr),
    ] {
        let sink = disk.open_counted_sink(plain(path), Arc::clone(&logs), channel);
        sink.push(b"hello".to_vec());
        sink.push(Vec::new());
    }
    let jam =
        disk.open_counted_sink(plain(dir.path("cat.log")), Arc::clone(&logs), Channel::Stdout);
    let (hold, held) = std::sync::mpsc::channel::<()>();
    disk.run(Box::new(move || {
        let _ = held.recv(); // an error is the end of the wait, too
    }));
    jam.push(vec![b'x'; HARD_CAP_BYTES]);
    jam.push(b"too much".to_vec());
    drop(hold);
    disk.shutdown();
    let counted = [Channel::Stdout, Channel::Stderr].map(|channel| {
        let tally = logs.of(channel);
        (tally.written(), tally.dropped())
    });
    assert_eq!(counted, [(10 + HARD_CAP_BYTES as u64, 8), (0, 10)]);
}

#[test]
fn shutdown_writes_what_is_queued_and_later_pushes_are_harmless() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let sink = disk.open_sink(plain(dir.path("cat.log")));
    sink.push(b"last words".to_vec());
    disk.shutdown();
    assert_eq!(contents(dir.path("cat.log")), "last words");
    assert_eq!(sink.push(vec![0; 2 * HIGH_WATER_BYTES]), Pushed::Accepted);
    block_on(sink.ready());
    assert!(block_on(disk.read_log("/etc/passwd", 0, 0)).is_err());
    disk.shutdown();
}

#[test]
fn rotation_happens_after_the_chunk_that_crosses() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    let (disk, _) = start();
    let sink = disk.open_sink(rotating(&path, 10, 2));
    for chunk in ["123456789", "a-long-chunk", "bb", "0123456789", "c", "ddddddddddd"] {
        sink.push(chunk.as_bytes().to_vec());
    }
    disk.shutdown();
    assert_eq!(contents(&path), "");
    assert_eq!(contents(dir.path("cat.log.1")), "cddddddddddd");
    assert_eq!(contents(dir.path("cat.log.2")), "bb0123456789");
    assert!(!dir.path("cat.log.3").exists());
}

#[test]
fn without_backups_the_file_is_emptied() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    fs::write(&path, "123456789").unwrap(); // what is there counts
    let (disk, _) = start();
    let sink = disk.open_sink(rotating(&path, 10, 0));
    sink.push(b"x".to_vec());
    sink.push(b"y".to_vec());
    disk.shutdown();
    assert_eq!(contents(&path), "y");
    assert!(!dir.path("cat.log.1").exists());
}

#[test]
fn a_rename_that_fails_loses_nothing_and_is_said_once() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    fs::create_dir_all(dir.path("cat.log.1").join("in the way")).unwrap();
    let (disk, said) = start();
    let sink = disk.open_sink(rotating(&path, 4, 1));
    for _ in 0..10 {
        sink.push(b"abcd".to_vec());
    }
    block_on(disk.flush());
    assert_eq!(contents(&path), "abcd".repeat(10));
    assert_eq!((said.all().len(), said.count("could not rotate log file")), (1, 1));
    fs::remove_dir_all(dir.path("cat.log.1")).unwrap();
    sink.push(b"abcd".to_vec());
    disk.shutdown();
    assert_eq!(contents(dir.path("cat.log.1")), "abcd".repeat(11));
    assert_eq!((said.all().len(), said.count("is written again")), (2, 1));
}

#[test]
fn a_missing_directory_loses_output_until_it_comes_back() {
    let dir = TempDir::new();
    let path = dir.path("sub").join("cat.log");
    let (disk, said) = start();
    let sink = disk.open_sink(plain(&path));
    let other = disk.open_sink(plain(dir.path("other.log")));
    sink.push(b"lost\n".to_vec());
    sink.push(b"lost\n".to_vec());
    other.push(b"kept\n".to_vec());
    block_on(disk.flush());
    let expected = format!(
        "could not write to log file '{}' of cat stdout: [Errno 2] No such file or directory; its output is lost \
         until this is repaired",
        path.display()
    );
    assert_eq!(said.all(), [(Level::Critical, expected)]);
    fs::create_dir(dir.path("sub")).unwrap();
    sink.push(b"found\n".to_vec());
    sink.push(b"found\n".to_vec());
    disk.shutdown();
    assert_eq!(contents(&path), "found\nfound\n");
    assert_eq!(contents(dir.path("other.log")), "kept\n");
    assert_eq!((said.all().len(), said.count("is written again")), (2, 1));
}

#[test]
fn a_reopen_that_fails_keeps_the_old_file() {
    let dir = TempDir::new();
    let path = dir.path("sub").join("cat.log");
    fs::create_dir(dir.path("sub")).unwrap();
    let (disk, said) = start();
    let sink = disk.open_sink(plain(&path));
    sink.push(b"one\n".to_vec());
    block_on(disk.flush());
    fs::rename(dir.path("sub"), dir.path("moved")).unwrap();
    let reopened = sink.reopen();
    sink.push(b"two\n".to_vec());
    block_on(disk.flush());
    assert_eq!(block_on(reopened).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(contents(dir.path("moved").join("cat.log")), "one\ntwo\n");
    assert_eq!((said.all().len(), said.count("goes on into the old file")), (1, 1));
    fs::create_dir(dir.path("sub")).unwrap();
    sink.push(b"three\n".to_vec());
    disk.shutdown();
    assert_eq!(contents(&path), "three\n");
    assert_eq!((said.all().len(), said.count("is written again")), (2, 1));
}

#[test]
fn a_full_device_is_said_once() {
    let dir = TempDir::new();
    let (disk, said) = start();
    let full = disk.open_sink(rotating("/dev/full", 10, 3));
    let other = disk.open_sink(plain(dir.path("other.log")));
    for _ in 0..5 {
        full.push(b"lost".to_vec());
        other.push(b"kept".to_vec());
    }
    disk.shutdown();
    assert_eq!(contents(dir.path("other.log")), "kept".repeat(5));
    assert_eq!(said.all().len(), 1);
    assert_eq!(said.count("/dev/full' of cat stdout: [Errno 28] No space left on device; its"), 1);
    assert!(Path::new("/dev/full").exists());
}

#[test]
fn reopen_follows_a_renamed_file() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    let (disk, _) = start();
    let sink = disk.open_sink(plain(&path));
    sink.push(b"before".to_vec());
    block_on(disk.flush());
    fs::rename(&path, dir.path("moved.log")).unwrap();
    sink.push(b" move".to_vec());
    let reopened = sink.reopen();
    sink.push(b"after".to_vec());
    block_on(reopened).unwrap();
    disk.shutdown();
    assert_eq!(contents(dir.path("moved.log")), "before move");
    assert_eq!(contents(&path), "after");
}

#[test]
fn clear_removes_what_was_pushed_before() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    let (disk, _) = start();
    let sink = disk.open_sink(plain(&path));
    sink.push(b"gone".to_vec());
    block_on(sink.clear(Missing::IsAnError)).unwrap();
    assert_eq!(contents(&path), "");
    sink.push(b"new".to_vec());
    block_on(disk.flush());
    fs::remove_file(&path).unwrap();
    let error = block_on(sink.clear(Missing::IsAnError)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    block_on(sink.clear(Missing::Fine)).unwrap();
    assert_eq!(contents(&path), "");
    disk.shutdown();
}

#[test]
fn clearing_a_pipe_leaves_it_alone() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let mut file = reader(&path);
    let (disk, _) = start();
    let sink = disk.open_sink(plain(&path));
    block_on(sink.clear(Missing::IsAnError)).unwrap();
    sink.push(b"still here".to_vec());
    assert_eq!(read_fifo(&mut file, 10), b"still here");
    disk.shutdown();
}

#[test]
fn a_fifo_without_a_reader_delays_nobody_and_loses_nothing() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let (disk, said) = start();
    let stuck = disk.open_sink(plain(&path));
    let other = disk.open_sink(plain(dir.path("other.log")));
    let mut pushed = 0;
    while stuck.push(vec![b'x'; 1000]) == Pushed::Accepted {
        pushed += 1000;
        other.push(b"y".to_vec());
        block_on(disk.flush());
    }
    pushed += 1000;
    assert!(pushed > HIGH_WATER_BYTES / 2, "{pushed}");
    assert_eq!(contents(dir.path("other.log")).len(), pushed / 1000 - 1);
    let mut file = reader(&path);
    assert_eq!(read_fifo(&mut file, pushed).len(), pushed);
    block_on(stuck.ready());
    assert_eq!(stuck.push(b"more".to_vec()), Pushed::Accepted);
    assert_eq!(read_fifo(&mut file, 4), b"more");
    disk.shutdown();
    assert_eq!(said.all(), []);
}

#[test]
fn beyond_the_cap_data_is_dropped_and_counted() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let (disk, said) = start();
    let stuck = disk.open_sink(plain(&path));
    let chunk = 1 << 20;
    for _ in 0..6 {
        stuck.push(vec![b'x'; chunk]);
        block_on(disk.flush());
    }
    assert_eq!(said.count("does not take output fast enough"), 1);
    let mut file = reader(&path);
    let kept = read_fifo(&mut file, 3 * chunk);
    eventually("the count is said", || said.count("dropped") == 2);
    let dropped = 6 * chunk - kept.len();
    assert!(dropped >= chunk, "{dropped}");
    assert_eq!(
        said.count(&format!("dropped {dropped} bytes for log file '{}'", path.display())),
        1
    );
    disk.shutdown();
}

#[test]
fn a_reader_that_leaves_loses_only_what_it_misses() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let mut file = reader(&path);
    let (disk, said) = start();
    let sink = disk.open_sink(plain(&path));
    sink.push(b"one".to_vec());
    assert_eq!(read_fifo(&mut file, 3), b"one");
    drop(file);
    sink.push(b"lost".to_vec());
    sink.push(b"lost".to_vec());
    block_on(disk.flush());
    assert_eq!((said.all().len(), said.count("[Errno 32] Broken pipe")), (1, 1));
    let mut file = reader(&path);
    sink.push(b"two".to_vec());
    assert_eq!(read_fifo(&mut file, 3), b"two");
    disk.shutdown();
    assert_eq!(said.count("is written again"), 1);
}

#[test]
fn the_next_sink_of_a_parked_path_comes_after_the_last() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let (disk, _) = start();
    let first = disk.open_sink(plain(&path));
    let size = HIGH_WATER_BYTES + (1 << 17);
    first.push(vec![b'1'; size]);
    drop(first);
    let second = disk.open_sink(plain(&path));
    block_on(disk.flush());
    assert_eq!(second.push(b"2".to_vec()), Pushed::Full); // the bytes of the first count
    let all = read_fifo(&mut reader(&path), size + 1);
    assert_eq!(all.len(), size + 1);
    assert_eq!(all.last(), Some(&b'2'));
    disk.shutdown();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn shutdown_does_not_wait_for_a_stuck_pipe() {
    let dir = TempDir::new();
    let path = dir.path("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let (disk, said) = start();
    let stuck = disk.open_sink(plain(&path));
    stuck.push(vec![b'x'; 1 << 18]);
    let before = std::time::Instant::now();
    disk.shutdown();
    assert!(before.elapsed() < SHUTDOWN_BOUND);
    assert_eq!(said.count("bytes for it are lost at exit"), 1);
}

#[test]
fn auto_logs_are_private_and_never_replaced() {
    let dir = TempDir::new();
    let path = dir.path("auto.log");
    let (disk, said) = start();
    disk.create_log(&path);
    block_on(disk.flush());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "kept").unwrap();
    disk.create_log(&path);
    disk.create_log(dir.path("missing").join("auto.log"));
    disk.shutdown();
    assert_eq!(contents(&path), "kept");
    assert_eq!((said.all().len(), said.count("could not create log file")), (1, 1));
}

#[test]
fn a_panic_in_a_request_ends_only_that() {
    let (disk, said) = start();
    disk.run(Box::new(|| panic!("on purpose")));
    block_on(disk.flush());
    assert_eq!(said.count("panicked"), 1);
    disk.shutdown();
}

#[test]
fn what_is_not_utf8_is_read_as_replacement_characters() {
    let dir = TempDir::new();
    let path = dir.path("cat.log");
    fs::write(&path, "né\u{1F600}".as_bytes()).unwrap();
    let (disk, _) = start();
    let path = path.to_str().unwrap();
    assert_eq!(text_of(block_on(disk.read_log(path, 0, 2)).unwrap()), "n\u{FFFD}");
    let tail = block_on(disk.tail_log(path, 0, 3)).unwrap();
    let Value::Array(parts) = tail else { panic!("no array") };
    assert_eq!(parts[0], Value::str("\u{FFFD}".repeat(3)));
    disk.shutdown();
}

#[test]
fn one_answer_is_bounded() {
    let dir = TempDir::new();
    let path = dir.path("huge.log");
    // Sparse: 65 MiB that take no room.
    fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    let (disk, _) = start();
    let path = path.to_str().unwrap();
    for (offset, length) in [(0, 0), (0, 65 << 20), (-(65 << 20), 0)] {
        assert_eq!(text_of(block_on(disk.read_log(path, offset, length)).unwrap()).len(), 64 << 20);
    }
    disk.shutdown();
}

#[test]
fn faults_of_reads() {
    let dir = TempDir::new();
    let (disk, _) = start();
    let missing = dir.path("missing").display().to_string();
    let read = |path: &str, offset, length| block_on(disk.read_log(path, offset, length));
    assert_eq!(read(&missing, 0, 0), Err(Fault::new(FaultCode::NoFile, &missing)));
    assert_eq!(read("/etc/passwd", -1, 1), Err(Fault::bare(FaultCode::BadArguments)));
    assert_eq!(read("/etc/passwd", 0, -1), Err(Fault::bare(FaultCode::BadArguments)));
    assert_eq!(read("/tmp", 0, 0), Err(Fault::bare(FaultCode::Failed)));
    assert_eq!(read("/dev/null", 0, 0), Ok(Value::str("")));
    let nothing = |offset| Ok(Value::Array(vec![Value::str(""), Value::Int(offset), false.into()]));
    assert_eq!(block_on(disk.tail_log(&missing, 7, 7)), nothing(0));
    assert_eq!(block_on(disk.tail_log("/tmp", 7, 7)), nothing(7));
    assert!(block_on(disk.tail_log("/etc/passwd", i64::MIN, i64::MIN)).is_ok());
    assert!(block_on(disk.tail_log("/etc/passwd", i64::MAX, i64::MAX)).is_ok());
    assert!(block_on(disk.read_log("/etc/passwd", i64::MIN, 0)).is_ok());
    disk.shutdown();
}
