//! The conversions of Python's `%` formatting, for strings and integers.

use super::complaint::Mistake;
use super::names::Value;
use crate::core::python::{ascii, repr};

/// Flags between `%` and the width.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) blank: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
}

impl Flags {
    /// Sets the flag a character stands for; false when it is none.
    pub(super) fn set(&mut self, character: char) -> bool {
        match character {
            '-' => self.left = true,
            '+' => self.plus = true,
            ' ' => self.blank = true,
            '#' => self.alternate = true,
            '0' => self.zero = true,
            _ => return false,
        }
        true
    }
}

/// What a conversion is applied to.
pub(super) enum Argument<'a> {
    /// The value of a name.
    Value(&'a Value),
    /// The whole mapping, as its `repr`: what a conversion without a name gets.
    Mapping(String),
}

/// Everything between `%` and the conversion character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) flags: Flags,
    pub(super) width: Option<u64>,
    pub(super) precision: Option<u64>,
}

/// `repr` of a dict of expansions.
pub(super) fn mapping_repr<'a>(entries: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let items: Vec<String> = entries
        .map(|(name, value)| match value {
            Value::Str(text) => format!("{}: {}", repr(name), repr(text)),
            Value::Int(number) => format!("{}: {number}", repr(name)),
        })
        .collect();
    format!("{{{}}}", items.join(", "))
}

/// One conversion. `Ok(None)` for a character that names none; errors are the texts of Python's exceptions.
pub(super) fn convert(
    conversion: char,
    spec: &Spec,
    argument: &Argument<'_>,
) -> Result<Option<String>, Mistake> {
    let number = match argument {
        Argument::Value(Value::Int(number)) => Ok(*number),
        Argument::Value(Value::Str(_)) => Err("str"),
        Argument::Mapping(_) => Err("dict"),
    };
    Ok(Some(match conversion {
        's' | 'r' | 'a' => pad(&truncated(&text_of(conversion, argument), spec.precision), spec),
        'c' => pad(&character_of(argument)?, spec),
        'd' | 'i' | 'u' => {
            let number = number.map_err(|kind| {
                Mistake::new(format!("%{conversion} format: a real number is required, not {kind}"))
            })?;
            signed(number < 0, "", &digits(number.unsigned_abs().to_string(), spec), spec)
        }
        'o' | 'x' | 'X' => {
            let number = number.map_err(|kind| {
                Mistake::new(format!("%{conversion} format: an integer is required, not {kind}"))
            })?;
            let magnitude = number.unsigned_abs();
            let (plain, prefix) = match conversion {
                'o' => (format!("{magnitude:o}"), "0o"),
                'x' => (format!("{magnitude:x}"), "0x"),
                _ => (format!("{magnitude:X}"), "0X"),
            };
            let prefix = if spec.flags.alternate { prefix } else { "" };
            signed(number < 0, prefix, &digits(plain, spec), spec)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let number =
                number.map_err(|kind| Mistake::new(format!("must be real number, not {kind}")))?;
            signed(number < 0, "", &float(conversion, number, spec), spec)
        }
        _ => return Ok(None),
    }))
}

fn text_of(conversion: char, argument: &Argument<'_>) -> String {
    match argument {
        Argument::Mapping(shown) => match conversion {
            'a' => shown
                .chars()
                .map(|c| if c.is_ascii() { c.to_string() } else { unquoted_ascii(c) })
                .collect(),
            _ => shown.clone(),
        },
        Argument::Value(Value::Int(number)) => number.to_string(),
        Argument::Value(Value::Str(text)) => match conversion {
            'r' => repr(text),
            'a' => ascii(text),
            _ => text.clone(),
        },
    }
}

fn unquoted_ascii(character: char) -> String {
    ascii(character.encode_utf8(&mut [0; 4])).trim_matches('\'').to_string()
}

