"""Starts a supervisord (the reference or ours) in a directory of its own, drives it and cleans up after it."""

import contextlib
import ctypes
import functools
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from pathlib import Path

import normalize

TESTS = Path(__file__).resolve().parent.parent
REPO = TESTS.parent
SCRIPTS = Path(sys.executable).parent
MARK = "COMPAT_ROOT"
READY_SECS = 60
WAIT_SECS = 60
ORPHAN_SECS = 20
# For what others' programs do at length, and for many cases at once.
LONG_SECS = 900
# A file being written while another thread forks cannot be executed until that fork's exec (ETXTBSY).
FORKING = threading.Lock()

BASE = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s
{extra}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
"""


def binary():
    """Our daemon, where cargo puts it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target")
    return Path(os.environ.get("SUPERVISORD_RS") or target / "release" / "supervisord").absolute()


def wait_for(condition, what, timeout=WAIT_SECS, pause=0.05):
    """Polls `condition` until it is true and returns its value; fails with `what` after `timeout` seconds.

    It looks once more when the time is over: a machine that stood still for as long has not looked at all.
    """
    deadline = time.monotonic() + timeout
    while True:
        late = time.monotonic() > deadline
        result = condition()
        if result:
            return result
        if late:
            raise AssertionError(f"waited {timeout} s in vain: {what() if callable(what) else what}")
        time.sleep(pause)


def popen(*args, **more):
    """subprocess.Popen, never between the opening and the closing of a file that will be executed."""
    with FORKING:
        return subprocess.Popen(*args, **more)


def finish(command, timeout, stdin=None, **more):
    """Runs a command to its end: (exit status, stdout, stderr)."""
    process = popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="backslashreplace", **more)
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"{command} did not end: {process.communicate()}") from None
    return process.returncode, out, Daemon.without_warning(err)


