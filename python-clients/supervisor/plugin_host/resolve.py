"""What a name in the configuration stands for: `module:name`, as in entry points."""

from __future__ import annotations

import os
from typing import List

from supervisor.compat import import_spec

#: What the daemon reads when the name stands for something.
FOUND = "found\n"


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
