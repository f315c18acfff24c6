#!/usr/bin/env python3
"""What `supervisorctl status` on a hundred programs costs: wall and processor time of the whole process.

    compat-tests/.venv/bin/python compat-tests/bench/ctl_status.py [RUNS]

Ours and the reference take turns against the same daemon (ours).
"""

import os
import statistics
import sys
import time

from measures import daemon, row

from harness import SCRIPTS, binary, wait_for

CONFIG = "".join(f"\n[program:program{n:03}]\ncommand=/bin/sleep 1000000\nstartsecs=0\n" for n in range(100))


def once(command, env):
    """Runs a command to its end and returns wall and processor time in milliseconds."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        begin = time.perf_counter()
        pid = os.posix_spawn(command[0], command, env, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - begin
    finally:
        os.close(null)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    subject = daemon("ours", CONFIG)
    try:
        wait_for(lambda: all(info["statename"] == "RUNNING" for info in subject.rpc("supervisor.getAllProcessInfo")),
                 "a hundred programs RUNNING")
        ours = subject.root / "bin" / "supervisorctl"
        ours.symlink_to(binary())
        commands = {side: [str(path), "-c", str(subject.config), "status"]
                    for side, path in (("ours", ours), ("python", SCRIPTS / "supervisorctl"))}
        figures = {side: [] for side in commands}
        for command in commands.values():
            once(command, subject.env)  # fills the caches
        for _ in range(runs):
            for side, command in commands.items():
                figures[side].append(once(command, subject.env))
    finally:
        subject.close()
    for index, what in enumerate(("wall", "processor")):
        values = {side: [figure[index] for figure in pairs] for side, pairs in figures.items()}
        for side, each in values.items():
            row(f"supervisorctl status, {what}, {side}", each, "ms")
        ratio = statistics.median(values["python"]) / statistics.median(values["ours"])
        print(f"ratio of the medians, {what:10} {ratio:.0f}")


if __name__ == "__main__":
    main()
