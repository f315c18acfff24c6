//! Python's `shlex` in the two settings the reference uses: `shlex.split` for commands and the plain lexer for
//! `environment=`.

/// What the lexer is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens.
    Start,
    /// In a word.
    Word,
    /// Behind an opening quotation mark.
    Quote(char),
    /// Behind a backslash; where to go on afterwards.
    Escape(Option<char>),
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_quote(character: char) -> bool {
    matches!(character, '\'' | '"')
}

/// `shlex.split(text)`: POSIX rules, comments off.
///
/// Errors are `No closing quotation` and `No escaped character`.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut token: Option<String> = None;
    let mut state = State::Start;
    for character in text.chars() {
        state = match state {
            State::Start | State::Word if is_blank(character) => {
                tokens.extend(token.take());
                State::Start
            }
            State::Start | State::Word if character == '\\' => State::Escape(None),
            State::Start | State::Word if is_quote(character) => {
                token.get_or_insert_default();
                State::Quote(character)
            }
            State::Start | State::Word => {
                token.get_or_insert_default().push(character);
                State::Word
            }
            State::Quote(mark) if character == mark => State::Word,
            State::Quote('"') if character == '\\' => State::Escape(Some('"')),
            State::Quote(_) => {
                token.get_or_insert_default().push(character);
                state
            }
            State::Escape(inside) => {
                let word = token.get_or_insert_default();
                // Within quotes only the quotation mark and the backslash itself can be escaped.
                if inside.is_some_and(|mark| character != mark && character != '\\') {
                    word.push('\\');
                }
                word.push(character);
                inside.map_or(State::Word, State::Quote)
            }
        };
    }
    match state {
        State::Quote(_) => Err("No closing quotation".to_string()),
        State::Escape(_) => Err("No escaped character".to_string()),
        State::Start | State::Word => {
            tokens.extend(token);
            Ok(tokens)
        }
    }
}

/// Whether the plain lexer of `environment=` takes a character into words (`wordchars` plus `/.+-():`).
fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '_' | '/' | '.' | '+' | '-' | '(' | ')' | ':')
}

/// The tokens of the non-POSIX lexer: words, quoted strings with their quotation marks, single other characters.
/// A `#` starts a comment.
///
/// The error is `No closing quotation`.
pub fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut state = State::Start;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match state {
            State::Quote(mark) => {
                token.push(character);
                if character == mark {
                    tokens.push(std::mem::take(&mut token));
                    state = State::Start;
                }
            }
            _ if is_blank(character) => {
                if !token.is_empty() {
                    tokens.push(std::mem::take(&mut token));
                }
                state = State::Start;
            }
            _ if character == '#' => {
                // The rest of the line goes, its end included: a word before it goes on in the next line.
                characters.by_ref().take_while(|skipped| *skipped != '\n').for_each(drop);
            }
            State::Word if is_word(character) || is_quote(character) => token.push(character),
            _ if is_word(character) => {
                token.push(character);
                state = State::Word;
            }
            _ if is_quote(character) => {
                token.push(character);
                state = State::Quote(character);
            }
            _ => {
                if !token.is_empty() {
                    tokens.push(std::mem::take(&mut token));
                }
                tokens.push(character.to_string());
                state = State::Start;
            }
        }
    }
    if matches!(state, State::Quote(_)) {
        return Err("No closing quotation".to_string());
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line was answered by CPython 3.11.
    #[test]
    fn commands() {
        for (text, words) in [
            ("", vec![]),
            (" a  b\tc\n", vec!["a", "b", "c"]),
            ("a 'b c' \"d e\"f", vec!["a", "b c", "d ef"]),
            ("'' a\"\"", vec!["", "a"]),
            ("a\\ b \\\"c \"d\\\"e\\x\\\\\" 'f\\g'", vec!["a b", "\"c", "d\"e\\x\\", "f\\g"]),
            ("a#b # c", vec!["a#b", "#", "c"]),
            ("a;b|c", vec!["a;b|c"]),
            ("é\u{a0}b", vec!["é\u{a0}b"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for text in ["'", "a\"b", "\"\\\""] {
            assert_eq!(split(text).unwrap_err(), "No closing quotation", "{text}");
        }
        for text in ["\\", "a\\", "\"\\"] {
            assert_eq!(split(text).unwrap_err(), "No escaped character", "{text}");
        }
    }

    #[test]
    fn environment_tokens() {
        for (text, words) in [
            ("A=1,B='x y'", vec!["A", "=", "1", ",", "B", "=", "'x y'"]),
            ("A=$HOME", vec!["A", "=", "$", "HOME"]),
            ("A=b\"c d\"", vec!["A", "=", "b\"c", "d\""]),
            ("A=b\\c", vec!["A", "=", "b", "\\", "c"]),
            ("A=b#c\nd,E", vec!["A", "=", "bd", ",", "E"]),
            ("#c\nA", vec!["A"]),
            ("é=ü", vec!["é", "=", "ü"]),
            ("'a''b'", vec!["'a'", "'b'"]),
        ] {
            assert_eq!(tokens(text).unwrap(), words, "{text}");
        }
        assert_eq!(tokens("A='x").unwrap_err(), "No closing quotation");
    }
}
