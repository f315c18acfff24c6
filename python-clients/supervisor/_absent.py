"""What this package does not offer: names of the reference's modules that are parts of its daemon."""

from __future__ import annotations

from typing import Callable, Iterable, NoReturn

#: What to do instead, for whatever the daemon is made of.
DAEMON = "The daemon is an executable now; ask it over XML-RPC (supervisor.childutils.getRPCInterface)."


class NotOffered(ImportError):
    """A name that the reference has and this package cannot serve; the text says what to do."""


def not_offered(module: str, names: Iterable[str], instead: str = DAEMON) -> Callable[[str], NoReturn]:
    """A `__getattr__` for a module: names of the reference raise NotOffered, all others AttributeError.

    It has to be an ImportError: of an AttributeError, `from module import name` shows no text.
    """
    known = frozenset(names)

    def missing(name: str) -> NoReturn:
        if name in known:
            raise NotOffered(f"{module}.{name} is not offered: it is a part of the Python daemon. {instead}", name=module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return missing
