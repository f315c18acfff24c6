//! Which names in a configuration stand for something in Python. Only Python knows; whoever reads brings somebody who asks it.

use std::fmt;
use std::sync::Arc;

/// Asks whether `module:name` can be imported, of the interpreter that `python=` names, if it is set.
type Ask = dyn Fn(Option<&str>, &str) -> bool + Send + Sync;

/// Who is asked whether something can be imported.
#[derive(Clone, Default)]
pub(crate) struct Imports {
    ask: Option<Arc<Ask>>,
}

impl fmt::Debug for Imports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imports").field("asks", &self.ask.is_some()).finish()
    }
}

impl Imports {
    /// Those that somebody answers for.
    pub(crate) fn new(ask: impl Fn(Option<&str>, &str) -> bool + Send + Sync + 'static) -> Imports {
        Imports { ask: Some(Arc::new(ask)) }
    }

    /// Whether a name of a factory or a handler can be imported. Where nobody is asked, nothing can.
    pub(super) fn know(&self, python: Option<&str>, spec: &str) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask(python, spec))
    }
}
