//! Values of the XML-RPC interface, independent of their XML form.

/// Bytes that `&amp;` has more than `&`.
const ESCAPE_BYTES: usize = 4;

/// One XML-RPC value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `<int>`, `<i4>`. The wire carries 32 bits; callers cap (see [`Value::capped_int`]).
    Int(i64),
    /// An integer beyond 64 bits, kept as its digits (only ever received, and shown in faults).
    BigInt(String),
    /// `<boolean>`.
    Bool(bool),
    /// `<string>`, untyped text, decoded `<base64>`.
    Str(String),
    /// `<double>`.
    Double(f64),
    /// `<dateTime.iso8601>`, kept as its text (only ever received).
    DateTime(String),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`, in the order written.
    Struct(Vec<(String, Value)>),
    /// `<nil/>`.
    Nil,
}

impl Value {
    /// A string value.
    pub fn str(text: impl Into<String>) -> Value {
        Value::Str(text.into())
    }

    /// An integer capped to the 32 bits of `<int>` (`rpcinterface.py: capped_int`).
    pub fn capped_int(number: i64) -> Value {
        Value::Int(number.clamp(i64::from(i32::MIN), i64::from(i32::MAX)))
    }

    /// Python's truth value of what a client sent, used for the `wait` parameters.
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Int(number) => *number != 0,
            Value::Bool(flag) => *flag,
            Value::Str(text) => !text.is_empty(),
            Value::Double(number) => *number != 0.0,
            Value::DateTime(_) | Value::BigInt(_) => true,
            Value::Array(items) => !items.is_empty(),
            Value::Struct(members) => !members.is_empty(),
            Value::Nil => false,
        }
    }

    /// Roughly the bytes it takes, in memory or written down, whichever is more.
    pub fn held_bytes(&self) -> usize {
        let contents = match self {
            Value::Str(text) | Value::DateTime(text) | Value::BigInt(text) => {
                allocated(text.len()).max(text.len() + ESCAPE_BYTES * escapes(text))
            }
            Value::Array(items) => items.iter().map(Value::held_bytes).sum(),
            Value::Struct(members) => members
                .iter()
                .map(|(name, value)| {
                    size_of::<String>() + allocated(name.len()) + value.held_bytes()
                })
                .sum(),
            Value::Int(_) | Value::Bool(_) | Value::Double(_) | Value::Nil => 0,
        };
        size_of::<Value>() + contents
    }

    /// The member of a struct; the last wins when a name is repeated, as in a Python dict.
    pub fn member(&self, name: &str) -> Option<&Value> {
        let Value::Struct(members) = self else {
            return None;
        };
        members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Bytes that an allocator gives for so many.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

/// How many characters of a text are written as something longer.
fn escapes(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'&' | b'<' | b'>')).count()
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_string())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}
