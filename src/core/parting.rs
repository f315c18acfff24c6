//! The end of a process: its leader has ended, others of its process group may not have.
//!
//! A service behind a script that does not exec it outlives the script by the time it needs to save its data and to let
//! its port go. The reference looks at its programs when one of their pipes closes or a second has passed, and gave the
//! service that time for free. Here it is a rule:
//!
//! - A process counts as ended once its leader has ended *and* its pipes are closed or nobody else of its group lives,
//!   or [`GRACE`] has passed. That holds for every end, asked for or not: a restart finds the port free.
//! - With `stopasgroup`, everybody was asked to stop. Then a stop waits for everybody, until `stopwaitsecs` have passed;
//!   who is left then is named in the log and gets SIGKILL (`stopasgroup` implies `killasgroup`).
//!
//! Until then the leader stays unreaped: as long as it is a zombie, its pid and with it the id of the group belong to
//! this process, and a signal to the group cannot hit anybody else.

use std::time::Duration;

use super::effect::{ExitStatus, Member, Others};

/// How long what shares the pipes or the group of a leader that has ended is waited for; the period in which the
/// reference looks at its programs.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// How long the rest of a group may take to be gone after SIGKILL.
pub(super) const KILLED_GRACE: Duration = Duration::from_secs(1);

/// Most names of processes in one line of the log.
const NAMED: usize = 8;

/// Who was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody, or the leader alone.
    One,
    /// The whole group; it has until then.
    GroupUntil(Duration),
}

/// What is to be done about a process whose leader has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Wait.
    Wait,
    /// Wait, and say in the log for whom.
    Say,
    /// Send SIGKILL to the group.
    Kill,
    /// It has ended.
    Over,
}

/// A process whose leader has ended.
#[derive(Debug)]
pub(super) struct Parting {
    /// How the leader ended.
    pub(super) status: ExitStatus,
    /// When it ended.
    pub(super) ended: Duration,
    open_pipes: usize,
    others: Others,
    said: bool,
    killed: Option<Duration>,
    /// The shell was told to let it go.
    pub(super) leaving: bool,
}

impl Parting {
    /// The leader has ended, with so many of its pipes still open.
    pub(super) fn new(status: ExitStatus, ended: Duration, open_pipes: usize) -> Parting {
        Parting {
            status,
            ended,
            open_pipes,
            others: Others::Unseen,
            said: false,
            killed: None,
            leaving: false,
        }
    }

    /// Everybody has closed one of its pipes.
    pub(super) fn pipe_closed(&mut self) {
        self.open_pipes = self.open_pipes.saturating_sub(1);
    }

    /// Somebody looked who else of the group lives.
    pub(super) fn seen(&mut self, others: Others) {
        self.others = others;
    }

    /// The group got SIGKILL.
    pub(super) fn killed(&mut self, now: Duration) {
        self.killed = Some(now);
    }

    /// Who it waits for has been said.
    pub(super) fn said(&mut self) {
        self.said = true;
    }

    /// What is to be done now.
    pub(super) fn verdict(&self, asked: Asked, now: Duration) -> Verdict {
        let nobody = matches!(&self.others, Others::Seen(members) if members.is_empty());
        let past_grace = now >= self.ended.saturating_add(GRACE);
        if nobody || self.leaving {
            return Verdict::Over;
        }
        match asked {
            Asked::GroupUntil(until) if self.others != Others::Unknowable => match self.killed {
                Some(killed) if now >= killed.saturating_add(KILLED_GRACE) => Verdict::Over,
                Some(_) => Verdict::Wait,
                None if now >= until => Verdict::Kill,
                None if past_grace && !self.said => Verdict::Say,
                None => Verdict::Wait,
            },
            Asked::GroupUntil(_) | Asked::One if self.open_pipes == 0 || past_grace => {
                Verdict::Over
            }
            Asked::GroupUntil(_) | Asked::One => Verdict::Wait,
        }
    }

