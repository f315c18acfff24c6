"""What all compatibility tests share."""

import harness


def pytest_configure(config):
    """Orphans of the daemons come to the test process, which reaps them."""
    harness.become_subreaper()
