use std::collections::HashMap;
use std::fmt::Write;

use super::*;
use crate::config::complaint::{Complaints, Notes};
use crate::config::environ::Environ;
use crate::config::ini::Document;
use crate::config::names::Table;
use crate::config::scope::{Importable, Scope, here};
use crate::config::values;
use crate::core::options::{
    Field, Names, Reread, Row, Unset, differences, field, program as tables, shown,
};
use crate::echo::SAMPLE;

/// What the sample says of an option: a value, and what it is for.
type Settings<'a> = HashMap<(&'a str, &'a str), (&'a str, Option<&'a str>)>;

/// The settings of a sample, by section and option. What stands alone behind the sections is of no section.
fn settings(sample: &str) -> Settings<'_> {
    let mut kind = "";
    let mut found = Settings::new();
    for line in sample.lines() {
        let apart = line.starts_with(";;");
        let text = line.trim_start_matches(';');
        if let Some(header) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            kind = header.0.split(':').next().unwrap_or_default();
        } else if let Some((name, rest)) = text.split_once('=').filter(|(name, _)| is_name(name)) {
            let (value, comment) = match rest.split_once(" ;") {
                Some((value, comment)) => (value, Some(comment.trim())),
                None => (rest, None),
            };
            let kind = if apart && kind != "fcgi-program" { "" } else { kind };
            found.entry((kind, name.trim_end())).or_insert((value.trim(), comment));
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    text.trim_end().chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '.'))
}

/// Where the sample shows a value that is neither the default nor tells it, or has words of its own.
const ITS_OWN_WAY: [(&str, &str); 3] = [
    ("supervisorctl", "serverurl"),
    ("eventlistener", "stdout_events_enabled"),
    ("fcgi-program", "socket"),
];

/// What a sample lacks of a section: an option, its default, or what it is for.
fn gaps(section: &Section, sample: &str) -> Vec<String> {
    let settings = settings(sample);
    let mut gaps = Vec::new();
    for (at, about) in section.options.iter().enumerate() {
        let (kind, name) = (section.kind, about.name);
        if section.options[..at].iter().any(|before| before.name == name) {
            continue;
        }
        // What programs have is told once.
        let kinds = [kind, "", "program"];
        let Some(place) = kinds.into_iter().find(|kind| settings.contains_key(&(kind, name)))
        else {
            gaps.push(format!("[{kind}] {name} is missing"));
            continue;
        };
        let (value, comment) = settings[&(place, name)];
        if place == kind && !ITS_OWN_WAY.contains(&(kind, name)) {
            gaps.extend(
                mismatch(about, value, comment).map(|why| format!("[{kind}] {name}: {why}")),
            );
        }
    }
    gaps
}

fn mismatch(about: &About, value: &str, comment: Option<&str>) -> Option<String> {
    let default = match about.unset {
        Unset::Text(text) => format!("; default: {text}"),
        Unset::Explained(text, more) => format!("; default: {text}{more}"),
        Unset::As { option, .. } => format!("; when not set as {option}"),
        Unset::TemporaryDirectory => "; default: the system's for temporary files".to_string(),
        Unset::Nothing(words) => format!("; default: {words}"),
        Unset::Required => String::new(),
    };
    let told = comment.is_some_and(|comment| comment == format!("{}{default}", about.help));
    let shown = about.unset.text().is_none_or(|text| text == value);
    let explained = comment.is_none_or(|comment| comment == about.help);
    (!(told || shown && explained)).then(|| format!("{value:?}, {comment:?}"))
}

#[test]
fn the_sample_has_every_option_with_its_default_and_what_it_is_for() {
    let gaps: Vec<String> = sections().iter().flat_map(|section| gaps(section, SAMPLE)).collect();
    assert!(gaps.is_empty(), "{gaps:#?}");
    for (kind, name) in settings(SAMPLE).into_keys() {
        let known = sections()
            .iter()
            .filter(|section| kind.is_empty() || section.kind == kind)
            .any(|section| section.options.iter().any(|about| about.name == name));
        assert!(known, "[{kind}] {name}");
    }
}

#[test]
fn options_that_mean_another_have_its_default() {
    for section in sections() {
        for about in &section.options {
            if let Unset::As { option, default } = about.unset {
                let other = section.options.iter().find(|about| about.name == option).unwrap();
                assert_eq!(other.unset.text(), Some(default));
            }
        }
    }
}

