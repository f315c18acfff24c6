//! What a listener's result means: the two `result_handler=` that are built in, and those in Python, which are asked.

/// The result handler of listeners that name none.
pub(crate) const DEFAULT_RESULT_HANDLER: &str = "supervisor.dispatchers:default_handler";

/// Name of the handler of PyPI's supervisor-stdout, which Docker images use.
pub(crate) const SUPERVISOR_STDOUT: &str = "supervisor_stdout:event_handler";

/// What becomes of an event after its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is done with.
    Accepted {
        /// To be written to the daemon's stdout.
        print: Vec<u8>,
    },
    /// It goes to another listener, or again to this one.
    Rejected,
    /// Nothing could be made of the result: as rejected, and the listener gets no more events.
    Failed,
}

/// Judges results.
#[derive(Clone, Debug)]
pub(crate) enum ResultHandler {
    /// `supervisor.dispatchers:default_handler`: OK accepts, anything else rejects.
    Default,
    /// `supervisor_stdout:event_handler`: the result is an event of type PROCESS_LOG, to be printed.
    SupervisorStdout {
        /// The last line printed has no end, so the next print begins with a space, as Python 2's print statement
        /// with a trailing comma has it.
        soft_space: bool,
    },
    /// `module:function`, of a plugin.
    Python(String),
}

impl ResultHandler {
    /// The handler a configuration names.
    pub(crate) fn of(name: &str) -> ResultHandler {
        match name {
            "" | DEFAULT_RESULT_HANDLER => ResultHandler::Default,
            SUPERVISOR_STDOUT => ResultHandler::SupervisorStdout { soft_space: false },
            python => ResultHandler::Python(python.to_string()),
        }
    }

    /// Whether a name is that of a handler in Python.
    pub(crate) fn is_python(name: &str) -> bool {
        matches!(ResultHandler::of(name), ResultHandler::Python(_))
    }

    /// Judges a result.
    ///
    /// # Errors
    /// The name of the handler in Python that is to be asked.
    pub(crate) fn judge(&mut self, result: &[u8]) -> Result<Judgement, &str> {
        Ok(match self {
            ResultHandler::Python(handler) => return Err(handler),
            ResultHandler::Default if result == b"OK" => Judgement::Accepted { print: Vec::new() },
            ResultHandler::Default => Judgement::Rejected,
            ResultHandler::SupervisorStdout { soft_space } => match printed(result) {
                Some(mut print) => {
                    if std::mem::replace(soft_space, !print.ends_with(b"\n")) {
                        print.insert(0, b' ');
                    }
                    Judgement::Accepted { print }
                }
                None => Judgement::Failed,
            },
        })
    }
}

/// `processname channel | line` for every line of a PROCESS_LOG payload; `None` when it is not one.
fn printed(result: &[u8]) -> Option<Vec<u8>> {
    let end = result.iter().position(|byte| *byte == b'\n')?;
    let (header, data) = (&result[..end], &result[end + 1..]);
    let mut process = None;
    let mut channel = None;
    for word in header.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let mut parts = word.split(|byte| *byte == b':');
        let (key, value) = (parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        match key {
            b"processname" => process = Some(value),
            b"channel" => channel = Some(value),
            _ => {}
        }
    }
    let start = [process?, b" ", channel?, b" | "].concat();
    if data.is_empty() {
        return Some(start);
    }
    let lines = data.split_inclusive(|byte| *byte == b'\n');
    Some(lines.flat_map(|line| [start.as_slice(), line]).flatten().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(handler: &mut ResultHandler, data: &str) -> String {
        let result = format!("processname:web groupname:site pid:1 channel:stdout\n{data}");
        let judgement = handler.judge(result.as_bytes()).unwrap();
        let Judgement::Accepted { print } = judgement else { panic!("{judgement:?}") };
        String::from_utf8(print).unwrap()
    }

    #[test]
    fn the_default_accepts_ok_only() {
        let mut handler = ResultHandler::of("supervisor.dispatchers:default_handler");
        assert_eq!(handler.judge(b"OK"), Ok(Judgement::Accepted { print: Vec::new() }));
        for result in [&b""[..], b"OK ", b"ok", b"FAIL"] {
            assert_eq!(handler.judge(result), Ok(Judgement::Rejected));
        }
    }

    #[test]
    fn log_lines_are_printed_with_the_name_in_front() {
        let mut handler = ResultHandler::of(SUPERVISOR_STDOUT);
        assert_eq!(print(&mut handler, "one\n"), "web stdout | one\n");
        assert_eq!(print(&mut handler, "two\nthree\n"), "web stdout | two\nweb stdout | three\n");
        assert_eq!(print(&mut handler, "no end"), "web stdout | no end");
        assert_eq!(print(&mut handler, "after\n"), " web stdout | after\n");
        assert_eq!(print(&mut handler, "\n"), "web stdout | \n");
        assert_eq!(print(&mut handler, ""), "web stdout | ");
    }

    #[test]
    fn what_is_no_log_event_fails() {
        let mut handler = ResultHandler::of(SUPERVISOR_STDOUT);
        for result in [
            &b"OK"[..],
            b"",
            b"processname:web pid:1\n",
            b"processname:web channel:a:b\n",
            b"processname:web channel:x junk\n",
        ] {
            assert_eq!(handler.judge(result), Ok(Judgement::Failed), "{result:?}");
        }
    }
}
