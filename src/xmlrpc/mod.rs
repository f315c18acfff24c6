//! XML-RPC on the wire: requests in the reference's dialect, responses byte for byte as Python writes them.
//!
//! [`document`] turns text into the events of a well-formed document; [`parse`] gives them the meaning the reference
//! gives them; [`write`] is the way back. [`response`] and [`write_call`] are the client's half. Nothing here does I/O, and nothing panics on what a client sends.

pub mod base64;
mod document;
mod namespaces;
pub mod parse;
pub mod response;
mod scalars;
mod tag;
pub mod write;

pub use parse::{CallReader, ParseError, parse_call};
pub use response::{Response, parse_response};
pub use write::{ArrayResponse, write_call, write_fault, write_response};
