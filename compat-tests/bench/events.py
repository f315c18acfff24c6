#!/usr/bin/env python3
"""Events per second through one pool, and the processor time each costs the daemon; a stuck listener beside it.

    compat-tests/.venv/bin/python compat-tests/bench/events.py [EVENTS] [ROUNDS] [PROGRAMS]

A program prints text between the capture tokens, which makes the same PROCESS_COMMUNICATION events in both daemons, and
one listener takes them; both are small C programs, so that neither is the brake. `live`: the listener is ready and the
program is started; from there to the last event. `backlog`: everything is in the buffer and the listener is started; so
this is the handing out alone. PROGRAMS more are supervised and do nothing, as most programs do most of the time; each costs
the reference something in every turn of its loop. Ours and the reference run side by side and take turns.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measures import daemon, row

from harness import wait_for
from procfs import cpu_secs, status_of

CONFIG = """
[eventlistener:pool]
command={folder}/listener {events} %(here)s/done
events=PROCESS_COMMUNICATION
buffer_size={events}
startsecs=0
autostart=false
stdout_logfile=NONE
[program:feeder]
command={folder}/feeder {events}
stdout_capture_maxbytes=1MB
stdout_logfile=NONE
startsecs=0
autorestart=false
autostart=false
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
[program:idle]
command=/bin/sleep 1000000
process_name=%(program_name)s%(process_num)s
numprocs={programs}
startsecs=0
"""
LIMIT_SECS = 300
# A daemon and its listener take turns, so a second processor is of no use; whether the system puts them on one or on
# two, which it decides anew every time, would decide about the figures.
ONE_CPU = ("taskset", "-c", "0")


def build(folder):
    """Compiles the listener and the program that makes events."""
    for name in ("listener", "feeder"):
        source = Path(__file__).resolve().with_name(f"{name}.c")
        subprocess.run(["cc", "-O2", "-o", str(folder / name), str(source)], check=True)


def until_done(side, events, start):
    """Starts something, and returns what it took until the listener has all events: (events/s, us of CPU per event)."""
    done = side.root / "done"
    done.unlink(missing_ok=True)
    # Let the reference go to sleep before the clock starts.
    time.sleep(0.2)
    cpu, begin = cpu_secs(side.pid), time.perf_counter()
    side.rpc("supervisor.startProcess", start)
    while not done.exists():
        time.sleep(0.001)
        if time.perf_counter() - begin > LIMIT_SECS:
            raise SystemExit(f"{side.side}: no end in sight")
    seconds = time.perf_counter() - begin
    return events / seconds, (cpu_secs(side.pid) - cpu) / events * 1e6


def fed(side):
    """Whether the feeder has ended, so that everything it printed has been read."""
    return side.rpc("supervisor.getProcessInfo", "feeder")["statename"] == "EXITED"


def live(side, events):
    """The listener waits for the events."""
    side.rpc("supervisor.startProcess", "pool")
    figures = until_done(side, events, "feeder")
    wait_for(lambda: fed(side), "the end of the feeder")
    side.rpc("supervisor.stopProcess", "pool")
    return figures


def backlog(side, events):
    """The events wait for the listener."""
    side.rpc("supervisor.startProcess", "feeder")
    wait_for(lambda: fed(side), "the end of the feeder", timeout=LIMIT_SECS)
    figures = until_done(side, events, "pool")
    side.rpc("supervisor.stopProcess", "pool")
    return figures


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


def report(what, figures):
    """Prints what was measured in one way, and the ratios of the medians."""
    middle = {}
    for side, pairs in figures.items():
        rates, costs = zip(*pairs)
        row(f"{what}, {side}", rates, "events/s")
        row(f"{what}, CPU, {side}", costs, "us/event")
        middle[side] = statistics.median(rates), statistics.median(costs)
    (rate, cost), (reference_rate, reference_cost) = middle["ours"], middle["python"]
    print(f"{what}: rate {rate / reference_rate:.1f} times, CPU a {reference_cost / cost:.1f}th of the reference's")


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    programs = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    folder = Path("/tmp") / f"bench-events-{os.getpid()}"
    folder.mkdir()
    build(folder)
    config = CONFIG.format(folder=folder, events=events, programs=programs)
    sides = {side: daemon(side, config, ONE_CPU) for side in ("ours", "python")}
    ways = {"live": live, "backlog": backlog}
    figures = {way: {side: [] for side in sides} for way in ways}
    try:
        for _ in range(rounds):
            for way, measure in ways.items():
                for name, side in sides.items():
                    figures[way][name].append(measure(side, events))
        grown, times = stuck(sides["ours"])
    finally:
        for each in sides.values():
            each.close()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    for way in ways:
        report(way, figures[way])
    print(f"memory with a stuck listener     {grown:+d} KiB")
    row("restart beside it, ours", times, "ms")


if __name__ == "__main__":
    main()
