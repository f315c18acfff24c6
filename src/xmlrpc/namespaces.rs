//! Namespace declarations in scope, and the rules expat enforces on them.

use std::collections::HashSet;

use super::document::require;
use super::parse::ParseError;
use super::tag::{Name, Tag};

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Namespaces in scope at a time: every name is looked up in the list of them, and XML-RPC uses none.
const MAX_BINDINGS: usize = 64;

/// A namespace declared by the element at `depth`.
struct Binding<'a> {
    depth: usize,
    /// Empty for the default namespace.
    prefix: &'a str,
    /// Empty when the default namespace is switched off.
    uri: String,
}

/// The declarations of the elements that are open.
#[derive(Default)]
pub(super) struct Namespaces<'a> {
    bindings: Vec<Binding<'a>>,
}

impl<'a> Namespaces<'a> {
    /// Takes in a start tag; answers the element's name unless it is in a namespace.
    pub(super) fn enter(
        &mut self,
        depth: usize,
        tag: &Tag<'a>,
    ) -> Result<Option<&'a str>, ParseError> {
        if !tag.attributes.is_empty() {
            self.declare(depth, tag)?;
        }
        let namespaced = !self.lookup(tag.name.prefix)?.is_empty();
        Ok((!namespaced).then_some(tag.name.local))
    }

    /// Forgets what the element at `depth` declared.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|binding| binding.depth >= depth) {
            self.bindings.pop();
        }
    }

    fn declare(&mut self, depth: usize, tag: &Tag<'a>) -> Result<(), ParseError> {
        let mut written: HashSet<Name<'a>> = HashSet::new();
        for (name, value) in &tag.attributes {
            require(written.insert(*name))?;
            let prefix = match (name.prefix, name.local) {
                ("xmlns", prefix) => prefix,
                ("", "xmlns") => "",
                _ => continue,
            };
            check_binding(prefix, value)?;
            require(self.bindings.len() < MAX_BINDINGS)?;
            self.bindings.push(Binding { depth, prefix, uri: value.clone().into_owned() });
        }
        let mut expanded: HashSet<(&str, &str)> = HashSet::new();
        for (name, _) in &tag.attributes {
            if !matches!(name.prefix, "" | "xmlns") {
                require(expanded.insert((self.lookup(name.prefix)?, name.local)))?;
            }
        }
        Ok(())
    }

    fn lookup(&self, prefix: &str) -> Result<&str, ParseError> {
        match self.bindings.iter().rev().find(|binding| binding.prefix == prefix) {
            Some(binding) => Ok(&binding.uri),
            None if prefix.is_empty() => Ok(""),
            None if prefix == "xml" => Ok(XML),
            None => Err(ParseError::Unmarshallable),
        }
    }
}

fn check_binding(prefix: &str, uri: &str) -> Result<(), ParseError> {
    require(prefix.is_empty() || !uri.is_empty())?;
    require(prefix != "xmlns" && uri != XMLNS)?;
    require((prefix == "xml") == (uri == XML))?;
    // ElementTree tells expat to separate namespace and name with this.
    require(!uri.contains('}'))
}
