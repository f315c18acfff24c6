"""What plugins get to read when they ask for a part of the reference's daemon that there is not."""

from __future__ import annotations

from typing import Any, Callable, NoReturn


def refuses(what: str) -> Callable[[Any, str], NoReturn]:
    """A `__getattr__` for objects called so."""

    def missing(self: Any, name: str) -> NoReturn:
        raise AttributeError(
            f"{what}.{name} is not offered to plugins: the daemon is an executable, not a Python process; "
            "supervisord.call('supervisor.METHOD', [PARAMETERS]) calls its methods"
        )

    return missing
