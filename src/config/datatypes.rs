//! The types of option values: text in, value or the reference's complaint out (`datatypes.py`).

use super::complaint::Mistake;
use super::environ::Environ;
use super::paths::{dirname, expanduser, is_directory, located};
use super::shlex;
use crate::core::config::{AutoRestart, LogFile};
use crate::core::event::EVENT_TYPES;
use crate::core::python::{self, MAX_INT_DIGITS, decimal_digit, repr, strip};
use crate::core::signal;
use crate::core::states::Level;

/// Characters of a representation that Python's `int` quotes in its complaint.
const QUOTED_CHARS: usize = 200;

/// A name of a program or group: trimmed, and free of the characters that would break namespecs and URLs.
pub(crate) fn process_or_group_name(name: &str) -> Result<String, Mistake> {
    let trimmed = strip(name);
    for character in [' ', ':', '/'] {
        if trimmed.contains(character) {
            return Err(Mistake::new(format!(
                "Invalid name: {} because of character: '{character}'",
                repr(name)
            )));
        }
    }
    Ok(trimmed.to_string())
}

/// An integer; see [`python::int`].
pub(crate) fn integer(text: &str) -> Result<i64, Mistake> {
    python::int(text).ok_or_else(|| int_error(text))
}

/// An integer in a range; `complain` gets the digits of one outside it.
pub(crate) fn integer_in(
    text: &str,
    range: std::ops::RangeInclusive<i64>,
    complain: impl Fn(&str) -> String,
) -> Result<i64, Mistake> {
    let number = integer(text)?;
    if range.contains(&number) {
        return Ok(number);
    }
    Err(Mistake::new(complain(&python::int_digits(text).unwrap_or_default())))
}

fn int_error(text: &str) -> Mistake {
    let digits = text.chars().filter(|c| decimal_digit(*c).is_some()).count();
    let is_number = digits > MAX_INT_DIGITS
        && text
            .trim()
            .trim_start_matches(['-', '+'])
            .chars()
            .all(|c| c == '_' || decimal_digit(c).is_some());
    if is_number {
        return Mistake::new(format!(
            "Exceeds the limit ({MAX_INT_DIGITS} digits) for integer string conversion: value has {digits} digits; \
             use sys.set_int_max_str_digits() to increase the limit"
        ));
    }
    let shown: String = repr(text).chars().take(QUOTED_CHARS).collect();
    Mistake::new(format!("invalid literal for int() with base 10: {shown}"))
}

/// `yes`, `true`, `on`, `1` and their opposites, in any case.
pub(crate) fn boolean(text: &str) -> Result<bool, Mistake> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(Mistake::new(format!("not a valid boolean value: {}", repr(text)))),
    }
}

/// Trimmed items between commas; none for the empty text.
pub(crate) fn list_of_strings(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|item| strip(item).to_string()).collect()
}

/// Exit codes between commas, each 0 to 255.
pub(crate) fn list_of_exitcodes(text: &str) -> Result<Vec<i64>, Mistake> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|item| python::int(item).filter(|code| (0..=255).contains(code)))
        .collect::<Option<Vec<i64>>>()
        .ok_or_else(|| Mistake::new(format!("not a valid list of exit codes: {}", repr(text))))
}

/// `KEY=value,KEY2="value 2"` in the reference's reading: tokens of a shell-like lexer in strides of four, the
/// separator never looked at. A repeated key keeps its first place and its last value.
pub fn key_value_pairs(text: &str) -> Result<Vec<(String, String)>, Mistake> {
    let tokens = shlex::tokens(text)?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    for stride in tokens.chunks(4) {
        let [key, equals, value, ..] = stride else {
            return Err(Mistake::new(format!(
                "Unexpected end of key/value pairs in value '{text}'"
            )));
        };
        if equals != "=" {
            return Err(Mistake::new(format!(
                "Unexpected end of key/value pairs in value '{text}'"
            )));
        }
        overlay(&mut pairs, key, value.trim_matches(['\'', '"']));
    }
    Ok(pairs)
}

/// Sets a key as a Python dict does: an existing one keeps its place.
pub(crate) fn overlay(pairs: &mut Vec<(String, String)>, key: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value.to_string(),
        None => pairs.push((key.to_string(), value.to_string())),
    }
}

/// `NONE`, `OFF`, `AUTO`, or a path in an existing directory. What is for syslog ([`is_syslog`]) goes to no file.
pub(crate) fn logfile_name(text: &str, environ: &Environ) -> Result<LogFile, Mistake> {
    Ok(match text.to_lowercase().as_str() {
        "none" | "off" | "syslog" => LogFile::None,
        "auto" => LogFile::Auto,
        // Opened where the daemon works then.
        _ => LogFile::Path(dirpath(text, environ, is_directory)?),
    })
}

/// Whether the name of a log means syslog, as it did once.
pub(crate) fn is_syslog(text: &str) -> bool {
    text.to_lowercase() == "syslog"
}

