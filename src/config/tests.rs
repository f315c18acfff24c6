use std::ffi::OsString;

use super::complaint::{Complaint, Complaints};
use super::loader::Overrides;
use super::*;
use crate::core::config::{Config, GroupConfig, GroupKind, LogFile};
use crate::core::states::Level;
use crate::testing::TempDir;

fn loader(file: &str) -> Loader {
    let environ = Environ::from_pairs([("HOME", "/root"), ("NAME", "value")]);
    Loader::new("supervisord", file.to_string(), Overrides::default(), &environ)
}

fn load(text: &str) -> Result<Config, String> {
    let directory = TempDir::new();
    let file = directory.write("supervisord.conf", text);
    loader(&file).load().map_err(|why| why.to_string().replace(directory.root(), "DIR"))
}

fn groups(text: &str) -> Vec<GroupConfig> {
    load(&format!("[supervisord]\n{text}")).unwrap().groups
}

fn error(text: &str) -> String {
    load(&format!("[supervisord]\n{text}")).unwrap_err()
}

#[test]
fn a_loader_can_leave_the_supervision_thread() {
    fn is_send<T: Send>() {}
    is_send::<Loader>();
    is_send::<Result<Config, Complaints>>();
}

#[test]
fn defaults() {
    let config = load("[supervisord]\n[program:p]\ncommand=/bin/cat\n").unwrap();
    assert_eq!(config.settings.identifier, "supervisor");
    assert_eq!(config.settings.loglevel, Level::Info);
    assert!(config.settings.logfile.starts_with('/'));
    assert_eq!(config.settings.serverurl, None);
    let group = &config.groups[0];
    assert_eq!((group.name.as_str(), group.priority, &group.kind), ("p", 999, &GroupKind::Plain));
    let process = &group.processes[0];
    assert_eq!((process.startsecs, process.startretries, process.stopsignal), (1, 3, 15));
    assert_eq!(process.stdout.logfile, LogFile::Auto);
    assert_eq!(process.stdout.logfile_maxbytes, 50 << 20);
    assert_eq!(process.exitcodes, [0]);
}

#[test]
fn numbered_processes_see_their_own_and_earlier_environments() {
    let groups = groups(
        "environment=A=\"daemon\",B=\"b\"\n[program:p]\nnumprocs=2\nnumprocs_start=8\n\
         process_name=%(program_name)s_%(process_num)02d\n\
         environment=A=\"%(process_num)d\"\ncommand=run %(ENV_A)s %(numprocs)s %(ENV_B)s\n",
    );
    let processes = &groups[0].processes;
    assert_eq!(processes[1].name, "p_09");
    assert_eq!(processes[1].command, "run 9 2 b");
    assert_eq!(processes[1].env("A"), Some("9"));
    assert_eq!(processes[0].env("B"), Some("b"));
}

#[test]
fn groups_in_order_of_priority_and_name() {
    let groups = groups(
        "[program:z]\ncommand=z\n[program:a]\ncommand=a\n[program:m]\ncommand=m\n[group:g]\nprograms=m\npriority=1\n\
         [eventlistener:l]\ncommand=l\nevents=tick_5,TICK_5,EVENT\n",
    );
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["l", "g", "a", "z"]);
    let GroupKind::Listener(listener) = &groups[0].kind else { panic!() };
    assert_eq!(listener.events, ["EVENT", "TICK_5"]);
}

#[test]
fn mistakes_name_the_section_and_its_file() {
    assert_eq!(
        error("[program:p]\nautostart=maybe\n"),
        "not a valid boolean value: 'maybe' in section 'program:p' (file: 'DIR/supervisord.conf')"
    );
    // An unknown later member is reported against the section read before it.
    assert_eq!(
        error("[group:g]\nprograms=a,b\n[program:a]\ncommand=a\n"),
        "[program:a] names unknown program or fcgi-program b"
    );
    assert_eq!(
        error("[fcgi-program:f]\nsocket=x\n"),
        "('Bad socket format %s', 'x') in [fcgi-program:f] socket"
    );
    assert_eq!(
        load("[program:p]\n").unwrap_err(),
        ".ini file does not include supervisord section"
    );
}

