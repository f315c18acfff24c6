"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "VERSION", "xmlrpc_handler", "collector",
))
