//! Path arithmetic with the results of Python's `posixpath`, on text.
//!
//! A daemon that goes to the background changes its directory. Relative names of its own mean what they meant where it
//! was started, also when they are read again: [`located`] and [`abspath`] begin there. The names programs are given
//! (logs, commands, directories) are the reference's: those of the directory the daemon works in.

use super::accounts;
use super::environ::Environ;
use crate::native;

/// `os.path.dirname`.
pub(crate) fn dirname(path: &str) -> &str {
    split(path).0
}

/// `os.path.split`: what is before the last slash, without slashes at its end, and what follows it.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |slash| slash + 1);
    let (head, tail) = path.split_at(at);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

/// `os.path.join` of two parts.
pub(crate) fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_string()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// `os.path.normpath`.
pub(crate) fn normpath(path: &str) -> String {
    if path.is_empty() {
        return ".".to_string();
    }
    // Exactly two leading slashes are kept, as POSIX allows them a meaning.
    let root = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if parts.is_empty() && !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() { ".".to_string() } else { normal }
}

/// A path as one can use it from anywhere; what it names is decided by the system alone. The empty path names nothing.
pub(crate) fn located(path: &str, environ: &Environ) -> String {
    if path.is_empty() { String::new() } else { join(environ.directory(), path) }
}

/// `os.path.abspath`, where the process was started.
pub(crate) fn abspath(path: &str, environ: &Environ) -> String {
    normpath(&join(environ.directory(), path))
}

/// `os.path.expanduser`: a leading `~` is `$HOME` or the account's directory, `~name` that account's.
pub(crate) fn expanduser(path: &str, environ: &Environ) -> String {
    let Some(rest) = path.strip_prefix('~') else {
        return path.to_string();
    };
    let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if name.is_empty() {
        environ.get("HOME").map(str::to_string).or_else(accounts::own_home)
    } else {
        accounts::home_of(name)
    };
    let Some(home) = home else {
        return path.to_string();
    };
    let expanded = format!("{}{tail}", home.trim_end_matches('/'));
    if expanded.is_empty() { "/".to_string() } else { expanded }
}

/// The reference's `normalize_path`: expanded, absolute, normal.
pub(crate) fn normalize(path: &str, environ: &Environ) -> String {
    abspath(&expanduser(path, environ), environ)
}

/// `tempfile.gettempdir()`: the first usable directory of the usual candidates.
pub(crate) fn temporary_directory(environ: &Environ) -> String {
    let named = ["TMPDIR", "TEMP", "TMP"]
        .iter()
        .filter_map(|name| environ.get(name))
        .filter(|value| !value.is_empty());
    named
        .chain(["/tmp", "/var/tmp", "/usr/tmp", "."])
        .map(|path| abspath(path, environ))
        .find(|path| is_usable(path))
        .unwrap_or_else(|| "/tmp".to_string())
}

fn is_usable(path: &str) -> bool {
    use nix::unistd::{AccessFlags, access};
    is_directory(path) && access(&native::path(path), AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

/// `os.path.isdir`.
pub(crate) fn is_directory(path: &str) -> bool {
    std::fs::metadata(native::path(path)).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether this is a file that may be executed.
pub(crate) fn is_executable(path: &str) -> bool {
    use nix::unistd::{AccessFlags, access};
    let path = native::path(path);
    let is_file = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file());
    is_file && access(&path, AccessFlags::X_OK).is_ok()
}

/// `os.path.exists`.
pub(crate) fn exists(path: &str) -> bool {
    std::fs::metadata(native::path(path)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_and_joining() {
        for (path, head, tail) in [
            ("a", "", "a"),
            ("/a", "/", "a"),
            ("//a", "//", "a"),
            ("/a//b", "/a", "b"),
            ("/a/", "/a", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(path), (head, tail), "{path}");
        }
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(join("/a/", "b"), "/a/b");
        assert_eq!(join("/a", "/b"), "/b");
        assert_eq!(join("", "b"), "b");
    }

    #[test]
    fn normal_paths() {
        for (path, normal) in [
            ("", "."),
            ("a/../..", ".."),
            ("/../a/./b//c/", "/a/b/c"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("a/..", "."),
        ] {
            assert_eq!(normpath(path), normal, "{path}");
        }
    }

    #[test]
    fn home_directories() {
        let environ = Environ::from_pairs([("HOME", "/home/x/")]);
        assert_eq!(expanduser("~/a", &environ), "/home/x/a");
        assert_eq!(expanduser("~", &environ), "/home/x");
        assert_eq!(expanduser("~no-such-account/a", &environ), "~no-such-account/a");
        assert_eq!(expanduser("a~", &environ), "a~");
        assert_eq!(expanduser("~", &Environ::from_pairs([("HOME", "/")])), "/");
    }
}
