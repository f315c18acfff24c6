"""Where the executable is, and becoming it. It is one file with several names: which program runs is its argv[0]."""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib import metadata
from typing import Iterator, List, NoReturn, Optional, Sequence


#: The executable that has started this process, if one has.
_started_by: Optional[str] = None


def use(path: str) -> None:
    """From now on this is the executable."""
    global _started_by
    _started_by = path


def find() -> str:
    """Path of our `supervisord`.

    The one that has started this process; else it is looked for beside this interpreter's scripts, then where this
    package was installed to, then in PATH. Raises FileNotFoundError when it is nowhere.
    """
    if _started_by is not None:
        return _started_by
    for directory in _directories():
        path = os.path.join(directory, "supervisord")
        if _is_ours(path):
            return path
    raise FileNotFoundError(
        f"the executable supervisord is neither beside {sys.executable} nor in PATH; install the package anew")


def command(program: str) -> List[str]:
    """What argv of a program starts with: a name beside the executable. Execute it by `find()`."""
    return [os.path.join(os.path.dirname(find()), program)]


def become(program: str, args: Optional[Sequence[str]] = None) -> NoReturn:
    """Executes a program in place of this process, with the arguments of this process unless others are given."""
    words = command(program) + list(sys.argv[1:] if args is None else args)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(find(), words)


def _directories() -> Iterator[str]:
    yield sysconfig.get_path("scripts")
    yield os.path.dirname(sys.executable)
    try:
        files = metadata.distribution("supervisor").files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "supervisord":
            yield os.path.dirname(os.path.abspath(str(file.locate())))
    yield from os.get_exec_path()


def _is_ours(path: str) -> bool:
    """Whether it can be executed and is no script, which would only come back here."""
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        return False
    try:
        with open(path, "rb") as executable:
            return executable.read(2) != b"#!"
    except OSError:
        # Of what may be executed but not read: an interpreter could not read a script either.
        return True
