//! The history file: one command per line, as the reference's readline keeps it, readable by its owner only.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use crate::core::text;
use crate::native;

/// Commands that are remembered.
pub(super) const MAX_ENTRIES: usize = 1000;

/// How much of the end of a file is read.
const MAX_BYTES: u64 = 1 << 20;

/// The commands typed so far, kept in a file if one is named. A file that cannot be read or written is none.
#[derive(Debug, Default)]
pub(super) struct History {
    path: Option<String>,
    last: Option<String>,
}

impl History {
    /// The history in the file, and what it holds, oldest first.
    pub(super) fn open(path: Option<&str>) -> (History, Vec<String>) {
        let mut history = History { path: path.map(str::to_string), last: None };
        let (lines, whole) = path.and_then(read).unwrap_or((Vec::new(), true));
        if !whole {
            history.rewrite(&lines);
        }
        history.last = lines.last().cloned();
        (history, lines)
    }

    /// Remembers a command at once, so that it survives whatever ends the shell. Nothing is remembered twice in a row.
    pub(super) fn add(&mut self, line: &str) {
        if line.is_empty() || self.last.as_deref() == Some(line) {
            return;
        }
        self.last = Some(line.to_string());
        // Without a file to write to there is just no history.
        if let Some(mut file) = self.private(OpenOptions::new().append(true)) {
            let _ = file.write_all(&text::encode(&format!("{line}\n")));
        }
    }

    fn rewrite(&self, lines: &[String]) {
        if let Some(mut file) = self.private(OpenOptions::new().write(true).truncate(true)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let _ = file.write_all(&text::encode(&text)); // as above
        }
    }

    /// Opens the file and makes it its owner's own.
    fn private(&self, how: &mut OpenOptions) -> Option<File> {
        let file = how.create(true).mode(0o600).open(native::path(self.path.as_ref()?)).ok()?;
        if file.metadata().ok()?.is_file() {
            let _ = file.set_permissions(Permissions::from_mode(0o600)); // somebody else's file stays as it is
        }
        Some(file)
    }
}

/// The last commands of a file, and whether these are all.
fn read(path: &str) -> Option<(Vec<String>, bool)> {
    let mut file = File::open(native::path(path)).ok()?;
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let skipped = metadata.len().saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(skipped)).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let text = text::decode(&bytes);
    let lines: Vec<&str> = text.lines().skip(usize::from(skipped > 0)).collect();
    let surplus = lines.len().saturating_sub(MAX_ENTRIES);
    let kept = lines[surplus..].iter().filter(|line| !line.is_empty());
    Some((kept.map(|line| (*line).to_string()).collect(), skipped == 0 && surplus == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(String);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let name = format!("shell-history-{name}-{}", std::process::id());
            Scratch(std::env::temp_dir().join(name).to_string_lossy().into_owned())
        }

        fn text(&self) -> String {
            std::fs::read_to_string(&self.0).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn keeps_plain_lines_for_its_owner() {
        let scratch = Scratch::new("plain");
        std::fs::write(&scratch.0, "status\n").unwrap();
        std::fs::set_permissions(&scratch.0, Permissions::from_mode(0o644)).unwrap();
        let (mut history, lines) = History::open(Some(&scratch.0));
        assert_eq!(lines, ["status"]);
        for line in ["status", "stop all", "", "stop all", "status"] {
            history.add(line);
        }
        assert_eq!(scratch.text(), "status\nstop all\nstatus\n");
        assert_eq!(std::fs::metadata(&scratch.0).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_long_file_loses_its_oldest_lines() {
        let scratch = Scratch::new("long");
        let text: String = (0..MAX_ENTRIES + 5).map(|n| format!("pid {n}\n")).collect();
        std::fs::write(&scratch.0, &text).unwrap();
        let (_history, lines) = History::open(Some(&scratch.0));
        assert_eq!((lines.len(), lines[0].as_str()), (MAX_ENTRIES, "pid 5"));
        assert!(scratch.text().starts_with("pid 5\n"));
    }

    #[test]
    fn no_file_is_no_harm() {
        for path in [None, Some("/no/such/directory/history"), Some("/")] {
            let (mut history, lines) = History::open(path);
            history.add("status");
            assert_eq!(lines, Vec::<String>::new());
        }
    }
}
