//! INI text as Python's `RawConfigParser` reads it, with the reference's settings: inline comments, no strictness.
//!
//! The rules here are the reading half; `configparser::ini::Ini` keeps sections and values, and beside it stands in which
//! line each begins, until the document goes.

use std::collections::HashMap;
use std::sync::Arc;

use configparser::ini::Ini;

use super::complaint::{Complaint, Mistake, Position, Topic};
use super::decoding::decode;
use super::oddities::{Oddities, Oddity, Quirk, ends_in_quotes, seeming_option};
use crate::core::python::{is_space, repr, strip};

/// The section whose options every other section has too.
pub(crate) const DEFAULT_SECTION: &str = "DEFAULT";

/// Characters that start a comment.
const COMMENT_PREFIXES: [char; 2] = [';', '#'];

/// A line, as a document keeps it for each of its values.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Which of its files.
    file: u32,
    line: u32,
}

/// Where a section begins, and each of its own options.
#[derive(Clone, Debug)]
struct Spots {
    /// Its first header.
    header: Spot,
    /// Those of the options, in the order of the options.
    options: Vec<Spot>,
}

/// Parsed INI text; several texts can be read one over the other.
#[derive(Clone, Debug)]
pub struct Document {
    ini: Ini,
    /// By section.
    spots: HashMap<String, Spots>,
    /// The files it was read from.
    files: Vec<Arc<str>>,
    oddities: Oddities,
}

impl Default for Document {
    fn default() -> Self {
        Document::new()
    }
}

impl Document {
    /// An empty document.
    pub fn new() -> Document {
        let mut ini = Ini::new_cs();
        ini.set_default_section(DEFAULT_SECTION);
        Document { ini, spots: HashMap::new(), files: Vec::new(), oddities: Oddities::default() }
    }

    /// A document of one section that is in no file. `source` is what is said to have it.
    pub(super) fn of_section(
        section: &str,
        options: &[(String, String)],
        source: &str,
    ) -> Document {
        let mut document = Document { files: vec![source.into()], ..Document::new() };
        let nowhere = Spot { file: 0, line: 0 };
        document.open(section, nowhere);
        for (option, value) in options {
            document.set(section, option.to_lowercase(), value.clone(), nowhere);
        }
        document
    }

    /// Reads a file's content over what is there; later options win. `source` is the file name for messages.
    ///
    /// The complaint is in the words of Python's exception: `MissingSectionHeaderError`, `UnicodeDecodeError` or
    /// `ParsingError`, whichever the reference meets first. The document is as it was then.
    pub fn read(&mut self, content: &[u8], source: &str) -> Result<(), Complaint> {
        let (document, complaints) = read_text(content, source);
        match complaints.into_iter().next() {
            Some(first) => Err(first),
            None => {
                self.read_over(document);
                Ok(())
            }
        }
    }

    /// Reads a file's content over what is there, all of it that can be read. Comes with what is wrong with the rest,
    /// first what [`Document::read`] complains about.
    pub(super) fn read_on(&mut self, content: &[u8], source: &str) -> Vec<Complaint> {
        let (document, complaints) = read_text(content, source);
        self.read_over(document);
        complaints
    }

    /// Takes over what another document of one file has.
    fn read_over(&mut self, mut other: Document) {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.append(&mut other.files);
        self.oddities.append(std::mem::take(&mut other.oddities));
        let here = |spot: Spot| Spot { file, ..spot };
        for (section, options) in std::mem::take(other.ini.get_mut_map()) {
            let Some(Spots { header, options: spots }) = other.spots.remove(&section) else {
                continue; // each has its spots
            };
            self.open(&section, here(header));
            for ((option, value), spot) in options.into_iter().zip(spots) {
                self.set(&section, option, value.unwrap_or_default(), here(spot));
            }
        }
    }

    /// The header of a section; of several, the first counts.
    fn open(&mut self, section: &str, header: Spot) {
        match self.spots.get(section).map(|spots| spots.header) {
            Some(before) => {
                let quirk = Quirk::BegunBefore(self.position(before));
                self.oddities.add(quirk, self.position(header), section, None);
            }
            None => {
                self.ini.get_mut_map().entry(section.to_string()).or_default();
                self.spots.insert(section.to_string(), Spots { header, options: Vec::new() });
            }
        }
    }

    /// Sets an option of a section that is open; one that is set already is set anew, which is odd.
    fn set(&mut self, section: &str, option: String, value: String, spot: Spot) {
        if let Some(before) = self.own_spot(section, &option) {
            let quirk = Quirk::SetBefore(self.position(before));
            self.oddities.add(quirk, self.position(spot), section, Some(&option));
        }
        self.put(section, option, value, spot);
    }

    /// Puts an option into a section that is open.
    fn put(&mut self, section: &str, option: String, value: String, spot: Spot) {
        let options = self.ini.get_mut_map().get_mut(section);
        if let Some((options, spots)) = options.zip(self.spots.get_mut(section)) {
            match spots.options.get_mut(options.insert_full(option, Some(value)).0) {
                Some(before) => *before = spot,
                None => spots.options.push(spot),
            }
        }
    }

