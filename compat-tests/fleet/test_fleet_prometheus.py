"""One Prometheus for three machines, with the files of docs/fleet/ as they are."""

from harness import free_port
from machines import FLEET, NAMES, documented, fleet
from networks import NEEDS_NETWORKS
from prometheus import NEEDS_PROMETHEUS, NEEDS_PROMTOOL, Prometheus, promtool


class Remote(Prometheus):
    """A Prometheus on another machine of the network."""

    def __init__(self, node, *args):
        self.node = node
        super().__init__(*args, words=node.words)

    def get(self, path, **parameters):
        return self.node.visit(lambda: super(Remote, self).get(path, **parameters))


@NEEDS_PROMTOOL
def test_rules():
    """The alerts come when they should, and only then."""
    for words in (("check", "config", documented("prometheus.yml")), ("check", "rules", documented("rules.yml")),
                  ("test", "rules", documented("rules_test.yml"))):
        assert promtool(*words) == ""


@NEEDS_NETWORKS
@NEEDS_PROMETHEUS
def test_three_machines():
    with fleet(documented("supervisor.conf")) as machines:
        web1 = machines.machines["web1"]
        web1.drop_in("broken.conf", "[program:broken]\ncommand=/no/such/command\nstartretries=0\n")
        web1.rpc("supervisor.reloadConfig")
        web1.rpc("supervisor.addProcessGroup", "broken")
        web1.wait_state("broken", "FATAL")
        env = machines.environment()
        with Remote(machines.control, machines.root, FLEET / "prometheus.yml", free_port(), env) as prometheus:
            roles = {"web1": "web", "web2": "web", "db1": "db"}
            prometheus.wait_for("sum by (instance, role, job) (up)", [
                ({"instance": name, "role": roles[name], "job": "supervisord"}, 1) for name in NAMES])
            prometheus.wait_for('sum by (instance) (supervisord_mood{mood="RUNNING"})', [({"instance": name}, 1) for name in NAMES])
            assert prometheus.query('{__name__=~"supervisord_rpc.*"}') == []
            prometheus.wait_for("sum by (alertname, alertstate, instance, group, name) (ALERTS)", [({
                "alertname": "ProgramFailed", "alertstate": "pending", "instance": "web1", "group": "broken", "name": "broken"}, 1)])
