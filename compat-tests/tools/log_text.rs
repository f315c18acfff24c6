//! Answers questions about logs, one per line of standard input, each with one line:
//!
//! - `read OFFSET LENGTH PATH`: the text in hexadecimal digits, or `fault TEXT`
//! - `tail OFFSET LENGTH PATH`: text in hexadecimal digits (`-` when empty), size, overflow; or `fault TEXT`
//! - `strip HEX`: the bytes without ANSI escapes, in hexadecimal digits

use std::io::{self, BufRead, Write};

use supervisord_rs::parts::core::value::Value;
use supervisord_rs::parts::daemon::disk::Disk;
use supervisord_rs::parts::daemon::strip_ansi::strip_ansi;

fn main() -> io::Result<()> {
    let disk = Disk::start(Box::new(|_, _| {}))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let answer = match words.as_slice() {
            ["read", offset, length, path] => {
                runtime.block_on(disk.read_log(path, number(offset)?, number(length)?))
            }
            ["tail", offset, length, path] => {
                runtime.block_on(disk.tail_log(path, number(offset)?, number(length)?))
            }
            ["strip", bytes] => Ok(Value::Str(hex(&strip_ansi(unhex(bytes)?)))),
            ["strip"] => Ok(Value::str("-")),
            _ => return Err(io::Error::other(format!("unknown question: {line}"))),
        };
        match (words[0], answer) {
            ("strip", Ok(Value::Str(text))) => writeln!(out, "{text}")?,
            (_, Ok(Value::Str(text))) => writeln!(out, "{}", hex(text.as_bytes()))?,
            (_, Ok(Value::Array(parts))) => match parts.as_slice() {
                [Value::Str(text), Value::Int(size), Value::Bool(overflow)] => {
                    writeln!(out, "{} {size} {overflow}", hex(text.as_bytes()))?;
                }
                _ => writeln!(out, "unexpected {parts:?}")?,
            },
            (_, Ok(other)) => writeln!(out, "unexpected {other:?}")?,
            (_, Err(fault)) => writeln!(out, "fault {fault}")?,
        }
    }
    disk.shutdown();
    Ok(())
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(io::Error::other)
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if digits.is_empty() { "-".to_string() } else { digits }
}

fn unhex(text: &str) -> io::Result<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(io::Error::other))
        .collect()
}
