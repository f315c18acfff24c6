//! INI text as Python's `RawConfigParser` reads it, with the reference's settings: inline comments, no strictness.
//!
//! Every value keeps the line where it begins, until the document goes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::complaint::{Complaint, Mistake, Place, Subject};
use crate::core::python::{is_space, repr, strip};
use crate::core::text;

/// The section whose options every other section has too.
const DEFAULT_SECTION: &str = "DEFAULT";

/// Characters that start a comment.
const COMMENT_PREFIXES: [char; 2] = [';', '#'];

/// Bytes Python's text layer decodes at a time; positions in decoding errors count from the start of such a piece.
const DECODE_PIECE_BYTES: usize = 8192;

/// So many names are looked through as fast as they are looked up, and need no index.
const FEW: usize = 32;

/// Things by name, in the order in which the names came first.
#[derive(Clone, Debug)]
struct Ordered<T> {
    entries: Vec<(Arc<str>, T)>,
    /// Where each is, once there are more than a few.
    index: HashMap<Arc<str>, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { entries: Vec::new(), index: HashMap::new() }
    }
}

impl<T> Ordered<T> {
    fn find(&self, name: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            self.entries.iter().position(|(known, _)| &**known == name)
        } else {
            self.index.get(name).copied()
        }
    }

    fn get(&self, name: &str) -> Option<&T> {
        self.find(name).map(|at| &self.entries[at].1)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.find(name).map(|at| &mut self.entries[at].1)
    }

    fn push(&mut self, name: Arc<str>, value: T) -> usize {
        let at = self.entries.len();
        self.entries.push((name, value));
        if at >= FEW {
            let new = if at == FEW { 0 } else { at };
            for (at, (name, _)) in self.entries.iter().enumerate().skip(new) {
                self.index.insert(Arc::clone(name), at);
            }
        }
        at
    }

    /// The index of a name, which is made if it is not there.
    fn at(&mut self, name: Arc<str>, new: impl FnOnce() -> T) -> usize {
        self.find(&name).unwrap_or_else(|| self.push(name, new()))
    }

    /// Sets the value of a name, which keeps its index if it has one.
    fn set(&mut self, name: Arc<str>, value: T) -> usize {
        match self.find(&name) {
            Some(at) => {
                self.entries[at].1 = value;
                at
            }
            None => self.push(name, value),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }
}

/// A section.
#[derive(Clone, Debug)]
struct Section {
    /// Its first header.
    spot: Spot,
    options: Ordered<Entry>,
}

/// The value of an option.
#[derive(Clone, Debug)]
struct Entry {
    value: String,
    /// Where it begins.
    spot: Spot,
}

/// A place, as a document keeps it for each of its values.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Which of its files.
    file: u32,
    line: u32,
}

/// Parsed INI text; several texts can be read one over the other.
#[derive(Clone, Debug, Default)]
pub struct Document {
    sections: Ordered<Section>,
    /// The files it was read from.
    files: Vec<Arc<str>>,
}

impl Document {
    /// An empty document.
    pub fn new() -> Document {
        Document::default()
    }

    /// Reads a file's content over what is there; later options win. `source` is the file name for messages.
    ///
    /// The complaint is in the words of Python's exception: `MissingSectionHeaderError`, `UnicodeDecodeError` or
    /// `ParsingError`, whichever the reference meets first. The document is as it was then.
    pub fn read(&mut self, content: &[u8], source: &str) -> Result<(), Complaint> {
        let (text, decode_error) = decode(content);
        let mut reader = LineReader::new(source);
        let whole = if decode_error.is_some() {
            &text[..text.rfind('\n').map_or(0, |end| end + 1)]
        } else {
            text.as_str()
        };
        for line in whole.split_inclusive('\n') {
            reader.line(line)?;
        }
        if let Some(mistake) = decode_error {
            return Err(reader.complaint(reader.line_number + 1, mistake));
        }
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push(Arc::clone(&reader.source));
        for (name, RawSection { line, options }) in reader.finish()?.entries {
            let new = || Section { spot: Spot { file, line }, options: Ordered::default() };
            let at = self.sections.at(name, new);
            let read = &mut self.sections.entries[at].1.options;
            for (name, Lines { lines, line }) in options.entries {
                let value = lines.join("\n").trim_end_matches(is_space).to_string();
                read.set(name, Entry { value, spot: Spot { file, line } });
            }
        }
        Ok(())
    }

    /// Names of the sections but `DEFAULT`, in order of first appearance.
    pub fn sections(&self) -> Vec<String> {
        let names = self.sections.names().filter(|name| *name != DEFAULT_SECTION);
        names.map(str::to_string).collect()
    }

    /// Whether the section was in the text; `DEFAULT` never counts.
    pub fn has_section(&self, name: &str) -> bool {
        name != DEFAULT_SECTION && self.sections.get(name).is_some()
    }

