#!/usr/bin/env python3
"""Redis, a Java and a node server behind scripts that do not exec them, stopped and started again and again: does each
life save before the next one begins or the daemon leaves? Run by hand, as root:

    compat-tests/faults/real_services.py BINARIES [--rounds N] [--services redis,java,node] [--modes stop,restart,docker]
        [--root ROOT] [--bind DIR]... [--keep]

BINARIES is the directory of supervisord and supervisorctl. Needs unshare and nsenter (util-linux), redis-server, nodejs, java
and javac. The modes mixed, process and control-group stop the daemon with `systemctl stop` under that KillMode of the packaged
unit: ROOT, a Debian root with systemd, redis-server, nodejs and a JRE, is booted in namespaces and in a cgroup of its own, and
left as it was; debootstrap makes ROOT when it is not there. What else the binaries need inside (the reference: its Python)
is said with --bind.

A life that ends counts as saved when its service has saved by the time the command returns (restart: before the next life is
up; docker: by the end of the daemon); the next one as started when supervisorctl said so and the service came up.
Ends with 0 when every life was saved and started.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from harness import REPO, free_port, wait_for

UNIT = REPO / "packaging" / "systemd" / "supervisord.service"
KILL_MODES = ("mixed", "process", "control-group")
ROOT_PACKAGES = "systemd,systemd-sysv,redis-server,nodejs,default-jre-headless"
# Generous for a busy machine; a service that could not have its port is back after two or three retries.
UP_SECS = 90

CONFIG = """\
[unix_http_server]
file={here}/s.sock
[supervisord]
logfile={here}/main.log
pidfile={here}/s.pid
childlogdir={here}
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{here}/s.sock
[program:service]
command={here}/run.sh
stopasgroup=true
killasgroup=true
stdout_logfile={here}/out.log
redirect_stderr=true
"""

JAVA = """\
import java.net.*;
import java.nio.file.*;

class Server {
    static void tell(String file, String word) throws Exception {
        Files.writeString(Path.of(file), word + "\\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    public static void main(String[] given) throws Exception {
        ServerSocket listener = new ServerSocket(Integer.parseInt(given[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                Thread.sleep(300);
                tell(given[1], "saved");
            } catch (Exception lost) {
                lost.printStackTrace();
            }
        }));
        tell(given[1], "up");
        while (true) listener.accept().close();
    }
}
"""

# Its own client keeps a connection open.
NODE = """\
const fs = require('fs'), http = require('http');
const [port, file] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const server = http.createServer((request, response) => response.end('here'));
server.keepAliveTimeout = 0;
process.on('SIGTERM', () => {
    server.close(() => setTimeout(() => {
        fs.appendFileSync(file, 'saved\\n');
        process.exit(0);
    }, 300));
    agent.destroy();
    server.closeIdleConnections();
});
server.listen(port, '127.0.0.1', () => http.get({ port, agent, host: '127.0.0.1' }, (response) => {
    response.resume();
    response.on('end', () => fs.appendFileSync(file, 'up\\n'));
}));
"""


class Server:
    """A service that appends `up` to a file once it serves and `saved` once it has saved."""

    def __init__(self, here):
        self.here = here
        self.port = free_port()

    def words(self):
        """`up` and `saved`, in the order in which the lives said them."""
        with contextlib.suppress(FileNotFoundError):
            return (self.here / "lives").read_text().split()
        return []

    def fill(self, life):
        """Gives this life something to save."""

    def kept(self, life):
        """Whether what `fill` gave is on disk."""
        return True


class Java(Server):
    """A shutdown hook that takes its time."""

    def command(self):
        """The command line, its files written."""
        source = self.here / "Server.java"
        source.write_text(JAVA)
        subprocess.run(["javac", "--release", "17", "-d", self.here, source], check=True)
        return f"java -Xmx64m -XX:TieredStopAtLevel=1 -cp {self.here} Server {self.port} {self.here}/lives"


class Node(Server):
    """Closes its connections and ends a little later."""

    def command(self):
        """The command line, its files written."""
        (self.here / "server.js").write_text(NODE)
        return f"node {self.here}/server.js {self.port} {self.here}/lives"


class Redis(Server):
    """Saves its database at shutdown."""

    # Redis 7.2 and later say it of each kind of socket.
    WORD = re.compile(r"(Ready to accept connections)(?! unix)|bye bye\.\.\.")

    def command(self):
        """The command line."""
        return (f"redis-server --port {self.port} --bind 127.0.0.1 --unixsocket {self.here}/redis.sock --dir {self.here} "
                f"--logfile {self.here}/redis.log")

    def words(self):
        """Read from its log."""
        with contextlib.suppress(FileNotFoundError):
            log = (self.here / "redis.log").read_text()
            return ["up" if found[1] else "saved" for found in self.WORD.finditer(log)]
        return []

    def fill(self, life):
        """Some thousand keys, the last one naming the life."""
        commands = [f"set key-{n} value-{n}\r\n" for n in range(3000)] + [f"set life {self._mark(life)}\r\n"]
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{self.here}/redis.sock")
            client.sendall("".join(commands).encode())
            answers = b""
            while answers.count(b"\r\n") < len(commands):
                answers += client.recv(65536)

    def kept(self, life):
        """Short strings stand in the dump as they are."""
        dump = self.here / "dump.rdb"
        return dump.exists() and self._mark(life).encode() in dump.read_bytes()

    @staticmethod
    def _mark(life):
        return f"life-{life:06}"


SERVICES = {"redis": Redis, "java": Java, "node": Node}


class Daemon:
    """A supervisord with one service, as process 1 of a pid namespace, and its client."""

    def __init__(self, binaries, here):
        self.here = here
        self.supervisord, self.supervisorctl = binaries / "supervisord", binaries / "supervisorctl"
        self.config = here / "supervisord.conf"
        self.process = None

    def start(self):
        """Does not wait until it serves."""
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", self.supervisord, "-n", "-c", self.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop(self):
        """What `docker stop` does, and waits for the end."""
        os.kill(only_child(self.process), signal.SIGTERM)
        self.process.wait(UP_SECS)

    def close(self):
        """Whatever state it is in."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ctl(self, *words):
        """What supervisorctl prints."""
        command = [self.supervisorctl, "-c", self.config, *words]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


