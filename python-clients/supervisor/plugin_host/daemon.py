"""The process that the daemon starts for its plugins: it makes them, calls their methods, and tells them of events.

Everything of plugins runs in the main thread, one at a time, as in the reference. Their own threads may call the daemon.
"""

from __future__ import annotations

import base64
import os
import queue
import socket
import sys
import time
import traceback
import types
import xmlrpc.client as xmlrpclib
from typing import Any, Callable, Dict, List, Optional, Tuple

from supervisor import events
from supervisor.compat import import_spec
from supervisor.dispatchers import RejectEvent
from supervisor.http import NOT_DONE_YET
from supervisor.plugin_host.happenings import Subscriptions, event_of
from supervisor.plugin_host.view import Supervisord
from supervisor.plugin_host.wire import Asked, Wire, dumps
from supervisor.xmlrpc import Faults, RPCError, gettags

#: How often a function that answers later is called, in seconds, if it does not say so itself.
_DELAY = 0.5


class StartError(Exception):
    """Plugins that cannot be made; the text is for whoever starts the daemon."""


class Host:
    """The plugins, and what waits for them."""

    def __init__(self, connection: socket.socket) -> None:
        self._queue: queue.Queue[Optional[Asked]] = queue.Queue()
        self._wire = Wire(connection, self._queue.put)
        self.supervisord = Supervisord(self._wire)
        #: By server, then by namespace.
        self._plugins: List[Dict[str, Any]] = []
        self._handlers: Dict[str, Callable[..., Any]] = {}
        #: Functions that answer later: when they are called next, the number of the call, and the function.
        self._deferred: List[Tuple[float, int, Callable[[], Any]]] = []

    def run(self) -> None:
        """Does what the daemon asks until it is gone."""
        events.callbacks = Subscriptions(self.supervisord)
        self._wire.start()
        while True:
            try:
                asked = self._queue.get(timeout=self._patience())
            except queue.Empty:
                self._poll()
                continue
            if asked is None:
                return
            self._take(*asked)
            self._poll()

    def _patience(self) -> Optional[float]:
        if not self._deferred:
            return None
        return max(0.0, min(when for when, _, _ in self._deferred) - time.monotonic())

    def _take(self, number: int, method: str, params: Tuple[Any, ...]) -> None:
        if method == "event":
            self._tell(*params)
        elif method == "call":
            self._answer(number, lambda: self._call(*params))
        elif method == "judge":
            self._answer(number, lambda: self._judge(*params))
        elif method == "start":
            self._start(number, params[0])

    def _answer(self, number: int, act: Callable[[], Any], was_put_off: bool = False) -> None:
        """Answers with what a function returns, or with the fault it raises. Only what was put off can be so for longer,
        and nothing is twice."""
        try:
            value = act()
            if was_put_off and value is NOT_DONE_YET:
                self._put_off(number, act)
                return
            if not was_put_off and isinstance(value, types.FunctionType):
                self._wire.defer(number)
                self._put_off(number, value)
                return
            document = dumps(value if isinstance(value, tuple) else (value,))
        except RPCError as error:
            document = dumps(xmlrpclib.Fault(error.code, error.text))
        except (Exception, SystemExit):
            kind, raised, _ = sys.exc_info()
            self.supervisord.options.logger.critical(f"plugins: a call failed: {traceback.format_exc()}")
            document = dumps(xmlrpclib.Fault(Faults.FAILED, f"FAILED: {kind}:{raised}"))
        self._wire.answer(number, document)

    def _put_off(self, number: int, function: Callable[[], Any]) -> None:
        delay = float(getattr(function, "delay", _DELAY))
        self._deferred.append((time.monotonic() + delay, number, function))

    def _poll(self) -> None:
        """Calls the functions that are due; those that are not done are called again later."""
        now = time.monotonic()
        due = [each for each in self._deferred if each[0] <= now]
        self._deferred = [each for each in self._deferred if each[0] > now]
        for _, number, function in due:
            self._answer(number, function, was_put_off=True)

    def _call(self, server: int, namespace: str, name: str, params: List[Any]) -> Any:
        """Calls a method of a plugin by the rules of the reference (`xmlrpc.py: traverse`)."""
        method = getattr(self._plugins[server].get(namespace), name, None)
        if not isinstance(method, types.MethodType):
            raise RPCError(Faults.UNKNOWN_METHOD)
        try:
            return method(*params)
        except TypeError:
            raise RPCError(Faults.INCORRECT_PARAMETERS) from None

    def _judge(self, spec: str, told: Dict[str, Any], result: str) -> str:
        """Lets a result handler judge the result of a listener."""
        event = event_of(self.supervisord, told["eventname"], _decoded(told["payload"]))
        event.serial = int(told["serial"])
        event.pool_serials = {told["pool"]: int(told["poolserial"])}
        try:
            self._handler(spec)(event, base64.b64decode(result))
        except RejectEvent:
            return "rejected"
        except (Exception, SystemExit):
            traceback.print_exc()
            return "failed"
        return "accepted"

    def _handler(self, spec: str) -> Callable[..., Any]:
        if spec not in self._handlers:
            self._handlers[spec] = import_spec(spec)
        return self._handlers[spec]

    def _tell(self, name: str, payload: str) -> None:
        try:
            events.notify(event_of(self.supervisord, name, _decoded(payload)))
        except (Exception, SystemExit):
            traceback.print_exc()

    def _start(self, number: int, told: Dict[str, Any]) -> None:
        """Makes the plugins, all of them for each server, and answers with what they publish."""
        self.supervisord.options.server_configs.extend(map(_server, told["servers"]))
        try:
            for handler in told["handlers"]:
                self._resolved(handler["spec"], handler["section"])
            factories = [
                (each["name"], self._resolved(each["spec"], f"rpcinterface:{each['name']}"), each["options"])
                for each in told["interfaces"]
            ]
            for _ in told["servers"]:
                self._plugins.append({name: self._made(name, *factory) for name, *factory in factories})
        except StartError as error:
            self._wire.answer(number, dumps(xmlrpclib.Fault(Faults.FAILED, str(error))))
            return
        published = [[_published(name, plugin) for name, plugin in made.items()] for made in self._plugins]
        self._wire.answer(number, dumps((published,)))

    def _resolved(self, spec: str, section: str) -> Any:
        try:
            return import_spec(spec)
        except Exception as error:
            self.supervisord.options.logger.error(f"plugins: {spec}: {type(error).__name__}: {error}")
            raise StartError(f"{spec} cannot be resolved within [{section}]") from None

    def _made(self, name: str, factory: Callable[..., Any], options: Dict[str, str]) -> Any:
        try:
            return factory(self.supervisord, **options)
        except Exception:
            self.supervisord.options.logger.warn(traceback.format_exc())
            raise StartError(f"Could not make {name} rpc interface") from None


