"""A machine of its own: a Debian root with booted systemd, made by debootstrap and systemd-nspawn."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target")
ROOTS = Path(os.environ.get("BOOTED_ROOTS") or TARGET / "booted").absolute()
BOOT_SECS = 120
# What a root has besides the least: who is asked whether anything differs.
INCLUDED = "systemd,systemd-sysv,dbus,python3,procps"
EXTRA = ["ansible", "rpm"]
# Of what may be installed later the packages are there, because a machine has no network.
LATER = ["supervisor"]


def check_host():
    """Ends with what is missing, if anything."""
    missing = [tool for tool in ("debootstrap", "systemd-nspawn", "nsenter", "apt-get") if not shutil.which(tool)]
    if missing:
        sys.exit(f"please install {', '.join(missing)}")
    if os.geteuid() != 0:
        sys.exit("only root can boot machines")


def run(*words, **more):
    """Runs a command of the host and returns what it says; an error shows that."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in words)} failed:\n{done.stdout}")
    return done.stdout


def mirror():
    """Where apt of this machine finds Debian's packages."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    uris = [uri for uri in targets.split() if uri.rstrip("/").endswith("/debian")]
    if not uris:
        sys.exit("apt knows no mirror of Debian: put one into its sources")
    return uris[0]


def tarball(suite):
    """The root of a suite with nothing of ours in it, made at its first use."""
    path = ROOTS / f"{suite}.tar"
    if path.exists():
        return path
    ROOTS.mkdir(parents=True, exist_ok=True)
    print(f"making a root of {suite}, once", flush=True)
    with tempfile.TemporaryDirectory(dir=ROOTS) as scratch:
        root = Path(scratch) / "root"
        run("debootstrap", "--variant=minbase", f"--include={INCLUDED}", suite, root, mirror())
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        apt = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qy", "--no-install-recommends"]
        run("mount", "-t", "proc", "proc", root / "proc")
        try:
            run(*apt, "update")
            run(*apt, "install", *EXTRA)
            run(*apt, "install", "--download-only", *LATER)
        finally:
            run("umount", root / "proc")
        run("tar", "-C", root, "-cf", f"{path}.new", ".")
    os.rename(f"{path}.new", path)
    return path


class Machine:
    """One booted root; to be closed."""

    def __init__(self, suite, packages):
        self.scratch = Path(tempfile.mkdtemp(dir=ROOTS))
        self.root = self.scratch / "root"
        self.root.mkdir()
        self.packages = packages
        self.process = self.leader = None
        run("tar", "-C", self.root, "-xf", tarball(suite))

    def __enter__(self):
        try:
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def boot(self):
        """Boots it and waits until systemd says that it is up."""
        # Where the host still has the hierarchies of cgroup v1, nspawn goes by the release inside, and newer ones refuse
        # those unless they are told that this is meant.
        env = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        console = open(self.scratch / "console", "ab")
        with console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network",
                 f"--directory={self.root}", f"--machine={self.scratch.name.replace('_', '-')}",
                 f"--bind-ro={self.packages}:/packages"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=env, start_new_session=True)
        deadline = time.monotonic() + BOOT_SECS
        while time.monotonic() < deadline and self.process.poll() is None:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            with contextlib.suppress(OSError, ValueError, IndexError):
                self.leader = int(children.read_text().split()[0])
                status, out = self.try_run("systemctl", "is-system-running")
                if out.strip() in ("running", "degraded"):
                    return
            time.sleep(0.2)
        said = (self.scratch / "console").read_text(errors="replace")[-3000:]
        sys.exit("systemd does not boot in a container here (it needs writable cgroups and all namespaces). The console "
                 f"said:\n{said}")

    def close(self):
        """Switches it off and removes it."""
        if self.process and self.process.poll() is None:
            if self.leader:
                self.try_run("systemctl", "poweroff")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def try_run(self, *words, **env):
        """Runs a command in it: (exit status, what it says)."""
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                     "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **env}
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-a", "--", "env", "-i", *(f"{k}={v}" for k, v in variables.items()), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            check=False, timeout=600)
        return done.returncode, done.stdout

    def run(self, *words, **env):
        """Runs a command that has to end with 0 and returns what it says."""
        status, out = self.try_run(*words, **env)
        assert status == 0, f"{' '.join(words)} ended with {status}:\n{out}"
        return out

    def sh(self, line):
        """Runs a line of shell that has to end with 0."""
        return self.run("sh", "-ec", line)

    def apt(self, *words):
        """One command of apt, which nobody answers questions of."""
        return self.run("apt-get", "-qy", *words)

    def path(self, name):
        """A file of it, as the host sees it."""
        return Path(f"{self.root}{name}")

    def text(self, name):
        """The text of a file; empty when there is none."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def write(self, name, text, mode=0o644):
        """Writes a file."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def wait(self, condition, what, timeout=60):
        """Waits until a condition is true, and returns its value."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what() if callable(what) else what}"
            time.sleep(0.1)

    def show(self, service, name):
        """A property of a service."""
        return self.run("systemctl", "show", "--value", "-p", name, service).strip()


class Watch(threading.Thread):
    """Measures for how long the daemon behind a Unix socket did not answer."""

    def __init__(self, machine, path):
        super().__init__(daemon=True)
        self.path = f"/proc/{machine.leader}/root{path}"
        self.gaps, self.over = [], threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        last = time.monotonic()
        while not self.over.wait(0.01):
            if self.answers():
                now = time.monotonic()
                self.gaps.append(now - last)
                last = now

    def answers(self):
        """Whether it serves a page."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as link:
            link.settimeout(1)
            try:
                link.connect(self.path)
                connection = http.client.HTTPConnection("localhost")
                connection.sock = link
                connection.request("GET", "/mainlogtail-is-not-here")
                return connection.getresponse().status > 0
            except (OSError, http.client.HTTPException):
                return False

    @property
    def downtime(self):
        """The longest time without an answer, in seconds."""
        return max(self.gaps, default=0)


def states(text):
    """The names and states of `supervisorctl status`."""
    return dict(re.findall(r"^(\S+)\s+([A-Z]+)\b", text, re.M))
