//! `echo_supervisord_conf`: prints a configuration to start from (`confecho.py`).

use std::io::{self, Write};
use std::process::ExitCode;

/// The sample: it loads as it is, and documents every section and option with its default. Install scripts edit it by
/// pattern and by line, so its settings stand where and as the reference has them, and what the reference lacks stands
/// behind them, where it is a comment even after an edit up to the end.
pub(crate) const SAMPLE: &str = include_str!("echo/sample.conf");

/// Prints the sample to standard output. Arguments are ignored, as the reference does. A reader that leaves early
/// (`| head`) is no failure; any other failure to write is.
pub(crate) fn main() -> ExitCode {
    match io::stdout().write_all(SAMPLE.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "echo_supervisord_conf: {error}"); // nowhere left to complain
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_options_cannot_be_confused() {
        // `;name=` and `;[section]` are settings switched off; all else has a semicolon more, and stays a comment when
        // scripts take one from every line.
        for line in SAMPLE.lines().filter(|line| line.starts_with(';')) {
            let rest = &line[1..];
            let setting = rest.starts_with('[')
                || rest.split_once('=').is_some_and(|(name, _)| {
                    name.trim_end().chars().all(|c| c.is_ascii_lowercase() || c == '_')
                });
            assert!(rest.starts_with(';') || setting, "{line}");
        }
    }

    #[test]
    fn has_the_line_that_upstreams_suite_expects() {
        assert!(SAMPLE.contains("Sample supervisor config file"));
    }
}
