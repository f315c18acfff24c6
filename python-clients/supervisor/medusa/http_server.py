"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "RCS_ID", "VERSION_STRING", "http_request", "http_channel", "http_server", "maybe_status", "CONNECTION",
    "join_headers", "get_header", "get_header_match", "REQUEST", "crack_request",
))
