"""`pidproxy`, which is an executable: `python -m supervisor.pidproxy` becomes it."""

from __future__ import annotations

from typing import NoReturn

from supervisor import _binary
from supervisor._absent import not_offered


def main() -> NoReturn:
    """Becomes pidproxy, with the arguments of this process."""
    _binary.become("pidproxy")


__getattr__ = not_offered(__name__, ("PidProxy",), "Run pidproxy.")

if __name__ == "__main__":
    main()
