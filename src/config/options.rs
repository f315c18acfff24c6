//! Every option of every section, as the tables beside the readers have them.

use super::{ctl, files, groups, program as numbers, server, supervisord};
use crate::core::options::{About, Row, program};

/// A kind of section and its options.
pub struct Section {
    /// Its header without what follows a colon: `program`.
    pub kind: &'static str,
    /// Its options; of two with one name the first counts.
    pub options: Vec<&'static About>,
}

/// All kinds of sections.
pub fn sections() -> Vec<Section> {
    let programs = || about(program::process()).chain(about(numbers::NUMBERS));
    let section = |kind, options: Vec<&'static About>| Section { kind, options };
    vec![
        section(
            "unix_http_server",
            about(server::SOCKET_FILE)
                .chain(about(server::SOCKET_ACCESS))
                .chain(about(server::AUTHENTICATION))
                .chain(about(server::EXTRAS))
                .collect(),
        ),
        section(
            "inet_http_server",
            about(server::INET)
                .chain(about(server::AUTHENTICATION))
                .chain(about(server::EXTRAS))
                .collect(),
        ),
        section("supervisord", about(supervisord::SUPERVISORD).collect()),
        section("rpcinterface", about(server::RPCINTERFACE).collect()),
        section("supervisorctl", about(ctl::SUPERVISORCTL).collect()),
        section("program", programs().collect()),
        section(
            "eventlistener",
            about(groups::POOL).chain(about(program::LISTENER)).chain(programs()).collect(),
        ),
        section("group", about(groups::GROUP).collect()),
        section("include", about(files::INCLUDE).collect()),
        section("fcgi-program", about(program::SOCKET).chain(programs()).collect()),
    ]
}

/// What is said of the options of a table.
fn about<C: 'static>(
    rows: impl IntoIterator<Item = &'static Row<C>>,
) -> impl Iterator<Item = &'static About> {
    rows.into_iter().map(|row| &row.about)
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
