//! Lines of standard input, byte by byte, and how a person is asked without a line editor.
//!
//! Standard input is never read further than the line that was asked for, so that `fg` and the programs after us find
//! the rest.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::read;

use super::interrupt::{Interrupts, Woken};
use crate::core::text;

/// Longest line; more is not typed, and has to end somewhere when it is piped in.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

/// What a person types is shown or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// As usual.
    Shown,
    /// A password.
    Hidden,
}

/// Asks a person: the line without its end, `None` at the end of the input; fails as interrupted at Ctrl-C.
pub(crate) fn ask(out: &mut dyn Write, prompt: &str, echo: Echo) -> io::Result<Option<String>> {
    if echo == Echo::Hidden {
        return ask_hidden(prompt);
    }
    out.write_all(&text::encode(prompt))?;
    out.flush()?;
    let mut line = Vec::new();
    loop {
        match read_byte(io::stdin().as_fd(), &mut line)? {
            Progress::More => {}
            Progress::Line => return Ok(Some(text(&line))),
            Progress::End => return Ok(None),
        }
    }
}

/// What one more byte made of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is not whole yet.
    More,
    /// It is whole, without its end.
    Line,
    /// There is none: the input has ended.
    End,
}

/// Reads one byte of a line. The last line may lack its end.
///
/// Fails when the line is longer than [`MAX_LINE_BYTES`].
pub(crate) fn read_byte(input: BorrowedFd<'_>, line: &mut Vec<u8>) -> io::Result<Progress> {
    let mut byte = [0];
    let count = loop {
        match read(input, &mut byte) {
            Err(Errno::EINTR) => {}
            // The terminal is gone.
            Err(Errno::EIO) => break 0,
            other => break other?,
        }
    };
    match (count, byte) {
        (0, _) if line.is_empty() => Ok(Progress::End),
        (0, _) | (_, [b'\n']) => Ok(Progress::Line),
        _ if line.len() == MAX_LINE_BYTES => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the input is too long"))
        }
        _ => {
            line.extend(byte);
            Ok(Progress::More)
        }
    }
}

/// The text of a line; the line ends of other systems are line ends too.
pub(crate) fn text(line: &[u8]) -> String {
    text::decode(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Asks for a password on the controlling terminal, which shows nothing meanwhile (`getpass.getpass`).
fn ask_hidden(prompt: &str) -> io::Result<Option<String>> {
    let Ok(mut tty) = File::options().read(true).write(true).open("/dev/tty") else {
        let mut err = io::stderr();
        err.write_all(b"Warning: Password input may be echoed.\n")?;
        return ask(&mut err, prompt, Echo::Shown);
    };
    let before = tcgetattr(&tty)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    // Ctrl-C must not leave the terminal silent.
    let mut interrupts = Interrupts::take_over()?;
    tcsetattr(&tty, SetArg::TCSAFLUSH, &silent)?;
    tty.write_all(&text::encode(prompt))?;
    let line = read_unless_interrupted(&tty, &mut interrupts);
    tcsetattr(&tty, SetArg::TCSAFLUSH, &before)?;
    if matches!(line, Ok(Some(_))) {
        tty.write_all(b"\n")?;
    }
    line
}

fn read_unless_interrupted(tty: &File, interrupts: &mut Interrupts) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        if interrupts.wait(Some(tty.as_fd()), None)? == Woken::Interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match read_byte(tty.as_fd(), &mut line)? {
            Progress::More => {}
            Progress::Line => return Ok(Some(text(&line))),
            Progress::End => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<String> {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(input).unwrap();
        drop(writer);
        let mut lines = Vec::new();
        let mut line = Vec::new();
        loop {
            match read_byte(reader.as_fd(), &mut line).unwrap() {
                Progress::More => {}
                Progress::Line => lines.push(text(&std::mem::take(&mut line))),
                Progress::End => return lines,
            }
        }
    }

    #[test]
    fn lines_of_every_system() {
        assert_eq!(lines(b"a\n\nb c\r\n\xff"), ["a", "", "b c", &text::decode(b"\xff")]);
        assert_eq!(lines(b""), Vec::<String>::new());
    }

    #[test]
    fn a_line_has_an_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let mut line = vec![b'x'; MAX_LINE_BYTES];
        assert!(read_byte(reader.as_fd(), &mut line).is_err());
    }
}
