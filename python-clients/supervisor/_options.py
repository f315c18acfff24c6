"""What the options of the client and of the daemon have in common (`supervisor.options` shows it)."""

from __future__ import annotations

import getopt
import os
import sys
import warnings
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from supervisor import compat
from supervisor._config import UnhosedConfigParser


class Dummy:
    """A place for attributes."""


class Option:
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

    _OPTIONS: Tuple[Option, ...] = (Option("configfile", "c:", "configuration="),)
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
