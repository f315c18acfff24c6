//! What is wanted of a process, and whether it may start now.
//!
//! A process has a *state*, which says what is ([`lifecycle`](super::lifecycle)), and a *goal*, which says what is wanted
//! and by whom. Whatever starts a process sets the goal and asks the gate; nothing else spawns.
//!
//! ```text
//!  who                                   goal          when the gate opens
//!  autostart=true, its group was added   Up(Autostart) at once
//!  startProcess and the like             Up(Call)      at once
//!  autorestart, it ended by itself       Up(Restart)   after restart_delay, a second after its last start at the soonest
//!  any of these, the start has failed    as it was     n seconds after the n-th failure in a row
//!  stopProcess, the shutdown             Down
//!  stopProcess during a restart_delay    Down
//!  it ended and is not wanted again      Down
//!  startretries are used up              Down
//! ```
//!
//! Later wishes replace earlier ones: a call overrules what the configuration wanted. A goal survives a start, because a
//! start that fails is tried again for the same reason; every end sets another. What a shutdown stops is wanted down like
//! all that is stopped; what waits to start keeps its goal and waits for ever, because the gate is shut.
//!
//! The gate is a pure function of what is known of the process ([`Standing`]); its answer is a time, so a start that has
//! to wait is a timer like any other (`timers::Kind::Start` and `Restart`), and a call that waits for it goes on waiting. Whether this
//! input is the one in which it starts is a matter of turns, see `timers::Lane::Starts`.
//!
//! Down needs no gate: what is to be stopped is stopped at once; a shutdown takes one group after the other, see
//! [`plan`](super::plan).

use std::time::Duration;

use super::clock::after_secs;
use super::states::Mood;

/// A process that ended sooner after its start than this is not started again before the time is over: without
/// `startsecs` to stop it, a program that fails would be restarted many times a second. The reference's loop has the
/// same effect.
const CRASH_LOOP_INTERVAL: Duration = Duration::from_secs(1);

/// Who wants a process to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Its configuration, from the beginning.
    Autostart,
    /// A client.
    Call,
    /// Its configuration, after it ended by itself.
    Restart,
}

/// What is wanted of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// That it runs.
    Up(By),
    /// That it does not, or nothing.
    Down,
}

/// Whether a process may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// From then on, on the monotonic clock; often that is past.
    Opens(Duration),
    /// Not before something else happens.
    Shut(Shut),
}

/// Why a process may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// Nobody wants it.
    Unwanted,
    /// It runs, or is not finished yet.
    Alive,
    /// The supervisor stops everything.
    Stopping,
    /// It has failed too often.
    UsedUp,
}

/// How a process stands before the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) goal: Goal,
    /// It has a pid.
    pub(super) alive: bool,
    /// Failed starts in a row and how many may fail, when the last one has failed.
    pub(super) failed: Option<Failures>,
    /// When it was started last.
    pub(super) started: Duration,
    /// When it ended last.
    pub(super) ended: Duration,
    /// Seconds that an automatic restart waits: `restart_delay`.
    pub(super) delay: i64,
}

/// Failed starts in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    /// How many there were.
    pub(super) count: i64,
    /// How many are allowed: `startretries`.
    pub(super) most: i64,
}

impl Failures {
    /// There is no retry left.
    pub(super) fn are_too_many(self) -> bool {
        self.count > self.most
    }
}

/// Whether a process may start: the one place where that is decided.
pub(super) fn gate(standing: &Standing, mood: Mood) -> Gate {
    let Standing { goal, alive, failed, started, ended, delay } = *standing;
    let Goal::Up(by) = goal else {
        return Gate::Shut(Shut::Unwanted);
    };
    if alive {
        return Gate::Shut(Shut::Alive);
    }
    if mood != Mood::Running {
        return Gate::Shut(Shut::Stopping);
    }
    match (failed, by) {
        (Some(failures), _) if failures.are_too_many() => Gate::Shut(Shut::UsedUp),
        (Some(failures), _) => Gate::Opens(after_secs(started.max(ended), failures.count)),
        (None, By::Autostart | By::Call) => Gate::Opens(Duration::ZERO),
        (None, By::Restart) => {
            let soonest = started.saturating_add(CRASH_LOOP_INTERVAL);
            Gate::Opens(after_secs(ended, delay).max(soonest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const BYS: [By; 3] = [By::Autostart, By::Call, By::Restart];

    /// A process that was started at 10 s and ended at 10.2 s or 15 s.
    fn standings() -> Vec<(&'static str, Standing)> {
        let fresh = Standing {
            goal: Goal::Down,
            alive: false,
            failed: None,
            started: Duration::from_secs(10),
            ended: Duration::from_secs(15),
            delay: 0,
        };
        let failed = |count| Some(Failures { count, most: 3 });
        vec![
            ("ended", fresh),
            ("ended soon", Standing { ended: Duration::from_millis(10_200), ..fresh }),
            ("ended, to wait", Standing { delay: 7, ..fresh }),
            ("alive", Standing { alive: true, ..fresh }),
            ("failed 2 of 3", Standing { failed: failed(2), ..fresh }),
            ("failed 4 of 3", Standing { failed: failed(4), ..fresh }),
        ]
    }

    #[test]
    fn table_of_the_gate() {
        let mut table = String::new();
        let goals = BYS.map(Goal::Up).into_iter().chain([Goal::Down]);
        for goal in goals {
            for (name, standing) in standings() {
                let gate = gate(&Standing { goal, ..standing }, Mood::Running);
                table.push_str(&format!("{goal:?}, {name}: {gate:?}\n"));
            }
        }
        expect![[r#"
            Up(Autostart), ended: Opens(0ns)
            Up(Autostart), ended soon: Opens(0ns)
            Up(Autostart), ended, to wait: Opens(0ns)
            Up(Autostart), alive: Shut(Alive)
            Up(Autostart), failed 2 of 3: Opens(17s)
            Up(Autostart), failed 4 of 3: Shut(UsedUp)
            Up(Call), ended: Opens(0ns)
            Up(Call), ended soon: Opens(0ns)
            Up(Call), ended, to wait: Opens(0ns)
            Up(Call), alive: Shut(Alive)
            Up(Call), failed 2 of 3: Opens(17s)
            Up(Call), failed 4 of 3: Shut(UsedUp)
            Up(Restart), ended: Opens(15s)
            Up(Restart), ended soon: Opens(11s)
            Up(Restart), ended, to wait: Opens(22s)
            Up(Restart), alive: Shut(Alive)
            Up(Restart), failed 2 of 3: Opens(17s)
            Up(Restart), failed 4 of 3: Shut(UsedUp)
            Down, ended: Shut(Unwanted)
            Down, ended soon: Shut(Unwanted)
            Down, ended, to wait: Shut(Unwanted)
            Down, alive: Shut(Unwanted)
            Down, failed 2 of 3: Shut(Unwanted)
            Down, failed 4 of 3: Shut(Unwanted)
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn nothing_starts_during_a_shutdown() {
        for (name, standing) in standings() {
            for goal in BYS.map(Goal::Up) {
                for mood in [Mood::Shutdown, Mood::Restarting] {
                    let gate = gate(&Standing { goal, ..standing }, mood);
                    assert!(matches!(gate, Gate::Shut(_)), "{name}: {gate:?}");
                }
            }
        }
    }
}
