"""What a service manager is told over NOTIFY_SOCKET, and what programs hear of it. The reference says nothing."""

import contextlib
import os
import re
import signal
import socket
import time

from harness import wait_for
from scenario import scenario

SLEEPER = "[program:sleeper]\ncommand=/bin/sleep 600\n"
# Saves for half a second when it is asked to stop.
SLOW = r"""[program:slow]
command=/bin/sh -c 'trap "sleep 0.5; exit 0" TERM; echo up; while :; do sleep 0.1; done'
stopwaitsecs=300
"""
PRINTS = r"""[program:prints]
command=/bin/sh -c 'env | grep -c -e NOTIFY -e WATCHDOG; echo "main $SYSTEMD_EXEC_PID"; exec sleep 600'
stdout_logfile=%(here)s/prints.log
"""
HANDS_ON = PRINTS + 'environment=NOTIFY_SOCKET="%(ENV_NOTIFY_SOCKET)s"\n'


class Manager:
    """The socket of a service manager, and everything that was said on it."""

    def __init__(self, root, address=None):
        self.name = address or str(root / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address else self.name)
        self.socket.settimeout(60)
        self.messages = []

    def next(self, *wanted):
        """The next message that sets all of these, as a dictionary."""
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            message = dict(line.split("=", 1) for line in lines)
            self.messages.append(message)
            if all(name in message for name in wanted):
                return message

    def wait_status(self, pattern):
        """The next message whose status matches."""
        while True:
            message = self.next("STATUS")
            if re.search(pattern, message["STATUS"]):
                return message


@contextlib.contextmanager
def managed(d, address=None, options=("-n",), **env):
    """Starts the daemon under a manager."""
    manager = Manager(d.root, address)
    with contextlib.closing(manager.socket):
        d.start(options=options, env={"NOTIFY_SOCKET": manager.name, **env})
        yield manager


@scenario(SLEEPER + SLOW, start=False, only="ours")
def test_tells_when_it_is_up_restarts_and_stops(d):
    with managed(d) as manager:
        # What runs already is its own main process, whose number it does not repeat.
        assert manager.next() == {"READY": "1"}
        manager.wait_status(r"^2 processes: 2 RUNNING$")
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        d.signal(signal.SIGHUP)
        reloading = manager.next("RELOADING")
        assert before <= int(reloading["MONOTONIC_USEC"]) / 1e6 <= time.clock_gettime(time.CLOCK_MONOTONIC)
        assert reloading["STATUS"].startswith("Restarting; 2 processes: ")
        assert manager.next("READY") == {"READY": "1"}
        manager.wait_status(r"^2 processes: 2 RUNNING$")
        assert d.stop() == 0
        stopping = manager.next("STOPPING")
        assert re.fullmatch(r"Shutting down; 2 processes: .*STOPPING.*", stopping["STATUS"])
        # One group after the other: 10 seconds and 300, and what SIGKILL may take.
        assert 310e6 < int(stopping["EXTEND_TIMEOUT_USEC"]) < 330e6


@scenario(SLEEPER, start=False, only="ours")
def test_a_shutdown_that_overtakes_a_restart_is_told(d):
    d.configure(SLOW)
    with managed(d) as manager:
        d.wait_state("slow", "RUNNING")
        d.signal(signal.SIGHUP)
        manager.next("RELOADING")
        d.signal(signal.SIGTERM)
        manager.next("STOPPING")
        d.wait_exit()


@scenario(SLEEPER, start=False, only="ours")
def test_in_the_background_it_tells_who_it_is(d):
    with managed(d, options=(), SYSTEMD_EXEC_PID="1") as manager:
        assert manager.next() == {"READY": "1", "MAINPID": str(d.pid)}
        os.kill(d.pid, signal.SIGTERM)
        manager.next("STOPPING")


@scenario(SLEEPER, start=False, only="ours")
def test_behind_a_script_it_tells_who_it_is(d):
    with managed(d, SYSTEMD_EXEC_PID=str(os.getpid())) as manager:
        assert manager.next() == {"READY": "1", "MAINPID": str(d.pid)}


@scenario(SLEEPER, start=False, only="ours")
def test_abstract_sockets(d):
    with managed(d, address=f"@compat{d.root}") as manager:
        assert manager.next() == {"READY": "1"}


@scenario(SLEEPER + "startsecs=0\n", start=False, only="ours")
def test_statuses_come_once_a_second_at_most_and_only_when_something_changed(d):
    with managed(d) as manager:
        begin = time.monotonic()
        for _ in range(20):
            d.rpc("supervisor.stopProcess", "sleeper")
            d.rpc("supervisor.startProcess", "sleeper")
        d.rpc("supervisor.stopProcess", "sleeper")
        manager.wait_status(r"^1 process: 1 STOPPED$")
        told = [message for message in manager.messages if "STATUS" in message]
        assert len(told) <= time.monotonic() - begin + 2, manager.messages
        manager.socket.settimeout(2)
        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"nothing happened, but: {manager.next()}")


@scenario(SLEEPER, start=False, only="ours")
def test_gives_signs_of_life_where_they_are_asked_for(d):
    with managed(d, WATCHDOG_USEC="400000") as manager:
        manager.next("WATCHDOG")
        begin = time.monotonic()
        for _ in range(5):
            manager.next("WATCHDOG")
        assert time.monotonic() - begin > 0.7
        os.kill(d.pid, signal.SIGSTOP)
        manager.socket.settimeout(1)
        try:
            with contextlib.suppress(TimeoutError):
                for _ in range(20):
                    manager.next("WATCHDOG")
                raise AssertionError("a daemon that stands still lives")
        finally:
            os.kill(d.pid, signal.SIGCONT)


@scenario(SLEEPER, start=False, only="ours")
def test_a_manager_that_is_not_there_or_does_not_listen_delays_nothing(d):
    full = Manager(d.root)
    speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    speaker.setblocking(False)
    with contextlib.closing(full.socket), contextlib.closing(speaker):
        with contextlib.suppress(BlockingIOError):
            while True:
                speaker.sendto(b"X=1", full.name)
        d.start(env={"NOTIFY_SOCKET": full.name})
        d.wait_state("sleeper", "RUNNING")
        # What there was no room for is said when there is.
        full.next("READY")
        d.stop()
    assert "service manager" not in d.log_text()
    d.start(env={"NOTIFY_SOCKET": str(d.root / "nobody")})
    d.wait_state("sleeper", "RUNNING")
    d.stop()
    lines = [line for line in d.log_text().splitlines() if "service manager" in line]
    assert len(lines) == 1, lines


def printed(d):
    wait_for(lambda: d.read("prints.log").count("\n") == 2, "the program to print")
    return d.read("prints.log").split("\n")


@scenario(PRINTS, start=False)
def test_programs_do_not_hear_what_is_said_to_the_daemon(d):
    manager = Manager(d.root)
    with contextlib.closing(manager.socket):
        env = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1", "SYSTEMD_EXEC_PID": "1"}
        d.start(env=env)
        count, main, _ = printed(d)
        assert main == "main 1"
        d.expect("variables", int(count), python=3, ours=0)


@scenario(HANDS_ON, start=False)
def test_a_configuration_may_hand_the_socket_on(d):
    manager = Manager(d.root)
    with contextlib.closing(manager.socket):
        d.start(env={"NOTIFY_SOCKET": manager.name})
        d.see("variables", printed(d)[0])
