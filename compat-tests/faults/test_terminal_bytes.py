"""What supervisorctl writes to a terminal is what the reference writes, to the byte: scripts run it on pseudo-terminals
(docker exec -it, ssh -tt, expect, fabric) and read it there."""

import os
import re
import signal

import pexpect
import pytest

from ctl_pair import FLEET, settle
from harness import wait_for_rest
from terminals import LOCKED, SIDES, close_terminals, client_of, open_terminal, served, wait_silent  # noqa: F401 (a fixture among them)

PROMPT = b"supervisor> "
# In this order: what reads logs comes before what writes them.
COMMANDS = (
    "status", "status cat idle", "status nope", "status many:*", "avail", "pid", "pid all", "pid idle", "help", "help start",
    "help nope", "tail talker", "tail -5 talker", "tail talker stderr", "tail nope", "maintail -200", "version", "reread", "update",
    "nope", "signal CONT cat", "start cat", "start missing", "stop idle", "clear cat", "fg nope", "fg idle", "open x", "add cat",
    "restart cat", "-x", "-c /no/such/file status")


@pytest.fixture(scope="module")
def fleet():
    with served(FLEET) as daemon:
        settle(daemon)
        daemon.wait_file(os.path.basename(daemon.rpc("supervisor.getProcessInfo", "talker")["stderr_logfile"]), "complaint")
        yield daemon


@pytest.fixture(scope="module")
def locked():
    with served("[program:cat]\ncommand=/bin/cat\nautostart=false\n", base=LOCKED) as daemon:
        yield daemon


def terminal(daemon, side, line="", term="xterm"):
    """A side's client on a terminal, nothing of which is switched off."""
    words = line.split() if line.startswith("-c") else ["-c", str(daemon.config), *line.split()]
    return open_terminal(daemon, side, words, {"TERM": term}, dimensions=(40, 120))


def plain(daemon, text):
    """Bytes without what differs from run to run, and from one terminal library of Python's to the other."""
    text = re.sub(rb"pid \d+, uptime \d:\d\d:\d\d", b"pid N, uptime T", text).replace(b"^C", b"")
    text = re.sub(rb"(?m): file: \S+ line: \d+(\r*)$", rb": <PLACE>\1", text)
    for side in SIDES:
        text = text.replace(client_of(daemon, side).encode(), b"<CTL>")
    return text


def end(daemon, client, seen=b""):
    """Everything to the end of a client: the bytes, the exit status and the signal that ended it."""
    client.expect(pexpect.EOF)
    client.close()
    return plain(daemon, seen + client.before), client.exitstatus, client.signalstatus


def talk(daemon, side, steps, **more):
    """A shell in which, after each text of the steps, the keys are typed; a number is sent as a signal."""
    client = terminal(daemon, side, **more)
    seen = b""
    for text, keys in steps:
        client.expect_exact(text)
        seen += client.before + client.after
        if text == b"Password:":
            wait_silent(client)
        if isinstance(keys, int):
            wait_for_rest(client.pid)
            client.kill(keys)
            continue
        typed, interrupt, _ = keys.partition(b"\x03")
        client.send(typed)
        if interrupt:
            if typed and text != b"Password:":
                client.expect_exact(typed)
                seen += client.before + client.after
            wait_for_rest(client.pid)
            client.send(interrupt)
    return end(daemon, client, seen)


def test_actions(fleet):
    different = []
    for line in COMMANDS:
        ends = []
        for side in SIDES:
            ends.append(end(fleet, terminal(fleet, side, line)))
            fleet.wait_state("cat", "RUNNING")
        if ends[0] != ends[1]:
            different.append((line, *ends))
    assert not different


TALKS = {
    "commands": [(PROMPT, b"version\r"), (PROMPT, b"status cat\r"), (PROMPT, b"\r"), (PROMPT, b"nonsense\r"), (PROMPT, b"quit\r")],
    "the end of the input": [(PROMPT, b"\x04")],
    "a question": [(PROMPT, b"shutdown\r"), (b"y/N? ", b"n\r"), (PROMPT, b"exit\r")],
    "no answer": [(PROMPT, b"reload\r"), (b"y/N? ", b"\x04"), (PROMPT, b"\x04")],
    "following": [(PROMPT, b"tail -f talker\r"), (b" end", b"\x03"), (PROMPT, b"\x04")],
}


@pytest.mark.parametrize("term", ("xterm", "vt100", "linux", "dumb"))
def test_shells(fleet, term):
    different = []
    for name, steps in TALKS.items():
        ends = [talk(fleet, side, steps, term=term) for side in SIDES]
        if ends[0] != ends[1]:
            different.append((name, *ends))
    assert not different


def test_lines_typed_ahead(fleet):
    """Each is shown behind its own prompt; a terminal that is not edited on echoes them when they come."""
    steps = [(PROMPT, b"version\rpid idle\rstatus idle\r\x04")]
    ends = [talk(fleet, side, steps) for side in SIDES]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("term", ("xterm", "dumb"))
def test_a_prompt_is_its_text_alone(fleet, term):
    """Scripts wait for a prompt at the end of what they got (`expect -re "supervisor> $"`)."""
    client = terminal(fleet, "ours", term=term)
    client.expect_exact(PROMPT)
    status = client.before
    client.send(b"ver")
    client.expect_exact(b"ver")
    assert client.before == b"" and b"\x1b" not in status
    client.send(b"sion\r")
    client.expect_exact(PROMPT)
    assert client.before == b"sion\r\n4.3.0\r\n"
    client.send(b"\x04")
    assert end(fleet, client) == (b"\r\n", 0, None)


LEAVING = {
    "name": [(b"Username:", b"\x03")],
    "half a name": [(b"Username:", b"us\x03")],
    "password": [(b"Username:", b"user\r"), (b"Password:", b"\x03")],
    "half a password": [(b"Username:", b"user\r"), (b"Password:", b"se\x03")],
    "a signal at the name": [(b"Username:", int(signal.SIGINT))],
    "a signal at the password": [(b"Username:", b"user\r"), (b"Password:", int(signal.SIGINT))],
}


@pytest.mark.parametrize("term", ("xterm", "dumb"))
def test_interrupt_of_the_login_leaves(locked, term):
    """The shell with exit status 0, a single action by the signal."""
    for name, steps in LEAVING.items():
        ends = [talk(locked, side, steps, term=term)[1:] for side in SIDES]
        assert ends == [(0, None)] * 2, name
        ends = [talk(locked, side, steps, line="-i version", term=term)[1:] for side in SIDES]
        assert ends == [(None, signal.SIGINT)] * 2, name


def test_the_login_writes_the_same(locked):
    for term in ("xterm", "dumb"):
        for steps in (LEAVING["name"], LEAVING["password"], [(b"Username:", b"\x04"), (PROMPT, b"\x04")],
                      [(b"Username:", b"user\r"), (b"Password:", b"\x04"), (PROMPT, b"\x04")],
                      [(b"Username:", b"user\r"), (b"Password:", b"secret\r"), (PROMPT, b"\x04")]):
            ends = [talk(locked, side, steps, term=term) for side in SIDES]
            assert ends[0] == ends[1]


def test_an_interrupt_from_elsewhere_leaves_the_prompt(fleet):
    for side in SIDES:
        assert talk(fleet, side, [(PROMPT, int(signal.SIGINT))])[1:] == (0, None)
