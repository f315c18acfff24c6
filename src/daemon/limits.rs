//! Raising the resource limits the daemon needs (`options.py: set_rlimits_or_exit`).

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

use crate::core::states::Level;

/// A limit that has to be at least `min`.
struct Need {
    resource: Resource,
    name: &'static str,
    min: i64,
}

/// Raises the soft limits of open files and processes to `minfds` and `minprocs` where they are lower. Returns lines
/// for the main log, or the message to exit with.
pub(crate) fn raise(minfds: i64, minprocs: i64) -> Result<Vec<(Level, String)>, String> {
    let needs = [
        Need { resource: Resource::RLIMIT_NOFILE, name: "RLIMIT_NOFILE", min: minfds },
        Need { resource: Resource::RLIMIT_NPROC, name: "RLIMIT_NPROC", min: minprocs },
    ];
    let mut lines = Vec::new();
    for need in needs {
        if raise_one(&need)? {
            let text = format!("Increased {} limit to {}", need.name, need.min);
            lines.push((Level::Info, text));
        }
    }
    Ok(lines)
}

/// Whether the limit had to be raised. Root may raise the hard limit too; anyone else fails there.
fn raise_one(need: &Need) -> Result<bool, String> {
    // getrlimit fails only for a resource that does not exist.
    let Ok((soft, hard)) = getrlimit(need.resource) else { return Ok(false) };
    // A negative minimum is below every limit.
    let Ok(min) = rlim_t::try_from(need.min) else { return Ok(false) };
    if soft >= min {
        return Ok(false);
    }
    let hard = hard.max(min);
    match setrlimit(need.resource, min, hard) {
        Ok(()) => Ok(true),
        Err(_) => Err(refusal(need, hard)),
    }
}

/// The message names the hard limit that was asked for, not the one in force; so does the reference's.
fn refusal(need: &Need, hard: rlim_t) -> String {
    let min = need.min;
    let hard = if hard == RLIM_INFINITY { "-1".to_string() } else { hard.to_string() };
    match need.resource {
        Resource::RLIMIT_NOFILE => format!(
            "The minimum number of file descriptors required to run this process is {min} as per the \"minfds\" \
             command-line argument or config file setting. The current environment will only allow you to open {hard} \
             file descriptors.  Either raise the number of usable file descriptors in your environment (see \
             README.rst) or lower the minfds setting in the config file to allow the process to start."
        ),
        _ => format!(
            "The minimum number of available processes required to run this program is {min} as per the \"minprocs\" \
             command-line argument or config file setting. The current environment will only allow you to open {hard} \
             processes.  Either raise the number of usable processes in your environment (see README.rst) or lower the \
             minprocs setting in the config file to allow the program to start."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sufficient_limits_are_left_alone() {
        assert_eq!(raise(1, 1), Ok(Vec::new()));
        assert_eq!(raise(-5, 0), Ok(Vec::new()));
    }

    #[test]
    fn more_than_the_system_can_give_is_refused_in_the_reference_words() {
        // Above fs.nr_open, so not even root gets it.
        let refused = raise(1 << 40, 1).unwrap_err();
        assert!(refused.starts_with(
            "The minimum number of file descriptors required to run this process is 1099511627776 as per the \
             \"minfds\" command-line argument or config file setting. The current environment will only allow you to \
             open 1099511627776 file descriptors.  Either raise"
        ));
    }
}
