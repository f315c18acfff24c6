"""The interface `supervisor` for RPC plugins that build on it: each method asks the daemon.

The class is what plugins inherit from (`class Mine(SupervisorNamespaceRPCInterface)`); the object `supervisord` that a
plugin's factory is given has `call(method, params)`, which returns the answer or raises RPCError, from any thread.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Tuple, Union

from supervisor.http import NOT_DONE_YET
from supervisor.options import VERSION, make_namespec, split_namespec
from supervisor.states import RUNNING_STATES, SIGNALLABLE_STATES, STOPPED_STATES, ProcessStates, SupervisorStates
from supervisor.states import getProcessStateDescription, getSupervisorStateDescription
from supervisor.xmlrpc import Faults, RPCError, capped_int

__all__ = [
    "API_VERSION", "Faults", "NOT_DONE_YET", "ProcessStates", "RPCError", "RUNNING_STATES", "SIGNALLABLE_STATES",
    "STOPPED_STATES", "SupervisorNamespaceRPCInterface", "SupervisorStates", "VERSION", "capped_int",
    "getProcessStateDescription", "getSupervisorStateDescription", "isNotRunning", "isRunning", "isSignallable",
    "make_allfunc", "make_main_rpcinterface", "make_namespec", "split_namespec",
]

API_VERSION = "3.0"

#: What a call answers: a value of XML-RPC.
Value = Any


class SupervisorNamespaceRPCInterface:
    """The methods of the namespace `supervisor`."""

    def __init__(self, supervisord: Any) -> None:
        self.supervisord = supervisord

    def _update(self, text: str) -> None:
        """Refuses a call while the daemon stops, with the fault SHUTDOWN_STATE."""
        self.update_text = text
        mood = self.supervisord.options.mood
        if isinstance(mood, int) and mood < SupervisorStates.RUNNING:
            raise RPCError(Faults.SHUTDOWN_STATE)

    def _call(self, method: str, *params: Value) -> Value:
        return self.supervisord.call(f"supervisor.{method}", list(params))

    def getAPIVersion(self) -> Value:
        """Version of this interface.

        @return string result
        """
        return self._call("getAPIVersion")

    def getSupervisorVersion(self) -> Value:
        """The release of Supervisor that the daemon stands in for.

        @return string result
        """
        return self._call("getSupervisorVersion")

    def getIdentification(self) -> Value:
        """The identifier of the daemon.

        @return string result
        """
        return self._call("getIdentification")

    def getState(self) -> Value:
        """State of the daemon: statecode and statename.

        @return struct result
        """
        return self._call("getState")

    def getPID(self) -> Value:
        """Process id of the daemon.

        @return int result
        """
        return self._call("getPID")

    def readLog(self, offset: int, length: int) -> Value:
        """Reads from the main log; a negative offset counts from its end.

        @param int offset
        @param int length
        @return string result
        """
        return self._call("readLog", offset, length)

    def clearLog(self) -> Value:
        """Empties the main log.

        @return boolean result
        """
        return self._call("clearLog")

    def shutdown(self) -> Value:
        """Stops the daemon.

        @return boolean result
        """
        return self._call("shutdown")

    def restart(self) -> Value:
        """Starts the daemon anew, in the same process.

        @return boolean result
        """
        return self._call("restart")

    def reloadConfig(self) -> Value:
        """Reads the configuration: names of groups that are new, changed and gone, in one array of one.

        @return array result
        """
        return self._call("reloadConfig")

    def addProcessGroup(self, name: str) -> Value:
        """Makes a group of the configuration active.

        @param string name
        @return boolean result
        """
        return self._call("addProcessGroup", name)

    def removeProcessGroup(self, name: str) -> Value:
        """Removes a group whose processes have stopped.

        @param string name
        @return boolean result
        """
        return self._call("removeProcessGroup", name)

    def startProcess(self, name: str, wait: bool = True) -> Value:
        """Starts a process, and waits until it runs.

        @param string name
        @param boolean wait
        @return boolean result
        """
        return self._call("startProcess", name, wait)

    def startProcessGroup(self, name: str, wait: bool = True) -> Value:
        """Starts the processes of a group.

        @param string name
        @param boolean wait
        @return array result
        """
        return self._call("startProcessGroup", name, wait)

    def startAllProcesses(self, wait: bool = True) -> Value:
        """Starts all processes.

        @param boolean wait
        @return array result
        """
        return self._call("startAllProcesses", wait)

    def stopProcess(self, name: str, wait: bool = True) -> Value:
        """Stops a process, and waits until it has ended.

        @param string name
        @param boolean wait
        @return boolean result
        """
        return self._call("stopProcess", name, wait)

    def stopProcessGroup(self, name: str, wait: bool = True) -> Value:
        """Stops the processes of a group.

        @param string name
        @param boolean wait
        @return array result
        """
        return self._call("stopProcessGroup", name, wait)

    def stopAllProcesses(self, wait: bool = True) -> Value:
        """Stops all processes.

        @param boolean wait
        @return array result
        """
        return self._call("stopAllProcesses", wait)

    def signalProcess(self, name: str, signal: Union[str, int]) -> Value:
        """Sends a process a signal.

        @param string name
        @param string signal
        @return boolean result
        """
        return self._call("signalProcess", name, signal)

    def signalProcessGroup(self, name: str, signal: Union[str, int]) -> Value:
        """Sends the processes of a group a signal.

        @param string name
        @param string signal
        @return array result
        """
        return self._call("signalProcessGroup", name, signal)

    def signalAllProcesses(self, signal: Union[str, int]) -> Value:
        """Sends all processes a signal.

        @param string signal
        @return array result
        """
        return self._call("signalAllProcesses", signal)

    def getAllConfigInfo(self) -> Value:
        """What is configured for each process.

        @return array result
        """
        return self._call("getAllConfigInfo")

    def getProcessInfo(self, name: str) -> Value:
        """What a process does.

        @param string name
        @return struct result
        """
        return self._call("getProcessInfo", name)

    def getAllProcessInfo(self) -> Value:
        """What the processes do.

        @return array result
        """
        return self._call("getAllProcessInfo")

    def readProcessStdoutLog(self, name: str, offset: int, length: int) -> Value:
        """Reads from a process's log of standard output.

        @param string name
        @param int offset
        @param int length
        @return string result
        """
        return self._call("readProcessStdoutLog", name, offset, length)

    def readProcessStderrLog(self, name: str, offset: int, length: int) -> Value:
        """Reads from a process's log of standard error.

        @param string name
        @param int offset
        @param int length
        @return string result
        """
        return self._call("readProcessStderrLog", name, offset, length)

    def tailProcessStdoutLog(self, name: str, offset: int, length: int) -> Value:
        """The end of a log of standard output, where it ends, and whether the offset lay before it.

        @param string name
        @param int offset
        @param int length
        @return array result
        """
        return self._call("tailProcessStdoutLog", name, offset, length)

    def tailProcessStderrLog(self, name: str, offset: int, length: int) -> Value:
        """The end of a log of standard error, where it ends, and whether the offset lay before it.

        @param string name
        @param int offset
        @param int length
        @return array result
        """
        return self._call("tailProcessStderrLog", name, offset, length)

    def clearProcessLogs(self, name: str) -> Value:
        """Empties a process's logs.

        @param string name
        @return boolean result
        """
        return self._call("clearProcessLogs", name)

    def clearAllProcessLogs(self) -> Value:
        """Empties the logs of all processes.

        @return array result
        """
        return self._call("clearAllProcessLogs")

    def sendProcessStdin(self, name: str, chars: str) -> Value:
        """Writes to a process's standard input.

        @param string name
        @param string chars
        @return boolean result
        """
        return self._call("sendProcessStdin", name, chars)

    def sendRemoteCommEvent(self, type: str, data: str) -> Value:
        """Sends an event REMOTE_COMMUNICATION.

        @param string type
        @param string data
        @return boolean result
        """
        return self._call("sendRemoteCommEvent", type, data)

    getVersion = getAPIVersion
    readMainLog = readLog
    readProcessLog = readProcessStdoutLog
    tailProcessLog = tailProcessStdoutLog
    clearProcessLog = clearProcessLogs

def make_allfunc(
    processes: Iterable[Tuple[Any, Any]], predicate: Callable[[Any], Any], func: Callable[..., Any], **extra_kwargs: Any
) -> Callable[[], Any]:
    """A function that calls another, with the namespec, for each process that a predicate accepts. It returns the
    results, `{name, group, status, description}` each, or NOT_DONE_YET while calls go on: then it is called again."""
    results: List[Dict[str, Any]] = []
    waiting: List[Tuple[Any, Any, Callable[[], Any]]] = []
    started = False

    def add(group: Any, process: Any, status: int, description: str) -> None:
        results.append({
            "name": process.config.name, "group": group.config.name, "status": status, "description": description,
        })

    def attempt(group: Any, process: Any, call: Callable[[], Any]) -> Any:
        """What a call returns, if that is no result yet."""
        try:
            answer = call()
        except RPCError as error:
            add(group, process, error.code, error.text)
            return None
        if answer is NOT_DONE_YET or callable(answer) and not isinstance(answer, type):
            return answer
        add(group, process, Faults.SUCCESS, "OK")
        return None

    def start() -> None:
        for group, process in processes:
            if predicate(process):
                name = make_namespec(group.config.name, process.config.name)
                later = attempt(group, process, lambda name=name: func(name, **extra_kwargs))  # type: ignore[misc]
                if later is not None:
                    waiting.append((group, process, later))

    def allfunc() -> Any:
        nonlocal started
        if not started:
            started = True
            start()
        waiting[:] = [entry for entry in waiting if attempt(*entry) is NOT_DONE_YET]
        return NOT_DONE_YET if waiting else results

    return allfunc


def isRunning(process: Any) -> bool:
    """Whether a process is RUNNING, or about to be."""
    return process.get_state() in RUNNING_STATES


def isNotRunning(process: Any) -> bool:
    """Whether a process neither runs nor is about to."""
    return not isRunning(process)


def isSignallable(process: Any) -> bool:
    """Whether a process can be sent signals."""
    return process.get_state() in SIGNALLABLE_STATES


def make_main_rpcinterface(supervisord: Any) -> SupervisorNamespaceRPCInterface:
    """The factory that `[rpcinterface:supervisor]` names."""
    return SupervisorNamespaceRPCInterface(supervisord)
