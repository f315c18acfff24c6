"""The wheel that is given away, built on first use, and environments that have it."""

import functools
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from harness import REPO


@functools.cache
def built():
    """Path of the wheel: SUPERVISOR_WHEEL of the environment, else what `packaging/build wheel` makes."""
    named = os.environ.get("SUPERVISOR_WHEEL")
    if named:
        return Path(named).absolute()
    done = subprocess.run([REPO / "packaging" / "build", "wheel"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def module(place):
    """Where `supervisor` is imported from: the one in the wheel of SUPERVISOR_WHEEL, unpacked to `place`; without that the
    repository's."""
    if not os.environ.get("SUPERVISOR_WHEEL"):
        return REPO / "python-clients"
    with zipfile.ZipFile(built()) as wheel:
        wheel.extractall(place, [name for name in wheel.namelist() if name.startswith("supervisor/")])
    return place


def environment(place, *packages, python=sys.executable):
    """Makes a virtual environment with packages (of PyPI, or the paths of wheels) and returns the path of its `bin`.

    It has no pip of its own, which takes the longest: the tests' installs into it.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
    if packages:
        subprocess.run([sys.executable, "-m", "pip", "--python", f"{place}/bin/python", "install", "-q",
                        "--disable-pip-version-check", *map(str, packages)], check=True)
    return Path(place) / "bin"
