"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "RCS_ID", "unquote", "default_handler", "IF_MODIFIED_SINCE", "USER_AGENT", "CONTENT_TYPE", "get_header",
    "get_header_match", "get_extension",
))
