"""Programs and groups as they are configured: data, and when two are the same (`supervisor.options` shows them)."""

from __future__ import annotations

from typing import Any, List, NoReturn

from supervisor._absent import DAEMON
from supervisor.datatypes import Automatic


def _data_only(self: object, name: str) -> NoReturn:
    raise AttributeError(f"a {type(self).__name__} has no {name!r}: here it is data alone. {DAEMON}")


class Config:
    """What has a priority and a name, and goes by them in this order."""

    name: str
    priority: int

    __hash__ = None  # type: ignore[assignment]
    __getattr__ = _data_only

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return (self.priority, self.name) < (other.priority, other.name)

    def __le__(self, other: Any) -> bool:
        return (self.priority, self.name) <= (other.priority, other.name)

    def __gt__(self, other: Any) -> bool:
        return (self.priority, self.name) > (other.priority, other.name)

    def __ge__(self, other: Any) -> bool:
        return (self.priority, self.name) >= (other.priority, other.name)

    def __repr__(self) -> str:
        return f"<{self.__class__} instance at {id(self)} named {self.name}>"


class ProcessConfig(Config):
    """The options of one process."""

    req_param_names = [
        "name", "uid", "command", "directory", "umask", "priority", "autostart", "autorestart", "startsecs",
        "startretries", "stdout_logfile", "stdout_capture_maxbytes", "stdout_events_enabled", "stdout_syslog",
        "stdout_logfile_backups", "stdout_logfile_maxbytes", "stderr_logfile", "stderr_capture_maxbytes",
        "stderr_logfile_backups", "stderr_logfile_maxbytes", "stderr_events_enabled", "stderr_syslog", "stopsignal",
        "stopwaitsecs", "stopasgroup", "killasgroup", "exitcodes", "redirect_stderr",
    ]
    optional_param_names = ["environment", "serverurl"]

    def __init__(self, options: Any, **params: Any) -> None:
        self.options = options
        for name in self.req_param_names:
            setattr(self, name, params[name])
        for name in self.optional_param_names:
            setattr(self, name, params.get(name))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProcessConfig):
            return False
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.req_param_names + self.optional_param_names)
        # A log of the daemon's choice is as good as any name.
        return all(Automatic in pair or pair[0] == pair[1] for pair in pairs)


class EventListenerConfig(ProcessConfig):
    """The options of one process of a listener pool."""


class FastCGIProcessConfig(ProcessConfig):
    """The options of one process of a FastCGI program."""


class ProcessGroupConfig(Config):
    """A group and its processes."""

    def __init__(self, options: Any, name: str, priority: int, process_configs: List[Any]) -> None:
        self.options = options
        self.name = name
        self.priority = priority
        self.process_configs = process_configs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessGroupConfig) and (
            (self.name, self.priority, self.process_configs) == (other.name, other.priority, other.process_configs))


class FastCGIGroupConfig(ProcessGroupConfig):
    """A FastCGI program, with its socket."""

    def __init__(
        self, options: Any, name: str, priority: int, process_configs: List[Any], socket_config: Any
    ) -> None:
        ProcessGroupConfig.__init__(self, options, name, priority, process_configs)
        self.socket_config = socket_config

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, FastCGIGroupConfig) and self.socket_config == other.socket_config
                and ProcessGroupConfig.__eq__(self, other))


class EventListenerPoolConfig(Config):
    """A listener pool, with the events it is told and what judges its results."""

    def __init__(
        self, options: Any, name: str, priority: int, process_configs: List[Any], buffer_size: int,
        pool_events: List[Any], result_handler: Any,
    ) -> None:
        self.options = options
        self.name = name
        self.priority = priority
        self.process_configs = process_configs
        self.buffer_size = buffer_size
        self.pool_events = pool_events
        self.result_handler = result_handler

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventListenerPoolConfig):
            return False
        names = ("name", "priority", "process_configs", "buffer_size", "pool_events", "result_handler")
        return all(getattr(self, name) == getattr(other, name) for name in names)
