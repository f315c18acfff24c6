"""Processes and groups are inside the daemon. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "Subprocess", "FastCGISubprocess", "ProcessGroupBase", "ProcessGroup", "FastCGIProcessGroup",
    "EventListenerPool", "GlobalSerial", "new_serial",
))
