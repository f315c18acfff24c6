use std::ffi::OsString;

use super::*;
use crate::config::{Environ, Parsed, parse_args};
use crate::testing::TempDir;

/// What is said of a file of this text, as lines and as a document.
fn said(text: &str) -> (String, String) {
    let directory = TempDir::new();
    let file = directory.write("supervisord.conf", text);
    let args: Vec<OsString> =
        ["--check", "--json", "-c", &file].iter().map(OsString::from).collect();
    let environ = Environ::from_pairs([("PATH", "/usr/bin:/bin")]);
    let Parsed::Check(loader, how) = parse_args("supervisord", &args, &environ) else { panic!() };
    let mut findings = Findings::default();
    let examination = examine(&loader, &Steps::watch(), &mut findings);
    let groups = examination.config.map(|config| config.groups).unwrap_or_default();
    let document = json::document(&file, &[], &findings, &groups, how);
    (report::lines("FILE", &findings).replace(directory.root(), "DIR"), document)
}

#[test]
fn findings_as_lines() {
    let (lines, _) = said(
        "[supervisord]\nuser=root\nlogfile=/dev/null\npidfile=/dev/null\nloglevel=loud\n[program:a]\n\
         command=/no/such\nnumproc=2\nrestart_delay=1\n[programm:b]\n",
    );
    let lines: String =
        lines.lines().filter(|line| !line.contains("only root")).collect::<Vec<_>>().join("\n");
    expect_test::expect![[r#"
        DIR/supervisord.conf:5: error: bad logging level name 'loud'
        DIR/supervisord.conf:8: warning: option numproc in [program:a] is passed over: no option is called so here (did you mean numprocs?)
        DIR/supervisord.conf:9: note: option restart_delay is ours: Supervisor passes over it
        DIR/supervisord.conf:10: warning: section [programm:b] is passed over: no section is called so (did you mean [program:b]?)
        DIR/supervisord.conf:7: error: can't find command '/no/such'
        FILE: 2 errors, 2 warnings, 1 note"#]].assert_eq(&lines);
}

#[test]
fn a_finding_is_one_line_that_a_terminal_survives() {
    let (lines, _) = said("[supervisord]\n[program:a]\ncommand=/bin/cat\n\x1b[31m\n\x07x\n");
    assert!(lines.lines().all(|line| line.starts_with("DIR/") || line.starts_with("FILE: ")));
    assert!(!lines.contains(|c: char| c.is_control() && c != '\n'), "{lines:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(100))]
    #[test]
    fn any_file_can_be_checked(text in "(\\[(supervisord|program:x|group:x|DEFAULT|fcgi-program:x|eventlistener:x|include|programm|unix_http_server)\\]\n([a-z_]{4,10}=[ -~é]{0,20}\n){0,4}(command|user|umask|socket|events|file|directory)=[ -~é]{0,9}\n){0,5}.{0,10}") {
        let (lines, document) = said(&text);
        assert!(lines.ends_with('\n') && document.ends_with("}\n"));
    }
}
