//! The line editor: the keys of readline that people use, on a terminal that shows what readline would show.

use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{Pid, read};

use super::complete::Completions;
use super::history::MAX_ENTRIES;
use super::keys::{Key, Keys};
use super::line::Line;
use super::screen::{Screen, columns_of};
use crate::ctl::interrupt::{Interrupts, Woken};
use crate::sys::terminal;

/// Columns of a terminal that does not say how many it has.
const USUAL_COLUMNS: usize = 80;

/// The character that stands for no key in a terminal's mode (`_POSIX_VDISABLE`).
const NO_KEY: u8 = 0;

/// Most names shown at a time.
const MAX_LISTED: usize = 500;

/// Edits lines, remembers them, completes their words.
#[derive(Default)]
pub(super) struct Editor {
    /// What Tab offers.
    pub completions: Completions,
    remembered: Vec<String>,
    line: Line,
    /// Which of the remembered lines is shown; their number for none.
    shown: usize,
    /// The line that is not among the remembered ones, while one of those is shown.
    draft: String,
}

/// What a key came to.
enum Turn {
    /// Nothing to be shown.
    Same,
    /// The line has changed, or the cursor's place.
    Changed,
    /// There is nothing to be done.
    Refused,
    /// The line is to be taken, or there is none: the end of the input.
    Taken(Option<String>),
}

impl Editor {
    /// Adds a line to those that can be called up again.
    pub(super) fn remember(&mut self, line: &str) {
        if line.is_empty() || self.remembered.last().is_some_and(|last| last == line) {
            return;
        }
        if self.remembered.len() == MAX_ENTRIES {
            self.remembered.remove(0);
        }
        self.remembered.push(line.to_string());
    }

    /// Prompts for a line, and returns it without its end; `None` at the end of the input, with the cursor still behind
    /// the prompt.
    ///
    /// Fails as interrupted at Ctrl-C.
    pub(super) fn read(&mut self, out: &mut dyn Write, prompt: &str) -> io::Result<Option<String>> {
        let mut interrupts = Interrupts::take_over()?;
        let mut mode = KeyMode::enter()?;
        self.line.set("");
        self.shown = self.remembered.len();
        let mut screen = Screen::new(out, columns());
        screen.add(prompt)?;
        let mut keys = Keys::default();
        let mut tabs = 0;
        while let Some(key) = next_key(&mut keys, &mut interrupts)? {
            tabs = if key == Key::Tab { tabs + 1 } else { 0 };
            let turn = match key {
                Key::Tab => self.complete(&mut screen, tabs)?,
                Key::Ctrl('l') => screen.clear().map(|()| Turn::Changed)?,
                Key::Ctrl('z') => mode.suspend().map(|()| Turn::Changed)?,
                Key::Ctrl('r') => self.search(&mut screen, &mut keys, &mut interrupts)?,
                key => self.obey(key, &mut screen)?,
            };
            match turn {
                Turn::Same => {}
                Turn::Refused => screen.bell()?,
                Turn::Changed => self.draw(&mut screen, prompt)?,
                Turn::Taken(None) => return Ok(None),
                Turn::Taken(Some(line)) => {
                    if self.line.go(self.line.end()) || key == Key::Ctrl('r') {
                        self.draw(&mut screen, prompt)?;
                    }
                    screen.below("")?;
                    return Ok(Some(line));
                }
            }
        }
        Ok(None)
    }

    fn draw(&self, screen: &mut Screen<'_>, prompt: &str) -> io::Result<()> {
        screen.draw(prompt, self.line.text(), self.line.before().len(), columns())
    }

    /// What a key does that needs nothing but the line.
    fn obey(&mut self, key: Key, screen: &mut Screen<'_>) -> io::Result<Turn> {
        let line = &mut self.line;
        let done = match key {
            Key::Enter => return Ok(Turn::Taken(Some(line.text().to_string()))),
            Key::Ctrl('d') if line.text().is_empty() => return Ok(Turn::Taken(None)),
            Key::Char(character) => {
                let text = character.to_string();
                let at_end = line.before().len() == line.end();
                let fits = line.insert(&text);
                if fits && at_end {
                    screen.add(&text)?;
                    return Ok(Turn::Same);
                }
                fits
            }
            Key::Backspace => {
                let at_end = line.before().len() == line.end();
                let gone = line.rub_out(line.left());
                if let Some(gone) = gone.as_deref().filter(|_| at_end)
                    && screen.take_off(gone)?
                {
                    return Ok(Turn::Same);
                }
                gone.is_some()
            }
            Key::Delete | Key::Ctrl('d') => line.rub_out(line.right()).is_some(),
            Key::Left | Key::Ctrl('b') => line.go(line.left()),
            Key::Right | Key::Ctrl('f') => line.go(line.right()),
            Key::Home | Key::Ctrl('a') => line.go(0),
            Key::End | Key::Ctrl('e') => line.go(line.end()),
            Key::Meta('b') => line.go(line.word_start(char::is_alphanumeric)),
            Key::Meta('f') => line.go(line.word_end()),
            Key::Ctrl('k') => line.cut(line.end()),
            Key::Ctrl('u') => line.cut(0),
            Key::Ctrl('w') => line.cut(line.word_start(|character| !character.is_whitespace())),
            Key::Meta('\x7f' | '\x08') => line.cut(line.word_start(char::is_alphanumeric)),
            Key::Meta('d') => line.cut(line.word_end()),
            Key::Ctrl('y') => line.paste(),
            Key::Up | Key::Ctrl('p') => {
                self.shown.checked_sub(1).is_some_and(|to| self.call_up(to))
            }
            Key::Down | Key::Ctrl('n') => self.call_up(self.shown + 1),
            Key::Ctrl(_) | Key::Meta(_) | Key::Tab | Key::Unknown => false,
        };
        Ok(if done { Turn::Changed } else { Turn::Refused })
    }

