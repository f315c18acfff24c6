use super::*;
use crate::testing::TempDir;

fn parse(args: &[&str]) -> ClientParsed {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let environ = Environ::from_pairs([("HOME", "/home/x"), ("WHO", "me")]);
    parse_client_args("/nowhere/bin/supervisorctl", &args, &environ)
}

fn options(args: &[&str]) -> ClientOptions {
    match parse(args) {
        ClientParsed::Run(options) => options,
        other => panic!("{args:?}: {other:?}"),
    }
}

fn error(args: &[&str]) -> String {
    match parse(args) {
        ClientParsed::Exit { stdout, stderr, code: 2 } if stdout.is_empty() => {
            let stderr = stderr.strip_prefix("Error: ").unwrap();
            stderr
                .strip_suffix("\nFor help, use /nowhere/bin/supervisorctl -h\n")
                .unwrap()
                .to_string()
        }
        other => panic!("{args:?}: {other:?}"),
    }
}

#[test]
fn the_section_and_the_command_line() {
    let directory = TempDir::new();
    let file = directory.write(
        "a.conf",
        "[supervisorctl]\nserverurl=unix://%(here)s/x/../s.sock\nusername=%(ENV_WHO)s\npassword=a%%b\n\
         prompt=p\nhistory_file=~/h\n[ctlplugin:x]\nsupervisor.ctl_factory=a:b\n[include]\nfiles=%(nope)s\n",
    );
    let read = options(&["-c", &file, "status", "--json", "-i"]);
    assert_eq!(
        read,
        ClientOptions {
            serverurl: format!("unix://{}/s.sock", directory.root()),
            username: Some("me".to_string()),
            password: Some("a%b".to_string()),
            prompt: "p".to_string(),
            history_file: Some("/home/x/h".to_string()),
            color: None,
            interactive: false,
            args: ["status", "--json", "-i"].map(str::to_string).to_vec(),
            configfile: Some(file.clone()),
            python: None,
            plugins: vec![CtlPlugin {
                name: "x".to_string(),
                factory: "a:b".to_string(),
                options: Vec::new(),
            }],
        }
    );
    let over = options(&["-c", &file, "-i", "-shttp://a", "-u", "", "--pass=", "-r", "/r", "pid"]);
    assert_eq!((over.serverurl.as_str(), over.interactive), ("http://a", true));
    assert_eq!((over.username.as_deref(), over.password.as_deref()), (Some(""), Some("")));
    assert_eq!(over.history_file.as_deref(), Some("/r"));
    assert!(options(&["-c", &file]).interactive);
}

#[test]
fn defaults_of_an_empty_section() {
    let directory = TempDir::new();
    let file = directory.write("a.conf", "[supervisorctl]\nhistory_file=\n");
    let read = options(&["-c", &file, "pid"]);
    assert_eq!((read.serverurl.as_str(), read.prompt.as_str()), (DEFAULT_SERVER_URL, "supervisor"));
    assert_eq!((read.username, read.password, read.history_file), (None, None, None));
}

#[test]
fn mistakes() {
    let directory = TempDir::new();
    for (args, why) in [
        (&["-x"][..], "option -x not recognized"),
        (&["--config"], "option --configuration requires argument"),
        (&["-s", "foo"], "invalid value for -s 'foo': value 'foo' is not a URL"),
        (&["-s", "unix://"], "invalid value for -s 'unix://': value 'unix://' is not a URL"),
        (&["-u", "a", "-u", "b"], "conflicting command line option '-u'"),
        (&["-ii"], "conflicting command line option '-i'"),
        (&["-c", "/no/file"], "could not find config file /no/file"),
    ] {
        assert_eq!(error(args), why);
    }
    for (text, why) in [
        ("[supervisord]\n", ".ini file does not include supervisorctl section"),
        (
            "[supervisorctl]\n[ctlplugin:x]\n",
            "section [ctlplugin:x] does not specify a supervisor.ctl_factory",
        ),
        (
            "[supervisorctl]\nprompt=%(here)s\n",
            "Format string '%(here)s' for 'supervisorctl.prompt' contains names ('here') which cannot be expanded. \
             Available names: ENV_HOME, ENV_WHO",
        ),
    ] {
        let file = directory.write("b.conf", text);
        assert_eq!(error(&["-c", &file, "pid"]), why);
    }
}

#[test]
fn help_names_every_option() {
    // getopt looks at every option before any of them does something
    assert_eq!(error(&["-h", "--nonsense"]), "option --nonsense not recognized");
    for args in [&["-?"][..], &["--help", "status"], &["-ih"]] {
        let ClientParsed::Exit { stdout, code: 0, .. } = parse(args) else { panic!("{args:?}") };
        for option in
            ["-c/", "-h/", "-i/", "-s/", "-u/", "-p/", "-r/", "/nowhere/bin/supervisorctl"]
        {
            assert!(stdout.contains(option), "{option}");
        }
    }
}

#[test]
fn colours_are_asked_for() {
    let directory = TempDir::new();
    let file = directory.write("a.conf", "[supervisorctl]\ncolor = auto\n");
    assert_eq!(options(&["-c", &file, "status"]).color, Some(Color::Auto));
    assert_eq!(options(&["-c", &file, "--color=never", "status"]).color, Some(Color::Never));
    assert_eq!(options(&["-c", &file, "--color", "always", "status"]).color, Some(Color::Always));
    assert_eq!(options(&["--co", &file, "status"]).color, Some(Color::Auto));
    assert_eq!(
        error(&["--color=yes", "status"]),
        "invalid value for --color 'yes': always, auto or never"
    );
    let file = directory.write("b.conf", "[supervisorctl]\ncolor = on\n");
    assert_eq!(
        error(&["-c", &file, "status"]),
        "invalid value for color in [supervisorctl] 'on': always, auto or never"
    );
}
