"""The daemon waits in its own way. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "BasePoller", "SelectPoller", "PollPoller", "KQueuePoller", "implements_poll", "implements_kqueue",
))
