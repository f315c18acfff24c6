"""For event listeners and for programs under the daemon: the listeners' protocol, and the daemon's XML-RPC."""

from __future__ import annotations

import sys
import time
from typing import IO, Any, Dict, Mapping, Optional, Tuple

from supervisor import loggers
from supervisor.compat import as_bytes, as_string, is_text_stream, xmlrpclib
from supervisor.dispatchers import PEventListenerDispatcher
from supervisor.events import ProcessCommunicationEvent
from supervisor.xmlrpc import SupervisorTransport


def getRPCTransport(env: Mapping[str, str]) -> SupervisorTransport:
    """The way to the daemon that an environment names (SUPERVISOR_SERVER_URL, _USERNAME, _PASSWORD). Raises KeyError
    without the first."""
    username = env.get("SUPERVISOR_USERNAME", "")
    password = env.get("SUPERVISOR_PASSWORD", "")
    return SupervisorTransport(username, password, env["SUPERVISOR_SERVER_URL"])


def getRPCInterface(env: Mapping[str, str]) -> Any:
    """A proxy of the daemon that an environment names. Raises KeyError without SUPERVISOR_SERVER_URL."""
    # The transport knows the address; a ServerProxy takes none but HTTP's.
    return xmlrpclib.ServerProxy("http://127.0.0.1", getRPCTransport(env))


def get_headers(line: str) -> Dict[str, str]:
    """The `name:value` pairs of a line."""
    return dict(pair.split(":") for pair in line.split())


def eventdata(payload: str) -> Tuple[Dict[str, str], str]:
    """The headers of an event's payload, and what follows their line."""
    line, data = payload.split("\n", 1)
    return get_headers(line), data


def get_asctime(now: Optional[float] = None) -> str:
    """A time, or the present one, as the daemon's log has it."""
    return loggers.asctime(time.time() if now is None else now)


class ProcessCommunicationsProtocol:
    """Sends PROCESS_COMMUNICATION events: what stands between two tokens in a program's output."""

    def send(self, msg: Any, fp: Any = sys.stdout) -> None:
        """Writes a message to a stream of text or of bytes. (The reference's tokens are bytes, so with Python 3 it
        can write to no text, standard output included.)"""
        tokens = ProcessCommunicationEvent
        for part in (tokens.BEGIN_TOKEN, msg, tokens.END_TOKEN):
            fp.write(as_string(part) if is_text_stream(fp) else as_bytes(part))
        fp.flush()

    def stdout(self, msg: Any) -> None:
        """Sends on standard output."""
        self.send(msg, sys.stdout)

    def stderr(self, msg: Any) -> None:
        """Sends on standard error."""
        self.send(msg, sys.stderr)


pcomm = ProcessCommunicationsProtocol()


class EventListenerProtocol:
    """What an event listener says and hears."""

    def wait(self, stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> Tuple[Dict[str, str], str]:
        """Says that it is ready, and waits for an event: its headers and its payload."""
        self.ready(stdout)
        headers = get_headers(stdin.readline())
        return headers, stdin.read(int(headers["len"]))

    def ready(self, stdout: IO[str] = sys.stdout) -> None:
        """Says that it is ready for an event."""
        stdout.write(as_string(PEventListenerDispatcher.READY_FOR_EVENTS_TOKEN))
        stdout.flush()

    def ok(self, stdout: IO[str] = sys.stdout) -> None:
        """Says that the event was handled."""
        self.send("OK", stdout)

    def fail(self, stdout: IO[str] = sys.stdout) -> None:
        """Says that the event was not handled; it is sent again."""
        self.send("FAIL", stdout)

    def send(self, data: str, stdout: IO[str] = sys.stdout) -> None:
        """Says what became of the event, in words for the pool's result handler."""
        start = as_string(PEventListenerDispatcher.RESULT_TOKEN_START)
        stdout.write(f"{start}{len(data)}\n{data}")
        stdout.flush()


listener = EventListenerProtocol()
