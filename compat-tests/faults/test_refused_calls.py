"""System calls that a machine refuses: threads, and whatever is newer than the machine; and a start that fails."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

import deny_calls
from harness import Daemon, binary, finish, wait_for
from scenario import scenario

pytestmark = pytest.mark.skipif(not deny_calls.NUMBERS, reason="the numbers of this machine's system calls are not listed")

TALKER = """
[program:talker]
command=/bin/sh -c "while read line; do echo $line; done"
stdout_logfile=%(here)s/talker.log
"""


def denying(error, *names):
    """What stands before a command whose system calls fail."""
    return [sys.executable, deny_calls.__file__, error, ",".join(names)]


def talk(d, line):
    """Has the program print a line, and waits until it is in its log."""
    d.rpc("supervisor.sendProcessStdin", "talker", line + "\n")
    wait_for(lambda: line in d.rpc("supervisor.readProcessStdoutLog", "talker", 0, 0), f"{line!r} in the log")


@scenario(TALKER, start=False)
def test_no_threads(d):
    d.start(wrap=denying("EPERM", "threads"))
    d.wait_state("talker", "RUNNING")
    talk(d, "hello")
    d.ctl("tail", "talker")
    d.ctl("reread")
    d.rpc("supervisor.restart")
    d.wait_log("received SIGTERM|supervisord started with pid", count=2)
    d.wait_ready()
    d.wait_state("talker", "RUNNING")
    talk(d, "again")
    d.see("exit", d.stop())
    d.see("its log", Path(d.root / "talker.log").read_text())
    d.see("spawned", len(d.log_lines("spawned: 'talker'")))
    d.expect("said once a life", len(d.log_lines("cannot start a thread")), 0, 2)


@scenario(TALKER, start=False)
def test_no_threads_in_the_background(d):
    d.start(wrap=denying("EPERM", "threads"), options=(), ready=False)
    d.see("exit of the parent", d.wait_exit())
    d.wait_ready()
    pid = d.pid = d.rpc("supervisor.getPID")
    try:
        d.wait_state("talker", "RUNNING")
        talk(d, "hello")
    finally:
        os.kill(pid, signal.SIGTERM)
        d.see("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    d.see("lines", len(d.log_lines("spawned: 'talker'")))
    d.see("stderr", Daemon.without_warning(d.read("stderr")))


@scenario("""
[program:stuck]
command=/bin/sh -c "i=0; while [ $i -lt 20000 ]; do echo line $i of many; i=$((i+1)); done; exec sleep 1000"
stdout_logfile=%(here)s/fifo
stdout_logfile_maxbytes=0
""" + TALKER, start=False, only="ours")
def test_no_threads_and_a_fifo_nobody_reads(d):
    os.mkfifo(d.root / "fifo")
    d.start(wrap=denying("EPERM", "threads"))
    talk(d, "hello")
    with open(d.root / "fifo", encoding="ascii") as fifo:
        lines = [fifo.readline() for _ in range(20000)]
    assert lines == [f"line {i} of many\n" for i in range(20000)]
    assert d.stop() == 0


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_recent_calls(error):
    d = Daemon("ours")
    try:
        user = "user=nobody\n" if os.getuid() == 0 else ""
        d.configure(TALKER + user)
        d.start(wrap=denying(error, *deny_calls.RECENT))
        d.wait_state("talker", "RUNNING")
        for number in range(20):
            talk(d, f"line {number}")
        assert d.ctl("tail", "talker", see=False)[1].endswith("line 19\n\n")
        assert d.ctl("restart", "talker", see=False)[1] == "talker: stopped\ntalker: started\n"
        assert len(os.listdir(f"/proc/{d.pid_of('talker')}/fd")) == 3
        client = [*denying(error, "threads", *deny_calls.RECENT), binary(), "ctl", "-c", d.config]
        for words in (["status"], ["tail", "talker"], ["restart", "talker"]):
            assert finish([*client, *words], 60, cwd=d.root, env=d.env)[::2] == (0, ""), words
        assert d.ctl("signal", "KILL", "talker", see=False)[0] == 0
        d.wait_log("spawned: 'talker'", count=4)
        status, form, _ = d.http("GET /api/v1/status HTTP/1.0\r\n\r\n", see=False)
        assert status.endswith("200 OK"), (status, form)
        assert d.stop() == 0
        assert d.read("stderr") == ""
    finally:
        complaint = d.close()
    assert complaint is None, complaint


@pytest.mark.parametrize("options", [("-n",), ()])
def test_a_start_that_fails_is_said(options):
    d = Daemon("ours")
    try:
        d.configure(TALKER)
        words = [*denying("EPERM", "epoll_create1"), d.executable, "-c", d.config, *options]
        status, _, stderr = finish(words, 60, cwd=d.root, env=d.env)
        assert status == 2
        assert stderr.startswith("Error: the daemon cannot go on: Operation not permitted"), stderr
        assert re.search("CRIT the daemon cannot go on: Operation not permitted", d.read("main.log"))
        assert not (d.root / "s.pid").exists() and not d.socket.exists()
    finally:
        complaint = d.close()
    assert complaint is None, complaint


def test_the_process_that_was_started_leaves_when_the_daemon_is_there():
    d = Daemon("ours")
    try:
        d.configure(TALKER)
        status, out, stderr = finish([d.executable, "-c", d.config], 60, cwd=d.root, env=d.env)
        assert (status, out, stderr) == (0, "", "")
        pid = int((d.root / "s.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        complaint = d.close()
    assert complaint is None, complaint
