"""The parts: `daemon` and `resolve` for the daemon, `ctl` for supervisorctl. Each is a module with `main(arguments)`."""

from __future__ import annotations

import importlib
import signal
import sys

PARTS = ("ctl", "daemon", "resolve")


def main() -> int:
    """Runs the part that is named; returns the exit status."""
    if len(sys.argv) < 2 or sys.argv[1] not in PARTS:
        print(f"usage: python3 -m supervisor.plugin_host {'|'.join(PARTS)} ...; it is started by the programs of Supervisor",
              file=sys.stderr)
        return 2
    # The daemon, which reads its signals from a descriptor, has them blocked.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    part = importlib.import_module(f"supervisor.plugin_host.{sys.argv[1]}")
    status: int = part.main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