/// A port number.
pub(crate) fn port_number(text: &str) -> Result<u16, Mistake> {
    let number = integer_in(text, 1..=65535, |digits| {
        if digits == "0" || digits.starts_with('-') {
            format!("{digits} is below lower bound (1)")
        } else {
            format!("{digits} is above upper bound (65535)")
        }
    })?;
    u16::try_from(number).map_err(|why| Mistake::new(why.to_string()))
}

/// `host:port`, `*:port`, `:port` or `port`; the host is lower-cased, empty for every interface.
pub(crate) fn inet_address(text: &str) -> Result<(String, u16), Mistake> {
    let Some((host, port)) = text.rsplit_once(':') else {
        let port = port_number(text)
            .map_err(|_| Mistake::new(format!("not a valid port number: {} ", repr(text))))?;
        return Ok((String::new(), port));
    };
    if port.is_empty() {
        // Python has overwritten its text with the empty port by then.
        return Err(Mistake::new("no port number specified in ''"));
    }
    let port = port_number(port)?;
    let host = host.to_lowercase();
    Ok((if host == "*" { String::new() } else { host }, port))
}

/// Permission bits in octal. Beyond 32 bits only the low ones are kept; the system uses fewer.
pub(crate) fn octal_type(text: &str) -> Result<u32, Mistake> {
    python::int_octal(text)
        .map(|number| number as u32)
        .ok_or_else(|| Mistake::new(format!("{text} can not be converted to an octal type")))
}

/// A directory of the daemon that exists; `~` is expanded.
pub(crate) fn existing_directory(text: &str, environ: &Environ) -> Result<String, Mistake> {
    let path = expanduser(text, environ);
    if is_directory(&located(&path, environ)) {
        Ok(path)
    } else {
        Err(Mistake::new(format!("{text} is not an existing directory")))
    }
}

/// A path of the daemon's own whose directory, if it names one, exists; `~` is expanded.
pub(crate) fn existing_dirpath(text: &str, environ: &Environ) -> Result<String, Mistake> {
    dirpath(text, environ, |directory| is_directory(&located(directory, environ)))
}

fn dirpath(
    text: &str,
    environ: &Environ,
    exists: impl FnOnce(&str) -> bool,
) -> Result<String, Mistake> {
    let path = expanduser(text, environ);
    let directory = dirname(&path);
    if directory.is_empty() || exists(directory) {
        Ok(path)
    } else {
        Err(Mistake::new(format!("The directory named as part of the path {text} does not exist")))
    }
}

/// A level of the main log.
pub(crate) fn logging_level(text: &str) -> Result<Level, Mistake> {
    Level::from_config(&text.to_lowercase())
        .ok_or_else(|| Mistake::new(format!("bad logging level name {}", repr(text))))
}

/// Bytes, with an optional suffix `KB`, `MB` or `GB` in any case.
pub(crate) fn byte_size(text: &str) -> Result<i64, Mistake> {
    let lower = text.to_lowercase();
    for (suffix, multiplier) in [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)] {
        if let Some(number) = lower.strip_suffix(suffix) {
            return Ok(integer(number)?.saturating_mul(multiplier));
        }
    }
    integer(&lower)
}

/// A signal, by number or name.
pub(crate) fn signal_number(text: &str) -> Result<i32, Mistake> {
    match python::int(text) {
        Some(number) if signal::is_valid(number) => {
            i32::try_from(number).map_err(|why| Mistake::new(why.to_string()))
        }
        Some(_) => Err(Mistake::new(format!("value {} is not a valid signal number", repr(text)))),
        None => signal::by_name(text).ok_or_else(|| {
            Mistake::new(format!("value {} is not a valid signal name", repr(text)))
        }),
    }
}

/// `true`, `false` (in their spellings) or `unexpected`.
pub(crate) fn auto_restart(text: &str) -> Result<AutoRestart, Mistake> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "unexpected" => Ok(AutoRestart::Unexpected),
        _ => match boolean(&lower) {
            Ok(true) => Ok(AutoRestart::Always),
            Ok(false) => Ok(AutoRestart::Never),
            Err(_) => Err(Mistake::new(format!("invalid 'autorestart' value {}", repr(&lower)))),
        },
    }
}

/// The name of an event type, if there is one of that name.
pub(crate) fn event_type(name: &str) -> Option<&'static str> {
    EVENT_TYPES.into_iter().find(|known| *known == name)
}

/// Whether a `module:attribute` specification (spaces and `[extras]` allowed as in entry points) names `known`.
pub(crate) fn names_factory(spec: &str, known: &str) -> bool {
    let bare = match spec.split_once('[') {
        Some((bare, extras)) if extras.trim_end().ends_with(']') => bare,
        _ => spec,
    };
    let Some((module, attribute)) = bare.split_once(':') else {
        return false;
    };
    known.split_once(':') == Some((module.trim_end_matches(python::is_space), strip(attribute)))
}

#[cfg(test)]
#[path = "datatypes_tests.rs"]
mod tests;
