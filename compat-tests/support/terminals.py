"""Both sides' supervisorctl, on terminals or not, beside a daemon of ours.

A test file that uses it imports the fixture `close_terminals`: no client outlives its test.
"""

import contextlib

import pexpect
import pytest

from harness import BASE, FORKING, SCRIPTS, WAIT_SECS, Daemon, binary, wait_for

SIDES = ("python", "ours")
CREDENTIALS = ("user", "secret")
# A daemon that asks for them.
LOCKED = BASE.replace("s.sock\n", "s.sock\nusername={}\npassword={}\n".format(*CREDENTIALS), 1)

# The terminals of the running test.
_open = []


@pytest.fixture(autouse=True)
def close_terminals():
    yield
    while _open:
        _open.pop().close(force=True)


@contextlib.contextmanager
def served(config, base=BASE, side="ours", directories=()):
    """A running daemon, which finds these directories, with our client beside it."""
    daemon = Daemon(side)
    try:
        for name in directories:
            (daemon.root / name).mkdir()
        (daemon.root / "bin" / "supervisorctl").symlink_to(binary())
        daemon.configure(config, base=base)
        if base == LOCKED:
            daemon.username, daemon.password = CREDENTIALS
        yield daemon.start()
    finally:
        assert daemon.close() is None


def client_of(daemon, side):
    """The path of a side's supervisorctl."""
    return str(SCRIPTS / "supervisorctl" if side == "python" else daemon.root / "bin" / "supervisorctl")


def open_terminal(daemon, side, words, env, **more):
    """A side's client on a terminal, as a pexpect child that types at once."""
    with FORKING:
        client = pexpect.spawn(client_of(daemon, side), words, timeout=WAIT_SECS, env={**daemon.env, **env}, cwd=str(daemon.root), **more)
    client.delaybeforesend = None
    client.ptyproc.delayafterclose = 0
    _open.append(client)
    return client


def wait_silent(client):
    """Waits until the terminal shows nothing that is typed."""
    wait_for(lambda: not client.getecho(), "the terminal to be silent")
