"""The scripts of init systems: what sysv's does in every situation, and that those of OpenRC and launchd are whole.

The sysv script is run as it is, by the shells there are, with another daemon of ours in the place of the installed one.
"""

import contextlib
import os
import plistlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import FORKING, REPO, WAIT_SECS, Daemon, wait_for

PACKAGING = REPO / "packaging"
SYSV = PACKAGING / "sysv" / "supervisord"
SHELLS = [shell for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]
# Who ends a second after it was asked to.
SLOW = "[program:slow]\ncommand=sh -c 'trap \"sleep 1; exit 0\" TERM; while :; do sleep 0.1; done'\nstopasgroup=false\nkillasgroup=true\n"
# Who does not end at all.
STUBBORN = "[program:stubborn]\ncommand=sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'\nstopwaitsecs=100\nkillasgroup=true\n"


class Script:
    """The script with a daemon's directory in the place of the system's."""

    def __init__(self, shell, daemon, defaults=""):
        self.shell, self.daemon = shell, daemon
        settings = f"DAEMON={daemon.executable}\nCONFIG={daemon.config}\nPIDFILE={daemon.root}/s.pid\nOPTIONS='-i sysv'\n"
        self.defaults = daemon.write("defaults", settings + defaults)

    def __call__(self, *words):
        env = {**self.daemon.env, "SUPERVISORD_DEFAULTS": str(self.daemon.root / "defaults")}
        with FORKING:
            script = subprocess.Popen([*self.shell, SYSV, *words], env=env, cwd=self.daemon.root, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _ = script.communicate(timeout=WAIT_SECS)
        return script.returncode, re.sub(r"\d+", "N", said.replace(str(self.daemon.root), "ROOT"))

    def pid(self):
        return int((self.daemon.root / "s.pid").read_text())


@contextlib.contextmanager
def driven(side, shell):
    """The script with a daemon of a side that it may start; nothing runs after it."""
    daemon = Daemon(side)
    daemon.configure(SLOW)
    script = Script(shell, daemon)
    try:
        yield script
    finally:
        script("force-stop")
        assert daemon.close() is None


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def script(request):
    with driven("ours", request.param) as script:
        yield script


@pytest.fixture(params=SHELLS[:1], ids=lambda shell: shell[0])
def reference_script(request):
    """The same with Supervisor's daemon."""
    with driven("python", request.param) as script:
        yield script


def gone(pid):
    """Whether a process has ended. We inherit daemons, so that they stay zombies."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def programs(script):
    """Pids of what the daemon runs."""
    with open(f"/proc/{script.pid()}/task/{script.pid()}/children") as children:
        return [int(pid) for pid in children.read().split()]


def walk(script):
    """From nothing through start, restart and stop to nothing."""
    assert script("status") == (3, "supervisord: not running\n")
    assert script("stop") == (0, "supervisord: not running\n")
    assert script("reload") == (7, "supervisord: not running\n")
    assert script("try-restart") == (0, "")
    assert script("start") == (0, "supervisord: started (pid N)\n")
    first = script.pid()
    assert script("status") == (0, "supervisord: running (pid N)\n")
    assert script("start") == (0, "supervisord: already running (pid N)\n")
    assert script.pid() == first
    wait_for(lambda: programs(script), "its program")
    running = programs(script)
    wait_for(lambda: "RUNNING" in script.daemon.call("supervisor.getProcessInfo", "slow")["statename"], "slow to run")

    before = time.monotonic()
    assert script("restart") == (0, "supervisord: stopped\nsupervisord: started (pid N)\n")
    assert time.monotonic() - before > 1
    assert script.pid() != first and gone(first)
    assert all(gone(pid) for pid in running)

    second = script.pid()
    assert script("reload")[0] == 0 and script("force-reload")[0] == 0
    assert script.pid() == second
    assert script("stop") == (0, "supervisord: stopped\n")
    assert gone(second)
    assert script("status") == (3, "supervisord: not running\n")


def test_from_start_to_stop(script):
    walk(script)


def test_it_serves_the_reference_too(reference_script):
    walk(reference_script)


def test_pid_files_that_are_left_over(script):
    """A pid of nobody, of somebody else, and nonsense: none of them is the daemon, and nobody is signalled."""
    bystander = subprocess.Popen(["sleep", "1000"])
    try:
        for text in (f"{bystander.pid}\n", "4194304\n", "", "supervisord\n", "-1\n", "0\n"):
            (script.daemon.root / "s.pid").write_text(text)
            assert script("status")[0] == 1
            assert script("try-restart") == (0, "")
            assert script("stop") == (0, "supervisord: not running\n")
            assert not (script.daemon.root / "s.pid").exists()
            assert bystander.poll() is None
        (script.daemon.root / "s.pid").write_text(f"{bystander.pid}\n")
        assert script("start") == (0, "supervisord: started (pid N)\n")
        assert script.pid() != bystander.pid and bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_daemon_that_was_killed(script):
    assert script("start")[0] == 0
    killed = script.pid()
    left = wait_for(lambda: programs(script), "its program")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: gone(killed), "its end")
    for pid in left:
        os.killpg(pid, signal.SIGKILL)
    assert script("status") == (1, "supervisord: not running, but there is ROOT/s.pid\n")
    assert script("start")[0] == 0
    assert script("status")[0] == 0


def test_who_does_not_stop(script):
    """stop says so and leaves it; force-stop leaves nothing."""
    script.daemon.configure(STUBBORN)
    script.daemon.write("defaults", (script.daemon.root / "defaults").read_text() + "STOP_SECS=1\n")
    assert script("start")[0] == 0
    stubborn = wait_for(lambda: programs(script), "its program")
    wait_for(lambda: "RUNNING" in script.daemon.call("supervisor.getProcessInfo", "stubborn")["statename"], "it to run")
    assert script("stop") == (1, "supervisord: still stopping its programs after N seconds (pid N)\n")
    assert script("status")[0] == 0
    assert script("force-stop") == (0, "supervisord: still stopping its programs after N seconds (pid N)\nsupervisord: killed\n")
    wait_for(lambda: all(gone(pid) for pid in stubborn), "its program to be gone")
    assert script("status") == (3, "supervisord: not running\n")


def test_what_cannot_be_started(script):
    script.daemon.write("defaults", (script.daemon.root / "defaults").read_text() + "CONFIG=/nonexistent\n")
    assert script("start") == (6, "supervisord: there is no configuration /nonexistent\n")
    script.daemon.write("defaults", (script.daemon.root / "defaults").read_text() + "DAEMON=/nonexistent\n")
    assert script("start") == (5, "supervisord: /nonexistent is not installed\n")
    assert script("sing")[0] == 2 and script()[0] == 2


def test_a_configuration_that_is_wrong(script):
    script.daemon.configure("[program:x]\n")
    status, said = script("start")
    assert status == 1 and "does not specify a command" in said
    assert script("status")[0] == 3


# What OpenRC gives its scripts, as far as ours asks for it. `install/openrc` runs the script by the real one.
OPENRC = """
    ebegin() { echo "$@ ..."; }
    eend() { echo "[$1]"; return "$1"; }
    eerror() { echo "error: $*"; }
    use() { :; }
    after() { :; }
    RC_SVCNAME=supervisord
    RC_CMD=$1
    . "$2"
    . "$3"
"""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_the_script_of_openrc(shell):
    """Its variables with those of conf.d, and its functions, under a stub of OpenRC's."""
    daemon = Daemon("ours")
    try:
        daemon.configure("[program:cat]\ncommand=cat\n")
        daemon.start()
        daemon.write("bin/supervise-daemon", "#!/bin/sh\necho supervise-daemon \"$@\"\n", mode=0o755)
        env = {**daemon.env, "PATH": f"{daemon.root / 'bin'}:{os.environ['PATH']}"}

        def run(settings, program, command=""):
            confd = daemon.write("confd", f"cfgfile={daemon.config}\ncommand={daemon.executable}\npidfile={daemon.root}/s.pid\n{settings}")
            words = [*shell, "-euc", OPENRC + program, "sh", command, confd, PACKAGING / "openrc" / "supervisord.initd"]
            done = subprocess.run(words, capture_output=True, text=True, cwd=daemon.root, env=env, timeout=WAIT_SECS)
            return done.returncode, (done.stdout + done.stderr).replace(str(daemon.root), "ROOT")

        show = 'depend; echo "$command_args|$command_args_background|$command_args_foreground|$retry|$required_files"'
        assert run("", show) == (0, "-c ROOT/supervisord.conf |-j ROOT/s.pid|-n -s -j ROOT/s.daemon.pid|TERM/120|ROOT/supervisord.conf\n")
        assert run("command_args='-e debug'\nretry=TERM/9\n", show)[1].startswith("-c ROOT/supervisord.conf -e debug|-j ROOT/s.pid|")
        assert run("", "reopen") == (0, "Reopening the logs of supervisord ...\n[0]\n")
        daemon.wait_log("supervisord logreopen")
        assert run("supervisor=supervise-daemon\n", "reopen")[1].splitlines()[1] == "supervise-daemon supervisord --signal USR2 --pidfile ROOT/s.pid"
        assert run("", "checkconfig; stop_pre", "restart")[0] == 0
        assert run("", "reload") == (0, "Restarting the programs of supervisord ...\n[0]\n")
        # What is wrong is not stopped for a restart, but stopped.
        daemon.wait_log("received SIGHUP")
        daemon.configure("[program:cat]\n")
        refused = (1, "error: The configuration is wrong, see: rc-service supervisord checkconfig\n")
        assert run("", "stop_pre", "restart") == refused and run("", "reload") == refused
        assert run("", "stop_pre", "stop") == (0, "")
        assert run("", "checkconfig")[0] == 2
    finally:
        daemon.configure("[program:cat]\ncommand=cat\n")
        assert daemon.close() is None


def test_the_file_of_launchd():
    """launchd's own keys with values of their types; it stays in the foreground, and is not started after a shutdown."""
    place = PACKAGING / "launchd" / "org.supervisord.supervisord.plist"
    job = plistlib.loads(place.read_bytes())
    assert job["Label"] == place.stem
    assert job["ProgramArguments"][0].startswith("/") and "-n" in job["ProgramArguments"]
    assert job["RunAtLoad"] is True and job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["ExitTimeOut"] > 10
    types = {"Label": str, "ProgramArguments": list, "RunAtLoad": bool, "KeepAlive": dict, "ThrottleInterval": int, "ExitTimeOut": int,
             "SoftResourceLimits": dict, "EnvironmentVariables": dict}
    assert {key: type(value) for key, value in job.items()} == types
