"""supervisorctl for Python: a Controller with plugins, whose own actions are those of the executable.

`python -m supervisor.supervisorctl` becomes the executable. It starts this module only for the actions of
`[ctlplugin:x]` sections (`supervisor.plugin_host`).
"""

from __future__ import annotations

import cmd
import errno
import getpass
import socket
import sys
import threading
import traceback
from typing import Any, Callable, Dict, IO, List, NoReturn, Optional, Sequence

from supervisor import _binary, _verbs, http_client, rpcinterface, states, xmlrpc
from supervisor.compat import xmlrpclib
from supervisor.options import ClientOptions, make_namespec, split_namespec

__all__ = [
    "ClientOptions", "Controller", "ControllerPluginBase", "DEAD_PROGRAM_FAULTS", "DefaultControllerPlugin",
    "LSBInitExitStatuses", "LSBStatusExitStatuses", "check_encoding", "fgthread", "get_names", "main",
    "make_namespec", "not_all_langs", "split_namespec", "states", "xmlrpc", "xmlrpclib",
]


class LSBInitExitStatuses:
    """Exit statuses of actions."""

    SUCCESS = 0
    GENERIC = 1
    INVALID_ARGS = 2
    UNIMPLEMENTED_FEATURE = 3
    INSUFFICIENT_PRIVILEGES = 4
    NOT_INSTALLED = 5
    NOT_RUNNING = 7


class LSBStatusExitStatuses:
    """Exit statuses of `status`."""

    NOT_RUNNING = 3
    UNKNOWN = 4


DEAD_PROGRAM_FAULTS = (xmlrpc.Faults.SPAWN_ERROR, xmlrpc.Faults.ABNORMAL_TERMINATION, xmlrpc.Faults.NOT_RUNNING)


class fgthread(threading.Thread):
    """Prints what a program writes to its standard output and error, from the ends of its logs on, until `kill`.

    It dies with the process: whoever asks for lines meanwhile may leave.
    """

    def __init__(self, program: str, ctl: Any) -> None:
        threading.Thread.__init__(self, daemon=True)
        self.killed = False
        self.program = program
        self.ctl = ctl
        self.listener = http_client.Listener()
        options = ctl.options
        self.output_handler = http_client.LogStream(self.listener, options.username, options.password)
        self.error_handler = http_client.LogStream(self.listener, options.username, options.password)

    def run(self) -> None:
        serverurl = self.ctl.options.serverurl
        errors = threading.Thread(
            target=self.error_handler.follow, args=(serverurl, f"/logtail/{self.program}/stderr"), daemon=True)
        errors.start()
        self.output_handler.follow(serverurl, f"/logtail/{self.program}/stdout")
        errors.join()

    def kill(self) -> None:
        """Ends both streams."""
        self.killed = True
        self.output_handler.close()
        self.error_handler.close()


