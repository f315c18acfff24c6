"""A root with a layer of its own over a base, in namespaces of its own, and what runs in it.

`Container` is used by a process that is alone in its mount and PID namespaces (`apart`). What the recipe does then needs no
cleaning up: it ends with the namespace.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

# Variables by which this machine's tools find the network; what they name is given to the roots, never written down.
NETWORK = re.compile(r"(?i)(https?|no|ftp|all)_proxy$|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|DEFAULT_TIMEOUT|TRUSTED_HOST)$"
                     r"|SSL_CERT_(FILE|DIR)$|CURL_CA_BUNDLE$|REQUESTS_CA_BUNDLE$")
CONFIGURATION = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/apt/auth.conf", "/etc/apt/auth.conf.d", "/etc/apt/apt.conf.d/99artifact-registry",
                 "/etc/ssl/certs/ca-certificates.crt")
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RUN_SECS = 900


def apart(words):
    """The command line that runs another in mount and PID namespaces of its own."""
    return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private", *words]


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def network_environment():
    return {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}


class Container:
    """A base with a layer; `scratch` is an empty directory for both."""

    def __init__(self, base, scratch):
        self.env = {"PATH": PATHS, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        self.workdir = "/"
        self.root = scratch / "root"
        for name in ("upper", "work", "root"):
            (scratch / name).mkdir()
        mount("-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={scratch}/upper,workdir={scratch}/work", self.root)
        mount("-t", "proc", "proc", self.root / "proc")
        mount("--rbind", "/dev", self.root / "dev")
        mount("-t", "tmpfs", "tmpfs", self.root / "run")
        for place in CONFIGURATION:
            self.bring(place)
        for place in network_environment().values():
            # A directory of packages that lies on this machine.
            if place.startswith("/") and Path(place).is_dir() and not place.startswith("/etc"):
                (self.root / place[1:]).mkdir(parents=True, exist_ok=True)
                mount("--bind", place, self.root / place[1:])

    def bring(self, place):
        """Copies a file or directory of this machine to the same place."""
        there = self.root / place[1:]
        if os.path.isdir(place):
            shutil.copytree(place, there, dirs_exist_ok=True)
        elif os.path.exists(place):
            there.parent.mkdir(parents=True, exist_ok=True)
            if there.is_symlink():
                there.unlink()
            shutil.copy(place, there)

    def run(self, words, check=True):
        """Runs a command to its end and returns it with its output; fails with the output if it fails."""
        env = {**network_environment(), **self.env}
        inside = ["chroot", str(self.root), "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *words]
        done = subprocess.run(inside, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=RUN_SECS)
        if check and done.returncode != 0:
            raise SystemExit(f"{shlex.join(words)} exited with {done.returncode}:\n{done.stdout[-4000:]}")
        return done

    def start(self, words, output):
        """Starts what the container is for: process one of a PID namespace, without a network."""
        inside = 'ip link set lo up && mount -t proc proc "$0/proc" && cd "$0" && root=$0 work=$1 && shift && ' \
                 'exec chroot "$root" /bin/sh -c \'cd "$0" && exec "$@"\' "$work" "$@"'
        # A pipe, as container runtimes give it; who reads it ends when nobody writes any more.
        with open(output, "wb") as log:
            reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        with reader.stdin:
            return subprocess.Popen(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "/bin/sh", "-c",
                                     inside, str(self.root), self.workdir, *words], env=self.env, stdin=subprocess.DEVNULL,
                                    stdout=reader.stdin, stderr=subprocess.STDOUT)

    def beside(self, pid, words):
        """Runs a command where the process with this pid is."""
        spaces = ["nsenter", f"--target={pid}", "--net", "--mount", "--pid"]
        inside = ["chroot", str(self.root), "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *words]
        return subprocess.run([*spaces, *inside], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=RUN_SECS)


def processes():
    """Everything that runs in our PID namespace: pid → (parent, user, arguments)."""
    found = {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            stat = (place / "stat").read_text().rpartition(")")[2].split()
            words = (place / "cmdline").read_bytes().split(b"\0")[:-1]
            found[int(place.name)] = (int(stat[1]), place.stat().st_uid, [os.fsdecode(word) for word in words])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def daemons():
    """The executables of everything that runs as supervisord: an interpreter is the reference's."""
    found = set()
    for pid, (_, _, words) in processes().items():
        if words and re.match(r"supervisord( |$)", shape(words)):
            found.add(Path(f"/proc/{pid}/exe").resolve().name)
    return found


def below(pid):
    """The processes below one, as `ps` would show them: nested lists of (arguments, user, children)."""
    table = processes()

    def children(parent):
        listed = [(shape(words), user, children(child)) for child, (its, user, words) in table.items() if its == parent and words]
        return sorted(listed)

    return children(pid)


def shape(words):
    """A command line without what differs between two installations: the interpreter and directory of our commands."""
    if re.fullmatch(r"(.*/)?python[0-9.]*", words[0]):
        # `python -m supervisor.supervisord`, or the script by its path.
        if words[1:3] == ["-m", "supervisor.supervisord"]:
            words = ["/supervisord", *words[3:]]
        elif len(words) > 1 and re.search(r"/(supervisord|pidproxy|supervisor/supervisord\.py)$", words[1]):
            words = [words[1].removesuffix(".py"), *words[2:]]
    if re.search(r"/(supervisord|pidproxy)$", words[0]):
        words = [words[0].rpartition("/")[2], *words[1:]]
    return shlex.join(words)


def stop(process, pid, seconds=60):
    """Stops what the container is for, as `docker stop` does, and returns its exit status."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    status = process.poll()
    if status is None:
        process.kill()
        process.wait()
    return status
