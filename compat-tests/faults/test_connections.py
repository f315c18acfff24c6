"""Connections, for ours only: nobody is closed by a clock, and nobody keeps descriptors or places that others need."""

import os
import resource
import shutil
import signal
import socket
import struct

import pytest

from building import compile_c
from harness import WAIT_SECS, free_port, read_response, wait_for
from procfs import descriptors

CALL = "<?xml version='1.0'?><methodCall><methodName>supervisor.{}</methodName><params>{}</params></methodCall>"
CAT = "[program:cat]\ncommand=/bin/cat\nstartsecs=0\n"

# Time since the start of the machine, moved by the seconds that stand in a file.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile long long *shift;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCK_FILE");
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED)
        shift = memory;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = real(clock, now);
    if (clock == CLOCK_MONOTONIC && shift != NULL)
        now->tv_sec += *shift;
    return result;
}
"""
DAY_SECS = 24 * 3600


def call(method, *values, headers=""):
    """A call as bytes."""
    body = CALL.format(method, "".join(f"<param><value>{value}</value></param>" for value in values))
    head = f"POST /RPC2 HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def answer(stream):
    """The status line and the body of the next answer."""
    status, _, body = read_response(stream.makefile("rb"))
    return status, body


def has_something(stream):
    """Whether there is an answer, or an end, to be read."""
    stream.setblocking(False)
    try:
        stream.recv(1, socket.MSG_PEEK)
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        stream.settimeout(WAIT_SECS)


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
@pytest.mark.parametrize("sent", [0, 30, -10, None], ids=["idle", "in the head", "in the body", "reads nothing"])
def test_no_clock_closes_a_connection(ours, sent):
    """A client that was in no hurry for a day: a listener that made its proxy at the start, a stopped `less`."""
    library = compile_c(ours, "clock.so", CLOCK, "-shared", "-fPIC", "-ldl")
    clock = ours.root / "clock"
    clock.write_bytes(struct.pack("q", 0))
    ours.configure(CAT.replace("startsecs=0", "autostart=false\nstdout_logfile=%(here)s/cat.log"))
    (ours.root / "cat.log").write_bytes(b"x" * (8 << 20))
    ours.start(env={"LD_PRELOAD": library, "CLOCK_FILE": str(clock)})
    kept = ours.connect()
    request = call("getState")
    kept.sendall(request)
    assert answer(kept)[0] == "HTTP/1.1 200 OK"
    if sent is None:
        request = call("readProcessStdoutLog", "cat", "<int>0</int>", "<int>0</int>")
        kept.sendall(request)
        wait_for(lambda: has_something(kept), "the start of the log")
        rest = b""
    else:
        kept.sendall(request[:sent])
        rest = request[sent:]
    # Answered after what was sent before, and deadlines are set by then.
    assert ours.rpc("supervisor.getState")["statename"] == "RUNNING"
    with open(clock, "r+b") as file:
        file.write(struct.pack("q", DAY_SECS))
    for _ in range(3):
        assert ours.rpc("supervisor.getState")["statename"] == "RUNNING"
    kept.sendall(rest)
    status, body = answer(kept)
    assert status == "HTTP/1.1 200 OK" and (sent is not None or len(body) > 8 << 20)
    kept.close()


WAITING = 260


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4096, reason="4096 descriptors are not allowed here")
def test_calls_that_wait_lock_nobody_out(ours):
    """As many programs are started as there were places once; others come in meanwhile, and everybody is answered."""
    ours.configure(f"[program:p]\ncommand=/bin/cat\nnumprocs={WAITING}\nprocess_name=%(process_num)d\nautostart=false\nstartsecs=1000000\n",
                   extra="minfds=4096")
    ours.start()
    callers = []
    for number in range(WAITING):
        stream = ours.connect()
        stream.sendall(call("startProcess", f"p:{number}"))
        callers.append(stream)
    for _ in range(50):
        with ours.connect() as operator:
            operator.sendall(call("getState"))
            assert answer(operator)[0] == "HTTP/1.1 200 OK"
    started = wait_for(lambda: [info for info in ours.rpc("supervisor.getAllProcessInfo") if info["statename"] == "STARTING"], "starts")
    wait_for(lambda: ours.log_text().count("spawned: ") == WAITING, lambda: f"{len(started)} starts")
    assert not any(has_something(stream) for stream in callers)
    ours.rpc("supervisor.stopAllProcesses")
    for stream in callers:
        status, body = answer(stream)
        assert status == "HTTP/1.1 200 OK" and "ABNORMAL_TERMINATION" in body
        stream.close()


def limited(descriptors):
    """What sets the limit of descriptors of a daemon to be started."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return limit


def test_silent_strangers_leave_descriptors_to_the_programs(ours):
    """Somebody without a password opens 300 connections and says nothing."""
    port, programs = free_port(), 155
    ours.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=secret\n"
                   f"[program:p]\ncommand=/bin/cat\nnumprocs={programs}\nprocess_name=%(process_num)d\nstartsecs=0\n")
    ours.start(preexec=limited(1024))

    def pids():
        return {info["pid"] for info in ours.rpc("supervisor.getAllProcessInfo") if info["statename"] == "RUNNING"}
    first = wait_for(lambda: len(running := pids()) == programs and running, "all programs")
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    with ours.connect() as operator:
        operator.settimeout(WAIT_SECS)
        operator.sendall(call("getState"))
        assert answer(operator)[0] == "HTTP/1.1 200 OK"
    for pid in sorted(first)[:20]:
        os.kill(pid, signal.SIGKILL)
    second = wait_for(lambda: len(running := pids()) == programs and len(running - first) == 20 and running, "restarts")
    assert len(second) == programs and "too many open files" not in ours.log_text()
    # Somebody who knows the password gets in among the others.
    known = socket.create_connection(("127.0.0.1", port), WAIT_SECS)
    known.sendall(call("getState", headers="Authorization: Basic dTpzZWNyZXQ=\r\n"))
    assert answer(known)[0] == "HTTP/1.1 200 OK"
    for stream in (known, *strangers):
        stream.close()


def test_strangers_leave_before_the_operator_is_kept_out(ours):
    """There are no descriptors left at all when somebody comes to the Unix socket."""
    port = free_port()
    ours.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=secret\n{CAT}")
    ours.start()
    hard = resource.prlimit(ours.pid, resource.RLIMIT_NOFILE)[1]
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    wait_for(lambda: sum("socket:" in target for target in descriptors(ours.pid).values()) > 20, "20 strangers")
    assert ours.rpc("supervisor.getState")["statename"] == "RUNNING"
    # The lowest free number is the limit.
    taken = descriptors(ours.pid)
    limit = next(number for number in range(3, 4096) if number not in taken)
    resource.prlimit(ours.pid, resource.RLIMIT_NOFILE, (limit, hard))
    operators = []
    for _ in range(5):
        operators.append(ours.connect())
        operators[-1].settimeout(WAIT_SECS)
        operators[-1].sendall(call("getState"))
        assert answer(operators[-1])[0] == "HTTP/1.1 200 OK"
    resource.prlimit(ours.pid, resource.RLIMIT_NOFILE, (hard, hard))
    for stream in (*operators, *strangers):
        stream.close()