/// Everything there is: what it means unset, the names it may hold and when they are replaced, when a reread takes it over,
/// and whether it is ours. What listeners and FastCGI programs have as programs do is told once. `UPDATE_EXPECT=1` writes
/// the print anew.
#[test]
fn the_table() {
    let mut lines = String::new();
    let programs: Vec<&About> = about(tables::process()).chain(about(numbers::NUMBERS)).collect();
    for section in sections() {
        writeln!(lines, "[{}]", section.kind).unwrap();
        for about in section.options {
            let told = section.kind != "program" && programs.contains(&about);
            if !told {
                let About { name, unset, names, expansion, reread, source, .. } = about;
                let unset = format!("{unset:?}");
                let how = format!("{names:?}, {expansion:?}, {reread:?}, {source:?}");
                writeln!(lines, "  {name:32} {unset:54} {how}").unwrap();
            }
        }
    }
    expect_test::expect_file!["options_table.txt"].assert_eq(&lines);
}

/// A section that exists here only.
#[derive(Default)]
struct Toy {
    greeting: String,
    pace: i64,
    mood: Option<String>,
}

static TOY: [Row<Toy>; 3] = [
    Row::new("greeting", Field::Text(field!(Toy.greeting)), Unset::Required, "what it says"),
    Row::new("pace", Field::Seconds(field!(Toy.pace)), Unset::Text("5"), "how long it waits")
        .ours(),
    Row::new("mood", Field::OptionalText(field!(Toy.mood)), Unset::Nothing("none"), "how it is")
        .names(Names::Here)
        .reread(Reread::Unnoticed)
        .hidden(),
];

fn toy(text: &str) -> Result<Toy, Complaints> {
    let mut document = Document::new();
    document.read(text.as_bytes(), "toy.conf").unwrap();
    let (environ, environment) = (Environ::default(), Table::new());
    let scope = Scope {
        document: &document,
        environ: &environ,
        environment: &environment,
        local: here("/toys"),
        late: None,
        imports: Importable::default(),
    };
    let mut toy = Toy::default();
    let mut notes = Notes::default();
    values::read_all(&TOY, &scope, "toy", &mut toy, &mut notes);
    notes.outcome(toy)
}

#[test]
fn a_row_is_all_that_an_option_needs() {
    // The reader.
    let first = toy("[toy]\ngreeting=from %(here)s\n").unwrap();
    assert_eq!((first.greeting.as_str(), first.pace, first.mood), ("from /toys", 5, None));
    let wrong = |text: &str| {
        let complaints = toy(text).err().unwrap();
        let lines: Vec<String> = complaints
            .iter()
            .map(|complaint| format!("{}: {complaint}", complaint.position.as_ref().unwrap()))
            .collect();
        lines
    };
    assert_eq!(
        wrong("\n[toy]\npace=slow\n"),
        [
            "toy.conf:2: section [toy] has no greeting value",
            "toy.conf:3: invalid literal for int() with base 10: 'slow'"
        ]
    );
    // The difference.
    let (a, b) = (toy("[toy]\ngreeting=x\nmood=a\n"), toy("[toy]\ngreeting=x\npace=2\nmood=b\n"));
    let (a, b) = (a.unwrap(), b.unwrap());
    let changed: Vec<&str> = differences(&TOY, &a, &b).map(|about| about.name).collect();
    assert_eq!(changed, ["pace"]);
    // The settings.
    let settings: Vec<String> =
        shown(&TOY, &b).map(|(name, value)| format!("{name}={value:?}")).collect();
    assert_eq!(settings, ["greeting=Str(\"x\")", "pace=Int(2)"]);
    // The list of options, and the sample.
    let section = Section { kind: "toy", options: about(&TOY).collect() };
    let sample = ";[toy]\n;greeting=hello ; what it says\n;mood=fine ; how it is; default: none\n";
    assert_eq!(gaps(&section, sample), ["[toy] pace is missing"]);
    let told = |line: &str| gaps(&section, &format!("{sample}{line}"));
    assert_eq!(told(";pace=7 ; how long it waits; default: 5\n"), [""; 0]);
    assert_eq!(told(";pace=5 ; how long it waits\n"), [""; 0]);
    assert_eq!(told(";pace=7 ; how long it waits\n").len(), 1);
}

#[test]
fn orders_name_options() {
    for name in numbers::ORDER {
        let known = about(tables::process()).chain(about(numbers::NUMBERS));
        assert!(known.into_iter().any(|about| about.name == name), "{name}");
    }
}