    /// What is read otherwise than its writer may have meant.
    pub(crate) fn oddities(&self) -> impl Iterator<Item = &Oddity> {
        self.oddities.iter()
    }

    /// The files it was read from, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        self.files.iter().map(|file| file.to_string()).collect()
    }

    /// Names of the sections but `DEFAULT`, in order of first appearance.
    pub fn sections(&self) -> Vec<String> {
        self.ini.get_map_ref().keys().filter(|name| *name != DEFAULT_SECTION).cloned().collect()
    }

    /// Whether the section was in the text; `DEFAULT` never counts.
    pub fn has_section(&self, name: &str) -> bool {
        name != DEFAULT_SECTION && self.ini.get_map_ref().contains_key(name)
    }

    /// The raw value of an option (lower-case name), from the section or else from `DEFAULT`.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        self.own(section, option).or_else(|| self.own(DEFAULT_SECTION, option))
    }

    fn own(&self, section: &str, option: &str) -> Option<&str> {
        self.ini.get_map_ref().get(section)?.get(option)?.as_deref()
    }

    /// Where an option that is set stands.
    pub fn option_position(&self, section: &str, option: &str) -> Option<Position> {
        self.option_spot(section, option).map(|spot| self.position(spot))
    }

    fn option_spot(&self, section: &str, option: &str) -> Option<Spot> {
        self.own_spot(section, option).or_else(|| self.own_spot(DEFAULT_SECTION, option))
    }

    fn own_spot(&self, section: &str, option: &str) -> Option<Spot> {
        let at = self.ini.get_map_ref().get(section)?.get_index_of(option)?;
        self.spots.get(section)?.options.get(at).copied()
    }

    fn position(&self, spot: Spot) -> Position {
        let file = self.files.get(spot.file as usize).cloned().unwrap_or_default();
        Position { file, line: spot.line }
    }

    /// A complaint about an option; if it is not set, of its section.
    pub(super) fn option_complaint(
        &self,
        section: &str,
        option: &str,
        mistake: Mistake,
    ) -> Complaint {
        let position =
            self.option_position(section, option).or_else(|| self.section_position(section));
        let topic = Topic::Option { section: section.to_string(), option: option.to_string() };
        Complaint { topic, position, mistake }
    }

    /// A complaint about a section.
    pub(super) fn section_complaint(&self, section: &str, mistake: Mistake) -> Complaint {
        let topic = Topic::Section(section.to_string());
        Complaint { topic, position: self.section_position(section), mistake }
    }

    /// Where a section begins.
    pub(crate) fn section_position(&self, section: &str) -> Option<Position> {
        self.spots.get(section).map(|spots| self.position(spots.header))
    }

    /// Names of the options that stand in a section itself, or in `DEFAULT`.
    pub(crate) fn own_options(&self, section: &str) -> impl Iterator<Item = &str> {
        let own = self.ini.get_map_ref().get(section);
        own.into_iter().flat_map(|own| own.keys()).map(String::as_str)
    }

    /// Names of the options of a section: its own, then those only `DEFAULT` has.
    pub fn options(&self, section: &str) -> Vec<String> {
        let map = self.ini.get_map_ref();
        let own = map.get(section);
        let mut names: Vec<String> = own.into_iter().flat_map(|own| own.keys()).cloned().collect();
        if let Some(defaults) = map.get(DEFAULT_SECTION) {
            let missing = defaults.keys().filter(|key| own.is_none_or(|o| !o.contains_key(*key)));
            names.extend(missing.cloned());
        }
        names
    }

    /// Replaces the text `%(here)s` in every value (`UnhosedConfigParser.expand_here`). An option that comes from
    /// `DEFAULT` is replaced in a copy in each section.
    pub fn expand_here(&mut self, here: &str) {
        const FORMAT: &str = "%(here)s";
        for section in self.sections() {
            for option in self.options(&section) {
                let value = self.get(&section, &option).filter(|value| value.contains(FORMAT));
                let value = value.map(|value| value.replace(FORMAT, here));
                if let Some((value, spot)) = value.zip(self.option_spot(&section, &option)) {
                    self.put(&section, option, value, spot);
                }
            }
        }
    }
}

/// Reads one text: everything in it that can be read, and what is wrong with the rest, in the order in which the reference
/// would come upon it.
fn read_text(content: &[u8], source: &str) -> (Document, Vec<Complaint>) {
    let (text, decode_error) = decode(content);
    let mut reader = LineReader::new(source);
    let whole = if decode_error.is_some() {
        &text[..text.rfind('\n').map_or(0, |end| end + 1)]
    } else {
        text.as_str()
    };
    for line in whole.split_inclusive('\n') {
        reader.line(line);
    }
    if let Some(mistake) = decode_error {
        let complaint = reader.complaint(reader.line_number + 1, mistake);
        reader.complaints.push(complaint);
    }
    reader.finish()
}

