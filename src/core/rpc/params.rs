//! Parameters as the reference's Python would take them.

use crate::core::fault::{Fault, FaultCode};
use crate::core::python;
use crate::core::signal;
use crate::core::value::Value;

fn incorrect() -> Fault {
    Fault::bare(FaultCode::IncorrectParameters)
}

/// A name. Anything but text makes the reference fail with HTTP 500; here it is a clean fault.
pub(super) fn text(value: &Value) -> Result<&str, Fault> {
    match value {
        Value::Str(text) => Ok(text),
        _ => Err(incorrect()),
    }
}

/// A number, by the rules of `int()`.
pub(super) fn int(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(number) => Ok(*number),
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
    let number = match value {
        Value::Str(name) => match python::int(name) {
            Some(number) => Some(number),
            None => signal::by_name(name).map(i64::from),
        },
        other => Some(int(other)?),
    };
    number
        .filter(|number| signal::is_valid(*number))
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| Fault::new(FaultCode::BadSignal, display(value)))
}

/// `str()` of what was sent, for fault texts.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::DateTime(text) => python::str_datetime(text).unwrap_or_else(|| text.clone()),
        other => repr(other),
    }
}

/// `repr()` of what was sent.
fn repr(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
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
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", python::repr(name), repr(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// The name of a group: a scalar that is not text names none, and is shown in the fault; what Python cannot look up
/// in a dict is an incorrect parameter.
///
/// # Errors
/// BAD_NAME or INCORRECT_PARAMETERS.
pub(super) fn group_name(value: &Value) -> Result<&str, Fault> {
    match value {
        Value::Str(name) => Ok(name),
        Value::Array(_) | Value::Struct(_) => Err(incorrect()),
        // `None` adds no detail to a fault.
        Value::Nil => Err(Fault::bare(FaultCode::BadName)),
        Value::Int(_) | Value::Bool(_) | Value::Double(_) | Value::DateTime(_) => {
            Err(Fault::new(FaultCode::BadName, display(value)))
        }
    }
}
