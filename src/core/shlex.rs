//! Splitting a command line into words as Python's `shlex.split` does (POSIX mode, no comments).

use std::fmt;

/// Why a command line cannot be split; the texts are Python's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShlexError {
    /// A quotation is still open at the end.
    NoClosingQuotation,
    /// The last character is a backslash that escapes nothing.
    NoEscapedCharacter,
}

impl fmt::Display for ShlexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ShlexError::NoClosingQuotation => "No closing quotation",
            ShlexError::NoEscapedCharacter => "No escaped character",
        })
    }
}

impl std::error::Error for ShlexError {}

/// Where the splitter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between words.
    Between,
    /// In the unquoted part of a word.
    Word,
    /// Inside `'…'`, where nothing is special.
    Single,
    /// Inside `"…"`, where a backslash escapes itself and the quote only.
    Double,
    /// After a backslash outside quotes.
    Escape,
    /// After a backslash inside `"…"`.
    DoubleEscape,
}

/// Splits `text` into words.
///
/// Only space, tab, carriage return and newline separate words; `#` is an ordinary character; a quoted empty string
/// is a word. An escaped newline is a newline, not a continuation, as in Python and unlike a shell.
pub(crate) fn split(text: &str) -> Result<Vec<String>, ShlexError> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut state = State::Between;
    for character in text.chars() {
        state = match (state, character) {
            (State::Between, ' ' | '\t' | '\r' | '\n') => State::Between,
            (State::Word, ' ' | '\t' | '\r' | '\n') => {
                words.push(std::mem::take(&mut word));
                State::Between
            }
            (State::Between | State::Word, '\'') => State::Single,
            (State::Between | State::Word, '"') => State::Double,
            (State::Between | State::Word, '\\') => State::Escape,
            (State::Single, '\'') | (State::Double, '"') => State::Word,
            (State::Double, '\\') => State::DoubleEscape,
            (State::DoubleEscape, _) => {
                if character != '\\' && character != '"' {
                    word.push('\\');
                }
                word.push(character);
                State::Double
            }
            (State::Between | State::Word | State::Escape, _) => {
                word.push(character);
                State::Word
            }
            (State::Single | State::Double, _) => {
                word.push(character);
                state
            }
        };
    }
    match state {
        State::Between => Ok(words),
        State::Word => {
            words.push(word);
            Ok(words)
        }
        State::Single | State::Double => Err(ShlexError::NoClosingQuotation),
        State::Escape | State::DoubleEscape => Err(ShlexError::NoEscapedCharacter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap()
    }

    #[test]
    fn quotes_join_and_empty_ones_count() {
        assert_eq!(words(r#"a 'b c'"d"'' "" e"#), ["a", "b cd", "", "e"]);
        assert_eq!(words(" \t\r\n"), Vec::<String>::new());
        assert_eq!(words("a#b #c"), ["a#b", "#c"]);
    }

    #[test]
    fn escapes_depend_on_the_quotes_around_them() {
        assert_eq!(words(r#"a\ b '\n' "\n\"\\\'""#), ["a b", r"\n", r#"\n"\\'"#]);
        assert_eq!(words("a\\\nb"), ["a\nb"]);
    }

    #[test]
    fn open_ends_are_errors() {
        assert_eq!(split("a 'b"), Err(ShlexError::NoClosingQuotation));
        assert_eq!(split("a \"b\\\""), Err(ShlexError::NoClosingQuotation));
        assert_eq!(split("a \\"), Err(ShlexError::NoEscapedCharacter));
        assert_eq!(split("\"\\"), Err(ShlexError::NoEscapedCharacter));
    }

    #[test]
    fn white_space_beyond_ascii_is_not_a_separator() {
        assert_eq!(words("a\u{a0}b\u{b}c d"), ["a\u{a0}b\u{b}c", "d"]);
    }
}
