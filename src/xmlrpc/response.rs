//! Responses as a client reads them (`xmlrpc.client.Unmarshaller`).
//!
//! Unlike Python's reader this one lets control characters pass: they come with the output of programs.

use super::base64;
use super::document::{Document, Event};
use super::parse::ParseError;
use super::scalars;
use crate::core::text;
use crate::core::value::Value;

/// What a call ended with.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// The result.
    Value(Value),
    /// A fault; the code may be one this program does not know.
    Fault {
        /// `faultCode`
        code: i64,
        /// `faultString`
        text: String,
    },
}

/// Reads a response in UTF-8.
///
/// Fails with [`ParseError::Unmarshallable`] on anything that is not the response of an XML-RPC server.
pub fn parse_response(body: &[u8]) -> Result<Response, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError::Unmarshallable)?;
    let mut document = Document::of_response(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open = vec![Node::default()];
    while let Some(event) = document.next()? {
        match event {
            Event::Start(name) => {
                open.push(Node { name: name.unwrap_or_default(), ..Node::default() });
            }
            Event::Text(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text::of(&text));
                }
            }
            Event::End => {
                let node = open.pop().ok_or(ParseError::Unmarshallable)?;
                let parent = open.last_mut().ok_or(ParseError::Unmarshallable)?;
                node.close(parent).ok_or(ParseError::Unmarshallable)?;
            }
        }
    }
    let root = open.pop().ok_or(ParseError::Unmarshallable)?;
    root.response().ok_or(ParseError::Unmarshallable)
}

/// An open element and what its closed children have left in it.
#[derive(Default)]
struct Node<'a> {
    name: &'a str,
    text: String,
    values: Vec<Value>,
    members: Vec<(String, Value)>,
    member_name: Option<String>,
    fault: bool,
}

impl Node<'_> {
    /// Closes the element; its parent gets what it means. `None` for an element that has no place in a response.
    fn close(mut self, parent: &mut Node<'_>) -> Option<()> {
        let value = match self.name {
            "value" => match self.values.pop() {
                Some(value) => value,
                None => Value::Str(self.text),
            },
            "string" => Value::Str(self.text),
            "int" | "i4" | "i8" | "i1" | "i2" | "biginteger" => scalars::int(&self.text)?,
            "boolean" => Value::Bool(match self.text.as_str() {
                "0" => false,
                "1" => true,
                _ => return None,
            }),
            "double" => scalars::double(&self.text)?,
            "dateTime.iso8601" => Value::DateTime(self.text),
            "nil" => Value::Nil,
            "base64" => {
                let bytes = base64::decode_lenient(self.text.as_bytes())?;
                Value::Str(text::lossy(bytes))
            }
            "array" => Value::Array(self.values),
            "struct" => Value::Struct(self.members),
            "name" => {
                parent.member_name = Some(self.text);
                return Some(());
            }
            "member" => {
                parent.members.push((self.member_name?, self.values.pop()?));
                return Some(());
            }
            "data" | "param" | "params" | "methodResponse" | "fault" => {
                parent.values.append(&mut self.values);
                parent.fault |= self.fault || self.name == "fault";
                return Some(());
            }
            _ => return None,
        };
        parent.values.push(value);
        Some(())
    }

    fn response(mut self) -> Option<Response> {
        let value = self.values.pop()?;
        if !self.values.is_empty() {
            return None;
        }
        if !self.fault {
            return Some(Response::Value(value));
        }
        match (value.member("faultCode"), value.member("faultString")) {
            (Some(Value::Int(code)), Some(Value::Str(text))) => {
                Some(Response::Fault { code: *code, text: text.clone() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::fault::{Fault, FaultCode};
    use crate::xmlrpc::{write_fault, write_response};

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(|number| Value::Int(i64::from(number))),
            any::<bool>().prop_map(Value::Bool),
            "[^\r]{0,12}".prop_map(|plain| Value::Str(text::of(&plain).into_owned())),
            (-1e12..1e12).prop_map(Value::Double),
            Just(Value::Nil),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::vec(("[a-z]{0,4}", inner), 0..5).prop_map(Value::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_the_server_writes(value in values()) {
            let read = parse_response(&write_response(&value));
            prop_assert_eq!(read, Ok(Response::Value(value)));
        }

        #[test]
        fn never_panics(body in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400_usize) {
            let _ = parse_response(&body);
            let whole = write_response(&Value::Struct(vec![("a".into(), Value::Array(vec![Value::Nil]))]));
            let mut broken = whole[..cut.min(whole.len())].to_vec();
            broken.extend(body);
            let _ = parse_response(&broken);
        }
    }

    #[test]
    fn faults() {
        let fault = Fault::new(FaultCode::BadName, "a<b");
        let read = parse_response(&write_fault(&fault));
        assert_eq!(read, Ok(Response::Fault { code: 10, text: "BAD_NAME: a<b".to_string() }));
    }

    #[test]
    fn control_characters_and_plain_text_are_values() {
        let body = "<methodResponse><params><param><value>\u{1b}[31m&#233;</value></param></params></methodResponse>";
        let read = parse_response(body.as_bytes());
        assert_eq!(read, Ok(Response::Value(Value::from("\u{1b}[31mé"))));
    }

    #[test]
    fn other_documents_are_refused() {
        for body in [
            "",
            "<html/>",
            "<methodResponse/>",
            "<methodResponse><fault><value>1</value></fault></methodResponse>",
            "<methodResponse><params><param><value><int/></value></param></params></methodResponse>",
            "<methodResponse><params><param><value><struct><member><value/></member></struct></value></param></params></methodResponse>",
        ] {
            assert_eq!(parse_response(body.as_bytes()), Err(ParseError::Unmarshallable), "{body}");
        }
    }
}
