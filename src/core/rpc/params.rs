//! Parameters as the reference's Python would take them.

use std::collections::{HashMap, HashSet};

use crate::core::fault::{Fault, FaultCode};
use crate::core::python;
use crate::core::signal;
use crate::core::value::Value;

fn incorrect() -> Fault {
    Fault::bare(FaultCode::IncorrectParameters)
}

/// A name. Anything but text makes the reference fail with HTTP 500; here it is a clean fault.
pub(super) fn text(value: &Value) -> Result<&str, Fault> {
    let Value::Str(text) = value else {
        return Err(incorrect());
    };
    Ok(text)
}

/// A number, by the rules of `int()`; beyond 64 bits it saturates.
pub(super) fn int(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::BigInt(digits) => Ok(if digits.starts_with('-') { i64::MIN } else { i64::MAX }),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        // `as` saturates, and takes NaN to 0.
        Value::Double(number) => Ok(*number as i64),
        Value::Str(text) => python::int(text).ok_or_else(incorrect),
        Value::DateTime(_) | Value::Array(_) | Value::Struct(_) | Value::Nil => Err(incorrect()),
    }
}

/// The optional `wait` parameter: true unless something falsy was sent.
pub(super) fn wait(params: &[Value], position: usize) -> bool {
    params.get(position).is_none_or(Value::is_truthy)
}

/// A signal, by number or name (`datatypes.py: signal_number`).
pub(super) fn signal_number(value: &Value) -> Result<i32, Fault> {
    let number = if let Value::Str(name) = value {
        python::int(name).or_else(|| signal::by_name(name).map(i64::from))
    } else {
        Some(int(value)?)
    };
    number
        .filter(|number| signal::is_valid(*number))
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| Fault::new(FaultCode::BadSignal, display(value)))
}

/// `str()` of what was sent, for fault texts.
pub(super) fn display(value: &Value) -> String {
    if let Value::Str(text) = value {
        text.clone()
    } else if let Value::DateTime(text) = value {
        python::str_datetime(text).unwrap_or_else(|| text.clone())
    } else {
        repr(value)
    }
}

/// A fault about what was sent instead of text, which it shows; `None` adds no detail.
pub(super) fn quoted(code: FaultCode, value: &Value) -> Fault {
    if matches!(value, Value::Nil) { Fault::bare(code) } else { Fault::new(code, display(value)) }
}

/// `repr()` of what was sent.
fn repr(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::BigInt(digits) => digits.clone(),
        Value::Bool(true) => "True".to_string(),
        Value::Bool(false) => "False".to_string(),
        Value::Str(text) => python::repr(text),
        Value::DateTime(text) => python::repr_datetime(text).unwrap_or_else(|| python::repr(text)),
        Value::Double(number) => python::repr_float(*number),
        Value::Nil => "None".to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Struct(members) => {
            // As in a dict a repeated name keeps its first place and has its last value.
            let last: HashMap<&str, &Value> =
                members.iter().map(|(name, value)| (name.as_str(), value)).collect();
            let mut seen = HashSet::new();
            let members: Vec<String> = members
                .iter()
                .filter(|(name, _)| seen.insert(name.as_str()))
                .map(|(name, _)| format!("{}: {}", python::repr(name), repr(last[name.as_str()])))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// The name of a group that is looked up in a dict, which Python cannot do with an array or a struct.
///
/// # Errors
/// BAD_NAME or INCORRECT_PARAMETERS.
pub(super) fn group_name(value: &Value) -> Result<&str, Fault> {
    if matches!(value, Value::Array(_) | Value::Struct(_)) {
        return Err(incorrect());
    }
    compared_name(value)
}

/// A name that is compared with others: what is not text equals none, and is shown in the fault.
///
/// # Errors
/// BAD_NAME.
pub(super) fn compared_name(value: &Value) -> Result<&str, Fault> {
    let Value::Str(name) = value else {
        return Err(quoted(FaultCode::BadName, value));
    };
    Ok(name)
}
