"""Scenarios: functions that drive one daemon and record what they see, run on each side and compared."""

import os
import threading
import traceback

import pytest

import normalize
from harness import Daemon


def sides():
    """The sides to run: the reference and ours, or what SUPERVISOR_UNDER_TEST names."""
    named = os.environ.get("SUPERVISOR_UNDER_TEST", "python,ours").split(",")
    assert set(named) <= {"python", "ours"}, "SUPERVISOR_UNDER_TEST is python, ours or a list of them"
    return named


class _Run(threading.Thread):
    """One side of a scenario."""

    def __init__(self, function, side, config, extra, start):
        super().__init__()
        self.side = side
        self.function, self.config, self.extra, self.start_daemon = function, config, extra, start
        self.record, self.problem = [], None

    def run(self):
        daemon = Daemon(self.side)
        try:
            if self.config is not None:
                daemon.configure(self.config, self.extra)
            if self.start_daemon:
                daemon.start()
            self.function(daemon)
        except BaseException:
            self.problem = traceback.format_exc() + f"\nmain log ({self.side}):\n{daemon.log_text()[-4000:]}"
        finally:
            self.record = daemon.record
            complaint = daemon.close()
            self.problem = self.problem or complaint


def _judge(runs):
    problems = [f"[{run.side}] {run.problem}" for run in runs if run.problem]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
    for other in runs[1:]:
        found = normalize.difference(runs[0].record, other.record)
        if found:
            pytest.fail(f"- {runs[0].side}, + {other.side}\n{found}", pytrace=False)


def scenario(config="", extra="", start=True, needs=None, only=None):
    """Makes a test of a function that takes a daemon.

    config -- program sections (None: the function writes its own), extra -- lines of [supervisord],
    start  -- whether the daemon is started before the function is called,
    only   -- the one side to run, for what the other does not have,
    needs  -- a callable; the test fails, naming it, where the machine cannot do what the scenario needs.
    """
    def decorate(function):
        def test():
            if needs is not None:
                assert needs(), f"this machine lacks what the scenario needs: {needs.__doc__}"
            runs = [_Run(function, side, config, extra, start) for side in sides() if only in (None, side)]
            for run in runs:
                run.start()
            for run in runs:
                run.join()
            _judge(runs)

        test.__name__ = test.__qualname__ = function.__name__
        test.__doc__ = function.__doc__
        test.__module__ = function.__module__
        return test
    return decorate
