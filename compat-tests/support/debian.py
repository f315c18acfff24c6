"""Programs that the machine has, or that `compat-tests/run` has fetched from Debian without installing them."""

import os
import shutil

from harness import TESTS

FETCHED = TESTS / ".debian"
_PLACES = f"{FETCHED / 'usr' / 'bin'}:{FETCHED / 'usr' / 'sbin'}:/usr/sbin"


def program(name):
    """The path of a program; None where there is none."""
    return shutil.which(name) or shutil.which(name, path=_PLACES)


def libraries():
    """Variables with which what was fetched finds its libraries."""
    found = ":".join(str(path) for path in FETCHED.glob("usr/lib/*-linux-gnu*"))
    return {"LD_LIBRARY_PATH": found} if os.path.exists(FETCHED) and found else {}
