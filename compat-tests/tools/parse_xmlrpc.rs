//! Prints what the XML-RPC parser makes of requests, for the comparison with the reference.
//!
//! Standard input is a sequence of frames, each a 4-byte little-endian length and a request body. Each gets a line of
//! JSON: `{"error": text}`, or `{"method": text, "params": [value…], "response": text}` where a value is a list of
//! its type and its content, and the response is the document that would send the parameters back as an array.

use std::io::{self, BufWriter, Read, Write};

use supervisord_rs::parts::core::value::Value;
use supervisord_rs::parts::xmlrpc::{parse_call, write_response};

fn main() -> io::Result<()> {
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut rest = input.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(io::Error::other)?;
        let (frame, after) = after.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        writeln!(out, "{}", answer(frame))?;
        rest = after;
    }
    out.flush()
}

fn answer(frame: &[u8]) -> String {
    match parse_call(frame) {
        Err(error) => format!("{{\"error\": {}}}", string(&error.to_string())),
        Ok(call) => {
            let params = Value::Array(call.params);
            let response = String::from_utf8_lossy(&write_response(&params)).into_owned();
            format!(
                "{{\"method\": {}, \"params\": {}, \"response\": {}}}",
                string(&call.method),
                json(&params),
                string(&response)
            )
        }
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Int(number) => format!("[\"int\", {number}]"),
        Value::BigInt(digits) => format!("[\"int\", {digits}]"),
        Value::Bool(flag) => format!("[\"bool\", {flag}]"),
        Value::Str(text) => format!("[\"str\", {}]", string(text)),
        Value::Double(number) => format!("[\"float\", \"{number:?}\"]"),
        Value::DateTime(text) => format!("[\"date\", {}]", string(text)),
        Value::Nil => "[\"nil\"]".to_string(),
        Value::Array(items) => {
            format!("[\"list\", [{}]]", items.iter().map(json).collect::<Vec<_>>().join(", "))
        }
        Value::Struct(members) => {
            let members = members.iter().map(|(k, v)| format!("[{}, {}]", string(k), json(v)));
            format!("[\"struct\", [{}]]", members.collect::<Vec<_>>().join(", "))
        }
    }
}

fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if u32::from(control) < 0x20 => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
