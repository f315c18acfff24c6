//! Reading logs: ranges for the XML-RPC methods, and news for those who follow a file.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use nix::fcntl::OFlag;

use super::queue::{Message, Queue};
use super::rotation::numbered;
use crate::core::fault::{Fault, FaultCode};
use crate::core::text;
use crate::core::value::Value;
use crate::native;
use crate::place::{self, Identity};

/// Most bytes of a log in one answer. The reference has no limit; this one is above the default `maxbytes` of a log
/// (50 MB), so that a whole log of default size can still be read at once.
pub(super) const ANSWER_LIMIT_BYTES: u64 = 64 << 20;

/// Most bytes a follower gets at a time: a few HTTP chunks, while the next log waits.
const FOLLOW_LIMIT_BYTES: u64 = 64 << 10;

/// Rotated files among which a follower looks for its own.
const FOLLOW_BACKUPS_LIMIT: i64 = 100;

/// `readLog`: NO_FILE, then the errors of `options.py: readFile`.
pub(super) fn read_log(path: &str, offset: i64, length: i64) -> Result<Value, Fault> {
    let file = native::path(path);
    if !file.exists() {
        return Err(Fault::new(FaultCode::NoFile, path));
    }
    let mut file = open(&file).map_err(|_| Fault::bare(FaultCode::Failed))?;
    if length < 0 || (offset < 0 && length != 0) {
        return Err(Fault::bare(FaultCode::BadArguments));
    }
    match read_range(&mut file, offset, length) {
        Ok(bytes) => Ok(text(bytes)),
        Err(_) => Err(Fault::bare(FaultCode::Failed)),
    }
}

fn read_range(file: &mut File, offset: i64, length: i64) -> io::Result<Vec<u8>> {
    let wanted = match (offset, length) {
        (..0, _) => {
            let wanted = offset.unsigned_abs().min(ANSWER_LIMIT_BYTES);
            let size = file.seek(SeekFrom::End(0))?;
            file.seek(SeekFrom::Start(size.saturating_sub(wanted)))?;
            return read_up_to(file, wanted);
        }
        (_, 0) => ANSWER_LIMIT_BYTES,
        (_, length) => length.unsigned_abs().min(ANSWER_LIMIT_BYTES),
    };
    file.seek(SeekFrom::Start(offset.unsigned_abs()))?;
    read_up_to(file, wanted)
}

/// `tailProcessLog` (`options.py: tailFile`), which knows no faults.
pub(super) fn tail_log(path: &str, offset: i64, length: i64) -> Value {
    let path = native::path(path);
    if !path.exists() {
        return tail_answer(text(Vec::new()), 0, false);
    }
    match tail(&path, offset, length) {
        Ok((bytes, size, overflow)) => tail_answer(text(bytes), size, overflow),
        Err(_) => tail_answer(text(Vec::new()), offset, false),
    }
}

fn tail(path: &Path, offset: i64, length: i64) -> io::Result<(Vec<u8>, i64, bool)> {
    let mut file = open(path)?;
    let size = i64::try_from(file.seek(SeekFrom::End(0))?).unwrap_or(i64::MAX);
    // Wide enough that no sum or difference of what a client sends overflows.
    let (wide_size, mut start, mut wanted) =
        (i128::from(size), i128::from(offset), i128::from(length));
    let overflow = wide_size > start + wanted;
    if overflow {
        start = wide_size - 1;
    }
    if start + wanted > wide_size {
        if start > wide_size - 1 {
            wanted = 0;
        }
        start = wide_size - wanted;
    }
    let start = u64::try_from(start).unwrap_or(0);
    let wanted = u64::try_from(wanted).unwrap_or(0);
    if wanted == 0 {
        return Ok((Vec::new(), size, overflow));
    }
    file.seek(SeekFrom::Start(start))?;
    Ok((read_up_to(&mut file, wanted.min(ANSWER_LIMIT_BYTES))?, size, overflow))
}

