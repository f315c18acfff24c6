//! Under which names a browser may speak to a server without a password.
//!
//! A web site can give its own name the address of this machine (DNS rebinding), and the browser takes what it finds here
//! for that site, which then may read and do everything. So a browser has to ask under a name that only this machine
//! has. Scripts need no such care, and neither does what comes through a proxy, which serves the names it is told to.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{CONNECTION, FORWARDED, HOST, HeaderName, HeaderValue, VIA};
use hyper::{Request, Response, StatusCode, Version};
use nix::unistd::gethostname;

use super::auth::requires_authentication;
use super::origin::is_browser;
use super::response::{Content, complete};
use crate::core::config::{ServerAddress, ServerConfig};

/// What in `allowed_hosts` stands for every name.
const ANY: &str = "*";

/// Where the names of this machine are written down.
const HOSTS_FILE: &str = "/etc/hosts";

/// What proxies add to tell of the client. A page can add some of them, too.
const FORWARDING: [HeaderName; 5] = [
    VIA,
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// The names of one server.
#[derive(Debug)]
pub(super) enum Names {
    /// It asks for a password, or no browser can reach it.
    Any,
    /// These, without ports and in lower case; and addresses, and localhost.
    Only {
        /// The section to write others into.
        section: String,
        /// The names.
        names: Vec<String>,
    },
}

impl Names {
    /// The names a server is known by: as configured, the machine's, and those of `allowed_hosts`.
    pub(super) fn of(config: &ServerConfig) -> Names {
        let ServerAddress::Inet { host, .. } = &config.address else { return Names::Any };
        let allowed = &config.allowed_hosts;
        if requires_authentication(config) || allowed.iter().any(|name| name == ANY) {
            return Names::Any;
        }
        let machine = gethostname().unwrap_or_default().to_string_lossy().to_lowercase();
        let short = machine.split('.').next().unwrap_or_default().to_string();
        let hosts = std::fs::read_to_string(HOSTS_FILE).unwrap_or_default();
        let mut names = written_down(&hosts, &machine);
        names.extend([host.clone(), machine, short]);
        names.extend(allowed.iter().map(|name| bare(name)));
        Names::Only { section: config.section.clone(), names }
    }

    /// The refusal of a browser that asks under a name that could be another's.
    pub(super) fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Content>> {
        let Names::Only { section, names } = self else { return None };
        let headers = request.headers();
        let unknown = headers.get_all(HOST).iter().find(|host| !is_known(host, names))?;
        let direct = is_browser(request.method(), headers) && !is_proxied(request);
        direct.then(|| misdirected(section, unknown))
    }
}

/// Whether a name is an address, localhost or one of those.
fn is_known(host: &HeaderValue, names: &[String]) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = bare(host);
    is_address(&name)
        || name == "localhost"
        || name.ends_with(".localhost")
        || (!name.is_empty() && names.contains(&name))
}

fn is_address(name: &str) -> bool {
    let in_brackets = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match in_brackets {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<IpAddr>().is_ok(),
    }
}

/// A host without its port and the dot at the end that goes without saying, in lower case.
fn bare(host: &str) -> String {
    let host = host.trim();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The names that a hosts file gives the machine besides its host name.
fn written_down(hosts: &str, machine: &str) -> Vec<String> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let names = lines.map(|line| line.split_ascii_whitespace().skip(1).map(str::to_lowercase));
    let of_machine = names.filter(|names| names.clone().any(|name| name == machine));
    of_machine.flatten().collect()
}

/// Whether a request came through a proxy. A browser keeps its connections and says so, in these very letters, and no page
/// can make it say anything else but by a WebSocket, to which it can add nothing.
fn is_proxied<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let connection = headers.get(CONNECTION).map(HeaderValue::as_bytes);
    if connection == Some(b"keep-alive") {
        return false;
    }
    request.version() == Version::HTTP_10
        || connection.is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
        || FORWARDING.iter().any(|name| headers.contains_key(name))
}

/// 421, and what to do about it.
fn misdirected(section: &str, host: &HeaderValue) -> Response<Content> {
    let name = host.to_str().map(bare).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = if !name.is_empty() && name.chars().all(plain) { &name } else { "NAME" };
    let text = format!(
        "Nothing was done. This server asks for no password, so it does not answer a browser that asks under a name \
         which any web site could have given this machine (DNS rebinding). If {name} is a name of yours, write\n\n    \
         allowed_hosts={name}\n\ninto the section [{section}] of supervisord's configuration (several names are separated \
         by commas), or set a username and a password there, and start supervisord again. Addresses, localhost and the \
         machine's own name always work.\n"
    );
    let mut response = complete("text/plain;charset=utf-8", text);
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    fn request(version: Version, headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.method(Method::GET).body(()).unwrap()
    }

    #[test]
    fn names_and_addresses() {
        let names = ["sv.example".to_string()];
        for (host, known) in [
            ("127.0.0.1", true),
            ("10.1.2.3:9001", true),
            ("[::1]:9001", true),
            ("[fe80::1]", true),
            ("localhost", true),
            ("LOCALHOST.:80", true),
            ("a.localhost:9001", true),
            ("SV.example:9001", true),
            ("sv.example.", true),
            ("xsv.example", false),
            ("sv.example.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("evil.example:127", false),
            ("notlocalhost", false),
            ("[evil]", false),
            ("", false),
            (":80", false),
        ] {
            assert_eq!(is_known(&HeaderValue::from_str(host).unwrap(), &names), known, "{host}");
        }
    }

    #[test]
    fn names_in_a_hosts_file() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tsv.example SV # old.example sv\n::1 ip6 x\n";
        assert_eq!(written_down(hosts, "sv"), ["sv.example", "sv"]);
        assert_eq!(written_down(hosts, "old.example"), Vec::<String>::new());
    }

    #[test]
    fn what_comes_through_a_proxy() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for (version, headers, proxied) in [
            (new, &[("connection", "keep-alive")][..], false),
            (new, &[("connection", "keep-alive"), ("x-forwarded-for", "10.0.0.1")], false),
            (new, &[("connection", "Upgrade"), ("sec-websocket-key", "x")], false),
            (new, &[], false),
            // nginx, HAProxy or Go's, Apache
            (old, &[("connection", "close")], true),
            (new, &[("connection", "close")], true),
            (new, &[("x-forwarded-for", "10.0.0.1")], true),
            (new, &[("connection", "Keep-Alive"), ("x-forwarded-host", "sv")], true),
            (new, &[("connection", "upgrade"), ("x-real-ip", "10.0.0.1")], true),
        ] {
            assert_eq!(is_proxied(&request(version, headers)), proxied, "{headers:?}");
        }
    }
}
