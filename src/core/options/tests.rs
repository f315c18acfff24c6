use super::*;
use crate::core::config::{FastCgiSocket, ListenerConfig, ProcessConfig};

/// Gives a field a value that a blank struct does not have.
fn mark<C: 'static>(field: &Field<C>, config: &mut C) {
    match field {
        Field::Text(field)
        | Field::Name(field)
        | Field::File(field)
        | Field::Directory(field)
        | Field::ResultHandler(field) => (field.get_mut)(config).push('x'),
        Field::OptionalText(field) | Field::OptionalDirectory(field) | Field::Url(field) => {
            *(field.get_mut)(config) = Some("x".to_string());
        }
        Field::List(field) | Field::Hosts(field) | Field::Events(field) => {
            (field.get_mut)(config).push("x".to_string());
        }
        Field::Boolean(field) => *(field.get_mut)(config) = true,
        Field::Integer(field)
        | Field::Seconds(field)
        | Field::Bytes(field)
        | Field::EventBuffer(field) => *(field.get_mut)(config) = 7,
        Field::Mask(field) => *(field.get_mut)(config) = 0o27,
        Field::OptionalMask(field) | Field::Mode(field) | Field::User(field) => {
            *(field.get_mut)(config) = Some(0o27);
        }
        Field::Owner(field) => *(field.get_mut)(config) = Some(Owner { uid: 1, gid: Some(2) }),
        Field::Log(field) => *(field.get_mut)(config) = LogFile::Path("x".to_string()),
        Field::Environment(field) => {
            (field.get_mut)(config).push(("NAME".to_string(), "secret".to_string()));
        }
        Field::Level(field) => *(field.get_mut)(config) = Level::Blather,
        Field::Signal(field) => *(field.get_mut)(config) = 2,
        Field::ExitCodes(field) => (field.get_mut)(config).push(7),
        Field::AutoRestart(field) => *(field.get_mut)(config) = AutoRestart::Always,
        Field::Address(field) => *(field.get_mut)(config) = Some(("host".to_string(), 1)),
        Field::Backlog(field) => *(field.get_mut)(config) = Some(7),
    }
}

/// The lines of a blank struct as it is printed that no row has a value for, and whether each row does what it says of a
/// reread.
fn without_row<C: Default + std::fmt::Debug + PartialEq + 'static>(
    rows: impl Iterator<Item = &'static Row<C>>,
) -> Vec<String> {
    let blank = C::default();
    let printed = format!("{blank:#?}");
    let mut left: Vec<Option<&str>> = printed.lines().map(Some).collect();
    for row in rows {
        let mut marked = C::default();
        mark(&row.field, &mut marked);
        let shown = format!("{marked:#?}");
        let changed = printed.lines().zip(shown.lines()).position(|(a, b)| a != b);
        left[changed.unwrap()] = None;
        let noticed = row.about.reread == Reread::Restart;
        assert_eq!(marked != blank, noticed, "{}", row.about.name);
    }
    let fields = left.into_iter().flatten().filter(|line| line.ends_with(','));
    fields.map(|line| line.trim().to_string()).filter(|line| line != "},").collect()
}

#[test]
fn every_field_has_its_row() {
    assert_eq!(without_row::<ProcessConfig>(program::process()), ["socket: None,"]);
    assert!(without_row::<ListenerConfig>(program::LISTENER.iter()).is_empty());
    assert_eq!(without_row::<FastCgiSocket>(program::SOCKET.iter()), ["program: \"\","]);
}

#[test]
fn processes_are_compared_as_the_reference_does() {
    let of = |logfile, environment: &[(&str, &str)]| {
        let mut process = ProcessConfig::default();
        process.stderr.logfile = logfile;
        let pairs = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        process.environment = pairs.collect();
        process
    };
    let path = || LogFile::Path("x".to_string());
    assert_eq!(of(LogFile::Auto, &[]), of(path(), &[]));
    assert_eq!(of(path(), &[]), of(LogFile::Auto, &[]));
    assert_ne!(of(path(), &[]), of(LogFile::None, &[]));
    let (a, b) = (("A", "1"), ("B", "2"));
    assert_eq!(of(path(), &[a, b]), of(path(), &[b, a]));
    assert_ne!(of(path(), &[a, b]), of(path(), &[a]));
    assert_ne!(of(path(), &[a, b]), of(path(), &[a, ("B", "3")]));
}

/// The settings of a blank process, and of one that has everything.
#[test]
fn shown_settings() {
    let mut everything = ProcessConfig::default();
    program::process().for_each(|row| mark(&row.field, &mut everything));
    let blank = ProcessConfig::default();
    let lines: Vec<String> = shown(program::process(), &blank)
        .zip(shown(program::process(), &everything))
        .map(|((name, blank), (_, marked))| format!("{name} {blank:?} {marked:?}\n"))
        .collect();
    expect_test::expect![[r#"
        command Str("") Str("x")
        directory Nil Str("x")
        user Nil Int(23)
        umask Nil Str("027")
        environment Array([]) Array([Str("NAME")])
        priority Int(0) Int(7)
        autostart Bool(false) Bool(true)
        autorestart Bool(false) Bool(true)
        restart_delay Int(0) Int(7)
        startsecs Int(0) Int(7)
        startretries Int(0) Int(7)
        exitcodes Array([]) Array([Int(7)])
        stopsignal Str("signal 0") Str("SIGINT")
        stopwaitsecs Int(0) Int(7)
        stopasgroup Bool(false) Bool(true)
        killasgroup Bool(false) Bool(true)
        redirect_stderr Bool(false) Bool(true)
        stdout_logfile Nil Str("x")
        stdout_logfile_maxbytes Int(0) Int(7)
        stdout_logfile_backups Int(0) Int(7)
        stdout_capture_maxbytes Int(0) Int(7)
        stdout_events_enabled Bool(false) Bool(true)
        stdout_syslog Bool(false) Bool(true)
        stderr_logfile Nil Str("x")
        stderr_logfile_maxbytes Int(0) Int(7)
        stderr_logfile_backups Int(0) Int(7)
        stderr_capture_maxbytes Int(0) Int(7)
        stderr_events_enabled Bool(false) Bool(true)
        stderr_syslog Bool(false) Bool(true)
        serverurl Nil Str("x")
    "#]]
    .assert_eq(&lines.concat());
}