fn tail_answer(text: Value, offset: i64, overflow: bool) -> Value {
    Value::Array(vec![text, Value::capped_int(offset), Value::Bool(overflow)])
}

/// Logs hold what programs print, so anything may be in them; the reference fails on what is not UTF-8.
fn text(bytes: Vec<u8>) -> Value {
    Value::Str(text::lossy(bytes))
}

/// At most so many bytes from where the file stands; fewer when it ends before.
pub(crate) fn read_up_to(file: &mut File, wanted: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens for reading; never waits for the other end of a FIFO, and fails for a directory as Python does. What would not
/// be written through somebody's link is not read through it either.
fn open(path: &Path) -> io::Result<File> {
    let file = place::open(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY, 0)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// As [`open`], but fails for everything but regular files.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let file = open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok((file, found))
}

/// An open file that someone follows. It stays readable after it was rotated away. Wherever it is dropped, the disk
/// thread closes it: some file systems talk to a server first, which may be dead.
#[derive(Debug)]
pub(crate) struct Followed {
    /// `None` only while it is dropped.
    file: Option<File>,
    queue: Arc<Queue>,
    identity: Identity,
    /// Size when it was opened.
    pub(crate) size: u64,
    /// Modification time when it was opened.
    pub(crate) modified: SystemTime,
}

/// News of a followed file.
#[derive(Debug)]
pub(crate) enum Probe {
    /// Bytes at the position asked about.
    Data(Vec<u8>),
    /// The file is shorter than that position.
    Truncated,
    /// The path leads to another file now, and this one is read to its end.
    Replaced(Arc<Followed>),
    /// Nothing.
    Nothing,
    /// Nothing, and the path leads to no file that can be followed.
    Missing,
}

impl Followed {
    pub(super) fn open(path: &Path, queue: &Arc<Queue>) -> io::Result<Followed> {
        let (file, found) = open_regular(path)?;
        Ok(Followed {
            file: Some(file),
            queue: Arc::clone(queue),
            identity: Identity::from(&found),
            size: found.size(),
            modified: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }

    pub(super) fn probe(&self, path: &Path, position: u64) -> io::Result<Probe> {
        let Some(file) = &self.file else {
            return Ok(Probe::Nothing);
        };
        // In this order: what was written before the file was replaced is seen here.
        let found = std::fs::metadata(path).map(|found| Identity::from(&found));
        let size = file.metadata()?.size();
        if size < position {
            return Ok(Probe::Truncated);
        }
        if size > position {
            let wanted = (size - position).min(FOLLOW_LIMIT_BYTES);
            let mut bytes = vec![0; usize::try_from(wanted).unwrap_or(0)];
            let length = file.read_at(&mut bytes, position)?;
            bytes.truncate(length);
            return Ok(if bytes.is_empty() { Probe::Nothing } else { Probe::Data(bytes) });
        }
        Ok(match found {
            Ok(found) if found == self.identity => Probe::Nothing,
            Ok(_) => {
                self.successor(path).map_or(Probe::Missing, |next| Probe::Replaced(Arc::new(next)))
            }
            Err(_) => Probe::Missing,
        })
    }

    /// The file that was written after this one: where this one is `x.log.3` now, that is `x.log.2`, so that a
    /// follower slower than the rotations misses nothing.
    fn successor(&self, path: &Path) -> io::Result<Followed> {
        // Where links lead to a log, its past is where it is.
        let end = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        for number in 1..=FOLLOW_BACKUPS_LIMIT {
            match std::fs::metadata(numbered(&end, number)) {
                Ok(found) if Identity::from(&found) == self.identity && number > 1 => {
                    return Followed::open(&numbered(&end, number - 1), &self.queue);
                }
                Ok(found) if Identity::from(&found) != self.identity => {}
                Ok(_) | Err(_) => break,
            }
        }
        Followed::open(path, &self.queue)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let file = self.file.take();
        self.queue.send(Message::Run(Box::new(move || drop(file))));
    }
}
