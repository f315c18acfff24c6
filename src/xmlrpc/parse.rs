//! Requests as the reference unmarshals them (`xmlrpc.py: supervisor_xmlrpc_handler.loads`).
//!
//! The reference walks the closing tags of the document and replaces each element it knows by a Python value, kept in
//! the element's text. Everything lenient about it follows from that: an unknown element keeps its text, a container
//! looks at the text of its children whatever their names are, and a request is whatever `methodName` and `params`
//! closed last, wherever they stood. This module keeps the same picture: a [`Node`] per element.

use std::fmt;

use super::base64;
use super::document::{Document, Event};
use super::scalars;
use crate::core::effect::{Call, Caller};
use crate::core::text;
use crate::core::value::Value;

/// Why a request body is answered with HTTP 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It is not a well-formed document, exceeds a limit, or a value in it cannot be read.
    Unmarshallable,
    /// It names no method.
    NoMethodName,
}

/// The words the reference logs.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseError::Unmarshallable => "unmarshallable",
            ParseError::NoMethodName => "no method name",
        })
    }
}

impl std::error::Error for ParseError {}

/// Reads a request. The encoding the document declares is ignored; it is UTF-8.
///
/// Fails wherever the reference answers 400, on documents with a DOCTYPE, and on those nested absurdly deep.
pub fn parse_call(body: &[u8]) -> Result<Call, ParseError> {
    CallReader::new(body)?.read_all()
}

/// Reads a request of the daemon's own plugins: as large as a response may be, and with characters XML does not allow,
/// which they log.
///
/// Fails as [`parse_call`] does.
pub(crate) fn parse_call_of_plugin(body: &[u8]) -> Result<Call, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError::Unmarshallable)?;
    CallReader::over(Document::of_response(text)).read_all()
}

/// Reads a request as [`parse_call`] does, in as many steps as its reader likes: a long one takes a while.
pub struct CallReader<'a> {
    document: Document<'a>,
    open: Vec<Node>,
    request: Request,
}

impl<'a> CallReader<'a> {
    /// Nothing read yet.
    pub fn new(body: &'a [u8]) -> Result<CallReader<'a>, ParseError> {
        let text = std::str::from_utf8(body).map_err(|_| ParseError::Unmarshallable)?;
        Ok(CallReader::over(Document::new(text)?))
    }

    fn over(document: Document<'a>) -> CallReader<'a> {
        CallReader { document, open: Vec::new(), request: Request::default() }
    }

    fn read_all(&mut self) -> Result<Call, ParseError> {
        loop {
            if let Some(call) = self.read_on(usize::MAX)? {
                return Ok(call);
            }
        }
    }

    /// Reads at most so many tags and texts; the call when it has come to the end.
    pub fn read_on(&mut self, steps: usize) -> Result<Option<Call>, ParseError> {
        for _ in 0..steps {
            match self.document.next()? {
                Some(event) => self.take(event)?,
                None => {
                    let Request { method, params } = std::mem::take(&mut self.request);
                    let method = method.ok_or(ParseError::NoMethodName)?;
                    return Ok(Some(Call { caller: Caller::Client(0), method, params }));
                }
            }
        }
        Ok(None)
    }

    fn take(&mut self, event: Event<'a>) -> Result<(), ParseError> {
        match event {
            Event::Start(name) => self.open.push(Node::new(Kind::of(name))),
            Event::Text(text) => {
                if let Some(node) = self.open.last_mut() {
                    node.push_text(&text::of(&text));
                }
            }
            Event::End => {
                let node = self.open.pop().ok_or(ParseError::Unmarshallable)?;
                let node = node.finish(&mut self.request).ok_or(ParseError::Unmarshallable)?;
                if let Some(parent) = self.open.last_mut() {
                    parent.children.push(node);
                }
            }
        }
        Ok(())
    }
}

/// What has been found so far; later finds replace earlier ones.
#[derive(Default)]
struct Request {
    method: Option<String>,
    params: Vec<Value>,
}

/// The element names that mean something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Boolean,
    String,
    Double,
    DateTime,
    Base64,
    Array,
    Data,
    Struct,
    Param,
    Value,
    MethodName,
    Params,
    Unknown,
}

impl Kind {
    fn of(name: Option<&str>) -> Kind {
        match name.unwrap_or_default() {
            "int" | "i4" => Kind::Int,
            "boolean" => Kind::Boolean,
            "string" => Kind::String,
            "double" => Kind::Double,
            "dateTime.iso8601" => Kind::DateTime,
            "base64" => Kind::Base64,
            "array" => Kind::Array,
            "data" => Kind::Data,
            "struct" => Kind::Struct,
            "param" => Kind::Param,
            "value" => Kind::Value,
            "methodName" => Kind::MethodName,
            "params" => Kind::Params,
            _ => Kind::Unknown,
        }
    }
}

/// An element: open and gathering, or closed with `text` set to its value.
struct Node {
    kind: Kind,
    /// `None` and [`Value::Nil`] are both Python's `None`; an open node holds a string or nothing.
    text: Option<Value>,
    children: Vec<Node>,
}

impl Node {
    fn new(kind: Kind) -> Node {
        Node { kind, text: None, children: Vec::new() }
    }

