//! INI text as Python's `RawConfigParser` reads it, with the reference's settings: inline comments, no strictness.
//!
//! The rules here are the reading half; `configparser::ini::Ini` keeps the sections and options.

use configparser::ini::Ini;

use crate::core::python::{is_space, repr, strip};
use crate::core::text;

/// The section whose options every other section has too.
const DEFAULT_SECTION: &str = "DEFAULT";

/// Characters that start a comment.
const COMMENT_PREFIXES: [char; 2] = [';', '#'];

/// Bytes Python's text layer decodes at a time; positions in decoding errors count from the start of such a piece.
const DECODE_PIECE_BYTES: usize = 8192;

/// Parsed INI text; several texts can be read one over the other.
#[derive(Clone, Debug)]
pub struct Document {
    ini: Ini,
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
        Document { ini }
    }

    /// Reads a file's content over what is there; later options win. `source` is the file name for messages.
    ///
    /// The error is the text of Python's exception: `MissingSectionHeaderError`, `UnicodeDecodeError` or
    /// `ParsingError`, whichever the reference meets first. The document is of no use afterwards.
    pub fn read(&mut self, content: &[u8], source: &str) -> Result<(), String> {
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
        if let Some(error) = decode_error {
            return Err(error);
        }
        let sections = reader.finish()?;
        let map = self.ini.get_mut_map();
        for (name, options) in sections {
            let section = map.entry(name).or_default();
            for (key, lines) in options {
                let value = lines.join("\n").trim_end_matches(is_space).to_string();
                section.insert(key, Some(value));
            }
        }
        Ok(())
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

    /// Names of the options of a section: its own, then those only `DEFAULT` has.
    pub fn options(&self, section: &str) -> Vec<String> {
        let map = self.ini.get_map_ref();
        let mut names: Vec<String> =
            map.get(section).map(|own| own.keys().cloned().collect()).unwrap_or_default();
        if let Some(defaults) = map.get(DEFAULT_SECTION) {
            let own = map.get(section);
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
                let Some(value) = self.get(&section, &option).filter(|v| v.contains(FORMAT)) else {
                    continue;
                };
                let value = value.replace(FORMAT, here);
                self.ini.set(&section, &option, Some(value));
            }
        }
    }
}

/// UTF-8 as an incremental reader sees it, with universal newlines: the text before the first error and that error.
fn decode(content: &[u8]) -> (String, Option<String>) {
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
fn decode_error(piece: &[u8], position: usize, length: usize, truncated: bool) -> String {
    let byte = piece[position];
    let reason = if truncated {
        "unexpected end of data"
    } else if (0xc2..=0xf4).contains(&byte) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    if length == 1 {
        format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}")
    } else {
        let last = position + length - 1;
        format!("'utf-8' codec can't decode bytes in position {position}-{last}: {reason}")
    }
}

/// Options of one section in order, each with the lines of its value.
type Options = Vec<(String, Vec<String>)>;

/// The state of reading one text line by line (`RawConfigParser._read`).
struct LineReader<'a> {
    source: &'a str,
    line_number: usize,
    sections: Vec<(String, Options)>,
    index: std::collections::HashMap<String, usize>,
    options: std::collections::HashMap<(usize, String), usize>,
    section: Option<usize>,
    /// The option that continuation lines belong to.
    option: Option<usize>,
    indent: usize,
    bad_lines: Vec<String>,
}

impl<'a> LineReader<'a> {
    fn new(source: &'a str) -> LineReader<'a> {
        LineReader {
            source,
            line_number: 0,
            sections: Vec::new(),
            index: std::collections::HashMap::new(),
            options: std::collections::HashMap::new(),
            section: None,
            option: None,
            indent: 0,
            bad_lines: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        self.line_number += 1;
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
            return Err(format!(
                "File contains no section headers.\nfile: {}, line: {}\n{}",
                repr(self.source),
                self.line_number,
                repr(line)
            ));
        }
        Ok(())
    }

    fn continue_value(&mut self, value: &str) {
        if let (Some(section), Some(option)) = (self.section, self.option) {
            self.sections[section].1[option].1.push(value.to_string());
        }
    }

    fn open_section(&mut self, name: &str) {
        let sections = &mut self.sections;
        let index = *self.index.entry(name.to_string()).or_insert_with(|| {
            sections.push((name.to_string(), Vec::new()));
            sections.len() - 1
        });
        self.section = Some(index);
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
        let lines = vec![strip(text).to_string()];
        let options = &mut self.sections[section].1;
        let index = *self.options.entry((section, name.clone())).or_insert_with(|| {
            options.push((name, Vec::new()));
            options.len() - 1
        });
        options[index].1 = lines;
        self.option = Some(index);
    }

    fn report(&mut self, line: &str) {
        self.bad_lines.push(format!("\n\t[line {:2}]: {}", self.line_number, repr(line)));
    }

    fn finish(self) -> Result<Vec<(String, Options)>, String> {
        if self.bad_lines.is_empty() {
            return Ok(self.sections);
        }
        let source = repr(self.source);
        Err(format!("Source contains parsing errors: {source}{}", self.bad_lines.concat()))
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
