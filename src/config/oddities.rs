//! What is read otherwise than its writer may have meant. The reference says nothing of any of it, and goes on.

use super::complaint::Position;
use crate::core::python::is_space;

/// Oddities one document keeps. Nobody reads more, and a file may hold millions of them.
const MAX_ODDITIES: usize = 1000;

/// Something odd in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oddity {
    /// What is odd.
    pub quirk: Quirk,
    /// Where it stands.
    pub position: Position,
    /// The section it belongs to.
    pub section: String,
    /// The option it belongs to, if it does to one.
    pub option: Option<String>,
}

/// What is odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// An indented line continues the value above, though it looks like this header.
    IndentedHeader(String),
    /// An indented line continues the value above, though it looks like this option.
    IndentedOption(String),
    /// This stands behind the bracket of a header, and is nothing.
    BehindHeader(String),
    /// A comment begins within quotes; this is left of the value.
    CutInQuotes(String),
    /// The option is set once more; what was set here counts no more.
    SetBefore(Position),
    /// The section begins once more; it has begun here.
    BegunBefore(Position),
}

/// The oddities of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Oddities(Vec<Oddity>);

impl Oddities {
    /// Takes one down.
    pub(super) fn add(
        &mut self,
        quirk: Quirk,
        position: Position,
        section: &str,
        option: Option<&str>,
    ) {
        if self.0.len() < MAX_ODDITIES {
            let (section, option) = (section.to_string(), option.map(str::to_string));
            self.0.push(Oddity { quirk, position, section, option });
        }
    }

    /// Takes over those of another document.
    pub(super) fn append(&mut self, other: Oddities) {
        self.0.extend(other.0);
        self.0.truncate(MAX_ODDITIES);
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Oddity> {
        self.0.iter()
    }
}

/// The name of an option that a line seems to set: `name=…`, `name: …`.
pub(super) fn seeming_option(line: &str) -> Option<&str> {
    let name = line.split(['=', ':']).next().filter(|name| name.len() < line.len())?;
    let name = name.trim_end_matches(is_space);
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Whether a text ends within quotes that what follows it closes.
pub(super) fn ends_in_quotes(text: &str, rest: &str) -> bool {
    let mut open = None;
    for character in text.chars().filter(|c| matches!(c, '"' | '\'')) {
        match open {
            None => open = Some(character),
            Some(quote) if quote == character => open = None,
            Some(_) => {}
        }
    }
    open.is_some_and(|quote| rest.contains(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_look_like_options() {
        for (line, name) in [
            ("autostart=true", Some("autostart")),
            ("autostart : x", Some("autostart")),
            ("--flag=x", None),
            ("PATH=\"x\"", None),
            ("word", None),
            ("=x", None),
        ] {
            assert_eq!(seeming_option(line), name, "{line}");
        }
    }

    #[test]
    fn quotes_that_a_comment_cuts() {
        assert!(ends_in_quotes("command=sh -c \"a ", "; b\""));
        assert!(!ends_in_quotes("command=it's ", "; a comment"));
        assert!(!ends_in_quotes("command=sh -c 'a' ", "; it's one"));
        assert!(!ends_in_quotes("a=\"'\" ", "; '"));
    }
}
