//! Style sheet, script and icons: compiled in, found by their exact names (`medusa/default_handler.py`).

use std::sync::LazyLock;

use hyper::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Response, StatusCode};
use sha1_smol::Sha1;

use super::super::response::{Content, complete};
use super::assets::{ICON_PNG, ICON_SVG, SCRIPT, STYLE};

/// A file of the web interface.
pub(super) struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// Changes with the bytes.
    tag: String,
}

static FILES: LazyLock<[File; 4]> = LazyLock::new(|| {
    let file = |path, content_type, bytes: &'static [u8]| {
        let tag = format!("\"{}\"", Sha1::from(bytes).digest());
        File { path, content_type, bytes, tag }
    };
    [
        file("stylesheets/supervisor.css", "text/css;charset=utf-8", STYLE.as_bytes()),
        file("scripts/supervisor.js", "text/javascript;charset=utf-8", SCRIPT.as_bytes()),
        file("images/icon.svg", "image/svg+xml", ICON_SVG.as_bytes()),
        file("images/icon.png", "image/png", ICON_PNG),
    ]
});

/// The file at a path without its leading slashes.
pub(super) fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// Sends a file, or tells a browser that has it that it is still the same.
pub(super) fn respond(file: &'static File, headers: &HeaderMap) -> Response<Content> {
    let mut response = if has_it(headers, &file.tag) {
        let mut response = Response::new(Content::Bytes(bytes::Bytes::new()));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        complete(file.content_type, file.bytes)
    };
    let headers = response.headers_mut();
    // To be asked for each time: another binary has other files at the same address.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn has_it(headers: &HeaderMap, tag: &str) -> bool {
    let mut lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists.any(|list| {
        list.split(',').map(str::trim).any(|each| {
            // A proxy that compresses weakens the tag.
            each == "*" || each.strip_prefix("W/").unwrap_or(each) == tag
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for path in ["stylesheets/supervisor.css", "scripts/supervisor.js", "images/icon.png"] {
            assert!(find(path).is_some());
        }
        for path in [
            "",
            "images",
            "images/",
            "images/../images/icon.png",
            "Images/icon.png",
            "/images/icon.png",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        let tag = "\"abc\"";
        for (value, same) in [
            ("\"abc\"", true),
            ("\"x\", W/\"abc\"", true),
            ("*", true),
            ("abc", false),
            ("\"abcd\"", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]);
            assert_eq!(has_it(&headers, tag), same, "{value}");
        }
        assert!(!has_it(&HeaderMap::new(), tag));
    }
}
