"""What our supervisorctl has beyond the reference's: JSON, watching, wildcards, rolling restarts, colours."""

import json
import re
import signal
import subprocess

import pytest

from harness import FORKING, Daemon, binary, finish, popen, wait_for

CONFIG = """
[program:api]
command=/bin/cat
startsecs=0
stopsignal=KILL
[program:web]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=3
startsecs=0
stopsignal=KILL
[program:webhook]
command=/bin/cat
autostart=false
startsecs=0
[program:bad]
command=/no/such/command
autostart=false
startretries=0
"""
RUNNING = ("api", "web:web_0", "web:web_1", "web:web_2")
STATUS_KEYS = ["namespec", "group", "name", "state", "statename", "description", "pid", "exitstatus", "spawnerr", "start", "stop",
               "now", "stdout_logfile", "stderr_logfile"]


@pytest.fixture
def daemon():
    made = Daemon("ours")
    (made.root / "bin" / "supervisorctl").symlink_to(binary())
    made.configure(CONFIG)
    made.start()
    for name in RUNNING:
        made.wait_state(name, "RUNNING")
    yield made
    complaint = made.close()
    assert not complaint, complaint


def command(daemon, line):
    return [str(daemon.root / "bin" / "supervisorctl"), "-c", str(daemon.config), *line.split()]


def run(daemon, line, **more):
    """(exit status, stdout, stderr) of our client."""
    return finish(command(daemon, line), 60, env=daemon.env, cwd=daemon.root, **more)


def names(out):
    """The first field of every line."""
    return [line.split()[0].rstrip(":") for line in out.splitlines()]


def test_status_as_json(daemon):
    status, out, err = run(daemon, "status --json")
    infos = json.loads(out)
    assert (status, err, out.count("\n")) == (3, "", 1)
    assert [info["namespec"] for info in infos] == ["api", "bad", "web:web_0", "web:web_1", "web:web_2", "webhook"]
    assert all(list(info) == STATUS_KEYS for info in infos)
    assert infos[0]["pid"] == daemon.pid_of("api") and infos[0]["statename"] == "RUNNING" and infos[1]["pid"] == 0
    status, out, err = run(daemon, "status api nope --json")
    assert ([info["name"] for info in json.loads(out)], status, err) == (["api"], 4, "nope: ERROR (no such process)\n")
    assert run(daemon, "-s unix:///no/such status --json") == (4, "unix:///no/such no such file\n", "")


def test_pid_as_json(daemon):
    assert json.loads(run(daemon, "pid --json")[1]) == [{"namespec": "supervisord", "pid": daemon.pid}]
    pids = [{"namespec": name, "pid": daemon.pid_of(name)} for name in ("api", "web:web_1", "webhook")]
    status, out, err = run(daemon, "pid --json api web:web_1 webhook nope")
    assert (json.loads(out), status, err) == (pids, 1, "No such process nope\n")
    assert len(json.loads(run(daemon, "pid all --json")[1])) == 6


def test_avail_as_json(daemon):
    status, out, err = run(daemon, "avail --json")
    configs = json.loads(out)
    assert (status, err, len(configs)) == (0, "", 6)
    assert configs[0] == {"namespec": "api", "group": "api", "name": "api", "inuse": True, "autostart": True, "group_prio": 999,
                          "process_prio": 999, "command": "/bin/cat"}


def test_wildcards(daemon):
    every = ["web:web_0", "web:web_1", "web:web_2"]
    assert names(run(daemon, "status web_*")[1]) == every
    assert names(run(daemon, "status w*")[1]) == [*every, "webhook"]
    assert names(run(daemon, "status web*:*")[1]) == [*every, "webhook"]
    assert names(run(daemon, "status web:web_[12] a?i")[1]) == ["web:web_1", "web:web_2", "api"]
    assert run(daemon, "status nope*") == (4, "nope*: ERROR (no such process)\n", "")
    assert run(daemon, "pid *_0")[1] == f"{daemon.pid_of('web:web_0')}\n"
    assert run(daemon, "signal CONT web_[01]") == (0, "web:web_0: signalled\nweb:web_1: signalled\n", "")
    assert run(daemon, "clear web_?") == (0, "".join(f"{name}: cleared\n" for name in every), "")
    assert run(daemon, "stop web_*") == (0, "".join(f"{name}: stopped\n" for name in every), "")
    assert run(daemon, "start web_[0-1]") == (0, "web:web_0: started\nweb:web_1: started\n", "")
    assert run(daemon, "restart *_0") == (0, "web:web_0: stopped\nweb:web_0: started\n", "")
    assert run(daemon, "restart nope*") == (1, "nope*: ERROR (no such process)\n" * 2, "")


def test_rolling_restart(daemon):
    """One at a time, in order; every process is a new one, and the one before it is up when the next one stops."""
    before = {name: daemon.pid_of(name) for name in RUNNING}
    lines = "".join(f"web:web_{n}: stopped\nweb:web_{n}: started\n" for n in range(3))
    assert run(daemon, "restart --rolling web") == (0, lines, "")
    after = {name: daemon.pid_of(name) for name in RUNNING}
    assert after["api"] == before["api"] and all(after[name] != before[name] for name in RUNNING[1:])
    daemon.wait_log(r"stopped: web_2")
    order = [line for line in daemon.log_lines(r"(spawned: 'web_|stopped: web_)")][-6:]
    assert [re.search(r"(spawned|stopped): '?(\w+)", line).groups() for line in order] == [
        (what, f"web_{n}") for n in range(3) for what in ("stopped", "spawned")]
    assert run(daemon, "restart --rolling nope") == (2, "nope: ERROR (no such group)\n", "")
    assert run(daemon, "restart --rolling")[1].startswith("Error: restart requires a process name\n")


