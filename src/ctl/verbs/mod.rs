//! The actions. Each takes the controller and the text after its name.

pub mod help;
pub mod status;

use super::controller::{Controller, Flow};
use super::failure::Outcome;

/// Runs an action; `None` when there is none of that name.
pub fn run(ctl: &mut Controller, action: &str, argument: &str) -> Option<Outcome<Flow>> {
    let result = match action {
        "help" => help::help(ctl, argument),
        "status" => status::status(ctl, argument),
        "quit" | "exit" | "EOF" => {
            ctl.output("");
            return Some(Ok(Flow::Leave));
        }
        _ => return None,
    };
    Some(result.map(|()| Flow::Go))
}
