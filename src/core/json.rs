//! Values as JSON on one line, for `--json` and the web interface.

use std::fmt::Write as _;

use crate::core::text;
use crate::core::value::Value;

/// The JSON text of a value. Numbers JSON does not have (`inf`, `nan`) are null.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    append(&mut text, value);
    text
}

/// A struct of the given members of another, in the given order; those it lacks are null.
pub(crate) fn select(value: &Value, keys: &[&str]) -> Vec<(String, Value)> {
    keys.iter()
        .map(|key| (key.to_string(), value.member(key).cloned().unwrap_or(Value::Nil)))
        .collect()
}

fn append(out: &mut String, value: &Value) {
    match value {
        Value::Str(text) | Value::DateTime(text) => string(out, text),
        // Writing to a String cannot fail.
        Value::Int(number) => drop(write!(out, "{number}")),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Double(number) if number.is_finite() => drop(write!(out, "{number}")),
        Value::Double(_) | Value::Nil => out.push_str("null"),
        Value::Bool(flag) => drop(write!(out, "{flag}")),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                append(out, item);
            }
            out.push(']');
        }
        Value::Struct(members) => {
            out.push('{');
            for (index, (key, item)) in members.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                string(out, key);
                out.push_str(": ");
                append(out, item);
            }
            out.push('}');
        }
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text::shown(text).chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => drop(write!(out, "\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_json() {
        let value = Value::Struct(vec![
            ("a\"b".to_string(), Value::Array(vec![Value::Int(-1), Value::Bool(true), Value::Nil])),
            ("é".to_string(), Value::str("\\\n\x1b")),
            ("f".to_string(), Value::Array(vec![Value::Double(1.5), Value::Double(f64::NAN)])),
        ]);
        let text = r#"{"a\"b": [-1, true, null], "é": "\\\n\u001b", "f": [1.5, null]}"#;
        assert_eq!(write(&value), text);
        assert_eq!(
            write(&Value::Struct(select(&value, &["f", "x"]))),
            r#"{"f": [1.5, null], "x": null}"#
        );
    }
}
