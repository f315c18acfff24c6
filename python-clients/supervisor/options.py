"""Command lines and configurations: the client's options, the INI dialect, names of processes, ends of log files."""

from __future__ import annotations

import getopt
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from supervisor import compat
from supervisor._config import UnhosedConfigParser, expand, normalize_path
from supervisor._groups import Config, EventListenerConfig, EventListenerPoolConfig, FastCGIGroupConfig
from supervisor._groups import FastCGIProcessConfig, ProcessConfig, ProcessGroupConfig
from supervisor._logfiles import readFile, tailFile
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


class Dummy:
    """A place for attributes."""


class _Option:
    """An option of a command line: the attribute it sets, its spellings for getopt, how its value is read (a flag's is
    1), and the section's option that yields to it."""

    def __init__(
        self, attribute: str, short: str, long: str, convert: Optional[Callable[[str], Any]] = None,
        setting: Optional[str] = None, default: Any = None,
    ) -> None:
        self.attribute = attribute
        self.short = short
        self.long = long
        self.convert = convert
        self.setting = setting
        self.default = default

    def spellings(self) -> List[str]:
        """As getopt reports them."""
        shown = [f"-{self.short.rstrip(':')}"] if self.short else []
        return shown + [f"--{self.long.rstrip('=')}"] if self.long else shown


