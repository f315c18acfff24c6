//! The shell: commands typed or piped in, one after the other (`supervisorctl.py: exec_cmdloop`).
//!
//! On a terminal that can move its cursor a line is edited, completed and remembered; anywhere else the prompt is
//! written and a line is read, so nothing here needs a terminal.

mod complete;
mod editor;
mod history;
mod input;
mod keys;
mod line;
mod screen;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use super::controller::{self, Flow};
use super::session::Session;
use crate::sys;
use input::{Input, Line};

/// Shows the status and runs commands until `quit`, the end of the input, or Ctrl-C. The shell's exit status is always 0.
///
/// Fails when the signals cannot be set up, or the terminal.
pub(crate) fn run(session: &mut Session) -> io::Result<()> {
    // Ctrl-C leaves the shell wherever nothing waits for it; tail and fg do.
    sys::exit_on_interrupt()?;
    let input = Rc::new(RefCell::new(Input::new(&session.options)));
    let answers = Rc::clone(&input);
    session.ask = Box::new(move |out, prompt, echo| answers.borrow_mut().ask(out, prompt, echo));
    let mut flow = controller::run(session, "status");
    while flow == Flow::Go && !session.nobody_reads {
        let line = input.borrow_mut().command(&mut session.out, &session.options)?;
        match line {
            Line::Typed(line) => flow = controller::run(session, &line),
            Line::End => flow = Flow::Interrupted,
        }
    }
    if flow == Flow::Interrupted {
        session.output("");
    }
    Ok(())
}
