"""The start of the daemon: signals between its phases, daemonizing, the pid file, reaping, the locale."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from building import example
from harness import WAIT_SECS, wait_for

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR2)


class Probe:
    def __init__(self, tmp_path, directory="foreground", command=(), **options):
        self.report, self.pidfile = tmp_path / "report", tmp_path / "probe.pid"
        self.report.touch()
        arguments = [str(self.report), str(self.pidfile), str(directory)]
        self.process = subprocess.Popen([*command, example("daemon_probe"), *arguments], stdin=subprocess.PIPE, **options)
        self.wait_for("taken over")

    def lines(self):
        return self.report.read_text().splitlines()

    def wait_for(self, line):
        wait_for(lambda: line in self.lines(), lambda: f"{line!r} among {self.lines()}", pause=0.01)

    def go_on(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.close()

    def daemon_pid(self):
        return int(self.pidfile.read_text())

    def end(self):
        """Ends the probe as its user would, unless it has ended."""
        try:
            pid = self.daemon_pid()
        except (OSError, ValueError):
            pid = self.process.pid
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(WAIT_SECS)


@pytest.fixture
def start(tmp_path):
    probes = []

    def start(**options):
        probes.append(Probe(tmp_path, **options))
        return probes[-1]

    yield start
    for probe in probes:
        probe.end()


def reported(lines):
    return sorted(int(line.split()[1]) for line in lines if line.startswith("signal "))


def test_no_early_signal_is_lost_and_repetitions_are_one(start):
    probe = start()
    for number in SIGNALS * 3:
        os.kill(probe.process.pid, number)
    probe.go_on()
    for number in SIGNALS:
        probe.wait_for(f"signal {int(number)}")
    os.kill(probe.process.pid, signal.SIGTERM)
    assert probe.process.wait(20) == 0
    assert reported(probe.lines()) == sorted([*map(int, SIGNALS), 15])
    assert not probe.pidfile.exists()


def test_signals_sent_before_daemonizing_reach_the_daemon(start, tmp_path):
    probe = start(directory=tmp_path)
    for number in SIGNALS:
        os.kill(probe.process.pid, number)
    probe.go_on()
    assert probe.process.wait(20) == 0
    for number in SIGNALS:
        probe.wait_for(f"signal {int(number)}")


def test_daemonizing(start, tmp_path):
    probe = start(directory=tmp_path)
    probe.go_on()
    assert probe.process.wait(20) == 0
    probe.wait_for("watching")
    pid = probe.daemon_pid()
    assert pid != probe.process.pid
    assert os.getsid(pid) == os.getpgid(pid) == pid
    assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3
    assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path)
    assert "Umask:\t0027" in Path(f"/proc/{pid}/status").read_text()
    assert probe.lines()[-5:] == [
        "supervisord forked; parent exiting",
        "daemonizing the supervisord process",
        f"set current directory: {str(tmp_path)!r}",
        f"supervisord started with pid {pid}",
        "watching",
    ]


def test_a_directory_that_cannot_be_entered_stops_nothing(start):
    probe = start(directory="/no/such")
    probe.go_on()
    probe.wait_for("watching")
    assert "can't chdir into '/no/such': [Errno 2] No such file or directory: '/no/such'" in probe.lines()


def test_hangup_works_under_nohup(start):
    probe = start(command=["sh", "-c", 'trap "" HUP CHLD; exec "$@"', "sh"])
    os.kill(probe.process.pid, signal.SIGHUP)
    probe.go_on()
    probe.wait_for("signal 1")


def test_dispositions_of_the_daemon(start):
    probe = start()
    status = dict(line.split(":\t") for line in Path(f"/proc/{probe.process.pid}/status").read_text().splitlines() if ":\t" in line)
    assert int(status["SigIgn"], 16) & 0x7FFFFFFF == 0x1001000
    assert int(status["SigBlk"], 16) == sum(1 << (number - 1) for number in (*SIGNALS, signal.SIGTERM, signal.SIGCHLD))


def test_children_are_reaped_however_they_end(start):
    # exec leaves the probe two children behind, one of which will be killed by a signal that has no name.
    reader, writer = os.pipe()
    script = (
        "import os, sys\n"
        "for last in ('os._exit(3)', 'os.kill(os.getpid(), 40)'):\n"
        f"    if not os.fork(): os.close({writer}); os.read({reader}, 1); exec(last)\n"
        f"os.close({reader}); os.close({writer}); os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    probe = start(command=[sys.executable, "-c", script], pass_fds=[reader, writer])
    os.close(reader)
    probe.go_on()
    probe.wait_for("watching")
    os.close(writer)
    probe.wait_for("exit status 3")
    probe.wait_for("terminated by signal 40")


LOCALES = [
    {},
    {"LANG": "C"},
    {"LANG": "POSIX"},
    {"LANG": "xx_YY.UTF-8"},
    {"LANG": "C.UTF-8"},
    {"LC_CTYPE": "C", "LANG": "C.UTF-8"},
    {"LC_CTYPE": "", "LANG": "xx"},
    {"LC_CTYPE": "xx", "LANG": "C.UTF-8"},
    {"LC_ALL": ""},
    {"LC_ALL": "C"},
    {"LC_ALL": "xx"},
    {"PYTHONCOERCECLOCALE": "0"},
]


@pytest.mark.parametrize("env", LOCALES, ids=str)
def test_programs_inherit_the_locale_python_would_give_them(start, env):
    probe = start(env=env)
    script = "import os; print(os.environ.get('LC_CTYPE'))"
    expected = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout.strip()
    got = [line.split(" ", 1)[1] for line in probe.lines() if line.startswith("LC_CTYPE ")]
    assert got == ([] if expected == "None" else [expected])
