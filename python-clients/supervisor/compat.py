"""Names that were different in Python 2, under which third parties still import them."""

from __future__ import annotations

import _thread as thread
import configparser as ConfigParser
import html.entities as htmlentitydefs
import http.client as httplib
import importlib
import importlib.resources
import io
import re
import sys
import urllib.parse as urllib
import urllib.parse as urlparse
import xmlrpc.client as xmlrpclib
from base64 import decodebytes as decodestring
from base64 import encodebytes as encodestring
from functools import reduce
from hashlib import md5, sha1
from html import escape
from html.parser import HTMLParser
from io import StringIO
from string import ascii_letters as letters
from sys import maxsize as maxint
from types import ModuleType
from typing import Any, Optional, Union
from xmlrpc.client import Fault

syslog: Optional[ModuleType]
try:
    import syslog
except ImportError:
    syslog = None

PY2 = False
StringTypes = (str,)
long = int
basestring = str
raw_input = input
unichr = chr

__all__ = [
    "ConfigParser", "Fault", "HTMLParser", "PY2", "StringIO", "StringTypes", "as_bytes", "as_string", "basestring",
    "decodestring", "encodestring", "escape", "htmlentitydefs", "httplib", "import_spec", "is_text_stream", "letters",
    "long", "maxint", "md5", "raw_input", "resource_filename", "sha1", "sys", "syslog", "thread", "unichr", "unicode",
    "urllib", "urlparse", "xmlrpclib",
]

#: An object named as entry points name theirs: `module:attribute`, perhaps with extras.
_SPEC = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<attribute>[\w.]+)\s*)?((?P<extras>\[.*\])\s*)?$")


class unicode(str):
    """Bytes decoded by an encoding. Nothing else is one: plain text is `str`."""

    def __init__(self, string: bytes, encoding: str, errors: str) -> None:
        str.__init__(self)


def as_bytes(s: Union[str, bytes], encoding: str = "utf8") -> bytes:
    """Text encoded; bytes as they are."""
    return s if isinstance(s, bytes) else s.encode(encoding)


def as_string(s: Union[str, bytes], encoding: str = "utf8") -> str:
    """Bytes decoded; text as it is."""
    return s if isinstance(s, str) else s.decode(encoding)


def is_text_stream(stream: object) -> bool:
    """Whether a stream takes text rather than bytes."""
    return isinstance(stream, io.TextIOBase)


def import_spec(spec: str) -> Any:
    """The object of a `module:attribute`, or the module. Raises ImportError or AttributeError."""
    match = _SPEC.match(spec)
    if match is None:
        raise AttributeError(f"{spec!r} is not of the form module:attribute")
    module = importlib.import_module(match["module"])
    attributes = filter(None, (match["attribute"] or "").split("."))
    return reduce(getattr, attributes, module)


def resource_filename(package: str, path: str) -> str:
    """Path of a file of an installed package."""
    if sys.version_info >= (3, 9):
        return str(importlib.resources.files(package).joinpath(path))
    with importlib.resources.path(package, "__init__.py") as init:
        return str(init.parent.joinpath(path))
