"""`supervisorctl reopen`: logs that something else has renamed are begun anew, without a signal. Ours alone has it."""

import xmlrpc.client

import pytest

from harness import finish
from terminals import CREDENTIALS, LOCKED, client_of, served

ECHO = """/bin/sh -c 'while read line; do echo "$line"; echo "$line" >&2; done'"""
CONFIG = f"""
[program:web]
command={ECHO}
stdout_logfile=%(here)s/logs/web.out
stderr_logfile=%(here)s/logs/web.err
priority=1
startsecs=0
[program:many]
command={ECHO}
process_name=%(program_name)s_%(process_num)d
numprocs=2
stdout_logfile=%(here)s/logs/%(program_name)s_%(process_num)d.out
stderr_logfile=NONE
priority=2
startsecs=0
[program:wörker]
command={ECHO}
stdout_logfile=%(here)s/logs/wörker.out
priority=3
startsecs=0
[program:idle]
command={ECHO}
stdout_logfile=%(here)s/logs/idle.out
autostart=false
priority=4
"""
RUNNING = {"web": "logs/web.out", "many:many_0": "logs/many_0.out", "many:many_1": "logs/many_1.out",
           "wörker": "logs/wörker.out"}
EVERYTHING = "".join(f"{name}: reopened\n" for name in ("supervisord", *RUNNING, "idle"))
NOT_KNOWN = "ERROR: this supervisord does not know reopen; SIGUSR2 makes it reopen all its logs\n"


def made(config=CONFIG, **more):
    return served(config, directories=("logs",), **more)


@pytest.fixture
def daemon():
    with made() as ours:
        for name in RUNNING:
            ours.wait_state(name, "RUNNING")
            say(ours, name, "before")
        ours.wait_file("logs/web.err", "before")
        yield ours


def run(daemon, *words):
    """(exit status, stdout, stderr) of our client."""
    command = [client_of(daemon, "ours"), "-c", daemon.config, *words]
    return finish(command, 60, env=daemon.env, cwd=daemon.root)


def say(daemon, name, text):
    """Has a program print a line, and waits until it is in its log, whatever that is called by now."""
    log = RUNNING[name]
    moved = (daemon.root / f"{log}.1").exists()
    daemon.rpc("supervisor.sendProcessStdin", name, f"{text}\n")
    daemon.wait_file(log if (daemon.root / log).exists() or not moved else f"{log}.1", text)


def rename(daemon, *names):
    """What logrotate does."""
    for name in names:
        (daemon.root / name).rename(daemon.root / f"{name}.1")


def exist(daemon, *names):
    return [name for name in names if (daemon.root / name).exists()]


def test_only_the_logs_of_the_one_that_is_named(daemon):
    """Both of them, before the client is told; the other programs go on in the renamed ones."""
    everybodys = [*RUNNING.values(), "logs/web.err", "main.log"]
    rename(daemon, *everybodys)
    assert run(daemon, "reopen", "web") == (0, "web: reopened\n", "")
    assert sorted(exist(daemon, *everybodys)) == ["logs/web.err", "logs/web.out"]
    for name in RUNNING:
        say(daemon, name, "after")
    daemon.wait_file("logs/web.err", "after")
    for name in ("logs/web.out", "logs/web.err"):
        assert (daemon.read(name), daemon.read(f"{name}.1")) == ("after\n", "before\n")
    for name in ("logs/many_0.out", "logs/many_1.out", "logs/wörker.out"):
        assert daemon.read(f"{name}.1") == "before\nafter\n"


def test_names_that_are_no_ascii_groups_and_patterns(daemon):
    rename(daemon, *RUNNING.values())
    assert run(daemon, "reopen", "wörker") == (0, "wörker: reopened\n", "")
    assert exist(daemon, *RUNNING.values()) == ["logs/wörker.out"]
    assert run(daemon, "reopen", "many:*") == (0, "many:many_0: reopened\nmany:many_1: reopened\n", "")
    assert exist(daemon, *RUNNING.values()) == ["logs/many_0.out", "logs/many_1.out", "logs/wörker.out"]
    rename(daemon, "logs/many_0.out", "logs/many_1.out")
    assert run(daemon, "reopen", "*_1", "web") == (0, "many:many_1: reopened\nweb: reopened\n", "")
    assert exist(daemon, *RUNNING.values()) == ["logs/web.out", "logs/many_1.out", "logs/wörker.out"]
    for name in ("web", "many:many_1", "wörker"):
        say(daemon, name, "after")
        assert daemon.read(RUNNING[name]) == "after\n"


