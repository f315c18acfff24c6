//! `/tail.html` and `/mainlog.html`: the end of a log (`web.py: TailView`).

use hyper::{Response, StatusCode};

use super::super::form::Form;
use super::super::response::Content;
use super::super::site::Site;
use super::answer::page;
use super::pages::Frame;
use super::pages::log::{Source, render};
use crate::core::fault::{Fault, FaultCode};
use crate::core::logs::LogRef;
use crate::daemon::excerpt::{MAX_EXCERPT_BYTES, NoExcerpt, Part};

/// Fewer bytes are never shown.
const MIN_BYTES: u64 = 1024;

/// The end of a process's log.
pub(super) async fn process(site: &Site, form: &Form) -> Response<Content> {
    let limit = limit(form);
    let Some(namespec) = form.get("processname") else {
        return show(site, form, &Source::Nothing, "No process name found", limit).await;
    };
    let channel = match form.get("channel") {
        Some("stderr") => "stderr",
        _ => "stdout",
    };
    let log = LogRef::Process { namespec: namespec.to_string(), channel: channel.to_string() };
    let text = read(site, log, namespec, limit).await;
    show(site, form, &Source::Program { namespec, channel }, &text, limit).await
}

/// The end of the main log.
pub(super) async fn main(site: &Site, form: &Form) -> Response<Content> {
    let limit = limit(form);
    let text = read(site, LogRef::Main, "the supervisor", limit).await;
    show(site, form, &Source::Main, &text, limit).await
}

async fn show(
    site: &Site,
    form: &Form,
    source: &Source<'_>,
    text: &str,
    limit: u64,
) -> Response<Content> {
    let render = |frame: &Frame<'_>| render(source, text, limit, frame);
    page(site, StatusCode::OK, form.get("message"), render).await
}

/// The end of a log, or what is wrong with it in the reference's words.
async fn read(site: &Site, log: LogRef, name: &str, limit: u64) -> String {
    let _turn = site.hub.turn_of_logs(limit).await;
    let fault = match site.handle.read_log(log, Part::End(limit)).await {
        Ok(excerpt) => return excerpt.text().0,
        Err(NoExcerpt::NoFile) => return format!("No file for {name}"),
        Err(NoExcerpt::NoProcess) => Fault::new(FaultCode::BadName, name),
        Err(NoExcerpt::Failed) => Fault::bare(FaultCode::Failed),
    };
    format!("ERROR: unexpected rpc fault [{}] {fault}", fault.code.code())
}

/// How many bytes to show: `limit`, within bounds.
fn limit(form: &Form) -> u64 {
    let digits = form.get("limit").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    // More digits than fit mean a great many bytes.
    let asked = digits.map_or(MIN_BYTES, |digits| digits.parse().unwrap_or(u64::MAX));
    asked.clamp(MIN_BYTES, MAX_EXCERPT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        for (query, expected) in [
            ("", 1024),
            ("limit=5", 1024),
            ("limit=4096", 4096),
            ("limit=-4096", 1024),
            ("limit=+4096", 1024),
            ("limit=4_096", 1024),
            ("limit=x", 1024),
            ("limit=99999999999999999999999", 1 << 20),
        ] {
            assert_eq!(limit(&Form::of_query(query)), expected, "{query}");
        }
    }
}
