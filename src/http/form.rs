//! What a request asks for: its query and the form it carries, read as Python reads them (`web.py: continue_request`).

use std::collections::HashMap;

use super::percent;

/// Names and values; those of the body win over those of the query.
#[derive(Debug, Default)]
pub(super) struct Form {
    query: HashMap<String, String>,
    body: HashMap<String, String>,
}

impl Form {
    /// Reads a query (`urllib.parse.parse_qs`); the first of several values counts.
    pub(super) fn of_query(query: &str) -> Form {
        let mut fields = HashMap::new();
        for (name, value) in pairs(query) {
            fields.entry(name).or_insert(value);
        }
        Form { query: fields, body: HashMap::new() }
    }

    /// Adds an urlencoded body (`urllib.parse.parse_qsl`); the last of several values counts.
    pub(super) fn with_body(mut self, body: &[u8]) -> Form {
        self.body = pairs(&String::from_utf8_lossy(body)).collect();
        self
    }

    /// A value, which is never empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.body.get(name).or_else(|| self.query.get(name)).map(String::as_str)
    }

    /// A value of the body only, which, unlike a query, no log and no history remembers.
    pub(super) fn posted(&self, name: &str) -> Option<&str> {
        self.body.get(name).map(String::as_str)
    }
}

/// Pairs without a value are left out.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').filter(|(_, value)| !value.is_empty())?;
        Some((decode(name), decode(value)))
    })
}

fn decode(text: &str) -> String {
    percent::decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_as_python_reads_them() {
        let form =
            Form::of_query("a=1&a=2&b=&c&=d&e=x+y%20z&f=%zz%4&g=a=b&h=1;i=2&&%6a=%ff&k=%C3%A9");
        for (name, value) in [
            ("a", Some("1")),
            ("b", None),
            ("c", None),
            ("", Some("d")),
            ("e", Some("x y z")),
            ("f", Some("%zz%4")),
            ("g", Some("a=b")),
            ("h", Some("1;i=2")),
            ("i", None),
            ("j", Some("\u{fffd}")),
            ("k", Some("é")),
        ] {
            assert_eq!(form.get(name), value, "{name}");
        }
    }

    #[test]
    fn the_body_wins_and_its_last_value_counts() {
        let form = Form::of_query("a=1&b=2&token=x").with_body(b"a=3&a=4&c=\xff&b=");
        assert_eq!(form.get("a"), Some("4"));
        assert_eq!(form.get("b"), Some("2"));
        assert_eq!(form.get("c"), Some("\u{fffd}"));
        assert_eq!(form.posted("token"), None);
        assert_eq!(form.posted("a"), Some("4"));
    }
}
