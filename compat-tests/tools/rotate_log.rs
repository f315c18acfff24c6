//! Writes chunks to a rotating log: `rotate_log PATH MAX_BYTES BACKUPS < SCRIPT`.
//!
//! The script has one action per line: `write HEX`, `reopen` or `clear`.

use std::io::{self, BufRead};

use supervisord_rs::parts::daemon::disk::{Disk, Missing, SinkSpec};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, max_bytes, backups] = arguments.as_slice() else {
        return Err(io::Error::other("usage: rotate_log PATH MAX_BYTES BACKUPS"));
    };
    let number = |text: &str| text.parse::<i64>().map_err(io::Error::other);
    let disk = Disk::start(Box::new(|_, text| {
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{text}\n"));
    }))?;
    let sink = disk.open_sink(SinkSpec {
        path: path.into(),
        max_bytes: number(max_bytes)?,
        backups: number(backups)?,
        owner: "rotate_log".to_string(),
    });
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("write", hex)) => drop(sink.push(unhex(hex)?)),
            None if line == "reopen" => drop(sink.reopen()),
            None if line == "clear" => drop(sink.clear(Missing::Fine)),
            _ => return Err(io::Error::other(format!("unknown action: {line}"))),
        }
    }
    disk.shutdown();
    Ok(())
}

fn unhex(text: &str) -> io::Result<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(io::Error::other))
        .collect()
}