class Unit(Daemon):
    """The same under the systemd of a machine."""

    def __init__(self, binaries, here, machine, kill_mode):
        super().__init__(binaries, here)
        self.machine = machine
        text = re.sub("ExecStart=.*", f"ExecStart={self.supervisord} -n -c {self.config}", UNIT.read_text())
        self.text = re.sub("KillMode=.*", f"KillMode={kill_mode}", text)

    def start(self):
        """Writes the unit anew each time: cheap, and nothing to remember."""
        self.machine.run("sh", "-c", "cat >/etc/systemd/system/supervisord.service", input=self.text)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", "supervisord")

    def stop(self):
        """Returns when systemd calls the unit stopped."""
        self.machine.run("systemctl", "stop", "supervisord")

    def close(self):
        """With what a KillMode may have left behind."""
        self.machine.run("systemctl", "kill", "--kill-whom=all", "--signal=KILL", "supervisord", check=False)
        self.machine.run("systemctl", "stop", "supervisord", check=False)


# Runs as process 1 of the new namespaces: $1 a directory to mount on, $2 the root, then what is to be seen inside.
# The kernel's settings and devices are not the machine's to change; its /tmp is not its own to clean.
BOOT = r"""
set -e
stage=$1 lower=$2; shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs "$stage"
cd "$stage"; mkdir upper work root
mount -t overlay -o "lowerdir=$lower,upperdir=$stage/upper,workdir=$stage/work" overlay root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
for unit in tmp.mount systemd-tmpfiles-setup.service systemd-tmpfiles-clean.timer; do
    ln -sf /dev/null etc/systemd/system/$unit
done
here=$1
for dir do
    mkdir -p ".$dir"; mount --bind "$dir" ".$dir"
    [ "$dir" = "$here" ] || mount -o remount,bind,ro ".$dir"
done
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt; exec env -i container=rounds PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target' >/dev/null 2>&1
"""


class Machine:
    """A Debian root booted in namespaces; it ends, with everybody in it, when its first process does."""

    def __init__(self, root, here, binds):
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        ours = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        tree = next(Path(mount[1]) for mount in mounts if mount[2] == "cgroup2")
        self.cgroup = tree / ours.lstrip("/") / here.name
        self.cgroup.mkdir()
        stage = here / "machine"
        stage.mkdir()
        spaces = ("--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "--kill-child")
        self.process = subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", BOOT, "boot", stage, root, here, *binds], stdin=subprocess.DEVNULL,
            preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text(str(os.getpid())))

    def wait_booted(self):
        """Until units can be started."""
        def booted():
            if self.process.poll() is not None:
                raise SystemExit("the root did not boot")
            first = only_child(self.process)
            if first is None or Path(f"/proc/{first}/comm").read_text() != "systemd\n":
                return False
            return self.run("systemctl", "is-active", "basic.target", check=False).stdout == "active\n"

        wait_for(booted, "the root boots")

    def run(self, *command, check=True, **more):
        """Runs a command in the machine."""
        return subprocess.run(
            ["nsenter", "--all", "--target", str(only_child(self.process)), *command], stdout=subprocess.PIPE,
            stderr=None if check else subprocess.DEVNULL, text=True, check=check, **more)

    def close(self):
        """Ends everybody and takes the cgroups away."""
        self.process.kill()
        self.process.wait()
        groups = [Path(place) for place, _, _ in os.walk(self.cgroup, topdown=False)]
        for group in groups:
            wait_for(lambda group=group: not (group / "cgroup.procs").read_text(), f"{group} is empty")
            group.rmdir()


