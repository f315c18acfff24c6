//! Runs every fuzz target over its seeds, whole and cut short, with the stable compiler and without a fuzzer.

#[path = "../src/lib.rs"]
mod targets;

use std::fs;
use std::panic;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 8] = [
    ("capture", targets::capture),
    ("environment", targets::environment),
    ("expansions", targets::expansions),
    ("http", targets::http),
    ("ini", targets::ini),
    ("listener", targets::listener),
    ("strip_ansi", targets::strip_ansi),
    ("xmlrpc", targets::xmlrpc),
];

/// Into how many pieces a seed is cut; it is run up to the end of each.
const CUTS: usize = 16;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(fuzz().join(directory)).expect("a directory of fuzz/");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a plain name");
    let mut names: Vec<String> =
        entries.map(|entry| name(entry.expect("a readable directory"))).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_its_seeds() {
    let known = TARGETS.map(|(name, _)| name.to_string());
    assert_eq!(names("seeds"), known);
    assert_eq!(names("fuzz_targets"), known.map(|name| name + ".rs"));
}

#[test]
fn seeds_break_nothing() {
    // A task of the server's that panics takes nothing else with it.
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let shown = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        shown(info);
    }));
    for (name, target) in TARGETS {
        let seeds = names(&format!("seeds/{name}"));
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            let data = fs::read(fuzz().join("seeds").join(name).join(&seed)).unwrap();
            for cut in 0..=CUTS {
                target(&data[..data.len() * cut / CUTS]);
                assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{name}/{seed} up to {cut}/{CUTS}");
            }
        }
    }
}
