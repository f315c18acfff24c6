use super::*;
use crate::testing::TempDir;

fn parse(args: &[&str]) -> Parsed {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    parse_args("/opt/bin/supervisord", &args, &Environ::default())
}

fn stderr(args: &[&str]) -> String {
    match parse(args) {
        Parsed::Exit { stdout, stderr, code } => {
            assert_eq!((stdout.as_str(), code), ("", 2));
            let text = stderr.strip_prefix("Error: ").unwrap();
            text.strip_suffix("\nFor help, use /opt/bin/supervisord -h\n").unwrap().to_string()
        }
        Parsed::Run(_) | Parsed::Check(..) => panic!("{args:?} is accepted"),
    }
}

#[test]
fn mistakes_in_getopts_words() {
    for (args, why) in [
        (vec!["-x"], "option -x not recognized"),
        (vec!["-nc"], "option -c requires argument"),
        (vec!["--log=x"], "option --log not a unique prefix"),
        (vec!["--a"], "option --a not recognized"),
        (vec!["--conf"], "option --configuration requires argument"),
        (vec!["--nodaemon=1"], "option --nodaemon must not have an argument"),
        (vec!["-n", "x", "-n"], "positional arguments are not supported: ['x', '-n']"),
        (vec!["-cx", "--conf", "y"], "conflicting command line option '--configuration'"),
        (vec!["-e", "x"], "invalid value for -e 'x': bad logging level name 'x'"),
        // Mistakes of form come before everything else.
        (vec!["-v", "--", "x"], "positional arguments are not supported: ['x']"),
    ] {
        assert_eq!(stderr(&args), why);
    }
}

#[test]
fn printed_texts() {
    let Parsed::Exit { stdout, code: 0, .. } = parse(&["-n", "--ver"]) else { panic!() };
    assert_eq!(stdout, "4.3.0\n");
    let Parsed::Exit { stdout, code: 0, .. } = parse(&["--about"]) else { panic!() };
    assert!(stdout.contains("compatible with Supervisor 4.3.0"));
    let Parsed::Exit { stdout, code: 0, .. } = parse(&["-?"]) else { panic!() };
    assert!(stdout.contains("Usage: /opt/bin/supervisord [options]"));
}

#[test]
fn a_check_is_asked_for() {
    let directory = TempDir::new();
    let file = directory.write("x.conf", "[supervisord]\n");
    let Parsed::Check(_, how) = parse(&["--check", "-c", &file]) else { panic!() };
    assert_eq!(how, Checking::default());
    let Parsed::Check(_, how) = parse(&["-c", &file, "--json", "--strict", "--check"]) else {
        panic!()
    };
    assert_eq!(how, Checking { strict: true, json: true, show_environment: false });
    for (args, why) in [
        (vec!["--check=yes"], "option --check must not have an argument"),
        (vec!["--chec"], "option --chec not recognized"),
        (vec!["--check", "--check"], "conflicting command line option '--check'"),
        (vec!["--strict"], "option --strict only goes with --check"),
        (vec!["--json"], "option --json only goes with --check"),
        (vec!["--check", "--show-environment"], "option --show-environment only goes with --json"),
    ] {
        assert_eq!(stderr(&args), why);
    }
}

#[test]
fn the_help() {
    let every = table().get_arguments().filter(|option| option.get_long().is_some()).count();
    assert_eq!(getopt::switches(&table()).len(), every);
    let wanted = "\
-e/--loglevel LEVEL -- threshold of the main log: critical, error, warn, info,
                       debug, trace or blather
-j/--pidfile FILENAME -- use FILENAME as the pid file
";
    assert!(help("supervisord").contains(wanted), "{}", help("supervisord"));
}

#[test]
fn search_starts_beside_the_program() {
    let paths = search_path("/opt/bin/supervisord");
    assert_eq!(paths[..2], ["/opt/etc/supervisord.conf", "/opt/supervisord.conf"]);
    assert_eq!(search_path("supervisord")[..2], ["etc/supervisord.conf", "supervisord.conf"]);
}

#[test]
fn options_win_over_the_file() {
    let directory = TempDir::new();
    let file = directory.write("x.conf", "[supervisord]\nidentifier=file\nlogfile=f.log\n");
    let args: Vec<OsString> =
        ["-nic", "-c", &file, "-l", "", "-a7"].iter().map(OsString::from).collect();
    let Parsed::Run(mut loader) = parse_args("supervisord", &args, &Environ::of_process()) else {
        panic!()
    };
    let settings = loader.load().unwrap().settings;
    assert!(settings.nodaemon && !settings.silent);
    assert_eq!(settings.identifier, "c");
    assert_eq!(settings.minfds, 7);
    assert!(settings.logfile.ends_with("/f.log"));
}

#[test]
fn a_bare_name_is_looked_up_as_the_shell_does() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new();
    let program = directory.write("bin/prog", "");
    directory.write("other/prog", "");
    let environ = Environ::from_pairs([(
        "PATH",
        format!("/no/such:{0}:{0}/other:{0}/bin", directory.root()),
    )]);
    assert_eq!(called_as("prog", &environ), "prog");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(called_as("prog", &environ), program);
    assert_eq!(called_as("./prog", &environ), "./prog");
    assert_eq!(called_as("prog", &Environ::default()), "prog");
}
