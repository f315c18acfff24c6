//! `tail -f` and `maintail -f`: a log as it grows, over the daemon's `/logtail` streams, until Ctrl-C.

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

use super::address::Address;
use super::client;
use super::failure::{Failure, Outcome};
use super::http::{self, Framing};
use super::interrupt::{Interrupts, Woken};
use super::session::Session;
use crate::config::ClientOptions;
use crate::core::python::repr_bytes;
use crate::core::text;

/// Bytes read at a time.
const READ_BYTES: usize = 16 << 10;

/// Longest head of a response, and longest line between chunks.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Shows a log from its last kilobyte on, until Ctrl-C or until nobody reads or writes it any more.
pub(crate) fn follow(session: &mut Session, path: &str) -> Outcome {
    let mut interrupts = Interrupts::take_over()?.or_reader_gone();
    session.output("==> Press Ctrl-C to exit <==");
    let mut stream = LogStream::open(&session.options, path)?;
    let url = format!("{}{path}", session.options.serverurl);
    while !stream.has_ended() && !session.nobody_reads {
        if interrupts.wait(Some(stream.descriptor()), None)? == Woken::Interrupted {
            session.output("");
            return Ok(());
        }
        match stream.read() {
            Ok(text) => session.write(&text),
            Err(Failure::Http { status, .. }) => {
                session.complain(&format!("{url} Cannot read, status code {status}"));
                return Ok(());
            }
            Err(failure) => {
                session.complain(&format!("{url} Cannot connect, error: {failure}"));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A log as it comes from the daemon, in pieces.
pub(crate) struct LogStream {
    socket: File,
    decoder: Decoder,
}

impl LogStream {
    /// Asks for a log, e.g. `/logtail/web/stdout`. Blocks only while it connects.
    pub(crate) fn open(options: &ClientOptions, path: &str) -> Outcome<LogStream> {
        let address = Address::parse(&options.serverurl)?;
        let mut socket = address.connect_for_log()?;
        let request =
            format!("{}Accept: */*\r\n\r\n", client::head("GET", path, &address, options));
        socket.write_all(request.as_bytes())?;
        Ok(LogStream { socket, decoder: Decoder::default() })
    }

    /// What to wait for before [`LogStream::read`].
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether nothing will come any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.decoder.state == State::Ended
    }

    /// Reads once; the text that came with it, which may be none. Bytes that are not UTF-8 come in Python's notation.
    ///
    /// Fails with [`Failure::Http`] when the daemon refuses.
    pub(crate) fn read(&mut self) -> Outcome<String> {
        let mut bytes = vec![0; READ_BYTES];
        let count = self.socket.read(&mut bytes)?;
        if count == 0 {
            return Ok(self.decoder.finish());
        }
        self.decoder.feed(&bytes[..count])
    }
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// A line with the size of a chunk, or the empty line before it.
    ChunkSize,
    /// So many bytes of a chunk are to come.
    Chunk(usize),
    /// So many bytes of the body are to come; all there are, if nothing is said.
    Body(Option<u64>),
    Ended,
}

/// Turns the bytes of a response into text as they come.
#[derive(Default)]
struct Decoder {
    state: State,
    /// Bytes that are not whole yet: of the head, of a line, of a chunk.
    pending: Vec<u8>,
    /// The start of a character that the last chunk ended within; three bytes at most.
    split: Vec<u8>,
}

impl Decoder {
    fn feed(&mut self, bytes: &[u8]) -> Outcome<String> {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        while self.step(&mut text)? {}
        Ok(text)
    }

    /// Takes one part off the pending bytes; whether there was a whole one.
    fn step(&mut self, text: &mut String) -> Outcome<bool> {
        match self.state {
            State::Head => {
                let Some(end) = find(&self.pending, b"\r\n\r\n") else { return self.starve() };
                let head: Vec<u8> = self.pending.drain(..end + 4).collect();
                let head = http::parse_head(&String::from_utf8_lossy(&head))?;
                if head.status != 200 {
                    return Err(Failure::Http { status: head.status, reason: head.reason });
                }
                self.state = match head.framing {
                    Framing::Chunked => State::ChunkSize,
                    Framing::Length(length) => State::Body(Some(length)),
                    Framing::UntilClose => State::Body(None),
                };
            }
            State::ChunkSize => {
                let Some(end) = find(&self.pending, b"\r\n") else { return self.starve() };
                let line: Vec<u8> = self.pending.drain(..end + 2).collect();
                let line = String::from_utf8_lossy(&line).into_owned();
                if line.trim().is_empty() {
                    return Ok(true);
                }
                self.state = match http::chunk_size(&line)? {
                    0 => State::Ended,
                    size => State::Chunk(usize::try_from(size).unwrap_or(usize::MAX)),
                };
            }
            State::Chunk(size) => {
                if self.pending.is_empty() {
                    return Ok(false);
                }
                if size <= READ_BYTES && self.pending.len() < size {
                    return Ok(false);
                }
                let taken = size.min(self.pending.len());
                let chunk: Vec<u8> = self.pending.drain(..taken).collect();
                self.take(&chunk, text);
                self.state =
                    if taken == size { State::ChunkSize } else { State::Chunk(size - taken) };
            }
            State::Body(left) => return Ok(self.step_body(left, text)),
            State::Ended => return Ok(false),
        }
        Ok(true)
    }

    fn step_body(&mut self, left: Option<u64>, text: &mut String) -> bool {
        if left == Some(0) {
            self.state = State::Ended;
            return true;
        }
        let mut bytes = std::mem::take(&mut self.pending);
        if bytes.is_empty() {
            return false;
        }
        if let Some(left) = left {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.state = State::Body(left.map(|left| left - bytes.len() as u64));
        self.take(&bytes, text);
        true
    }

    /// Waits for more of a head or a line, but not for ever more.
    fn starve(&self) -> Outcome<bool> {
        if self.pending.len() > MAX_HEAD_BYTES {
            let text = format!("got more than {MAX_HEAD_BYTES} bytes when reading header line");
            return Err(Failure::other("http.client.LineTooLong", text));
        }
        Ok(false)
    }

    /// Adds a chunk's text. A character at its end that is not whole waits for the next chunk; the reference does not
    /// wait and shows the bytes.
    fn take(&mut self, chunk: &[u8], text: &mut String) {
        let mut bytes = std::mem::take(&mut self.split);
        bytes.extend_from_slice(chunk);
        let whole = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            Err(why) if why.error_len().is_none() => why.valid_up_to(),
            Err(_) => {
                text.push_str(&undecodable(&bytes));
                return;
            }
        };
        text.push_str(&text::lossy(bytes[..whole].to_vec()));
        self.split = bytes.split_off(whole);
    }

    /// The end of the connection: what was waiting for more will not get it.
    fn finish(&mut self) -> String {
        self.state = State::Ended;
        let rest = std::mem::take(&mut self.split);
        if rest.is_empty() { String::new() } else { undecodable(&rest) }
    }
}

fn undecodable(bytes: &[u8]) -> String {
    format!("Undecodable: {}", repr_bytes(bytes))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    fn decode(pieces: &[&[u8]]) -> (Vec<String>, State) {
        let mut decoder = Decoder::default();
        let mut texts: Vec<String> =
            pieces.iter().map(|piece| decoder.feed(piece).unwrap()).collect();
        let state = decoder.state;
        texts.push(decoder.finish());
        (texts, state)
    }

    #[test]
    fn chunks_cut_anywhere_give_the_same_text() {
        let whole = format!("{HEAD}4\r\nab\nc\r\n6;x=y\r\nd\u{e9}\u{20ac}\r\n0\r\n\r\n");
        for cut in 0..whole.len() {
            let (texts, state) = decode(&[&whole.as_bytes()[..cut], &whole.as_bytes()[cut..]]);
            assert_eq!((texts.concat().as_str(), state), ("ab\ncd\u{e9}\u{20ac}", State::Ended));
        }
    }

    #[test]
    fn a_character_cut_by_chunks_is_whole_again() {
        let mut whole = format!("{HEAD}2\r\n").into_bytes();
        whole.extend(b"a\xe2\r\n2\r\n\x82\xac\r\n");
        assert_eq!(decode(&[&whole]).0, ["a\u{20ac}", ""]);
        whole.extend(b"1\r\n\xe2\r\n");
        assert_eq!(decode(&[&whole]).0, ["a\u{20ac}", "Undecodable: b'\\xe2'"]);
    }

    #[test]
    fn other_bytes_are_shown_as_python_shows_them() {
        let mut whole = format!("{HEAD}3\r\n").into_bytes();
        whole.extend(b"a\xff\n\r\n1\r\n\xff\r\n1\r\nb\r\n");
        assert_eq!(decode(&[&whole]).0, ["Undecodable: b'a\\xff\\n'Undecodable: b'\\xff'b", ""]);
    }

    #[test]
    fn bodies_without_chunks() {
        let until_close = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(
            decode(&[until_close, b"d"]),
            (vec!["abc".into(), "d".into(), "".into()], State::Body(None))
        );
        let counted = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc";
        assert_eq!(decode(&[counted]), (vec!["ab".into(), "".into()], State::Ended));
    }

    #[test]
    fn refusals_and_nonsense() {
        let refused = Decoder::default().feed(b"HTTP/1.1 404 Not Found\r\n\r\n");
        assert!(matches!(refused, Err(Failure::Http { status: 404, .. })));
        for bad in
            ["x\r\n\r\n".to_string(), format!("{HEAD}zz\r\n"), "x".repeat(MAX_HEAD_BYTES + 1)]
        {
            assert!(Decoder::default().feed(bad.as_bytes()).is_err(), "{bad:.20}");
        }
    }
}
