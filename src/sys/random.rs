//! Random bytes: the kernel's, where it has the call, else those of `/dev/urandom`.

use std::fmt::Write as _;
use std::io;

/// Fills a buffer with random bytes.
///
/// # Errors
/// When the system has none, which no kernel that this runs on says.
#[expect(clippy::disallowed_methods, reason = "the one place where random bytes come from")]
pub(crate) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::from)
}

/// So many random bytes, in hexadecimal digits.
///
/// # Errors
/// As [`fill`].
pub(crate) fn hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    fill(&mut bytes)?;
    let mut digits = String::with_capacity(2 * BYTES);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_lower_case_and_never_the_same() {
        let (one, other) = (hex::<16>().unwrap(), hex::<16>().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
        assert_ne!(one, other);
    }
}
