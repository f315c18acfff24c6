"""pidproxy: the reference's and ours with the same commands, signals and pid files."""

import os
import signal
import subprocess
import sys
import time

from harness import SCRIPTS, WAIT_SECS, binary, finish, popen, wait_for
from scenario import scenario

# Does what a daemon does: forks, leaves its child's pid in a file and ends. The child notes the signals it gets.
DAEMON = """\
import os, signal, sys, time
root = sys.argv[1]
def note(number, frame):
    with open(root + "/signals", "a") as notes:
        notes.write(signal.Signals(number).name + "\\n")
    if number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        sys.exit()
if os.fork():
    if sys.argv[2:] == ["stay"]:
        os.wait()
    sys.exit(3)
null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 1)
os.dup2(null, 2)
for each in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(each, note)
with open(root + "/new.pid", "w") as pidfile:
    pidfile.write("%d\\n" % os.getpid())
os.rename(root + "/new.pid", root + "/daemon.pid")
while True:
    signal.pause()
"""

PASSED_ON = ("SIGHUP", "SIGUSR1", "SIGUSR2")
LAST = ("SIGTERM", "SIGINT", "SIGQUIT")


def proxy(d):
    """The side's pidproxy."""
    tool = d.root / "bin" / "pidproxy"
    if not tool.exists():
        tool.symlink_to(SCRIPTS / "pidproxy" if d.side == "python" else binary())
    return str(tool)


def start(d, *command, **more):
    """Starts the proxy with the pid file daemon.pid."""
    return popen([proxy(d), str(d.root / "daemon.pid"), *command], cwd=d.root, env={**d.env, "PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def start_daemon(d, *args):
    """Starts the proxy with a program that becomes a daemon; returns when the daemon is there."""
    script = d.write("daemon.py", DAEMON)
    running = start(d, sys.executable, script, str(d.root), *args)
    wait_for(lambda: (d.root / "daemon.pid").exists(), "the daemon's pid file")
    return running


def signals(d):
    """The signals that the daemon has got."""
    return d.read("signals").split()


def ends(running):
    """The end of the proxy: (exit status, stdout, whether it complained)."""
    out, err = running.communicate(timeout=WAIT_SECS)
    return running.returncode, out, bool(err)


@scenario(config=None, start=False)
def test_usage(d):
    for args in ([], ["only-a-pid-file"]):
        status, out, err = finish([proxy(d), *args], WAIT_SECS, env=d.env)
        d.see("usage", (status, [line for line in out.splitlines() if "Usage:" in line], err))


@scenario(config=None, start=False)
def test_signals_reach_the_daemon(d):
    running = start_daemon(d, "stay")
    for name in PASSED_ON:
        before = len(signals(d))
        running.send_signal(getattr(signal, name))
        wait_for(lambda count=before + 1: len(signals(d)) == count, f"{name} at the daemon")
        assert running.poll() is None, f"{name} ended the proxy"
    running.send_signal(signal.SIGTERM)
    wait_for(lambda: "SIGTERM" in signals(d), "SIGTERM at the daemon")
    d.see("signals", signals(d))
    d.see("end", ends(running))


@scenario(config=None, start=False)
def test_last_signals_end_the_proxy(d):
    for name in LAST:
        running = start_daemon(d, "stay")
        running.send_signal(getattr(signal, name))
        d.see(name, ends(running))
        wait_for(lambda wanted=name: wanted in signals(d), f"{name} at the daemon")
        (d.root / "daemon.pid").unlink()


@scenario(config=None, start=False)
def test_ends_after_its_command(d):
    """It looks for the end of its command every five seconds, and does not care for its status."""
    began = time.monotonic()
    running = start_daemon(d)
    d.see("end", ends(running))
    assert time.monotonic() - began >= 5
    d.see("signals", signals(d))
    os.kill(int(d.read("daemon.pid")), signal.SIGTERM)


@scenario(config=None, start=False)
def test_pid_files(d):
    """Without a usable pid file it goes on; a process that is gone ends it."""
    running = start(d, "/bin/sh", "-c", "echo ready; exec sleep 60", start_new_session=True)
    assert running.stdout.readline() == "ready\n"
    for content in (None, "", "x", "1 2", "0x10"):
        if content is not None:
            d.write("daemon.pid", content)
        for name in ("SIGHUP", "SIGTERM"):
            running.send_signal(getattr(signal, name))
            d.see(f"{content} {name}", running.stdout.readline())
        assert running.poll() is None
    with popen(["/bin/true"]) as gone:
        gone.wait()
    d.write("daemon.pid", f" {gone.pid}\n")
    running.send_signal(signal.SIGHUP)
    running.wait(WAIT_SECS)
    os.killpg(running.pid, signal.SIGKILL)
    d.see("gone", ends(running)[::2])


@scenario(config=None, start=False)
def test_no_such_command(d):
    """Nothing is searched for in PATH, and a command that cannot be run is one that ended."""
    commands = ("sleep", "/no/such/command", "/", "")
    for command, running in [(command, start(d, command, "60")) for command in commands]:
        d.see(command, ends(running))


@scenario(config=None, start=False)
def test_what_the_command_starts_with(d):
    """Arguments, descriptors, signals, process group and environment of the command."""
    script = d.write("look.py", """\
import os, sys
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(sys.argv[1:], os.getcwd() == sys.argv[1], [fields[name].strip() for name in ("SigIgn", "SigBlk")],
      os.getpgid(0) == os.getpgid(os.getppid()), sorted(os.environ) == sorted(sys.argv[2].split()),
      sorted(os.listdir("/proc/self/fd"))[:3], flush=True)
""")
    os.symlink("/usr", d.root / "link")
    python = os.path.relpath(sys.executable, d.root)
    names = " ".join(sorted(set(d.env) | {"PYTHONUNBUFFERED"} | {"LC_CTYPE"} & set(os.environ)))
    running = start(d, python, script, str(d.root), names, "a b", "", preexec_fn=lambda: signal.signal(1, signal.SIG_IGN))
    # `..` is taken away before a link is followed.
    d.write("bin/true.sh", "#!/bin/sh\necho by text\n", 0o755)
    linked = start(d, "link/../bin/true.sh")
    out, err = running.communicate(timeout=WAIT_SECS)
    d.see("look", (running.returncode, out, err))
    d.see("link", ends(linked))


@scenario(config="""
[program:proxied]
command=%(here)s/bin/pidproxy %(here)s/daemon.pid %(ENV_PYTHON)s %(here)s/daemon.py %(here)s stay
autostart=false
stopsignal=INT
""")
def test_under_supervisor(d):
    proxy(d)
    d.write("daemon.py", DAEMON)
    d.rpc("supervisor.startProcess", "proxied")
    wait_for(lambda: (d.root / "daemon.pid").exists(), "the daemon's pid file")
    d.rpc("supervisor.signalProcess", "proxied", "HUP")
    wait_for(lambda: signals(d) == ["SIGHUP"], "SIGHUP at the daemon")
    d.see("stop", d.rpc("supervisor.stopProcess", "proxied"))
    wait_for(lambda: signals(d) == ["SIGHUP", "SIGINT"], "SIGINT at the daemon")
    d.see("status", d.rpc("supervisor.getProcessInfo", "proxied")["exitstatus"])
