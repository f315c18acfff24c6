//! How figures and ends of processes are said.

use crate::core::info::ProcessInfo;
use crate::core::states::ProcessState;
use crate::daemon::usage::Usage;

/// Bytes with three digits at most, as `12.3 MB`; powers of 1024, as in configurations.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    // Exact up to 2^53 bytes, which nobody has.
    #[expect(clippy::cast_precision_loss)]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 99.95 && unit > 0);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// The share of one processor since the process was started, as `0.3 %`.
pub(super) fn average_cpu(info: &ProcessInfo, usage: &Usage) -> String {
    let alive_secs = u64::try_from(info.now_secs - info.start_secs).unwrap_or(0).max(1);
    let tenths = usage.cpu_millis / alive_secs;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// What an operator wants to know beyond the description: a pid where it does not say it, how a process ended.
pub(super) fn note(info: &ProcessInfo) -> Option<String> {
    match info.state {
        ProcessState::Starting | ProcessState::Stopping => info.pid.map(|pid| format!("pid {pid}")),
        ProcessState::Exited => ending(info),
        ProcessState::Stopped
        | ProcessState::Running
        | ProcessState::Backoff
        | ProcessState::Fatal
        | ProcessState::Unknown => None,
    }
}

/// How a process ended, if it is known: after one that was too quick it is not, nor while one runs.
pub(super) fn ending(info: &ProcessInfo) -> Option<String> {
    if !matches!(info.state, ProcessState::Exited | ProcessState::Stopped) {
        return None;
    }
    info.exit_status.map(|status| match status {
        -1 => "ended by a signal".to_string(),
        status => format!("exit status {status}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits() {
        let said = [0, 4096, 1_020_000, 1_048_064, 12_900_000, 300 << 20, 5 << 40, 5 << 50];
        let wanted = ["0 kB", "4 kB", "996 kB", "1.0 MB", "12.3 MB", "300 MB", "5.0 TB", "5120 TB"];
        assert_eq!(said.map(bytes), wanted);
    }
}
