"""The daemon, which is an executable: `python -m supervisor.supervisord` becomes it."""

from __future__ import annotations

from typing import NoReturn, Optional, Sequence

from supervisor import _binary
from supervisor._absent import not_offered
from supervisor.states import SupervisorStates, getProcessStateDescription

__all__ = ["SupervisorStates", "getProcessStateDescription", "main"]


def main(args: Optional[Sequence[str]] = None, test: bool = False) -> NoReturn:
    """Becomes the daemon, with these arguments or those of this process."""
    _binary.become("supervisord", args)


__getattr__ = not_offered(__name__, ("Supervisor", "go", "profile", "timeslice"))

if __name__ == "__main__":
    main()
