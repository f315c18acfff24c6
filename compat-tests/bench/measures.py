"""What the benchmarks share: starting daemons, reading /proc, printing figures."""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Daemon, wait_for  # noqa: E402  (the tests' harness lies one folder up)


def daemon(side, config, wrap=()):
    """A running daemon with the given programs, started by the command `wrap`, if any."""
    started = Daemon(side)
    started.configure(config)
    return started.start(wrap=wrap)


def children(pid):
    """Pids of the children of a process, by all its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def status_of(pid, field):
    """A numeric field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def switches(pid):
    """Voluntary context switches of all threads: how often the process went to sleep, so how often it woke up."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total


def cpu_ticks(pid):
    """Processor time used so far, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def cpu_secs(pid):
    """Processor time used so far by all threads, in seconds, as the scheduler counts it."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def row(name, values, unit):
    """Prints minimum, median and maximum of a list of figures."""
    print(f"{name:32} min {min(values):10.3f}  median {statistics.median(values):10.3f}  "
          f"max {max(values):10.3f} {unit}  (n={len(values)})")


__all__ = ["children", "cpu_secs", "cpu_ticks", "daemon", "row", "status_of", "switches", "wait_for"]
