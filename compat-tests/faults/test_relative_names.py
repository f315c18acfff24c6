"""Relative names of the daemon's own mean what they meant where it was started, whatever directory it goes to."""

import contextlib
import os
import signal

from harness import SCRIPTS, binary, finish, wait_for
from scenario import scenario

# Only the names of the daemon are relative; `work` is where it goes.
CONFIG = """\
[unix_http_server]
file=s.sock
[supervisord]
logfile=main.log
pidfile=s.pid
{extra}
[include]
files=etc/*.inc
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://s.sock
"""
SPEAKER = "[program:{}]\ncommand=/bin/sh -c 'echo said something; exec sleep 1000'\n"


@contextlib.contextmanager
def in_the_background(d, extra, *args):
    """A daemon with the relative configuration d.conf, below a root with `work`, `logs` and `etc`."""
    for name in ("work", "logs", "etc"):
        (d.root / name).mkdir()
    d.write("d.conf", CONFIG.format(extra=extra))
    d.write("etc/p.inc", SPEAKER.format("p"))
    d.start("-c", "d.conf", *args, options=(), config=False)
    try:
        assert os.readlink(f"/proc/{d.pid}/cwd") == str(d.root / "work")
        yield
    finally:
        os.kill(d.pid, signal.SIGTERM)
        os.waitpid(d.pid, 0)


def names(d):
    """Where the daemon's files are, below its root."""
    found = [path for path in d.root.rglob("*") if path.suffix in (".log", ".sock", ".pid")]
    return sorted(str(path.relative_to(d.root)).split("---")[0] for path in found)


def said(d, name):
    """Waits for what a program says in its automatic log, which the client can read."""
    wait_for(lambda: d.outcome("readProcessStdoutLog", name, 0, 0) == "said something\n",
             lambda: f"{d.outcome('readProcessStdoutLog', name, 0, 0)}: {d.log_text()}")


@scenario(config=None, start=False)
def test_childlogdir(d):
    with in_the_background(d, "directory=work\nchildlogdir=logs"):
        said(d, "p")
        d.see("files", names(d))


@scenario(config=None, start=False)
def test_childlogdir_of_the_command_line(d):
    with in_the_background(d, "", "-d", "work", "-q", "logs"):
        said(d, "p")
        d.see("files", names(d))


@scenario(config=None, start=False, only="ours")
def test_automatic_logs_of_groups_added_later(d):
    """To the reference `logs` and `etc` are in the new directory now."""
    with in_the_background(d, "directory=work\nchildlogdir=logs"):
        d.write("etc/q.inc", SPEAKER.format("q"))
        assert d.rpc("supervisor.reloadConfig") == [[["q"], [], []]]
        assert d.rpc("supervisor.addProcessGroup", "q") is True
        said(d, "q")
        assert d.rpc("supervisor.readLog", 0, 30) != ""
        assert [name for name in names(d) if "q-" in name] == ["logs/q-stderr", "logs/q-stdout"]


@scenario(config=None, start=False, only="ours")
def test_restart(d):
    """The reference does not find its configuration again, and ends with everything it runs."""
    with in_the_background(d, "directory=work\nchildlogdir=logs"):
        said(d, "p")
        before = names(d)
        d.write("etc/q.inc", SPEAKER.format("q"))
        assert d.rpc("supervisor.restart") is True
        d.wait_log("supervisord started with pid", count=2)
        wait_for(d.answers, d.log_text)
        said(d, "p")
        said(d, "q")
        assert names(d) == sorted([*before, "logs/q-stderr", "logs/q-stdout"])


@scenario(config=None, start=False, only="ours")
def test_restart_with_names_of_the_command_line(d):
    options = ("-d", "work", "-q", "logs", "-l", "logs/main.log", "-j", "logs/s.pid")
    with in_the_background(d, "", *options):
        d.log = d.root / "logs" / "main.log"
        said(d, "p")
        assert d.rpc("supervisor.restart") is True
        wait_for(lambda: d.read("logs/main.log").count("supervisord started with pid") == 2, lambda: d.read("logs/main.log"))
        wait_for(d.answers, lambda: d.read("logs/main.log"))
        said(d, "p")
        assert names(d) == ["logs/main.log", "logs/p-stderr", "logs/p-stdout", "logs/s.pid", "s.sock"]


@scenario(config=None, start=False)
def test_names_of_programs_begin_where_the_daemon_works(d):
    """Logs, commands and directories of programs are relative to `directory=`, which users rely on."""
    with in_the_background(d, "directory=work\nchildlogdir=logs"):
        d.write("work/here/say", "#!/bin/sh\npwd\nexec sleep 1000\n", mode=0o755)
        d.write("work/here/here/say", "#!/bin/sh\npwd\nexec sleep 1000\n", mode=0o755)
        where = "d.conf" if d.side == "ours" else "work/d.conf"  # the reference looks there for it now
        d.write(where, CONFIG.replace("[include]\nfiles=etc/*.inc\n", "").format(extra="") + (
            "[program:r]\ncommand=here/say\ndirectory=here\nstdout_logfile=r.log\n"))
        d.call("reloadConfig")
        d.call("addProcessGroup", "r")
        d.wait_file("work/r.log", "\n")
        d.see("r.log", d.read("work/r.log"))
        d.see("logfile", d.rpc("supervisor.getProcessInfo", "r")["stdout_logfile"])


def test_names_of_the_client(tmp_path):
    """The client stays where it is: both read the same files."""
    (tmp_path / "c.conf").write_text("[supervisorctl]\nserverurl=unix://a/../s.sock\nhistory_file=h\n")
    outputs = []
    for command in ([SCRIPTS / "supervisorctl"], [binary(), "ctl"]):
        for args in (["-c", "c.conf"], ["-s", "unix://s.sock"], ["-c", "none.conf"]):
            status, out, err = finish([*command, *args, "pid"], 60, cwd=tmp_path)
            outputs.append((status, out, err.split("\n")[0]))
    assert outputs[:3] == outputs[3:]
    assert outputs[0] == (7, f"unix://{tmp_path}/s.sock no such file\n", "")
