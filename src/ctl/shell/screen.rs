//! What of a line is on the terminal, and how little has to be written to change it.
//!
//! As with the reference's readline a prompt is nothing but its text, and what is typed at the end of the line is just
//! echoed: scripts that drive the shell read this.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

/// Where the cursor is, from where the prompt starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    row: usize,
    column: usize,
}

impl Place {
    /// Where it is after the text.
    fn after(mut self, text: &str, columns: usize) -> Place {
        for character in text.chars() {
            let width = character.width().unwrap_or_default();
            if character == '\n' || self.column + width > columns {
                self = Place { row: self.row + 1, column: 0 };
            }
            self.column += width;
        }
        self
    }

    /// Out of the last column's margin, where terminals wait for the next character, into the next row.
    fn wrapped(self, columns: usize) -> Place {
        if self.column < columns { self } else { Place { row: self.row + 1, column: 0 } }
    }
}

/// A prompt and a line on the terminal.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    columns: usize,
    cursor: Place,
}

impl<'a> Screen<'a> {
    /// A terminal of so many columns whose cursor is at the start of a row.
    pub(super) fn new(out: &'a mut dyn Write, columns: usize) -> Screen<'a> {
        Screen { out, columns: columns.max(1), cursor: Place::default() }
    }

    /// Writes text where the cursor is: a prompt, or what is added to the end of a line.
    pub(super) fn add(&mut self, text: &str) -> io::Result<()> {
        let end = self.cursor.after(text, self.columns);
        self.cursor = end.wrapped(self.columns);
        let wrap = if self.cursor == end { "" } else { "\r\n" };
        self.flush(&format!("{text}{wrap}"))
    }

    /// Takes a character off the end of the line; whether that was as simple.
    pub(super) fn take_off(&mut self, text: &str) -> io::Result<bool> {
        let width: usize = text.chars().map(|c| c.width().unwrap_or_default()).sum();
        let simple = 0 < width && width <= self.cursor.column;
        if simple {
            self.cursor.column -= width;
            self.flush(&format!("{}\x1b[K", "\x08".repeat(width)))?;
        }
        Ok(simple)
    }

    /// Writes prompt and line anew, on a terminal that has so many columns by now, and puts the cursor behind the first
    /// `before` bytes of the line.
    pub(super) fn draw(
        &mut self,
        prompt: &str,
        line: &str,
        before: usize,
        columns: usize,
    ) -> io::Result<()> {
        let up = up(self.cursor.row);
        self.columns = columns.max(1);
        let place = |text| Place::default().after(prompt, self.columns).after(text, self.columns);
        let unwrapped = place(line);
        let end = unwrapped.wrapped(self.columns);
        self.cursor = place(&line[..before]).wrapped(self.columns);
        let mut text = format!("{up}\r{prompt}{line}");
        text.push_str(if end == unwrapped { "" } else { "\r\n" });
        text.push_str("\x1b[J");
        if self.cursor != end {
            text.push_str(&self::up(end.row - self.cursor.row));
            text.push('\r');
            if self.cursor.column > 0 {
                text.push_str(&format!("\x1b[{}C", self.cursor.column));
            }
        }
        self.flush(&text)
    }

    /// Clears the terminal; the cursor is at its top.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.cursor = Place::default();
        self.flush("\x1b[H\x1b[2J")
    }

    /// Ends the line, and shows text below it.
    pub(super) fn below(&mut self, text: &str) -> io::Result<()> {
        self.cursor = Place::default();
        self.flush(&format!("\n{text}"))
    }

    /// Says that a key does nothing here.
    pub(super) fn bell(&mut self) -> io::Result<()> {
        self.flush("\x07")
    }

    fn flush(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn up(rows: usize) -> String {
    if rows > 0 { format!("\x1b[{rows}A") } else { String::new() }
}

/// Names in columns, sorted downwards, each line with its end.
pub(super) fn columns_of(names: &[&str], columns: usize) -> String {
    let width_of = |name: &str| -> usize { name.chars().filter_map(UnicodeWidthChar::width).sum() };
    let width = names.iter().map(|name| width_of(name)).max().unwrap_or_default() + 2;
    let rows = names.len().div_ceil((columns / width).max(1));
    let mut text = String::new();
    for row in 0..rows {
        let mut gap = 0;
        for name in names.iter().skip(row).step_by(rows) {
            text.push_str(&" ".repeat(gap));
            text.push_str(name);
            gap = width - width_of(name);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(columns: usize, act: impl FnOnce(&mut Screen<'_>)) -> String {
        let mut out = Vec::new();
        act(&mut Screen::new(&mut out, columns));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_typed_is_echoed() {
        assert_eq!(
            written(80, |screen| {
                screen.add("> ").unwrap();
                screen.add("a").unwrap();
                screen.add("ö").unwrap();
                assert!(screen.take_off("ö").unwrap());
            }),
            "> aö\x08\x1b[K"
        );
    }

    #[test]
    fn lines_longer_than_a_row() {
        assert_eq!(
            written(4, |screen| {
                screen.add("> ").unwrap();
                screen.add("ab").unwrap();
                assert!(!screen.take_off("b").unwrap());
                screen.draw("> ", "a", 1, 4).unwrap();
            }),
            "> ab\r\n\x1b[1A\r> a\x1b[J"
        );
        assert_eq!(
            written(4, |screen| screen.draw("> ", "abcdef", 1, 4).unwrap()),
            "\r> abcdef\r\n\x1b[J\x1b[2A\r\x1b[3C"
        );
        // A wide character that does not fit into the row stands in the next.
        assert_eq!(
            written(4, |screen| screen.draw("> ", "a日", 0, 4).unwrap()),
            "\r> a日\x1b[J\x1b[1A\r\x1b[2C"
        );
    }

    #[test]
    fn names_stand_in_columns() {
        assert_eq!(columns_of(&["a", "bb", "c"], 8), "a   c\nbb\n");
        assert_eq!(columns_of(&["a", "bb"], 1), "a\nbb\n");
    }
}
