"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "RCS_ID", "simple_producer", "scanning_producer", "lines_producer", "buffer_list_producer", "file_producer",
    "output_producer", "composite_producer", "globbing_producer", "hooked_producer", "chunked_producer",
    "compressed_producer", "escaping_producer",
))
