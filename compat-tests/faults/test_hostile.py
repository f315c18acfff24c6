"""Hostile clients and hostile programs, for ours only: whatever they do, the daemon answers, stays small and forgets them.

HOSTILE_SEED chooses the random requests.
"""

import contextlib
import os
import random
import select
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from harness import Daemon, free_port, read_response, wait_for
from procfs import cpu_ticks, descriptors, status_of

MOST_KIB = 30 * 1024
CALL = "<?xml version='1.0'?><methodCall><methodName>{}</methodName><params>{}</params></methodCall>"
PROGRAM = "[program:cat]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.log\n"


@contextlib.contextmanager
def hostility(config, extra=""):
    """A daemon to be hostile to; afterwards it answers at once, is no bigger than it may be, has as many descriptors as
    before and has said nothing on stderr."""
    daemon = Daemon("ours")
    try:
        daemon.configure(config, extra)
        daemon.start()
        before = len(descriptors(daemon.pid))
        yield daemon
        unharmed(daemon)
        wait_for(lambda: len(descriptors(daemon.pid)) <= before,
                 lambda: f"{before} descriptors, now {descriptors(daemon.pid)}")
    finally:
        complaint = daemon.close()
    assert complaint is None, complaint


def unharmed(daemon):
    """The daemon answers, is the same process and of the size it may have."""
    assert daemon.rpc("supervisor.getState")["statename"] == "RUNNING"
    assert daemon.rpc("supervisor.getPID") == daemon.pid
    assert status_of(daemon.pid, "VmRSS") < MOST_KIB
    assert daemon.read("stderr") == ""
    assert "panicked" not in daemon.read("stdout") + daemon.log_text()


def request(body, path="/RPC2", headers=""):
    """A POST request as bytes."""
    data = body.encode() if isinstance(body, str) else body
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n{headers}Content-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def call(method, *values):
    """A request for a method with values in their XML form."""
    return request(CALL.format(method, "".join(f"<param><value>{value}</value></param>" for value in values)))


STATE = call("supervisor.getState")


def exchange(daemon, sent):
    """Sends bytes, closes the sending side and returns all that comes back until the daemon closes."""
    with daemon.connect() as stream:
        received = b""
        try:
            stream.sendall(sent)
            stream.shutdown(socket.SHUT_WR)
            while chunk := stream.recv(65536):
                received += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass  # the daemon had had enough
        return received


# Requests

SEEDS = [
    STATE, call("supervisor.getAllProcessInfo"), call("supervisor.getProcessInfo", "<string>cat</string>"),
    call("supervisor.readLog", "<int>-100</int>", "<int>0</int>"), call("supervisor.tailProcessStdoutLog", "cat", "<int>0</int>", "<int>99</int>"),
    call("supervisor.sendProcessStdin", "cat", "<base64>aGVsbG8K</base64>"), call("supervisor.signalProcess", "cat", "<int>0</int>"),
    call("supervisor.getState", "<struct><member><name>a</name><value><double>1.5</double></value></member></struct>"),
    call("system.multicall", "<array><data><value><struct><member><name>methodName</name><value>supervisor.getPID</value></member>"
         "<member><name>params</name><value><array><data/></array></value></member></struct></value></data></array>"),
    call("system.methodHelp", "<dateTime.iso8601>20261121T00:00:00</dateTime.iso8601>"), b"GET /logtail/nope HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic !!!!\r\n\r\n", b"HEAD /x HTTP/1.0\r\nConnection: close\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\r", b"\n", b"\0", b"\xff\xfe", b"%00", b"%", b"/../", b"<", b">", b"</", b"/>", b"<![CDATA[", b"]]>", b"<!--", b"<?", b"<!DOCTYPE a>", b"&amp;", b"&#0;",
    b"&#xD800;", b"&x;", b"<value>", b"</value>", b"<array>", b"<struct>", b"<int>", b"9" * 400, b"-", b"1e999", b"<nil/>", b"a" * 5000, b"\xf0\x9f\x98\x80", b":", b" ", b"Content-Length: ",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n", b"HTTP/9.9", b"ffffffffffffffff\r\n",
]
HAND_MADE = [
    b"", b"\0" * 5000, random.Random(1).randbytes(3000), b"GET " + b"/a" * 40000 + b" HTTP/1.1\r\n\r\n", b"POST /RPC2 HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"POST /RPC2 HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50,
    request("<a>" * 100_000), request("<a>" * 30 + "</a>" * 30), request("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>"), request("&" * 100_000),
    request(CALL.format("supervisor." + "x" * 100_000, "")), request(CALL.format("a" * 10 + "\x01", "")), request(" " * 1_000_000),
    call("supervisor.getProcessInfo", "<string>" + "n" * 500_000 + "</string>"), call("supervisor.readLog", "<int>-9999999999999999999</int>", "<int>9</int>"),
    call("supervisor.tailProcessStdoutLog", "cat", "<int>-9223372036854775808</int>", "<int>9223372036854775807</int>"),
    call("system.multicall", "<array><data>" + "<value><struct/></value>" * 3000 + "</data></array>"), STATE * 200,
    request("x" * (9 << 20)), b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000, STATE[:-5] + STATE,
]


