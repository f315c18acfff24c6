//! The text of scalar elements, read as Python reads it.

use crate::core::python;
use crate::core::value::Value;

/// Digits Python accepts in an integer (`sys.int_info.default_max_str_digits`).
const MAX_INT_DIGITS: usize = 4300;

/// `int(text)`: its digits where it is beyond 64 bits.
pub(super) fn int(text: &str) -> Option<Value> {
    if text.len() > MAX_INT_DIGITS
        && text.chars().filter(|character| character.is_numeric()).count() > MAX_INT_DIGITS
    {
        return None;
    }
    let digits = python::int_digits(text)?;
    Some(digits.parse().map_or_else(|_| Value::BigInt(digits), Value::Int))
}

/// `float(text)`: underscores between digits, `inf`, `nan`, surrounding white space.
pub(super) fn double(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    let mut plain = String::with_capacity(trimmed.len());
    let mut previous = ' ';
    let mut characters = trimmed.chars().peekable();
    while let Some(character) = characters.next() {
        let joins = previous.is_ascii_digit()
            && characters.peek().is_some_and(|next| next.is_ascii_digit());
        match character {
            '_' if joins => {}
            '_' => return None,
            _ => plain.push(character),
        }
        previous = character;
    }
    plain.parse().ok().map(Value::Double)
}

/// `time.strptime(text, "%Y%m%dT%H:%M:%S")` followed by `datetime.datetime`; the value stays text.
pub(super) fn date_time(text: &str) -> Option<Value> {
    let (date, time) = text.split_once(['T', 't'])?;
    let year = number(date.get(..4)?, 4)?;
    let month_and_day = date.get(4..)?;
    // The widths of month and day are ambiguous; the wider month is tried first.
    let split = [2, 1].into_iter().find_map(|width| {
        let month = number(month_and_day.get(..width)?, 2)?;
        // A single digit may be padded with a space, as asctime does.
        let day_text = month_and_day.get(width..)?;
        let day = match day_text.strip_prefix(' ') {
            Some(digit) => number(digit, 1),
            None => number(day_text, 2),
        }?;
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((month, day))
    });
    let (month, day) = split?;
    let mut parts = time.split(':');
    let (hour, minute, second) =
        (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let valid = parts.next().is_none()
        && year >= 1
        && day <= days_in(year, month)
        && hour < 24
        && minute < 60
        && second < 60;
    valid.then(|| Value::DateTime(text.to_string()))
}

fn number(digits: &str, most: usize) -> Option<u32> {
    let valid = (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| digits.parse().ok()).flatten()
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The key of a struct member: falsy values are the empty name; lists and structs cannot be keys of a dict.
///
/// Python keeps numbers as they are, and then nobody finds them by name; here they become a name nobody asks for.
pub(super) fn key(value: Value) -> Option<String> {
    if !value.is_truthy() {
        return Some(String::new());
    }
    Some(match value {
        Value::Str(text) | Value::DateTime(text) => text,
        Value::Int(number) => number.to_string(),
        Value::BigInt(digits) => digits,
        Value::Double(number) => number.to_string(),
        Value::Bool(_) => "True".to_string(),
        Value::Nil => String::new(),
        Value::Array(_) | Value::Struct(_) => return None,
    })
}
