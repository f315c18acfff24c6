"""The socket to the daemon: frames with a kind, a number, a length, and an XML-RPC document; both sides call and answer."""

from __future__ import annotations

import re
import socket
import struct
import threading
import xmlrpc.client as xmlrpclib
from typing import Any, Callable, Dict, List, Optional, Tuple

from supervisor.xmlrpc import Faults, RPCError

#: Kinds of frames.
CALL, ANSWER, DEFERRED = 1, 2, 3

#: Kind, number, length of the document.
_HEADER = struct.Struct("!BQI")

#: Longest document.
MAX_DOCUMENT_BYTES = 16 << 20

#: Characters that XML does not have. The daemon sends what programs say.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

#: What the daemon asks: number, method, parameters.
Asked = Tuple[int, str, Tuple[Any, ...]]


class Pending:
    """A call of ours that the daemon has not answered, or has."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._value: Any = None
        self._fault: Optional[RPCError] = None

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits for the answer; False when it has not come in time."""
        return self._done.wait(timeout)

    def result(self) -> Any:
        """The answer that has come. Raises RPCError."""
        if self._fault is not None:
            raise self._fault
        return self._value

    def answer(self, value: Any, fault: Optional[RPCError]) -> None:
        """The answer has come."""
        self._value, self._fault = value, fault
        self._done.set()


class Wire:
    """The conversation with the daemon. Any thread may call; one thread reads."""

    def __init__(self, connection: socket.socket, asked: Callable[[Optional[Asked]], None]) -> None:
        """`asked` is called, by the thread that reads, with what the daemon asks, and with None at the end."""
        self._socket = connection
        self._asked = asked
        self._lock = threading.Lock()
        self._pending: Dict[int, Pending] = {}
        self._last = 0

    def start(self) -> None:
        """Begins to read."""
        threading.Thread(target=self._read, name="supervisord", daemon=True).start()

    def begin(self, method: str, params: List[Any]) -> Pending:
        """Makes a call, and returns where its answer will be."""
        document = dumps(tuple(params), method)
        pending = Pending()
        with self._lock:
            self._last += 1
            number = self._last
            self._pending[number] = pending
        try:
            self._send(CALL, number, document)
        except OSError:
            self._settle(number, None, _gone())
        return pending

    def tell(self, method: str, params: List[Any]) -> None:
        """Makes a call whose answer nobody wants."""
        try:
            self._send(CALL, 0, dumps(tuple(params), method))
        except OSError:
            pass  # the daemon is gone, and this process will be

    def answer(self, number: int, document: bytes) -> None:
        """Answers a call of the daemon, unless it wants no answer."""
        if number:
            self._send(ANSWER, number, document)

    def defer(self, number: int) -> None:
        """Says of a call of the daemon that it waits for something."""
        self._send(DEFERRED, number, b"")

    def _send(self, kind: int, number: int, document: bytes) -> None:
        with self._lock:
            self._socket.sendall(_HEADER.pack(kind, number, len(document)) + document)

    def _settle(self, number: int, value: Any, fault: Optional[RPCError]) -> None:
        with self._lock:
            pending = self._pending.pop(number, None)
        if pending is not None:
            pending.answer(value, fault)

    def _read(self) -> None:
        try:
            while True:
                kind, number, length = _HEADER.unpack(self._receive(_HEADER.size))
                document = self._receive(length)
                if kind == CALL:
                    params, method = loads(document)
                    self._asked((number, method or "", params))
                elif kind == ANSWER:
                    self._take_answer(number, document)
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                left, self._pending = self._pending, {}
            for pending in left.values():
                pending.answer(None, _gone())
            self._asked(None)

    def _take_answer(self, number: int, document: bytes) -> None:
        try:
            (value,), _ = loads(document)
        except xmlrpclib.Fault as fault:
            self._settle(number, None, error_of(fault))
        else:
            self._settle(number, value, None)

    def _receive(self, length: int) -> bytes:
        parts = []
        while length:
            part = self._socket.recv(min(length, 1 << 16))
            if not part:
                raise EOFError
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


def _gone() -> RPCError:
    return RPCError(Faults.SHUTDOWN_STATE)


def error_of(fault: xmlrpclib.Fault) -> RPCError:
    """A fault of the daemon as its own methods raise it."""
    error = RPCError(fault.faultCode)
    error.text = fault.faultString
    return error


def loads(document: bytes) -> Tuple[Tuple[Any, ...], Optional[str]]:
    """Values and method of a document. Raises Fault."""
    text = _NO_XML.sub("\ufffd", document.decode("utf-8", "replace"))
    return xmlrpclib.loads(text, use_builtin_types=True)


def dumps(params: Any, method: Optional[str] = None) -> bytes:
    """A call, or with a value in a tuple the answer to one, or with a Fault that. Raises TypeError for what XML-RPC does
    not have, OverflowError for what has more than 32 bits, ValueError for what is too long."""
    response = None if method is not None or isinstance(params, xmlrpclib.Fault) else True
    text = xmlrpclib.dumps(params, methodname=method, methodresponse=response, allow_none=method is not None)
    document = text.encode("utf-8", "backslashreplace")
    if len(document) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"the document has more than {MAX_DOCUMENT_BYTES >> 20} MiB")
    return document