#[test]
fn a_reading_goes_on_after_a_mistake() {
    let directory = TempDir::new();
    let included = "[program:b]\nstartsecs=x\ncommand=%(nothing)s\n[broken\n";
    directory.write("d/1.conf", &included.replace("[broken\n", ""));
    directory.write("d/2.conf", included);
    let main = "[DEFAULT]\nnumprocs=two\n[supervisord]\nminfds=many\nenvironment=A=\"1\"\n\
                [include]\nfiles=d/*.conf\n\n[program:a]\ncommand=%(ENV_A)s\nautostart=\n maybe\npriority=p\n\
                [group:g]\nprograms=a,z,b\n[inet_http_server]\nusername=u\n";
    let file = directory.write("supervisord.conf", main);
    let mut loader = loader(&file);
    let complaints = loader.load().unwrap_err();
    let line = |complaint: &Complaint| {
        let position = complaint.position.as_ref().unwrap().to_string();
        let words: String = complaint.to_string().split(" in section").take(1).collect();
        format!("{position} {words}\n").replace(directory.root(), "DIR")
    };
    let lines: String = complaints.iter().map(line).collect();
    expect_test::expect![[r#"
        DIR/d/2.conf:4 Source contains parsing errors: 'DIR/d/2.conf'
        	[line  4]: '[broken\n'
        DIR/supervisord.conf:4 invalid literal for int() with base 10: 'many'
        DIR/supervisord.conf:13 invalid literal for int() with base 10: 'p'
        DIR/supervisord.conf:11 not a valid boolean value: '\nmaybe'
        DIR/supervisord.conf:2 invalid literal for int() with base 10: 'two'
        DIR/supervisord.conf:15 [program:a] names unknown program or fcgi-program z
        DIR/d/2.conf:2 invalid literal for int() with base 10: 'x'
        DIR/supervisord.conf:2 invalid literal for int() with base 10: 'two'
        DIR/d/2.conf:3 Format string '%(nothing)s' for 'program:b.command' contains names ('nothing') which cannot be expanded. Available names: ENV_A, ENV_HOME, ENV_NAME, group_name, here, host_node_name, numprocs, process_num, program_name
        DIR/supervisord.conf:16 Section [inet_http_server] contains incomplete authentication: If a username or a password is specified, both the username and password must be specified
        DIR/supervisord.conf:16 section [inet_http_server] has no port value
    "#]].assert_eq(&lines);
    // What is said is the first.
    assert_eq!(complaints.to_string(), complaints.iter().next().unwrap().to_string());
    // The environment of a section that the reference would not have come to is none for the next reading.
    directory.write("supervisord.conf", "[supervisord]\n[program:a]\ncommand=%(ENV_A)s\n");
    assert!(loader.load().unwrap_err().to_string().contains("ENV_A"));
}

#[test]
fn complaints_are_bounded_and_made_once() {
    let places = |text: &str| {
        let directory = TempDir::new();
        let file = directory.write("supervisord.conf", &format!("[supervisord]\n{text}"));
        let complaints = loader(&file).load().unwrap_err();
        let lines = complaints.iter().map(|complaint| complaint.position.as_ref().unwrap().line);
        lines.collect::<Vec<u32>>()
    };
    // The priority is the group's, too; and with 100 processes there is still one mistake.
    let program =
        "[program:p]\ncommand=%(x)s\npriority=p\nnumprocs=100\nprocess_name=%(process_num)d\n";
    assert_eq!(places(program), [4, 3]);
    assert_eq!(places("user=no-such-user\n"), [2]);
    let many: String = (0..2000).map(|number| format!("[program:p{number}]\n")).collect();
    assert_eq!(places(&many), (2..1002).collect::<Vec<u32>>());
    assert_eq!(
        places(
            "[fcgi-program:f]\nsocket_mode=9\nsocket_owner=nobody-here\ncommand=x\nuser=nobody-here\n"
        ),
        [6, 4, 3, 2]
    );
}

#[test]
fn numbers_of_processes_are_bounded() {
    let why = error("[program:p]\ncommand=x\nnumprocs=999999999\nprocess_name=%(process_num)d\n");
    assert!(why.starts_with("numprocs is above the limit of 100000 in section"), "{why}");
}

#[test]
fn included_files() {
    let directory = TempDir::new();
    directory.write("d/b.conf", "[program:b]\ncommand=%(here)s/b\n[include]\nfiles=../*.inner\n");
    directory.write("d/a.conf", "[program:a]\nautostart=x\n");
    let main = "[supervisord]\n[include]\nfiles=d/[!a]* none.*\n[program:m]\ncommand=%(here)s/m\n";
    let file = directory.write("supervisord.conf", main);
    let config = loader(&file).load().unwrap();
    let commands: Vec<String> = config
        .groups
        .iter()
        .map(|group| group.processes[0].command.replace(directory.root(), "DIR"))
        .collect();
    assert_eq!(commands, ["DIR/d/b", "DIR/m"]);
    let messages: Vec<String> =
        config.messages.iter().map(|(_, text)| text.replace(directory.root(), "DIR")).collect();
    assert_eq!(
        messages,
        [
            "No file matches via include \"DIR/none.*\"",
            "Included extra file \"DIR/d/b.conf\" during parsing"
        ]
    );
    directory.write("supervisord.conf", &main.replace("[!a]", "a"));
    let why = loader(&file).load().unwrap_err().to_string().replace(directory.root(), "DIR");
    assert!(why.ends_with("in section 'program:a' (file: 'DIR/d/a.conf')"), "{why}");
}

#[test]
fn the_url_of_the_server() {
    let url = |text: &str| load(&format!("[supervisord]\n{text}")).unwrap().settings.serverurl;
    let inet = "[inet_http_server:a]\nport=h:1\n[inet_http_server:b]\nport=*:2\n";
    assert_eq!(url(inet).as_deref(), Some("http://localhost:2"));
    let both = format!("{inet}[unix_http_server]\nfile=/x/../y\n");
    assert_eq!(url(&both).as_deref(), Some("unix:///y"));
}

#[test]
fn what_a_reload_changes() {
    let directory = TempDir::new();
    let file = directory.write(
        "supervisord.conf",
        "[supervisord]\nlogfile=a.log\nidentifier=one\nenvironment=OLD=\"1\"\n[inet_http_server]\nport=1\n",
    );
    let mut loader = loader(&file);
    let before = loader.load().unwrap().settings;
    directory.write(
        "supervisord.conf",
        "[supervisord]\nlogfile=b.log\nidentifier=two\nuser=root\n[program:p]\ncommand=%(ENV_OLD)s\n",
    );
    let after = loader.reload().unwrap();
    assert!(before.logfile.ends_with("/a.log"));
    assert_eq!(after.settings.logfile, before.logfile.replace("/a.log", "/b.log"));
    assert_eq!(after.settings.identifier, "two");
    assert_eq!((after.settings.serverurl, after.settings.user), (before.serverurl, None));
    // The environment of an earlier reading stays available.
    assert_eq!(after.groups[0].processes[0].command, "1");
    directory.write("supervisord.conf", "x\n");
    assert!(
        loader.reload().unwrap_err().to_string().starts_with("File contains no section headers.")
    );
}

#[test]
fn relative_names_begin_where_the_daemon_was_started() {
    let directory = TempDir::new();
    let text = "[supervisord]\nlogfile=main.log\npidfile=run/../d.pid\nchildlogdir=logs\ndirectory=work\n\
                [unix_http_server]\nfile=s.sock\n[include]\nfiles=d/*.conf\n";
    directory.write("etc/supervisord.conf", text);
    directory
        .write("etc/d/p.conf", "[program:p]\ncommand=bin/x\ndirectory=p\nstdout_logfile=out.log\n");
    for name in ["run/x", "logs/x", "work/x"] {
        directory.write(name, "");
    }
    // This process works elsewhere, as a daemon does that has changed its directory.
    let environ = Environ::default().in_directory(directory.root());
    let args = ["-c", "etc/supervisord.conf", "-q", "logs"].map(OsString::from);
    let Parsed::Run(mut loader) = parse_args("supervisord", &args, &environ) else { panic!() };
    for config in [loader.load().unwrap(), loader.reload().unwrap()] {
        let settings = &config.settings;
        for (path, name) in [
            (&settings.here, "etc"),
            (&settings.logfile, "main.log"),
            (&settings.pidfile, "d.pid"),
            (&settings.childlogdir, "logs"),
        ] {
            assert_eq!(path, &format!("{}/{name}", directory.root()));
        }
        let url = format!("unix://{}/s.sock", directory.root());
        assert_eq!(settings.serverurl, Some(url));
        // What programs are given is the reference's, relative to where the daemon works.
        let process = &config.groups[0].processes[0];
        assert_eq!(process.stdout.logfile, LogFile::Path("out.log".to_string()));
        assert_eq!((process.command.as_str(), process.directory.as_deref()), ("bin/x", Some("p")));
    }
}

#[test]
fn bytes_that_are_not_utf8_are_kept() {
    let directory = TempDir::new();
    let name = crate::core::text::decode(b"caf\xe9");
    let there = |name: &str| format!("{}/{name}", directory.root());
    std::fs::create_dir(crate::native::path(&there(&name))).unwrap();
    let file = there(&format!("{name}/{name}.conf"));
    let text = "[supervisord]\nlogfile=%(here)s/main.log\n[include]\nfiles=caf?.inc\n";
    std::fs::write(crate::native::path(&file), text).unwrap();
    let included = there(&format!("{name}/{name}.inc"));
    let text = "[program:p]\ncommand=x %(ENV_X)4s\nprocess_name=%(ENV_X)s\nstdout_logfile=%(here)s/%(ENV_X)s.log\n";
    std::fs::write(crate::native::path(&included), text).unwrap();
    let environ = Environ::from_pairs([("X", name.clone())]);
    let mut loader = Loader::new("supervisord", file, Overrides::default(), &environ);
    let config = loader.load().unwrap();
    assert_eq!(config.settings.logfile, there(&format!("{name}/main.log")));
    assert_eq!(config.messages[0].1, format!("Included extra file \"{included}\" during parsing"));
    let process = &config.groups[0].processes[0];
    assert_eq!((&process.name, &process.command), (&name, &format!("x {name}")));
    assert_eq!(process.stdout.logfile, LogFile::Path(there(&format!("{name}/{name}.log"))));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn any_file_is_survived(text in "(\\[(supervisord|program:x|group:x|DEFAULT|fcgi-program:x|eventlistener:x|include)\\]\n([a-z_]{4,10}=[ -~é]{0,20}\n){0,4}){0,5}.{0,10}") {
        let _ = load(&text);
    }
}
