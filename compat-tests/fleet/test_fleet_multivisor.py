"""Multivisor's dashboard over three machines, each with multivisor's event listener over our module, by the files of docs/fleet/."""

import json
import urllib.parse
import urllib.request

import thirdparty
from harness import LONG_SECS, free_port, wait_for
from machines import NAMES, documented, fleet
from networks import NEEDS_NETWORKS


class Dashboard:
    """Multivisor's web server on the control machine."""

    def __init__(self, machines, directory):
        self.node = machines.control
        self.output = machines.root / "multivisor.out"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        env = {**machines.environment(directory), "MULTIVISOR_SECRET_KEY": "not so secret"}
        self.process = self.node.start(directory / "multivisor", "-c", documented("multivisor.conf"), "--bind", f"127.0.0.1:{port}",
                                       env=env, output=self.output)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(LONG_SECS)

    def ask(self, path, **form):
        """What an address answers; None while nobody does."""
        data = urllib.parse.urlencode(form).encode() if form else None

        def go():
            with urllib.request.urlopen(f"{self.url}/{path}", data, timeout=LONG_SECS) as answer:
                return answer.read()
        try:
            return self.node.visit(go)
        except OSError:
            assert self.process.poll() is None, self.output.read_text(encoding="utf-8")
            return None

    def states(self):
        """The state of every process, by `machine:group:name`."""
        answer = self.ask("data")
        supervisors = json.loads(answer)["supervisors"] if answer else {}
        return {uid: each["statename"] for machine in supervisors.values() for uid, each in machine["processes"].items()}


@NEEDS_NETWORKS
def test_dashboard():
    directory = thirdparty.environment()
    with fleet() as machines:
        for name in NAMES:
            machine = machines.machines[name]
            machines.nodes[name].place("/opt/multivisor").symlink_to(directory.parent)
            machine.drop_in("multivisor-rpc.conf", documented("multivisor-rpc.conf").read_text(encoding="utf-8"))
            machine.drop_in("web.conf", "[program:web]\ncommand=/bin/cat\nstartsecs=0\n")
            machine.rpc("supervisor.reloadConfig")
            for group in ("web", "multivisor-rpc"):
                machine.rpc("supervisor.addProcessGroup", group)
            machine.wait_state("multivisor-rpc", "RUNNING")
        everything = {f"{name}:{group}:{group}": "RUNNING" for name in NAMES for group in ("web", "multivisor-rpc")}
        with Dashboard(machines, directory) as dashboard:
            wait_for(lambda: dashboard.states() == everything, lambda: f"{dashboard.states()} {dashboard.output.read_text()}")
            # A button, and what happens by itself.
            dashboard.ask("process/stop", uid="web2:web:web")
            stopped = {**everything, "web2:web:web": "STOPPED"}
            wait_for(lambda: dashboard.states() == stopped, lambda: f"{dashboard.states()}")
            assert machines.wait_state("web2", "web", "STOPPED")
            machines.rpc("db1", "supervisor.stopProcess", "web")
            stopped["db1:web:web"] = "STOPPED"
            wait_for(lambda: dashboard.states() == stopped, lambda: f"{dashboard.states()}")
            dashboard.ask("process/restart", uid="db1:web:web")
            assert machines.wait_state("db1", "web", "RUNNING")