    /// Adds character data; what follows the first child is that child's tail, which nobody reads.
    fn push_text(&mut self, text: &str) {
        if !self.children.is_empty() || text.is_empty() {
            return;
        }
        match &mut self.text {
            Some(Value::Str(own)) => own.push_str(text),
            _ => self.text = Some(Value::str(text)),
        }
    }

    /// The closed element; `None` where the reference's unmarshaller raises.
    fn finish(mut self, request: &mut Request) -> Option<Node> {
        let own = match &self.text {
            Some(Value::Str(text)) => Some(text.as_str()),
            _ => None,
        };
        let value = match self.kind {
            Kind::Int => scalars::int(own?)?,
            Kind::Boolean => Value::Bool(own == Some("1")),
            Kind::String => Value::str(own.unwrap_or_default()),
            Kind::Double => scalars::double(own?)?,
            Kind::DateTime => scalars::date_time(own?)?,
            Kind::Base64 => {
                let bytes = base64::decode_lenient(own.unwrap_or_default().as_bytes())?;
                Value::Str(text::of(std::str::from_utf8(&bytes).ok()?).into_owned())
            }
            Kind::Array | Kind::Param => self.children.first_mut()?.take_text(),
            Kind::Value => match self.children.first_mut() {
                Some(child) => child.take_text(),
                None => Value::str(own.unwrap_or_default()),
            },
            Kind::Data => Value::Array(self.children.iter_mut().map(Node::take_text).collect()),
            Kind::Struct => structure(&mut self.children)?,
            Kind::MethodName => {
                request.method = own.filter(|name| !name.is_empty()).map(str::to_string);
                return Some(self.keep());
            }
            Kind::Params => {
                request.params = self.children.iter().map(Node::text).collect();
                return Some(self.keep());
            }
            Kind::Unknown => return Some(self.keep()),
        };
        Some(Node { kind: self.kind, text: Some(value), children: Vec::new() })
    }

    /// An element that stays as it is. Nobody looks deeper than a struct at the parts of its members, so what is
    /// below those is dropped.
    fn keep(mut self) -> Node {
        for child in &mut self.children {
            child.children = Vec::new();
        }
        self
    }

    fn take_text(&mut self) -> Value {
        self.text.take().unwrap_or(Value::Nil)
    }

    fn text(&self) -> Value {
        self.text.clone().unwrap_or(Value::Nil)
    }
}

/// `dict([(k.text or "", v.text) for k, v in x])`: any two elements in any one element are a member.
fn structure(members: &mut [Node]) -> Option<Value> {
    let mut pairs = Vec::with_capacity(members.len());
    for member in members {
        let [key, value] = member.children.as_mut_slice() else { return None };
        pairs.push((scalars::key(key.take_text())?, value.take_text()));
    }
    Some(Value::Struct(pairs))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
