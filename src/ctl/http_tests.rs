use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::*;

/// What a client reads of the given bytes and the end of the connection.
fn answer(bytes: &[u8]) -> Outcome<(Head, Vec<u8>)> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || theirs.write_all(&bytes));
    let mut connection = Connection::new(File::from(OwnedFd::from(ours)));
    let head = connection.read_head();
    let result = head.and_then(|head| {
        let body = connection.read_body(head.framing)?;
        Ok((head, body))
    });
    drop(connection);
    let _ = writer.join().unwrap();
    result
}

fn error(bytes: &[u8]) -> String {
    let report = answer(bytes).unwrap_err().report();
    report.split(": file: ").next().unwrap().to_string()
}

#[test]
fn bodies_end_as_the_head_says() {
    for (bytes, body, closes) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "ab", false),
        ("HTTP/1.1 200 OK\r\ncontent-length:2\r\nConnection: Close\r\n\r\nab", "ab", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab", "ab", false),
        ("HTTP/1.1 200 OK\r\n\r\nall", "all", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: x\r\n\r\n",
            "abc",
            false,
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", false),
        ("HTTP/1.1 204\r\n\r\n", "", false),
    ] {
        let (head, read) = answer(bytes.as_bytes()).unwrap();
        assert_eq!((read.as_slice(), head.closes), (body.as_bytes(), closes), "{bytes}");
    }
    let (head, _) = answer(b"HTTP/1.1 401 Not Allowed Here\r\n\r\n").unwrap();
    assert_eq!((head.status, head.reason.as_str()), (401, "Not Allowed Here"));
}

#[test]
fn nonsense_is_an_error() {
    for (bytes, report) in [
        (
            "".to_string(),
            "error: <class 'http.client.RemoteDisconnected'>, Remote end closed connection without response",
        ),
        ("SSH-2.0\r\n".to_string(), "error: <class 'http.client.BadStatusLine'>, 'SSH-2.0\\r'"),
        (
            "HTTP/1.1 9 x\r\n".to_string(),
            "error: <class 'http.client.BadStatusLine'>, 'HTTP/1.1 9 x\\r'",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".to_string(),
            "error: <class 'http.client.IncompleteRead'>, IncompleteRead(2 bytes read, 3 more expected)",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_string(),
            "error: <class 'http.client.IncompleteRead'>, IncompleteRead(0 bytes read)",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(MAX_HEADERS + 1)),
            "error: <class 'http.client.HTTPException'>, got more than 100 headers",
        ),
        (
            format!("HTTP/1.1 200 {}\r\n", "x".repeat(70_000)),
            "error: <class 'http.client.LineTooLong'>, got more than 65536 bytes when reading header line",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_string(),
            "error: <class 'ValueError'>, the response has more than 536870912 bytes",
        ),
    ] {
        assert_eq!(error(bytes.as_bytes()), report);
    }
}

#[test]
fn a_connection_serves_several_requests() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut connection = Connection::new(File::from(OwnedFd::from(ours)));
    for round in 0..3 {
        connection.send(b"ping").unwrap();
        let mut asked = [0; 4];
        theirs.read_exact(&mut asked).unwrap();
        theirs
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{round}").as_bytes())
            .unwrap();
        let head = connection.read_head().unwrap();
        let body = connection.read_body(head.framing).unwrap();
        assert_eq!((&asked, body), (b"ping", round.to_string().into_bytes()));
        assert!(!connection.has_buffered());
    }
}
