//! What the fuzz targets do with their input, and what must hold whatever it is: first of all that nothing panics.
//!
//! Each target of `fuzz_targets/` is a function here. The same functions are run over the seeds by `tests/seeds.rs`, a
//! test of supervisord-rs itself, with the stable compiler.

mod http;
mod streams;

pub use http::http;
pub use streams::{capture, listener, strip_ansi};

use supervisord_rs::parts::config::datatypes::key_value_pairs;
use supervisord_rs::parts::config::expand::expand;
use supervisord_rs::parts::config::ini::Document;
use supervisord_rs::parts::config::names::{Table, Value};
use supervisord_rs::parts::xmlrpc::{CallReader, parse_call, parse_response, write_call};

/// Longest expansion, in bytes: what `config::expand` allows, and one more field in full width.
const MAX_EXPANSION_BYTES: usize = (16 << 20) + (4 << 20);

/// A configuration file: whatever sections and options a document says it has, it has.
pub fn ini(data: &[u8]) {
    let mut document = Document::new();
    if document.read(data, "fuzz.conf").is_err() {
        return;
    }
    for section in document.sections() {
        assert!(document.has_section(&section));
        for option in document.options(&section) {
            assert!(document.get(&section, &option).is_some(), "[{section}] {option}");
        }
    }
}

/// A value with `%(name)s`: text without `%` stays as it is, and no text makes a result without bound.
pub fn expansions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut names = Table::new();
    for (name, value) in [("here", "/etc"), ("program_name", "cat"), ("host_node_name", "malmö")] {
        names.set(name, Value::from(value));
    }
    names.set("process_num", Value::Int(7));
    names.set("numprocs", Value::Int(-12));
    let mut environment = Table::new();
    environment.set_environment(&[("HOME".to_string(), "/root".to_string())]);
    match expand(text, &[&names, &environment], "command") {
        Ok(expanded) if !text.contains('%') => assert_eq!(expanded, text),
        Ok(expanded) => assert!(expanded.len() <= MAX_EXPANSION_BYTES),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// A value of `environment=`: pairs that can be written plainly are read as they were.
pub fn environment(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(pairs) = key_value_pairs(text) else {
        return;
    };
    let is_plain = |(key, value): &(String, String)| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !key.is_empty() && key.chars().all(word) && !value.contains(['\'', '"'])
    };
    if pairs.iter().all(is_plain) {
        let written: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        assert_eq!(key_value_pairs(&written.join(",")), Ok(pairs));
    }
}

/// The body of a request or of a response: reading in steps is reading at once, and what was read can be written.
pub fn xmlrpc(data: &[u8]) {
    let _ = parse_response(data);
    let call = parse_call(data);
    let in_steps = CallReader::new(data).and_then(|mut reader| {
        loop {
            if let Some(call) = reader.read_on(1)? {
                return Ok(call);
            }
        }
    });
    // As text, in which what is not a number is equal to itself.
    assert_eq!(format!("{call:?}"), format!("{in_steps:?}"));
    if let Ok(call) = call {
        assert!(!write_call(&call.method, &call.params).is_empty());
    }
}
