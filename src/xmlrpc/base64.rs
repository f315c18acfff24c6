//! Base64 as Python decodes it (`binascii.a2b_base64` in its default, lenient mode).

/// Decodes `input`, skipping every byte outside the alphabet; what follows complete padding is ignored.
///
/// `None` where Python raises: a lone last character, or padding that is missing.
pub(crate) fn decode_lenient(input: &[u8]) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(input.len() / 4 * 3 + 3);
    let (mut position, mut pads, mut left) = (0u8, 0u8, 0u8);
    for &byte in input {
        if byte == b'=' {
            pads = pads.saturating_add(1);
            if position >= 2 && position.saturating_add(pads) >= 4 {
                return Some(output);
            }
            if position < 2 {
                pads = 0;
            }
            continue;
        }
        let Some(digit) = digit(byte) else { continue };
        pads = 0;
        match position {
            0 => {}
            1 => output.push(left << 2 | digit >> 4),
            2 => output.push(left << 4 | digit >> 2),
            _ => output.push(left << 6 | digit),
        }
        left = digit;
        position = (position + 1) % 4;
    }
    (position == 0).then_some(output)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode_lenient;

    #[test]
    fn lenient_as_python_is() {
        for (input, output) in [
            ("", Some("")),
            ("YQ==", Some("a")),
            ("YQ=x=", Some("a\u{c}")),
            ("Y=Q==", Some("a")),
            ("Y Q\n=*=", Some("a")),
            ("YWI=", Some("ab")),
            ("YWJj", Some("abc")),
            ("YWJjYQ==ignored", Some("abca")),
            ("=YWJj", Some("abc")),
            ("YQ", None),
            ("YQ=", None),
            ("YWJjY", None),
            ("====", Some("")),
        ] {
            let decoded = decode_lenient(input.as_bytes());
            assert_eq!(decoded.as_deref(), output.map(str::as_bytes), "{input}");
        }
        assert_eq!(decode_lenient(b"Y===YQ=="), Some(vec![b'a', 0x84]));
    }
}
