//! AUTO child logs: choosing their names and removing those of an earlier run (`options.py: get_autochildlog_name`,
//! `clear_autochildlogdir`).

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, PathBuf};

use nix::dir::Dir;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::core::python::{is_space, repr};
use crate::core::states::Level;
use crate::sys::random;
use crate::{native, place};

/// What Python's `tempfile` draws names from.
const ALPHABET: &[u8; 37] = b"abcdefghijklmnopqrstuvwxyz0123456789_";

/// Length of the random part.
const RANDOM_CHARS: usize = 8;

/// Names tried before giving up; there are 37^8.
const TRIES: usize = 100;

/// An unused path `<childlogdir>/<process>-<channel>---<identifier>-XXXXXXXX.log`, absolute. The file is not created.
/// The name of a process may be an absolute path itself (`tempfile` joins as `os.path.join` does).
pub(crate) fn name(childlogdir: &str, process: &str, channel: &str, identifier: &str) -> String {
    let directory = absolute(childlogdir);
    let mut path = PathBuf::new();
    for _ in 0..TRIES {
        let random = random_part();
        let file = format!("{process}-{channel}---{identifier}-{random}.log");
        path = directory.join(native::path(&file));
        if fs::symlink_metadata(&path).is_err() {
            break;
        }
    }
    native::text(path)
}

/// Removes the AUTO logs that an earlier run with the same identifier left. Returns lines for the main log.
///
/// The reference pastes the identifier into a regular expression unescaped; here it stands for itself.
pub(crate) fn clear(childlogdir: &str, identifier: &str) -> Vec<(Level, String)> {
    let unreadable = || vec![(Level::Warn, "Could not clear childlog dir".to_string())];
    let Ok(Ok(mut dir)) = place::open_directory(&native::path(childlogdir)).map(Dir::from_fd)
    else {
        return unreadable();
    };
    let names = dir.iter().filter_map(|entry| Some(entry.ok()?.file_name().to_owned()));
    let old: Vec<CString> =
        names.filter(|name| is_autolog(OsStr::from_bytes(name.to_bytes()), identifier)).collect();
    let mut lines = Vec::new();
    for name in old {
        // In the directory that was read, whatever has its name by now.
        if unlinkat(&dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir).is_err() {
            let path = native::path(childlogdir).join(OsStr::from_bytes(name.to_bytes()));
            let path = repr(&native::text(path));
            lines.push((Level::Warn, format!("Failed to clean up {path}")));
        }
    }
    lines
}

/// Whether `.+?---<identifier>-\S+\.log\.{0,1}\d{0,4}` matches at the start of the name: anything may follow.
fn is_autolog(file_name: &OsStr, identifier: &str) -> bool {
    let name = native::text(file_name);
    let marker = format!("---{identifier}-");
    let line_end = name.find('\n').unwrap_or(name.len());
    name.char_indices().skip(1).take_while(|(at, _)| *at <= line_end).any(|(at, _)| {
        name[at..].strip_prefix(marker.as_str()).is_some_and(|rest| {
            let word = &rest[..rest.find(is_space).unwrap_or(rest.len())];
            let first = word.chars().next().map_or(0, char::len_utf8);
            word[first..].contains(".log")
        })
    })
}

fn random_part() -> String {
    // Numbers from here on would favour the first letters.
    const LIMIT: u8 = 222;
    let mut out = String::with_capacity(RANDOM_CHARS);
    let mut bytes = [0_u8; 32];
    while out.len() < RANDOM_CHARS {
        if random::fill(&mut bytes).is_err() {
            // No kernel this runs on lacks it; the existence check still keeps names apart.
            bytes = std::array::from_fn(|index| index as u8);
        }
        let fair = bytes.iter().filter(|byte| **byte < LIMIT);
        let letters = fair.map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()] as char);
        out.extend(letters.take(RANDOM_CHARS - out.len()));
    }
    out
}

/// `os.path.abspath`: absolute, without `.`, `..` and double slashes, decided by the text alone.
fn absolute(directory: &str) -> PathBuf {
    let base = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let mut path = PathBuf::new();
    for component in base.join(native::path(directory)).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::RootDir | Component::Normal(_) => path.push(component),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(name: &str) -> bool {
        is_autolog(OsStr::new(name), "super")
    }

    #[test]
    fn matches_what_the_regular_expression_matches() {
        assert!(matches("cat-stdout---super-abc.log"));
        assert!(matches("cat-stdout---super-abc.log.12345.bak and more"));
        assert!(matches("x---super-.log.log"));
        assert!(matches("a---super----super-b.log"));
        assert!(matches("----super-a.log"));
        assert!(matches("é---super-é.log"));
        assert!(matches("a---super-b\u{200b}.log"));
        assert!(is_autolog(OsStr::from_bytes(b"\xff---super-\xfe.log"), "super"));
    }

    #[test]
    fn leaves_the_rest_alone() {
        assert!(!matches("---super-abc.log"));
        assert!(!matches("cat---super-.log"));
        assert!(!matches("cat---other-abc.log"));
        assert!(!matches("cat---super-a b.log"));
        assert!(!matches("cat---super-a\u{a0}b.log"));
        assert!(!matches("cat---super-a\x1cb.log"));
        assert!(!matches("cat\n---super-abc.log"));
        assert!(!matches("cat---super-abc.lo"));
    }

    #[test]
    fn names_are_absolute_random_and_unused() {
        let first = name("/tmp/./x/../y//", "web", "stderr", "super");
        let second = name("/tmp/y", "web", "stderr", "super");
        assert_ne!(first, second);
        let random = first.strip_prefix("/tmp/y/web-stderr---super-").unwrap();
        let random = random.strip_suffix(".log").unwrap();
        assert_eq!(random.len(), RANDOM_CHARS);
        assert!(random.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_eq!(absolute("/"), PathBuf::from("/"));
        assert!(name("/", "web", "stderr", "super").starts_with("/web-stderr---super-"));
        assert!(name("/tmp", "/x/web", "stderr", "super").starts_with("/x/web-stderr---super-"));
    }

    #[test]
    fn clears_its_own_files_and_reports_what_it_cannot() {
        let directory = std::env::temp_dir().join(format!("autolog-test-{}", std::process::id()));
        fs::create_dir_all(directory.join("x-stdout---s.r-dir.log")).unwrap();
        for name in
            ["x-stdout---s.r-abc.log", "x-stdout---s.r-abc.log.1", "keep.log", "x---sxr-a.log"]
        {
            fs::write(directory.join(name), "").unwrap();
        }
        let lines = clear(directory.to_str().unwrap(), "s.r");
        let stuck = directory.join("x-stdout---s.r-dir.log");
        let text = format!("Failed to clean up '{}'", stuck.display());
        assert_eq!(lines, [(Level::Warn, text)]);
        assert!(directory.join("keep.log").exists() && directory.join("x---sxr-a.log").exists());
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 3);
        fs::remove_dir_all(&directory).unwrap();
        let gone = vec![(Level::Warn, "Could not clear childlog dir".to_string())];
        assert_eq!(clear(directory.to_str().unwrap(), "s.r"), gone);
    }
}
