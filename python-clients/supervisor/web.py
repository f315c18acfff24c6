"""The web interface is inside the daemon. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "DeferredWebProducer", "ViewContext", "MeldView", "TailView", "StatusView", "OKView", "VIEWS",
    "supervisor_ui_handler",
))
