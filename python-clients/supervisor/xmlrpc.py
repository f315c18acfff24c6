"""XML-RPC with the daemon: the faults, and a transport for `xmlrpc.client` over TCP and Unix sockets."""

from __future__ import annotations

import base64
import socket
from typing import Any, Callable, Dict, List, Optional, Tuple

from supervisor._absent import not_offered
from supervisor.compat import as_bytes, as_string, httplib, urlparse, xmlrpclib
from supervisor.http import NOT_DONE_YET

__all__ = [
    "Faults", "NOT_DONE_YET", "RPCError", "SupervisorTransport", "UnixStreamHTTPConnection", "capped_int",
    "getFaultDescription", "gettags", "xmlrpclib",
]


class Faults:
    """Codes of the faults."""

    UNKNOWN_METHOD = 1
    INCORRECT_PARAMETERS = 2
    BAD_ARGUMENTS = 3
    SIGNATURE_UNSUPPORTED = 4
    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    BAD_SIGNAL = 11
    NO_FILE = 20
    NOT_EXECUTABLE = 21
    FAILED = 30
    ABNORMAL_TERMINATION = 40
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    SUCCESS = 80
    ALREADY_ADDED = 90
    STILL_RUNNING = 91
    CANT_REREAD = 92


def getFaultDescription(code: int) -> str:
    """Name of a fault's code, `UNKNOWN` for others."""
    named = (name for name, value in vars(Faults).items() if value == code and not name.startswith("_"))
    return next(named, "UNKNOWN")


class RPCError(Exception):
    """A fault, raised by the methods of a plugin."""

    def __init__(self, code: int, extra: Optional[object] = None) -> None:
        self.code = code
        self.text = getFaultDescription(code)
        if extra is not None:
            self.text = f"{self.text}: {extra}"

    def __str__(self) -> str:
        return f"code={self.code!r}, text={self.text!r}"


def capped_int(value: Any) -> int:
    """A number, or the nearest one that XML-RPC has."""
    return max(xmlrpclib.MININT, min(int(value), xmlrpclib.MAXINT))


class UnixStreamHTTPConnection(httplib.HTTPConnection):
    """HTTP over the Unix socket `socketfile`; the host is for the Host header only."""

    socketfile: str

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.socketfile)


class SupervisorTransport(xmlrpclib.Transport):
    """For a ServerProxy: calls go to `serverurl` (http:// or unix://), whatever address the proxy has.

    The connection is kept. Raises ValueError for another kind of URL.
    """

    connection: Optional[httplib.HTTPConnection] = None
    _get_connection: Callable[[], httplib.HTTPConnection]

    def __init__(
        self, username: Optional[str] = None, password: Optional[str] = None, serverurl: Optional[str] = None
    ) -> None:
        xmlrpclib.Transport.__init__(self)
        self.username = username
        self.password = password
        self.verbose = False
        self.serverurl: str = serverurl  # type: ignore[assignment]
        if self.serverurl.startswith("http://"):
            # A port that is none is told at once.
            self._address()
            self._get_connection = self._over_tcp
        elif self.serverurl.startswith("unix://"):
            self._get_connection = self._over_socket
        else:
            raise ValueError(f"Unknown protocol for serverurl {serverurl}")

    def _address(self) -> Tuple[Optional[str], int]:
        parts = urlparse.urlparse(self.serverurl)
        return parts.hostname, 80 if parts.port is None else parts.port

    def _over_tcp(self) -> httplib.HTTPConnection:
        host, port = self._address()
        return httplib.HTTPConnection(host, port)  # type: ignore[arg-type]

    def _over_socket(self) -> httplib.HTTPConnection:
        connection = UnixStreamHTTPConnection("localhost")
        connection.socketfile = self.serverurl[len("unix://"):]
        return connection

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, host: Any, handler: str, request_body: Any, verbose: Any = False) -> Any:
        """Sends a call and returns the values of its answer. Raises Fault, ProtocolError for a status other than 200,
        and whatever a connection can fail with."""
        body = as_bytes(request_body)
        if not self.connection:
            self.connection = self._get_connection()
        self.headers = self._request_headers(len(body))
        self.connection.request("POST", handler, body, self.headers)
        response = self.connection.getresponse()
        if response.status != 200:
            self.close()
            raise xmlrpclib.ProtocolError(host + handler, response.status, response.reason, {})
        parser, unmarshaller = self.getparser()
        # What is not ASCII goes as a reference: the declared encoding has no say.
        parser.feed(as_string(response.read()).encode("ascii", "xmlcharrefreplace"))
        parser.close()
        return unmarshaller.close()

    def _request_headers(self, length: int) -> Dict[str, str]:
        headers = {"User-Agent": self.user_agent, "Content-Type": "text/xml", "Accept": "text/xml"}
        if self.username is not None and self.password is not None:
            credentials = base64.b64encode(as_bytes(f"{self.username}:{self.password}"))
            headers["Authorization"] = f"Basic {as_string(credentials)}"
        headers["Content-Length"] = str(length)
        return headers


#: Of a docstring: line, tag, type, name, text.
Tag = Tuple[int, Optional[str], Optional[str], Optional[str], str]


def gettags(comment: str) -> List[Tag]:
    """What a method's docstring says with `@param type name text` and `@return type name text`, in order; first, as
    a tag without a name, what stands before them. `system.methodSignature` is made of this."""
    tags: List[Tag] = []
    head: Tuple[int, Optional[str], Optional[str], Optional[str]] = (0, None, None, None)
    text: List[str] = []
    for number, line in enumerate(comment.split("\n")):
        line = line.strip()
        if line.startswith("@"):
            tags.append((*head, "\n".join(text)))
            words = line.split(None, 3)
            tag, datatype, name = (words + ["", ""])[:3]
            head = (number, tag[1:], datatype, name)
            text = words[3:]
        elif line:
            text.append(line)
    tags.append((*head, "\n".join(text)))
    return tags


__getattr__ = not_offered(__name__, (
    "AttrDict", "DeferredXMLRPCResponse", "RootRPCInterface", "SystemNamespaceRPCInterface", "make_datetime",
    "supervisor_xmlrpc_handler", "traverse", "xmlrpc_marshal",
))