class Controller(cmd.Cmd):
    """Runs actions: its own, which are the executable's, and those of plugins, which it makes of
    `options.plugin_factories`."""

    def __init__(
        self, options: Any, completekey: str = "tab", stdin: Optional[IO[str]] = None, stdout: Optional[IO[str]] = None
    ) -> None:
        self.options = options
        self.prompt = f"{options.prompt}> "
        options.plugins = []
        self.vocab = ["help"]
        self.exitstatus = LSBInitExitStatuses.SUCCESS
        cmd.Cmd.__init__(self, completekey, stdin, stdout)
        for name, factory, kwargs in options.plugin_factories:
            plugin = factory(self, **kwargs)
            self.vocab += [a[3:] for a in dir(plugin) if a.startswith("do_") and callable(getattr(plugin, a))]
            options.plugins.append(plugin)
            plugin.name = name

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"Controller has no {name!r} here; a plugin has get_supervisor, get_server_proxy, output, upcheck, onecmd,"
            " options, exitstatus, set_exitstatus_from_xmlrpc_fault.")

    def emptyline(self) -> bool:
        """Does nothing."""
        return False

    def default(self, line: str) -> None:
        """Says that there is no such action."""
        self.output(f"*** Unknown syntax: {line}")
        self.exitstatus = LSBInitExitStatuses.GENERIC

    def exec_cmdloop(self, args: Any, options: Any) -> None:
        """A shell, which begins with `status`. (That of the executable has a history and completes names.)"""
        self.cmdqueue.append("status")
        try:
            self.cmdloop()
        except KeyboardInterrupt:
            self.output("")

    def set_exitstatus_from_xmlrpc_fault(self, faultcode: int, ignored_faultcode: Optional[int] = None) -> None:
        """Takes a fault into the exit status; success and what is ignored leave it."""
        if faultcode in (ignored_faultcode, xmlrpc.Faults.SUCCESS):
            return
        dead = faultcode in DEAD_PROGRAM_FAULTS
        self.exitstatus = LSBInitExitStatuses.NOT_RUNNING if dead else LSBInitExitStatuses.GENERIC

    def onecmd(self, line: str) -> Any:
        """Runs a line, from any thread. What an action raises is printed; true is returned by what ends a shell."""
        action, argument, line = self.parseline(line)
        if not line:
            return self.emptyline()
        do = self._get_do_func(action) if action else None
        if do is None or argument is None:
            return self.default(line)
        self.lastcmd = line
        try:
            return do(argument)
        except xmlrpclib.ProtocolError as error:
            if error.errcode != 401:
                return self._failed(error)
            return self._unauthorized(error, line)
        except Exception as error:
            return self._failed(error)

    def knows(self, line: str) -> bool:
        """Whether there is an action for a line."""
        action = self.parseline(line)[0]
        return bool(action) and self._get_do_func(action or "") is not None

    def _unauthorized(self, error: Exception, line: str) -> Any:
        """The daemon wants a password: a person is asked for it, a script is told, twice as by the reference."""
        self.output("Server requires authentication")
        if not self.options.interactive:
            return self._failed(error)
        self.options.username = input("Username:")
        self.options.password = getpass.getpass(prompt="Password:")
        self.output("")
        return self.onecmd(line)

    def _failed(self, error: Exception) -> None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        self.output(f"error: {type(error)}, {error}: file: {frame.filename} line: {frame.lineno}")
        self.exitstatus = LSBInitExitStatuses.GENERIC

    def _get_do_func(self, action: str) -> Optional[Callable[[str], Any]]:
        """Of the controller itself, else of the first plugin that has it; the default one is the first."""
        found = (getattr(place, f"do_{action}", None) for place in (self, *self.options.plugins))
        return next(filter(None, found), None)

    def output(self, message: str) -> None:
        """Prints a line."""
        self.stdout.write(message + "\n")

    def get_supervisor(self) -> Any:
        """A proxy of the namespace `supervisor`, with a connection of its own."""
        return self.get_server_proxy("supervisor")

    def get_server_proxy(self, namespace: Optional[str] = None) -> Any:
        """A proxy of the daemon, or of one namespace of it, with a connection of its own."""
        proxy = self.options.getServerProxy()
        return proxy if namespace is None else getattr(proxy, namespace)

    def upcheck(self) -> bool:
        """Whether the daemon is there and speaks our version of the interface; says so if not."""
        try:
            version = self.get_supervisor().getVersion()
        except xmlrpclib.Fault as fault:
            if fault.faultCode != xmlrpc.Faults.UNKNOWN_METHOD:
                self.exitstatus = LSBInitExitStatuses.GENERIC
                raise
            self.output(
                "Sorry, supervisord responded but did not recognize the supervisor namespace commands that"
                " supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section is"
                " enabled in the configuration file (see sample.conf).")
            self.exitstatus = LSBInitExitStatuses.UNIMPLEMENTED_FEATURE
            return False
        except OSError as error:
            return self._unreachable(error)
        if version != rpcinterface.API_VERSION:
            self.output(
                "Sorry, this version of supervisorctl expects to talk to a server with API version"
                f" {rpcinterface.API_VERSION}, but the remote version is {version}.")
            self.exitstatus = LSBInitExitStatuses.NOT_INSTALLED
            return False
        return True

    def _unreachable(self, error: OSError) -> bool:
        if error.errno == errno.ECONNREFUSED:
            self.output(f"{self.options.serverurl} refused connection")
            self.exitstatus = LSBInitExitStatuses.INSUFFICIENT_PRIVILEGES
        elif error.errno == errno.ENOENT:
            self.output(f"{self.options.serverurl} no such file")
            self.exitstatus = LSBInitExitStatuses.NOT_RUNNING
        else:
            self.exitstatus = LSBInitExitStatuses.GENERIC
            raise error
        return False

    def do_help(self, arg: str) -> None:
        """Has every plugin help: each lists its actions, or says what it knows of one."""
        if arg.strip() == "help":
            self.help_help()
            return
        for plugin in self.options.plugins:
            plugin.do_help(arg)

    def help_help(self) -> None:
        """Helps with `help`."""
        self.output("help\t\tPrint a list of available actions")
        self.output("help <action>\tPrint help for <action>")

    def do_EOF(self, arg: str) -> bool:
        """Leaves the shell."""
        self.output("")
        return True

    def help_EOF(self) -> None:
        """Helps with the end of the input."""
        self.output("To quit, type ^D or use the quit command")


