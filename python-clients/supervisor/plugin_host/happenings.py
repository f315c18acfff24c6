"""Events of the daemon in the plugins' process: which are wanted, and what subscribers get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

from supervisor import events
from supervisor.plugin_host.groups import Process
from supervisor.states import ProcessStates

if TYPE_CHECKING:
    from supervisor.plugin_host.view import Supervisord


class Subscriptions(list):  # type: ignore[type-arg]
    """The list that `supervisor.events.subscribe` keeps; the daemon is told what is in it."""

    def __init__(self, supervisord: Supervisord) -> None:
        list.__init__(self)
        self._supervisord = supervisord

    def append(self, item: Any) -> None:
        list.append(self, item)
        self._tell()

    def remove(self, item: Any) -> None:
        list.remove(self, item)
        self._tell()

    def __delitem__(self, index: Any) -> None:
        list.__delitem__(self, index)
        self._tell()

    def _tell(self) -> None:
        names = {events.getEventNameByType(type) for type, _ in self}
        self._supervisord.private("subscribe", sorted(name for name in names if name))


def _headers(payload: str) -> Dict[str, str]:
    line = payload.partition("\n")[0]
    return dict(word.split(":", 1) for word in line.split() if ":" in word)


def event_of(supervisord: Supervisord, name: str, payload: str) -> Any:
    """An event of the daemon as an object of the class that has its name."""
    event: Any = object.__new__(getattr(events.EventTypes, name))
    headers = _headers(payload)
    data = payload.partition("\n")[2]
    event.payload = lambda: payload
    if "processname" in headers:
        event.process = _Subject(supervisord, headers)
    if isinstance(event, events.ProcessStateEvent):
        event.from_state = getattr(ProcessStates, headers.get("from_state", ""), ProcessStates.UNKNOWN)
        event.expected = headers.get("expected", "1") == "1"
        event.extra_values = [(key, headers[key]) for key in ("tries", "expected", "pid") if key in headers]
    elif isinstance(event, (events.ProcessLogEvent, events.ProcessCommunicationEvent)):
        event.pid, event.data = int(headers.get("pid", 0)), data.encode("utf-8")
    elif isinstance(event, events.RemoteCommunicationEvent):
        event.type, event.data = payload.partition("\n")[0][len("type:"):], data
    elif isinstance(event, events.TickEvent):
        event.when, event.supervisord = int(headers["when"]), supervisord
    elif isinstance(event, events.ProcessGroupEvent):
        event.group = payload.rstrip("\n")[len("groupname:"):]
    return event


class _Subject(Process):
    """The process of an event: its pid is that of the event, everything else is as it is when it is looked at."""

    def __init__(self, supervisord: Supervisord, headers: Dict[str, str]) -> None:
        self._names = (headers.get("groupname", ""), headers["processname"])
        self._pid = int(headers.get("pid", 0))
        group = supervisord.process_groups.get(self._names[0])
        Process.__init__(self, supervisord, group, self._names[1])  # type: ignore[arg-type]

    @property
    def pid(self) -> int:
        return self._pid


