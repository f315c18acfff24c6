"""The active groups and their processes, as plugins see and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Dict, Iterator, List

from supervisor.plugin_host.refusal import refuses
from supervisor.states import getProcessStateDescription
from supervisor.xmlrpc import Faults, RPCError

if TYPE_CHECKING:
    from supervisor.plugin_host.view import Supervisord

#: Options whose names are others in `getAllConfigInfo`.
_RENAMED = {"priority": "process_prio"}

#: Words that stand for None there.
_NONE = {"directory", "uid", "serverurl", "stdout_logfile", "stderr_logfile"}


class ProcessGroups(Mapping):  # type: ignore[type-arg]
    """The active groups by their names, at each look as they are then."""

    def __init__(self, supervisord: Supervisord) -> None:
        self._supervisord = supervisord

    def _all(self) -> Dict[str, Dict[str, Any]]:
        return {group["name"]: group for group in self._supervisord.private("groups")}

    def __getitem__(self, name: str) -> Group:
        return Group(self._supervisord, self._all()[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Group:
    """An active group."""

    def __init__(self, supervisord: Supervisord, told: Dict[str, Any]) -> None:
        self.config = GroupConfig(supervisord, told)
        self.processes = Processes(supervisord, self)

    def transition(self) -> None:
        """Nothing: the daemon lets its processes act by itself."""

    __getattr__ = refuses("process group")


class GroupConfig:
    """The configuration of a group."""

    def __init__(self, supervisord: Supervisord, told: Dict[str, Any]) -> None:
        self._supervisord = supervisord
        self.name: str = told["name"]
        self.priority: int = told["priority"]

    @property
    def process_configs(self) -> List[Any]:
        """The configurations of its processes, as a list of one's own: what is done to it changes nothing, for the
        daemon keeps it true to the group's `processes`."""
        group = self._supervisord.process_groups.get(self.name)
        return [] if group is None else [process.config for process in group.processes.values()]

    __getattr__ = refuses("process group config")


class Processes(Mapping):  # type: ignore[type-arg]
    """The processes of a group by their names. One that was made of a new configuration can be set, a stopped one
    deleted, and the daemon does so."""

    def __init__(self, supervisord: Supervisord, group: Group) -> None:
        self._supervisord = supervisord
        self._group = group

    def _names(self) -> List[str]:
        for group in self._supervisord.private("groups"):
            if group["name"] == self._group.config.name:
                names: List[str] = group["processes"]
                return names
        return []

    def __getitem__(self, name: str) -> Process:
        process = Process(self._supervisord, self._group, name)
        try:
            process.refresh()
        except RPCError as error:
            if error.code != Faults.BAD_NAME:
                raise
            raise KeyError(name) from None
        return process

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __setitem__(self, name: str, process: NewProcess) -> None:
        config = process.config
        self._supervisord.private("addProcess", config.section, config.options, self._group.config.name, name)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._supervisord.private("removeProcess", self._group.config.name, name)


class Process:
    """A process, at each look as it is then."""

    def __init__(self, supervisord: Supervisord, group: Group, name: str) -> None:
        self._supervisord = supervisord
        self._name = name
        self.group = group

    def refresh(self) -> Dict[str, Any]:
        """What the daemon tells of it now. Raises RPCError when it is gone."""
        told: Dict[str, Any] = self._supervisord.private("process", self.group.config.name, self._name)
        return told

    @property
    def config(self) -> ProcessConfig:
        """Its options."""
        return ProcessConfig(self.refresh()["config"])

    @property
    def state(self) -> int:
        """One of ProcessStates."""
        state: int = self.refresh()["info"]["state"]
        return state

    def get_state(self) -> int:
        """The same."""
        return self.state

    @property
    def pid(self) -> int:
        """Its process id, 0 for none."""
        pid: int = self.refresh()["info"]["pid"]
        return pid

    @property
    def laststart(self) -> int:
        """When it was started last, 0 for never."""
        start: int = self.refresh()["info"]["start"]
        return start

    @property
    def laststop(self) -> int:
        """When it ended last, 0 for never."""
        stop: int = self.refresh()["info"]["stop"]
        return stop

    @property
    def spawnerr(self) -> Any:
        """Why it could not be started; None when it could."""
        return self.refresh()["info"]["spawnerr"] or None

    @property
    def exitstatus(self) -> Any:
        """The exit status of its last end; None before the first."""
        return self.refresh()["exitstatus"]

    def __repr__(self) -> str:
        told = self.refresh()
        state = getProcessStateDescription(told["info"]["state"])
        return f"<Process of the daemon with name {self._name} in state {state}>"

    __getattr__ = refuses("process")


class ProcessConfig:
    """The options of a process."""

    def __init__(self, told: Dict[str, Any]) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and _RENAMED.get(name, name) in self._told:
            value = self._told[_RENAMED.get(name, name)]
            return None if name in _NONE and value == "none" else value
        return _no_option(self, name)


_no_option = refuses("process config")


class NewConfig(ProcessConfig):
    """The options of a process that there is not yet."""

    def __init__(self, told: Dict[str, Any], section: str, options: Dict[str, str]) -> None:
        ProcessConfig.__init__(self, told)
        self.section = section
        self.options = options

    def create_autochildlogs(self) -> None:
        """Nothing: the daemon does so as the process is added."""

    def make_process(self, group: Any = None) -> NewProcess:
        """What a group's `processes` can be set to."""
        return NewProcess(self)


class NewProcess:
    """A process that becomes one of a group when it is put into the group's `processes`."""

    def __init__(self, config: NewConfig) -> None:
        self.config = config

    __getattr__ = refuses("new process")


def processes_from_section(supervisord: Supervisord, parser: Any, section: str, group_name: str) -> List[NewConfig]:
    """The processes that a section of a program means. Raises ValueError with what is wrong."""
    options = {option: str(parser.get(section, option)) for option in parser.options(section)}
    try:
        told = supervisord.private("readProgram", section, options, group_name)
    except RPCError as error:
        raise ValueError(error.text.partition(": ")[2] or error.text) from None
    return [NewConfig(each, section, options) for each in told]
