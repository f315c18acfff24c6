"""The one name that plugins need of the HTTP servers."""

from __future__ import annotations

from supervisor._absent import not_offered


class NOT_DONE_YET:
    """What a deferred answer of an RPC method returns until it is done."""


__getattr__ = not_offered(__name__, (
    "LogWrapper", "deferring_chunked_producer", "deferring_composite_producer", "deferring_globbing_producer",
    "deferring_hooked_producer", "deferring_http_channel", "deferring_http_request",
    "encrypted_dictionary_authorizer", "logtail_handler", "mainlogtail_handler", "make_http_servers",
    "supervisor_af_inet_http_server", "supervisor_af_unix_http_server", "supervisor_auth_handler",
    "supervisor_http_server", "tail_f_producer",
))
