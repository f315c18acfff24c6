//! XML-RPC on the wire: requests in the reference's dialect, responses byte for byte as Python writes them.
//!
//! [`document`] turns text into the events of a well-formed document; [`parse`] gives them the meaning the reference
//! gives them; [`write`] is the way back. [`response`] and [`write_call`] are the client's half. Nothing here does I/O, and nothing panics on what a client sends.

pub(crate) mod base64;
mod document;
mod namespaces;
pub(crate) mod parse;
pub(crate) mod response;
mod scalars;
mod tag;
pub(crate) mod write;

pub use parse::{CallReader, parse_call};
pub(crate) use parse::{ParseError, parse_call_of_plugin};
pub(crate) use response::Response;
pub use response::parse_response;
pub(crate) use write::{ArrayResponse, write_fault};
pub use write::{write_call, write_response};
