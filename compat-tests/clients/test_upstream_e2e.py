"""Supervisor's own end-to-end suite, unmodified, run against the daemon under test, and against all our tools.

The suite starts `sys.executable -m supervisor.supervisord …`, supervisorctl and pidproxy likewise; it is run by an
interpreter whose `sys.executable` is a shim that starts what is under test for these modules and Python for everything
else. Its files have fixed names in /tmp, so every run gets a /tmp of its own where the system allows it, and waits for
its turn where it does not.
"""

import ast
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import FORKING, LONG_SECS, MARK, SCRIPTS, TESTS, binary, marked
from scenario import sides

# Tests for which our daemon still lacks something, with what they wait for. They are run and have to fail, so that a
# test whose time has come does not stay here.
WAITING = {}

# What the reference itself passes only as a rule, so its passing is no proof that the suite is run rightly: it may tell
# of a child's end before it tells what the child printed, and then this test waits in vain (see QUIRKS.md).
CHANCE = {"test_issue_638"}

SUITE = Path(importlib.util.find_spec("supervisor").origin).parent / "tests" / "test_end_to_end.py"

SHIM = """\
#!/bin/sh
# sys.executable of the end-to-end suite.
if [ "$1" = -m ] && [ -x "$TOOLS_UNDER_TEST/${2#supervisor.}" ]; then
    tool=$TOOLS_UNDER_TEST/${2#supervisor.}
    shift 2
    exec "$tool" "$@"
fi
exec "$REAL_PYTHON" "$@"
"""

# What is not the reference's on each side. With "all ours" nothing of it is left but the suite.
UNDER_TEST = {
    "python": [],
    "ours": ["supervisord"],
    "all ours": ["supervisord", "supervisorctl", "pidproxy"],
}

RUNNER = """\
import sys, unittest
sys.executable = sys.argv[1]
suite = unittest.defaultTestLoader.loadTestsFromName("supervisor.tests.test_end_to_end.EndToEndTests." + sys.argv[2])
sys.exit(not unittest.TextTestRunner().run(suite).wasSuccessful())
"""


def names():
    """The tests of the suite, read from its source."""
    return sorted(node.name for node in ast.walk(ast.parse(SUITE.read_text(encoding="utf-8")))
                  if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


# /tmp stays readable, as the repository may lie in it; what is written there goes to a layer of the run's own.
OWN_TMP = """\
mount -t tmpfs tmpfs "$0" && mkdir "$0/upper" "$0/work" &&
mount -t overlay -o "lowerdir=/tmp,upperdir=$0/upper,workdir=$0/work" overlay /tmp && exec "$@"
"""


def private_tmp(home):
    """The command that gives what follows a /tmp of its own, or nothing where the system forbids it."""
    layers = home / "layers"
    layers.mkdir(exist_ok=True)
    for flags in (["-m"], ["-m", "-r"]):
        command = ["unshare", *flags, "--propagation", "private", "sh", "-c", OWN_TMP, str(layers)]
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return []


def complete_fixtures():
    """Adds the fixtures that the wheel lacks to the installed suite."""
    for source in (TESTS / "clients" / "upstream").iterdir():
        try:
            (SUITE.parent / "fixtures" / source.name).symlink_to(source)
        except FileExistsError:
            pass


def run_suite_test(name, side, home, prefix):
    """Runs one test of the suite behind a command; returns whether it passed, and what it printed."""
    shim = home / "python"
    with FORKING:
        shim.write_text(SHIM)
        shim.chmod(0o755)
    assert binary().exists(), f"{binary()} is not built"
    tools = home / "tools"
    tools.mkdir()
    for tool in UNDER_TEST[side]:
        (tools / tool).symlink_to(binary())
    env = {**os.environ, "END_TO_END": "1", "REAL_PYTHON": sys.executable, "TOOLS_UNDER_TEST": str(tools),
           "PATH": f"{SCRIPTS}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TERM": "dumb", MARK: str(home)}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", RUNNER, str(shim), name], env=env, cwd=home, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="backslashreplace", timeout=LONG_SECS, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def clean_up(home):
    """Ends what the test left running: it interrupts its daemon but does not wait."""
    for pid in marked(home):
        try:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
    shutil.rmtree(home, ignore_errors=True)


def test_waiting_list_names_tests_of_the_suite():
    print("waiting:", WAITING)
    assert set(WAITING) | CHANCE <= set(names())
    assert len(names()) >= 20


def runs():
    """What is run: the reference, as far as it is a measure, and what is under test."""
    chosen = [side for side in UNDER_TEST if side in sides() or "ours" in sides() and side != "python"]
    return [(name, side) for name in names() for side in chosen if not (side == "python" and name in CHANCE)]


@pytest.mark.parametrize("name,side", runs())
def test_end_to_end(name, side):
    home = Path(tempfile.mkdtemp(prefix="sv", dir="/var/tmp"))
    complete_fixtures()
    prefix = private_tmp(home)
    turn = None if prefix else open("/var/tmp/supervisor-end-to-end.lock", "a", encoding="utf-8")
    try:
        if turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
        passed, output = run_suite_test(name, side, home, prefix)
    finally:
        clean_up(home)
        if turn:
            turn.close()
    if side != "python" and name in WAITING:
        assert not passed, f"{name} passes: take it off the waiting list"
    else:
        assert passed, output
