"""The object `supervisord` that plugins are given: what they read of it is asked of the daemon, what they change is done
there. Names that it does not have raise an AttributeError that says so."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from supervisor import loggers
from supervisor.plugin_host.groups import ProcessGroups, processes_from_section
from supervisor.plugin_host.refusal import refuses
from supervisor.plugin_host.wire import Wire
from supervisor.states import SupervisorStates
from supervisor.xmlrpc import RPCError

#: Methods that wait unless they are told not to: the reference answers them with a function.
_WAITING = frozenset(
    f"supervisor.{verb}{what}" for verb in ("start", "stop") for what in ("Process", "ProcessGroup", "AllProcesses")
)

#: How long such a method may take before it is answered with a function, in seconds.
_AT_ONCE = 0.05

#: How often such a function is to be called, in seconds.
_DELAY = 0.05

_LEVELS = {
    loggers.LevelsByName.CRIT: "critical", loggers.LevelsByName.ERRO: "error", loggers.LevelsByName.WARN: "warn",
    loggers.LevelsByName.INFO: "info", loggers.LevelsByName.DEBG: "debug", loggers.LevelsByName.TRAC: "trace",
    loggers.LevelsByName.BLAT: "blather",
}


class Supervisord:
    """The daemon. `call` makes any call of its XML-RPC interface, from any thread."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.options = Options(self)
        self.process_groups = ProcessGroups(self)

    def call(self, method: str, params: List[Any]) -> Any:
        """Calls a method of the daemon. What waits for a process is answered with a function that returns NOT_DONE_YET
        until it is done, as the reference's methods do. Raises RPCError."""
        pending = self._wire.begin(method, params)
        if method not in _WAITING or (params and params[-1] is False):
            pending.wait()
        elif not pending.wait(_AT_ONCE):
            return _deferred(pending)
        return pending.result()

    def private(self, method: str, *params: Any) -> Any:
        """Calls a method that only plugins' process may call. Raises RPCError."""
        return self.call(f"supervisord_rs.{method}", list(params))

    def get_state(self) -> int:
        """What the daemon is doing: one of SupervisorStates."""
        mood: int = self.options.mood
        return mood

    def get_process_map(self) -> Dict[int, Any]:
        """Living processes by their pids."""
        processes = [process for group in self.process_groups.values() for process in group.processes.values()]
        return {process.pid: process for process in processes if process.pid}

    __getattr__ = refuses("supervisord")


def _deferred(pending: Any) -> Any:
    from supervisor.http import NOT_DONE_YET

    def poll() -> Any:
        return pending.result() if pending.wait(0) else NOT_DONE_YET

    poll.delay = _DELAY  # type: ignore[attr-defined]
    poll.rpcinterface = None  # type: ignore[attr-defined]
    return poll


class Logger(loggers.Logger):
    """The daemon's main log."""

    def __init__(self, supervisord: Supervisord) -> None:
        loggers.Logger.__init__(self, loggers.LevelsByName.BLAT)
        self._supervisord = supervisord

    def log(self, level: int, msg: Any, **kw: Any) -> None:
        """Writes a message; the daemon knows which levels it writes."""
        record = loggers.LogRecord(loggers.LevelsByName.INFO, msg, **kw)
        try:
            self._supervisord.private("log", _LEVELS.get(level, "info"), record.asdict()["message"])
        except RPCError:
            pass  # the daemon has left; there is no log


class Options:
    """The daemon's options. They are read from the daemon each time; `mood` can be set, and hooks that the reference
    calls around its fork (`cleanup_fds`) can, without effect."""

    #: Functions of the reference's options that plugins replace; the daemon has no use for them.
    _SETTABLE = frozenset({"cleanup_fds"})

    server_configs: List[Dict[str, Any]]

    def __init__(self, supervisord: Supervisord) -> None:
        vars(self).update(_supervisord=supervisord, logger=Logger(supervisord), server_configs=[])

    def cleanup_fds(self) -> None:
        """Nothing: this process hands no descriptors on."""

    def get_pid(self) -> int:
        """Process id of the daemon."""
        pid: int = self._snapshot()["pid"]
        return pid

    def processes_from_section(
        self, parser: Any, section: str, group_name: str, klass: Optional[type] = None,
    ) -> List[Any]:
        """The processes that a section of a program means, for a group. Raises ValueError."""
        return processes_from_section(self._supervisord, parser, section, group_name)

    def _snapshot(self) -> Dict[str, Any]:
        snapshot: Dict[str, Any] = self._supervisord.private("snapshot")
        return snapshot

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            snapshot = self._snapshot()
            if name in snapshot:
                return snapshot[name]
        return _no_option(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "mood":
            self._set_mood(value)
        elif name in self._SETTABLE:
            vars(self)[name] = value
        else:
            raise AttributeError(f"supervisord.options.{name} cannot be set by plugins: the daemon is no Python process")

    def _set_mood(self, mood: int) -> None:
        methods = {SupervisorStates.SHUTDOWN: "shutdown", SupervisorStates.RESTARTING: "restart"}
        if mood in methods:
            self._supervisord.call(f"supervisor.{methods[mood]}", [])


_no_option = refuses("supervisord.options")
