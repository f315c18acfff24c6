//! One binary, several programs: which one runs is decided by the name it is called as.

use std::ffi::{CString, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::sys::prctl;

use crate::config::{Environ, called_as};
use crate::daemon::becoming;
use crate::{ctl, echo, native, pidproxy, run};

/// Links that are followed at most, as many as the system follows.
const MAX_LINKS: usize = 40;

/// What the binary can be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Program {
    Supervisord,
    Supervisorctl,
    EchoSupervisordConf,
    Pidproxy,
}

impl Program {
    /// The program of this name.
    fn named(name: &str) -> Option<Program> {
        match name {
            "supervisord" => Some(Program::Supervisord),
            "supervisorctl" => Some(Program::Supervisorctl),
            "echo_supervisord_conf" => Some(Program::EchoSupervisordConf),
            "pidproxy" => Some(Program::Pidproxy),
            _ => None,
        }
    }

    /// The program that a first argument asks for: `supervisord ctl …`.
    fn asked_for(word: &str) -> Option<Program> {
        match word {
            "ctl" => Some(Program::Supervisorctl),
            "echo_supervisord_conf" => Some(Program::EchoSupervisordConf),
            "pidproxy" => Some(Program::Pidproxy),
            _ => None,
        }
    }

    /// The program that links of other names lead to: the first known name on the way decides, `supervisorctl` of
    /// `/usr/local/bin/sv -> /usr/bin/supervisorctl -> supervisord`.
    fn linked(argv0: &str) -> Option<Program> {
        let mut path = native::path(&called_as(argv0, &Environ::of_process()));
        for _ in 0..MAX_LINKS {
            let target = std::fs::read_link(&path).ok()?;
            let place = path.parent().map_or_else(PathBuf::new, PathBuf::from);
            path = place.join(target); // an absolute one stands for itself
            let name = path.file_name().map(native::text).unwrap_or_default();
            if let Some(program) = Program::named(&name) {
                return Some(program);
            }
        }
        None
    }
}

/// Runs the program that was asked for and returns its exit status: `supervisorctl`, `echo_supervisord_conf` and
/// `pidproxy` by name, also as the first argument (`supervisord ctl …`, `supervisord pidproxy …`) and through links of
/// any name; everything else is the daemon. (Nobody calls it [`becoming::NAME`] but the daemon itself.)
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let argv0 = args.first().map(native::text).unwrap_or_default();
    if argv0 == becoming::NAME {
        return becoming::main(&args);
    }
    let name = argv0.rsplit('/').next().unwrap_or_default();
    let named = Program::named(name);
    let word = args.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let asked = match named {
        None | Some(Program::Supervisord) => Program::asked_for(word),
        Some(_) => None,
    };
    let called = named.or_else(|| Program::linked(&argv0));
    let program = asked.or(called).unwrap_or(Program::Supervisord);
    let own_words = if asked.is_some() { 2 } else { 1 };
    if program != Program::Supervisord {
        be_known_as(name);
    }
    match program {
        Program::Supervisord => run::main(),
        Program::Supervisorctl => {
            // A launcher that is called through a link says which one it is; nobody has typed that word.
            let typed = if asked.is_some() && asked != called { " ctl" } else { "" };
            ctl::main(&argv0, typed, args.get(own_words..).unwrap_or_default())
        }
        Program::EchoSupervisordConf => echo::main(),
        Program::Pidproxy => pidproxy::main(&args[own_words - 1..]),
    }
}

/// The name that `ps -C`, `pgrep` and `killall` go by: behind a launcher it would be the daemon's, and whoever looks for
/// daemons would find clients.
fn be_known_as(name: &str) {
    if let Ok(name) = CString::new(native::os(name).into_encoded_bytes()) {
        let _ = prctl::set_name(&name); // nothing hangs on it here
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_to_the_first_known_name() {
        let place = std::env::temp_dir().join(format!("dispatch-test-{}", std::process::id()));
        std::fs::create_dir_all(place.join("bin")).expect("a writable temporary directory");
        for (link, target) in [
            ("bin/supervisorctl", "supervisord"),
            ("bin/sv", "supervisorctl"),
            ("sv", "bin/sv"),
            ("sd", "bin/supervisord"),
            ("circle", "circle"),
            ("other", "bin/nothing"),
        ] {
            symlink(target, place.join(link)).expect("a link");
        }
        symlink(place.join("sv"), place.join("absolute")).expect("a link");
        let linked = |name: &str| Program::linked(&native::text(place.join(name)));
        assert_eq!(linked("sv"), Some(Program::Supervisorctl));
        assert_eq!(linked("bin/../absolute"), Some(Program::Supervisorctl));
        assert_eq!(linked("sd"), Some(Program::Supervisord));
        for none in ["circle", "other", "missing", "", "bin"] {
            assert_eq!(linked(none), None, "{none}");
        }
        std::fs::remove_dir_all(&place).expect("removed");
    }
}
