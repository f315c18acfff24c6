"""What listeners and result handlers need: the words of the listeners' protocol, and how an event is rejected."""

from __future__ import annotations

import re

from supervisor._absent import not_offered

ANSI_ESCAPE_BEGIN = b"\x1b["
ANSI_TERMINATORS = tuple(b"%c" % letter for letter in b"HfABCDRsuJKhlpm")

_ESCAPE = re.compile(rb"\x1b\[[^HfABCDRsuJKhlpm]*[HfABCDRsuJKhlpm]?")


class RejectEvent(Exception):
    """Raised by a result handler: the listener did not take the event, it is sent again."""


class PEventListenerDispatcher:
    """The words that an event listener says."""

    READY_FOR_EVENTS_TOKEN = b"READY\n"
    RESULT_TOKEN_START = b"RESULT "
    READY_FOR_EVENTS_LEN = len(READY_FOR_EVENTS_TOKEN)
    RESULT_TOKEN_START_LEN = len(RESULT_TOKEN_START)

    def __init__(self, process: object, channel: str, fd: int) -> None:
        raise __getattr__("PDispatcher")


def stripEscapes(s: bytes) -> bytes:
    """Output without its ANSI escape sequences."""
    return _ESCAPE.sub(b"", s)


def default_handler(event: object, response: bytes) -> None:
    """The result handler of a pool that names none: everything but `OK` rejects the event."""
    if response != b"OK":
        raise RejectEvent(response)


__getattr__ = not_offered(__name__, ("PDispatcher", "POutputDispatcher", "PInputDispatcher"))
