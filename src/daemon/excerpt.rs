//! A range of a log, as the web interface and the JSON behind it show it.

use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use super::disk::{open_regular, read_up_to};
use crate::core::logs::NoLog;
use crate::core::text;

/// Most bytes in one excerpt.
pub(crate) const MAX_EXCERPT_BYTES: u64 = 1 << 20;

/// Most bytes of a character in UTF-8.
const MAX_CHAR_BYTES: usize = 4;

/// Which part of a log is meant, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many of its last.
    End(u64),
    /// So many, from an offset on.
    Range {
        /// Counted from the start of the file.
        offset: u64,
        /// How many.
        length: u64,
    },
}

/// Part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Where it starts in the file; the size of the file when it was asked for from beyond its end.
    pub offset: u64,
    /// Size of the file.
    pub size: u64,
    /// What stands there, at most [`MAX_EXCERPT_BYTES`].
    pub bytes: Vec<u8>,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoExcerpt {
    /// No process has that name.
    NoProcess,
    /// There is no log of that name, or nothing was ever written to it.
    NoFile,
    /// It cannot be read.
    Failed,
}

impl From<NoLog> for NoExcerpt {
    fn from(why: NoLog) -> NoExcerpt {
        match why {
            NoLog::NoProcess => NoExcerpt::NoProcess,
            NoLog::NoFile => NoExcerpt::NoFile,
        }
    }
}

impl Excerpt {
    /// Its text: what is not UTF-8 is U+FFFD. A character that the end cuts in two is left for the next excerpt,
    /// which starts at the second value.
    pub fn text(mut self) -> (String, u64) {
        let whole = self.bytes.len() - cut_off(&self.bytes);
        // Where nothing else is there, the next excerpt would start with the same.
        if whole > 0 {
            self.bytes.truncate(whole);
        }
        let next = self.offset + self.bytes.len() as u64;
        (text::lossy(self.bytes), next)
    }
}

/// How many of the last bytes are the start of a character whose rest is missing, whatever stands before them.
fn cut_off(bytes: &[u8]) -> usize {
    let is_start = |length: &usize| {
        let end = &bytes[bytes.len() - length..];
        let error = std::str::from_utf8(end).err();
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..MAX_CHAR_BYTES.min(bytes.len() + 1)).find(is_start).unwrap_or(0)
}

/// Reads part of a file; to be called on the disk thread.
pub(super) fn read(path: &Path, part: Part) -> Result<Excerpt, NoExcerpt> {
    if !path.exists() {
        return Err(NoExcerpt::NoFile);
    }
    read_file(path, part).map_err(|_| NoExcerpt::Failed)
}

fn read_file(path: &Path, part: Part) -> io::Result<Excerpt> {
    let (mut file, found) = open_regular(path)?;
    let size = found.len();
    let (offset, length) = match part {
        Part::End(length) => {
            let length = length.min(MAX_EXCERPT_BYTES);
            (size.saturating_sub(length), length)
        }
        Part::Range { offset, length } => (offset.min(size), length.min(MAX_EXCERPT_BYTES)),
    };
    file.seek(SeekFrom::Start(offset))?;
    // No further than the size that is told.
    let bytes = read_up_to(&mut file, length.min(size - offset))?;
    Ok(Excerpt { offset, size, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn parts_of_a_file() {
        let dir = TempDir::new();
        let path = dir.path("x.log");
        std::fs::write(&path, "0123456789").unwrap();
        for (part, offset, bytes) in [
            (Part::End(3), 7, "789"),
            (Part::End(0), 10, ""),
            (Part::End(u64::MAX), 0, "0123456789"),
            (Part::Range { offset: 2, length: 3 }, 2, "234"),
            (Part::Range { offset: 8, length: 300 }, 8, "89"),
            (Part::Range { offset: u64::MAX, length: u64::MAX }, 10, ""),
        ] {
            let expected = Excerpt { offset, size: 10, bytes: bytes.into() };
            assert_eq!(read(&path, part), Ok(expected), "{part:?}");
        }
        assert_eq!(read(&dir.path("missing"), Part::End(1)), Err(NoExcerpt::NoFile));
        assert_eq!(read(Path::new("/dev/null"), Part::End(1)), Err(NoExcerpt::Failed));
    }

    #[test]
    fn big_files_are_read_in_parts() {
        let dir = TempDir::new();
        let path = dir.path("x.log");
        let size = MAX_EXCERPT_BYTES + 5;
        std::fs::write(&path, vec![b'x'; usize::try_from(size).unwrap()]).unwrap();
        let excerpt = read(&path, Part::Range { offset: 0, length: u64::MAX }).unwrap();
        assert_eq!((excerpt.size, excerpt.bytes.len() as u64), (size, MAX_EXCERPT_BYTES));
        let excerpt = read(&path, Part::End(u64::MAX)).unwrap();
        assert_eq!((excerpt.offset, excerpt.bytes.len() as u64), (5, MAX_EXCERPT_BYTES));
    }

    #[test]
    fn characters_are_not_cut() {
        let text = |bytes: &[u8]| Excerpt { offset: 7, size: 99, bytes: bytes.to_vec() }.text();
        assert_eq!(text("aé".as_bytes()), ("aé".to_string(), 10));
        assert_eq!(text(b"a\xc3"), ("a".to_string(), 8));
        assert_eq!(text(b"a\xffb\xff"), ("a\u{fffd}b\u{fffd}".to_string(), 11));
        // Nothing else is there, so it will not become whole either.
        assert_eq!(text(b"\xc3"), ("\u{fffd}".to_string(), 8));
    }

    #[test]
    fn characters_are_not_cut_after_bytes_that_are_no_text_either() {
        let log = "\u{e9}\u{20ac}\u{1f600}".repeat(3);
        let log = [&b"a\xff\xc3\xe2\x82-"[..], log.as_bytes(), b"\xff\xf0\x9f\x98z"].concat();
        let whole = String::from_utf8_lossy(&log);
        let size = log.len() as u64;
        for length in MAX_CHAR_BYTES..=log.len() {
            let (mut read, mut offset) = (String::new(), 0);
            while offset < size {
                let start = usize::try_from(offset).unwrap();
                let end = log.len().min(start + length);
                let excerpt = Excerpt { offset, size, bytes: log[start..end].to_vec() };
                let (text, next) = excerpt.text();
                assert!(next > offset, "{length} {offset}");
                read += &text;
                offset = next;
            }
            assert_eq!(read, whole, "{length}");
        }
    }
}
