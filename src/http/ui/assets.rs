//! Style sheet, script and icons: compiled in, found by their exact names (`medusa/default_handler.py`).

use std::sync::LazyLock;

use hyper::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Response, StatusCode};
use sha1_smol::Sha1;

use super::super::response::{Content, complete};

/// A file of the web interface.
pub(super) struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// Changes with the bytes.
    tag: String,
}

/// One classic script, in the order its parts need each other.
const SCRIPT: &str = concat!(
    include_str!("assets/script/common.js"),
    include_str!("assets/script/history.js"),
    include_str!("assets/script/row.js"),
    include_str!("assets/script/live.js"),
    include_str!("assets/script/status.js"),
    include_str!("assets/script/log.js"),
    include_str!("assets/script/start.js"),
);

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    let asset = |path, content_type, bytes: &'static [u8]| {
        let tag = format!("\"{}\"", Sha1::from(bytes).digest());
        Asset { path, content_type, bytes, tag }
    };
    [
        asset(
            "stylesheets/supervisor.css",
            "text/css;charset=utf-8",
            include_bytes!("assets/supervisor.css"),
        ),
        asset("scripts/supervisor.js", "text/javascript;charset=utf-8", SCRIPT.as_bytes()),
        asset("images/icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
        asset("images/icon.png", "image/png", include_bytes!("assets/icon.png")),
    ]
});

/// The asset at a path without its leading slashes.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Sends an asset, or tells a browser that has it that it is still the same.
pub(super) fn respond(asset: &'static Asset, headers: &HeaderMap) -> Response<Content> {
    let mut response = if has_it(headers, &asset.tag) {
        let mut response = Response::new(Content::Bytes(bytes::Bytes::new()));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        complete(asset.content_type, asset.bytes)
    };
    let headers = response.headers_mut();
    // To be asked for each time: another binary has other assets at the same address.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
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

    /// Everything together, uncompressed (issue 5).
    const BUDGET_BYTES: usize = 60_000;

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

    #[test]
    fn all_of_it_is_small() {
        let total: usize = ASSETS.iter().map(|asset| asset.bytes.len()).sum();
        assert!(total < BUDGET_BYTES, "{total} bytes");
    }
}