def only_child(process):
    """The pid of the one child of `unshare --fork`, None until it is there."""
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(text[0]) if text else None


class Rounds:
    """Ends and begins the lives of one service in one mode, and counts."""

    def __init__(self, daemon, service, mode):
        self.daemon, self.service, self.mode = daemon, service, mode
        self.saved = self.started = 0

    def run(self, rounds):
        """Returns how many lives were saved, and how many were started again."""
        self.daemon.start()
        self._wait_running(0, 0)
        for life in range(1, rounds + 1):
            self._round(life)
        return self.saved, self.started

    def _round(self, life):
        self.service.fill(life)
        before, running = len(self.service.words()), self._running()
        self._stop()
        ended = self.service.words()[before:]
        said = self._start()
        if not self._wait_running(before, running):
            said = False
            self.daemon.ctl("start", "service")
            assert self._wait_running(before, running), f"{self.mode}: the service does not come back: {self.daemon.here}"
        words = self.service.words()[before:]
        kept = self.service.kept(life)
        in_time = words[0] == "saved" if self.mode == "restart" else ended == ["saved"]
        self.saved += in_time and kept
        self.started += said and words.count("up") == 1
        if not (in_time and kept and said):
            print(f"    life {life}: {ended} by then, {words} in all, kept {kept}, started {said}", file=sys.stderr)

    def _stop(self):
        if self.mode == "stop":
            self.daemon.ctl("stop", "service")
        elif self.mode != "restart":
            self.daemon.stop()

    def _start(self):
        """Whether it was started, by its own word; a daemon has none."""
        if self.mode in ("stop", "restart"):
            word = "start" if self.mode == "stop" else "restart"
            return "service: started" in self.daemon.ctl(word, "service")
        self.daemon.start()
        return True

    def _running(self):
        """How often the daemon has said that the service runs."""
        with contextlib.suppress(FileNotFoundError):
            return (self.daemon.here / "main.log").read_text().count("success: service entered RUNNING")
        return 0

    def _wait_running(self, before, running):
        """Waits until the service is up again and the daemon knows."""
        with contextlib.suppress(AssertionError):
            return wait_for(
                lambda: "up" in self.service.words()[before:] and self._running() > running, "up", UP_SECS)
        return False


def one(binaries, base, name, mode, rounds, machine):
    """The figures of one service in one mode, in a directory of their own."""
    here = Path(tempfile.mkdtemp(prefix=f"{name}-{mode}-", dir=base))
    service = SERVICES[name](here)
    script = here / "run.sh"
    script.write_text(f"#!/bin/sh\nulimit -c 0\n{service.command()}\necho ended\n")
    script.chmod(0o755)
    (here / "supervisord.conf").write_text(CONFIG.format(here=here))
    daemon = Unit(binaries, here, machine, mode) if machine else Daemon(binaries, here)
    try:
        return Rounds(daemon, service, mode).run(rounds)
    finally:
        daemon.close()


def options():
    """The command line."""
    def several(text):
        return text.split(",")

    parser = argparse.ArgumentParser(description="How often real services are saved and started again.")
    parser.add_argument("binaries", type=lambda text: Path(text).absolute())
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--services", type=several, default=list(SERVICES))
    parser.add_argument("--modes", type=several, default=["stop", "restart", "docker"])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--bind", action="append", default=[], type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the directory with logs and configurations")
    given = parser.parse_args()
    if given.root is None and set(given.modes) & set(KILL_MODES):
        parser.error("systemd needs --root")
    return given


def main():
    """Prints the table."""
    given = options()
    base = Path(tempfile.mkdtemp(prefix="real-services-"))
    with contextlib.ExitStack() as cleaning:
        if not given.keep:
            cleaning.callback(shutil.rmtree, base)
        machine = None
        if set(given.modes) & set(KILL_MODES):
            if not given.root.exists():
                include = f"--include={ROOT_PACKAGES}"
                subprocess.run(["debootstrap", "--variant=minbase", include, "stable", given.root], check=True)
            machine = Machine(given.root.absolute(), base, [given.binaries, *given.bind])
            cleaning.callback(machine.close)
            machine.wait_booted()
        print(f"{given.binaries}\n{'service':<8} {'mode':<14} {'saved':<9} started", flush=True)
        whole = True
        for mode in given.modes:
            for name in given.services:
                inside = machine if mode in KILL_MODES else None
                figures = one(given.binaries, base, name, mode, given.rounds, inside)
                saved, started = (f"{figure} of {given.rounds}" for figure in figures)
                print(f"{name:<8} {mode:<14} {saved:<9} {started}", flush=True)
                whole = whole and figures == (given.rounds, given.rounds)
    raise SystemExit(not whole)


if __name__ == "__main__":
    main()
