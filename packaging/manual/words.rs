//! Words about what the tables name: a file of entries, each a line `[TOPIC] NAME` and the text below it.

/// What a file of words says, in its order.
pub(crate) struct Words {
    entries: Vec<Entry>,
}

struct Entry {
    topic: &'static str,
    name: &'static str,
    text: String,
}

impl Words {
    /// Reads a file of words. Lines that begin with `;` are remarks.
    pub(crate) fn read(file: &'static str) -> Words {
        let mut entries: Vec<Entry> = Vec::new();
        for line in file.lines().filter(|line| !line.starts_with(';')) {
            let head = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
            match (head, entries.last_mut()) {
                (Some((topic, name)), _) => {
                    entries.push(Entry { topic, name, text: String::new() })
                }
                (None, Some(entry)) => entry.text += &format!("{line}\n"),
                (None, None) => {}
            }
        }
        Words { entries }
    }

    /// The text about something, without blank lines around it; `None` if there is none.
    pub(crate) fn of(&self, topic: &str, name: &str) -> Option<&str> {
        let mut found =
            self.entries.iter().filter(|entry| entry.topic == topic && entry.name == name);
        found.next().map(|entry| entry.text.trim())
    }

    /// Fails with the first entry that is about nothing that is known.
    pub(crate) fn check(&self, known: impl Fn(&str, &str) -> bool) -> Result<(), String> {
        match self.entries.iter().find(|entry| !known(entry.topic, entry.name)) {
            Some(entry) => {
                Err(format!("words about [{}] {}, which no table has", entry.topic, entry.name))
            }
            None => Ok(()),
        }
    }
}
