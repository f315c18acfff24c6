//! Names that stand for something in option values.

/// What a name expands to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Str(String),
    /// `process_num` and `numprocs`.
    Int(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_string())
    }
}

/// Names and their values in order of first insertion, as in a Python dict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    entries: Vec<(String, Value)>,
    index: std::collections::HashMap<String, usize>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Table {
        Table::default()
    }

    /// Sets a name; one that exists keeps its place.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.index.get(name) {
            Some(&at) => self.entries[at].1 = value,
            None => {
                self.index.insert(name.to_string(), self.entries.len());
                self.entries.push((name.to_string(), value));
            }
        }
    }

    /// Sets every name of another table (`dict.update`).
    pub fn update(&mut self, other: &Table) {
        for (name, value) in &other.entries {
            self.set(name, value.clone());
        }
    }

    /// Sets `ENV_name` for every variable.
    pub fn set_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            self.set(&format!("ENV_{name}"), Value::Str(value.clone()));
        }
    }

    /// What a name stands for.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.index.get(name).map(|&at| &self.entries[at].1)
    }

    /// The names and their values, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }
}
