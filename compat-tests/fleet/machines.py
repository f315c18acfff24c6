"""Machines as Debian's package leaves them, each with our daemon, and the drop-ins of docs/fleet/."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import networks
from debian import libraries, program
from environments import quiet_environment
from harness import REPO, Daemon, binary, wait_for

FLEET = REPO / "docs" / "fleet"
NAMES = ("web1", "web2", "db1")

CONF = """\
[unix_http_server]
file=/var/run/supervisor.sock
chmod=0700
[supervisord]
logfile=/var/log/supervisor/supervisord.log
pidfile=/var/run/supervisord.pid
childlogdir=/var/log/supervisor
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///var/run/supervisor.sock
[include]
files = /etc/supervisor/conf.d/*.conf
"""

SSHD = """\
HostKey {root}/host_key
PidFile none
AuthorizedKeysFile {root}/user_key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
SetEnv PATH={path} {mark}
"""


class Machine(Daemon):
    """One machine and its daemon."""

    def __init__(self, node, *dropins):
        super().__init__("ours")
        self.node = node
        (self.root / "bin" / "supervisorctl").symlink_to(binary())
        self.env["PATH"] = f"{self.root / 'bin'}:/usr/bin:/bin"
        self.log = node.place("/var/log/supervisor/supervisord.log")
        self.socket = node.place("/run/supervisor.sock")
        self.url = f"unix://{self.socket}"
        self.log.parent.mkdir()
        shutil.rmtree(node.place("/etc/supervisor"), ignore_errors=True)
        node.place("/etc/supervisor/conf.d").mkdir(parents=True)
        node.place("/etc/supervisor/supervisord.conf").write_text(CONF, encoding="ascii")
        for dropin in dropins:
            self.drop_in(Path(dropin).name, Path(dropin).read_text(encoding="utf-8"))
        self.sshd = None

    def drop_in(self, name, text):
        """Writes a file of conf.d."""
        self.node.place(f"/etc/supervisor/conf.d/{name}").write_text(text, encoding="utf-8")

    def boot(self):
        """Starts the daemon, which finds its configuration by itself."""
        return self.start(config=False, wrap=self.node.words)

    def listen(self, key):
        """Lets in who has the private key beside `key`, over ssh."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / "host_key"], check=True)
        shutil.copy(key, self.root / "user_key.pub")
        mark = f"COMPAT_ROOT={self.root}"
        conf = self.write("sshd_config", SSHD.format(root=self.root, path=self.env["PATH"], mark=mark))
        self.node.place("/run/sshd").mkdir()
        with open(self.node.place("/etc/passwd"), "a", encoding="ascii") as passwd:
            passwd.write("sshd:x:60123:65534::/run/sshd:/usr/sbin/nologin\n")
        self.sshd = self.node.start(program("sshd"), "-D", "-e", "-f", conf, env={**self.env, **libraries()},
                                    output=self.root / "sshd.out")
        wait_for(lambda: "Server listening" in self.read("sshd.out"), lambda: self.read("sshd.out"))

    def close(self):
        """Ends the daemon and the ssh server."""
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait()
        return super().close()


class Fleet:
    """All machines, and the one they are driven from."""

    def __init__(self, nodes, machines, root):
        self.nodes, self.machines, self.root = nodes, machines, root
        self.control = nodes[networks.CONTROL]

    def environment(self, *path):
        """Variables for a tool on the control machine that shall leave nothing elsewhere."""
        return quiet_environment(self.root, ":".join([*map(str, path), "/usr/bin", "/bin"]))

    def rpc(self, name, method, *args):
        """Calls a method of a machine's daemon."""
        return self.machines[name].rpc(method, *args)

    def wait_state(self, name, process, state):
        """Waits until a process of a machine is in a state."""
        return self.machines[name].wait_state(process, state)


@contextlib.contextmanager
def fleet(*dropins):
    """Three machines, their daemons running."""
    root = Path(tempfile.mkdtemp(prefix="fleet", dir="/tmp"))
    root.chmod(0o755)
    machines = {}
    try:
        with networks.network(root, *NAMES) as nodes:
            try:
                for name in NAMES:
                    machines[name] = Machine(nodes[name], *dropins)
                for machine in machines.values():
                    machine.boot()
                yield Fleet(nodes, machines, root)
            finally:
                complaints = [complaint for machine in machines.values() if (complaint := machine.close())]
            assert complaints == []
    finally:
        shutil.rmtree(root, ignore_errors=True)


def documented(name):
    """The path of an example, which stands in docs/fleet.md too."""
    path = FLEET / name
    text = (REPO / "docs" / "fleet.md").read_text(encoding="utf-8")
    assert f"(fleet/{name})" in text, f"docs/fleet.md does not tell of {name}"
    assert os.access(path, os.R_OK)
    return path
