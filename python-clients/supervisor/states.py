"""The states of processes, of the daemon and of event listeners, with their codes."""

from __future__ import annotations

from typing import Dict, Optional


class ProcessStates:
    """States of a process."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


class SupervisorStates:
    """States of the daemon, its moods."""

    FATAL = 2
    RUNNING = 1
    RESTARTING = 0
    SHUTDOWN = -1


class EventListenerStates:
    """States of an event listener."""

    READY = 10
    BUSY = 20
    ACKNOWLEDGED = 30
    UNKNOWN = 40


STOPPED_STATES = (ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL, ProcessStates.UNKNOWN)
RUNNING_STATES = (ProcessStates.RUNNING, ProcessStates.BACKOFF, ProcessStates.STARTING)
SIGNALLABLE_STATES = (ProcessStates.RUNNING, ProcessStates.STARTING, ProcessStates.STOPPING)


def _by_code(states: type) -> Dict[int, str]:
    return {code: name for name, code in vars(states).items() if not name.startswith("_")}


_PROCESS = _by_code(ProcessStates)
_SUPERVISOR = _by_code(SupervisorStates)
_EVENT_LISTENER = _by_code(EventListenerStates)


def getProcessStateDescription(code: int) -> Optional[str]:
    """Name of a process's state; None for a code that is none."""
    return _PROCESS.get(code)


def getSupervisorStateDescription(code: int) -> Optional[str]:
    """Name of a state of the daemon; None for a code that is none."""
    return _SUPERVISOR.get(code)


def getEventListenerStateDescription(code: int) -> Optional[str]:
    """Name of an event listener's state; None for a code that is none."""
    return _EVENT_LISTENER.get(code)
