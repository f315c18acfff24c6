"""What the benchmarks share: the way to the tests' helpers, starting daemons, printing figures."""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from harness import BASE, Daemon  # noqa: E402


def daemon(side, config, wrap=(), base=BASE):
    """A running daemon with the given programs, started by the command `wrap`, if any."""
    started = Daemon(side)
    started.configure(config, base=base)
    return started.start(wrap=wrap)


def row(name, values, unit):
    """Prints minimum, median and maximum of a list of figures."""
    print(f"{name:32} min {min(values):10.3f}  median {statistics.median(values):10.3f}  "
          f"max {max(values):10.3f} {unit}  (n={len(values)})")