class Options:
    """A command line and the configuration file it names, or the one that is found."""

    stderr = sys.stderr
    stdout = sys.stdout
    exit: Callable[[int], NoReturn] = staticmethod(sys.exit)
    warnings = warnings
    progname = sys.argv[0]
    configfile: Any = None
    here: Optional[str] = None
    positional_args_allowed = 0
    configroot: Any = None

    _OPTIONS: Tuple[_Option, ...] = (_Option("configfile", "c:", "configuration="),)
    _SECTION = ""

    def __init__(self, require_configfile: bool = True) -> None:
        self.require_configfile = require_configfile
        prefix = os.path.dirname(os.path.dirname(sys.argv[0]))
        self.searchpaths = [
            os.path.join(prefix, "etc", "supervisord.conf"), os.path.join(prefix, "supervisord.conf"),
            "supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf",
        ]
        self.environ_expansions = {f"ENV_{name}": value for name, value in os.environ.items()}
        self.options: List[Tuple[str, str]] = []
        self.args: List[str] = []
        for option in self._OPTIONS:
            setattr(self, option.attribute, getattr(self, option.attribute, None))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__} has no {name!r} here: what the Python daemon and its client do with their options"
            " is done by the executables.")

    def default_configfile(self) -> Optional[str]:
        """The configuration file at the first of the usual places that has one."""
        found = next((path for path in self.searchpaths if os.path.exists(path)), None)
        if found is None and self.require_configfile:
            places = ", ".join(self.searchpaths)
            self.usage(f"No config file found at default paths ({places}); use the -c option to specify a config file"
                       " at a different path")
        return found

    def help(self, dummy: object) -> None:
        """Prints the usage and exits."""
        self.stdout.write((self.doc + "\n").replace("%s", self.progname))
        self.exit(0)

    def usage(self, msg: object) -> None:
        """Prints an error and exits."""
        self.stderr.write(f"Error: {msg}\nFor help, use {self.progname} -h\n")
        self.exit(2)

    def realize(
        self, args: Optional[Sequence[str]] = None, doc: Optional[str] = None, progname: Optional[str] = None
    ) -> None:
        """Reads a command line without the program's name, those of this process by default, and the configuration."""
        self.progname = sys.argv[0] if progname is None else progname
        self.doc: Any = getattr(sys.modules.get("__main__"), "__doc__", None) if doc is None else doc
        given = self._scan(sys.argv[1:] if args is None else args)
        if self.configfile is None:
            self.configfile = self.default_configfile()
        self._given = given
        self.process_config()

    def _scan(self, args: Sequence[str]) -> List[str]:
        """Sets what the command line says; the attributes that it set."""
        short = "h?" + "".join(option.short for option in self._OPTIONS)
        long = ["help"] + [option.long for option in self._OPTIONS if option.long]
        try:
            self.options, self.args = getopt.getopt(list(args), short, long)
        except getopt.error as error:
            self.usage(error)
        if self.args and not self.positional_args_allowed:
            self.usage(f"positional arguments are not supported: {self.args}")
        by_spelling = {spelling: option for option in self._OPTIONS for spelling in option.spellings()}
        given: List[str] = []
        for spelling, text in self.options:
            if spelling in ("-h", "-?", "--help"):
                self.help(text)
                continue
            option = by_spelling[spelling]
            value: Any = text
            if not option.short.endswith(":"):
                value = 1
            elif option.convert is not None:
                try:
                    value = option.convert(text)
                except ValueError as error:
                    self.usage(f"invalid value for {spelling} {text!r}: {error}")
            if getattr(self, option.attribute) is not None:
                self.usage(f"conflicting command line option {spelling!r}")
            setattr(self, option.attribute, value)
            given.append(option.attribute)
        return given

    def process_config(self, do_usage: bool = True) -> None:
        """Reads the configuration file, and what neither it nor the command line sets gets its default. An error is a
        usage error, or without `do_usage` a ValueError."""
        if self.configfile:
            self.process_config_file(do_usage)
        section = getattr(self.configroot, self._SECTION, None)
        for option in self._OPTIONS:
            if option.setting and option.attribute not in getattr(self, "_given", ()):
                setattr(self, option.attribute, getattr(section, option.setting))
            if getattr(self, option.attribute) is None:
                setattr(self, option.attribute, option.default)

    def process_config_file(self, do_usage: bool) -> None:
        """Reads the configuration file, which may be an open one."""
        if not hasattr(self.configfile, "read"):
            self.here = os.path.abspath(os.path.dirname(self.configfile))
        try:
            self.read_config(self.configfile)
        except ValueError as error:
            if not do_usage:
                raise
            self.usage(error)

    def read_config(self, fp: Any) -> Any:
        """Reads a configuration from a path or an open file."""
        raise NotImplementedError

    def exists(self, path: str) -> bool:
        """Whether something is there."""
        return os.path.exists(path)

    def open(self, fn: str, mode: str = "r") -> Any:
        """Opens a file."""
        return open(fn, mode)

    def import_spec(self, spec: str) -> Any:
        """The object of a `module:attribute`. Raises ImportError or AttributeError."""
        return compat.import_spec(spec)

    def get_plugins(
        self, parser: UnhosedConfigParser, factory_key: str, section_prefix: str
    ) -> List[Tuple[str, Any, Dict[str, str]]]:
        """Of each section with a prefix: the name behind it, its factory, and its other options."""
        plugins = []
        for section in parser.sections():
            if not section.startswith(section_prefix):
                continue
            spec = parser.saneget(section, factory_key, None)
            if spec is None:
                raise ValueError(f"section [{section}] does not specify a {factory_key}")
            try:
                factory = self.import_spec(spec)
            except (AttributeError, ImportError):
                raise ValueError(f"{spec} cannot be resolved within [{section}]") from None
            extras = {key: parser.saneget(section, key) for key in parser.options(section) if key != factory_key}
            plugins.append((section.split(":", 1)[1], factory, extras))
        return plugins

    def _parser(self, fp: Any, section: str) -> UnhosedConfigParser:
        """Reads a path or an open file, as the configuration of a section."""
        parser = UnhosedConfigParser()
        parser.expansions = self.environ_expansions
        parser.mysection = section
        if hasattr(fp, "read"):
            parser.read_file(fp)
            return parser
        if not self.exists(fp):
            raise ValueError(f"could not find config file {fp}")
        try:
            file = self.open(fp, "r")
        except OSError:
            raise ValueError(f"could not read config file {fp}") from None
        with file:
            parser.read_file(file)
        return parser


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
        _Option("interactive", "i", "interactive", setting="interactive", default=0),
        _Option("prompt", "", "", setting="prompt", default="supervisor"),
        _Option("serverurl", "s:", "serverurl=", url, setting="serverurl", default="http://localhost:9001"),
        _Option("username", "u:", "username=", setting="username"),
        _Option("password", "p:", "password=", setting="password"),
        _Option("history", "r:", "history_file=", setting="history_file"),
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


class ServerOptions(Options):
    """The options of the daemon. Nothing of them can be asked for here yet but by the executable."""


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