def get_names(inst: object) -> List[str]:
    """Names of the attributes of an object's class and of its bases."""
    return [name for ancestor in type(inst).__mro__ for name in dir(ancestor)]


class ControllerPluginBase:
    """What plugins inherit from: `do_NAME(arg)` is an action, `help_NAME()` prints help for it."""

    name = "unnamed"

    def __init__(self, controller: Any) -> None:
        self.ctl = controller

    @property
    def doc_header(self) -> str:
        """What stands above the list of actions."""
        return f"{self.name} commands (type help <topic>):"

    def do_help(self, arg: str) -> None:
        """Lists the actions, or helps with one."""
        if arg:
            self._help_with(arg)
            return
        names = set(get_names(self))
        actions = sorted(name[len("do_"):] for name in names if name.startswith("do_"))
        # `help` itself is not listed, which the reference leaves without a text.
        explained = [
            action for action in actions
            if f"help_{action}" in names or action != "help" and getattr(self, f"do_{action}").__doc__
        ]
        self.ctl.output("")
        self.ctl.print_topics(self.doc_header, explained, 15, 80)

    def _help_with(self, topic: str) -> None:
        explain = getattr(self, f"help_{topic}", None)
        if explain is not None:
            explain()
            return
        action = getattr(self, f"do_{topic}", None)
        self.ctl.output(action and action.__doc__ or self.ctl.nohelp % (topic,))


class DefaultControllerPlugin(ControllerPluginBase):
    """The actions of supervisorctl itself: the executable does them, with this controller's connection."""

    name = "default"

    def do_open(self, arg: str) -> None:
        """Connects to another daemon."""
        url = arg.strip()
        if _verbs.has_known_scheme(url):
            self.ctl.options.serverurl = url
            self.ctl.onecmd("status")
        else:
            _verbs.run(self.ctl, f"open {arg}")

    def do_quit(self, arg: str) -> Any:
        """Leaves the shell."""
        return self.ctl.do_EOF(arg)

    do_exit = do_quit


def _add_actions() -> None:
    """Gives the default plugin an action and a help for each of the executable's."""
    def action(name: str) -> Callable[[Any, str], None]:
        return lambda self, arg: _verbs.run(self.ctl, f"{name} {arg}")

    def help_with(name: str) -> Callable[[Any], None]:
        return lambda self: _verbs.run(self.ctl, f"help {name}")

    for name in _verbs.NAMES:
        if not hasattr(DefaultControllerPlugin, f"do_{name}"):
            setattr(DefaultControllerPlugin, f"do_{name}", action(name))
        setattr(DefaultControllerPlugin, f"help_{name}", help_with(name))


_add_actions()


def not_all_langs() -> Optional[str]:
    """The encoding of standard output, unless that has all characters."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    return None if encoding.lower().startswith("utf") else encoding or None


def check_encoding(ctl: Any) -> None:
    """Warns when standard output does not have all characters."""
    encoding = not_all_langs()
    if encoding:
        ctl.output(
            f"Warning: sys.stdout.encoding is set to {encoding}, so Unicode output may fail. Check your LANG and"
            " PYTHONIOENCODING environment settings.")


def main(args: Optional[Sequence[str]] = None, options: Optional[Dict[str, Any]] = None) -> NoReturn:
    """Becomes the executable, with these arguments or those of this process."""
    _binary.become("supervisorctl", args)


if __name__ == "__main__":
    main()
