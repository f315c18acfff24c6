//! The life cycle of a process: which cause leads from which state to which.
//!
//! ```text
//!             Spawn                 Survived
//!  STOPPED ─┐        ┌────────────────────────▶ RUNNING ──Died──▶ EXITED
//!  EXITED  ─┼─▶ STARTING ──Failed/DiedEarly──▶ BACKOFF ──GiveUp─▶ FATAL
//!  FATAL   ─┤        │                          │ │ └─Spawn─▶ STARTING
//!  BACKOFF ─┘        └──Kill──▶ STOPPING ◀─Kill─┘ └─Kill─▶ STOPPED      (RUNNING ──Kill──▶ STOPPING)
//!                                  │ └──Died──▶ STOPPED
//!                                  └─SignalFailed─▶ UNKNOWN ──Died──▶ STOPPED
//! ```

use super::states::ProcessState;

/// Why a state changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A start was requested or is due.
    Spawn,
    /// The start did not yield a process.
    SpawnFailed,
    /// Up for longer than `startsecs`.
    Survived,
    /// Exited before that.
    DiedEarly,
    /// Exited later, or while it was being stopped.
    Died,
    /// A stop was requested.
    Kill,
    /// A signal could not be delivered.
    SignalFailed,
    /// Too many retries, or no retry is wanted any more.
    GiveUp,
}

/// The state a cause leads to, or `None` where it cannot occur.
pub(crate) fn next_state(state: ProcessState, cause: Cause) -> Option<ProcessState> {
    use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
    match (cause, state) {
        (Cause::Spawn, Stopped | Exited | Fatal | Backoff) => Some(Starting),
        (Cause::Spawn, Starting | Running | Stopping | Unknown) => None,

        (Cause::SpawnFailed | Cause::DiedEarly, Starting) => Some(Backoff),
        (
            Cause::SpawnFailed | Cause::DiedEarly,
            Stopped | Running | Backoff | Stopping | Exited | Fatal | Unknown,
        ) => None,

        (Cause::Survived, Starting) => Some(Running),
        (Cause::Survived, Stopped | Running | Backoff | Stopping | Exited | Fatal | Unknown) => {
            None
        }

        (Cause::Died, Running) => Some(Exited),
        // The reference dies of an assertion when a process in UNKNOWN is reaped.
        (Cause::Died, Stopping | Unknown) => Some(Stopped),
        (Cause::Died, Stopped | Starting | Backoff | Exited | Fatal) => None,

        (Cause::Kill, Running | Starting | Stopping) => Some(Stopping),
        (Cause::Kill, Backoff) => Some(Stopped),
        (Cause::Kill, Stopped | Exited | Fatal | Unknown) => None,

        (Cause::SignalFailed, Running | Starting | Stopping) => Some(Unknown),
        (Cause::SignalFailed, Stopped | Backoff | Exited | Fatal | Unknown) => None,

        (Cause::GiveUp, Backoff) => Some(Fatal),
        (Cause::GiveUp, Stopped | Starting | Running | Stopping | Exited | Fatal | Unknown) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    /// Every cause.
    const CAUSES: [Cause; 8] = [
        Cause::Spawn,
        Cause::SpawnFailed,
        Cause::Survived,
        Cause::DiedEarly,
        Cause::Died,
        Cause::Kill,
        Cause::SignalFailed,
        Cause::GiveUp,
    ];

    #[test]
    fn table_of_all_changes() {
        let mut table = String::new();
        for state in ProcessState::ALL {
            for cause in CAUSES {
                if let Some(next) = next_state(state, cause) {
                    table.push_str(&format!("{} {cause:?} -> {}\n", state.name(), next.name()));
                }
            }
        }
        expect![[r#"
            STOPPED Spawn -> STARTING
            STARTING SpawnFailed -> BACKOFF
            STARTING Survived -> RUNNING
            STARTING DiedEarly -> BACKOFF
            STARTING Kill -> STOPPING
            STARTING SignalFailed -> UNKNOWN
            RUNNING Died -> EXITED
            RUNNING Kill -> STOPPING
            RUNNING SignalFailed -> UNKNOWN
            BACKOFF Spawn -> STARTING
            BACKOFF Kill -> STOPPED
            BACKOFF GiveUp -> FATAL
            STOPPING Died -> STOPPED
            STOPPING Kill -> STOPPING
            STOPPING SignalFailed -> UNKNOWN
            EXITED Spawn -> STARTING
            FATAL Spawn -> STARTING
            UNKNOWN Died -> STOPPED
        "#]]
        .assert_eq(&table);
    }
}
