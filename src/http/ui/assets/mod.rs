//! What the pages are made of besides markup, compiled in. All of it together stays below 60 KB.

/// `stylesheets/supervisor.css`.
pub(super) const STYLE: &str = include_str!("supervisor.css");

/// `scripts/supervisor.js`: one classic script, in the order its parts need each other.
pub(super) const SCRIPT: &str = concat!(
    include_str!("script/common.js"),
    include_str!("script/history.js"),
    include_str!("script/row.js"),
    include_str!("script/live.js"),
    include_str!("script/status.js"),
    include_str!("script/log.js"),
    include_str!("script/start.js"),
);

/// `images/icon.svg`.
pub(super) const ICON_SVG: &str = include_str!("icon.svg");

/// `images/icon.png`.
pub(super) const ICON_PNG: &[u8] = include_bytes!("icon.png");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stays_light() {
        let bytes = STYLE.len() + SCRIPT.len() + ICON_SVG.len() + ICON_PNG.len();
        assert!(bytes < 60_000, "{bytes} bytes of assets");
        assert!(ICON_PNG.starts_with(b"\x89PNG"));
    }
}
