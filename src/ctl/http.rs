//! The little of HTTP/1.1 that a client of the daemon needs: one request, one response with a bounded head and body.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use super::failure::{DISCONNECTED, Failure, Outcome};
use crate::core::python::repr;
use crate::core::text;

/// Longest line of a response's head, as in Python's `http.client`.
const MAX_LINE_BYTES: u64 = 65_536;

/// Most headers of a response, as in Python's `http.client`.
const MAX_HEADERS: usize = 100;

/// Largest body; `tail -N` of a log may be large, but a client has to end.
const MAX_BODY_BYTES: u64 = 512 << 20;

/// A connection and what has been read of it.
pub(crate) struct Connection {
    stream: BufReader<File>,
}

/// The head of a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status, e.g. 200.
    pub status: u16,
    /// The words after the status.
    pub reason: String,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the connection is of no use after this response.
    pub closes: bool,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After a chunk of no length.
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Connection {
    /// A connection over a connected socket.
    pub(crate) fn new(stream: File) -> Connection {
        Connection { stream: BufReader::new(stream) }
    }

    /// The socket, to wait for it.
    pub(crate) fn socket(&self) -> &File {
        self.stream.get_ref()
    }

    /// Whether bytes have been read from the socket that nobody has asked for yet.
    pub(crate) fn has_buffered(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    /// Sends a request, head and body in one piece.
    pub(crate) fn send(&mut self, request: &[u8]) -> Outcome {
        Ok(self.stream.get_mut().write_all(request)?)
    }

    /// Reads the head of a response.
    pub(crate) fn read_head(&mut self) -> Outcome<Head> {
        loop {
            let head = self.read_one_head()?;
            if head.status != 100 {
                return Ok(head);
            }
        }
    }

    fn read_one_head(&mut self) -> Outcome<Head> {
        let status_line = self.line()?;
        if status_line.is_empty() {
            let text = "Remote end closed connection without response";
            return Err(Failure::other(DISCONNECTED, text));
        }
        let (version, status, reason) = parse_status_line(&status_line)?;
        let mut fields = Fields::default();
        for _ in 0..=MAX_HEADERS {
            let line = self.line()?;
            match line.trim_end() {
                "" => return Ok(fields.head(version, status, reason)),
                line => fields.take(line),
            }
        }
        let text = format!("got more than {MAX_HEADERS} headers");
        Err(Failure::other("http.client.HTTPException", text))
    }

    /// Reads the whole body.
    pub(crate) fn read_body(&mut self, framing: Framing) -> Outcome<Vec<u8>> {
        let mut body = Vec::new();
        match framing {
            Framing::Length(length) => self.append(&mut body, length)?,
            Framing::UntilClose => {
                let mut rest = (&mut self.stream).take(MAX_BODY_BYTES + 1);
                rest.read_to_end(&mut body)?;
                check_size(body.len() as u64)?;
            }
            Framing::Chunked => {
                while let Some(chunk) = self.read_chunk(MAX_BODY_BYTES - body.len() as u64)? {
                    body.extend(chunk);
                }
            }
        }
        Ok(body)
    }

    /// Reads one chunk of a chunked body, at most so many bytes long; `None` after the last one.
    pub(crate) fn read_chunk(&mut self, max_bytes: u64) -> Outcome<Option<Vec<u8>>> {
        let line = self.line()?;
        let size = chunk_size(&line)?;
        if size > max_bytes {
            return Err(too_large());
        }
        let mut chunk = Vec::new();
        self.append(&mut chunk, size)?;
        loop {
            // After a chunk its line end; after the last one the trailer and an empty line.
            let line = self.line()?;
            if size > 0 || line.trim_end().is_empty() {
                return Ok((size > 0).then_some(chunk));
            }
        }
    }

    fn append(&mut self, body: &mut Vec<u8>, length: u64) -> Outcome {
        check_size(length)?;
        let read = (&mut self.stream).take(length).read_to_end(body)? as u64;
        if read == length {
            return Ok(());
        }
        let missing = length - read;
        let text = format!("IncompleteRead({read} bytes read, {missing} more expected)");
        Err(Failure::other("http.client.IncompleteRead", text))
    }

    /// One line with its end; empty at the end of the stream. Bytes that are not UTF-8 are replaced.
    fn line(&mut self) -> Outcome<String> {
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)?;
        if line.len() as u64 > MAX_LINE_BYTES {
            let text = format!("got more than {MAX_LINE_BYTES} bytes when reading header line");
            return Err(Failure::other("http.client.LineTooLong", text));
        }
        Ok(text::lossy(line))
    }
}

/// The size in the line before a chunk.
pub(crate) fn chunk_size(line: &str) -> Outcome<u64> {
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16)
        .map_err(|_| Failure::other("http.client.IncompleteRead", "IncompleteRead(0 bytes read)"))
}

/// Reads a whole head: the status line and the headers, up to the empty line.
pub(crate) fn parse_head(text: &str) -> Outcome<Head> {
    let mut lines = text.lines();
    let (version, status, reason) = parse_status_line(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    lines.take_while(|line| !line.is_empty()).for_each(|line| fields.take(line));
    Ok(fields.head(version, status, reason))
}

fn check_size(bytes: u64) -> Outcome {
    if bytes > MAX_BODY_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Failure {
    Failure::value(format!("the response has more than {MAX_BODY_BYTES} bytes"))
}

fn parse_status_line(line: &str) -> Outcome<(&str, u16, String)> {
    let mut words = line.trim_end().splitn(3, char::is_whitespace);
    let version = words.next().filter(|version| version.starts_with("HTTP/"));
    let status = words.next().and_then(|status| status.parse().ok());
    match (version, status) {
        (Some(version), Some(status)) if (100..=999).contains(&status) => {
            Ok((version, status, words.next().unwrap_or_default().trim().to_string()))
        }
        _ => Err(Failure::other("http.client.BadStatusLine", repr(line.trim_end_matches('\n')))),
    }
}

/// The headers that matter.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn take(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        let value = value.trim().to_ascii_lowercase();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => self.length = value.parse().ok(),
            "transfer-encoding" => self.chunked = value == "chunked",
            "connection" => {
                self.close |= value.contains("close");
                self.keep_alive |= value.contains("keep-alive");
            }
            _ => {}
        }
    }

    fn head(self, version: &str, status: u16, reason: String) -> Head {
        let framing = match self.length {
            _ if self.chunked => Framing::Chunked,
            _ if matches!(status, 100..=199 | 204 | 304) => Framing::Length(0),
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        };
        let old = version == "HTTP/1.0" && !self.keep_alive;
        let closes = self.close || old || framing == Framing::UntilClose;
        Head { status, reason, framing, closes }
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
