"""A Salt master and its minions: the states of docs/fleet/ as they are."""

import contextlib
import json
import os
from pathlib import Path

import environments
import pytest

from harness import LONG_SECS, wait_for
from machines import FLEET, documented, fleet
from networks import NEEDS_NETWORKS

REQUIREMENTS = Path(__file__).resolve().parent / "requirements-salt-master.txt"
WEB = ("web1", "web2")
QUIET = {"log_level": "error", "log_level_logfile": "quiet", "grains": {}, "enable_fqdns_grains": False}


class Salt:
    """A master on the control machine, and a minion on each of the web machines."""

    def __init__(self, machines, directory):
        self.machines, self.directory, self.started = machines, directory, []
        self.conf = self.write(machines.root / "salt", "master", {
            **QUIET, "root_dir": str(machines.root / "salt"), "auto_accept": True, "worker_threads": 3,
            "file_roots": {"base": [str(FLEET / "salt")]}, "user": "root"})
        self.env = machines.environment(directory)

    @staticmethod
    def write(place, name, settings):
        """Writes a configuration; returns its directory."""
        place.mkdir()
        (place / name).write_text(json.dumps(settings), encoding="utf-8")
        return place

    def start(self):
        """Starts all of them and waits until the minions answer."""
        self.run(self.machines.control, "salt-master", self.conf, self.env)
        for name in WEB:
            machine = self.machines.machines[name]
            conf = self.write(machine.root / "salt", "minion", {
                **QUIET, "root_dir": str(machine.root / "salt"), "id": name, "master": "control", "user": "root",
                "acceptance_wait_time": 1})
            env = {**self.env, "PATH": f"{machine.root / 'bin'}:{self.env['PATH']}"}
            self.run(self.machines.nodes[name], "salt-minion", conf, env)
        wait_for(lambda: self.call("test.ping") == dict.fromkeys(WEB, True), lambda: f"{self.call('test.ping')} {self.output()}")

    def run(self, node, program, conf, env):
        """Starts one of them."""
        self.started.append(node.start(self.directory / program, "-c", conf, env=env, output=self.machines.root / f"{node.name}.out"))

    def output(self):
        """What they have printed."""
        return [(path.name, path.read_text(encoding="utf-8")[-2000:]) for path in self.machines.root.glob("*.out")]

    def call(self, *words):
        """What `salt 'web*' …` answers, by machine."""
        _, out, _ = self.machines.control.run(self.directory / "salt", "-c", self.conf, "--out", "json", "--static", "web*", *words,
                                              env=self.env, timeout=LONG_SECS)
        try:
            return json.loads(out)
        except json.JSONDecodeError:
            return out

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                process.wait(LONG_SECS)


def changes(answer):
    """Of each machine, its states by name: whether they are well and whether they changed something."""
    return {machine: {state["__id__"]: (state["result"], bool(state["changes"])) for state in states.values()}
            for machine, states in answer.items()}


BY_HAND = pytest.mark.skipif(not os.environ.get("FLEET"), reason="takes minutes: FLEET=1 compat-tests/run --python --only fleet/test_fleet_salt.py")


@BY_HAND
@NEEDS_NETWORKS
def test_states():
    directory = environments.made(REQUIREMENTS)
    section = "/etc/supervisor/conf.d/web.conf"
    assert documented("salt/top.sls") and documented("salt/web.sls")
    with fleet() as machines, Salt(machines, directory) as salt:
        salt.start()
        expected = {section: (True, True), "web": (True, True)}
        first = salt.call("state.apply")
        assert changes(first) == dict.fromkeys(WEB, expected), first
        pids = [machines.wait_state(name, "web", "RUNNING")["pid"] for name in WEB]
        assert machines.rpc("db1", "supervisor.getAllProcessInfo") == []
        second = salt.call("state.apply")
        assert changes(second) == dict.fromkeys(WEB, {section: (True, False), "web": (True, False)}), second
        assert [machines.wait_state(name, "web", "RUNNING")["pid"] for name in WEB] == pids
