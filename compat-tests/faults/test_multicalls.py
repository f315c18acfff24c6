"""Small requests for much, for ours only: what they are answered is bounded together, and no call keeps others waiting."""

import contextlib
import select
import xmlrpc.client

import pytest

from harness import read_response, wait_for
from procfs import status_of

STOPPED = "[program:p]\ncommand=/bin/cat\nautostart=false\nnumprocs={}\nprocess_name=%(process_num)d\n"
MOST_KIB = 64 * 1024


def request(method, *params):
    """A call as bytes, as short as it can be written."""
    body = xmlrpc.client.dumps(params, method).replace("\n", "").encode()
    return b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def many(calls, method, *params):
    """A multicall of one call many times."""
    return request("system.multicall", [{"methodName": f"supervisor.{method}", "params": list(params)}] * calls)


@pytest.mark.parametrize("sent, programs, clients", [
    (many(280, "getAllProcessInfo"), 100, 40), (many(140, "getAllConfigInfo"), 100, 40), (request("supervisor.getAllConfigInfo"), 500, 120),
], ids=["infos", "configurations", "plain calls"])
def test_answers_that_nobody_reads(ours, sent, programs, clients):
    """What the clients leave unread would be a gigabyte; an operator is answered all the same."""
    ours.configure(STOPPED.format(programs))
    ours.start()
    ours.rpc("supervisor.getAllProcessInfo")
    before = status_of(ours.pid, "VmRSS")
    with contextlib.ExitStack() as held:
        streams = [held.enter_context(ours.connect()) for _ in range(clients)]
        for stream in streams:
            stream.sendall(sent)
        # Answered, or given up: so many have something to be read.
        wait_for(lambda: len(select.select(streams, [], [], 1)[0]) >= clients / 3, "answers")
        assert len(ours.rpc("supervisor.getAllProcessInfo")) == programs
        assert status_of(ours.pid, "VmHWM") - before < MOST_KIB
        held.close()


def test_a_long_multicall_lets_others_in_between(ours):
    """Four megabytes of calls that find nothing to do; another client is answered many times before they are through."""
    ours.configure(STOPPED.format(500))
    ours.start()
    with ours.connect() as long:
        long.sendall(many(20_000, "signalAllProcesses", 0))
        others = 0
        while not select.select([long], [], [], 0)[0]:
            assert ours.rpc("supervisor.getState")["statename"] == "RUNNING"
            others += 1
        status, _, body = read_response(long.makefile("rb"))
        assert status == "HTTP/1.1 200 OK" and body.count("<data>") == 20_001
        assert others > 10


def test_a_multicall_of_too_much_is_refused_before_it_is_made(ours):
    """What fits is answered, the calls that would not fit are not made, small ones go on; more calls than faults would fit are none."""
    ours.configure(STOPPED.format(500))
    ours.start()
    infos = {"methodName": "supervisor.getAllProcessInfo", "params": []}
    state = {"methodName": "supervisor.getState", "params": []}
    *results, last = ours.rpc("system.multicall", [infos] * 100 + [state])
    refusal = {"faultCode": 30, "faultString": "FAILED: the results of one multicall hold 8 MiB at most"}
    refused = results.count(refusal)
    assert 85 < refused < 99 and all(len(result) == 500 for result in results if result != refusal)
    assert last["statename"] == "RUNNING"
    with pytest.raises(xmlrpc.client.Fault, match="FAILED: one multicall makes 21845 calls at most"):
        ours.rpc("system.multicall", [0] * 21_846)
    assert len(ours.rpc("system.multicall", [0] * 21_845)) == 21_845
