"""The daemon's options as far as a configuration is checked: its groups and processes, as the executable reads them
(`supervisord --check --json`). `supervisor.options` shows it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any, Dict, List

from supervisor import _binary
from supervisor._groups import EventListenerConfig, EventListenerPoolConfig, FastCGIGroupConfig, FastCGIProcessConfig
from supervisor._groups import ProcessConfig, ProcessGroupConfig
from supervisor._options import Dummy, Option, Options
from supervisor.datatypes import Automatic, InetStreamSocketConfig, RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.datatypes import UnixStreamSocketConfig
from supervisor.events import EventTypes

#: What the reference refuses, too, and what it warns of. The executable finds more: commands that are not there, say.
_REFUSED = ("syntax", "section", "value")
_WARNED = ("configuration", "include")

_PROCESSES = {"group": ProcessConfig, "eventlistener": EventListenerConfig, "fcgi-program": FastCGIProcessConfig}


class ServerOptions(Options):
    """Reads a configuration: `realize(["-c", FILE])`, or `configfile = FILE` and `process_config(do_usage=False)`.

    What it sets is `process_group_configs`, `parse_warnings` and `parse_infos`. Passwords may be among the processes'
    `environment`.
    """

    _SECTION = "supervisord"
    _OPTIONS = Options._OPTIONS + (Option("nodaemon", "n", "nodaemon"),)

    def __init__(self) -> None:
        Options.__init__(self)
        self.configroot = Dummy()
        self.configroot.supervisord = Dummy()
        self.process_group_configs: List[Any] = []
        self.parse_criticals: List[str] = []
        self.parse_warnings: List[str] = []
        self.parse_infos: List[str] = []

    def process_config(self, do_usage: bool = True) -> None:
        """Reads the configuration file. An error is a usage error, or without `do_usage` a ValueError."""
        Options.process_config(self, do_usage)
        self.process_group_configs = self.configroot.supervisord.process_group_configs

    def read_config(self, fp: Any) -> Any:
        """Has the executable read a configuration from its path. Raises ValueError with the first complaint."""
        if not self.exists(fp):
            raise ValueError(f"could not find config file {fp}")
        if not os.access(fp, os.R_OK):
            raise ValueError(f"could not read config file {fp}")
        checked = _check(fp)
        self.parse_criticals = []
        self.parse_infos = [f'Included extra file "{file}" during parsing' for file in checked["files"][1:]]
        findings = checked["findings"]
        for finding in findings:
            if finding["severity"] == "error" and finding["kind"] in _REFUSED:
                raise ValueError(finding["message"])
        self.parse_warnings = [
            finding["message"] for finding in findings
            if finding["severity"] == "error" or finding["kind"] in _WARNED
        ]
        section = self.configroot.supervisord
        section.process_group_configs = [self._group(group) for group in checked["groups"]]
        return section

    def _group(self, group: Dict[str, Any]) -> Any:
        name, priority, kind = group["name"], group["priority"], group["kind"]
        processes = [self._process(_PROCESSES[kind], process) for process in group["processes"]]
        if kind == "eventlistener":
            events = [getattr(EventTypes, event) for event in group["events"]]
            handler = self._result_handler(name, group["result_handler"])
            return EventListenerPoolConfig(self, name, priority, processes, group["buffer_size"], events, handler)
        if kind == "fcgi-program":
            return FastCGIGroupConfig(self, name, priority, processes, _socket(group))
        return ProcessGroupConfig(self, name, priority, processes)

    def _result_handler(self, name: str, spec: str) -> Any:
        try:
            return self.import_spec(spec)
        except (AttributeError, ImportError):
            raise ValueError(f"{spec} cannot be resolved within [eventlistener:{name}]") from None

    def _process(self, kind: Any, process: Dict[str, Any]) -> Any:
        params = dict(process)
        for channel in ("stdout", "stderr"):
            if params[f"{channel}_logfile"] == "AUTO":
                params[f"{channel}_logfile"] = Automatic
        params["stopsignal"] = signal.Signals(params["stopsignal"])
        words = {True: RestartUnconditionally, False: False, "unexpected": RestartWhenExitUnexpected}
        params["autorestart"] = words[params["autorestart"]]
        return kind(self, **params)


def _check(path: str) -> Dict[str, Any]:
    """What the executable says of a configuration."""
    words = [*_binary.command("supervisord"), "--check", "--json", "--show-environment", "-c", path]
    ended = subprocess.run(words, executable=_binary.find(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    try:
        checked: Dict[str, Any] = json.loads(ended.stdout.decode("utf-8"))
    except ValueError:
        complaint = ended.stderr.decode("utf-8", "replace").strip()
        raise RuntimeError(f"{words[0]} cannot check {path}: {complaint or ended.returncode}") from None
    return checked


def _socket(group: Dict[str, Any]) -> Any:
    backlog = group["socket_backlog"]
    scheme, _, address = group["socket"].partition("://")
    if scheme == "tcp":
        host, _, port = address.rpartition(":")
        return InetStreamSocketConfig(host, port, backlog=backlog)
    owner = group["socket_owner"]
    user_and_group = None if owner is None else tuple(map(int, owner.split(":")))
    return UnixStreamSocketConfig(address, owner=user_and_group, mode=group["socket_mode"], backlog=backlog)