def mutated(source):
    """A request with some of its bytes replaced, removed, repeated or cut off: anywhere, or in its XML only."""
    sent = source.choice(SEEDS)
    body = sent.partition(b"\r\n\r\n")[2]
    if body and source.random() < 0.5:
        return request(changed(source, body, source.randint(1, 2)))
    return changed(source, sent, source.randint(1, 4))


def changed(source, text, times):
    """The text after some mishaps."""
    text = bytearray(text)
    for _ in range(times):
        at = source.randrange(len(text) + 1)
        kind = source.randrange(5)
        if kind == 0:
            text[at:at + source.randint(0, 10)] = source.choice(PIECES)
        elif kind == 1:
            text[at:at + 1] = bytes([source.randrange(256)])
        elif kind == 2:
            del text[at:at + source.randint(1, 30)]
        elif kind == 3:
            text[at:at] = text[at:at + source.randint(1, 60)] * source.randint(1, 20)
        elif source.random() < 0.3:
            del text[at:]
    return bytes(text)


def test_random_requests():
    seed = int(os.environ.get("HOSTILE_SEED", "1"))
    source = random.Random(seed)
    with hostility(PROGRAM) as d:
        answered = 0
        for number in range(400):
            sent = mutated(source)
            received = exchange(d, sent)
            assert received == b"" or received.startswith(b"HTTP/1."), (seed, number, sent, received)
            answered += b" 200 " in received.split(b"\r\n")[0]
            if number % 50 == 0:
                unharmed(d)
        assert 5 < answered < 380, f"{answered} of 400: they are no longer a mixture of good and bad"


@pytest.mark.parametrize("number", range(len(HAND_MADE)))
def test_one_bad_request(number):
    with hostility(PROGRAM) as d:
        for _ in range(3):
            received = exchange(d, HAND_MADE[number])
            assert received == b"" or received.startswith(b"HTTP/1."), received[:500]
            unharmed(d)


# Clients

def test_more_connections_than_there_is_room_for():
    """300 clients that stop in the middle of a request, and others that half close, reset or read nothing."""
    with hostility(PROGRAM) as d, contextlib.ExitStack() as held:
        for number in range(300):
            stream = held.enter_context(d.connect())
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stream.sendall(STATE[:number % len(STATE)])
                if number % 7 == 0:
                    stream.shutdown(socket.SHUT_WR)
            if number % 50 == 0:
                unharmed(d)
        unharmed(d)
        assert len(descriptors(d.pid)) < 300
        held.close()


def test_a_slow_client_delays_nobody():
    with hostility(PROGRAM) as d, d.connect() as slow:
        for byte in STATE:
            slow.sendall(bytes([byte]))
            assert d.rpc("supervisor.getState")["statecode"] == 1
        assert read_response(slow.makefile("rb"))[0] == "HTTP/1.1 200 OK"


def big_log(d, size):
    """Gives the program a log of `size` bytes."""
    with open(d.root / "cat.log", "wb") as log:
        for start in range(0, size, 1 << 16):
            log.write(bytes(range(32, 127)).ljust(1 << 16, b"x")[:size - start])


