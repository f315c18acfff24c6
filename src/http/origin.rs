//! Who sent a request that changes something: a person at one of our pages, a script, or a page of another site that
//! uses the browser, and the password it remembers, of somebody who only looks at it.
//!
//! A browser says where a request comes from, in one of three headers, the newest of which decides. Scripts send none.
//! Neither does a browser that follows a bookmark to a plain `http://` address, or a hostile page there that hides
//! itself; those two cannot be told apart, so a browser that says nothing is asked to confirm. It is known by what it
//! cannot help saying, never by its name: half of all scripts call themselves Mozilla.

use std::io;
use std::rc::Rc;

use hyper::header::{
    ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, REFERER, UPGRADE_INSECURE_REQUESTS,
};
use hyper::{Method, Uri};
use subtle::ConstantTimeEq;

use crate::sys::random;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where browsers say why they ask: the header of today, and those of Chrome, Safari and Firefox before it.
const PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

/// What they say there when nobody has asked them.
const AHEAD: [&[u8]; 3] = [b"prefetch", b"prerender", b"preview"];

/// Bytes of the secret.
const TOKEN_BYTES: usize = 16;

/// What proves that a form is one of ours, behind whatever proxy: a secret that only our pages show, new for every
/// life of the daemon.
#[derive(Clone, Debug)]
pub(super) struct Token(Rc<str>);

