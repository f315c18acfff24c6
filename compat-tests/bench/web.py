#!/usr/bin/env python3
"""The web interface with 200 programs: the time to the first byte of the page, ours beside the reference's, what an
open page costs while nothing happens, and what /metrics costs.

    compat-tests/.venv/bin/python compat-tests/bench/web.py [PROGRAMS [SECONDS]]
"""

import socket
import statistics
import sys
import time

from measures import daemon, row

from harness import BASE, wait_for
from procfs import cpu_secs

REQUEST = b"GET / HTTP/1.1\r\nHost: sv.example\r\nConnection: close\r\n\r\n"
METRICS = b"GET /metrics HTTP/1.0\r\n\r\n"
EVENTS = b"GET /api/v1/events HTTP/1.1\r\nHost: sv.example\r\n\r\n"
MEASURED = BASE.replace("file=%(here)s/s.sock\n", "file=%(here)s/s.sock\nmetrics=true\n")
ROUNDS = 100
REFERENCE_ROUNDS = 20
METRICS_ROUNDS = 10


def config(programs):
    """So many programs that only sit there."""
    return f"""
[program:idle]
command=/bin/sleep 1000000
process_name=%(program_name)s_%(process_num)03d
numprocs={programs}
startsecs=1
"""


def all_running(subject):
    """Whether every program is RUNNING."""
    return all(info["statename"] == "RUNNING" for info in subject.rpc("supervisor.getAllProcessInfo"))


def first_byte(subject):
    """Milliseconds from connecting to the first byte, and to the last, and the bytes in all."""
    began = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(subject.socket))
        stream.sendall(REQUEST)
        size = len(stream.recv(1))
        first = time.perf_counter()
        while (piece := len(stream.recv(1 << 16))):
            size += piece
    return (first - began) * 1000, (time.perf_counter() - began) * 1000, size


def measure_page(side, subject, rounds):
    """Prints how long the page takes."""
    answers = [first_byte(subject) for _ in range(rounds)]
    firsts, lasts, sizes = zip(*answers)
    row(f"{side}: first byte of /", firsts, "ms")
    print(f"{'':32} 99th percentile {statistics.quantiles(firsts, n=100)[98]:.3f} ms, whole page {statistics.median(lasts):.3f} ms, "
          f"{sizes[-1]} bytes")


def measure_metrics(subject, rounds):
    """Prints what an answer of /metrics costs the daemon."""
    before, sizes = cpu_secs(subject.pid), []
    for _ in range(rounds):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(subject.socket))
            stream.sendall(METRICS)
            sizes.append(sum(iter(lambda: len(stream.recv(1 << 16)), 0)))  # noqa: B023
        # Readings of /proc serve everybody for a second.
        time.sleep(1)
    used = (cpu_secs(subject.pid) - before) / rounds
    print(f"ours: /metrics                   {used * 1000:.1f} ms of processor each, {sizes[-1]} bytes")


def measure_idle(subject, seconds, streams):
    """Prints what open pages cost while nothing happens."""
    listeners = []
    for _ in range(streams):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(subject.socket))
        stream.sendall(EVENTS)
        listeners.append(stream)
    time.sleep(5)  # what is told at the beginning
    before, began = cpu_secs(subject.pid), time.monotonic()
    time.sleep(seconds)
    used, took = cpu_secs(subject.pid) - before, time.monotonic() - began
    print(f"ours: {streams:3d} open pages               {used * 1000:.1f} ms of processor in {took:.0f} s: {used / took * 100:.3f} % of a core")
    for stream in listeners:
        stream.close()


def main():
    programs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    for side, rounds in (("ours", ROUNDS), ("python", REFERENCE_ROUNDS)):
        subject = daemon(side, config(programs), base=MEASURED)
        try:
            wait_for(lambda: all_running(subject), "all programs RUNNING")  # noqa: B023
            measure_page(side, subject, rounds)
            if side == "ours":
                measure_metrics(subject, METRICS_ROUNDS)
                for streams in (0, 1, 20):
                    measure_idle(subject, seconds, streams)
        finally:
            subject.close()


if __name__ == "__main__":
    main()