@pytest.mark.parametrize("clients, size", [(40, 1 << 20), (4, 8 << 20)])
def test_clients_that_never_read_their_answers(clients, size):
    with hostility(PROGRAM.replace("startsecs=0", "autostart=false")) as d, contextlib.ExitStack() as held:
        big_log(d, size)
        streams = [held.enter_context(d.connect()) for _ in range(clients)]
        for stream in streams:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stream.sendall(call("supervisor.readProcessStdoutLog", "cat", "<int>0</int>", "<int>0</int>"))
        # Answered, or given up: each has something to be read.
        wait_for(lambda: len(select.select(streams, [], [], 1)[0]) == clients, "answers")
        unharmed(d)
        held.close()


def test_big_answers_and_requests_at_a_time_are_all_served():
    """What bounds the memory delays the others, and only that, as long as clients go on."""
    with hostility(PROGRAM.replace("startsecs=0", "autostart=false")) as d:
        size = 6 << 20
        big_log(d, size)
        read = call("supervisor.readProcessStdoutLog", "cat", "<int>0</int>", "<int>0</int>")
        big = call("supervisor.getProcessInfo", "<string>" + "n" * size + "</string>")
        answers = []

        def client(sent):
            with d.connect() as stream:
                stream.sendall(sent)
                answers.append(read_response(stream.makefile("rb")))
        clients = [threading.Thread(target=client, args=(sent,)) for sent in (read, big) * 4]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        assert [status for status, _, _ in answers] == ["HTTP/1.1 200 OK"] * 8
        assert sum(len(body) > size for _, _, body in answers) == 8


def test_clients_that_never_finish_big_requests():
    with hostility(PROGRAM) as d, contextlib.ExitStack() as held:
        for _ in range(10):
            stream = held.enter_context(d.connect())
            stream.settimeout(0.2)
            with contextlib.suppress(OSError):
                stream.sendall(request("x" * (8 << 20))[:-1])
        unharmed(d)
        held.close()


def test_one_multicall_that_asks_for_too_much():
    """A log may be read whole, and several in one call, but not any number of them."""
    log_bytes = 5 << 19
    daemon = Daemon("ours")
    try:
        daemon.configure(PROGRAM)
        daemon.write("cat.log", "x" * log_bytes)
        daemon.start()
        read = {"methodName": "supervisor.readProcessStdoutLog", "params": ["cat", 0, 0]}
        state = {"methodName": "supervisor.getState", "params": []}
        *logs, last = daemon.rpc("system.multicall", [read] * 5 + [state])
        lengths = [len(log) for log in logs[:3]]
        assert lengths == [log_bytes] * 3
        refusal = "FAILED: the results of one multicall hold 8 MiB at most"
        assert logs[3:] == [{"faultCode": 30, "faultString": refusal}] * 2
        assert last["statename"] == "RUNNING"
    finally:
        daemon.close()