impl Token {
    pub(super) fn random() -> io::Result<Token> {
        random::hex::<TOKEN_BYTES>().map(|secret| Token(secret.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that tells nothing about the secret.
    pub(super) fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// From a page of ours, from a person who typed the address, or from no browser at all.
    Own,
    /// From a browser that does not say, or that nobody has told to.
    Hidden,
    /// From a page of another site.
    Foreign,
}

impl Source {
    /// Who asks. What a browser loads in case somebody wants it nobody has asked for yet, whatever else it says.
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Source {
        match Source::claimed(method, headers) {
            Source::Own if is_speculative(headers) => Source::Hidden,
            source => source,
        }
    }

    /// Looks at `Sec-Fetch-Site`, else at `Origin`, else at `Referer`.
    fn claimed(method: &Method, headers: &HeaderMap) -> Source {
        if let Some(site) = headers.get(SEC_FETCH_SITE) {
            return match site.as_bytes() {
                b"same-origin" | b"none" => Source::Own,
                _ => Source::Foreign,
            };
        }
        if let Some(page) = headers.get(ORIGIN).or_else(|| headers.get(REFERER)) {
            return if is_own(page, headers) { Source::Own } else { Source::Foreign };
        }
        if is_browser(method, headers) { Source::Hidden } else { Source::Own }
    }
}

/// Whether a browser sent this, judged by what every browser says and no page can keep it from saying.
///
/// It names the site or the origin of whatever may change something. With what only looks it does so over https and to
/// this machine, and else it still tells its user's languages.
pub(super) fn is_browser(method: &Method, headers: &HeaderMap) -> bool {
    if headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(ORIGIN) {
        return true;
    }
    // A browser that tells its mode tells the site along; Node does not.
    let looks = matches!(*method, Method::GET | Method::HEAD);
    looks
        && !headers.contains_key(SEC_FETCH_MODE)
        && (headers.contains_key(UPGRADE_INSECURE_REQUESTS) || tells_languages(headers))
}

/// Whether somebody's languages are told as browsers tell them. Ruby's Mechanize tells character sets as well, which
/// browsers have given up; Deno takes any language, and Brotli without the older deflate. A page can have its browser say
/// any language, but neither add the character sets nor change the encodings.
fn tells_languages(headers: &HeaderMap) -> bool {
    let Some(languages) = headers.get(ACCEPT_LANGUAGE) else { return false };
    let encoding = |word| headers.get(ACCEPT_ENCODING).is_some_and(|all| says(all, word));
    let deno = languages.as_bytes() == b"*" && encoding(b"br") && !encoding(b"deflate");
    !deno && !headers.contains_key(ACCEPT_CHARSET)
}

/// Whether a value has a word in it, in small letters or capitals.
fn says(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a browser, as it says, only fetches or renders ahead of what its user may do.
fn is_speculative(headers: &HeaderMap) -> bool {
    let ahead = |value: &HeaderValue| AHEAD.iter().any(|word| says(value, word));
    PURPOSES.iter().any(|name| headers.get_all(name).iter().any(ahead))
}

/// Whether a call on `/RPC2` was sent by a page of another site. One that says it is XML can only come from a page
/// after the browser asked us, which we never allow; anything else it may send without asking.
///
/// Calls are posted, so browsers name their origin.
pub(super) fn is_foreign_call(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let asked = [&b"text/xml"[..], b"application/xml"];
    !asked.iter().any(|kind| essence.eq_ignore_ascii_case(kind))
        && Source::of(&Method::POST, headers) == Source::Foreign
}

/// Whether the address of a page names the host that was asked, or the one a proxy was asked for. (A page cannot set
/// `X-Forwarded-Host` on a request to another site.)
fn is_own(page: &HeaderValue, headers: &HeaderMap) -> bool {
    let Some((scheme, authority)) = page.to_str().ok().and_then(split_origin) else {
        return false;
    };
    let authority = normalized(&authority, &scheme);
    [HOST, X_FORWARDED_HOST].iter().any(|name| {
        let host = headers.get(name).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // A chain of proxies adds theirs behind.
        let host = host.split(',').next().unwrap_or_default().trim();
        !host.is_empty() && normalized(host, &scheme) == authority
    })
}

/// Scheme and authority of a page's address; none of `null` and the like.
fn split_origin(page: &str) -> Option<(String, String)> {
    let uri: Uri = page.parse().ok()?;
    Some((uri.scheme_str()?.to_string(), uri.authority()?.to_string()))
}

/// An authority as it is compared: in lower case, without the port that goes without saying.
fn normalized(authority: &str, scheme: &str) -> String {
    let default_port = match scheme {
        "https" => ":443",
        _ => ":80",
    };
    let authority = authority.to_ascii_lowercase();
    authority.strip_suffix(default_port).map(str::to_string).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        list.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    #[test]
    fn whom_browsers_name() {
        use Source::{Foreign, Hidden, Own};
        let host = ("host", "sv.example:9001");
        let evil = ("origin", "http://evil.example");
        for (list, source) in [
            (&[host][..], Own),
            (&[host, ("user-agent", "curl/8")], Own),
            (&[host, ("user-agent", "Mozilla/5.0")], Own),
            (&[host, ("accept-language", "de")], Hidden),
            (&[host, ("upgrade-insecure-requests", "1")], Hidden),
            (&[host, ("sec-fetch-site", "same-origin"), evil], Own),
            (&[host, ("sec-fetch-site", "none")], Own),
            (&[host, ("sec-fetch-site", "same-site")], Foreign),
            (
                &[host, ("sec-fetch-site", "cross-site"), ("origin", "http://sv.example:9001")],
                Foreign,
            ),
            (&[host, ("sec-fetch-site", "")], Foreign),
            (&[host, ("origin", "http://SV.example:9001")], Own),
            (
                &[host, ("origin", "https://sv.example:9001"), ("referer", "http://evil.example/")],
                Own,
            ),
            (&[host, ("origin", "http://sv.example")], Foreign),
            (&[host, ("origin", "http://sv.example:9001.evil.example")], Foreign),
            (&[host, ("origin", "null"), ("referer", "http://sv.example:9001/")], Foreign),
            (&[host, ("origin", "")], Foreign),
            (&[host, evil, ("x-forwarded-host", "evil.example")], Own),
            (
                &[
                    ("host", "10.0.0.1"),
                    ("x-forwarded-host", "a.example, b"),
                    ("origin", "https://a.example"),
                ],
                Own,
            ),
            (&[("host", "a.example:443"), ("origin", "https://a.example")], Own),
            (&[("host", "a.example"), ("origin", "http://a.example:80")], Own),
            (&[("host", "a.example:443"), ("origin", "http://a.example")], Foreign),
            (&[("host", "[::1]:9001"), ("referer", "http://[::1]:9001/?message=x")], Own),
            (&[host, ("referer", "http://evil.example/http://sv.example:9001/")], Foreign),
            (&[host, ("referer", "http://sv.example:9001@evil.example/")], Foreign),
            (&[("origin", "http://sv.example")], Foreign),
            (&[host, ("sec-fetch-site", "none"), ("sec-purpose", "prefetch;prerender")], Hidden),
            (&[host, ("sec-fetch-site", "same-origin"), ("sec-purpose", "Prerender")], Hidden),
            (&[host, ("sec-fetch-site", "cross-site"), ("sec-purpose", "prefetch")], Foreign),
            (&[host, ("sec-fetch-site", "none"), ("sec-purpose", "other")], Own),
            (&[host, ("purpose", "prefetch")], Hidden),
            (&[host, ("x-purpose", "preview")], Hidden),
            (&[host, ("x-moz", "prefetch")], Hidden),
        ] {
            assert_eq!(Source::of(&Method::GET, &headers(list)), source, "{list:?}");
        }
    }

    #[test]
    fn who_is_a_browser() {
        let language = ("accept-language", "en-US,en;q=0.5");
        let any = ("accept-language", "*");
        for (list, browser) in [
            (&[("sec-fetch-site", "none")][..], true),
            (&[("origin", "null")], true),
            (&[language], true),
            (&[("accept-language", "")], true),
            (&[("upgrade-insecure-requests", "1")], true),
            // A page that asks for any language.
            (&[any, ("accept-encoding", "gzip, deflate")], true),
            (&[any, ("accept-encoding", "identity"), ("range", "bytes=0-")], true),
            (&[any], true),
            (&[], false),
            (&[("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0")], false),
            (&[("accept", "*/*"), ("connection", "keep-alive")], false),
            // Node, Deno, Ruby's Mechanize
            (&[any, ("sec-fetch-mode", "cors"), ("accept-encoding", "gzip, deflate")], false),
            (&[any, ("accept-encoding", "gzip,br")], false),
            (&[language, ("accept-charset", "ISO-8859-1,utf-8;q=0.7,*;q=0.7")], false),
        ] {
            assert_eq!(is_browser(&Method::GET, &headers(list)), browser, "{list:?}");
        }
        // Whatever a browser posts has an origin.
        assert!(!is_browser(&Method::POST, &headers(&[language])));
        assert!(is_browser(&Method::POST, &headers(&[language, ("origin", "null")])));
    }

    #[test]
    fn calls_that_pages_may_send_unasked() {
        let evil = ("origin", "http://evil.example");
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded; charset=x",
            "text/plain;text/xml",
            "",
        ] {
            let list = [evil, ("content-type", content_type)];
            assert!(is_foreign_call(&headers(&list)), "{content_type}");
            assert!(!is_foreign_call(&headers(&list[1..])), "{content_type}");
        }
        assert!(is_foreign_call(&headers(&[evil])));
        for content_type in ["text/xml", "Text/XML; charset=utf-8", "application/xml"] {
            assert!(!is_foreign_call(&headers(&[evil, ("content-type", content_type)])));
        }
    }

    #[test]
    fn tokens() {
        let (token, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(token.as_str().len(), 2 * TOKEN_BYTES);
        assert!(token.is(token.clone().as_str()));
        assert!(!token.is(other.as_str()) && !token.is("") && !token.is(&token.as_str()[1..]));
    }
}
