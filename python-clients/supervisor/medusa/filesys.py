"""Of the HTTP server of the reference. Nothing of this module is offered here."""

from __future__ import annotations

from supervisor._absent import not_offered

__getattr__ = not_offered(__name__, (
    "abstract_filesystem", "safe_stat", "os_filesystem", "msdos_filesystem", "merged_filesystem",
    "msdos_longify", "msdos_date", "months", "mode_table", "unix_longify", "ls_date", "list_producer",
))
