use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use nix::unistd::{getpgrp, getuid, setpgid};

use super::*;
use crate::core::effect::{ExitStatus, ProcId, ResolvedCommand};
use crate::daemon::signals::exit_status;
use crate::sys::Patience;
use crate::testing::TempDir;

const NOT_SPAWNED: &str = "supervisor: child process was not spawned\n";

fn config(command: &str) -> ProcessConfig {
    ProcessConfig {
        name: "cat".to_string(),
        command: command.to_string(),
        priority: 999,
        stopsignal: 15,
        stopwaitsecs: 1,
        exitcodes: vec![0],
        ..ProcessConfig::default()
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        environ: environment::inherited(),
        serverurl: Some("unix:///default.sock".to_string()),
        signal_mask: SigSet::empty(),
        asks: Asks::Daemon,
        min_fds: 1024,
    }
}

fn shell(script: &str) -> ResolvedCommand {
    let argv = ["sh", "-c", script].map(String::from).to_vec();
    ResolvedCommand { filename: "/bin/sh".to_string(), argv }
}

/// What became of a child.
struct Ended {
    pid: i32,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ended {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

fn start_in(
    surroundings: &Surroundings,
    config: &ProcessConfig,
    command: &ResolvedCommand,
) -> Result<Spawned, SpawnFailure> {
    let kind = &GroupKind::Plain;
    let logs = &Arc::default();
    let request = SpawnRequest { proc: ProcId(1), group_name: "pets", kind, config, command, logs };
    spawn(&SpawnPlan { request, surroundings, stdin: None })
}

fn read_all(fd: OwnedFd) -> Vec<u8> {
    fcntl(&fd, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    let mut bytes = Vec::new();
    File::from(fd).read_to_end(&mut bytes).unwrap();
    bytes
}

fn finish(spawned: Spawned) -> Ended {
    drop(spawned.stdin);
    let stdout = read_all(spawned.stdout);
    let stderr = spawned.stderr.map(read_all).unwrap_or_default();
    let (pid, status) = sys::reap(spawned.pid, Patience::UntilExit).unwrap().unwrap();
    Ended { pid, status: exit_status(status), stdout, stderr: String::from_utf8(stderr).unwrap() }
}

fn run(config: &ProcessConfig, command: &ResolvedCommand) -> Ended {
    finish(start_in(&surroundings(), config, command).unwrap())
}

fn run_script(script: &str) -> Ended {
    run(&config("x"), &shell(script))
}

#[test]
fn the_child_sees_exactly_three_descriptors() {
    // Neither what we have open nor what is open without close-on-exec gets through.
    let leaky = File::open("/dev/null").unwrap();
    fcntl(&leaky, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let high = sys::duplicate_from(leaky.as_fd(), 900).unwrap();
    fcntl(&high, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let spawned = start_in(&surroundings(), &config("x"), &shell("echo ready; read line")).unwrap();
    fcntl(&spawned.stdout, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    let mut ready = [0; 6];
    assert_eq!(nix::unistd::read(&spawned.stdout, &mut ready), Ok(6));
    let open = fs::read_dir(format!("/proc/{}/fd", spawned.pid)).unwrap();
    let mut open: Vec<OsString> = open.map(|entry| entry.unwrap().file_name()).collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2"]);
    finish(spawned);
}

#[test]
fn the_child_leads_a_process_group_but_no_session() {
    let ended = run_script("cat /proc/$$/stat");
    let after_name = ended.text().rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    assert_eq!(fields[2], ended.pid.to_string(), "process group");
    let session = nix::unistd::getsid(None).unwrap();
    assert_eq!(fields[3], session.to_string(), "session");
    assert_ne!(getpgrp().as_raw(), ended.pid);
}

fn signal_field<'a>(status: &'a str, field: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(field)).unwrap().trim()
}

#[test]
fn the_child_starts_with_pythons_signal_dispositions() {
    let command = ResolvedCommand {
        filename: "/bin/cat".to_string(),
        argv: ["cat", "/proc/self/status"].map(String::from).to_vec(),
    };
    let ended = run(&config("x"), &command);
    // What we were started with ignored stays so: the C library's posix_spawn leaves one of its own signals behind.
    let ours = fs::read_to_string("/proc/self/status").unwrap();
    let ours = u64::from_str_radix(signal_field(&ours, "SigIgn:"), 16).unwrap();
    let theirs = u64::from_str_radix(signal_field(ended.text(), "SigIgn:"), 16).unwrap();
    assert_eq!(theirs, ours | 0x0100_1000);
    assert_eq!(signal_field(ended.text(), "SigBlk:"), "0000000000000000");
    assert_eq!(signal_field(ended.text(), "SigCgt:"), "0000000000000000");
}

#[test]
fn the_child_starts_with_the_mask_the_daemon_inherited() {
    let mut surroundings = surroundings();
    surroundings.signal_mask.add(nix::sys::signal::Signal::SIGUSR1);
    let command = ResolvedCommand {
        filename: "/bin/cat".to_string(),
        argv: ["cat", "/proc/self/status"].map(String::from).to_vec(),
    };
    let ended = finish(start_in(&surroundings, &config("x"), &command).unwrap());
    assert_eq!(signal_field(ended.text(), "SigBlk:"), "0000000000000200");
    let ours = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_eq!(signal_field(&ours, "SigBlk:"), "0000000000000000");
}

#[test]
fn pipes_carry_bytes_both_ways_and_ours_do_not_block() {
    let mut spawned = start_in(&surroundings(), &config("x"), &shell("cat; echo err >&2")).unwrap();
    for fd in [spawned.stdin.as_ref().unwrap(), &spawned.stdout, spawned.stderr.as_ref().unwrap()] {
        let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL).unwrap());
        assert!(flags.contains(OFlag::O_NONBLOCK));
        assert_eq!(fcntl(fd, FcntlArg::F_GETFD).unwrap(), libc::FD_CLOEXEC);
    }
    nix::unistd::write(spawned.stdin.as_ref().unwrap(), b"hello \xff").unwrap();
    spawned.stdin = None;
    let ended = finish(spawned);
    assert_eq!(ended.stdout, b"hello \xff");
    assert_eq!(ended.stderr, "err\n");
    assert_eq!(ended.status, ExitStatus::Exited(0));
}

#[test]
fn redirect_stderr_needs_no_third_pipe_except_for_listeners() {
    let mut redirected = config("x");
    redirected.redirect_stderr = true;
    let spawned = start_in(&surroundings(), &redirected, &shell("echo out; echo err >&2")).unwrap();
    assert!(spawned.stderr.is_none());
    assert_eq!(finish(spawned).text(), "out\nerr\n");
    let listener = GroupKind::Listener(crate::core::config::ListenerConfig {
        buffer_size: 1,
        events: Vec::new(),
        result_handler: String::new(),
    });
    assert!(wants_stderr(&redirected, &listener));
}

#[test]
fn a_given_descriptor_becomes_standard_input() {
    let directory = TempDir::new();
    let path = directory.file("input", "from the file", 0o644);
    let input = File::open(path).unwrap();
    let (config, command) = (config("x"), shell("cat"));
    let kind = &GroupKind::Plain;
    let (config, command, logs) = (&config, &command, &Arc::default());
    let request = SpawnRequest { proc: ProcId(1), group_name: "g", kind, config, command, logs };
    let surroundings = surroundings();
    let plan = SpawnPlan { request, surroundings: &surroundings, stdin: Some(input.as_fd()) };
    let spawned = spawn(&plan).unwrap();
    assert!(spawned.stdin.is_none());
    assert_eq!(finish(spawned).text(), "from the file");
}

fn printed_environment(ended: &Ended) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let entries = ended.stdout.split(|&byte| byte == 0).filter(|entry| !entry.is_empty());
    let pairs = entries.map(|entry| {
        let at = entry.iter().position(|&byte| byte == b'=').unwrap();
        (entry[..at].to_vec(), entry[at + 1..].to_vec())
    });
    let all: Vec<_> = pairs.collect();
    let map: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(map.len(), all.len(), "no name twice");
    map
}

#[test]
fn the_environment_is_layered_and_keeps_its_bytes() {
    let mut surroundings = surroundings();
    surroundings.environ = vec![
        (OsString::from_vec(b"BIN\xff".to_vec()), OsString::from_vec(b"\xfe=\x01".to_vec())),
        (OsString::from("SUPERVISOR_ENABLED"), OsString::from("outer")),
        (OsString::from("KEPT"), OsString::from("kept")),
    ];
    let mut config = config("x");
    config.environment = [("KEPT", "a"), ("SUPERVISOR_GROUP_NAME", "mine"), ("KEPT", "b=c")]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec();
    let command = ResolvedCommand {
        filename: "/bin/cat".to_string(),
        argv: ["cat", "/proc/self/environ"].map(String::from).to_vec(),
    };
    let ended = finish(start_in(&surroundings, &config, &command).unwrap());
    let expected: [(&[u8], &[u8]); 6] = [
        (b"BIN\xff", b"\xfe=\x01"),
        (b"KEPT", b"b=c"),
        (b"SUPERVISOR_ENABLED", b"1"),
        (b"SUPERVISOR_GROUP_NAME", b"mine"),
        (b"SUPERVISOR_PROCESS_NAME", b"cat"),
        (b"SUPERVISOR_SERVER_URL", b"unix:///default.sock"),
    ];
    let expected = expected.map(|(name, value)| (name.to_vec(), value.to_vec()));
    assert_eq!(printed_environment(&ended), BTreeMap::from(expected));
}

#[test]
fn a_program_without_any_serverurl_gets_none() {
    let mut surroundings = surroundings();
    surroundings.serverurl = None;
    let script = "echo ${SUPERVISOR_SERVER_URL-unset}";
    let ended = finish(start_in(&surroundings, &config("x"), &shell(script)).unwrap());
    assert_eq!(ended.text(), "unset\n");
    let mut own = config("x");
    own.serverurl = Some("http://own".to_string());
    assert_eq!(run(&own, &shell(script)).text(), "http://own\n");
}

#[test]
fn directory_and_umask_apply() {
    let directory = TempDir::new();
    let mut config = config("x");
    config.directory = Some(directory.root().to_string());
    config.umask = Some(0o027);
    let ended = run(&config, &shell("pwd; umask"));
    assert_eq!(ended.text(), format!("{}\n0027\n", directory.root()));
}

fn assert_not_spawned(ended: &Ended, stage: &str) {
    assert_eq!(ended.status, ExitStatus::Exited(127));
    assert_eq!(ended.text(), "");
    assert_eq!(ended.stderr, format!("{stage}{NOT_SPAWNED}"));
}

#[test]
fn what_fails_after_fork_is_told_on_standard_error() {
    let directory = TempDir::new();
    let plain = config("x");
    let command = |filename: String| ResolvedCommand { argv: vec![filename.clone()], filename };

    let text = directory.file("text", "not a program", 0o755);
    let ended = run(&plain, &command(text.clone()));
    assert_not_spawned(&ended, &format!("supervisor: couldn't exec {text}: ENOEXEC\n"));

    let ended = run(&plain, &command("/no/such".to_string()));
    assert_not_spawned(&ended, "supervisor: couldn't exec /no/such: ENOENT\n");

    let unmarked = directory.file("unmarked", "#!/bin/sh\n", 0o644);
    let ended = run(&plain, &command(unmarked.clone()));
    assert_not_spawned(&ended, &format!("supervisor: couldn't exec {unmarked}: EACCES\n"));

    let argv = vec!["true".to_string(), "x".repeat(1 << 20)];
    let ended = run(&plain, &ResolvedCommand { filename: "/bin/true".to_string(), argv });
    assert_not_spawned(&ended, "supervisor: couldn't exec true: E2BIG\n");

    let mut lost = config("x");
    lost.directory = Some("/no/such".to_string());
    let ended = run(&lost, &shell("echo unreachable"));
    assert_not_spawned(&ended, "supervisor: couldn't chdir to /no/such: ENOENT\n");
}

#[test]
fn a_failure_with_redirected_stderr_lands_in_stdout() {
    let mut redirected = config("x");
    redirected.redirect_stderr = true;
    redirected.directory = Some("/no/such".to_string());
    let ended = run(&redirected, &shell("true"));
    let expected = format!("supervisor: couldn't chdir to /no/such: ENOENT\n{NOT_SPAWNED}");
    assert_eq!(ended.text(), expected);
}

#[test]
fn a_name_in_latin1_reaches_the_system_as_it_is() {
    let (directory, name) = (TempDir::new(), text::decode(b"caf\xe9"));
    let mut there = config("x");
    there.directory = Some(format!("{}/{name}", directory.root()));
    there.environment = vec![("X".to_string(), name)];
    let ended = run(&there, &shell("true"));
    let shown = format!("{}/caf\\udce9", directory.root());
    let words = format!("supervisor: couldn't chdir to {shown}: ENOENT\n");
    assert_not_spawned(&ended, &words);
    fs::create_dir(native::path(there.directory.as_deref().unwrap())).unwrap();
    let ended = run(&there, &shell("echo $X ${PWD##*/}"));
    assert_eq!(ended.stdout, b"caf\xe9 caf\xe9\n");
}

#[test]
fn an_unknown_user_never_runs_as_somebody_else() {
    let mut config = config("x");
    config.uid = Some(4_000_000_001);
    let ended = run(&config, &shell("echo unreachable"));
    let words = "supervisor: couldn't setuid to 4000000001: Can't find uid 4000000001\n";
    assert_not_spawned(&ended, words);
}

#[test]
fn the_user_is_changed_with_all_its_groups() {
    const NOBODY: u32 = 65534;
    let mut config = config("x");
    config.uid = Some(NOBODY);
    let ended = run(&config, &shell("cat /proc/self/status"));
    if !getuid().is_root() {
        let words = "supervisor: couldn't setuid to 65534: Can't drop privilege as nonroot user\n";
        return assert_not_spawned(&ended, words);
    }
    let ChildIdentity::Become { gid, mut groups, .. } = privileges::identity(NOBODY) else {
        panic!("nobody is another user");
    };
    assert_eq!(groups.first(), Some(&gid));
    groups.sort_unstable();
    let list: String = groups.iter().map(|group| format!("{group} ")).collect();
    let all = |id: u32| [id; 4].map(|id| id.to_string()).join("\t");
    assert_eq!(signal_field(ended.text(), "Uid:"), all(NOBODY));
    assert_eq!(signal_field(ended.text(), "Gid:"), all(gid));
    assert_eq!(signal_field(ended.text(), "Groups:"), list.trim());
}

#[test]
fn supplementary_groups_come_from_the_member_lists() {
    let database = fs::read_to_string("/etc/group").unwrap();
    // Some member of some group, if the machine has one.
    let members = database.lines().filter_map(|line| line.rsplit_once(':')).map(|(_, list)| list);
    let Some(member) = members.flat_map(|list| list.split(',')).find(|name| !name.is_empty())
    else {
        assert!(sys::groups_listing(c"nobody").is_empty());
        return;
    };
    let expected: Vec<u32> = database
        .lines()
        .filter_map(|line| {
            let [_, _, gid, list] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
            list.split(',').any(|name| name == member).then(|| gid.parse().ok())?
        })
        .collect();
    assert_eq!(sys::groups_listing(&CString::new(member).unwrap()), expected);
}

#[test]
fn what_cannot_be_passed_is_a_spawn_error() {
    let failed = |config: &ProcessConfig, command: &ResolvedCommand| {
        start_in(&surroundings(), config, command).unwrap_err().0
    };
    let null = "unknown error making arguments for 'cat': embedded null byte";
    assert_eq!(failed(&config("x"), &shell("a\0b")), null);
    let mut odd = config("x");
    odd.directory = Some("/\0".to_string());
    assert_eq!(failed(&odd, &shell("true")), null);
    let mut odd = config("x");
    odd.environment = vec![("A=B".to_string(), "c".to_string())];
    let illegal = "unknown error making arguments for 'cat': illegal environment variable name";
    assert_eq!(failed(&odd, &shell("true")), illegal);
}

#[test]
fn death_by_any_signal_is_reported() {
    for signal in [1, 9, 15, 34, 40, 64] {
        let ended = run_script(&format!("kill -{signal} $$"));
        let ExitStatus::Signaled { signal: reported, .. } = ended.status else {
            panic!("signal {signal} gave {:?}", ended.status);
        };
        assert_eq!(reported, signal);
    }
    assert_eq!(run_script("exit 3").status, ExitStatus::Exited(3));
}

#[test]
fn a_child_killed_right_after_its_start_dies() {
    let command = ResolvedCommand {
        filename: "/bin/sleep".to_string(),
        argv: ["sleep", "600"].map(String::from).to_vec(),
    };
    let (config, surroundings) = (config("x"), surroundings());
    for round in 0..1000 {
        let spawned = start_in(&surroundings, &config, &command).unwrap();
        let (target, signal) = match round % 4 {
            0 => (spawned.pid, 15),
            1 => (-spawned.pid, 15),
            2 => (-spawned.pid, 9),
            _ => (spawned.pid, 1),
        };
        assert_eq!(kill(target, signal), Ok(()), "round {round}");
        let (_, status) = sys::reap(spawned.pid, Patience::UntilExit).unwrap().unwrap();
        let expected = ExitStatus::Signaled { signal, core_dumped: false };
        assert_eq!(exit_status(status), expected, "round {round}");
    }
}

#[test]
fn signals_that_cannot_be_sent_say_why() {
    let ended = run_script("true");
    assert_eq!(kill(ended.pid, 0), Err(KillError::Gone));
    assert_eq!(kill(0, 15), Err(KillError::Gone));
    assert_eq!(kill(-1, 15), Err(KillError::Gone));
    let invalid = Err(KillError::Other("Invalid argument".to_string()));
    assert_eq!(kill(std::process::id() as i32, 4711), invalid);
}

#[test]
fn the_parent_may_make_the_group_too() {
    // What spawn_child relies on: repeating it is no error, and after exec it is refused without harm.
    let spawned = start_in(&surroundings(), &config("x"), &shell("read line")).unwrap();
    let pid = nix::unistd::Pid::from_raw(spawned.pid);
    assert_eq!(nix::unistd::getpgid(Some(pid)).unwrap(), pid);
    assert!(matches!(setpgid(pid, pid), Ok(()) | Err(Errno::EACCES)));
    finish(spawned);
}
