"""A web site that gives its own name the address of this machine (DNS rebinding) gets nothing from a server without a password."""

import os
import socket

import pytest

from harness import Daemon, free_port, read_response
from namespaces import NEEDS_MOUNTS, Private
from scenario import scenario
from visitors import CHROMIUM, CLIENTS, HIDDEN, MOZILLA
from webasking import CAT, request

INET = "[inet_http_server]\nport={address}:{port}\n{more}\n"
CALL = "<methodCall><methodName>supervisor.stopProcess</methodName><params><param><value>cat</value></param></params></methodCall>"
TARGETS = ["/", "/index.html?action=stop&processname=cat", "/api/v1/status", "/api/v1/events", "/logtail/cat", "/mainlogtail", "/ok.html",
           "/program.html?processname=cat", "/nope", "/RPC2"]
# Everything a page that is taken for one of ours can have its browser say.
BROWSERS = {
    **HIDDEN,
    "over https": [*CHROMIUM, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"],
    "no more than the site": ["Sec-Fetch-Site: none"],
    "a WebSocket": [MOZILLA, "Connection: Upgrade", "Upgrade: websocket", "Origin: http://evil.example:{port}", "Accept-Language: de",
                    "Sec-WebSocket-Key: x"],
    "a WebSocket of Firefox": ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Origin: http://evil.example:{port}"],
    "as if by a proxy": [*CHROMIUM, "X-Forwarded-Host: 127.0.0.1", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=a"],
}
# What proxies make of a browser's request when they pass on the host that was asked for.
SAYS = ["Accept-Language: de", "Accept-Encoding: gzip, deflate", "Sec-Fetch-Site: same-origin", "Origin: http://evil.example"]
PROXIES = {
    "nginx": ("1.0", ["Connection: close"]),
    "nginx with HTTP/1.1": ("1.1", ["Connection: close"]),
    "nginx that keeps connections": ("1.1", ["X-Real-IP: 10.0.0.1"]),
    "nginx that upgrades everything": ("1.1", ["Connection: upgrade", "X-Forwarded-For: 10.0.0.1"]),
    "Apache": ("1.1", ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "Connection: Keep-Alive"]),
    "HAProxy": ("1.1", ["X-Forwarded-For: 10.0.0.1"]),
    "Caddy, Traefik": ("1.1", ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"]),
    "Envoy": ("1.1", ["X-Forwarded-Proto: https", "Via: 1.1 envoy"]),
}


class House:
    """A daemon of ours with a TCP server."""

    def __init__(self, more="", address="127.0.0.1"):
        self.daemon = Daemon("ours")
        self.port = free_port()
        self.configure(more, address)

    def configure(self, more="", address="127.0.0.1"):
        self.daemon.configure(INET.format(address=address, port=self.port, more=more) + CAT)

    def __enter__(self):
        self.daemon.start()
        self.daemon.wait_state("cat", "RUNNING")
        return self

    def __exit__(self, kind, *_):
        complaint = self.daemon.close()
        assert kind or complaint is None, complaint

    def ask(self, host, headers, target="/index.html?action=clearlog&processname=cat", **more):
        """Status, headers and body of an answer."""
        headers = [f"Host: {host}", *(each.format(port=self.port) for each in headers)]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as stream:
            stream.sendall(request(target, headers=headers, **more))
            line, answered, body = read_response(stream.makefile("rb"))
        return int(line.split()[1]), answered, body


def test_browsers_under_a_name_of_others():
    with House() as house:
        for host in (f"evil.example:{house.port}", "evil.example", "EVIL.example.", "127.0.0.1.evil.example", "localhost.evil.example", "xn--e1aybc"):
            for name, headers in BROWSERS.items():
                code, answered, body = house.ask(host, headers)
                assert code == 421, (host, name)
        assert answered["content-type"] == "text/plain;charset=utf-8" and answered["x-content-type-options"] == "nosniff"
        assert "allowed_hosts=xn--e1aybc\n" in body and "[inet_http_server]" in body
        for target in TARGETS:
            assert house.ask("evil.example", CHROMIUM, target)[0] == 421, target
        # Whatever a page posts has an origin.
        posted = [*CHROMIUM, "Origin: http://evil.example", "Content-Type: text/xml"]
        assert house.ask("evil.example", posted, "/RPC2", method="POST", body=CALL)[0] == 421
        assert house.ask("evil.example", posted, "/", method="POST", body="action=stop&processname=cat")[0] == 421
        # Nothing of what a name says is told back but a name.
        for host in ("<b>.example", "a b", "x\u00fc.example", "evil.example/"):
            code, _, body = house.ask(host, CHROMIUM)
            assert code in (400, 421) and (code == 400 or "allowed_hosts=NAME\n" in body), host
        assert house.daemon.rpc("supervisor.getProcessInfo", "cat")["statename"] == "RUNNING"


def test_browsers_under_a_name_of_ours():
    with House() as house:
        own = socket.gethostname()
        for host in ("127.0.0.1", f"127.0.0.1:{house.port}", "10.9.8.7", "[::1]:80", "localhost", f"LocalHost:{house.port}", "sv.localhost",
                     own, f"{own.upper()}:{house.port}", own.split(".")[0]):
            for target in ("/", "/api/v1/status", "/program.html?processname=cat"):
                assert house.ask(host, CHROMIUM, target)[0] == 200, (host, target)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "*"])
