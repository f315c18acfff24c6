//! `[include] files=`: Python's `glob.glob` over absolute patterns, with the very path texts it returns.

use glob::{MatchOptions, Pattern};

use super::paths;
use crate::native;

const RULES: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    // Hidden names are kept from patterns that do not start with a dot before any matching.
    require_literal_leading_dot: false,
};

/// The paths that match an absolute pattern, sorted. `**` is an ordinary `*`.
pub(super) fn matches(pattern: &str) -> Vec<String> {
    let mut found = expand(pattern, false);
    found.sort_unstable();
    found
}

fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn expand(pattern: &str, directories_only: bool) -> Vec<String> {
    let (directory, name) = paths::split(pattern);
    if !has_magic(pattern) {
        let exists =
            if name.is_empty() { paths::is_directory(directory) } else { is_name(pattern) };
        return if exists { vec![pattern.to_string()] } else { Vec::new() };
    }
    let directories = if directory != pattern && has_magic(directory) {
        expand(directory, true)
    } else {
        vec![directory.to_string()]
    };
    directories
        .iter()
        .flat_map(|directory| {
            names_in(directory, name, directories_only)
                .into_iter()
                .map(move |found| join(directory, &found))
        })
        .collect()
}

/// Names in a directory that match one component of the pattern.
fn names_in(directory: &str, component: &str, directories_only: bool) -> Vec<String> {
    if component.is_empty() {
        return if paths::is_directory(directory) { vec![String::new()] } else { Vec::new() };
    }
    if !has_magic(component) {
        let exists = is_name(&join(directory, component));
        return if exists { vec![component.to_string()] } else { Vec::new() };
    }
    let Some(pattern) = component_pattern(component) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(native::path(directory)) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| !directories_only || entry.path().is_dir())
        .map(|entry| native::text(entry.file_name()))
        .filter(|name| component.starts_with('.') || !name.starts_with('.'))
        .filter(|name| pattern.matches_with(name, RULES))
        .collect()
}

/// A component as the `glob` crate writes it: runs of stars are one star, and a bracket without an end is a bracket.
fn component_pattern(component: &str) -> Option<Pattern> {
    let mut text = String::with_capacity(component.len());
    for character in component.chars() {
        if character != '*' || !text.ends_with('*') {
            text.push(character);
        }
    }
    loop {
        match Pattern::new(&text) {
            Ok(pattern) => return Some(pattern),
            Err(_) => {
                let at = last_open_bracket(&text)?;
                text.replace_range(at..=at, "[[]");
            }
        }
    }
}

/// Byte offset of the bracket that nothing closes.
fn last_open_bracket(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(open) = text.get(at..)?.find('[').map(|offset| at + offset) {
        // The first character of a class, after an optional `!`, may be a closing bracket.
        let first = open + 1 + usize::from(bytes.get(open + 1) == Some(&b'!'));
        let start = (first + 1).min(text.len());
        match text.as_bytes()[start..].iter().position(|byte| *byte == b']') {
            Some(offset) => at = start + offset + 1,
            None => return Some(open),
        }
    }
    None
}

/// `os.path.join(directory, name)`.
fn join(directory: &str, name: &str) -> String {
    format!("{directory}{}{name}", if directory.ends_with('/') { "" } else { "/" })
}

/// `os.path.lexists`.
fn is_name(path: &str) -> bool {
    native::path(path).symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn found(directory: &TempDir, pattern: &str) -> Vec<String> {
        let prefix = directory.root();
        matches(&format!("{prefix}/{pattern}"))
            .iter()
            .map(|path| path.strip_prefix(prefix).unwrap().to_string())
            .collect()
    }

    #[test]
    fn patterns() {
        let directory = TempDir::new();
        for name in ["a.conf", "b.conf", ".hidden.conf", "x[y.conf", "d/c.conf", "e/c.conf"] {
            directory.write(name, "");
        }
        for (pattern, names) in [
            ("*.conf", vec!["/a.conf", "/b.conf", "/x[y.conf"]),
            ("**.conf", vec!["/a.conf", "/b.conf", "/x[y.conf"]),
            (".*.conf", vec!["/.hidden.conf"]),
            ("[ab].conf", vec!["/a.conf", "/b.conf"]),
            ("[!a].conf", vec!["/b.conf"]),
            ("x[y*", vec!["/x[y.conf"]),
            ("a.conf", vec!["/a.conf"]),
            ("no.conf", vec![]),
            ("./*.conf", vec!["/./a.conf", "/./b.conf", "/./x[y.conf"]),
            ("**/c.conf", vec!["/d/c.conf", "/e/c.conf"]),
            ("*/", vec!["/d/", "/e/"]),
            ("d//*", vec!["/d/c.conf"]),
            ("d/../?.conf", vec!["/d/../a.conf", "/d/../b.conf"]),
            ("[", vec![]),
            ("*/[", vec![]),
        ] {
            assert_eq!(found(&directory, pattern), names, "{pattern}");
        }
    }
}
