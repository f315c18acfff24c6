"""Machines of one network on this one: each with its own addresses, ports and some directories of its own.

A machine is a network namespace, and a mount namespace for whatever runs in it. All of them hang on one that is called
`control`, which reaches them and is reached by them, and by nobody else.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from harness import LONG_SECS, finish, popen

CONTROL = "control"
# Directories that each machine has for itself.
OWN = ("/etc", "/opt", "/run", "/var/log")
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _why_not():
    """Why there can be no networks here; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "no ip here (Debian: iproute2)"
    name = f"sv{os.getpid()}-try"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        tried = subprocess.run(["ip", "netns", "exec", name, "sh", "-c", "mount --bind /tmp /run && ip link add svx type veth"],
                               capture_output=True, text=True, check=False)
        _ip("netns", "del", name)
    return tried.returncode and f"no network namespaces here: {tried.stderr.strip()}"


_REASON = _why_not()
NEEDS_NETWORKS = pytest.mark.skipif(bool(_REASON), reason=_REASON or "")


class Node:
    """One machine, with a directory for what is its own."""

    def __init__(self, name, namespace, root):
        self.name, self.namespace, self.root = name, namespace, root
        for place in OWN:
            (root / place.strip("/").replace("/", "-")).mkdir(parents=True)
        shutil.copytree("/etc", self.place("/etc"), symlinks=True, dirs_exist_ok=True)

    def place(self, path):
        """Where a path below one of its own directories is, seen from outside."""
        for own in OWN:
            if (path + "/").startswith(own + "/"):
                return self.root / own.strip("/").replace("/", "-") / path[len(own):].lstrip("/")
        raise AssertionError(f"{path} is not of its own")

    @property
    def words(self):
        """What to put before a command that is to run there."""
        mounts = " && ".join(f"mount --bind '{self.place(own)}' {own}" for own in OWN)
        return ["ip", "netns", "exec", self.namespace, "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def run(self, *command, env, timeout=LONG_SECS, **more):
        """Runs a command there to its end: (exit status, stdout, stderr)."""
        return finish([*self.words, *command], timeout, env=env, **more)

    def start(self, *command, env, output):
        """Starts a command there; what it prints goes to a file."""
        with open(output, "ab") as out:
            return popen([*self.words, *map(str, command)], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                         cwd=self.root)

    def visit(self, function):
        """Calls a function whose sockets are those of this machine, and returns what it returns."""
        outcome = []

        def go():
            with open(f"/run/netns/{self.namespace}", "rb") as there:
                if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), _CLONE_NEWNET):
                    outcome.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                outcome.append(function())
            except Exception as problem:
                outcome.append(problem)
        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]


@contextlib.contextmanager
def network(root, *names):
    """Machines with these names, {name: Node}, and one that is called `control`; all know each other's names."""
    prefix = f"sv{os.getpid()}-{next(_numbers)}"
    namespaces = {name: f"{prefix}-{name}" for name in (CONTROL, *names)}
    made = []
    try:
        for namespace in namespaces.values():
            _ip("netns", "add", namespace)
            made.append(namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        nodes = {name: Node(name, namespace, Path(root) / name) for name, namespace in namespaces.items()}
        for number, name in enumerate(names):
            _connect(namespaces[CONTROL], namespaces[name], f"v{number}", f"10.213.{number}")
            with open(nodes[CONTROL].place("/etc/hosts"), "a", encoding="ascii") as hosts:
                hosts.write(f"10.213.{number}.2 {name}\n")
            with open(nodes[name].place("/etc/hosts"), "a", encoding="ascii") as hosts:
                hosts.write(f"10.213.{number}.1 {CONTROL}\n")
        yield nodes
    finally:
        for namespace in made:
            _ip("netns", "del", namespace)


def _connect(control, namespace, link, subnet):
    """A cable between two namespaces."""
    _ip("-n", control, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    for where, name, end in ((control, link, 1), (namespace, "eth0", 2)):
        _ip("-n", where, "addr", "add", f"{subnet}.{end}/30", "dev", name)
        _ip("-n", where, "link", "set", name, "up")
