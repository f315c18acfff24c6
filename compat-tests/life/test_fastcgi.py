"""FastCGI programs: the shared socket, its life, and real answers through it."""

import os
import re
import shutil
import socket
import stat
import struct

import pytest

from harness import WAIT_SECS, Daemon, command, finish, free_port, wait_for
from normalize import difference
from scenario import scenario, sides

# A responder after the FastCGI specification: answers every request with its process id and QUERY_STRING.
RESPONDER = r"""
import os, socket, struct
def exactly(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
server = socket.socket(fileno=0)
while True:
    connection, _ = server.accept()
    stream = connection.makefile("rwb")
    params = b""
    try:
        while True:
            _, kind, request, length, padding, _ = struct.unpack("!BBHHBB", exactly(stream, 8))
            content = exactly(stream, length)
            exactly(stream, padding)
            if kind == 4:
                params += content
            if kind == 5 and not content:
                text = b"Content-Type: text/plain\r\n\r\npid=%d params=%s" % (os.getpid(), params)
                stream.write(struct.pack("!BBHHBB", 1, 6, request, len(text), 0, 0) + text)
                stream.write(struct.pack("!BBHHBB", 1, 3, request, 8, 0, 0) + bytes(8))
                stream.flush()
                break
    except EOFError:
        pass
    stream.close()
    connection.close()
"""


def ask(address, **params):
    """One FastCGI request; returns what the program answers on its stdout."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(WAIT_SECS)
        connection.connect(address)
        stream = connection.makefile("rwb")

        def record(kind, content):
            stream.write(struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content)
        record(1, struct.pack("!HB5x", 1, 0))
        pairs = b"".join(bytes([len(name), len(value)]) + name.encode() + value.encode() for name, value in params.items())
        record(4, pairs)
        record(4, b"")
        record(5, b"")
        stream.flush()
        answer = b""
        while True:
            head = stream.read(8)
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", head)
            content = stream.read(length + padding)[:length]
            if kind == 6:
                answer += content
            if kind == 3:
                return answer.decode()


def answering(answer):
    """The process that gave an answer."""
    return int(re.search(r"pid=(\d+)", answer).group(1))


def fcgi(name, sock, more=""):
    """A section of a program that runs the responder."""
    return f"""
