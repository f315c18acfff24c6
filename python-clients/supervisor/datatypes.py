"""Values of options, from their text. What cannot be read is a ValueError with the reference's words."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import signal
from typing import Any, Callable, Dict, List, Optional, Tuple, Type, Union

from supervisor._sockets import InetStreamSocketConfig, SocketAddress, SocketConfig, UnixStreamSocketConfig
from supervisor._sockets import RangeCheckedConversion, inet_address, integer, port_number
from supervisor.compat import urlparse
from supervisor.loggers import getLevelNumByDescription

__all__ = [
    "Automatic", "FALSY_STRINGS", "InetStreamSocketConfig", "LOGFILE_AUTOS", "LOGFILE_NONES", "LOGFILE_SYSLOGS",
    "RangeCheckedConversion", "RestartUnconditionally", "RestartWhenExitUnexpected", "SIGNUMS", "SocketAddress",
    "SocketConfig", "SuffixMultiplier", "Syslog", "TRUTHY_STRINGS", "UnixStreamSocketConfig", "auto_restart",
    "boolean", "byte_size", "colon_separated_user_group", "dict_of_key_value_pairs", "existing_directory",
    "existing_dirpath", "gid_for_uid", "inet_address", "integer", "list_of_exitcodes", "list_of_ints",
    "list_of_strings", "logfile_name", "logging_level", "name_to_gid", "name_to_uid", "octal_type", "port_number",
    "process_or_group_name", "profile_options", "signal_number", "url",
]


def process_or_group_name(name: object) -> str:
    """A name for a process or a group: nothing in it may break an event's header or an address of the web interface."""
    text = str(name).strip()
    for character in " :/":
        if character in text:
            raise ValueError(f"Invalid name: {name!r} because of character: {character!r}")
    return text


TRUTHY_STRINGS = ("yes", "true", "on", "1")
FALSY_STRINGS = ("no", "false", "off", "0")


def boolean(s: object) -> bool:
    """True or false, in one of four words each."""
    word = str(s).lower()
    if word in TRUTHY_STRINGS:
        return True
    if word in FALSY_STRINGS:
        return False
    raise ValueError("not a valid boolean value: " + repr(s))


def list_of_strings(arg: Any) -> List[str]:
    """Words between commas."""
    if not arg:
        return []
    try:
        return [word.strip() for word in arg.split(",")]
    except Exception:
        raise ValueError("not a valid list of strings: " + repr(arg)) from None


def list_of_ints(arg: Any) -> List[int]:
    """Numbers between commas."""
    if not arg:
        return []
    try:
        return [int(word) for word in arg.split(",")]
    except Exception:
        raise ValueError("not a valid list of ints: " + repr(arg)) from None


def list_of_exitcodes(arg: Any) -> List[int]:
    """Exit statuses between commas, each 0 to 255."""
    try:
        codes = list_of_ints(arg)
    except ValueError:
        codes = [-1]
    if any(not 0 <= code <= 255 for code in codes):
        raise ValueError("not a valid list of exit codes: " + repr(arg))
    return codes


def dict_of_key_value_pairs(arg: object) -> Dict[str, str]:
    """Pairs as in `environment=`: `KEY=value,KEY2="a, b"`.

    As the reference reads them: in strides of four tokens, of which the fourth, the comma, is not looked at.
    """
    lexer = shlex.shlex(str(arg))
    lexer.wordchars += "/.+-():"
    tokens = list(lexer)
    pairs = {}
    for start in range(0, len(tokens), 4):
        pair = tokens[start:start + 3]
        if len(pair) < 3 or pair[1] != "=":
            raise ValueError(f"Unexpected end of key/value pairs in value '{arg}'")
        pairs[pair[0]] = pair[2].strip("'\"")
    return pairs


class Automatic:
    """Of a log's name: the daemon chooses one."""


class Syslog:
    """Of a log's name: to the syslog daemon."""


LOGFILE_NONES = ("none", "off", None)
LOGFILE_AUTOS = (Automatic, "auto")
LOGFILE_SYSLOGS = (Syslog, "syslog")


def logfile_name(val: Any) -> Union[None, Type[Automatic], Type[Syslog], str]:
    """Where a log goes: nowhere (None), to a name of the daemon's choice, to syslog, or to a file in a directory
    that is there."""
    word = val.lower() if hasattr(val, "lower") else val
    if word in LOGFILE_NONES:
        return None
    if word in LOGFILE_AUTOS:
        return Automatic
    if word in LOGFILE_SYSLOGS:
        return Syslog
    return existing_dirpath(val)


