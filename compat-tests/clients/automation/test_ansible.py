"""Ansible's community.general.supervisorctl, unchanged: one playbook on two machines, with the reference and with ours.

What the module answers on each step is written down here, and has to be the same on both sides.
"""

import json
import subprocess

from environments import quiet_environment
from harness import LONG_SECS
from machine import BROKEN, WEB, WEB_CHANGED, WORKERS, Machines, environment

CHANGED, SAME, FAILED = "changed", "same", "failed"


def step(name, state, expected, *, check=False, **more):
    """One use of the module: a title, its arguments, the expected result."""
    title = f"{name} {state}" + " (check)" * check
    return {"title": title, "args": {"name": name, "state": state, **more}, "expected": expected, "check": check}


def copy(name, text):
    """A step that puts a file into conf.d."""
    return {"title": f"write {name}", "copy": name, "text": text, "expected": CHANGED}


def settle(name):
    """A step that waits until a program that cannot be started is given up, which takes the reference up to a second."""
    return {"title": f"{name} is given up", "settle": name, "expected": SAME}


STEPS = [
    step("web", "present", FAILED),
    step("web", "started", FAILED),
    step("web", "restarted", FAILED),
    step("web", "absent", SAME),
    copy("web.conf", WEB),
    step("web", "present", CHANGED, check=True),
    step("web", "present", CHANGED),
    step("web", "present", SAME),
    step("web", "started", SAME),
    step("web", "stopped", CHANGED, check=True),
    step("web", "stopped", CHANGED),
    step("web", "stopped", SAME),
    step("web", "signalled", SAME, signal="HUP"),
    step("web", "started", CHANGED, check=True),
    step("web", "started", CHANGED),
    step("web", "started", SAME),
    step("web", "restarted", CHANGED, check=True),
    step("web", "restarted", CHANGED),
    step("web", "signalled", CHANGED, signal="CONT"),
    step("web", "signalled", FAILED, signal="NOPE"),
    step("web", "absent", FAILED),
    copy("web.conf", WEB_CHANGED),
    step("web", "restarted", CHANGED),
    copy("workers.conf", WORKERS),
    step("workers:", "present", CHANGED),
    step("workers:", "stopped", CHANGED),
    step("workers:", "started", CHANGED),
    step("workers:", "started", SAME),
    step("workers:", "restarted", CHANGED),
    step("workers:", "signalled", CHANGED, signal="CONT"),
    step("workers:0", "stopped", CHANGED),
    step("workers:9", "stopped", FAILED),
    copy("broken.conf", BROKEN),
    step("broken", "present", CHANGED),
    step("broken", "started", FAILED),
    settle("broken"),
    step("all", "stopped", CHANGED),
    step("all", "stopped", SAME),
    step("broken", "absent", CHANGED),
    step("workers:", "absent", CHANGED, stop_before_removing=True),
    step("web", "started", CHANGED),
    step("web", "absent", CHANGED, check=True, stop_before_removing=True),
    step("web", "absent", CHANGED, stop_before_removing=True),
    step("web", "absent", SAME),
    step("web", "present", FAILED, server_url="http://127.0.0.1:1"),
    step("web", "present", FAILED, config="/no/such/file"),
    step("web", "present", FAILED, supervisorctl_path="/no/such/supervisorctl"),
]
# Steps that name another daemon than the machine's.
ELSEWHERE = {"server_url", "config"}


def playbook():
    """The steps as a playbook; every task goes on after a failure."""
    tasks = []
    for number, each in enumerate(STEPS):
        task = {"name": f"{number} {each['title']}", "ignore_errors": True}
        if "copy" in each:
            task["ansible.builtin.copy"] = {"dest": "{{ root }}/conf.d/" + each["copy"], "content": each["text"]}
        elif "settle" in each:
            task["ansible.builtin.command"] = "supervisorctl -c {{ config_file }} status " + each["settle"]
            task.update(register="status", until="'FATAL' in status.stdout", retries=200, delay=0.1, changed_when=False,
                        failed_when="'FATAL' not in status.stdout")
        else:
            connection = {} if ELSEWHERE & set(each["args"]) else {
                key: "{{ connection_%s | default(omit) }}" % key
                for key in ("config", "server_url", "username", "password")}
            task["community.general.supervisorctl"] = {**connection, **each["args"]}
            task["check_mode"] = each["check"]
        tasks.append(task)
    return [{"hosts": "all", "gather_facts": False, "environment": {"PATH": "{{ path }}"}, "tasks": tasks}]


def inventory(machines):
    """Two machines, reached differently."""
    hosts = {}
    for name, machine in zip(("by-socket", "by-port"), machines.all):
        hosts[name] = {
            "ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "root": str(machine.root), "config_file": str(machine.config), "path": machine.path}
        if machine.port:
            hosts[name].update(connection_server_url=f"http://127.0.0.1:{machine.port}", connection_username="user",
                               connection_password="secret")
        else:
            hosts[name].update(connection_config=str(machine.config))
    return {"all": {"hosts": hosts}}


def play(bin_directory, machines):
    """Runs the playbook: (title, host) -> what the module answered."""
    root = machines.all[0].root
    (root / "play.yml").write_text(json.dumps(playbook()), encoding="utf-8")
    (root / "inventory.json").write_text(json.dumps(inventory(machines)), encoding="utf-8")
    env = quiet_environment(root, f"{bin_directory}:{machines.all[0].path}")
    env.update(ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_HOME=str(root / "ansible"),
               ANSIBLE_LOCALHOST_WARNING="0", ANSIBLE_DEPRECATION_WARNINGS="0", ANSIBLE_INVENTORY_UNPARSED_WARNING="0")
    done = subprocess.run(
        [bin_directory / "ansible-playbook", "-i", root / "inventory.json", root / "play.yml"], env=env, cwd=root,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG_SECS, check=False)
    assert done.stdout.lstrip().startswith("{"), done.stdout + done.stderr
    (report,) = json.loads(done.stdout)["plays"]
    answers = {}
    for task in report["tasks"]:
        for host, answer in task["hosts"].items():
            answers[task["task"]["name"], host] = answer
    return answers


def outcome(answer):
    """What became of a step."""
    if answer.get("failed"):
        return FAILED
    return CHANGED if answer.get("changed") else SAME


def essence(answer, machines):
    """The parts of an answer that a playbook can use, without what differs from machine to machine."""
    text = json.dumps({key: answer.get(key) for key in ("msg", "name", "state", "affected", "rc")})
    for machine in machines.all:
        text = text.replace(str(machine.root), "<ROOT>").replace(str(machine.port), "<PORT>")
    return text


def results(side, bin_directory):
    """A side's answers to the playbook: (title, host) -> (outcome, essence)."""
    with Machines(side) as machines:
        answers = play(bin_directory, machines)
        for machine in machines.all:
            assert machine.rpc("supervisor.getAllProcessInfo") == []
        return {key: (outcome(answer), essence(answer, machines)) for key, answer in answers.items()}


def test_playbook():
    bin_directory = environment("ansible")
    ours, reference = (results(side, bin_directory) for side in ("ours", "python"))
    wrong = []
    for number, each in enumerate(STEPS):
        for host in ("by-socket", "by-port"):
            key = (f"{number} {each['title']}", host)
            got = ours.pop(key, ("not run", ""))
            if got[0] != each["expected"] or got != reference.get(key):
                wrong.append(f"{key}: expected {each['expected']}, got {got}, the reference {reference.get(key)}")
    assert not wrong, "\n".join(wrong)
    assert not ours
