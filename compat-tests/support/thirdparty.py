"""An environment with what others wrote for Supervisor, over our module.

`supervisor` in it is the built wheel, if `packaging/build wheel` has put one into dist/ (or SUPERVISOR_WHEEL names one), else
the module of this repository with a link to the daemon under test.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import REPO, TESTS, binary

REQUIREMENTS = Path(__file__).with_name("requirements-thirdparty.txt")
VENV = TESTS / ".venv-thirdparty"


def wheel():
    """The built wheel; None when there is none."""
    named = os.environ.get("SUPERVISOR_WHEEL")
    built = [Path(named)] if named else sorted((REPO / "dist").glob("supervisor-*.whl"), key=lambda path: path.stat().st_mtime)
    return built[-1] if built else None


def environment():
    """The scripts' directory of the environment, which is made once and kept beside the tests' own."""
    with open(TESTS / ".venv-thirdparty.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = wheel()
        what = REQUIREMENTS.read_bytes() + sys.version.encode() + (built.read_bytes() if built else b"")
        stamp = hashlib.sha256(what).hexdigest()
        made = VENV / ".requirements"
        if not made.exists() or made.read_text(encoding="ascii") != stamp:
            shutil.rmtree(VENV, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
            _install("-r", REQUIREMENTS)
            if built:
                _install(built)
            made.write_text(stamp, encoding="ascii")
        if not built:
            _link()
    return VENV / "bin"


def _install(*what):
    subprocess.run([VENV / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", *what],
                   check=True)


def _link():
    """Puts the repository's module and the daemon under test where a wheel puts its own."""
    packages = subprocess.run([VENV / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                              capture_output=True, text=True, check=True).stdout.strip()
    (Path(packages) / "supervisor-of-the-repository.pth").write_text(f"{REPO / 'python-clients'}\n", encoding="utf-8")
    for name in ("supervisord", "supervisorctl"):
        beside = VENV / "bin" / f"{name}.new"
        beside.unlink(missing_ok=True)
        beside.symlink_to(binary())
        beside.replace(VENV / "bin" / name)
