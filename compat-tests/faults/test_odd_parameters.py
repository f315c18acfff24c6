"""Values that clients send where a name or a number is expected, and options an interface does not know."""

import re

import pytest

from harness import BASE, Daemon
from scenario import scenario

IDLE = """
[program:idle]
command=/bin/cat
autostart=false
"""
HUGE = ("9223372036854775807", "9223372036854775808", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809",
        "+00099999999999999999999", "1_000_000_000_000_000_000_000", "-" + "8" * 200)
ARRAY = "<array><data><value>idle</value><value><int>%s</int></value><value><nil/></value></data></array>" % HUGE[1]
STRUCT = "".join("<member><name>%s</name><value>%s</value></member>" % pair
                 for pair in (("b", "it's"), ("a", ARRAY), ("b", "<double>1.5</double>")))


def call(d, method, *values):
    """Records the answer to a call whose values are given as XML."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    body = f"<methodCall><methodName>supervisor.{method}</methodName><params>{params}</params></methodCall>".encode()
    status, _, answer = d.http(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), see=False)
    d.see(f"{method}{values}", (status, re.sub(r">\s+<", "><", answer)))


@scenario(IDLE)
def test_a_group_to_be_added_is_compared_by_name(d):
    """So arrays and structs name none; where a group is looked up in a dict they cannot be looked up."""
    for value in (ARRAY, f"<struct>{STRUCT}</struct>", "<array><data></data></array>", "<struct></struct>", "<nil/>",
                  "<boolean>1</boolean>", "<double>1e22</double>", "<dateTime.iso8601>20240229T01:02:03</dateTime.iso8601>"):
        call(d, "addProcessGroup", value)
        call(d, "removeProcessGroup", value)
        call(d, "startProcessGroup", value)


@scenario(IDLE)
def test_numbers_stay_whole_in_faults(d):
    for digits in HUGE:
        call(d, "addProcessGroup", f"<int>{digits}</int>")
        call(d, "stopProcessGroup", f"<i8>{digits}</i8>")
        call(d, "signalProcess", "idle", f"<int>{digits}</int>")
        call(d, "signalAllProcesses", digits)
        call(d, "sendProcessStdin", "idle", f"<int>{digits}</int>")
        call(d, "startProcess", "idle:nope", f"<int>{digits}</int>")


@pytest.mark.parametrize("option", ("[rpcinterface:supervisor]\nsettings=1\n", "[DEFAULT]\ncolour=blue\n"))
def test_an_interface_passes_over_what_it_does_not_know(option):
    for side in ("python", "ours"):
        daemon = Daemon(side)
        try:
            daemon.configure(IDLE, base=BASE + option)
            if side == "python":
                status, out, err = daemon.run("-n", "-c", str(daemon.config))
                assert status != 0 and "Could not make supervisor rpc interface" in out + err
                continue
            daemon.start()
            assert daemon.rpc("supervisor.getState")["statename"] == "RUNNING"
        finally:
            assert daemon.close() is None
