//! The pid file (`options.py: write_pidfile`, `cleanup`).

use std::fs;

use crate::core::states::Level;
use crate::native;

/// A pid file that holds our process id.
#[derive(Debug)]
pub struct Pidfile {
    path: String,
}

impl Pidfile {
    /// Writes `pid` to the file, after daemonizing. Comes with the line for the main log; a file that could not be
    /// written is reported there, is not ours and is never removed.
    pub fn write(path: &str, pid: u32) -> (Option<Pidfile>, (Level, String)) {
        match fs::write(native::path(path), format!("{pid}\n")) {
            Ok(()) => {
                let line = (Level::Info, format!("supervisord started with pid {pid}"));
                (Some(Pidfile { path: path.to_string() }), line)
            }
            Err(_) => (None, (Level::Critical, format!("could not write pidfile {path}"))),
        }
    }

    /// Removes the file; that it may be gone already is nobody's concern.
    pub fn remove(self) {
        let _ = fs::remove_file(native::path(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_and_removed() {
        let path = std::env::temp_dir().join(format!("pidfile-test-{}.pid", std::process::id()));
        let path = path.to_str().unwrap();
        fs::write(path, "a longer line of an earlier run\n").unwrap();
        let (pidfile, line) = Pidfile::write(path, 42);
        assert_eq!(line, (Level::Info, "supervisord started with pid 42".to_string()));
        assert_eq!(fs::read_to_string(path).unwrap(), "42\n");
        pidfile.unwrap().remove();
        assert!(!fs::exists(path).unwrap());
    }

    #[test]
    fn one_that_cannot_be_written_is_not_ours() {
        let (pidfile, line) = Pidfile::write("/no/such/dir/x.pid", 42);
        assert!(pidfile.is_none());
        let expected = "could not write pidfile /no/such/dir/x.pid";
        assert_eq!(line, (Level::Critical, expected.to_string()));
    }
}
