//! Signal numbers and names as the reference's Python knows them on Linux.

/// Names by number, the canonical one of each number.
const NAMES: [(i32, &str); 33] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (20, "SIGTSTP"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGURG"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGPOLL"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
    (34, "SIGRTMIN"),
    (64, "SIGRTMAX"),
];

/// Further names that are accepted: aliases, and the constants of Python's `signal` module that share the prefix.
const ALIASES: [(i32, &str); 8] = [
    (17, "SIGCLD"),
    (29, "SIGIO"),
    (6, "SIGIOT"),
    (0, "SIG_DFL"),
    (1, "SIG_IGN"),
    (0, "SIG_BLOCK"),
    (1, "SIG_UNBLOCK"),
    (2, "SIG_SETMASK"),
];

/// The signal that ends a program that outstays `stopwaitsecs`.
pub(crate) const SIGKILL: i32 = 9;

/// The name of a signal for log lines: `SIGTERM`, or `signal 35` where there is none.
pub(crate) fn name(signal: i32) -> String {
    NAMES
        .iter()
        .find(|(number, _)| *number == signal)
        .map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_string())
}

/// Whether the number is one the reference accepts (0 is; 35 is not).
pub(crate) fn is_valid(signal: i64) -> bool {
    NAMES.iter().chain(&ALIASES).any(|(number, _)| i64::from(*number) == signal)
}

/// Looks a name up: any case, surrounding space ignored, with or without `SIG`.
pub(crate) fn by_name(text: &str) -> Option<i32> {
    let upper = text.trim().to_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    NAMES.iter().chain(&ALIASES).find(|(_, name)| *name == full).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_accepted_form() {
        assert_eq!(by_name("term"), Some(15));
        assert_eq!(by_name(" SigHup "), Some(1));
        assert_eq!(by_name("SIG_DFL"), Some(0));
        assert_eq!(by_name("_DFL"), Some(0));
        assert_eq!(by_name("CLD"), Some(17));
        assert_eq!(by_name("NOPE"), None);
    }

    #[test]
    fn numbers() {
        assert!(is_valid(0) && is_valid(34) && is_valid(64));
        assert!(!is_valid(35) && !is_valid(-1) && !is_valid(65));
        assert_eq!(name(17), "SIGCHLD");
        assert_eq!(name(35), "signal 35");
    }
}
