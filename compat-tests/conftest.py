"""What all compatibility tests share."""

import signal

import pytest

import harness


def pytest_addoption(parser):
    parser.addoption("--only", metavar="KEYWORD", help="run the tests with KEYWORD in their names, paths included")


def pytest_collection_modifyitems(config, items):
    """Leaves out what --only does not name. pytest's own -k is an expression, which not every name of a test is."""
    only = config.getoption("--only")
    if only is not None:
        config.hook.pytest_deselected(items=[item for item in items if only not in item.nodeid])
        items[:] = [item for item in items if only in item.nodeid]


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
