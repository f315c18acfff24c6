#!/usr/bin/env python3
"""How long until a crashed program runs again: SIGKILL to a new process that has executed the program.

    compat-tests/.venv/bin/python compat-tests/bench/crash_restart.py [RUNS]

Ours and the reference run side by side and take turns; the reference gets a tenth of the runs, it needs about a
second each.
"""

import os
import signal
import statistics
import sys
import time
from pathlib import Path

from measures import daemon, row

from harness import children, wait_for

CONFIG = """
[program:victim]
command=/bin/sleep 1000000
autorestart=true
startsecs=0
"""
# A program that ends within a second of its start is not started again at once (see QUIRKS.md, crash loops).
LIFE_SECS = 1.05


def running(supervisor):
    """The pid of the one child once it has executed its program, else None."""
    for pid in children(supervisor):
        try:
            if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                return pid
        except OSError:
            continue
    return None


def one(supervisor):
    """Kills the program and returns the milliseconds until it runs again."""
    victim = wait_for(lambda: running(supervisor), "a program")
    time.sleep(LIFE_SECS)
    begin = time.perf_counter()
    os.kill(victim, signal.SIGKILL)
    while True:
        again = running(supervisor)
        if again not in (None, victim):
            return (time.perf_counter() - begin) * 1000
        if time.perf_counter() - begin > 30:
            raise SystemExit("the program was not restarted within 30 s")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    sides = {side: daemon(side, CONFIG) for side in ("ours", "python")}
    figures = {side: [] for side in sides}
    try:
        for turn in range(runs):
            figures["ours"].append(one(sides["ours"].pid))
            if turn % 10 == 0:
                figures["python"].append(one(sides["python"].pid))
    finally:
        for each in sides.values():
            each.close()
    for side, values in figures.items():
        row(f"crash to restart, {side}", values, "ms")
    ratio = statistics.median(figures["python"]) / statistics.median(figures["ours"])
    print(f"ratio of the medians             {ratio:.0f}")


if __name__ == "__main__":
    main()
