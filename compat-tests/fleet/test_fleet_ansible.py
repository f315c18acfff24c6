"""Ansible over ssh: the playbook of docs/fleet/ as it is, on machines with an ssh server each."""

import json
import subprocess

import environments
import pytest

from debian import program
from harness import LONG_SECS, TESTS, command
from machines import documented, fleet
from networks import NEEDS_NETWORKS

NEEDS_SSH = pytest.mark.skipif(not (program("sshd") and program("ssh")), reason="no sshd or ssh here (Debian: openssh-server)")
WEB = ("web1", "web2")


def play(machines, directory, playbook, key):
    """Runs the playbook; what it says of each machine."""
    env = machines.environment(directory)
    env.update(ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_HOME=str(machines.root / "ansible"),
               ANSIBLE_DEPRECATION_WARNINGS="0", ANSIBLE_INVENTORY_UNPARSED_WARNING="0", ANSIBLE_HOST_KEY_CHECKING="false",
               ANSIBLE_PRIVATE_KEY_FILE=str(key), ANSIBLE_PIPELINING="true", ANSIBLE_REMOTE_USER="root", ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3",
               ANSIBLE_SSH_ARGS=f"-F none -o UserKnownHostsFile={machines.root}/known_hosts -o ControlMaster=no")
    status, out, err = machines.control.run(
        directory / "ansible-playbook", "-i", documented("ansible/inventory.yml"), playbook, env=env, timeout=LONG_SECS)
    assert out.lstrip().startswith("{"), out + err
    return status, json.loads(out)["stats"]


@NEEDS_NETWORKS
@NEEDS_SSH
def test_playbook():
    directory = environments.made(TESTS / "clients" / "automation" / "requirements-ansible.txt")
    playbook, section = documented("ansible/playbook.yml"), documented("ansible/web.conf")
    with fleet() as machines:
        key = machines.root / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        for name in WEB:
            machines.machines[name].listen(key.with_suffix(".pub"))
        # One machine knows nothing of the program yet, on the other it is an older one.
        old = machines.machines["web2"]
        old.drop_in("web.conf", "[program:web]\ncommand=/bin/sleep 1000\nstartsecs=0\n")
        old.rpc("supervisor.reloadConfig")
        old.rpc("supervisor.addProcessGroup", "web")
        before = old.wait_state("web", "RUNNING")["pid"]
        status, first = play(machines, directory, playbook, key)
        assert (status, [first[name]["changed"] for name in WEB]) == (0, [3, 2]), first
        pids = [machines.wait_state(name, "web", "RUNNING")["pid"] for name in WEB]
        assert before not in pids
        for name in WEB:
            there = machines.nodes[name].place("/etc/supervisor/conf.d/web.conf")
            assert there.read_bytes() == section.read_bytes()
            assert b"http.server" in command(machines.wait_state(name, "web", "RUNNING")["pid"])
        assert machines.rpc("db1", "supervisor.getAllProcessInfo") == []
        # Again: nothing is left to be done, and nothing is restarted.
        status, second = play(machines, directory, playbook, key)
        assert (status, [second[name]["changed"] for name in WEB]) == (0, [0, 0]), second
        assert [machines.wait_state(name, "web", "RUNNING")["pid"] for name in WEB] == pids
