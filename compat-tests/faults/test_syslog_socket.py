"""Lines for syslog: with a daemon, without one, and with one that does not read. Each test has a /dev of its own."""

import os
import re
import socket

import pytest

from harness import WAIT_SECS, wait_for
from scenario import scenario

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root has a /dev of its own")

# A directory in place of /dev: who is outside of the namespace sees it, and the socket in it.
OWN_DEV = """
mkdir -p "$1" && for name in null zero full random urandom tty; do
    : > "$1/$name" && mount --bind "/dev/$name" "$1/$name" || exit 1
done
ln -s /proc/self/fd "$1/fd" && ln -s fd/0 "$1/stdin" && ln -s fd/1 "$1/stdout" && ln -s fd/2 "$1/stderr"
mount --rbind "$1" /dev && shift && exec "$@"
"""
TALKER = """
[program:talker]
command=/bin/sh -c "while read line; do echo $line; done"
stdout_syslog=true
"""
MANY = 3000
FLOOD = f"""
[program:flood]
command=/bin/sh -c "read go; i=0; while [ $i -lt {MANY} ]; do printf '%%01000d\\n' $i; i=$((i+1)); done; exec cat"
stdout_syslog=true
[program:other]
command=/bin/cat
stdout_logfile=%(here)s/other.log
"""


def own_dev(d):
    """What stands before a command that has a /dev of its own."""
    return ("unshare", "-m", "--propagation", "private", "sh", "-c", OWN_DEV, "sh", str(d.root / "dev"))


def listen(d):
    """A syslog daemon."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.settimeout(WAIT_SECS)
    server.bind(str(d.root / "dev" / "log"))
    return server


def receive(server):
    """A message without its time."""
    return re.sub(r"^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d ", r"\1", server.recv(65536).decode())


@scenario(TALKER, start=False)
def test_lines_for_a_daemon(d):
    (d.root / "dev").mkdir()
    with listen(d) as server:
        d.start(wrap=own_dev(d))
        d.rpc("supervisor.sendProcessStdin", "talker", "one\n")
        d.see("line", receive(server))
        d.rpc("supervisor.sendProcessStdin", "talker", "two\n")
        d.see("line", receive(server))
        d.stop()


@scenario(TALKER, start=False, only="ours")
def test_lines_for_nobody_are_counted_and_said(d):
    d.start(wrap=own_dev(d))
    for number in range(20):
        d.rpc("supervisor.sendProcessStdin", "talker", f"line {number}\n" * 100)
    d.wait_log("CRIT could not send to syslog at '/dev/log': .Errno 2. No such file or directory")
    with listen(d) as server:
        def heard():
            d.rpc("supervisor.sendProcessStdin", "talker", "again\n")
            return "takes lines again" in d.log_text()
        wait_for(heard, "the daemon is found")
        while "talker again" not in (line := receive(server)):
            assert re.fullmatch(r"<14>supervisord: talker line \d+", line)
        assert d.stop() == 0
    assert len(d.log_lines("could not send to syslog")) == 1
    [back] = d.log_lines("takes lines again")
    assert int(re.search(r"(\d+) were lost", back)[1]) > 0


@scenario(FLOOD, start=False, only="ours")
def test_a_daemon_that_does_not_read_holds_back_who_prints(d):
    (d.root / "dev").mkdir()
    with listen(d) as server:
        d.start(wrap=own_dev(d))
        d.rpc("supervisor.sendProcessStdin", "flood", "go\n")
        wait_for(lambda: "flood" in receive(server), "the flood has begun")
        d.rpc("supervisor.sendProcessStdin", "other", "hello\n")
        d.wait_file("other.log", "hello")
        lines = [receive(server) for _ in range(1, MANY)]
        assert lines == [f"<14>supervisord: flood {number:01000d}" for number in range(1, MANY)]
        assert d.stop() == 0
    assert not d.log_lines("syslog")
