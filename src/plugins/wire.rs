//! What goes over the socket to the helper: frames with a kind, a number, a length, and an XML-RPC document.
//!
//! Both sides call and answer. A call with the number 0 wants no answer. `Deferred` says of a call that it was made and
//! waits for something, as a plugin does by answering with a function.

/// Longest document. The answer to the longest request that the servers read fits.
pub(super) const MAX_DOCUMENT_BYTES: usize = 16 << 20;

/// Kind, number, length.
const HEADER_BYTES: usize = 1 + 8 + 4;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A method call.
    Call = 1,
    /// The response to the call of this number.
    Answer = 2,
    /// The call of this number waits for something.
    Deferred = 3,
}

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) document: Vec<u8>,
}

/// What came is no frame, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Babble(pub(super) String);

/// Bytes of a frame. `None` when the document is too long.
pub(super) fn frame(kind: Kind, id: u64, document: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(document.len()).ok()?;
    if document.len() > MAX_DOCUMENT_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(HEADER_BYTES + document.len());
    bytes.push(kind as u8);
    bytes.extend(id.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(document);
    Some(bytes)
}

/// Puts frames together from what arrives.
#[derive(Debug, Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// Takes what arrived. Call [`Reader::next`] until it gives nothing, before the next.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame that is complete.
    ///
    /// # Errors
    /// There is no frame in what came.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Babble> {
        let Some((header, rest)) = self.bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [kind, id @ .., l0, l1, l2, l3] = *header;
        let kind = match kind {
            1 => Kind::Call,
            2 => Kind::Answer,
            3 => Kind::Deferred,
            other => return Err(Babble(format!("a frame of the unknown kind {other}"))),
        };
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        if length > MAX_DOCUMENT_BYTES {
            return Err(Babble(format!("a document of {length} bytes")));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let document = rest[..length].to_vec();
        self.bytes.drain(..HEADER_BYTES + length);
        if self.bytes.is_empty() {
            // What one long document took is not kept for the short ones.
            self.bytes = Vec::new();
        }
        Ok(Some(Frame { kind, id: u64::from_be_bytes(id), document }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let frames = [
            (Kind::Call, 7, &b"<a/>"[..]),
            (Kind::Deferred, u64::MAX, b""),
            (Kind::Answer, 0, b"x"),
        ];
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(kind, id, document)| frame(*kind, *id, document).unwrap())
            .collect();
        for size in [1, 3, 14, 1000] {
            let mut reader = Reader::default();
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                reader.feed(piece);
                while let Some(Frame { kind, id, document }) = reader.next().unwrap() {
                    seen.push((kind, id, document));
                }
            }
            let expected: Vec<_> =
                frames.iter().map(|(kind, id, document)| (*kind, *id, document.to_vec())).collect();
            assert_eq!(seen, expected, "in pieces of {size}");
            assert_eq!(reader.bytes.capacity(), 0);
        }
    }

    #[test]
    fn babble_is_known_by_its_header() {
        let mut reader = Reader::default();
        reader.feed(b"Traceback (most");
        assert_eq!(reader.next(), Err(Babble("a frame of the unknown kind 84".into())));
        let mut long = frame(Kind::Call, 1, b"").unwrap();
        long[9] = 0x7f;
        let mut reader = Reader::default();
        reader.feed(&long);
        assert!(reader.next().is_err());
        assert_eq!(frame(Kind::Call, 1, &vec![0; MAX_DOCUMENT_BYTES + 1]), None);
    }
}
