"""The events and their hierarchy, what a listener is told of each, and who is told in this process.

`subscribe` and `notify` reach what runs in this process: plugins, in the process that hosts them.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple, Type

from supervisor.compat import as_string
from supervisor.states import getProcessStateDescription

callbacks: List[Tuple[Any, Callable[[Any], Any]]] = []


def subscribe(type: Any, callback: Callable[[Any], Any]) -> None:
    """Has a function called with each event of a type, subtypes included."""
    callbacks.append((type, callback))


def unsubscribe(type: Any, callback: Callable[[Any], Any]) -> None:
    """Takes a subscription back. Raises ValueError when there is none."""
    callbacks.remove((type, callback))


def notify(event: object) -> None:
    """Calls whoever has subscribed to the event's type."""
    for type, callback in callbacks:
        if isinstance(event, type):
            callback(event)


def clear() -> None:
    """Forgets all subscriptions."""
    del callbacks[:]


def _group_name(process: Any) -> str:
    return "" if process.group is None else process.group.config.name


def _text(data: Any) -> str:
    try:
        return as_string(data)
    except UnicodeDecodeError:
        return f"Undecodable: {data!r}"


class Event:
    """Whatever happens."""


class ProcessLogEvent(Event):
    """Output of a process; `data` are its bytes."""

    channel: Optional[str] = None

    def __init__(self, process: Any, pid: int, data: Any) -> None:
        self.process = process
        self.pid = pid
        self.data = data

    def payload(self) -> str:
        """Headers in the first line, then the output."""
        process = self.process
        return (f"processname:{as_string(process.config.name)} groupname:{as_string(_group_name(process))}"
                f" pid:{self.pid} channel:{self.channel}\n{_text(self.data)}")


class ProcessLogStdoutEvent(ProcessLogEvent):
    """Output to standard output."""

    channel = "stdout"


class ProcessLogStderrEvent(ProcessLogEvent):
    """Output to standard error."""

    channel = "stderr"


class ProcessCommunicationEvent(Event):
    """What a process said between the tokens; `data` are its bytes."""

    BEGIN_TOKEN = b"<!--XSUPERVISOR:BEGIN-->"
    END_TOKEN = b"<!--XSUPERVISOR:END-->"

    def __init__(self, process: Any, pid: int, data: Any) -> None:
        self.process = process
        self.pid = pid
        self.data = data

    def payload(self) -> str:
        """Headers in the first line, then what was said."""
        process = self.process
        return f"processname:{process.config.name} groupname:{_group_name(process)} pid:{self.pid}\n{_text(self.data)}"


class ProcessCommunicationStdoutEvent(ProcessCommunicationEvent):
    """Said on standard output."""

    channel = "stdout"


class ProcessCommunicationStderrEvent(ProcessCommunicationEvent):
    """Said on standard error."""

    channel = "stderr"


class RemoteCommunicationEvent(Event):
    """Sent by a client (`supervisor.sendRemoteCommEvent`)."""

    def __init__(self, type: Any, data: Any) -> None:
        self.type = type
        self.data = data

    def payload(self) -> str:
        """The type in the first line, then the data."""
        return f"type:{self.type}\n{self.data}"


class SupervisorStateChangeEvent(Event):
    """The daemon starts or stops."""

    def payload(self) -> str:
        """Nothing."""
        return ""


class SupervisorRunningEvent(SupervisorStateChangeEvent):
    """The daemon runs."""


class SupervisorStoppingEvent(SupervisorStateChangeEvent):
    """The daemon stops."""


class EventRejectedEvent:
    """A listener has rejected an event. It is none of the events that are listened to."""

    def __init__(self, process: Any, event: Event) -> None:
        self.process = process
        self.event = event


class ProcessStateEvent(Event):
    """A process has changed its state. What is told of it is of the time when it was made."""

    frm = None
    to = None

    def __init__(self, process: Any, from_state: int, expected: bool = True) -> None:
        self.process = process
        self.from_state = from_state
        self.expected = expected
        self.extra_values = self.get_extra_values()

    def get_extra_values(self) -> List[Tuple[str, Any]]:
        """Headers of this event alone."""
        return []

    def payload(self) -> str:
        """Headers in one line."""
        headers = [
            ("processname", self.process.config.name), ("groupname", _group_name(self.process)),
            ("from_state", getProcessStateDescription(self.from_state)), *self.extra_values,
        ]
        return " ".join(f"{name}:{value}" for name, value in headers)


class ProcessStateFatalEvent(ProcessStateEvent):
    """To FATAL."""


