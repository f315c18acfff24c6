"""`restart_delay`: an automatic restart waits, and nothing else does."""

import os
import signal

from harness import wait_for
from scenario import scenario

PROGRAM = """
[program:x]
command=/bin/cat
autorestart=true
startsecs=0
restart_delay={delay}
"""


def kill(d, name="x"):
    """Ends the program, and waits until that is known."""
    pid = d.wait_state(name, "RUNNING")["pid"]
    exits = len(d.log_lines(f"exited: {name}"))
    os.kill(pid, signal.SIGKILL)
    d.wait_log(f"exited: {name}", exits + 1)
    return pid


@scenario(PROGRAM.format(delay=1), only="ours")
def test_it_is_restarted_by_itself(d):
    pid = kill(d)
    wait_for(lambda: d.rpc("supervisor.getProcessInfo", "x")["pid"] not in (0, pid), "the restart")


@scenario(PROGRAM.format(delay=1000000), only="ours")
def test_a_client_need_not_wait(d):
    kill(d)
    assert d.rpc("supervisor.getProcessInfo", "x")["statename"] == "EXITED"
    assert d.ctl("start", "x", see=False)[1] == "x: started\n"
    kill(d)
    assert d.ctl("restart", "x", see=False)[1] == "x: stopped\nx: started\n"


@scenario(PROGRAM.format(delay=2) + PROGRAM.format(delay=2).replace(":x", ":y"), only="ours")
def test_a_stop_calls_it_off(d):
    """Another one whose delay is over later shows that its own is over."""
    for whom in ("x", "x:*"):
        kill(d)
        d.wait_log("waiting 2 seconds before x is restarted")
        assert d.ctl("stop", whom, see=False)[1] == "x: stopped\n"
        d.wait_log(r"stopped: x \(its restart is called off\)")
        assert d.ctl("stop", "x", see=False)[1] == "x: ERROR (not running)\n"
        pid = kill(d, "y")
        wait_for(lambda: d.rpc("supervisor.getProcessInfo", "y")["pid"] not in (0, pid), "the restart of the other")
        assert d.rpc("supervisor.getProcessInfo", "x")["statename"] == "EXITED"
        d.rpc("supervisor.startProcess", "x")


@scenario(PROGRAM.format(delay=1000000), only="ours")
def test_an_update_does_not_wait(d):
    kill(d)
    d.configure(PROGRAM.format(delay=0))
    assert d.ctl("update", see=False)[1] == "x: stopped\nx: updated process group\n"
    d.wait_state("x", "RUNNING")
