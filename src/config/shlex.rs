//! Python's plain `shlex` lexer, as the reference sets it up for `environment=`. (`core::shlex` splits commands.)

use super::complaint::Mistake;

/// What the lexer is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens.
    Start,
    /// In a word.
    Word,
    /// Behind an opening quotation mark.
    Quote(char),
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_quote(character: char) -> bool {
    matches!(character, '\'' | '"')
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
pub(crate) fn tokens(text: &str) -> Result<Vec<String>, Mistake> {
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
        return Err(Mistake::new("No closing quotation"));
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(tokens("A='x").unwrap_err().to_string(), "No closing quotation");
    }
}
