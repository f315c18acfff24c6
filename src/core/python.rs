//! The few Python text conversions that are part of the contract: `int(str)` and `repr(str)`.

/// `int(text)`: optional sign, digits with single underscores between them, surrounding white space.
///
/// Numbers beyond 64 bits saturate; nothing the reference does with such a number differs from a very large one.
pub fn int(text: &str) -> Option<i64> {
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if digits.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    let mut after_digit = false;
    for character in digits.chars() {
        match character.to_digit(10) {
            Some(digit) => {
                total = total.saturating_mul(10).saturating_add(i64::from(digit));
                after_digit = true;
            }
            None if character == '_' && after_digit => after_digit = false,
            None => return None,
        }
    }
    after_digit.then_some(if negative { -total } else { total })
}