    /// Shows one of the remembered lines, or behind them what was typed before; whether there is one.
    fn call_up(&mut self, to: usize) -> bool {
        if to > self.remembered.len() {
            return false;
        }
        if self.shown == self.remembered.len() {
            self.draft = self.line.text().to_string();
        }
        self.shown = to;
        self.line.set(self.remembered.get(to).unwrap_or(&self.draft));
        true
    }

    /// Completes the word before the cursor as far as it is clear; the second Tab shows what there is to choose from.
    fn complete(&mut self, screen: &mut Screen<'_>, tabs: usize) -> io::Result<Turn> {
        let (start, candidates) = self.completions.complete(self.line.before());
        let word = &self.line.before()[start..];
        let common = common_start(&candidates);
        if common.len() > word.len() {
            let done = self.line.replace_from(start, common);
            return Ok(if done { Turn::Changed } else { Turn::Refused });
        }
        if candidates.len() < 2 || tabs < 2 {
            return Ok(Turn::Refused);
        }
        let names: Vec<&str> =
            candidates.iter().take(MAX_LISTED).map(|name| name.trim_end()).collect();
        let mut list = columns_of(&names, columns());
        if candidates.len() > MAX_LISTED {
            list.push_str(&format!("({} more)\n", candidates.len() - MAX_LISTED));
        }
        screen.below(&list)?;
        Ok(Turn::Changed)
    }

    /// Looks for remembered lines that have what is typed, the newest first; again at each Ctrl-R. Ctrl-G ends it, and
    /// any other key is for the line that was found.
    fn search(
        &mut self,
        screen: &mut Screen<'_>,
        keys: &mut Keys,
        interrupts: &mut Interrupts,
    ) -> io::Result<Turn> {
        let (line, shown) = (self.line.text().to_string(), self.shown);
        if shown == self.remembered.len() {
            self.draft.clone_from(&line);
        }
        let mut wanted = String::new();
        let mut older_than = self.remembered.len();
        loop {
            let found =
                self.remembered[..older_than].iter().rposition(|line| line.contains(&wanted));
            if let Some(found) = found.filter(|_| !wanted.is_empty()) {
                self.shown = found;
                self.line.set(&self.remembered[found]);
            }
            self.draw(screen, &format!("(reverse-i-search)`{wanted}': "))?;
            match next_key(keys, interrupts)? {
                Some(Key::Char(character)) => {
                    wanted.push(character);
                    older_than = (self.shown + 1).min(self.remembered.len());
                }
                Some(Key::Backspace) => {
                    wanted.pop();
                    older_than = self.remembered.len();
                }
                Some(Key::Ctrl('r')) => older_than = self.shown,
                Some(Key::Ctrl('g')) => {
                    self.line.set(&line);
                    self.shown = shown;
                    return Ok(Turn::Changed);
                }
                Some(key) => {
                    return Ok(match self.obey(key, screen)? {
                        Turn::Same | Turn::Refused => Turn::Changed,
                        turn => turn,
                    });
                }
                None => return Ok(Turn::Taken(None)),
            }
        }
    }
}

/// The longest text that all names start with.
fn common_start(names: &[String]) -> &str {
    let Some((first, others)) = names.split_first() else { return "" };
    let common = first.char_indices().map(|(at, character)| at + character.len_utf8());
    let end = common.take_while(|end| others.iter().all(|name| name.starts_with(&first[..*end])));
    &first[..end.last().unwrap_or_default()]
}

fn columns() -> usize {
    terminal::columns(io::stdout().as_fd()).unwrap_or(USUAL_COLUMNS)
}

/// Waits for a key. `None` when the terminal is gone; fails as interrupted at Ctrl-C.
fn next_key(keys: &mut Keys, interrupts: &mut Interrupts) -> io::Result<Option<Key>> {
    let stdin = io::stdin();
    if let Some(key) = keys.kept() {
        return Ok(Some(key));
    }
    loop {
        if interrupts.wait(Some(stdin.as_fd()), None)? == Woken::Interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        // One byte at a time: what is typed ahead is for whoever reads next.
        let mut byte = [0];
        match read(&stdin, &mut byte) {
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Ok(0) | Err(Errno::EIO) => return Ok(None),
            Err(errno) => return Err(errno.into()),
            Ok(_) => {
                if let Some(key) = keys.feed(byte[0]) {
                    return Ok(Some(key));
                }
            }
        }
    }
}

/// The terminal gives us every key, and shows none by itself, as long as this lives. Ctrl-C remains a signal.
struct KeyMode {
    before: Termios,
}

impl KeyMode {
    fn enter() -> io::Result<KeyMode> {
        let before = tcgetattr(io::stdin())?;
        let mode = KeyMode { before };
        mode.take_keys()?;
        Ok(mode)
    }

    fn take_keys(&self) -> io::Result<()> {
        let mut keys = self.before.clone();
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
        keys.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        keys.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        // Ctrl-Z is a key, so that we are not stopped with the terminal in this mode.
        keys.control_chars[SpecialCharacterIndices::VSUSP as usize] = NO_KEY;
        Ok(tcsetattr(io::stdin(), SetArg::TCSADRAIN, &keys)?)
    }

    /// Stops us, and whoever is in the pipeline with us, until the shell we were started from goes on with us.
    fn suspend(&mut self) -> io::Result<()> {
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before)?;
        kill(Pid::from_raw(0), Signal::SIGTSTP)?;
        self.take_keys()
    }
}

impl Drop for KeyMode {
    fn drop(&mut self) {
        // A terminal that is gone has no mode.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }
}