def _decoded(payload: str) -> str:
    return base64.b64decode(payload).decode("utf-8")


def _server(told: Dict[str, Any]) -> Dict[str, Any]:
    """A server as the reference's `options.server_configs` has it."""
    families = {"inet": socket.AF_INET, "unix": socket.AF_UNIX}
    return {**told, "family": families[told["family"]]}


def _published(name: str, plugin: Any) -> Dict[str, Any]:
    """What `system.*` tells of a plugin: the methods of its own class (`xmlrpc.py: _listMethods`)."""
    methods = []
    for method in vars(type(plugin)):
        function = getattr(plugin, method)
        if not method.startswith("_") and callable(function):
            methods.append(_described(method, str(function.__doc__)))
    return {"name": name, "methods": methods}


def _described(name: str, help: str) -> Dict[str, Any]:
    described: Dict[str, Any] = {"name": name, "help": help}
    tags = [(tag, datatype or "") for _, tag, datatype, _, _ in gettags(help)]
    returns = [datatype for tag, datatype in tags if tag == "return"]
    if returns:
        described["signature"] = [returns[-1]] + [datatype for tag, datatype in tags if tag == "param"]
    return described


def main(arguments: List[str]) -> int:
    """Runs the plugins; standard input is the socket to the daemon."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    Host(connection).run()
    return 0
