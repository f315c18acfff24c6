//! What is wrong with a configuration: what it is about, where that stands, and the reference's words for it.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// Complaints one reading keeps. Nobody reads more, and a file may hold millions of mistakes.
const MAX_COMPLAINTS: usize = 1000;

/// What is wrong with a text, in the reference's words where the reference objects to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(String);

impl Mistake {
    /// A mistake in these words.
    pub(super) fn new(words: impl Into<String>) -> Mistake {
        Mistake(words.into())
    }

    /// The same mistake as part of something else.
    pub(super) fn within(self, words: impl FnOnce(&str) -> String) -> Mistake {
        Mistake(words(&self.0))
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file, as given, found or included.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a complaint is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A file.
    File(String),
    /// A section.
    Section(String),
    /// An option of a section.
    Option {
        /// The section.
        section: String,
        /// The option, in lower case.
        option: String,
    },
}

/// Something that is wrong with a configuration. As text it is the words alone: what the daemon and its clients say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What it is about.
    pub topic: Topic,
    /// Where that begins; of an option that is not set, where its section does.
    pub position: Option<Position>,
    /// What is wrong with it.
    pub mistake: Mistake,
}

impl Complaint {
    /// Whether it is about an option of this section.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        matches!(&self.topic, Topic::Option { section, .. } if section == name)
    }
}

impl Display for Complaint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.mistake.fmt(f)
    }
}

impl From<Complaint> for Mistake {
    fn from(complaint: Complaint) -> Mistake {
        complaint.mistake
    }
}

/// Everything that is wrong with a configuration, in the order of its reading. As text it is the first, with which the
/// reference ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaints {
    first: Complaint,
    more: Vec<Complaint>,
}

impl Complaints {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Complaint> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

impl From<Complaint> for Complaints {
    fn from(first: Complaint) -> Complaints {
        Complaints { first, more: Vec::new() }
    }
}

impl Display for Complaints {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)
    }
}

/// What a reading has to say.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What goes into the main log as warnings, in order.
    pub(super) warnings: Vec<Complaint>,
    /// Of each section of programs that was read: the group, the section, and how many processes it has there.
    pub(super) sections: Vec<(String, String, usize)>,
    complaints: Vec<Complaint>,
}

impl Notes {
    /// Takes down what is wrong, once for each topic and position: some options are read twice.
    pub(super) fn complain(&mut self, complaint: Complaint) {
        let known = |other: &Complaint| {
            other.position == complaint.position && other.topic == complaint.topic
        };
        if self.complaints.len() < MAX_COMPLAINTS && !self.complaints.iter().any(known) {
            self.complaints.push(complaint);
        }
    }

    /// What was read, if nothing was wrong with it.
    pub(super) fn check<T>(&mut self, read: Result<T, Complaint>) -> Option<T> {
        read.map_err(|complaint| self.complain(complaint)).ok()
    }

    /// Whether nothing was wrong up to here.
    pub(super) fn is_clean(&self) -> bool {
        self.complaints.is_empty()
    }

    /// How much was wrong up to here.
    pub(super) fn count(&self) -> usize {
        self.complaints.len()
    }

    /// Says of what is wrong since there was so much what it is part of.
    pub(super) fn revise(&mut self, since: usize, words: impl Fn(&str) -> String) {
        for complaint in &mut self.complaints[since..] {
            complaint.mistake = complaint.mistake.clone().within(&words);
        }
    }

    /// What was read, if nothing was wrong.
    pub(super) fn outcome<T>(self, read: T) -> Result<T, Complaints> {
        let mut complaints = self.complaints.into_iter();
        match complaints.next() {
            None => Ok(read),
            Some(first) => Err(Complaints { first, more: complaints.collect() }),
        }
    }

    /// Everything that was wrong, in order.
    pub(super) fn take_complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    /// Everything that was wrong, and this at the end.
    pub(super) fn ending_with(self, last: Complaint) -> Complaints {
        match self.outcome(()) {
            Ok(()) => last.into(),
            Err(mut complaints) => {
                complaints.more.push(last);
                complaints
            }
        }
    }
}
