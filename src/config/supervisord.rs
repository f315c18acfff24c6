//! The `[supervisord]` section.

use super::complaint::{Complaint, Notes, Position};
use super::names::Table;
use super::scope::{Importable, Origin, Scope, here};
use super::{ini::Document, values};
use crate::core::config::Settings;
use crate::core::options::{Expansion, Field, Names, Reread, Row, Unset, field};

/// Its name.
pub(super) const SECTION: &str = "supervisord";

/// The section as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    /// What it sets, under nothing of the command line.
    pub(super) settings: Settings,
    /// The user, as written.
    pub(super) user: Option<String>,
    /// Where that stands.
    pub(super) user_position: Option<Position>,
    /// Variables for all programs.
    pub(super) environment: Vec<(String, String)>,
}

/// The options, in the order in which the reference reads them, and so reports mistakes.
pub(super) const SUPERVISORD: &[Row<Section>] = &[
    Row::new(
        "minfds",
        Field::Integer(field!(Section.settings.minfds)),
        Unset::Text("1024"),
        "descriptors there have to be at the start",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "minprocs",
        Field::Integer(field!(Section.settings.minprocs)),
        Unset::Text("200"),
        "processes there have to be at the start",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "directory",
        Field::OptionalDirectory(field!(Section.settings.directory)),
        Unset::Nothing("stay"),
        "go there in the background",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "user",
        Field::OptionalText(field!(Section.user)),
        Unset::Nothing("root stays root"),
        "whom to become when root starts it",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "umask",
        Field::Mask(field!(Section.settings.umask)),
        Unset::Text("022"),
        "file creation mask in the background, octal",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "logfile",
        Field::File(field!(Section.settings.logfile)),
        Unset::Explained("supervisord.log", " where it was started"),
        "where the daemon logs",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "logfile_maxbytes",
        Field::Bytes(field!(Section.settings.logfile_maxbytes)),
        Unset::Text("50MB"),
        "rotated beyond this size, never with 0",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "logfile_backups",
        Field::Integer(field!(Section.settings.logfile_backups)),
        Unset::Text("10"),
        "so many rotated logs are kept",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "loglevel",
        Field::Level(field!(Section.settings.loglevel)),
        Unset::Text("info"),
        "critical, error, warn, info, debug, trace or blather",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "pidfile",
        Field::File(field!(Section.settings.pidfile)),
        Unset::Explained("supervisord.pid", " where it was started"),
        "file for its pid",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "identifier",
        Field::Text(field!(Section.settings.identifier)),
        Unset::Text("supervisor"),
        "what the daemon calls itself",
    )
    .names(Names::Here)
    .reread(Reread::InPlace),
    Row::new(
        "nodaemon",
        Field::Boolean(field!(Section.settings.nodaemon)),
        Unset::Text("false"),
        "true: stay in the foreground",
    )
    .names(Names::Here)
    .reread(Reread::DaemonOnly),
    Row::new(
        "silent",
        Field::Boolean(field!(Section.settings.silent)),
        Unset::Text("false"),
        "true: keep the log off the terminal there",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "childlogdir",
        Field::Directory(field!(Section.settings.childlogdir)),
        Unset::TemporaryDirectory,
        "place of AUTO logs",
    )
    .names(Names::Here)
    .reread(Reread::InPlace),
    Row::new(
        "nocleanup",
        Field::Boolean(field!(Section.settings.nocleanup)),
        Unset::Text("false"),
        "true: AUTO logs of earlier runs stay",
    )
    .names(Names::Here)
    .reread(Reread::Reload),
    Row::new(
        "strip_ansi",
        Field::Boolean(field!(Section.settings.strip_ansi)),
        Unset::Text("false"),
        "true: take escape sequences out of the programs' logs",
    )
    .names(Names::Here)
    .reread(Reread::InPlace),
    Row::new(
        "python",
        Field::OptionalText(field!(Section.settings.python)),
        Unset::Nothing("found"),
        "the Python that runs plugins",
    )
    .names(Names::Here)
    .reread(Reread::Reload)
    .ours(),
    Row::new(
        "environment",
        Field::Environment(field!(Section.environment)),
        Unset::Nothing("none"),
        "variables for all programs",
    )
    .names(Names::Here)
    .expansion(Expansion::Twice),
];

/// Reads the section. `late` are the names of what is expanded twice. Without its environment there is nothing to
/// go on with: later values have names from it.
pub(super) fn read(
    origin: &Origin<'_>,
    document: &Document,
    expansions: &Table,
    late: &Table,
    notes: &mut Notes,
) -> Result<Section, Complaint> {
    let scope = Scope {
        document,
        environ: origin.environ,
        environment: expansions,
        local: here(origin.here),
        late: Some(late),
        imports: Importable::default(),
    };
    let mut section = Section::default();
    for row in SUPERVISORD {
        let read = values::read(row, &scope, SECTION, &mut section);
        if matches!(row.field, Field::Environment(_)) {
            read?;
        } else {
            notes.check(read);
        }
    }
    section.user_position = document.option_position(SECTION, "user");
    Ok(section)
}
