//! The line that is being edited: its text, where the cursor is, and what was cut out last.

use crate::ctl::lines::MAX_LINE_BYTES;

/// A line and its cursor.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    cursor: usize,
    cut: String,
}

impl Line {
    /// The whole line.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(super) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Another line, with the cursor at its end.
    pub(super) fn set(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
        self.cursor = text.len();
    }

    /// Inserts text at the cursor, unless the line would become too long.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= MAX_LINE_BYTES;
        if fits {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
        }
        fits
    }

    /// Replaces what stands between a place and the cursor.
    pub(super) fn replace_from(&mut self, start: usize, text: &str) -> bool {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
        self.insert(text)
    }

    /// Inserts what was cut out last.
    pub(super) fn paste(&mut self) -> bool {
        let cut = std::mem::take(&mut self.cut);
        let fits = self.insert(&cut);
        self.cut = cut;
        fits
    }

    /// Moves the cursor.
    pub(super) fn go(&mut self, to: usize) -> bool {
        let moves = to != self.cursor;
        self.cursor = to;
        moves
    }

    /// Rubs out what is between the cursor and another place.
    pub(super) fn rub_out(&mut self, to: usize) -> Option<String> {
        let range = to.min(self.cursor)..to.max(self.cursor);
        self.cursor = range.start;
        Some(self.text.drain(range).collect()).filter(|gone: &String| !gone.is_empty())
    }

    /// Rubs it out and keeps it to be inserted again.
    pub(super) fn cut(&mut self, to: usize) -> bool {
        let cut = self.rub_out(to);
        let some = cut.is_some();
        self.cut = cut.unwrap_or_else(|| std::mem::take(&mut self.cut));
        some
    }

    /// Where the line ends.
    pub(super) fn end(&self) -> usize {
        self.text.len()
    }

    /// The place a character before the cursor.
    pub(super) fn left(&self) -> usize {
        self.cursor - self.before().chars().next_back().map_or(0, char::len_utf8)
    }

    /// The place a character behind the cursor.
    pub(super) fn right(&self) -> usize {
        self.cursor + self.text[self.cursor..].chars().next().map_or(0, char::len_utf8)
    }

    /// Where the word before the cursor starts: letters and digits, or whatever else is no white space.
    pub(super) fn word_start(&self, of_word: fn(char) -> bool) -> usize {
        let word = self.before().trim_end_matches(|character| !of_word(character));
        word.trim_end_matches(of_word).len()
    }

    /// Where the word at or behind the cursor ends.
    pub(super) fn word_end(&self) -> usize {
        let rest = self.text[self.cursor..].trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - rest.trim_start_matches(char::is_alphanumeric).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_was_cut() {
        let mut line = Line::default();
        line.set("stop web-1 Malmö");
        assert!(line.cut(line.word_start(|c| !c.is_whitespace())));
        assert_eq!(line.text(), "stop web-1 ");
        line.go(line.word_start(char::is_alphanumeric));
        line.go(line.word_start(char::is_alphanumeric));
        assert_eq!(line.before(), "stop ");
        assert!(line.paste() && !line.cut(line.cursor));
        assert_eq!((line.text(), line.before()), ("stop Malmöweb-1 ", "stop Malmö"));
        assert!(line.rub_out(line.left()).is_some() && line.paste());
        assert_eq!(line.before(), "stop MalmMalmö");
        line.go(0);
        assert!(line.cut(line.word_end()) && line.rub_out(line.right()).is_some());
        assert_eq!(line.text(), "MalmMalmöweb-1 ");
        assert!(line.rub_out(line.left()).is_none());
    }

    #[test]
    fn a_line_has_an_end() {
        let mut line = Line::default();
        assert!(line.insert(&"x".repeat(MAX_LINE_BYTES)) && !line.insert("y"));
        assert!(!line.replace_from(0, &"y".repeat(MAX_LINE_BYTES + 1)));
    }
}