def colon_separated_user_group(arg: str) -> Tuple[int, int]:
    """User and group of `user:group`, by name or number; without a group it is -1."""
    try:
        user, colon, group = arg.partition(":")
        return name_to_uid(user), name_to_gid(group) if colon else -1
    except Exception:
        raise ValueError(f"Invalid user:group definition {arg}") from None


def name_to_uid(name: Any) -> int:
    """Number of a user who exists, by name or number."""
    try:
        uid = int(name)
    except ValueError:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            raise ValueError(f"Invalid user name {name}") from None
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise ValueError(f"Invalid user id {name}") from None
    return uid


def name_to_gid(name: Any) -> int:
    """Number of a group that exists, by name or number."""
    try:
        gid = int(name)
    except ValueError:
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            raise ValueError(f"Invalid group name {name}") from None
    try:
        grp.getgrgid(gid)
    except KeyError:
        raise ValueError(f"Invalid group id {name}") from None
    return gid


def gid_for_uid(uid: int) -> int:
    """Primary group of a user. Raises KeyError for a user who does not exist."""
    return pwd.getpwuid(uid).pw_gid


def octal_type(arg: Any) -> int:
    """A number in octal digits."""
    try:
        return int(arg, 8)
    except (TypeError, ValueError):
        raise ValueError(f"{arg} can not be converted to an octal type") from None


def existing_directory(v: str) -> str:
    """A directory that is there; `~` is a home."""
    path = os.path.expanduser(v)
    if not os.path.isdir(path):
        raise ValueError(f"{v} is not an existing directory")
    return path


def existing_dirpath(v: str) -> str:
    """A file's path whose directory is there; `~` is a home."""
    path = os.path.expanduser(v)
    directory = os.path.dirname(path)
    if directory and not os.path.isdir(directory):
        raise ValueError(f"The directory named as part of the path {v} does not exist")
    return path


def logging_level(value: object) -> int:
    """Number of a level of the main log."""
    level: Optional[int] = getLevelNumByDescription(str(value).lower())
    if level is None:
        raise ValueError(f"bad logging level name {value!r}")
    return level


class SuffixMultiplier:
    """Reads numbers with a suffix that multiplies, `10MB`; all suffixes are equally long, in small letters."""

    def __init__(self, d: Dict[str, int], default: int = 1) -> None:
        lengths = {len(suffix) for suffix in d}
        assert len(lengths) <= 1, "suffixes of different lengths"
        self._factors = d
        self._default = default
        self._length: Optional[int] = lengths.pop() if lengths else None

    def __call__(self, v: str) -> int:
        text = v.lower()
        if self._length is not None:
            factor = self._factors.get(text[-self._length:])
            if factor is not None:
                return int(text[:-self._length]) * factor
        return int(text) * self._default


byte_size = SuffixMultiplier({"kb": 1024, "mb": 1024**2, "gb": 1024**3})


def url(value: str) -> str:
    """An address that has a scheme and something behind it."""
    parts = urlparse.urlparse(value)
    if parts.scheme and (parts.netloc or parts.path):
        return value
    raise ValueError(f"value {value!r} is not a URL")


SIGNUMS = [getattr(signal, name) for name in dir(signal) if name.startswith("SIG")]


def signal_number(value: Any) -> int:
    """Number of a signal, by number or by name, with or without `SIG`."""
    try:
        number = int(value)
    except (ValueError, TypeError):
        name = value.strip().upper()
        found = getattr(signal, name if name.startswith("SIG") else "SIG" + name, None)
        if found is None:
            raise ValueError(f"value {value!r} is not a valid signal name") from None
        number = found
    if number not in SIGNUMS:
        raise ValueError(f"value {value!r} is not a valid signal number")
    return number


class RestartWhenExitUnexpected:
    """`autorestart=unexpected`."""


class RestartUnconditionally:
    """`autorestart=true`."""


def auto_restart(value: str) -> Union[bool, Type[RestartWhenExitUnexpected], Type[RestartUnconditionally]]:
    """When a program is started again after its end: one of the classes, or False."""
    word = str(value.lower())
    if word in TRUTHY_STRINGS:
        return RestartUnconditionally
    if word in FALSY_STRINGS:
        return False
    if word == "unexpected":
        return RestartWhenExitUnexpected
    raise ValueError(f"invalid 'autorestart' value {word!r}")


def profile_options(value: Any) -> Tuple[List[str], bool]:
    """What to sort a profile by, and whether it shows callers."""
    words = [word.lower() for word in list_of_strings(value)]
    return [word for word in words if word != "callers"], "callers" in words


#: Whatever reads a value from its text.
Conversion = Callable[[Any], Any]
