"""What a name in the configuration stands for: `module:name`, as in entry points."""

from __future__ import annotations

import functools
import importlib
import os
import re
from typing import Any, List

_SPEC = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<name>[\w.]+)\s*)?(\[.*\]\s*)?$")

#: What the daemon reads when the name stands for something.
FOUND = "found\n"


def import_spec(spec: str) -> Any:
    """What a name stands for. Raises ImportError or AttributeError when it stands for nothing."""
    match = _SPEC.match(spec)
    if match is None:
        raise AttributeError(f"{spec!r} is not module:name")
    module = importlib.import_module(match["module"])
    names = filter(None, (match["name"] or "").split("."))
    return functools.reduce(getattr, names, module)


def main(arguments: List[str]) -> int:
    """Says on standard output whether a name can be imported, or why it cannot."""
    answer = os.dup(1)
    # What a module prints as it is imported is no answer.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        import_spec(arguments[0])
        words = FOUND
    except BaseException as error:  # even one that wants to exit is only an answer here
        words = f"{type(error).__name__}: {error}\n"
    os.write(answer, words.encode("utf-8", "backslashreplace")[:2000])
    # Threads that the module has started hold up nobody.
    os._exit(0)
