"""Command lines and configurations: the client's options, the INI dialect, names of processes, ends of log files."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from supervisor._config import UnhosedConfigParser, expand, normalize_path
from supervisor._groups import Config, EventListenerConfig, EventListenerPoolConfig, FastCGIGroupConfig
from supervisor._groups import FastCGIProcessConfig, ProcessConfig, ProcessGroupConfig
from supervisor._logfiles import readFile, tailFile
from supervisor._options import Dummy, Option, Options
from supervisor._server_options import ServerOptions
from supervisor.compat import as_bytes, as_string, xmlrpclib
from supervisor.datatypes import url
from supervisor.xmlrpc import SupervisorTransport

__all__ = [
    "BadCommand", "ClientOptions", "Config", "Dummy", "EventListenerConfig", "EventListenerPoolConfig",
    "FastCGIGroupConfig", "FastCGIProcessConfig", "NoPermission", "NotExecutable", "NotFound", "Options",
    "ProcessConfig", "ProcessException", "ProcessGroupConfig", "ServerOptions", "SignalReceiver",
    "UnhosedConfigParser", "VERSION", "as_bytes", "as_string", "decode_wait_status", "expand", "make_namespec",
    "normalize_path", "readFile", "signame", "split_namespec", "tailFile",
]

#: The release of Supervisor that this stands in for, which scripts compare. The package's own version is that of the
#: distribution (`importlib.metadata.version("supervisor")`).
VERSION = Path(__file__).with_name("version.txt").read_text(encoding="ascii").strip()


class ClientOptions(Options):
    """What supervisorctl is started with: its command line and the section `[supervisorctl]`."""

    positional_args_allowed = 1
    interactive: Optional[int] = None
    prompt: Any = None
    serverurl: Any = None
    username: Optional[str] = None
    password: Optional[str] = None
    history: Optional[str] = None
    history_file: Optional[str] = None

    _SECTION = "supervisorctl"
    _OPTIONS = Options._OPTIONS + (
        Option("interactive", "i", "interactive", setting="interactive", default=0),
        Option("prompt", "", "", setting="prompt", default="supervisor"),
        Option("serverurl", "s:", "serverurl=", url, setting="serverurl", default="http://localhost:9001"),
        Option("username", "u:", "username=", setting="username"),
        Option("password", "p:", "password=", setting="password"),
        Option("history", "r:", "history_file=", setting="history_file"),
    )

    def __init__(self) -> None:
        Options.__init__(self, require_configfile=False)
        self.configroot = Dummy()
        section = self.configroot.supervisorctl = Dummy()
        for name in ("interactive", "serverurl", "username", "password", "history_file"):
            setattr(section, name, None)
        section.prompt = "supervisor"  # type: ignore[attr-defined]
        from supervisor.supervisorctl import DefaultControllerPlugin

        #: Of each plugin of a Controller: name, factory, and the factory's other arguments.
        self.plugin_factories: List[Tuple[str, Any, Dict[str, Any]]] = [("default", DefaultControllerPlugin, {})]
        #: The plugins themselves, once there is a Controller.
        self.plugins: List[Any] = []

    def realize(self, *arg: Any, **kw: Any) -> None:
        """Reads the command line and the configuration; without an action it is interactive."""
        Options.realize(self, *arg, **kw)
        if not self.args:
            self.interactive = 1

    def read_config(self, fp: Any) -> Any:
        if not hasattr(fp, "read"):
            self.here = os.path.dirname(normalize_path(fp))
        parser = self._parser(fp, "supervisorctl")
        if not parser.has_section("supervisorctl"):
            raise ValueError(".ini file does not include supervisorctl section")
        section = self.configroot.supervisorctl
        here = {"here": self.here}
        serverurl = parser.getdefault("serverurl", "http://localhost:9001", expansions=here)
        if serverurl.startswith("unix://"):
            serverurl = "unix://" + normalize_path(serverurl[len("unix://"):])
        section.serverurl = serverurl
        for name in ("prompt", "username", "password"):
            setattr(section, name, parser.getdefault(name, getattr(section, name)))
        history_file = parser.getdefault("history_file", section.history_file, expansions=here)
        section.history_file = self.history_file = normalize_path(history_file) if history_file else None
        self.plugin_factories += self.get_plugins(parser, "supervisor.ctl_factory", "ctlplugin:")
        return section

    def getServerProxy(self) -> Any:
        """A proxy of the daemon, with a connection of its own."""
        transport = SupervisorTransport(self.username, self.password, self.serverurl)
        return xmlrpclib.ServerProxy("http://127.0.0.1", transport=transport)


class SignalReceiver:
    """Remembers signals, each once, until they are asked for."""

    def __init__(self) -> None:
        self._signals_recvd: List[int] = []

    def receive(self, sig: int, frame: object) -> None:
        """A handler of signals."""
        if sig not in self._signals_recvd:
            self._signals_recvd.append(sig)

    def get_signal(self) -> Optional[int]:
        """The signal that came first; None when there is none."""
        return self._signals_recvd.pop(0) if self._signals_recvd else None


def decode_wait_status(sts: int) -> Tuple[int, str]:
    """Exit status, -1 for a death by a signal, and words for it."""
    if os.WIFEXITED(sts):
        status = os.WEXITSTATUS(sts)
        return status, f"exit status {status}"
    if os.WIFSIGNALED(sts):
        core = " (core dumped)" if os.WCOREDUMP(sts) else ""
        return -1, f"terminated by {signame(os.WTERMSIG(sts))}{core}"
    return -1, "unknown termination cause 0x%04x" % sts


def signame(sig: int) -> str:
    """Name of a signal, or `signal NUMBER`."""
    names = [name for name, value in vars(signal).items()
             if name.startswith("SIG") and not name.startswith("SIG_") and value == sig]
    # Of several names the last one, as in the reference.
    return names[-1] if names else "signal %d" % sig


def make_namespec(group_name: str, process_name: str) -> str:
    """What a process is called: `group:process`, or the name alone when both are the same."""
    return process_name if group_name == process_name else f"{group_name}:{process_name}"


def split_namespec(namespec: str) -> Tuple[str, Optional[str]]:
    """Group and process of a name; no process (None) for `group:*` and `group:`."""
    group, colon, process = namespec.partition(":")
    if not colon:
        return namespec, namespec
    return group, None if process in ("", "*") else process


class ProcessException(Exception):
    """A process cannot be started."""


class BadCommand(ProcessException):
    """The command cannot be read."""


class NotExecutable(ProcessException):
    """The command is a directory, or may not be executed by anybody."""


class NotFound(ProcessException):
    """There is no such command."""


class NoPermission(ProcessException):
    """We may not execute the command."""
