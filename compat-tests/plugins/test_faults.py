"""A process of plugins that is slow, dead or mad delays nobody but those who asked it."""

import os
import signal
import threading
import time
import xmlrpc.client

from harness import wait_for
from plugintools import environ, helper, interface, ours, plugin, wait_helper

CAT = "[program:cat]\ncommand=/bin/cat\n"

BAD = '''
import os
import socket
import subprocess
import sys
import time

from supervisor.http import NOT_DONE_YET

class Bad:
    def __init__(self, supervisord):
        self.supervisord = supervisord

    def hang(self):
        time.sleep(3600)

    def fine(self):
        return os.getpid()

    def babble(self):
        for entry in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                    os.write(int(entry), b"Traceback (most recent call last)")
            except OSError:
                pass
        return 1

    def die(self):
        os._exit(3)

    def crash(self):
        raise ValueError("wrong")

    def unmarshallable(self):
        return object()

    def started_with(self):
        return subprocess.run(["env"], stdout=subprocess.PIPE, universal_newlines=True).stdout.splitlines()

    def big(self):
        return 1 << 40

    def deep(self):
        value = []
        for _ in range(100):
            value = [value]
        return value

    def ask_deep(self):
        self.supervisord.call("supervisor.getState", [self.deep()])

    def exit(self):
        sys.exit(3)

    def never_done(self):
        return NOT_DONE_YET

    def put_off_twice(self):
        return lambda: lambda: 1

    def log(self, text):
        self.supervisord.options.logger.info("red \\x1b[31m, nothing \\x00 and " + text)
        return True

    def print_much(self):
        for number in range(2000):
            print("said", number, "x" * 100)
        return True

def make(supervisord):
    return Bad(supervisord)

def slow(supervisord):
    time.sleep(3600)
'''


def start(d, factory="make"):
    plugin(d, "bad", BAD)
    d.configure(CAT + interface("bad", f"bad:{factory}"))
    d.start(env=environ(d), ready=factory == "make")


def fault(d, method, *args):
    outcome = d.outcome(f"bad.{method}", *args)
    assert isinstance(outcome, xmlrpc.client.Fault), outcome
    return outcome


def comes_back(d):
    """Waits until the plugins answer again, and returns the pid of their process."""
    return wait_for(lambda: isinstance(d.outcome("bad.fine"), int) and d.rpc("bad.fine"), lambda: d.log_text()[-2000:])


def test_a_killed_process_is_started_again():
    d = ours()
    try:
        start(d)
        first = d.rpc("bad.fine")
        assert first == wait_helper(d)
        cat = d.wait_state("cat", "RUNNING")["pid"]
        os.kill(first, signal.SIGKILL)
        d.wait_log(r"ERRO plugins: their process \(pid \d+\) has ended")
        assert fault(d, "fine").faultString.startswith("FAILED: ")
        assert comes_back(d) != first
        assert d.rpc("supervisor.getProcessInfo", "cat")["pid"] == cat
        assert "reaped unknown pid" not in d.log_text()
    finally:
        assert not d.close()


def test_one_that_ends_in_a_call_or_babbles():
    d = ours()
    try:
        start(d)
        assert fault(d, "die").faultString == "FAILED: the process of the plugins gave no answer"
        comes_back(d)
        fault(d, "babble")
        d.wait_log("babbles: a frame of the unknown kind 84")
        comes_back(d)
    finally:
        assert not d.close()


def test_a_hanging_call_delays_no_other():
    """The call waits; what is asked of the daemon is answered at once, and many more calls than fit are refused."""
    d = ours()
    try:
        start(d)
        hanging = [threading.Thread(target=d.outcome, args=("bad.hang",)) for _ in range(3)]
        for thread in hanging:
            thread.start()
        wait_for(lambda: d.rpc("supervisor.getState")["statecode"] == 1, "an answer")
        begun = time.monotonic()
        for _ in range(20):
            d.rpc("supervisor.getAllProcessInfo")
        assert d.rpc("supervisor.stopProcess", "cat") and d.rpc("supervisor.startProcess", "cat")
        assert time.monotonic() - begun < 10
        # Those who wait end with their process.
        os.kill(helper(d), signal.SIGKILL)
        for thread in hanging:
            thread.join(30)
            assert not thread.is_alive()
        comes_back(d)
    finally:
        assert not d.close()


def test_a_hanging_factory_can_be_interrupted():
    d = ours()
    try:
        start(d, "slow")
        # Nobody is served yet who could be asked whether the log is complete.
        wait_for(lambda: d.log.exists() and "their process has the pid" in d.log.read_text(), "the process of the plugins")
        os.kill(d.process.pid, signal.SIGTERM)
        assert d.wait_exit() == 0, d.read("stderr") + d.log_text()
    finally:
        assert not d.close()


def test_what_a_method_raises_or_cannot_send():
    """The reference answers HTTP 500; ours a fault, which is that of the reference's multicall."""
    d = ours()
    try:
        start(d)
        assert fault(d, "crash").faultString == "FAILED: <class 'ValueError'>:wrong"
        assert fault(d, "unmarshallable").faultCode == 30
        assert fault(d, "big").faultCode == 30
        assert d.rpc("bad.fine")
        d.wait_log("ValueError: wrong")
    finally:
        assert not d.close()


def test_what_plugins_start_does_not_speak_to_the_service_manager():
    d = ours()
    try:
        plugin(d, "bad", BAD)
        d.configure(CAT + interface("bad", "bad:make"))
        d.start(env={**environ(d), "NOTIFY_SOCKET": str(d.root / "nobody"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"})
        variables = d.rpc("bad.started_with")
        assert any(variable.startswith("PYTHONPATH=") for variable in variables)
        assert not [variable for variable in variables if variable.startswith(("NOTIFY_", "WATCHDOG_"))]
    finally:
        assert not d.close()


def test_what_is_wrong_with_one_call_ends_no_other():
    """The reference's daemon goes on, and so does the process of the plugins."""
    d = ours()
    try:
        start(d)
        pid = d.rpc("bad.fine")
        assert fault(d, "deep").faultString == "FAILED: the daemon cannot read the answer"
        assert fault(d, "ask_deep").faultString == "FAILED: the daemon cannot read the call"
        assert fault(d, "exit").faultString == "FAILED: <class 'SystemExit'>:3"
        assert fault(d, "never_done").faultCode == 30
        d.outcome("bad.put_off_twice")
        assert d.rpc("bad.log", "é")
        d.wait_log("INFO red \x1b\\[31m, nothing \x00 and é")
        assert d.rpc("bad.fine") == pid
    finally:
        assert not d.close()


def test_what_plugins_print_is_in_the_log_and_no_flood():
    d = ours()
    try:
        start(d)
        caller = threading.Thread(target=d.outcome, args=("bad.print_much",))
        caller.start()
        d.wait_log("INFO plugins: said 0 x")
        assert d.rpc("supervisor.getState")["statecode"] == 1
        caller.join(60)
        assert not caller.is_alive()
        d.wait_log("INFO plugins: said 1999 x")
    finally:
        assert not d.close()


def test_it_ends_with_the_daemon():
    d = ours()
    try:
        start(d)
        pid = wait_helper(d)
        assert d.stop() == 0
        assert not os.path.exists(f"/proc/{pid}")
        start(d)
        pid = d.rpc("bad.fine")
        caller = threading.Thread(target=d.outcome, args=("bad.hang",))
        caller.start()
        time.sleep(0.2)
        # One that hears nothing is made to end.
        assert d.stop() == 0
        assert not os.path.exists(f"/proc/{pid}")
        caller.join(30)
    finally:
        assert not d.close()
