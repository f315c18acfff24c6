#!/usr/bin/env python3
"""Events per second through one pool, and the processor time each costs the daemon; a stuck listener beside it.

    compat-tests/.venv/bin/python compat-tests/bench/events.py [EVENTS] [ROUNDS]

The listener is a small C program, so that it is not the brake. Clients fill the buffer with sendRemoteCommEvent (in
multicalls) before the listener is started; the time is from its start to its last event. Ours and the reference run
side by side and take turns.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measures import cpu_secs, daemon, row, status_of, wait_for

CONFIG = """
[eventlistener:pool]
command={listener} {events} %(here)s/done
events=REMOTE_COMMUNICATION
buffer_size={events}
startsecs=0
autostart=false
stdout_logfile=NONE
[eventlistener:stuck]
command=/bin/sh -c "echo READY; exec sleep 1000000"
events=PROCESS_LOG
priority=-5
startsecs=0
autostart=false
[program:loud]
command=/bin/sh -c "while :; do echo $$ a line of text that somebody could want to read; done | head -c 50000000; sleep 1000000"
stdout_events_enabled=true
stdout_logfile=NONE
autostart=false
startsecs=0
[program:victim]
command=/bin/sleep 1000000
startsecs=0
"""
PER_CALL = 1000
# A daemon and its listener take turns, so a second processor is of no use; whether the system puts them on one or on
# two, which it decides anew every time, would decide about the figures.
ONE_CPU = ("taskset", "-c", "0")


def build(folder):
    """Compiles the listener."""
    program = Path(folder) / "listener"
    source = Path(__file__).resolve().parent / "listener.c"
    subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)
    return program


def one(side, events):
    """One round: (events per second handed out, processor time in microseconds to take in and to hand out each)."""
    call = {"methodName": "supervisor.sendRemoteCommEvent", "params": ["bench", "a body of some forty characters, as is usual"]}
    before = cpu_secs(side.pid)
    for _ in range(events // PER_CALL):
        side.rpc("system.multicall", [call] * PER_CALL)
    done = side.root / "done"
    done.unlink(missing_ok=True)
    # Let the reference go to sleep before the clock starts.
    time.sleep(0.2)
    cpu, begin = cpu_secs(side.pid), time.perf_counter()
    side.rpc("supervisor.startProcess", "pool")
    while not done.exists():
        time.sleep(0.001)
        if time.perf_counter() - begin > 300:
            raise SystemExit(f"{side.side}: no end in sight")
    seconds = time.perf_counter() - begin
    taken_in, handed_out = (secs / events * 1e6 for secs in (cpu - before, cpu_secs(side.pid) - cpu))
    side.rpc("supervisor.stopProcess", "pool")
    return events / seconds, taken_in, handed_out


def stuck(side):
    """Memory that a stuck listener costs while a program floods its pool, and how long a restart takes then."""
    side.rpc("supervisor.startProcess", "stuck")
    before = status_of(side.pid, "VmRSS")
    side.rpc("supervisor.startProcess", "loud")
    times = []
    for _ in range(20):
        victim = side.pid_of("victim")
        time.sleep(0.1)  # a program that dies younger is not restarted at once
        begin = time.perf_counter()
        os.kill(victim, 9)
        wait_for(lambda: side.pid_of("victim") not in (0, victim), "a restart", pause=0.001)
        times.append((time.perf_counter() - begin) * 1000)
    grown = status_of(side.pid, "VmRSS") - before
    for name in ("loud", "stuck"):
        side.rpc("supervisor.stopProcess", name)
    return grown, times


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = Path("/tmp") / f"bench-events-{os.getpid()}"
    folder.mkdir()
    config = CONFIG.format(listener=build(folder), events=events)
    sides = {side: daemon(side, config, ONE_CPU) for side in ("ours", "python")}
    rounds_of = {side: [] for side in sides}
    try:
        for _ in range(rounds):
            for name, side in sides.items():
                rounds_of[name].append(one(side, events))
        grown, times = stuck(sides["ours"])
    finally:
        for each in sides.values():
            each.close()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    middle = {}
    for name, figures in rounds_of.items():
        rates, taken_in, handed_out = zip(*figures)
        row(f"events through a pool, {name}", rates, "events/s")
        row(f"CPU to take in, {name}", taken_in, "us/event")
        row(f"CPU to hand out, {name}", handed_out, "us/event")
        middle[name] = [statistics.median(values) for values in (rates, taken_in, handed_out)]
    (rate, *cost), (reference_rate, *reference_cost) = middle["ours"], middle["python"]
    print(f"rate, ours to the reference      {rate / reference_rate:.1f}")
    print(f"CPU, the reference to ours       {sum(reference_cost) / sum(cost):.1f} "
          f"(to hand out: {reference_cost[1] / cost[1]:.1f})")
    print(f"memory with a stuck listener     {grown:+d} KiB")
    row("restart beside it, ours", times, "ms")


if __name__ == "__main__":
    main()
