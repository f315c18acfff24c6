//! `quit` and `exit`: the end of a shell.

use crate::ctl::verb::{Completes, Does, Shown, Verb};

/// The action `quit`.
pub(super) static QUIT: Verb = Verb {
    name: "quit",
    usage: "",
    help: "quit\tExit the supervisor shell.",
    shown: Shown::InList,
    completes: Completes::Nothing,
    does: Does::Leave,
};

/// The action `exit`.
pub(super) static EXIT: Verb =
    Verb { name: "exit", help: "exit\tExit the supervisor shell.", ..QUIT };

/// What the reference makes of the end of its input, and does when it is typed, too.
pub(super) static EOF: Verb = Verb { name: "EOF", shown: Shown::Nowhere, ..QUIT };
