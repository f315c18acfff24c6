//! The text format of Prometheus, version 0.0.4: `name{label="value"} number`, each family under its help and type.

use std::fmt::{Display, Write as _};

use bytes::Bytes;

use crate::core::text;

/// Types of families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, or begins anew.
    Counter,
    /// Counts values by size.
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        }
    }
}

/// Lines that are being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// The family to which they belong.
    family: &'static str,
}

impl From<Page> for Bytes {
    fn from(page: Page) -> Bytes {
        page.text.into()
    }
}

impl Page {
    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Begins a family. Its help is one line without backslashes.
    pub(super) fn begin(&mut self, family: &'static str, kind: Kind, help: &str) {
        self.go_on(family);
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP {family} {help}\n# TYPE {family} {}", kind.name());
    }

    /// Goes on with a family that another piece began.
    pub(super) fn go_on(&mut self, family: &'static str) {
        self.family = family;
    }

    /// A number under the name of the family.
    pub(super) fn line(&mut self, labels: &[(&str, &str)], number: impl Display) {
        self.line_of("", labels, number);
    }

    /// The same under its name and a suffix.
    pub(super) fn line_of(&mut self, suffix: &str, labels: &[(&str, &str)], number: impl Display) {
        self.text.push_str(self.family);
        self.text.push_str(suffix);
        let mut before = '{';
        for (name, value) in labels {
            self.text.push(before);
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.push_value(value);
            self.text.push('"');
            before = ',';
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {number}");
    }

    /// A value of a label: any Unicode, but for what ends it, and for NUL, which ends the whole text for Prometheus.
    fn push_value(&mut self, value: &str) {
        let value = text::shown(value);
        if !value.contains(['\\', '"', '\n', '\0']) {
            return self.text.push_str(&value);
        }
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                '\0' => self.text.push(char::REPLACEMENT_CHARACTER),
                _ => self.text.push(character),
            }
        }
    }
}

/// Milliseconds, written as seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Millis(pub(super) u64);

impl Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// Microseconds, written as seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Micros(pub(super) u64);

impl Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_in_their_quotes() {
        let mut page = Page::default();
        page.begin("x", Kind::Gauge, "An x.");
        let latin = text::decode(b"caf\xe9");
        for value in ["plain", "a\"b\\c\nd\0e}", "\u{1f409}\r\t", &latin] {
            page.line(&[("name", value), ("group", "g")], 1);
        }
        page.line(&[], Millis(12_005));
        page.line_of("_sum", &[], Micros(1_000_250));
        let expected = concat!(
            "# HELP x An x.\n# TYPE x gauge\n",
            "x{name=\"plain\",group=\"g\"} 1\n",
            "x{name=\"a\\\"b\\\\c\\nd\u{fffd}e}\",group=\"g\"} 1\n",
            "x{name=\"\u{1f409}\r\t\",group=\"g\"} 1\n",
            "x{name=\"caf\\\\udce9\",group=\"g\"} 1\n",
            "x 12.005\n",
            "x_sum 1.000250\n",
        );
        assert_eq!(page.text, expected);
    }
}