def test_rolling_restart_ends_with_the_first_failure(daemon):
    """The second process does not come up again; the third is left alone."""
    script = daemon.write("web.sh", f"#!/bin/sh\n[ $1 = 1 ] && [ -e {daemon.root}/spoiled ] && exit 1\nexec cat\n", 0o755)
    daemon.configure(CONFIG.replace(
        "command=/bin/cat\nprocess_name", f"command={script} %(process_num)d\nstartretries=0\nprocess_name"
    ).replace("numprocs=3\nstartsecs=0", "numprocs=3\nstartsecs=1"))
    assert run(daemon, "update")[0] == 0
    for name in RUNNING:
        daemon.wait_state(name, "RUNNING")
    before = {name: daemon.pid_of(name) for name in RUNNING}
    daemon.write("spoiled", "")
    lines = ("web:web_0: stopped\nweb:web_0: started\nweb:web_1: stopped\nweb:web_1: ERROR (spawn error)\n"
             "web: ERROR (rolling restart ended at web:web_1, 1 not restarted)\n")
    assert run(daemon, "restart --rolling web:*") == (7, lines, "")
    assert daemon.pid_of("web:web_0") != before["web:web_0"] and daemon.pid_of("web:web_2") == before["web:web_2"]


@pytest.mark.parametrize("line,seen", (("status --watch=0.1 api", r"(?s)api .*\n\napi .*\n\napi "),
                                       ("status --watch=0.1 --json api", r"\[\{.*\}\]\n\[\{.*\}\]\n")))
def test_watching(daemon, line, seen):
    out = daemon.root / "watched"
    with open(out, "wb") as stdout:
        client = popen(command(daemon, line), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=daemon.env)
    wait_for(lambda: re.search(seen, out.read_text()), lambda: out.read_text())
    client.send_signal(signal.SIGINT)
    assert client.communicate(timeout=60)[1] == b"" and client.returncode == 0


def test_watching_ends_with_the_daemon(daemon):
    with open(daemon.root / "watched", "wb") as stdout:
        client = popen(command(daemon, "status --watch=0.1"), stdin=subprocess.DEVNULL, stdout=stdout, env=daemon.env)
    wait_for(lambda: "RUNNING" in daemon.read("watched"), "a first look")
    daemon.stop()
    assert client.wait(60) == 4
    assert re.search(r"(refused connection|no such file)\n$", daemon.read("watched"))


def test_watching_goes_on_while_the_daemon_leaves(daemon):
    daemon.stop()
    daemon.configure("[program:stubborn]\ncommand=/bin/cat\nstartsecs=0\nstopsignal=CONT\nstopwaitsecs=3600\n", extra="loglevel=trace")
    daemon.start()
    daemon.wait_state("stubborn", "RUNNING")
    daemon.note_pid("stubborn")
    with open(daemon.root / "watched", "wb") as stdout:
        client = popen(command(daemon, "status --watch=0.1"), stdin=subprocess.DEVNULL, stdout=stdout, env=daemon.env)
    wait_for(lambda: "RUNNING" in daemon.read("watched"), "a first look")
    daemon.rpc("supervisor.shutdown")
    # The client, which asks for its version first, and goes on.
    daemon.wait_log(r"returned fault: \[6\]", 2)
    daemon.kill("stubborn")
    daemon.wait_exit()
    assert client.wait(60) == 4


def test_bad_intervals(daemon):
    for interval in ("x", "", "0", "-1", "nan", "1e9"):
        assert run(daemon, f"status --watch={interval}") == (1, f"Error: bad argument --watch={interval}\n", "")


def on_terminal(daemon, line, **env):
    """What our client writes to a terminal."""
    import pexpect
    with FORKING:
        child = pexpect.spawn(command(daemon, line)[0], command(daemon, line)[1:], env={**daemon.env, **env}, timeout=60,
                              encoding="utf-8")
    out = child.read()
    child.close()
    return out.replace("\r\n", "\n")


def test_colours(daemon):
    """When they are asked for only; `auto` is for terminals that have them, and yields to NO_COLOR."""
    plain = [run(daemon, "status")[1], run(daemon, "--color=auto status")[1], on_terminal(daemon, "status", TERM="xterm"),
             on_terminal(daemon, "status", TERM="xterm", CLICOLOR_FORCE="1", NO_COLOR="1"),
             on_terminal(daemon, "--color=auto status", TERM="xterm", NO_COLOR="1"),
             on_terminal(daemon, "--color=auto status", TERM="dumb")]
    asked = [run(daemon, "--color=always status")[1], on_terminal(daemon, "--color=auto status", TERM="xterm"),
             on_terminal(daemon, "status", TERM="dumb", CLICOLOR_FORCE="1")]
    daemon.config.write_text(daemon.config.read_text(encoding="utf-8") + "[supervisorctl]\ncolor=auto\n", encoding="utf-8")
    plain += [run(daemon, "status")[1], on_terminal(daemon, "--color=never status", TERM="xterm")]
    asked += [on_terminal(daemon, "status", TERM="xterm")]
    assert all("\x1b" not in text for text in plain)
    for text in asked:
        assert "\x1b[32mRUNNING   \x1b[0m" in text and "STOPPED   Not started" in text
    without_times = [re.sub(r"\d+:\d\d:\d\d", "", re.sub(r"\x1b\[\d+m", "", text)) for text in (*plain, *asked)]
    assert len(set(without_times)) == 1
    assert "\x1b" not in on_terminal(daemon, "--color=always status --json", TERM="xterm")
