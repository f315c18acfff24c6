//! How a process ends: its leader has ended, it parts from those of its group who still live, it is finished.

use std::time::Duration;

use super::Process;
use crate::core::clock::after_secs;
use crate::core::config::AutoRestart;
use crate::core::effect::{Effect, ExitStatus, Others};
use crate::core::goal::{By, Goal};
use crate::core::lifecycle::Cause;
use crate::core::outside::Outside;
use crate::core::parting::{Asked, Parting, Verdict};
use crate::core::states::{Level, Mood, ProcessState};

impl Process {
    /// The leader of its group has ended, with so many of its pipes still open. It stays unreaped until the process is
    /// let go ([`Effect::LetGo`]), and the next thing to come is [`Process::finish`].
    pub fn leader_ended(
        &mut self,
        status: ExitStatus,
        open_pipes: usize,
        outside: &mut Outside<'_>,
    ) {
        let Some(pid) = self.pid else { return };
        let mut parting = Parting::new(status, outside.now.mono, open_pipes);
        if self.killed_at.is_some() && self.config.killasgroup {
            parting.killed(outside.now.mono); // with its leader
        }
        self.parting = Some(parting);
        self.part(outside);
        if self.parting.as_ref().is_some_and(|parting| !parting.leaving) {
            outside.effect(Effect::CallRoll { proc: self.id, pid });
        }
    }

    /// Everybody has closed one of its pipes. Of interest once its leader has ended.
    pub fn pipe_closed(&mut self, outside: &mut Outside<'_>) {
        if let Some(parting) = &mut self.parting {
            parting.pipe_closed();
            self.part(outside);
        }
    }

    /// Who else of its group lives.
    pub fn group_seen(&mut self, others: Others, outside: &mut Outside<'_>) {
        if let Some(parting) = &mut self.parting {
            parting.seen(others);
            self.part(outside);
        }
    }

    /// Who was asked to end.
    pub(super) fn asked(&self) -> Asked {
        if self.killing && self.config.stopasgroup {
            Asked::GroupUntil(self.stop_until)
        } else {
            Asked::One
        }
    }

    /// Does what is due about a process whose leader has ended.
    pub(super) fn part(&mut self, outside: &mut Outside<'_>) {
        let (asked, now) = (self.asked(), outside.now.mono);
        let (Some(parting), Some(pid)) = (&mut self.parting, self.pid) else { return };
        let name = &self.config.name;
        match parting.verdict(asked, now) {
            Verdict::Wait => {}
            Verdict::Say => {
                parting.said();
                if let Some(names) = parting.names() {
                    let text =
                        format!("waiting for {names} of the process group of {name} to stop");
                    outside.log(Level::Info, text);
                }
            }
            Verdict::Kill => {
                parting.killed(now);
                if let Some(names) = parting.names() {
                    let text = format!("{name} has ended, but of its process group live {names}");
                    outside.log(Level::Warn, text);
                }
                self.kill_finally(outside);
            }
            Verdict::Over if !parting.leaving => {
                parting.leaving = true;
                // Of a program that was to end alone the reference says nothing.
                let names = parting.names().filter(|_| asked != Asked::One);
                if let Some(names) = names {
                    let text = format!("{name} has ended, and leaves behind {names}");
                    outside.log(Level::Warn, text);
                }
                let (proc, status) = (self.id, parting.status);
                outside.effect(Effect::LetGo { proc, pid, status });
            }
            Verdict::Over => {}
        }
    }

    /// What the process had to say is read: it is finished (`process.py: finish`), and reaped after this.
    pub fn finish(&mut self, status: ExitStatus, outside: &mut Outside<'_>) {
        let now = outside.now;
        let ended = self.parting.take().map_or(now.mono, |parting| parting.ended);
        let code = status.exit_code();
        let how = status.describe();
        let expected = self.config.exitcodes.contains(&code);
        self.last_stop = Some(now.into());
        let lived = self.lived(ended);
        let survived = lived >= after_secs(Duration::ZERO, self.config.startsecs);

        if self.killing || self.state == ProcessState::Unknown {
            self.killing = false;
            self.goal = Goal::Down;
            self.exit_status = Some(code);
            self.change(Cause::Died, outside);
            self.log_end(outside, "stopped", &how, expected);
        } else if self.state == ProcessState::Starting && !survived {
            self.exit_status = None;
            self.spawn_error =
                Some("Exited too quickly (process log may have details)".to_string());
            self.back_off(Cause::DiedEarly, outside);
            self.log_end(outside, "exited", &format!("{how}; not expected"), false);
        } else {
            if self.state == ProcessState::Starting {
                // Its step to RUNNING was due in this very moment.
                self.change(Cause::Survived, outside);
            }
            self.backoff = 0;
            self.exit_status = Some(code);
            if !expected {
                self.spawn_error = Some(format!("Bad exit code {code}"));
            }
            self.change_state(Cause::Died, expected, outside);
            let wanted = match self.config.autorestart {
                AutoRestart::Always => true,
                AutoRestart::Unexpected => !expected,
                AutoRestart::Never => false,
            };
            self.goal = if wanted { Goal::Up(By::Restart) } else { Goal::Down };
            let verdict = if expected { "expected" } else { "not expected" };
            self.log_end(outside, "exited", &format!("{how}; {verdict}"), expected);
        }
        // Only now: events tell the pid of what ended.
        self.pid = None;
        self.close_socket(outside);
        if self.waits_to_restart() && outside.mood == Mood::Running {
            let (name, delay) = (&self.config.name, self.config.restart_delay);
            outside.log(Level::Info, format!("waiting {delay} seconds before {name} is restarted"));
        }
    }

    /// The exit line, at WARN unless the exit was an expected one.
    fn log_end(&self, outside: &mut Outside<'_>, verb: &str, how: &str, expected: bool) {
        let level = if expected { Level::Info } else { Level::Warn };
        outside.log(level, format!("{verb}: {} ({how})", self.config.name));
    }

    fn lived(&self, until: Duration) -> Duration {
        self.last_start.map_or(Duration::ZERO, |start| until.saturating_sub(start.mono))
    }
}
