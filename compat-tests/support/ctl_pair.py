"""Both clients, the reference's `supervisorctl` and ours, beside one daemon: run alike and compared.

Standard output, standard error and exit status have to be equal. Where the reference prints the place of an exception
in Python's library, the place is left out.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

import normalize
from ctl_reference import Reference
from harness import Daemon, binary, finish

# Stopped by SIGKILL, which no program can be too slow for.
FLEET = """
[program:cat]
command=/bin/cat
startsecs=0
stopsignal=KILL
priority=1
[program:idle]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
[program:missing]
command=/no/such/command
autostart=false
startretries=0
[program:directory]
command=/tmp
autostart=false
[program:ended]
command=/bin/sh -c "exit 3"
startsecs=0
autorestart=false
[program:failing]
command=/bin/sh -c "exit 1"
startretries=0
startsecs=20
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0
stopsignal=KILL
[program:talker]
command=/bin/sh -c 'printf "one\\ntwo\\r\\nthr\\303\\251\\342\\202\\254 <&> end"; echo complaint >&2; exec cat'
startsecs=0
stopsignal=KILL
[program:mute]
command=/bin/cat
stdout_logfile=NONE
stderr_logfile=NONE
startsecs=0
stopsignal=KILL
[program:one]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
[program:wörker]
command=/bin/cat
autostart=false
startsecs=0
[group:grp]
programs=one
priority=4
"""
HOLES = re.compile(r": file: \S+ line: \d+$", re.M)


class Row(NamedTuple):
    """One invocation."""

    args: list
    stdin: str = ""
    before: object = None
    any_order: bool = False


class Pair:
    """Both clients beside a daemon, and the differences found."""

    def __init__(self, daemon, reference):
        self.daemon, self.reference = daemon, reference
        self.command = daemon.root / "bin" / "supervisorctl"
        self.command.symlink_to(binary())
        self.differences = []
        self.config = ["-c", str(daemon.config)]

    def run(self, side, row):
        """One client's end: (exit status, stdout, stderr)."""
        argv = [str(self.command), *row.args]
        if side == "python":
            result = self.reference.run(self.daemon.root, argv, self.daemon.env, row.stdin)
        else:
            result = finish(argv, 60, row.stdin, cwd=self.daemon.root, env=self.daemon.env)
        texts = [HOLES.sub(": file: <PLACE>", normalize.text(text, self.daemon.places)) for text in result[1:]]
        # What stands alone on a line is the output of `pid`.
        texts = [re.sub(r"(?m)^[1-9]\d*$", "<PID>", text) for text in texts]
        return result[0], *("\n".join(sorted(text.split("\n"))) if row.any_order else text for text in texts)

    def compare(self, row):
        """Runs a row on both sides, the state made anew before each."""
        ends = []
        for side in ("python", "ours"):
            if row.before:
                row.before(self.daemon)
            ends.append(self.run(side, row))
        if ends[0] != ends[1]:
            self.differences.append(f"{row.args}\n  python {ends[0]!r}\n  ours   {ends[1]!r}")

    def line(self, line, **more):
        """Compares a line given as words to the shell would be."""
        self.compare(Row([*self.config, *line.split(" ")], **more))

    def judge(self):
        """Fails with everything that differed."""
        if self.differences:
            pytest.fail("\n".join([f"{len(self.differences)} differ:", *self.differences]), pytrace=False)


@pytest.fixture(scope="module")
def reference():
    server = Reference()
    yield server
    server.close()


@pytest.fixture
def pair(reference):
    daemon = Daemon("ours")
    made = Pair(daemon, reference)
    yield made
    complaint = daemon.close()
    assert not complaint, complaint


def settle(daemon):
    """Waits until the fleet is where it stays."""
    for name, state in (("cat", "RUNNING"), ("ended", "EXITED"), ("failing", "FATAL"), ("many:many_00", "RUNNING"),
                        ("many:many_01", "RUNNING"), ("mute", "RUNNING"), ("talker", "RUNNING")):
        daemon.wait_state(name, state)


def start_fleet(pair, config=FLEET, **more):
    """Starts the daemon with the fleet."""
    pair.daemon.configure(config, **more)
    daemon = pair.daemon.start()
    settle(daemon)
    daemon.wait_file(Path(daemon.rpc("supervisor.getProcessInfo", "talker")["stderr_logfile"]).name, "complaint")