fn character_of(argument: &Argument<'_>) -> Result<String, Mistake> {
    match argument {
        // Surrogates cannot be in our text; Python would make one of them.
        Argument::Value(Value::Int(number)) => u32::try_from(*number)
            .ok()
            .and_then(char::from_u32)
            .map(String::from)
            .ok_or_else(|| Mistake::new("%c arg not in range(0x110000)")),
        Argument::Value(Value::Str(text)) if text.chars().count() == 1 => Ok(text.clone()),
        _ => Err(Mistake::new("%c requires int or char")),
    }
}

fn truncated(text: &str, precision: Option<u64>) -> String {
    match precision.and_then(|precision| usize::try_from(precision).ok()) {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_string(),
    }
}

/// Digits with leading zeros up to the precision.
fn digits(plain: String, spec: &Spec) -> String {
    let missing = usize_of(spec.precision).saturating_sub(plain.len());
    "0".repeat(missing) + &plain
}

fn usize_of(number: Option<u64>) -> usize {
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Text in its width; the zero flag is for numbers only.
fn pad(text: &str, spec: &Spec) -> String {
    let missing = usize_of(spec.width).saturating_sub(text.chars().count());
    let fill = " ".repeat(missing);
    if spec.flags.left { format!("{text}{fill}") } else { format!("{fill}{text}") }
}

/// A number in its width: sign, prefix and zeros in Python's order.
fn signed(negative: bool, prefix: &str, magnitude: &str, spec: &Spec) -> String {
    let sign = if negative {
        "-"
    } else if spec.flags.plus {
        "+"
    } else if spec.flags.blank {
        " "
    } else {
        ""
    };
    if spec.flags.zero && !spec.flags.left {
        let used = sign.len() + prefix.len() + magnitude.len();
        let zeros = "0".repeat(usize_of(spec.width).saturating_sub(used));
        format!("{sign}{prefix}{zeros}{magnitude}")
    } else {
        pad(&format!("{sign}{prefix}{magnitude}"), spec)
    }
}

/// The magnitude of an integer as a float, in one of the six float conversions.
fn float(conversion: char, number: i64, spec: &Spec) -> String {
    let value = (number as f64).abs();
    let precision = spec.precision.map_or(6, |precision| usize_of(Some(precision)));
    let alternate = spec.flags.alternate;
    let text = match conversion.to_ascii_lowercase() {
        'f' => fixed(value, precision, alternate),
        'e' => exponential(value, precision, alternate),
        _ => general(value, precision.max(1), alternate),
    };
    if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

fn point(precision: usize, alternate: bool) -> &'static str {
    if precision > 0 || alternate { "." } else { "" }
}

/// A whole number in fixed notation: all decimals are zeros.
fn fixed(value: f64, precision: usize, alternate: bool) -> String {
    format!("{value:.0}{}{}", point(precision, alternate), "0".repeat(precision))
}

/// The digits and the exponent of a whole number below 2^64, rounded to `1 + precision` digits.
fn scientific(value: f64, precision: usize) -> (String, usize) {
    let kept = precision.min(20);
    let text = format!("{value:.kept$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.replace('.', "") + &"0".repeat(precision - kept);
    (digits, exponent.parse().unwrap_or(0))
}

fn exponential(value: f64, precision: usize, alternate: bool) -> String {
    let (digits, exponent) = scientific(value, precision);
    let (first, rest) = digits.split_at(1);
    format!("{first}{}{rest}e+{exponent:02}", point(precision, alternate))
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let (digits, exponent) = scientific(value, precision - 1);
    let shown = if alternate { digits.as_str() } else { digits.trim_end_matches('0') };
    if exponent >= precision {
        let (first, rest) = digits.split_at(1);
        let rest = if alternate { rest } else { rest.trim_end_matches('0') };
        return format!("{first}{}{rest}e+{exponent:02}", point(rest.len(), alternate));
    }
    let (whole, _) = digits.split_at(exponent + 1);
    let decimals = shown.get(exponent + 1..).unwrap_or("");
    format!("{whole}{}{decimals}", point(decimals.len(), alternate))
}
