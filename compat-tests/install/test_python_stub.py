"""`python3 /usr/bin/supervisord …`, as many a Dockerfile has it: every Python executes our executables."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from harness import REPO, binary, finish

APPEND = REPO / "packaging" / "python-stub" / "append"
NAMES = ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")


def pythons():
    """The running one, and the others that pyenv has, of version 2, too."""
    others = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv").glob("versions/*/bin/python")
    return [sys.executable, *sorted(str(path) for path in others)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("stub")
    for name in NAMES:
        shutil.copy2(binary().parent / name, root)
    assert finish([APPEND, *(root / name for name in NAMES)], 20) == (0, "", "")
    return root


@pytest.mark.parametrize("python", pythons())
def test_every_python_executes_them(place, python):
    daemon = place / "supervisord"
    assert finish([python, daemon, "-v"], 20) == (0, "4.3.0\n", "")
    assert finish([python, "-u", "supervisord", "-n", "-c", "no such"], 20, cwd=place) == finish(
        [daemon, "-n", "-c", "no such"], 20, cwd=place)[:2] + (
        "Error: could not find config file no such\nFor help, use supervisord -h\n",)
    sock = "unix://" + os.fsdecode(b"/no/\xff s")
    client = finish([place / "supervisorctl", "-s", sock, "pid"], 20)
    assert client[0] == 7
    assert finish([python, place / "supervisorctl", "-s", sock, "pid"], 20) == client
    assert finish([python, place / "echo_supervisord_conf"], 20)[1].startswith(";; Sample")
    assert finish([python, place / "pidproxy"], 20)[0] == 1


def test_signals_are_as_without_python(place):
    """Python ignores some, and whatever is executed goes on ignoring them."""
    proxy = ["pidproxy", place / "none", shutil.which("grep"), "SigIgn", "/proc/self/status"]
    direct = finish([place / proxy[0], *proxy[1:]], 20)
    assert finish([sys.executable, place / proxy[0], *proxy[1:]], 20) == direct
    assert "SigIgn" in direct[1]


def test_appending(place, tmp_path):
    """Once, always the same bytes, with the file's mode, and only to executables."""
    copies = [tmp_path / "one", tmp_path / "two"]
    for copy in copies:
        shutil.copy2(binary(), copy)
        copy.chmod(0o711)
        finish([APPEND, copy], 20)
    once = copies[0].read_bytes()
    assert copies[1].read_bytes() == once
    assert once.startswith(binary().read_bytes()) and len(once) - binary().stat().st_size < 1000
    finish([APPEND, copies[0]], 20)
    assert copies[0].read_bytes() == once
    assert copies[0].stat().st_mode & 0o777 == 0o711
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert finish([APPEND, script], 20) == (1, "", f"{script}: not an executable of this system\n")
    assert script.read_text() == "#!/bin/sh\n"
