#!/usr/bin/env python3
"""How long an operator waits for supervisorctl while something storms: `supervisorctl pid` as a whole process.

    compat-tests/.venv/bin/python compat-tests/bench/storms.py [QUESTIONS] [STORM…]

Each storm has a daemon of its own and lasts as long as the questions (100) take. Needs root for none of them.
"""

import socket
import statistics
import sys
import threading
import time
import xmlrpc.client
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from harness import Daemon, binary, finish, free_port  # noqa: E402
from listeners import REJECTER  # noqa: E402
from procfs import status_of  # noqa: E402

CROWD = """
[program:crowd]
process_name=%(program_name)s_%(process_num)d
stdout_logfile=NONE
stderr_logfile=NONE
"""


def unread(daemon, body, clients):
    """Connections that send a request and never read the answer."""
    head = f"POST /RPC2 HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    held = []
    for _ in range(clients):
        held.append(daemon.connect())
        threading.Thread(target=send, args=(held[-1], head + body), daemon=True).start()
    return held


def send(stream, data):
    """Sends as much as is taken."""
    try:
        stream.settimeout(None)
        stream.sendall(data)
    except OSError:
        pass  # refused, or given up


def multicall(method, count):
    """The body of a multicall."""
    return xmlrpc.client.dumps(
        ([{"methodName": method, "params": []}] * count,), "system.multicall").encode()


def exits(daemon):
    """400 programs that live for 0.1 s."""
    daemon.configure(CROWD + "command=sleep 0.1\nnumprocs=400\nstartsecs=0\nautorestart=true\n")
    daemon.start()


def starts(daemon):
    """260 clients that wait for the start of a program each."""
    daemon.configure(CROWD + "command=sleep 1000\nnumprocs=260\nstartsecs=3600\nautostart=false\n")
    daemon.start()
    for number in range(260):
        held = daemon.connect()
        body = xmlrpc.client.dumps((f"crowd:crowd_{number}",), "supervisor.startProcess").encode()
        held.sendall(f"POST /RPC2 HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        daemon.held.append(held)


def answers(daemon):
    """40 clients that ask for 500 times everything, and do not read."""
    daemon.configure(CROWD + "command=sleep 1000\nnumprocs=100\n")
    daemon.start()
    daemon.held += unread(daemon, multicall("supervisor.getAllProcessInfo", 500), 40)


def calls(daemon):
    """A multicall of 4 MB, again and again."""
    daemon.configure(CROWD + "command=sleep 1000\nnumprocs=500\n")
    daemon.start()
    body = multicall("supervisor.getState", 21_000)

    def again():
        while daemon.storming:
            held = daemon.connect()
            send(held, f"POST /RPC2 HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            try:
                while held.recv(1 << 16):
                    pass
            except OSError:
                pass
            held.close()
    threading.Thread(target=again, daemon=True).start()


def strangers(daemon):
    """300 silent connections, 155 programs, 1024 descriptors."""
    port = free_port()
    daemon.configure(CROWD + f"command=sleep 1000\nnumprocs=155\n[inet_http_server]\nport=127.0.0.1:{port}\n")
    daemon.start(wrap=("prlimit", "--nofile=1024:1024"))
    for _ in range(300):
        daemon.held.append(socket.create_connection(("127.0.0.1", port)))


def rejections(daemon):
    """A listener that rejects whatever it gets."""
    listener = daemon.write("no.py", REJECTER)
    daemon.configure(f"[eventlistener:no]\ncommand={sys.executable} {listener}\nevents=REMOTE_COMMUNICATION\n")
    daemon.start()
    daemon.rpc("supervisor.sendRemoteCommEvent", "kind", "data")


def tokens(daemon):
    """Four programs that print nothing but capture tokens, and a listener that takes nothing."""
    daemon.configure(CROWD + "command=yes '<!--XSUPERVISOR:BEGIN-->x<!--XSUPERVISOR:END-->'\nnumprocs=4\n"
                     "stdout_capture_maxbytes=1KB\n[eventlistener:deaf]\ncommand=sleep 1000\n"
                     "events=PROCESS_COMMUNICATION\n")
    daemon.start()


def syslog(daemon):
    """Sixteen programs that print short lines for a syslog daemon."""
    daemon.configure(CROWD + "command=yes\nnumprocs=16\nstdout_syslog=true\n")
    daemon.start()


STORMS = (exits, starts, answers, calls, strangers, rejections, tokens, syslog)


def storm(kind, questions):
    """Prints what one storm does to an operator."""
    daemon = Daemon("ours")
    daemon.held, daemon.storming = [], True
    client = daemon.root / "bin" / "supervisorctl"
    client.symlink_to(binary())
    try:
        kind(daemon)
        before = status_of(daemon.pid, "VmRSS")
        waits, most = [], before
        for _ in range(questions):
            began = time.perf_counter()
            status, out, _ = finish([client, "-c", daemon.config, "pid"], 60, env=daemon.env)
            waits.append((time.perf_counter() - began) * 1000)
            assert (status, out) == (0, f"{daemon.pid}\n"), (status, out)
            most = max(most, status_of(daemon.pid, "VmRSS"))
        waits.sort()
        print(f"{kind.__name__:10}  median {statistics.median(waits):7.1f} ms  p99 {waits[int(len(waits) * 0.99) - 1]:7.1f} ms"
              f"  max {waits[-1]:7.1f} ms  RSS {most / 1024:6.1f} MiB ({(most - before) / 1024:+.1f})   {kind.__doc__}",
              flush=True)
    finally:
        daemon.storming = False
        for held in daemon.held:
            held.close()
        complaint = daemon.close()
        if complaint:
            print(complaint)


def main():
    words = sys.argv[1:]
    questions = int(words.pop(0)) if words and words[0].isdigit() else 100
    for kind in STORMS:
        if not words or kind.__name__ in words:
            storm(kind, questions)


if __name__ == "__main__":
    main()
