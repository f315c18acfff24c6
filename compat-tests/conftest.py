"""What all compatibility tests share."""

import signal

import pytest

import harness


def pytest_configure(config):
    """Orphans of the daemons come to the test process, which reaps them."""
    harness.become_subreaper()
    # A job in the background starts with these ignored, and so would all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture
def ours():
    """A daemon of ours, not started."""
    daemon = harness.Daemon("ours")
    yield daemon
    complaint = daemon.close()
    assert complaint is None, complaint