class ProcessStateUnknownEvent(ProcessStateEvent):
    """To UNKNOWN."""


class ProcessStateStartingOrBackoffEvent(ProcessStateEvent):
    """To STARTING or BACKOFF, with the number of starts that have failed."""

    def get_extra_values(self) -> List[Tuple[str, Any]]:
        return [("tries", int(self.process.backoff))]


class ProcessStateBackoffEvent(ProcessStateStartingOrBackoffEvent):
    """To BACKOFF."""


class ProcessStateStartingEvent(ProcessStateStartingOrBackoffEvent):
    """To STARTING."""


class _WithPid(ProcessStateEvent):
    def get_extra_values(self) -> List[Tuple[str, Any]]:
        return [("pid", self.process.pid)]


class ProcessStateExitedEvent(ProcessStateEvent):
    """To EXITED, with whether that was expected."""

    def get_extra_values(self) -> List[Tuple[str, Any]]:
        return [("expected", int(self.expected)), ("pid", self.process.pid)]


class ProcessStateRunningEvent(_WithPid):
    """To RUNNING."""


class ProcessStateStoppingEvent(_WithPid):
    """To STOPPING."""


class ProcessStateStoppedEvent(_WithPid):
    """To STOPPED."""


class ProcessGroupEvent(Event):
    """Of a group, by its name."""

    def __init__(self, group: Any) -> None:
        self.group = group

    def payload(self) -> str:
        """The name in a line."""
        return f"groupname:{self.group}\n"


class ProcessGroupAddedEvent(ProcessGroupEvent):
    """A group was added."""


class ProcessGroupRemovedEvent(ProcessGroupEvent):
    """A group was removed."""


class TickEvent(Event):
    """A period of the clock is over; `when` is its number of seconds since 1970."""

    def __init__(self, when: int, supervisord: Any) -> None:
        self.when = when
        self.supervisord = supervisord

    def payload(self) -> str:
        """The time."""
        return f"when:{self.when}"


class Tick5Event(TickEvent):
    """Every five seconds."""

    period = 5


class Tick60Event(TickEvent):
    """Every minute."""

    period = 60


class Tick3600Event(TickEvent):
    """Every hour."""

    period = 3600


TICK_EVENTS = [Tick5Event, Tick60Event, Tick3600Event]


class EventTypes:
    """The events by the names that `events=` has for them."""

    EVENT = Event
    PROCESS_STATE = ProcessStateEvent
    PROCESS_STATE_STOPPED = ProcessStateStoppedEvent
    PROCESS_STATE_EXITED = ProcessStateExitedEvent
    PROCESS_STATE_STARTING = ProcessStateStartingEvent
    PROCESS_STATE_STOPPING = ProcessStateStoppingEvent
    PROCESS_STATE_BACKOFF = ProcessStateBackoffEvent
    PROCESS_STATE_FATAL = ProcessStateFatalEvent
    PROCESS_STATE_RUNNING = ProcessStateRunningEvent
    PROCESS_STATE_UNKNOWN = ProcessStateUnknownEvent
    PROCESS_COMMUNICATION = ProcessCommunicationEvent
    PROCESS_COMMUNICATION_STDOUT = ProcessCommunicationStdoutEvent
    PROCESS_COMMUNICATION_STDERR = ProcessCommunicationStderrEvent
    PROCESS_LOG = ProcessLogEvent
    PROCESS_LOG_STDOUT = ProcessLogStdoutEvent
    PROCESS_LOG_STDERR = ProcessLogStderrEvent
    REMOTE_COMMUNICATION = RemoteCommunicationEvent
    SUPERVISOR_STATE_CHANGE = SupervisorStateChangeEvent
    SUPERVISOR_STATE_CHANGE_RUNNING = SupervisorRunningEvent
    SUPERVISOR_STATE_CHANGE_STOPPING = SupervisorStoppingEvent
    TICK = TickEvent
    TICK_5 = Tick5Event
    TICK_60 = Tick60Event
    TICK_3600 = Tick3600Event
    PROCESS_GROUP = ProcessGroupEvent
    PROCESS_GROUP_ADDED = ProcessGroupAddedEvent
    PROCESS_GROUP_REMOVED = ProcessGroupRemovedEvent


def getEventNameByType(requested: Type[Any]) -> Optional[str]:
    """Name of an event's class; None when it has none."""
    return next((name for name, type in vars(EventTypes).items() if type is requested), None)


def register(name: str, event: Type[Any]) -> None:
    """Gives an event's class a name."""
    setattr(EventTypes, name, event)