def test_scripts_see_no_change(address):
    with House(address=address) as house:
        for name, headers in CLIENTS.items():
            if not any(each.startswith(("Origin:", "Referer:")) for each in headers):
                assert house.ask("evil.example", headers)[0] == 301, name
                assert house.ask("evil.example", [*headers, "Content-Type: text/xml"], "/RPC2", method="POST", body=CALL.replace(
                    "stopProcess", "getProcessInfo"))[0] == 200, name
        with socket.create_connection(("127.0.0.1", house.port), timeout=60) as stream:
            stream.sendall(b"GET / HTTP/1.0\r\nAccept-Language: de\r\n\r\n")
            assert " 200 " in read_response(stream.makefile("rb"))[0]


def test_proxies_see_no_change():
    with House() as house:
        for name, (version, headers) in PROXIES.items():
            assert house.ask("evil.example", [*SAYS, *headers], version=version)[0] == 301, name


def test_names_that_are_allowed():
    with House("allowed_hosts = sv.example, Other.Example:9001\n  third.example.\n") as house:
        for host in ("sv.example", "SV.EXAMPLE:1", "other.example", "third.example:80"):
            assert house.ask(host, CHROMIUM, "/")[0] == 200, host
        for host in ("evil.example", "x.sv.example", "sv.example.evil.example", "example"):
            assert house.ask(host, CHROMIUM, "/")[0] == 421, host
        # What changes is heeded when the daemon starts again, as all of the servers' sections.
        house.configure("allowed_hosts=*")
        assert house.daemon.rpc("supervisor.reloadConfig") == [[[], [], []]]
        assert house.ask("evil.example", CHROMIUM, "/")[0] == 421
        house.daemon.rpc("supervisor.restart")
        house.daemon.wait_log("supervisord started", 2)
        house.daemon.wait_ready()
        assert house.ask("evil.example", CHROMIUM, "/")[0] == 200


def test_a_password_is_enough():
    with House("username=user\npassword=pass") as house:
        assert house.ask("evil.example", CHROMIUM, "/")[0] == 401
        assert house.ask("evil.example", [*CHROMIUM, "Authorization: Basic dXNlcjpwYXNz"], "/")[0] == 200


def test_the_unix_socket_takes_any_name():
    """No browser reaches it but through a proxy."""
    with House() as house:
        line, _, _ = house.daemon.http(request("/", headers=["Host: evil.example", *CHROMIUM]), see=False)
        assert " 200 " in line


@NEEDS_MOUNTS
def test_names_that_the_hosts_file_gives_the_machine():
    house = House()
    private = Private(house.daemon.root)
    (private.etc() / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 full.sv.example {os.uname().nodename} alias\n127.0.0.9 other.example\n")
    try:
        house.daemon.start(wrap=private.words)
        for host, code in (("full.sv.example", 200), ("alias", 200), ("other.example", 421)):
            assert house.ask(host, CHROMIUM, "/")[0] == code, host
    finally:
        complaint = house.daemon.close()
    assert complaint is None, complaint


@scenario("", start=False)
def test_the_option_harms_nobody(d):
    """A configuration that has it still runs under the reference."""
    d.configure(INET.format(address="127.0.0.1", port=free_port(), more="allowed_hosts=sv.example, %(ENV_USER)s") + CAT)
    d.start()
    d.call("reloadConfig")
    d.ctl("reread")


@scenario("", start=False, only="ours")
def test_what_is_no_name_is_said(d):
    """It would allow nothing, and nobody would know why."""
    for value in ("*.sv.example", "http://sv.example:9001", '"sv.example"'):
        d.configure(INET.format(address="127.0.0.1", port=free_port(), more=f"allowed_hosts=sv.example, {value}"))
        status, _, err = d.run("-n", "-c", d.config)
        assert (status, f"no name of a host: {value!r}" in err) == (2, True), err