/// The state of reading one text line by line (`RawConfigParser._read`).
struct LineReader {
    source: Arc<str>,
    line_number: u32,
    /// What it says so far.
    document: Document,
    section: Option<String>,
    /// The option that continuation lines belong to.
    option: Option<String>,
    indent: usize,
    bad_lines: Vec<(u32, String)>,
    /// What the reference would end with at once.
    complaints: Vec<Complaint>,
}

impl LineReader {
    fn new(source: &str) -> LineReader {
        LineReader {
            source: source.into(),
            line_number: 0,
            document: Document { files: vec![source.into()], ..Document::new() },
            section: None,
            option: None,
            indent: 0,
            bad_lines: Vec::new(),
            complaints: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        self.line_number = self.line_number.saturating_add(1);
        let comment = comment_start(line);
        let value = strip(&line[..comment.unwrap_or(line.len())]);
        if value.is_empty() {
            // A line that is empty without a comment is part of the value, if more of it follows.
            if comment.is_none() {
                self.continue_value("");
            }
            return;
        }
        let indent = line.chars().take_while(|character| is_space(*character)).count();
        if self.option.is_some() && indent > self.indent {
            self.wonder_at_continuation(value);
            self.continue_value(value);
            self.wonder_at_cut(line, comment);
            return;
        }
        self.indent = indent;
        if let Some(name) = section_name(value) {
            self.open_section(name);
            let rest = value[name.len() + 2..].trim_start();
            if !rest.is_empty() {
                self.wonder(Quirk::BehindHeader(rest.to_string()));
            }
        } else if let Some(section) = self.section.clone() {
            self.option_line(&section, value, line);
            self.wonder_at_cut(line, comment);
        } else if self.complaints.is_empty() {
            // What is without a header is wrong for one reason.
            let number = self.line_number;
            let mistake = Mistake::new(format!(
                "File contains no section headers.\nfile: {}, line: {number}\n{}",
                repr(&self.source),
                repr(line)
            ));
            let complaint = self.complaint(number, mistake);
            self.complaints.push(complaint);
        }
    }

    /// Takes down something odd in this line.
    fn wonder(&mut self, quirk: Quirk) {
        let position = Position { file: Arc::clone(&self.source), line: self.line_number };
        let section = self.section.as_deref().unwrap_or_default();
        self.document.oddities.add(quirk, position, section, self.option.as_deref());
    }

    /// Whether a line that continues a value looks like something that begins.
    fn wonder_at_continuation(&mut self, value: &str) {
        if let Some(header) = section_name(value) {
            self.wonder(Quirk::IndentedHeader(header.to_string()));
        } else if let Some(name) = seeming_option(value)
            && self.option.as_deref() != Some("environment")
        {
            self.wonder(Quirk::IndentedOption(name.to_string()));
        }
    }

    /// Whether a comment begins where somebody has quoted something.
    fn wonder_at_cut(&mut self, line: &str, comment: Option<usize>) {
        let Some((left, cut)) = comment.and_then(|at| line.split_at_checked(at)) else { return };
        if ends_in_quotes(left, cut) {
            self.wonder(Quirk::CutInQuotes(strip(left).to_string()));
        }
    }

    fn spot(&self) -> Spot {
        Spot { file: 0, line: self.line_number }
    }

    fn complaint(&self, line: u32, mistake: Mistake) -> Complaint {
        let topic = Topic::File(self.source.to_string());
        let position = Position { file: Arc::clone(&self.source), line };
        Complaint { topic, position: Some(position), mistake }
    }

    fn continue_value(&mut self, value: &str) {
        if let (Some(section), Some(option)) = (&self.section, &self.option)
            && let Some(options) = self.document.ini.get_mut_map().get_mut(section)
            && let Some(Some(lines)) = options.get_mut(option)
        {
            lines.push('\n');
            lines.push_str(value);
        }
    }

    fn open_section(&mut self, name: &str) {
        let spot = self.spot();
        self.document.open(name, spot);
        self.section = Some(name.to_string());
        self.option = None;
    }

    fn option_line(&mut self, section: &str, value: &str, line: &str) {
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
        let spot = self.spot();
        self.document.set(section, name.clone(), strip(text).to_string(), spot);
        self.option = Some(name);
    }

    fn report(&mut self, line: &str) {
        self.bad_lines.push((self.line_number, repr(line)));
    }

    fn finish(mut self) -> (Document, Vec<Complaint>) {
        let options = self.document.ini.get_mut_map().values_mut();
        for value in options.flat_map(|options| options.values_mut()).flatten() {
            value.truncate(value.trim_end_matches(is_space).len());
        }
        let lines: Vec<String> = self
            .bad_lines
            .iter()
            .map(|(number, line)| format!("\n\t[line {number:2}]: {line}"))
            .collect();
        let source = repr(&self.source);
        let words =
            |lines: &str| Mistake::new(format!("Source contains parsing errors: {source}{lines}"));
        // The reference tells all of them in one; each has its place besides.
        for (index, (number, _)) in self.bad_lines.iter().enumerate() {
            let said = if index == 0 { words(&lines.concat()) } else { words(&lines[index]) };
            let complaint = self.complaint(*number, said);
            self.complaints.push(complaint);
        }
        (self.document, self.complaints)
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
