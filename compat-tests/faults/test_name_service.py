"""A name service that does not answer: a FIFO over /etc/group or /etc/passwd, in a mount namespace of the daemon's own."""

import contextlib
import os
import platform
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from harness import command, wait_for
from scenario import scenario

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root has a mount namespace of its own")

OTHERS = 5
OWN_MOUNTS = ("unshare", "-m", "--propagation", "private")
CONFIG = """
[program:other]
command=/bin/cat
process_name=other%(process_num)d
numprocs=5
startsecs=0
[program:user]
command=/bin/sh -c "grep Groups: /proc/self/status; exec cat" a-secret
environment=LD_PRELOAD="/no/such/library.so"
user=nobody
startsecs=0
autorestart=false
stdout_logfile=%(here)s/user.log
"""


@pytest.fixture(autouse=True)
def patience():
    """No call waits for ever: a daemon that hangs fails its test."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)
    yield
    socket.setdefaulttimeout(before)


def over(path, fifo):
    """What stands before a command that finds a FIFO in place of a file."""
    return (*OWN_MOUNTS, "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", str(fifo), path)


@contextlib.contextmanager
def released(fifo):
    """Lets whoever waits for the file go on. (The C library finds that it cannot seek in it, and does without.)"""
    writer = os.open(fifo, os.O_RDWR)
    try:
        yield
    finally:
        os.close(writer)


def waits_for_a_file(pid):
    """Whether a thread of the process is held up in openat(2)."""
    held = {"x86_64": "257", "aarch64": "56"}[platform.machine()]
    return any(path.read_text().split()[0] == held for path in Path(f"/proc/{pid}/task").glob("*/syscall"))


def others(d):
    """The pids of the programs without a user."""
    return [d.pid_of(f"other:other{number}") for number in range(OTHERS)]


def hang(d):
    """Starts the daemon with a FIFO for /etc/group, and waits for the program that hangs there; returns its pid."""
    os.mkfifo(d.root / "group")
    d.start(wrap=over("/etc/group", d.root / "group"))
    d.wait_log("spawned: 'user' with pid")
    return d.pid_of("user")


@scenario(CONFIG, start=False)
def test_groups_that_nobody_tells(d):
    pid = hang(d)
    before = others(d)
    for other in before:
        os.kill(other, signal.SIGKILL)
    wait_for(lambda: d.nudge() or (all(others(d)) and not set(others(d)) & set(before)), "the others are started again")
    d.see("status", d.rpc("supervisor.getProcessInfo", "user")["statename"])
    d.ctl("avail")
    d.see("it hangs in its child", d.read("user.log"))
    with released(d.root / "group"):
        d.see("groups", d.wait_file("user.log", "Groups:.*\n"))
    assert d.pid_of("user") == pid
    assert os.getpgid(pid) == pid
    d.see("command", command(pid).split(b"\0")[0].decode())


@scenario(CONFIG, start=False, only="ours")
def test_who_hangs_can_be_stopped(d):
    pid = hang(d)
    assert command(pid) == b"supervisord-become\0user\0"
    environ = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"/no/such/library.so" not in environ and b"SUPERVISOR_PROCESS_NAME" not in environ
    assert d.ctl("stop", "user", see=False)[1] == "user: stopped\n"
    assert d.log_lines("stopped: user") == ["<TIME> WARN stopped: user (terminated by SIGTERM)"]


@scenario(CONFIG, start=False, only="ours")
def test_a_reread_that_hangs_holds_up_no_log(d):
    d.start(wrap=OWN_MOUNTS)
    d.wait_file("user.log", "Groups")
    fifo = d.root / "passwd"
    os.mkfifo(fifo)
    subprocess.run(["nsenter", "-t", str(d.pid), "-m", "mount", "--bind", str(fifo), "/etc/passwd"], check=True)
    answers = []
    reread = threading.Thread(target=lambda: answers.append(d.outcome("reloadConfig")))
    reread.start()
    try:
        wait_for(lambda: waits_for_a_file(d.pid), "the reread asks for the user")
        d.rpc("supervisor.sendProcessStdin", "user", "hello\n")
        wait_for(lambda: "hello" in (d.root / "user.log").read_text(), "the log is written")
        assert d.ctl("tail", "user", see=False)[1].endswith("hello\n\n")
        assert not answers
    finally:
        with released(fifo):
            reread.join(60)
    assert answers


@scenario("""
[program:user]
command=/bin/sh -c "id -u; id -G"
user=nobody
startsecs=0
autorestart=false
stdout_logfile=%(here)s/user.log
[program:home]
command=/bin/sh -c "id"
user=nobody
directory=%(here)s/secret
startsecs=0
autorestart=false
stderr_logfile=%(here)s/home.log
""", start=False)
def test_without_proc_the_daemon_asks(d):
    # The daemon cannot execute itself there.
    os.mkdir(d.root / "secret", 0o700)
    hide = 'mount -t tmpfs none /proc && exec "$@"'
    d.start(wrap=(*OWN_MOUNTS, "sh", "-c", hide, "sh"), ready=False)
    d.see("user", d.wait_file("user.log", r"\d\n.*\d\n"))
    d.see("words", d.wait_file("home.log", "not spawned"))
