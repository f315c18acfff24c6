"""Virtual environments for what others wrote, apart from the tests' own."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

from harness import TESTS


def made(requirements):
    """The `bin` of the virtual environment of a file requirements-NAME.txt, made once and kept beside the tests' own."""
    name = requirements.stem.removeprefix("requirements-")
    venv = TESTS / f".venv-{name}"
    stamp = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    with open(TESTS / f".venv-{name}.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = venv / ".requirements"
        if not known.exists() or known.read_text(encoding="ascii") != stamp:
            shutil.rmtree(venv, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
                            "--no-deps", "-r", requirements], check=True)
            known.write_text(stamp, encoding="ascii")
    return venv / "bin"


def quiet_environment(root, path):
    """Variables for a tool that shall leave nothing outside of the directory."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC", "TMPDIR": str(root),
            "USER": os.environ.get("USER", "root")}
