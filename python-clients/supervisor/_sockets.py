"""Addresses of sockets, and sockets to listen on (`supervisor.datatypes` shows them)."""

from __future__ import annotations

import os
import socket
from typing import Any, Callable, Optional, Tuple, Union


def integer(value: Any) -> int:
    """A whole number."""
    return int(value)


class RangeCheckedConversion:
    """Another conversion, whose results have bounds."""

    def __init__(self, conversion: Callable[[Any], Any], min: Any = None, max: Any = None) -> None:
        self._conversion = conversion
        self._min = min
        self._max = max

    def __call__(self, value: Any) -> Any:
        result = self._conversion(value)
        if self._min is not None and result < self._min:
            raise ValueError(f"{result!r} is below lower bound ({self._min!r})")
        if self._max is not None and result > self._max:
            raise ValueError(f"{result!r} is above upper bound ({self._max!r})")
        return result


port_number = RangeCheckedConversion(integer, min=1, max=0xFFFF).__call__


def inet_address(s: str) -> Tuple[str, int]:
    """Host and port of `host:port`, `*:port` or `port`; the host is empty for all addresses."""
    host = ""
    if ":" in s:
        host, s = s.rsplit(":", 1)
        if not s:
            raise ValueError(f"no port number specified in {s!r}")
        port = port_number(s)
        host = host.lower()
    else:
        try:
            port = port_number(s)
        except ValueError:
            raise ValueError(f"not a valid port number: {s!r} ") from None
    return ("" if host == "*" else host), port


class SocketAddress:
    """Family and address of what may be a path or `host:port`."""

    family: Optional[int]
    address: Union[str, Tuple[str, int]]

    def __init__(self, s: str) -> None:
        if "/" in s or ":" not in s:
            self.family = getattr(socket, "AF_UNIX", None)
            self.address = s
        else:
            self.family = socket.AF_INET
            self.address = inet_address(s)


class SocketConfig:
    """What a socket to listen on is made by; two are equal when their URLs are."""

    url = ""
    backlog: Optional[int] = None

    def __repr__(self) -> str:
        return f"<{self.__class__} at {id(self)} for {self.url}>"

    def __str__(self) -> str:
        return str(self.url)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SocketConfig) and self.url == other.url

    def __ne__(self, other: object) -> bool:
        return not self == other

    # As in the reference, a class that defines equality alone: nothing can be looked up by one.
    __hash__ = None  # type: ignore[assignment]

    def get_backlog(self) -> Optional[int]:
        """Length of the queue of connections."""
        return self.backlog

    def addr(self) -> Any:
        """The address to bind to."""
        raise NotImplementedError

    def create_and_bind(self) -> socket.socket:
        """A bound socket."""
        raise NotImplementedError


class InetStreamSocketConfig(SocketConfig):
    """A TCP socket."""

    def __init__(self, host: str, port: Any, **kwargs: Any) -> None:
        self.host = host.lower()
        self.port = port_number(port)
        self.url = "tcp://%s:%d" % (self.host, self.port)
        self.backlog = kwargs.get("backlog")

    def addr(self) -> Tuple[str, int]:
        return self.host, self.port

    def create_and_bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(self.addr())
        except BaseException:
            sock.close()
            raise
        return sock


class UnixStreamSocketConfig(SocketConfig):
    """A Unix socket, with the mode and the owner of its file."""

    def __init__(self, path: str, **kwargs: Any) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self.mode: Optional[int] = kwargs.get("mode")
        self.owner: Optional[Tuple[int, int]] = kwargs.get("owner")
        self.backlog = kwargs.get("backlog")

    def addr(self) -> str:
        return self.path

    def get_mode(self) -> Optional[int]:
        """Permissions of the file; None leaves them to the umask."""
        return self.mode

    def get_owner(self) -> Optional[Tuple[int, int]]:
        """User and group of the file; None leaves it ours."""
        return self.owner

    def create_and_bind(self) -> socket.socket:
        if os.path.exists(self.path):
            os.unlink(self.path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(self.path)
            self._own()
        except BaseException:
            sock.close()
            if os.path.exists(self.path):
                os.unlink(self.path)
            raise
        return sock

    def _own(self) -> None:
        try:
            if self.owner is not None:
                os.chown(self.path, *self.owner)
        except Exception as error:
            raise ValueError(f"Could not change ownership of socket file: {error}") from None
        try:
            if self.mode is not None:
                os.chmod(self.path, self.mode)
        except Exception as error:
            raise ValueError(f"Could not change permissions of socket file: {error}") from None
