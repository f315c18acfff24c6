//! The inside of tags, references, declarations and instructions, by the letter of XML 1.0.

use std::borrow::Cow;

use super::document::require;
use super::parse::ParseError;

/// A start tag: the name, and the attributes as written.
pub(super) struct Tag<'a> {
    pub(super) name: Name<'a>,
    pub(super) attributes: Vec<(Name<'a>, Cow<'a, str>)>,
}

/// A name, split at its colon.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name<'a> {
    /// Empty when there is no colon.
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
}

impl<'a> Tag<'a> {
    /// Parses what stands between `<` and `>` (or `/>`).
    pub(super) fn parse(content: &'a str) -> Result<Tag<'a>, ParseError> {
        let name_end = content.find(is_space).unwrap_or(content.len());
        let (name, mut rest) = content.split_at(name_end);
        let name = Name::parse(name)?;
        let mut attributes = Vec::new();
        loop {
            let trimmed = rest.trim_start_matches(is_space);
            if trimmed.is_empty() {
                return Ok(Tag { name, attributes });
            }
            require(trimmed.len() < rest.len())?;
            let (key, value, after) = attribute(trimmed)?;
            attributes.push((Name::parse(key)?, attribute_value(value)?));
            rest = after;
        }
    }
}

impl<'a> Name<'a> {
    /// Parses a qualified name: one colon at most, a name on either side of it.
    fn parse(text: &'a str) -> Result<Name<'a>, ParseError> {
        let (prefix, local) = match text.split_once(':') {
            Some((prefix, local)) => {
                require(is_name(prefix))?;
                (prefix, local)
            }
            None => ("", text),
        };
        require(is_name(local))?;
        Ok(Name { prefix, local })
    }
}

/// Splits `key = "value" rest`; the value comes back without its quotes.
fn attribute(text: &str) -> Result<(&str, &str, &str), ParseError> {
    let (key, rest) = text.split_once('=').ok_or(ParseError::Unmarshallable)?;
    let rest = rest.trim_start_matches(is_space);
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    let quote = quote.ok_or(ParseError::Unmarshallable)?;
    let (value, after) = rest[1..].split_once(quote).ok_or(ParseError::Unmarshallable)?;
    Ok((key.trim_end_matches(is_space), value, after))
}

/// The normalised value: references resolved, each white space character a space.
fn attribute_value(raw: &str) -> Result<Cow<'_, str>, ParseError> {
    require(!raw.contains('<'))?;
    if !raw.contains(['&', '\t', '\r', '\n']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut pieces = raw.split('&');
    let spaced = |piece: &str| piece.replace("\r\n", " ").replace(is_space, " ");
    value.push_str(&spaced(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let (name, text) = piece.split_once(';').ok_or(ParseError::Unmarshallable)?;
        value.push(reference(name)?);
        value.push_str(&spaced(text));
    }
    Ok(Cow::Owned(value))
}

/// The character that `&name;` stands for. Only the five names of XML itself exist without a document type.
pub(super) fn reference(name: &str) -> Result<char, ParseError> {
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.strip_prefix('#').and_then(numeric_reference),
    };
    character.ok_or(ParseError::Unmarshallable)
}

fn numeric_reference(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // from_str_radix would also take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|&character| is_xml_char(character))
}

/// A processing instruction, without `<?` and `?>`: any name but `xml`, then nothing or white space and anything.
pub(super) fn check_instruction(content: &str) -> Result<(), ParseError> {
    let target = content.split(is_space).next().unwrap_or_default();
    require(is_name(target) && !target.eq_ignore_ascii_case("xml"))
}

/// The XML declaration, without `<?xml` and `?>`. The encoding it declares is ignored, as the reference does.
pub(super) fn check_declaration(content: &str) -> Result<(), ParseError> {
    let mut rest = content;
    let mut expected: &[&str] = &["version", "encoding", "standalone"];
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return require(expected.len() < 3);
        }
        require(trimmed.len() < rest.len())?;
        let (key, value, after) = attribute(trimmed)?;
        let place = expected.iter().position(|name| *name == key);
        let place = place.ok_or(ParseError::Unmarshallable)?;
        // The version comes first and is not optional.
        require(expected.len() < 3 || place == 0)?;
        require(value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))?;
        match key {
            "encoding" => require(value.starts_with(|c: char| c.is_ascii_alphabetic()))?,
            "standalone" => require(matches!(value, "yes" | "no"))?,
            _ => {}
        }
        expected = &expected[place + 1..];
        rest = after;
    }
}

/// White space as XML has it.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Characters a document may contain.
pub(super) fn is_xml_char(character: char) -> bool {
    !matches!(character, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_char)
}

/// The fifth edition's ranges; expat has the fourth edition's tables, which differ for rare non-ASCII letters.
fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn is_name_char(character: char) -> bool {
    is_name_start(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