[fcgi-program:{name}]
socket={sock}
command=%(ENV_PYTHON)s -u %(here)s/responder.py
startsecs=0
autostart=false
{more}
"""


def begin(d):
    """Starts the daemon with the responder installed."""
    d.write("responder.py", RESPONDER)
    d.start()


def socket_lines(d, closed):
    """What the main log says about sockets and the processes that use them, once it tells of so many closed ones."""
    d.wait_log("Closing socket", closed)
    return d.log_lines("socket unix|socket tcp|spawn|stopped|exited", without="Unlinking|waiting for")


@scenario(fcgi("site", "unix://%(here)s/f.sock", "numprocs=2\nprocess_name=%(program_name)s%(process_num)s\nsocket_mode=0640"),
          start=False)
def test_several_processes_share_a_unix_socket(d):
    begin(d)
    path = str(d.root / "f.sock")
    d.call("startProcess", "site:site0")
    assert "QUERY_STRING" in ask(path, QUERY_STRING="a=b")
    d.see("mode", oct(stat.S_IMODE(os.stat(path).st_mode)))
    pid = d.pid_of("site:site0")
    d.see("descriptor 0", bool(re.match(r"socket:", os.readlink(f"/proc/{pid}/fd/0"))))
    d.see("descriptors", sorted(os.listdir(f"/proc/{pid}/fd"))[:3])
    d.call("startProcess", "site:site1")
    d.call("sendProcessStdin", "site:site1", "text")
    # The other one goes on answering on the same socket.
    d.call("stopProcess", "site:site0")
    d.see("answer", re.sub(r"pid=\d+", "pid=N", ask(path, QUERY_STRING="c=d")))
    d.call("stopProcess", "site:site1")
    with pytest.raises(ConnectionRefusedError):
        ask(path)
    d.call("startProcess", "site:site0")
    ask(path)
    d.call("stopProcess", "site:site0")
    d.see("log", socket_lines(d, 3))


def test_tcp_sockets():
    """Both sides, one after the other: they cannot have the same port at once."""
    seen = []
    for side in dict.fromkeys(sides()):
        port = free_port()
        d = Daemon(side)
        try:
            d.places.append((str(port), "<PORT>"))
            d.configure(fcgi("site", f"tcp://LocalHost:{port}", "socket_backlog=7"))
            begin(d)
            d.call("startProcess", "site:site")
            d.see("answer", re.sub(r"pid=\d+", "pid=N", ask(("127.0.0.1", port), QUERY_STRING="a=b")))
            d.call("stopProcess", "site:site")
            d.see("log", socket_lines(d, 2))
            seen.append(d.record)
        finally:
            assert not d.close()
    assert not difference(seen[0], seen[-1])


@scenario(fcgi("site", "unix://%(here)s/f.sock", "autorestart=true"), start=False)
def test_a_crash_makes_a_new_socket(d):
    begin(d)
    d.call("startProcess", "site:site")
    path = str(d.root / "f.sock")
    ask(path)
    d.note_pid("site:site")
    d.kill("site:site")
    d.wait_log("spawned: 'site'", 2)
    d.wait_state("site:site", "RUNNING")
    ask(path)
    d.call("stopProcess", "site:site")
    d.see("log", socket_lines(d, 3))


@scenario(fcgi("site", "unix://%(here)s/f.sock", "command=/nonexistent/program\nstartretries=0\nautostart=true").replace(
    "command=%(ENV_PYTHON)s -u %(here)s/responder.py\n", "").replace("autostart=false\n", ""), start=False)
def test_a_program_that_cannot_start_releases_the_socket(d):
    begin(d)
    d.see("log", socket_lines(d, 2))


@scenario(fcgi("site", "unix:///nonexistent/f.sock"), start=False)
def test_a_socket_that_cannot_be_created_is_an_error_at_the_start(d):
    status, _, stderr = d.run("-n", "-c", d.config)
    # The reference prints a traceback.
    d.expect("status", status, 1, 2)
    message = "Could not create FastCGI socket unix:///nonexistent/f.sock: [Errno 2] No such file or directory"
    d.see("message", message in stderr)
    d.see("log", d.log_lines("ing socket unix"))


@scenario("", start=False)
def test_groups_added_and_changed_by_a_reread(d):
    begin(d)
    d.configure(fcgi("site", "unix://%(here)s/f.sock") + fcgi("bad", "unix:///nonexistent/f.sock"))
    d.call("reloadConfig")
    d.call("addProcessGroup", "site")
    # HTTP 500 is what the reference makes of any exception.
    d.expect("add a bad one", d.outcome("addProcessGroup", "bad"), {"http status": 500}, {
        "fault": 30,
        "text": "FAILED: Could not create FastCGI socket unix:///nonexistent/f.sock: [Errno 2] No such file or directory"})
    d.call("startProcess", "site:site")
    ask(str(d.root / "f.sock"))
    d.configure(fcgi("site", "unix://%(here)s/g.sock"))
    d.call("reloadConfig")
    d.call("stopProcess", "site:site")
    d.call("removeProcessGroup", "site")
    d.call("addProcessGroup", "site")
    d.call("startProcess", "site:site")
    ask(str(d.root / "g.sock"))
    d.call("stopProcess", "site:site")
    d.see("log", [line for line in socket_lines(d, 4) if "ing socket" in line])


MIXED = (fcgi("one", "unix://%(here)s/one.sock", "numprocs=2\nprocess_name=%(program_name)s%(process_num)s")
         + fcgi("two", "unix://%(here)s/two.sock", "socket_mode=0640")
         + "[program:plain]\ncommand=/bin/sleep 1000000\nautostart=false\nstartsecs=0\n"
         + "[group:site]\nprograms=one,plain,two\n")


def test_members_of_a_group():
    """Each FastCGI program in a `[group:x]` has a socket of its own, which its processes share."""
    d = Daemon("ours")
    try:
        d.configure(MIXED)
        begin(d)
        one, two = str(d.root / "one.sock"), str(d.root / "two.sock")
        for name in ("site:one0", "site:one1", "site:two", "site:plain"):
            d.rpc("supervisor.startProcess", name)
        daemons = command(d.pid)
        wait_for(lambda: all(command(d.pid_of(f"site:{name}")) not in (b"", daemons) for name in ("one0", "one1", "two", "plain")),
                 "the programs in place of the daemon's copies")
        inodes = {name: os.stat(f"/proc/{d.pid_of('site:' + name)}/fd/0").st_ino for name in ("one0", "one1", "two", "plain")}
        assert inodes["one0"] == inodes["one1"] and len(set(inodes.values())) == 3
        assert d.pid_of("site:two") == answering(ask(two))
        assert stat.S_IMODE(os.stat(two).st_mode) == 0o640
        d.rpc("supervisor.sendProcessStdin", "site:plain", "text")
        assert "NO_FILE" in str(d.outcome("sendProcessStdin", "site:two", "text"))
        # The others go on when one leaves, and the last one closes its program's socket and no other.
        d.rpc("supervisor.stopProcess", "site:one0")
        assert d.pid_of("site:one1") == answering(ask(one))
        d.rpc("supervisor.stopProcess", "site:one1")
        with pytest.raises(ConnectionRefusedError):
            ask(one)
        assert d.pid_of("site:two") == answering(ask(two))
        # A socket elsewhere is a change of the group.
        d.configure(MIXED.replace("two.sock", "three.sock"))
        assert d.rpc("supervisor.reloadConfig") == [[[], ["site"], []]]
        assert d.pid_of("site:two") == answering(ask(two))
        d.rpc("supervisor.stopProcessGroup", "site")
        d.rpc("supervisor.removeProcessGroup", "site")
        d.rpc("supervisor.addProcessGroup", "site")
        d.rpc("supervisor.startProcess", "site:two")
        assert d.pid_of("site:two") == answering(ask(str(d.root / "three.sock")))
        lines = d.log_lines("Creating socket|Closing socket")
        # Tried at the start and when the group is added, and used once each but `two`, which is still in use.
        assert len([line for line in lines if "Creating" in line and "one.sock" in line]) == 3, lines
        assert len([line for line in lines if "Closing" in line and "three.sock" in line]) == 1, lines
    finally:
        assert not d.close()


def test_members_of_a_group_under_the_reference():
    """The reference forgets the socket and starts them as plain programs."""
    if "python" not in sides():
        pytest.skip("only ours is looked at")
    d = Daemon("python")
    try:
        d.configure(MIXED.replace("%(ENV_PYTHON)s -u %(here)s/responder.py", "/bin/sleep 1000000"))
        begin(d)
        d.rpc("supervisor.startProcess", "site:two")
        pid = d.pid_of("site:two")
        wait_for(lambda: command(pid).startswith(b"/bin/sleep"), "the program in place of the daemon's copy")
        assert os.readlink(f"/proc/{pid}/fd/0").startswith("pipe:")
        assert not (d.root / "two.sock").exists()
    finally:
        assert not d.close()


def test_a_bad_socket_of_a_member():
    """Is an error at the start as anywhere else; without a socket a member is a plain program, as in the reference."""
    for socket_line, complaint in (("socket=http://x", "('Bad socket format %s', 'http://x') in [fcgi-program:two] socket"),
                                   ("", None)):
        d = Daemon("ours")
        try:
            d.configure(MIXED.replace("socket=unix://%(here)s/two.sock\n", socket_line + "\n").replace("socket_mode=0640\n", ""))
            d.write("responder.py", RESPONDER)
            if complaint:
                status, _, stderr = d.run("-n", "-c", d.config)
                assert status == 2 and complaint in stderr, stderr
            else:
                d.start()
                d.rpc("supervisor.startProcess", "site:two", False)
        finally:
            assert not d.close()


def backlog_of(path, *within):
    """What the listener at a path was opened with, as the kernel tells (`ss -xl`), in the namespace of a command."""
    status, out, _ = finish([*within, "ss", "-xlnH", "src", path], WAIT_SECS)
    rows = [line.split() for line in out.splitlines() if path in line]
    assert status == 0 and len(rows) == 1, out
    return int(rows[0][3])


@pytest.mark.skipif(not shutil.which("ss"), reason="iproute2 is not installed")
@scenario(fcgi("few", "unix://%(here)s/few.sock", "socket_backlog=7") + fcgi("many", "unix://%(here)s/many.sock"), start=False)
def test_the_backlog_of_a_socket(d):
    begin(d)
    for name in ("few", "many"):
        d.call("startProcess", f"{name}:{name}")
        backlog = d.see(f"backlog of {name}", backlog_of(str(d.root / f"{name}.sock")))
        assert (backlog == 7) == (name == "few"), backlog


@scenario(fcgi("tried", "unix://%(here)s/tried.sock"), start=False)
def test_fastcgi_sockets_are_tried_after_the_servers(d):
    begin(d)
    tried, served = (d.log_text().index(text) for text in ("Closing socket unix:", "Server 'unix_http_server'"))
    d.expect("the servers are first", served < tried, python=False, ours=True)


# A network of its own, which allows more.
ROOMY = ("unshare", "-n", "sh", "-c", 'echo 60000 > /proc/sys/net/core/somaxconn && exec "$@"', "sh")


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ss"), reason="needs root and iproute2")
@scenario(fcgi("huge", "unix://%(here)s/huge.sock", "socket_backlog=50000"), start=False)
def test_a_huge_backlog(d):
    d.write("responder.py", RESPONDER)
    d.start(wrap=ROOMY)
    d.call("startProcess", "huge:huge")
    backlog = d.see("backlog", backlog_of(str(d.root / "huge.sock"), "nsenter", f"--net=/proc/{d.pid}/ns/net"))
    assert backlog == 50000


@scenario("""
[program:same]
command=/bin/cat
autostart=false
[fcgi-program:same]
command=/bin/cat
autostart=false
priority=1000
socket=unix:///no/such/directory/same.sock
""")
def test_the_second_group_of_a_name_needs_no_socket(d):
    d.call("getAllProcessInfo")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a socket away")
def test_the_owner_of_a_socket():
    """The socket goes to whom the configuration names, or to the program's user."""
    found = {}
    for side in dict.fromkeys(sides()):
        d = Daemon(side)
        try:
            d.configure(fcgi("named", "unix://%(here)s/n.sock", "socket_owner=nobody:daemon")
                        + fcgi("user", "unix://%(here)s/u.sock", "user=daemon"))
            begin(d)
            # They exist: the files stay when the trial sockets of the start are closed.
            for name in ("n", "u"):
                info = os.stat(d.root / f"{name}.sock")
                found.setdefault(name, set()).add((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)))
        finally:
            assert not d.close()
    assert all(len(owners) == 1 for owners in found.values()), found


PHP = "<?php echo 'php says ' . (6 * 7) . ' to ' . $_SERVER['QUERY_STRING'];"


@pytest.mark.skipif(not shutil.which("php-cgi"), reason="Debian's php-cgi is not installed")
def test_php_cgi_answers():
    """A real FastCGI server, asked by ours and, where it is installed, by libfcgi's client."""
    d = Daemon("ours")
    try:
        script = d.write("x.php", PHP)
        d.configure(fcgi("php", "unix://%(here)s/f.sock").replace(
            "%(ENV_PYTHON)s -u %(here)s/responder.py", shutil.which("php-cgi")))
        begin(d)
        d.rpc("supervisor.startProcess", "php:php")
        path = str(d.root / "f.sock")
        params = {"SCRIPT_FILENAME": script, "REQUEST_METHOD": "GET", "QUERY_STRING": "you", "REDIRECT_STATUS": "200"}
        assert "php says 42 to you" in ask(path, **params)
        if shutil.which("cgi-fcgi"):
            status, out, _ = finish(["cgi-fcgi", "-bind", "-connect", path], WAIT_SECS, env={**d.env, **params})
            assert status == 0 and "php says 42 to you" in out
    finally:
        assert not d.close()
