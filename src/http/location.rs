//! Where an action sends the browser back to (`http.py: get_server_url`).

use hyper::header::{HOST, HeaderMap};
use nix::unistd::gethostname;

use super::percent;
use crate::core::config::ServerAddress;

/// `http://HOST/?message=…`, absolute as the reference's, by the host the client asked for or else `own`.
pub(super) fn absolute(headers: &HeaderMap, own: &str, message: &str) -> String {
    // hyper has refused control characters, so nothing breaks out of the header. What is not ASCII is nobody's name, and
    // would come back as something else.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.map(str::trim).filter(|host| !host.is_empty()).unwrap_or(own);
    format!("http://{}/?message={}", without_default_port(host), quote(message))
}

/// Back to the page that a form of ours is on, whatever a proxy calls its host, scheme and folder.
pub(super) fn back(message: &str) -> String {
    format!("./?message={}", quote(message))
}

/// The name and port of a server itself. The reference asks for the name of its address; this does so only where no
/// name server is needed.
pub(super) fn own_authority(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Unix { path, .. } => format!("<unix domain socket>:{path}"),
        ServerAddress::Inet { host, port } => {
            let loopback = host.starts_with("127.");
            let name = match host.as_str() {
                _ if loopback => "localhost".to_string(),
                "" => gethostname().unwrap_or_default().to_string_lossy().into_owned(),
                host => host.to_string(),
            };
            format!("{name}:{port}")
        }
    }
}

/// `urllib.splitport`: what follows the last colon is a port when it is digits, or nothing.
fn without_default_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, "" | "80")) => name,
        _ => host,
    }
}

/// A message as the value of a parameter; `urllib.quote` leaves slashes as they are.
fn quote(text: &str) -> String {
    percent::encode(text, b"/")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn hosts_lose_the_usual_port() {
        for (host, expected) in [
            ("example.com", "example.com"),
            (" example.com:8080 ", "example.com:8080"),
            ("example.com:80", "example.com"),
            ("example.com:080", "example.com:080"),
            ("example.com:", "example.com"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("", "own:9001"),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())]);
            let location = absolute(&headers, "own:9001", "x");
            assert_eq!(location, format!("http://{expected}/?message=x"), "{host:?}");
        }
        for host in [&b"h\xfc.example:80"[..], "\u{fc}.example".as_bytes()] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_bytes(host).unwrap())]);
            assert_eq!(absolute(&headers, "own:9001", "x"), "http://own:9001/?message=x");
        }
        assert_eq!(absolute(&HeaderMap::new(), "own:80", "x"), "http://own/?message=x");
    }

    #[test]
    fn messages_are_quoted() {
        assert_eq!(quote("a b/c_.-~é\r\n\"<&+%"), "a%20b/c_.-~%C3%A9%0D%0A%22%3C%26%2B%25");
    }

    #[test]
    fn names_of_servers() {
        let inet = |host: &str| ServerAddress::Inet { host: host.to_string(), port: 9001 };
        assert_eq!(own_authority(&inet("127.0.0.1")), "localhost:9001");
        assert_eq!(own_authority(&inet("10.0.0.5")), "10.0.0.5:9001");
        assert!(own_authority(&inet("")).len() > ":9001".len());
        let unix = ServerAddress::Unix { path: "/s.sock".into(), chmod: 0o700, chown: None };
        assert_eq!(own_authority(&unix), "<unix domain socket>:/s.sock");
    }
}
