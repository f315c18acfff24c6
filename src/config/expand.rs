//! Python's `%` formatting of option values over named expansions, with the reference's error texts (`options.py: expand`).

use super::complaint::Mistake;
use super::format::{self, Argument, Flags, Spec};
use super::names::{Table, Value};
use crate::core::python::repr;

/// Widths and precisions above this are refused: Python would try to allocate that much.
const MAX_FIELD_CHARS: u64 = 1 << 20;

/// Longest result of one expansion, in bytes; Python has no limit but its memory.
const MAX_RESULT_BYTES: usize = 16 << 20;

/// Formats `text` with the tables merged in order, later ones winning. `option` names the value in error texts.
pub fn expand(text: &str, tables: &[&Table], option: &str) -> Result<String, Mistake> {
    if !text.contains('%') {
        return Ok(text.to_string());
    }
    let characters: Vec<char> = text.chars().collect();
    let mut formatter = Formatter { text: &characters, at: 0, tables, pending: Some(None) };
    formatter.run().map_err(|error| match error {
        Error::Key(key) => {
            let merged = merge(tables);
            let mut names: Vec<&str> = merged.entries().map(|(name, _)| name).collect();
            names.sort_unstable();
            Mistake::new(format!(
                "Format string {} for {} contains names ({}) which cannot be expanded. Available names: {}",
                repr(text),
                repr(option),
                repr(&key),
                names.join(", ")
            ))
        }
        Error::Format(mistake) => mistake.within(|why| {
            format!("Format string {} for {} is badly formatted: {why}", repr(text), repr(option))
        }),
    })
}

fn merge(tables: &[&Table]) -> Table {
    let mut merged = Table::new();
    for table in tables {
        merged.update(table);
    }
    merged
}

enum Error {
    /// `KeyError`
    Key(String),
    /// Any other exception.
    Format(Mistake),
}

fn bad<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Format(Mistake::new(why)))
}

/// One run over a format string (`unicodeobject.c: PyUnicode_Format` with a mapping).
struct Formatter<'a> {
    text: &'a [char],
    at: usize,
    tables: &'a [&'a Table],
    /// The argument not taken yet: the mapping itself, or the value of the last name. A conversion without a name
    /// takes it once.
    pending: Option<Option<&'a Value>>,
}

impl<'a> Formatter<'a> {
    fn run(&mut self) -> Result<String, Error> {
        let mut out = String::new();
        while let Some(&character) = self.text.get(self.at) {
            self.at += 1;
            if character != '%' {
                out.push(character);
                continue;
            }
            if self.text.get(self.at) == Some(&'%') {
                self.at += 1;
                out.push('%');
                continue;
            }
            self.conversion(&mut out)?;
            if out.len() > MAX_RESULT_BYTES {
                return bad("");
            }
        }
        Ok(out)
    }

    fn next(&mut self) -> Option<char> {
        let character = self.text.get(self.at).copied();
        self.at += 1;
        character
    }

    fn take_argument(&mut self) -> Result<Argument<'a>, Error> {
        match self.pending.take() {
            None => bad("not enough arguments for format string"),
            Some(Some(value)) => Ok(Argument::Value(value)),
            Some(None) => Ok(Argument::Mapping(format::mapping_repr(merge(self.tables).entries()))),
        }
    }

    fn conversion(&mut self, out: &mut String) -> Result<(), Error> {
        if self.text.get(self.at) == Some(&'(') {
            self.at += 1;
            let key = self.key()?;
            let found = self.tables.iter().rev().find_map(|table| table.get(&key));
            self.pending = Some(Some(found.ok_or(Error::Key(key))?));
        }
        let mut spec = Spec { flags: Flags::default(), width: None, precision: None };
        let mut character = self.next();
        while let Some(flag) = character.filter(|c| spec.flags.set(*c)) {
            let _ = flag;
            character = self.next();
        }
        character = self.width(character, &mut spec)?;
        character = self.precision(character, &mut spec)?;
        if matches!(character, Some('h' | 'l' | 'L')) {
            character = self.next();
        }
        let Some(conversion) = character else {
            return bad("incomplete format");
        };
        let argument = self.take_argument()?;
        // Wrong types are reported before a field that is too wide.
        let measured = Spec { width: None, precision: None, ..spec };
        let wide = spec.width.is_some_and(|n| n > MAX_FIELD_CHARS);
        let precise = spec.precision.is_some_and(|n| n > MAX_FIELD_CHARS);
        let is_text = matches!(conversion, 's' | 'r' | 'a' | 'c');
        let too_big = wide || (precise && !is_text);
        let spec = if too_big { measured } else { spec };
        match format::convert(conversion, &spec, &argument) {
            // A MemoryError in Python, whose text is empty.
            Ok(Some(_)) if too_big => return bad(""),
            Ok(Some(text)) => out.push_str(&text),
            Ok(None) => {
                let code = u32::from(conversion);
                let shown = if (31..=126).contains(&code) { conversion } else { '?' };
                let index = self.at - 1;
                return bad(format!(
                    "unsupported format character '{shown}' (0x{code:x}) at index {index}"
                ));
            }
            Err(mistake) => return Err(Error::Format(mistake)),
        }
        Ok(())
    }

    /// The name between balanced parentheses.
    fn key(&mut self) -> Result<String, Error> {
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(character) = self.next() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.text[start..self.at - 1].iter().collect());
            }
        }
        bad("incomplete format key")
    }

    fn width(&mut self, first: Option<char>, spec: &mut Spec) -> Result<Option<char>, Error> {
        if first == Some('*') {
            let width = self.star()?;
            spec.flags.left |= width < 0;
            spec.width = Some(width.unsigned_abs());
            return Ok(self.next());
        }
        if !first.is_some_and(|c| c.is_ascii_digit()) {
            return Ok(first);
        }
        let (width, rest) = self.number(first, i64::MAX as u64, "width too big")?;
        spec.width = Some(width);
        Ok(rest)
    }

    fn precision(&mut self, first: Option<char>, spec: &mut Spec) -> Result<Option<char>, Error> {
        if first != Some('.') {
            return Ok(first);
        }
        let first = self.next();
        if first == Some('*') {
            spec.precision = Some(u64::try_from(self.star()?).unwrap_or(0));
            return Ok(self.next());
        }
        let (precision, rest) = self.number(first, i32::MAX as u64, "precision too big")?;
        spec.precision = Some(precision);
        Ok(rest)
    }

    /// The argument of a `*`. Nothing is left for the conversion itself afterwards.
    fn star(&mut self) -> Result<i64, Error> {
        match self.take_argument()? {
            Argument::Value(Value::Int(number)) => Ok(*number),
            _ => bad("* wants int"),
        }
    }

    /// Digits from `first` on, and the character after them; zero when there are none.
    fn number(
        &mut self,
        first: Option<char>,
        limit: u64,
        too_big: &str,
    ) -> Result<(u64, Option<char>), Error> {
        let mut number = 0_u64;
        let mut character = first;
        while let Some(digit) = character.filter(char::is_ascii_digit).and_then(|c| c.to_digit(10))
        {
            if number > (limit - u64::from(digit)) / 10 {
                return bad(too_big);
            }
            number = number * 10 + u64::from(digit);
            character = self.next();
        }
        Ok((number, character))
    }
}

#[cfg(test)]
#[path = "expand_tests.rs"]
mod tests;
