"""Log streams of the daemon, for `supervisorctl.fgthread`."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any, Optional

from supervisor._absent import not_offered
from supervisor.compat import as_string, httplib
from supervisor.xmlrpc import SupervisorTransport

CR = b"\r"
LF = b"\n"
CRLF = CR + LF

#: How much of a stream is taken at once.
_CHUNK_BYTES = 65536


class Listener:
    """Is told what a stream brings; this one prints it."""

    def status(self, url: Any, status: int) -> None:
        """The status of the answer."""

    def error(self, url: Any, error: object) -> None:
        """What went wrong."""
        sys.stderr.write(f"{url} {error}\n")

    def response_header(self, url: Any, name: Any, value: Any) -> None:
        """A header of the answer."""

    def done(self, url: Any) -> None:
        """The stream has come to its end."""

    def feed(self, url: Any, data: bytes) -> None:
        """Some of the stream."""
        try:
            text = as_string(data)
        except UnicodeDecodeError:
            text = f"Undecodable: {data!r}"
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding
            raise ValueError(f"Unable to write Unicode to stdout because it has encoding {encoding}") from None
        sys.stdout.flush()

    def close(self, url: Any) -> None:
        """The stream is closed."""


class LogStream:
    """Follows a log (`/logtail/NAME/stdout`) until it ends or is closed, which any thread may do."""

    def __init__(self, listener: Listener, username: Optional[str], password: Optional[str]) -> None:
        self.listener = listener
        self.username = username
        self.password = password
        self._lock = threading.Lock()
        self._closed = False
        self._connection: Optional[httplib.HTTPConnection] = None

    def follow(self, serverurl: str, path: str) -> None:
        """Hands the listener what comes, until nothing comes any more."""
        url = serverurl + path
        transport = SupervisorTransport(self.username, self.password, serverurl)
        try:
            connection = transport._get_connection()
            connection.connect()
            with self._lock:
                if self._closed:
                    return
                self._connection = connection
            headers = transport._request_headers(0)
            authorization = {name: headers[name] for name in ("Authorization",) if name in headers}
            connection.request("GET", path, headers={"Accept": "*/*", **authorization})
            response = connection.getresponse()
            self.listener.status(url, response.status)
            if response.status != 200:
                self.listener.error(url, f"Cannot read, status code {response.status}")
                return
            while True:
                data = response.read1(_CHUNK_BYTES)
                if not data:
                    break
                self.listener.feed(url, data)
            self.listener.done(url)
        except (OSError, httplib.HTTPException, ValueError) as error:
            if not self._closed:
                self.listener.error(url, f"Cannot connect, error: {type(error)} ({error})")
        finally:
            self.close()
            self.listener.close(url)

    def close(self) -> None:
        """Ends the stream, whoever is waiting for it."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            try:
                # Closing alone would leave a thread waiting that reads.
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


__getattr__ = not_offered(
    __name__, ("HTTPHandler",), "Follow a log with supervisorctl's tail -f, or GET /logtail/NAME with http.client.")
