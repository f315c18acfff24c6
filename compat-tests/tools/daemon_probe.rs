//! The start of a daemon without the daemon: takes the signals over, waits for a line on standard input, daemonizes if
//! told so, writes a pid file, and from then on appends what happens to a report.
//!
//! `daemon_probe REPORT PIDFILE foreground|DIRECTORY`. Ends with SIGTERM, and reports how children ended.
//! It has children when whoever starts it leaves some behind by exec.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write, stdin};

use supervisord_rs::parts::daemon::daemonize::{Starter, daemonize};
use supervisord_rs::parts::daemon::environment;
use supervisord_rs::parts::daemon::exits::Exits;
use supervisord_rs::parts::daemon::pidfile::Pidfile;
use supervisord_rs::parts::daemon::signals::{self, Signals};

const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, report, pidfile, directory] = arguments.as_slice() else { std::process::exit(2) };
    let inherited = signals::take_over()?;
    let mut report = OpenOptions::new().create(true).append(true).open(report)?;
    writeln!(report, "inherited {}", inherited.iter().count())?;
    if let Some(value) = environment::get(&environment::inherited(), "LC_CTYPE") {
        writeln!(report, "LC_CTYPE {}", value.to_string_lossy())?;
    }
    writeln!(report, "taken over")?;
    stdin().read_line(&mut String::new())?;
    if directory != "foreground" {
        let mut starter = Starter::default();
        let lines = daemonize(Some(directory), 0o027, &mut starter);
        for (_, line) in lines.map_err(std::io::Error::other)? {
            writeln!(report, "{line}")?;
        }
        starter.is_up();
    }
    let (pidfile, (_, line)) = Pidfile::write(pidfile, std::process::id());
    writeln!(report, "{line}")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(watch(&mut report))?;
    if let Some(pidfile) = pidfile {
        pidfile.remove();
    }
    writeln!(report, "done")
}

async fn watch(report: &mut File) -> Result<()> {
    let mut signals = Signals::new()?;
    let mut exits = Exits::default();
    writeln!(report, "watching")?;
    loop {
        let signal = signals.next().await?;
        writeln!(report, "signal {signal}")?;
        match signal {
            SIGTERM => return Ok(()),
            SIGCHLD => {
                while let Some((pid, status)) = exits.next(std::iter::empty()) {
                    writeln!(report, "{}", status.describe())?;
                    exits.reap(pid);
                }
            }
            _ => {}
        }
    }
}
