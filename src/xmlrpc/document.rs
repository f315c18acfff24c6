//! The events of a well-formed XML document, with the limits a daemon needs.
//!
//! quick-xml finds the markup; everything expat calls "not well-formed" beyond that is refused here, because the
//! reference answers such documents with HTTP 400. Document type declarations are refused outright: they are the
//! source of entity bombs and no XML-RPC client sends them.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event as Raw;

use super::namespaces::Namespaces;
use super::parse::ParseError;
use super::tag::{self, is_space};

/// Nested elements in one document. A multicall with structs in its parameters needs 14.
const MAX_DEPTH: usize = 64;

/// Elements in one request: a multicall of ten thousand calls needs about 150,000; the tree costs 64 bytes for each.
const MAX_REQUEST_ELEMENTS: usize = 262_144;

/// Elements in one response: the configuration of a hundred thousand programs needs about ten million.
const MAX_RESPONSE_ELEMENTS: usize = 16 << 20;

/// One step through a document.
#[derive(Debug, PartialEq)]
pub(super) enum Event<'a> {
    /// An element opens. The name is `None` when it is in a namespace, as no name of XML-RPC is.
    Start(Option<&'a str>),
    /// Character data, references resolved and line ends normalised. Adjacent pieces belong together.
    Text(Cow<'a, str>),
    /// The innermost element closes.
    End,
}

/// Reads a document from front to back.
pub(super) struct Document<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    namespaces: Namespaces<'a>,
    depth: usize,
    elements: usize,
    max_elements: usize,
    pending_end: bool,
}

/// Turns a violated rule into the one error there is: clients are only told "400".
pub(super) fn require(condition: bool) -> Result<(), ParseError> {
    if condition { Ok(()) } else { Err(ParseError::Unmarshallable) }
}

impl<'a> Document<'a> {
    /// A document over text that may start with a byte order mark; fails on characters XML does not allow.
    pub(super) fn new(text: &'a str) -> Result<Document<'a>, ParseError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        require(text.chars().all(tag::is_xml_char))?;
        Ok(Document::over(text, MAX_REQUEST_ELEMENTS))
    }

    /// A document from a daemon: larger, and with characters XML does not allow, which come from the logs of programs.
    pub(super) fn of_response(text: &'a str) -> Document<'a> {
        Document::over(text, MAX_RESPONSE_ELEMENTS)
    }

    fn over(text: &'a str, max_elements: usize) -> Document<'a> {
        let reader = Reader::from_reader(text.as_bytes());
        let namespaces = Namespaces::default();
        Document {
            text,
            reader,
            namespaces,
            depth: 0,
            elements: 0,
            max_elements,
            pending_end: false,
        }
    }

    /// The next event, or `None` after the end of a document that was well-formed to the end.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, ParseError> {
        if std::mem::take(&mut self.pending_end) {
            return self.close().map(Some);
        }
        loop {
            let start = self.position()?;
            let event = self.reader.read_event().map_err(|_| ParseError::Unmarshallable)?;
            let end = self.position()?;
            let raw = self.text.get(start..end).ok_or(ParseError::Unmarshallable)?;
            match event {
                Raw::Start(_) => return self.open(between(raw, "<", ">")?).map(Some),
                Raw::Empty(_) => {
                    self.pending_end = true;
                    return self.open(between(raw, "<", "/>")?).map(Some);
                }
                Raw::End(_) => return self.close().map(Some),
                Raw::Text(_) => {
                    if let Some(event) = self.characters(raw)? {
                        return Ok(Some(event));
                    }
                }
                Raw::CData(_) => {
                    require(self.depth > 0)?;
                    let content = between(raw, "<![CDATA[", "]]>")?;
                    return Ok(Some(Event::Text(normalise_line_ends(content))));
                }
                Raw::GeneralRef(_) => {
                    require(self.depth > 0)?;
                    let character = tag::reference(between(raw, "&", ";")?)?;
                    return Ok(Some(Event::Text(Cow::Owned(character.to_string()))));
                }
                Raw::Comment(_) => {
                    let content = between(raw, "<!--", "-->")?;
                    require(!content.contains("--") && !content.ends_with('-'))?;
                }
                Raw::PI(_) => tag::check_instruction(between(raw, "<?", "?>")?)?,
                Raw::Decl(_) => {
                    require(start == 0)?;
                    tag::check_declaration(between(raw, "<?xml", "?>")?)?;
                }
                Raw::DocType(_) => return Err(ParseError::Unmarshallable),
                Raw::Eof => {
                    require(self.depth == 0 && self.elements > 0)?;
                    return Ok(None);
                }
            }
        }
    }

    fn position(&self) -> Result<usize, ParseError> {
        usize::try_from(self.reader.buffer_position()).map_err(|_| ParseError::Unmarshallable)
    }

    fn open(&mut self, content: &'a str) -> Result<Event<'a>, ParseError> {
        require(self.depth > 0 || self.elements == 0)?;
        self.depth += 1;
        self.elements += 1;
        require(self.depth <= MAX_DEPTH && self.elements <= self.max_elements)?;
        let tag = tag::Tag::parse(content)?;
        Ok(Event::Start(self.namespaces.enter(self.depth, &tag)?))
    }

    fn close(&mut self) -> Result<Event<'a>, ParseError> {
        // quick-xml has matched the names already; this only guards the subtraction.
        require(self.depth > 0)?;
        self.namespaces.leave(self.depth);
        self.depth -= 1;
        Ok(Event::End)
    }

    fn characters(&self, raw: &'a str) -> Result<Option<Event<'a>>, ParseError> {
        if self.depth == 0 {
            require(raw.chars().all(is_space))?;
            return Ok(None);
        }
        require(!raw.contains("]]>"))?;
        Ok(Some(Event::Text(normalise_line_ends(raw))))
    }
}

fn between<'a>(raw: &'a str, open: &str, close: &str) -> Result<&'a str, ParseError> {
    raw.strip_prefix(open)
        .and_then(|rest| rest.strip_suffix(close))
        .ok_or(ParseError::Unmarshallable)
}

fn normalise_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
