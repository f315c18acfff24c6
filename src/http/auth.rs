//! Basic authentication (`medusa/auth_handler.py`, `http.py: encrypted_dictionary_authorizer`).

use hyper::header::{AUTHORIZATION, HeaderMap};
use sha1_smol::Sha1;
use subtle::ConstantTimeEq;

use crate::core::config::{Credentials, ServerConfig};
use crate::core::text;
use crate::xmlrpc::base64;

/// Whether the server asks for credentials. The reference starts without any when the user name is empty, and says so
/// in the main log.
pub(crate) fn requires_authentication(config: &ServerConfig) -> bool {
    config.credentials.as_ref().is_some_and(|credentials| !credentials.username.is_empty())
}

/// What the credentials of a request amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Go on.
    Accepted,
    /// 401: none, wrong, of another scheme, or without a colon.
    Refused,
    /// 400: base64 that cannot be decoded, wrong ones in bytes that are not UTF-8.
    Malformed,
}

/// Compares the credentials of requests with the ones configured, if any are.
#[derive(Debug)]
pub(super) struct Gate {
    credentials: Option<Credentials>,
}

impl Gate {
    pub(super) fn new(config: &ServerConfig) -> Gate {
        let required = requires_authentication(config);
        Gate { credentials: config.credentials.clone().filter(|_| required) }
    }

    /// Judges the first `Authorization` header that has both a scheme and something after it.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Admission {
        let Some(expected) = &self.credentials else { return Admission::Accepted };
        let mut values = headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
        let Some((scheme, token)) = values.find_map(split_at_space) else {
            return Admission::Refused;
        };
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Admission::Refused;
        }
        let Some(decoded) = base64::decode_lenient(token) else { return Admission::Malformed };
        match text::decode(&decoded).split_once(':') {
            Some((username, password)) if matches(expected, username, password) => {
                Admission::Accepted
            }
            _ if std::str::from_utf8(&decoded).is_err() => Admission::Malformed,
            _ => Admission::Refused,
        }
    }
}

fn split_at_space(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|&byte| byte == b' ').filter(|&at| at > 0)?;
    Some((&value[..at], &value[at + 1..]))
}

/// Both comparisons always run, over digests, so that the time they take tells neither contents nor lengths.
fn matches(expected: &Credentials, username: &str, password: &str) -> bool {
    let presented = match expected.password.strip_prefix("{SHA}") {
        Some(hash) => same(hash, &Sha1::from(text::encode(password)).digest().to_string()),
        None => same(&expected.password, password),
    };
    bool::from(presented & same(&expected.username, username))
}

fn same(a: &str, b: &str) -> subtle::Choice {
    Sha1::from(a).digest().bytes().ct_eq(&Sha1::from(b).digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::ServerAddress;
    use hyper::header::HeaderValue;

    fn gate(username: &str, password: &str) -> Gate {
        let credentials =
            Credentials { username: username.to_string(), password: password.to_string() };
        let address = ServerAddress::Inet { host: String::new(), port: 1 };
        let section = "inet_http_server".to_string();
        Gate::new(&ServerConfig {
            section,
            address,
            credentials: Some(credentials),
            allowed_hosts: vec![],
            metrics: false,
        })
    }

    fn judge(gate: &Gate, value: &str) -> Admission {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        gate.judge(&headers)
    }

    #[test]
    fn credentials_in_every_form() {
        let gate = gate("user", "pa:ss");
        for (value, admission) in [
            ("Basic dXNlcjpwYTpzcw==", Admission::Accepted),
            ("bAsIc dXNl cjpwYTpzcw==", Admission::Accepted),
            ("Basic dXNlcjpubw==", Admission::Refused), // user:no
            ("Basic bm86cGE6c3M=", Admission::Refused), // no:pa:ss
            ("Basic dXNlcg==", Admission::Refused),     // user, where the reference answers 500
            ("Basic dXNlcjpwYTpzcw", Admission::Malformed),
            ("Basic /w==", Admission::Malformed),
            ("Basic", Admission::Refused),
            ("Digest dXNlcjpwYTpzcw==", Admission::Refused),
        ] {
            assert_eq!(judge(&gate, value), admission, "{value}");
        }
        assert_eq!(gate.judge(&HeaderMap::new()), Admission::Refused);
    }

    #[test]
    fn credentials_in_latin1() {
        let gate = gate("user", &text::decode(b"\xe9"));
        assert_eq!(judge(&gate, "Basic dXNlcjrp"), Admission::Accepted); // user:\xe9
        assert_eq!(judge(&gate, "Basic dXNlcjro"), Admission::Malformed); // user:\xe8
    }

    #[test]
    fn hashed_passwords_compare_lower_case_hexadecimal() {
        let lower = gate("user", "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d");
        assert_eq!(judge(&lower, "Basic dXNlcjp0aGVwYXNzd29yZA=="), Admission::Accepted);
        assert_eq!(judge(&lower, "Basic dXNlcjpubw=="), Admission::Refused);
        let upper = gate("user", "{SHA}82AB876D1387BFAFE46CC1C8A2EF074EAE50CB1D");
        assert_eq!(judge(&upper, "Basic dXNlcjp0aGVwYXNzd29yZA=="), Admission::Refused);
    }

    #[test]
    fn an_empty_user_name_means_no_authentication() {
        assert_eq!(gate("", "secret").judge(&HeaderMap::new()), Admission::Accepted);
    }
}