    /// When the verdict changes by itself.
    pub(super) fn deadline(&self, asked: Asked) -> Option<Duration> {
        let grace = self.ended.saturating_add(GRACE);
        if self.leaving {
            return None;
        }
        Some(match asked {
            Asked::GroupUntil(until) if self.others != Others::Unknowable => match self.killed {
                Some(killed) => killed.saturating_add(KILLED_GRACE),
                None if self.said => until,
                None => until.min(grace),
            },
            Asked::GroupUntil(_) | Asked::One => grace,
        })
    }

    /// `12 (redis-server), 13 (sh)`, or nothing when nobody is known.
    pub(super) fn names(&self) -> Option<String> {
        let Others::Seen(members) = &self.others else { return None };
        let mut names: Vec<String> = members
            .iter()
            .take(NAMED)
            .map(|Member { pid, name }| format!("{pid} ({name})"))
            .collect();
        if members.len() > NAMED {
            names.push(format!("{} more", members.len() - NAMED));
        }
        (!names.is_empty()).then(|| names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const ENDED: Duration = Duration::from_secs(100);
    const UNTIL: Duration = Duration::from_secs(110);

    fn others(text: &str) -> Others {
        match text {
            "unseen" => Others::Unseen,
            "unknowable" => Others::Unknowable,
            "nobody" => Others::Seen(Vec::new()),
            _ => Others::Seen(vec![Member { pid: 7, name: "x".into() }]),
        }
    }

    /// Everything that counts, and what follows from it: at once, after the grace, after stopwaitsecs.
    #[test]
    fn table_of_all_verdicts() {
        let mut table = String::new();
        for (name, asked) in [("one", Asked::One), ("group", Asked::GroupUntil(UNTIL))] {
            for open_pipes in [0, 1] {
                for who in ["unseen", "unknowable", "nobody", "some"] {
                    let mut parting = Parting::new(ExitStatus::Exited(0), ENDED, open_pipes);
                    parting.seen(others(who));
                    let at = |secs| parting.verdict(asked, ENDED + Duration::from_secs(secs));
                    table.push_str(&format!(
                        "{name} pipes={open_pipes} {who}: {:?} {:?} {:?}\n",
                        at(0),
                        at(1),
                        at(10)
                    ));
                }
            }
        }
        expect![[r#"
            one pipes=0 unseen: Over Over Over
            one pipes=0 unknowable: Over Over Over
            one pipes=0 nobody: Over Over Over
            one pipes=0 some: Over Over Over
            one pipes=1 unseen: Wait Over Over
            one pipes=1 unknowable: Wait Over Over
            one pipes=1 nobody: Over Over Over
            one pipes=1 some: Wait Over Over
            group pipes=0 unseen: Wait Say Kill
            group pipes=0 unknowable: Over Over Over
            group pipes=0 nobody: Over Over Over
            group pipes=0 some: Wait Say Kill
            group pipes=1 unseen: Wait Say Kill
            group pipes=1 unknowable: Wait Over Over
            group pipes=1 nobody: Over Over Over
            group pipes=1 some: Wait Say Kill
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn after_sigkill_the_rest_has_a_second() {
        let asked = Asked::GroupUntil(UNTIL);
        let mut parting = Parting::new(ExitStatus::Exited(0), ENDED, 1);
        parting.seen(others("some"));
        parting.killed(UNTIL);
        assert_eq!(parting.verdict(asked, UNTIL), Verdict::Wait);
        assert_eq!(parting.deadline(asked), Some(UNTIL + KILLED_GRACE));
        assert_eq!(parting.verdict(asked, UNTIL + KILLED_GRACE), Verdict::Over);
    }

    #[test]
    fn names_are_bounded() {
        let mut parting = Parting::new(ExitStatus::Exited(0), ENDED, 1);
        assert_eq!(parting.names(), None);
        let member = |pid| Member { pid, name: "sh".into() };
        parting.seen(Others::Seen((1..=10).map(member).collect()));
        let names = parting.names().unwrap();
        assert!(names.starts_with("1 (sh), 2 (sh), ") && names.ends_with("8 (sh), 2 more"));
    }
}
