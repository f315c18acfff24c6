"""Names of hosts mean what they mean to the reference, which asks for IPv4 where it needs IPv4: with hosts files of every shape."""

import re
import signal
import socket
import threading

import pytest

from ctl_pair import HOLES
from harness import SCRIPTS, Daemon, binary, finish, free_port, popen, wait_for, wait_for_rest
from namespaces import NEEDS_MOUNTS, Private
from scenario import scenario

pytestmark = NEEDS_MOUNTS

LOOPBACKS = [f"127.0.0.{last}" for last in range(1, 7)]

# What is known of `home`. The C library takes ::1 for 127.0.0.1 when it is asked for IPv4.
SHAPES = {
    "only the loopback of IPv6": "::1 home",
    "IPv4 first": "127.0.0.2 home\n::1 home",
    "IPv6 first": "::1 home\n127.0.0.2 home",
    "another IPv6 first": "2001:db8::1 home\n127.0.0.3 home",
    "mapped": "::ffff:127.0.0.4 home",
    "several": "127.0.0.5 home\n127.0.0.6 home",
    "an alias": "::1 other.example home\n127.0.0.2 another.example",
    "on a line of many": "127.0.0.3 localhost other home # ::1 home",
    "in capitals": "::1 HOME",
}
NOWHERE = {
    "unknown": "127.0.0.1 other",
    "only IPv6": "2001:db8::1 home",
    "nothing": "",
    "a comment": "#127.0.0.1 home",
    "nonsense": "127.0.0.300 home",
}
SERVER = "[inet_http_server]\nport=home:{port}\n"
FCGI = "[fcgi-program:f]\nsocket=tcp://home:{port}\ncommand=/bin/sleep 1000000\nstartsecs=0\nstopsignal=KILL\n"


def machine(d, hosts):
    """What to put before a command that is to see this hosts file, and to ask nobody else."""
    private = Private(d.root)
    etc = private.etc()
    for name, content in (("hosts", f"127.0.0.1 localhost\n{hosts}\n"), ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")):
        (etc / name).unlink(missing_ok=True)
        (etc / name).write_text(content)
    return private.words


def listening(port):
    """The loopback addresses at which somebody listens."""
    found = []
    for address in LOOPBACKS:
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                found.append(address)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_where_a_name_listens(shape):
    def servers_and_sockets(d):
        words = machine(d, SHAPES[shape])
        ports = free_port(), free_port()
        d.configure(SERVER.format(port=ports[0]) + FCGI.format(port=ports[1]))
        d.start(wrap=words)
        d.wait_state("f:f", "RUNNING")
        d.see("the server", listening(ports[0]))
        d.see("the FastCGI socket", listening(ports[1]))
    scenario("", start=False)(servers_and_sockets)()


@pytest.mark.parametrize("shape", NOWHERE)
def test_names_without_an_address(shape):
    def server(d):
        words = machine(d, NOWHERE[shape])
        d.configure(SERVER.format(port=free_port()))
        status, _, stderr = finish([*words, d.executable, "-n", "-c", d.config], 60, cwd=d.root, env=d.env)
        d.see("the server's end", (status, stderr.splitlines()[0]))
        d.configure(FCGI.format(port=1))
        status, _, stderr = finish([*words, d.executable, "-n", "-c", d.config], 60, cwd=d.root, env=d.env)
        d.see("the socket's end", re.search(r"Could not create FastCGI socket .*", stderr)[0])
    scenario("", start=False)(server)()


class Door(threading.Thread):
    """What stands at ::1 of the daemon's port: takes calls to the daemon, and refuses everything else."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.listener = socket.socket(socket.AF_INET6)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.listener.bind(("::1", port))
        self.listener.listen()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.port)) as daemon:
            if not client.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL).startswith(b"POST"):
                client.sendall(b"HTTP/1.1 503 Not Here\r\nContent-Length: 0\r\n\r\n")
                return
            back = threading.Thread(target=self.pass_on, args=(daemon, client), daemon=True)
            back.start()
            self.pass_on(client, daemon)
            back.join()

    @staticmethod
    def pass_on(source, target):
        """Everything that one side says; a request comes in as many pieces as its client likes."""
        while (piece := source.recv(65536)):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def house():
    """A daemon of ours that listens at 127.0.0.1, and its port."""
    d = Daemon("ours")
    (d.root / "bin" / "supervisorctl").symlink_to(binary())
    port = free_port()
    d.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\n")
    d.start()
    yield d, port
    complaint = d.close()
    assert complaint is None, complaint


def clients(d):
    """Both clients."""
    return [SCRIPTS / "supervisorctl", d.root / "bin" / "supervisorctl"]


def test_where_clients_look(house):
    """They take what they are given, IPv6 too, and say alike what they do not find."""
    d, port = house
    words = machine(d, "::1 six\n::1 both\n127.0.0.1 both\n::ffff:127.0.0.1 mapped\n127.0.0.9 four\n2001:db8::1 far")
    for url in [*(f"http://{name}:{port}" for name in ("six", "BOTH", "mapped", "four", "far", "unknown", "127.1")), "http://six"]:
        ends = [finish([*words, client, "-c", d.config, "-s", url, "pid"], 60, cwd=d.root, env=d.env) for client in clients(d)]
        ends = [(status, HOLES.sub("", out), HOLES.sub("", err)) for status, out, err in ends]
        assert ends[0] == ends[1], url


def test_names_that_are_not_ascii(house):
    d, port = house
    words = machine(d, "127.0.0.1 h\u00f6me\n127.0.0.1 xn--me-eka.example")
    reference, ours = clients(d)
    for client, host in ((ours, "h\u00f6me"), (reference, "\u00f6me.example")):
        status, out, err = finish([*words, client, "-c", d.config, "-s", f"http://{host}:{port}", "pid"], 60, cwd=d.root, env=d.env)
        assert (status, out) == (0, f"{d.pid}\n"), (client, out, err)


def test_where_clients_look_for_a_log(house):
    """The reference asks for IPv4 when it follows a log, whatever else the name has."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    d, port = house
    try:
        door = Door(port)
    except OSError as error:
        pytest.skip(f"nobody can listen at ::1 here: {error}")
    door.start()
    words = machine(d, "::1 home")
    try:
        for client in clients(d):
            with open(d.root / "followed", "w+", encoding="utf-8") as out:
                process = popen([*words, client, "-c", d.config, "-s", f"http://home:{port}", "maintail", "-f"],
                                cwd=d.root, env={**d.env, "PYTHONUNBUFFERED": "1"}, stdin=-3, stdout=out, stderr=out)
                try:
                    wait_for(lambda: process.poll() is not None or "supervisord started" in d.read("followed"),
                             lambda: f"{client}: {d.read('followed')}")
                    assert "supervisord started" in d.read("followed"), (client, d.read("followed"))
                    wait_for_rest(process.pid)
                    process.send_signal(signal.SIGINT)
                    assert process.wait(60) == 0
                finally:
                    process.kill()
                    process.wait()
    finally:
        door.close()
