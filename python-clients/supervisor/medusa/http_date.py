"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "concat", "join", "group", "short_days", "long_days", "short_day_reg", "long_day_reg", "daymap", "hms_reg",
    "months", "monmap", "months_reg", "rfc822_date", "rfc822_reg", "unpack_rfc822", "rfc850_date", "rfc850_reg",
    "unpack_rfc850", "build_http_date", "parse_http_date",
))