def test_streams_that_nobody_reads():
    with hostility("[program:flood]\ncommand=/bin/sh -c 'exec cat /dev/zero'\nstartsecs=0\nstdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=1MB\n"
                   "stdout_logfile_backups=1\n") as d, contextlib.ExitStack() as held:
        for _ in range(30):
            held.enter_context(d.connect()).sendall(b"GET /logtail/flood HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: (d.root / "flood.log.1").exists(), "a rotation")
        unharmed(d)
        assert d.rpc("supervisor.stopProcess", "flood")
        held.close()


FOLLOW = b"GET /logtail/cat HTTP/1.1\r\nHost: x\r\n\r\n"
PLACES = 128


def first_line(stream):
    """The status line of an answer that need not end."""
    return stream.makefile("rb").readline().decode().strip()


def test_followers_that_leave_something_unread():
    """A byte after the request keeps nobody from noticing that its sender is gone, though a silent log writes nothing."""
    with hostility(PROGRAM) as d:
        for _ in range(2 * PLACES + 50):
            with d.connect() as stream:
                stream.sendall(FOLLOW + b"x")
                assert first_line(stream) == "HTTP/1.1 200 OK"


def test_followers_leave_room_for_others():
    with hostility(PROGRAM) as d, contextlib.ExitStack() as held:
        streams = [held.enter_context(d.connect()) for _ in range(PLACES)]
        for stream in streams:
            stream.sendall(FOLLOW)
            assert first_line(stream) == "HTTP/1.1 200 OK"
        for path in ("/logtail/cat", "/mainlogtail", "/api/v1/events"):
            assert d.http(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")[0] == "HTTP/1.1 503 Service Unavailable"
        unharmed(d)
        streams.pop().close()

        def served():
            with d.connect() as stream:
                stream.sendall(FOLLOW)
                return first_line(stream) == "HTTP/1.1 200 OK"
        wait_for(served, "a place for another")
        held.close()


def test_a_call_that_waits_holds_up_no_page():
    """A big log is to be read when a program has stopped, which it does not; pages of any size are served meanwhile."""
    stubborn = ("[program:stubborn]\ncommand=/bin/cat\nstartsecs=0\nstopsignal=CONT\nstopwaitsecs=3600\n"
                "[program:many]\ncommand=/bin/cat\nautostart=false\nnumprocs=40\nprocess_name=%(process_num)d\n")
    with hostility(PROGRAM + stubborn) as d:
        big_log(d, 1 << 20)
        d.wait_state("stubborn", "RUNNING")
        calls = [{"methodName": "supervisor.stopProcess", "params": ["stubborn"]},
                 {"methodName": "supervisor.readProcessStdoutLog", "params": ["cat", 0, 0]}]
        results = []
        waiting = threading.Thread(target=lambda: results.extend(d.rpc("system.multicall", calls)))
        waiting.start()
        d.wait_state("stubborn", "STOPPING")
        for path in ("/", "/api/v1/status"):
            status, _, body = d.http(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status == "HTTP/1.1 200 OK" and "many:39" in body
        assert not results
        assert d.rpc("supervisor.signalProcess", "stubborn", "KILL")
        waiting.join()
        assert results[0] is True and len(results[1]) == 1 << 20


def waiting_in_kernel(server, client):
    """Bytes of a TCP connection of this machine, given by its two ports, that are not at the other end yet."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if int(local[-4:], 16) == server and int(remote[-4:], 16) == client:
            return int(queues.partition(":")[0], 16)
    return 0


def test_little_waits_in_the_kernel():
    """So that a client that takes a big answer slowly is seen to move, and not given up for one that stands still."""
    port = free_port()
    with hostility(PROGRAM + f"[inet_http_server]\nport=127.0.0.1:{port}\n") as d, socket.socket() as stream:
        big_log(d, 16 << 20)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.connect(("127.0.0.1", port))
        stream.sendall(call("supervisor.readProcessStdoutLog", "cat", "<int>0</int>", "<int>0</int>"))
        seen = [0]

        def stands_still():
            seen.append(waiting_in_kernel(port, stream.getsockname()[1]))
            return seen[-1] and seen[-20:] == seen[-1:] * 20
        wait_for(stands_still, lambda: f"a connection that stands still, not {seen}")
        assert max(seen) < 256 << 10


# Programs

def test_binary_output():
    """Every byte value, and what only looks like UTF-8, goes to the log as it is and can be asked for."""
    with hostility("""
[program:binary]
command=/bin/sh -c 'head -c 300000 /dev/urandom | tee %(here)s/copy; echo; printf "\\377\\376\\000\\360\\237" | tee -a %(here)s/copy; echo end'
startsecs=0
autorestart=false
stdout_logfile=%(here)s/binary.log
""") as d:
        d.wait_state("binary", "EXITED")
        wait_for(lambda: (d.root / "binary.log").read_bytes().endswith(b"end\n"), "the end of the output")
        logged, copy = ((d.root / name).read_bytes() for name in ("binary.log", "copy"))
        assert logged == copy[:300000] + b"\n" + copy[300000:] + b"end\n"
        for method in ("readProcessStdoutLog", "tailProcessStdoutLog"):
            asked = call(f"supervisor.{method}", "binary", "<int>0</int>", "<int>1000000</int>")
            status, _, body = d.http(asked, see=False)
            assert status == "HTTP/1.1 200 OK" and "\ufffd" in body, (status, body[:200])


def test_a_flood_without_line_ends():
    with hostility("""
[program:flood]
command=/bin/sh -c 'exec cat /dev/zero'
startsecs=0
stdout_logfile=%(here)s/flood.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=2
stdout_capture_maxbytes=1MB
stdout_events_enabled=true
""") as d:
        flood = d.pid_of("flood")

        def written():
            line = next(line for line in Path(f"/proc/{flood}/io").read_text().splitlines() if line.startswith("wchar"))
            return int(line.split()[1])
        for megabytes in (100, 200):
            wait_for(lambda: written() > megabytes << 20, "output")  # noqa: B023
            unharmed(d)
        assert d.rpc("supervisor.stopProcess", "flood")
        wait_for(lambda: not (d.root / "flood.log.3").exists() and (d.root / "flood.log.2").exists(), "rotations")
        d.catch_up()
        assert sum(path.stat().st_size for path in d.root.glob("flood.log*")) < 4 << 20


def test_a_program_that_closes_its_output():
    with hostility("""
[program:mute]
command=/bin/sh -c 'exec >&- 2>&-; exec sleep 1000000'
startsecs=0
[program:deaf]
command=/bin/sh -c 'exec <&-; exec sleep 1000000'
startsecs=0
""") as d:
        d.wait_state("mute", "RUNNING")
        sleeping = d.pid_of("mute")
        wait_for(lambda: not Path(f"/proc/{sleeping}/fd/1").exists(), "a closed stdout")
        before = cpu_ticks(d.pid)
        for _ in range(100):
            unharmed(d)
        # An end of file that is not understood is reported again and again.
        assert cpu_ticks(d.pid) - before < 100
        sleeping = d.pid_of("deaf")
        wait_for(lambda: not Path(f"/proc/{sleeping}/fd/0").exists(), "a closed stdin")
        assert d.outcome("sendProcessStdin", "deaf", "x").faultCode == 20
        assert d.rpc("supervisor.stopProcess", "mute") and d.rpc("supervisor.startProcess", "mute")


def test_a_program_that_does_not_read_its_input():
    """Bytes are kept up to a limit, then refused; they go away with the program."""
    with hostility("[program:sleeps]\ncommand=/bin/sleep 1000000\nstartsecs=0\n") as d:
        taken = 0
        while taken < 100 << 20:
            outcome = d.outcome("sendProcessStdin", "sleeps", "x" * (1 << 16))
            if outcome is not True:
                break
            taken += 1 << 16
        assert 1 << 20 <= taken <= 5 << 20, (taken, outcome)
        for _ in range(2000):
            d.outcome("sendProcessStdin", "sleeps", "yy")
        unharmed(d)
        assert d.rpc("supervisor.stopProcess", "sleeps")


def test_programs_that_crash_all_the_time():
    """Twenty programs that end at once: the daemon's processor time stays low and its answers quick."""
    with hostility("[program:crash]\ncommand=/bin/false\nstartsecs=0\nautorestart=true\nnumprocs=20\nprocess_name=%(process_num)d\n") as d:
        d.wait_log("spawned: ", 20)
        before, times, crashes = cpu_ticks(d.pid), [], d.log_text().count("exited: ")
        started = time.monotonic()
        while d.log_text().count("exited: ") < crashes + 60:
            asked = time.monotonic()
            d.rpc("supervisor.getAllProcessInfo")
            times.append(time.monotonic() - asked)
            select.select([], [], [], 0.02)
        seconds = time.monotonic() - started
        used = (cpu_ticks(d.pid) - before) / os.sysconf("SC_CLK_TCK")
        assert used < 0.3 * seconds, f"{used} s of processor time in {seconds} s"
        assert sorted(times)[len(times) // 2] < 1, times
        unharmed(d)


def test_a_program_that_leaves_its_pipes_to_others():
    """Grandchildren that keep the pipes open hold up neither the end of the program nor its stop."""
    with hostility("""
[program:parent]
command=/bin/sh -c 'sleep 1000000 & sleep 1000000 & echo ready; wait'
startsecs=0
autorestart=false
killasgroup=true
stopasgroup=true
stdout_logfile=%(here)s/parent.log
[program:leaves]
command=/bin/sh -c 'sleep 1000000 & echo $!'
startsecs=0
autorestart=false
stdout_logfile=%(here)s/leaves.log
""") as d:
        d.wait_file("parent.log", "ready")
        assert d.rpc("supervisor.stopProcess", "parent")
        d.wait_state("leaves", "EXITED")
        orphan = int(d.wait_file("leaves.log", r"\d+\n"))
        assert d.rpc("supervisor.startProcess", "leaves")
        os.kill(orphan, signal.SIGKILL)
        d.wait_file("leaves.log", r"\d+\n", 2)
        os.kill(int(d.read("leaves.log").split()[1]), signal.SIGKILL)
