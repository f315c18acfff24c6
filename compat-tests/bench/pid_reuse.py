#!/usr/bin/env python3
"""Whether every exit goes to the program it belongs to where pids are used again at once.

    compat-tests/.venv/bin/python compat-tests/bench/pid_reuse.py [EXITS]

In a pid namespace of 420 pids, of which the kernel gives 120 again and again, programs that exit with a status of
their own are started all at a time until EXITS (10,000) ends are in the log. Needs root and unshare.
"""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from harness import Daemon, children, wait_for  # noqa: E402

PROGRAMS = 60
PROGRAM = """
[program:p{number}]
command=/bin/sh -c "exit {number}"
startsecs=0
autorestart=false
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
"""
LIMITED = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
           "sh", "-c", 'echo 420 > /proc/sys/kernel/pid_max && exec "$0" "$@"')


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    daemon = Daemon("ours")
    try:
        daemon.configure("".join(PROGRAM.format(number=number) for number in range(1, PROGRAMS + 1)),
                         extra="logfile_maxbytes=0")
        daemon.start(wrap=LIMITED)
        daemon.pid = children(daemon.process.pid)[0]
        ended = []
        while len(ended) < wanted:
            daemon.rpc("supervisor.startAllProcesses", False)
            wait_for(lambda: all(info["statename"] == "EXITED" for info in daemon.rpc("supervisor.getAllProcessInfo")),
                     "they end", pause=0.005)
            ended = re.findall(r"exited: p(\d+) \((.*?);", daemon.log_text())
        wrong = [(name, how) for name, how in ended if how != f"exit status {name}"]
        pids = re.findall(r"spawned: .* with pid (\d+)", daemon.log_text())
        print(f"{len(ended)} exits of {PROGRAMS} programs, {len(set(pids))} different pids, {len(wrong)} wrong: {wrong[:5]}")
    finally:
        os.kill(daemon.pid, 15)
        daemon.pid = None
        complaint = daemon.close()
    if complaint or wrong:
        raise SystemExit(complaint or 1)


if __name__ == "__main__":
    main()
