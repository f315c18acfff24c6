"""The wheel takes the place of PyPI's supervisor in virtual environments, and gives it back.

Continuous integration goes the way once, with pip and the Python that runs. With pip and uv, with the oldest and the
newest Python that the machine has:

    INSTALL_MATRIX=all compat-tests/run --python --only install/test_wheel.py
"""

import base64
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import wheels
from harness import REPO, finish, popen, wait_for

COMMANDS = ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")
VERSION = re.search(r'^version = "(.*)"$', (REPO / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
INSTALL_SECS = 300
CONFIG = """[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/pid
[unix_http_server]
file=%(here)s/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
[program:one]
command=/bin/sleep 600
startsecs=0
[program:two]
command=/bin/sh -c "exec sleep 600"
startsecs=0
"""


@pytest.fixture(scope="module")
def contents():
    """The files of the wheel by their names."""
    with zipfile.ZipFile(wheels.built()) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_what_it_says_of_itself(contents):
    base, machine = f"supervisor-{VERSION}", os.uname().machine
    assert wheels.built().name == f"{base}-py3-none-manylinux2014_{machine}.manylinux_2_17_{machine}.whl"
    lines = contents[f"{base}.dist-info/METADATA"].decode().splitlines()
    assert {"Name: supervisor", f"Version: {VERSION}", "Requires-Python: >=3.8", "License-Expression: MIT"} <= set(lines)
    assert not [line for line in lines if line.startswith(("Requires-Dist", "Home-page", "Project-URL"))]
    rows = list(csv.reader(contents[f"{base}.dist-info/RECORD"].decode().splitlines()))
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
               for name, data in contents.items()}
    own = f"{base}.dist-info/RECORD"
    assert {name: digest for name, digest, _ in rows} == {
        name: "" if name == own else f"sha256={digest}" for name, digest in digests.items()}
    assert b"/home/" not in b"".join(contents.values()) and str(REPO).encode() not in b"".join(contents.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_executables_for_systems_since_2014(contents, name):
    """Real ones, that need no symbol newer than the C library of manylinux2014, and that Python can run."""
    data = contents[f"supervisor-{VERSION}.data/scripts/{name}"]
    assert data.startswith(b"\x7fELF") and b"__main__.py" in data[-500:]
    needed = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", data)}
    assert needed and max(needed) <= (2, 17)


def interpreters():
    """The running Python; of the matrix also the oldest and the newest that there is a wheel for."""
    if not os.environ.get("INSTALL_MATRIX"):
        return [("pip", sys.executable)]
    # pyenv's first: what it puts on PATH only runs what a directory has chosen.
    found = [next(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")), None)
             or shutil.which(f"python{version}") for version in ("3.8", "3.13")]
    return [(tool, python) for tool in ("pip", "uv") for python in found if python] or [("pip", sys.executable)]


class Machine:
    """A virtual environment with an installer, and a directory with a configuration."""

    def __init__(self, root, tool, python):
        self.root, self.bin = root, root / "venv" / "bin"
        subprocess.run([python, "-m", "venv", root / "venv"], check=True)
        (root / "supervisord.conf").write_text(CONFIG)
        if tool == "uv":
            # Beside the environment, as it mostly is.
            uv = wheels.environment(root / "uv", "uv") / "uv"
            self.tool = [uv, "pip"]
            self.env = {**os.environ, "VIRTUAL_ENV": str(root / "venv"), "UV_CACHE_DIR": str(root / "cache")}
        else:
            self.tool = [self.bin / "pip", "--disable-pip-version-check"]
            self.env = dict(os.environ)
        self.env["PATH"] = f"{self.bin}:{os.environ['PATH']}"
        self.env.pop("PYTHONPATH", None)

    def pip(self, *words):
        status, out, err = finish([*self.tool, *words], INSTALL_SECS, env=self.env)
        assert status == 0, (words, out, err)
        return out + err

    def run(self, *words):
        """A command by its bare name: its status and what it printed."""
        return finish(words, 30, cwd=self.root, env=self.env)[:2]

    def ctl(self, *words):
        return self.run("supervisorctl", "-c", "supervisord.conf", *words)

    def start(self, *command):
        popen(command, cwd=self.root, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.states() == {"one": "RUNNING", "two": "RUNNING"}, self.states)

    def states(self):
        rows = [line.split() for line in self.ctl("status")[1].splitlines()]
        return {row[0]: row[1] for row in rows if len(row) > 1}

    def stop(self):
        assert self.ctl("shutdown")[1] == "Shut down\n"
        wait_for(lambda: not (self.root / "pid").exists(), "the daemon to end")

    def version(self):
        return self.run("python", "-c", "import importlib.metadata as m; print(m.version('supervisor'))")[1].strip()

    def is_ours(self):
        """Whether all four commands are executables of ours."""
        kinds = {(self.bin / name).read_bytes()[:4] == b"\x7fELF" for name in COMMANDS}
        assert len(kinds) == 1
        return kinds.pop()

    def files(self):
        """What lies in the environment; Python's own caches come and go."""
        return {str(path) for path in (self.root / "venv").rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(params=interpreters(), ids=lambda way: f"{way[0]}-{Path(way[1]).name}")
def machine(request, tmp_path):
    machine = Machine(tmp_path, *request.param)
    yield machine
    if (tmp_path / "pid").exists():
        machine.ctl("shutdown")


def test_the_way_there_and_back(machine):
    wheel = wheels.built()
    # supervisor 4.3.0 imports pkg_resources, which left setuptools with release 82.
    machine.pip("install", "setuptools<81")
    before = machine.files()
    machine.pip("install", "supervisor==4.3.0")
    assert not machine.is_ours()
    machine.start("supervisord", "-n", "-c", "supervisord.conf")

    machine.pip("install", wheel)
    assert machine.is_ours() and machine.version() == VERSION
    # Python's daemon goes on until somebody starts it again, with its programs under the new client.
    assert machine.states() == {"one": "RUNNING", "two": "RUNNING"}
    machine.stop()
    for command in (["supervisord", "-n", "-c", "supervisord.conf"], ["supervisord", "-c", "supervisord.conf"],
                    [machine.bin / "supervisord", "-nc", "supervisord.conf"],
                    [machine.bin / "python", machine.bin / "supervisord", "-n", "-c", "supervisord.conf"]):
        machine.start(*command)
        pid = (machine.root / "pid").read_text().strip()
        assert Path(os.readlink(f"/proc/{pid}/exe")).name == "supervisord"
        assert machine.ctl("version") == (0, "4.3.0\n")
        machine.stop()
    assert machine.run("echo_supervisord_conf")[1].startswith(";; Sample")
    assert machine.run("pidproxy")[0] == 1

    # What asks for supervisor is content with ours.
    machine.pip("check")
    machine.pip("install", "superlance")
    machine.pip("install", "supervisor==4.3.0")
    machine.pip("install", "-U", "supervisor", "--find-links", wheel.parent)
    machine.pip("check")
    assert machine.is_ours() and machine.version() == VERSION

    # Back while our daemon runs, and forward again.
    machine.start("supervisord", "-n", "-c", "supervisord.conf")
    machine.pip("install", "supervisor===4.3.0")
    assert not machine.is_ours() and machine.version() == "4.3.0"
    assert machine.states() == {"one": "RUNNING", "two": "RUNNING"}
    machine.stop()
    machine.start("supervisord", "-n", "-c", "supervisord.conf")
    machine.stop()
    machine.pip("install", "-U", "supervisor", "--find-links", wheel.parent)
    assert machine.is_ours() and machine.version() == VERSION

    without_asking = [] if "uv" in Path(machine.tool[0]).name else ["-y"]
    machine.pip("uninstall", *without_asking, "supervisor", "superlance")
    assert {path for path in machine.files() - before if "/lib64" not in path} == set()