    /// The raw value of an option (lower-case name), from the section or else from `DEFAULT`.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        self.entry(section, option).map(|entry| entry.value.as_str())
    }

    /// Where an option that is set stands.
    pub fn option_place(&self, section: &str, option: &str) -> Option<Place> {
        self.entry(section, option).and_then(|entry| self.place(entry.spot))
    }

    /// A complaint about an option; if it is not set, of its section.
    pub(super) fn option_complaint(
        &self,
        section: &str,
        option: &str,
        mistake: Mistake,
    ) -> Complaint {
        let place = self.option_place(section, option).or_else(|| self.section_place(section));
        let subject = Subject::Option { section: section.to_string(), option: option.to_string() };
        Complaint { subject, place, mistake }
    }

    /// A complaint about a section.
    pub(super) fn section_complaint(&self, section: &str, mistake: Mistake) -> Complaint {
        let subject = Subject::Section(section.to_string());
        Complaint { subject, place: self.section_place(section), mistake }
    }

    /// Where a section begins.
    fn section_place(&self, section: &str) -> Option<Place> {
        self.sections.get(section).and_then(|section| self.place(section.spot))
    }

    fn place(&self, Spot { file, line }: Spot) -> Option<Place> {
        let file = self.files.get(usize::try_from(file).ok()?)?;
        Some(Place { file: Arc::clone(file), line })
    }

    fn entry(&self, section: &str, option: &str) -> Option<&Entry> {
        let own = |name| self.sections.get(name).and_then(|section| section.options.get(option));
        own(section).or_else(|| own(DEFAULT_SECTION))
    }

    /// Names of the options of a section: its own, then those only `DEFAULT` has.
    pub fn options(&self, section: &str) -> Vec<String> {
        let own = self.sections.get(section);
        let defaults = self.sections.get(DEFAULT_SECTION);
        let missing = defaults
            .into_iter()
            .flat_map(|defaults| defaults.options.names())
            .filter(|name| own.is_none_or(|own| own.options.get(name).is_none()));
        let names = own.into_iter().flat_map(|own| own.options.names());
        names.chain(missing).map(str::to_string).collect()
    }

    /// Replaces the text `%(here)s` in every value (`UnhosedConfigParser.expand_here`). An option that comes from
    /// `DEFAULT` is replaced in a copy in each section.
    pub fn expand_here(&mut self, here: &str) {
        const FORMAT: &str = "%(here)s";
        for section in self.sections() {
            for option in self.options(&section) {
                let Some(entry) =
                    self.entry(&section, &option).filter(|entry| entry.value.contains(FORMAT))
                else {
                    continue;
                };
                let value = entry.value.replace(FORMAT, here);
                let entry = Entry { value, spot: entry.spot };
                if let Some(section) = self.sections.get_mut(&section) {
                    section.options.set(option.into(), entry);
                }
            }
        }
    }
}

/// UTF-8 as an incremental reader sees it, with universal newlines: the text before the first error and that error.
fn decode(content: &[u8]) -> (String, Option<Mistake>) {
    let mut text = String::with_capacity(content.len());
    let mut start = 0;
    let mut end = 0;
    let mut error = None;
    while end < content.len() {
        end = (end + DECODE_PIECE_BYTES).min(content.len());
        let piece = &content[start..end];
        match std::str::from_utf8(piece) {
            Ok(valid) => {
                text.push_str(&text::of(valid));
                start = end;
            }
            Err(why) => {
                let valid = why.valid_up_to();
                if let Some(length) = why.error_len() {
                    error = Some(decode_error(piece, valid, length, false));
                    break;
                }
                let valid_text = std::str::from_utf8(&piece[..valid]).unwrap_or_default();
                text.push_str(&text::of(valid_text));
                start += valid;
            }
        }
    }
    if error.is_none() && start < content.len() {
        let rest = &content[start..];
        error = Some(decode_error(rest, 0, rest.len(), true));
    }
    // A carriage return ends a line only once it is known that no line feed follows, which the error prevents.
    if error.is_some() && text.ends_with('\r') {
        text.pop();
    }
    (text.replace("\r\n", "\n").replace('\r', "\n"), error)
}

/// The text of a `UnicodeDecodeError`.
fn decode_error(piece: &[u8], position: usize, length: usize, truncated: bool) -> Mistake {
    let byte = piece[position];
    let reason = if truncated {
        "unexpected end of data"
    } else if (0xc2..=0xf4).contains(&byte) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    Mistake::new(if length == 1 {
        format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}")
    } else {
        let last = position + length - 1;
        format!("'utf-8' codec can't decode bytes in position {position}-{last}: {reason}")
    })
}

/// A section while its text is read.
struct RawSection {
    line: u32,
    options: Ordered<Lines>,
}