def become_subreaper():
    """Makes orphans of the daemons children of this process, so that none is lost."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def marked(root):
    """Pids of the living processes that were started, directly or not, for the directory `root`."""
    wanted = f"{MARK}={root}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as environ:
                if wanted in environ.read().split(b"\0"):
                    found.append(int(entry))
        except OSError:
            continue
    return found


def children(pid):
    """Pids of the children of a process, by all its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def wait_for_rest(pid):
    """Waits until the first thread of a process sleeps in a system call.

    Python notices a signal that comes between its prompt and the call that reads no sooner than the next key.
    """
    wait_for(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S", f"process {pid} to rest")


def command(pid):
    """The command line of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Daemon:
    """One daemon under test with its directory, and the record of what was observed of it."""

    def __init__(self, side):
        self.side = side
        self.root = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
        self.root.chmod(0o755)
        self.record = []
        self.process = None
        self.pid = None
        self.pids = {}
        self.allowed_leftovers = False
        self.config = self.root / "supervisord.conf"
        self.log = self.root / "main.log"
        self.socket = self.root / "s.sock"
        self.url = f"unix://{self.socket}"
        self.username = self.password = None
        self.places = [(str(self.root), "<ROOT>"), (str(SCRIPTS), "<SCRIPTS>")]
        self.env = {
            "PATH": f"{SCRIPTS}:/usr/local/bin:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", "/"),
            "USER": "tester",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "80",
            # Where child logs go by default; the daemon cleans that directory at its start.
            "TMPDIR": str(self.root),
            "PYTHON": sys.executable,
            MARK: str(self.root),
        }
        self.executable = self.root / "bin" / "supervisord"
        self.executable.parent.mkdir()
        self.install(self.executable)

    def install(self, where):
        """Puts the daemon under test at `where`, so that argv[0] is the same on both sides."""
        target = SCRIPTS / "supervisord" if self.side == "python" else binary()
        assert target.exists(), f"{target} is not built"
        where.symlink_to(target)

    # Configuration and files

    def configure(self, body, extra="", base=BASE):
        """Writes the configuration: a Unix socket, the logs in the directory, then `body`."""
        self.config.write_text(base.format(extra=extra) + body, encoding="utf-8")

    def write(self, name, content, mode=0o644):
        """Writes a file below the directory and returns its path as text."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with FORKING:
            path.write_text(content, encoding="utf-8")
            path.chmod(mode)
        return str(path)

    def read(self, name):
        """The text of a file below the directory; empty when there is none."""
        self.catch_up()
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="backslashreplace")
        except FileNotFoundError:
            return ""

    # The record

    def see(self, label, value):
        """Records an observation to be compared with the other side's, and returns it unchanged."""
        self.record.append((normalize.text(label, self.places), normalize.value(value, self.places)))
        return value

    def expect(self, label, value, python, ours):
        """Pins a known difference: `value` must be what this side is known to give."""
        wanted = python if self.side == "python" else ours
        got = normalize.value(value, self.places)
        if callable(wanted):
            assert wanted(got), f"{label}: {self.side} gave {got!r}"
        else:
            assert got == wanted, f"{label}: {self.side} gave {got!r}, known is {wanted!r}"

    # Life

    def run(self, *args, timeout=WAIT_SECS, cwd=None, env=None):
        """Runs the daemon's command to its end: (exit status, stdout, stderr)."""
        return finish([self.executable, *args], timeout, cwd=cwd or self.root, env={**self.env, **(env or {})})

    @staticmethod
    def without_warning(stderr):
        """Python's stderr without the deprecation warning of the reference's import of pkg_resources."""
        return re.sub(r"(?m)^.*UserWarning: pkg_resources is deprecated.*\n.*\n", "", stderr)

    def start(self, *args, options=("-n",), wrap=(), ready=True, cwd=None, env=None, preexec=None, config=True):
        """Starts the daemon in the foreground and waits until it answers."""
        words = [*wrap, str(self.executable), *(("-c", str(self.config)) if config else ()), *options, *args]
        with open(self.root / "stdout", "ab") as out, open(self.root / "stderr", "ab") as err:
            self.process = popen(
                words, cwd=cwd or self.root, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, start_new_session=True, preexec_fn=preexec)
        self.pid = self.process.pid
        if ready:
            self.wait_ready()
            self.pid = self.rpc("supervisor.getPID")
        return self

    def answers(self):
        """Whether the daemon answers and is in the RUNNING mood."""
        try:
            return self.rpc("supervisor.getState")["statecode"] == 1
        except (OSError, xmlrpc.client.Error, http.client.HTTPException):
            return False

    def wait_ready(self):
        """Waits until the daemon answers; fails at once when it has exited."""
        def ready():
            if self.process and self.process.poll() not in (None, 0):
                raise AssertionError(f"the daemon exited with {self.process.returncode}: {self.read('stdout')} "
                                     f"{self.read('stderr')}")
            return self.answers()
        wait_for(ready, lambda: f"not ready: {self.read('stdout')} {self.read('stderr')}", READY_SECS)
        self.catch_up()

    def nudge(self):
        """Wakes the reference's loop, which otherwise sleeps up to a second."""
        with socket.socket(socket.AF_UNIX) as knock:
            try:
                knock.connect(str(self.socket))
            except OSError:
                pass

    def signal(self, number):
        """Sends the daemon a signal and wakes its loop."""
        os.kill(self.pid, number)
        self.nudge()

    def wait_exit(self, timeout=WAIT_SECS):
        """Waits for the daemon's end and returns its exit status."""
        def gone():
            self.nudge()
            return self.process.poll() is not None
        wait_for(gone, lambda: f"still alive: {self.read('main.log')[-2000:]}", timeout)
        return self.process.returncode

    def stop(self):
        """Shuts the daemon down with SIGTERM and returns its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait_exit()

    def close(self):
        """Ends everything that was started and removes the directory; tells what should not have been left."""
        complaint = None
        try:
            if self.process is not None and self.process.poll() is None:
                if self.pid and self.pid != self.process.pid and Path(f"/proc/{self.pid}").exists():
                    os.kill(self.pid, signal.SIGTERM)
                else:
                    self.process.terminate()
                self.wait_exit()
        except (AssertionError, OSError) as problem:
            complaint = str(problem)
        self._let_orphans_end()
        left = self._end_marked()
        if left and not self.allowed_leftovers and not complaint:
            complaint = f"left behind after the daemon's end: {left}"
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
        return complaint

    def _let_orphans_end(self):
        """Gives what programs left behind, and what ends by itself in a moment, that moment."""
        deadline = time.monotonic() + ORPHAN_SECS
        while not self.allowed_leftovers and time.monotonic() < deadline:
            for pid in marked(self.root):
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            mine = self.process.pid if self.process is not None else None
            if all(pid == mine for pid in marked(self.root)):
                return
            time.sleep(0.01)

    def _end_marked(self):
        """Kills what is left of the directory's processes; returns the command lines of what was alive."""
        mine = self.process.pid if self.process is not None else None
        left = []
        deadline = time.monotonic() + WAIT_SECS
        while pids := marked(self.root):
            for pid in pids:
                try:
                    what = command(pid).replace(b"\0", b" ").decode(errors="backslashreplace")
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
                left.append(what)
                if pid != mine:
                    try:
                        os.waitpid(pid, 0)
                    except ChildProcessError:
                        pass
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return left

    # XML-RPC

    def rpc(self, method, *args):
        """Calls a method on a connection of its own and returns its result."""
        from supervisor.xmlrpc import SupervisorTransport
        transport = SupervisorTransport(self.username, self.password, self.url)
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return functools.reduce(getattr, method.split("."), proxy)(*args)
        finally:
            transport.close()

    def outcome(self, method, *args):
        """Calls a method and returns its result, or the fault or HTTP error it ended with."""
        try:
            return self.rpc(method if "." in method else f"supervisor.{method}", *args)
        except (xmlrpc.client.Fault, xmlrpc.client.ProtocolError) as failure:
            return failure

    def call(self, method, *args):
        """Calls a method, records how it ended and returns that."""
        return self.see(f"{method}{args!r}", self.outcome(method, *args))

    def call_unordered(self, method, *args):
        """Like `call` for an array of results whose order depends on the speed of the machine."""
        results = self.outcome(method, *args)
        ordered = sorted(results, key=repr) if isinstance(results, list) else results
        return self.see(f"{method}{args!r}, any order", ordered)

    def wait_state(self, name, *states):
        """Waits until the process is in one of the states and returns its information.

        A process counts only after its exec: before, the reference's children lose the signals they are sent, and ours
        may be on their way to become a user.
        """
        def there():
            info = self.rpc("supervisor.getProcessInfo", name)
            words = command(info["pid"]) if info["pid"] else None
            if info["statename"] not in states or words is not None and (
                    words == command(self.pid) or words.startswith(b"supervisord-become\0")):
                return None
            return info
        return wait_for(there, lambda: f"{name} is {self.rpc('supervisor.getProcessInfo', name)}, not {states}")

    def pid_of(self, name):
        """The pid of a process of the daemon."""
        return self.rpc("supervisor.getProcessInfo", name)["pid"]

    def note_pid(self, name):
        """Remembers a process's pid for `kill`, for when the daemon no longer tells."""
        self.pids[name] = self.pid_of(name)

    def kill(self, name):
        """Kills a noted process behind the daemon's back."""
        os.kill(self.pids[name], signal.SIGKILL)
        self.nudge()

    # Logs

    def log_text(self):
        """The main log so far."""
        return self.read("main.log")

    def catch_up(self):
        """Waits until ours has written what it logged so far: it writes on another thread, and reads there too."""
        if self.side == "ours" and self.process is not None and self.process.poll() is None:
            try:
                self.rpc("supervisor.readLog", 0, 1)
            except (OSError, http.client.HTTPException, xmlrpc.client.Error):
                pass  # on its way down; the log is complete when it has exited

    def wait_log(self, pattern, count=1):
        """Waits until `pattern` (a regular expression) was logged `count` times."""
        def there():
            self.nudge()
            return len(re.findall(pattern, self.log_text())) >= count
        wait_for(there, lambda: f"{pattern!r} x{count} in {self.log_text()[-3000:]}")

    def wait_file(self, name, pattern="", count=1):
        """Waits until a file has the pattern (or exists) and returns its text."""
        def there():
            self.nudge()
            return (self.root / name).exists() and len(re.findall(pattern, self.read(name))) >= count
        wait_for(there, lambda: f"{pattern!r} in {name}: {self.read(name)[-2000:]!r}")
        return self.read(name)

    def log_lines(self, pattern="", without=r"waiting for .* to (stop|die)"):
        """The lines of the main log that have the pattern, without their times.

        The reports of waiting come or not with the speed of the machine and are left out.
        """
        lines = [line for line in self.log_text().splitlines()
                 if re.search(pattern, line) and not re.search(without, line)]
        return [line for line in (normalize.text(line, self.places) for line in lines) if line]

    # supervisorctl

    def ctl(self, *args, stdin=None, see=True, config=True, timeout=WAIT_SECS):
        """Runs the reference's supervisorctl against the daemon: (exit status, stdout, stderr)."""
        words = [SCRIPTS / "supervisorctl", *(("-c", self.config) if config else ()), *args]
        result = finish(words, timeout, stdin, cwd=self.root, env=self.env)
        if see:
            self.see(f"supervisorctl {' '.join(map(str, args))}", result)
        return result

    def terminal(self, *args):
        """supervisorctl on a terminal, as a pexpect child."""
        import pexpect
        with FORKING:
            return pexpect.spawn(
                str(SCRIPTS / "supervisorctl"), ["-c", str(self.config), *args], env={**self.env, "TERM": "dumb"},
                encoding="utf-8", timeout=WAIT_SECS, cwd=str(self.root), echo=False)

    # HTTP

    def connect(self):
        """A connection to the Unix socket."""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(WAIT_SECS)
        stream.connect(str(self.socket))
        return stream

    def http(self, request, see=True):
        """Sends one request as text on a connection of its own: (status line, headers, body)."""
        stream = self.connect()
        try:
            # A server may refuse what it has not read to the end; its answer is there to be read all the same.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stream.sendall(request if isinstance(request, bytes) else request.encode())
            head = request.split(None, 1)[0] in ("HEAD", b"HEAD")
            answer = read_response(stream.makefile("rb"), has_body=not (head and self.side == "ours"))
        finally:
            stream.close()
        if see:
            first = request.splitlines()[0]
            self.see(first if isinstance(first, str) else first.decode(), answer)
        return answer


def read_response(stream, has_body=True):
    """Reads one HTTP response: (status line, headers by lower-case name, body).

    The reference sends a body even in answer to HEAD; ours does not (QUIRKS.md: HTTP).
    """
    status = stream.readline().decode().strip()
    headers = {}
    while (line := stream.readline().decode().strip()):
        name, _, content = line.partition(":")
        headers[name.lower()] = content.strip()
    for volatile in ("date", "server"):
        headers.pop(volatile, None)
    length = headers.get("content-length")
    body = stream.read(int(length)) if length is not None and has_body else b""
    return status, headers, body.decode("utf-8", "backslashreplace")


_held_ports = []


def free_port():
    """A TCP port of the loopback interface that nobody else is given while the tests run.

    It is bound, but never listened at, so that connections are refused; daemons may listen there (`SO_REUSEADDR`).
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _held_ports.append(holder)
    return holder.getsockname()[1]
