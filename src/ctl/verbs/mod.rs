//! The actions. Each takes the controller and the text after its name.

pub mod daemon;
pub mod fg;
pub mod groups;
pub mod help;
pub mod logs;
pub mod process;
pub mod status;

use super::controller::{Controller, Flow};
use super::failure::Outcome;

/// Runs an action; `None` when there is none of that name.
pub fn run(ctl: &mut Controller, action: &str, argument: &str) -> Option<Outcome<Flow>> {
    let result = match action {
        "add" => groups::add(ctl, argument),
        "avail" => groups::avail(ctl, argument),
        "clear" => logs::clear(ctl, argument),
        "fg" => fg::fg(ctl, argument),
        "help" => help::help(ctl, argument),
        "maintail" => logs::maintail(ctl, argument),
        "open" => daemon::open(ctl, argument),
        "pid" => daemon::pid(ctl, argument),
        "reload" => daemon::reload(ctl, argument),
        "remove" => groups::remove(ctl, argument),
        "reread" => groups::reread(ctl, argument),
        "restart" => process::restart(ctl, argument),
        "shutdown" => daemon::shutdown(ctl, argument),
        "signal" => process::signal(ctl, argument),
        "start" => process::start(ctl, argument),
        "status" => status::status(ctl, argument),
        "stop" => process::stop(ctl, argument),
        "tail" => logs::tail(ctl, argument),
        "update" => groups::update(ctl, argument),
        "version" => daemon::version(ctl, argument),
        "quit" | "exit" | "EOF" => {
            ctl.output("");
            return Some(Ok(Flow::Leave));
        }
        _ => return None,
    };
    Some(result.map(|()| Flow::Go))
}
