#!/usr/bin/env python3
"""What ten idle programs cost: resident memory, wake-ups and processor time over a minute, ours beside the reference.

    compat-tests/.venv/bin/python compat-tests/bench/idle.py [SECONDS]
"""

import sys
import time

from measures import daemon

from harness import wait_for
from procfs import cpu_ticks, status_of, switches

CONFIG = "".join(f"\n[program:idle{n}]\ncommand=/bin/sleep 1000000\nstartsecs=1\n" for n in range(10))


def all_running(subject):
    """Whether every program is RUNNING."""
    return all(info["statename"] == "RUNNING" for info in subject.rpc("supervisor.getAllProcessInfo"))


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    sides = {side: daemon(side, CONFIG) for side in ("ours", "python")}
    try:
        for subject in sides.values():
            wait_for(lambda subject=subject: all_running(subject), "ten programs RUNNING")
        time.sleep(2)  # the last connection closes, the disk thread writes its last line
        before = {side: (switches(d.pid), cpu_ticks(d.pid)) for side, d in sides.items()}
        time.sleep(seconds)
        for side, subject in sides.items():
            wakes, ticks = switches(subject.pid) - before[side][0], cpu_ticks(subject.pid) - before[side][1]
            print(f"{side:8} resident {status_of(subject.pid, 'VmRSS')} kB  wake-ups {wakes}  "
                  f"processor {ticks * 10} ms  in {seconds:.0f} s")
    finally:
        for subject in sides.values():
            subject.close()


if __name__ == "__main__":
    main()
