//! Answers lines of `PATH<TAB>command` on standard input, both with `\n`, `\t`, `\r`, `\0` and `\\` escaped, as the
//! daemon resolves the command of a program whose environment sets that `PATH` (or does not, when it is a lone `-`).
//!
//! One line each: `ok<TAB>filename<TAB>argv…`, `notfound<TAB>message` or `notexecutable<TAB>message`.

use std::io::{BufRead, Write, stdin, stdout};

use supervisord_rs::parts::core::config::ProcessConfig;
use supervisord_rs::parts::core::effect::CommandError;
use supervisord_rs::parts::daemon::command;

fn main() -> std::io::Result<()> {
    let daemon_path = command::search_path(std::env::var_os("PATH").as_deref());
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let line = line?;
        let Some((path, text)) = line.split_once('\t') else { continue };
        let mut config = config(unescape(text));
        if path != "-" {
            config.environment.push(("PATH".to_string(), unescape(path)));
        }
        let fields = match command::resolve(&config, &daemon_path) {
            Ok(found) => ["ok".to_string(), found.filename].into_iter().chain(found.argv).collect(),
            Err(CommandError::NotFound(message)) => vec!["notfound".to_string(), message],
            Err(CommandError::NotExecutable(message)) => vec!["notexecutable".to_string(), message],
        };
        let fields: Vec<String> = fields.iter().map(|field| escape(field)).collect();
        writeln!(out, "{}", fields.join("\t"))?;
    }
    Ok(())
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match (character, character == '\\') {
            (_, false) => character,
            (_, true) => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            },
        });
    }
    out
}

fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    escaped.replace('\r', "\\r").replace('\0', "\\0")
}

fn config(command: String) -> ProcessConfig {
    ProcessConfig { command, ..ProcessConfig::default() }
}