@pytest.mark.parametrize("line", (["reopen"], ["reopen", "all"], ["reopen", "nope", "all"]))
def test_all_and_the_main_log(daemon, line):
    """As SIGUSR2 does, which the old main log tells in the same words."""
    everybodys = [*RUNNING.values(), "main.log"]
    rename(daemon, *everybodys)
    assert run(daemon, *line) == (0, EVERYTHING, "")
    assert exist(daemon, *everybodys) == everybodys
    for name in RUNNING:
        say(daemon, name, "after")
        assert (daemon.read(RUNNING[name]), daemon.read(f"{RUNNING[name]}.1")) == ("after\n", "before\n")
    assert daemon.read("main.log.1").endswith("INFO supervisord logreopen\n")
    daemon.rpc("supervisor.stopProcess", "web")
    daemon.wait_log("stopped: web")
    assert "logreopen" not in daemon.log_text()


def test_with_nothing_configured():
    with made("") as daemon:
        rename(daemon, "main.log")
        assert run(daemon, "reopen") == (0, "supervisord: reopened\n", "")
        assert exist(daemon, "main.log") == ["main.log"]


def test_who_does_not_exist_or_run(daemon):
    rename(daemon, "logs/web.out")
    assert run(daemon, "reopen", "nope") == (1, "nope: ERROR (no such process)\n", "")
    assert run(daemon, "reopen", "nope:*") == (1, "nope: ERROR (no such group)\n", "")
    assert run(daemon, "reopen", "many") == (1, "many: ERROR (no such process)\n", "")
    assert run(daemon, "reopen", "many:nope") == (1, "many:nope: ERROR (no such process)\n", "")
    assert exist(daemon, "logs/web.out") == []
    # The others are not left out for it.
    assert run(daemon, "reopen", "nöpe", "web") == (1, "nöpe: ERROR (no such process)\nweb: reopened\n", "")
    assert exist(daemon, "logs/web.out") == ["logs/web.out"]
    # It has no log open, and opens it when it starts.
    assert run(daemon, "reopen", "idle") == (0, "idle: reopened\n", "")
    assert exist(daemon, "logs/idle.out") == []


def test_a_log_that_cannot_be_opened(daemon):
    """The program goes on in the old file, and the client is told."""
    (daemon.root / "logs").rename(daemon.root / "elsewhere")
    assert run(daemon, "reopen", "web") == (1, "web: ERROR (failed)\n", "")
    daemon.wait_log("goes on into the old file")
    daemon.rpc("supervisor.sendProcessStdin", "web", "after\n")
    daemon.wait_file("elsewhere/web.out", "before\nafter\n")
    (daemon.root / "logs").mkdir()
    assert run(daemon, "reopen", "web") == (0, "web: reopened\n", "")
    assert exist(daemon, "logs/web.out", "logs/many_0.out") == ["logs/web.out"]


def fault(daemon, method, *args):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        daemon.rpc(method, *args)
    return caught.value.faultCode, caught.value.faultString


def test_the_interface_of_the_reference_stays_as_it_is(daemon):
    """The method has a namespace of its own that nothing lists."""
    assert {name.split(".")[0] for name in daemon.rpc("system.listMethods")} == {"supervisor", "system"}
    assert fault(daemon, "supervisor.reopenLogs", "web") == (1, "UNKNOWN_METHOD")
    assert fault(daemon, "supervisord_rs.getState") == (1, "UNKNOWN_METHOD")
    assert fault(daemon, "supervisord_rs.reopenLogs", "nope") == (10, "BAD_NAME: nope")
    assert fault(daemon, "supervisord_rs.reopenLogs", "web", "idle") == (2, "INCORRECT_PARAMETERS")
    assert fault(daemon, "supervisord_rs.reopenLogs", 1) == (2, "INCORRECT_PARAMETERS")
    wanted = [{"name": "web", "group": "web", "status": 80, "description": "OK"}]
    assert daemon.rpc("supervisord_rs.reopenLogs", "web") == wanted
    call = {"methodName": "supervisord_rs.reopenLogs", "params": ["many:"]}
    assert [result["name"] for result in daemon.rpc("system.multicall", [call])[0]] == ["many_0", "many_1"]


def test_a_password_is_wanted_here_too():
    username, password = CREDENTIALS
    with made(base=LOCKED) as daemon:
        daemon.wait_state("web", "RUNNING")
        daemon.wait_file("logs/web.out")
        rename(daemon, "logs/web.out")
        status, out, err = run(daemon, "reopen", "web")
        assert (status, err, out.splitlines()[0]) == (1, "", "Server requires authentication")
        assert exist(daemon, "logs/web.out") == []
        assert run(daemon, "-u", username, "-p", password, "reopen", "web") == (0, "web: reopened\n", "")
        assert exist(daemon, "logs/web.out") == ["logs/web.out"]


def test_a_daemon_that_does_not_know_it():
    """The reference; it is told once, whatever is named."""
    with made(side="python") as daemon:
        for words in ([], ["all"], ["web"], ["web", "nope", "many:*"]):
            assert run(daemon, "reopen", *words) == (1, NOT_KNOWN, "")


def test_help(daemon):
    """The list of actions is the reference's; who knows the name is told."""
    status, out, err = run(daemon, "help", "reopen")
    assert (status, err) == (0, "") and all(line.startswith("reopen") for line in out.splitlines())
    assert "reopen" not in run(daemon, "help")[1]