/// The lines of a value.
struct Lines {
    lines: Vec<String>,
    line: u32,
}

/// The state of reading one text line by line (`RawConfigParser._read`).
struct LineReader {
    source: Arc<str>,
    line_number: u32,
    sections: Ordered<RawSection>,
    /// Names of options, which many sections share.
    names: HashSet<Arc<str>>,
    section: Option<usize>,
    /// The option that continuation lines belong to.
    option: Option<usize>,
    indent: usize,
    bad_lines: Vec<(u32, String)>,
}

impl LineReader {
    fn new(source: &str) -> LineReader {
        LineReader {
            source: source.into(),
            line_number: 0,
            sections: Ordered::default(),
            names: HashSet::new(),
            section: None,
            option: None,
            indent: 0,
            bad_lines: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Complaint> {
        self.line_number = self.line_number.saturating_add(1);
        let comment = comment_start(line);
        let value = strip(&line[..comment.unwrap_or(line.len())]);
        if value.is_empty() {
            // A line that is empty without a comment is part of the value, if more of it follows.
            if comment.is_none() {
                self.continue_value("");
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|character| is_space(*character)).count();
        if self.option.is_some() && indent > self.indent {
            self.continue_value(value);
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = section_name(value) {
            self.open_section(name);
        } else if let Some(section) = self.section {
            self.option_line(section, value, line);
        } else {
            let number = self.line_number;
            let mistake = Mistake::new(format!(
                "File contains no section headers.\nfile: {}, line: {number}\n{}",
                repr(&self.source),
                repr(line)
            ));
            return Err(self.complaint(number, mistake));
        }
        Ok(())
    }

    fn complaint(&self, line: u32, mistake: Mistake) -> Complaint {
        let subject = Subject::File(self.source.to_string());
        let place = Some(Place { file: Arc::clone(&self.source), line });
        Complaint { subject, place, mistake }
    }

    fn continue_value(&mut self, value: &str) {
        if let (Some(section), Some(option)) = (self.section, self.option) {
            let options = &mut self.sections.entries[section].1.options;
            options.entries[option].1.lines.push(value.to_string());
        }
    }

    fn open_section(&mut self, name: &str) {
        let line = self.line_number;
        let new = || RawSection { line, options: Ordered::default() };
        self.section = Some(self.sections.at(name.into(), new));
        self.option = None;
    }

    fn option_line(&mut self, section: usize, value: &str, line: &str) {
        let Some((name, text)) = value.split_once(['=', ':']) else {
            // Reading goes on, and continuation lines still belong to the option before.
            self.report(line);
            return;
        };
        let name = name.trim_end_matches(is_space).to_lowercase();
        if name.is_empty() {
            self.report(line);
            self.option = None;
            return;
        }
        let name = self.shared(&name);
        let lines = Lines { lines: vec![strip(text).to_string()], line: self.line_number };
        let options = &mut self.sections.entries[section].1.options;
        self.option = Some(options.set(name, lines));
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }

    fn report(&mut self, line: &str) {
        self.bad_lines.push((self.line_number, repr(line)));
    }

    fn finish(self) -> Result<Ordered<RawSection>, Complaint> {
        let Some((first, _)) = self.bad_lines.first() else {
            return Ok(self.sections);
        };
        let lines: String = self
            .bad_lines
            .iter()
            .map(|(number, line)| format!("\n\t[line {number:2}]: {line}"))
            .collect();
        let source = repr(&self.source);
        let mistake = Mistake::new(format!("Source contains parsing errors: {source}{lines}"));
        Err(self.complaint(*first, mistake))
    }
}

/// Byte offset of the comment in a line. A comment starts at column 0 or after white space; the prefixes take turns,
/// one occurrence of each per round, and the first round with a comment decides.
fn comment_start(line: &str) -> Option<usize> {
    if strip(line).starts_with(COMMENT_PREFIXES) {
        return Some(0);
    }
    let mut rounds = COMMENT_PREFIXES.map(|prefix| line.match_indices(prefix));
    loop {
        let mut found = None;
        let mut exhausted = true;
        for (index, _) in rounds.iter_mut().filter_map(Iterator::next) {
            exhausted = false;
            let starts = line[..index].chars().next_back().is_none_or(is_space);
            if starts && found.is_none_or(|best| index < best) {
                found = Some(index);
            }
        }
        if found.is_some() || exhausted {
            return found;
        }
    }
}

/// The name in `[name]`, up to the last bracket; anything may follow.
fn section_name(value: &str) -> Option<&str> {
    let rest = value.strip_prefix('[')?;
    let end = rest.rfind(']')?;
    (end > 0).then(|| &rest[..end])
}

#[cfg(test)]
#[path = "ini_tests.rs"]
mod tests;
