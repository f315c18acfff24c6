"""A program has ended when its process group has: what a service does between its leader's end and its own is not cut off."""

import os
import re
import shutil
import signal
from datetime import datetime

import pytest

from harness import FORKING, children, free_port, wait_for
from listeners import REJECTER
from scenario import scenario

# Takes its time to save when it is told to stop, and then lets its port go.
SERVICE = """\
import os, signal, socket, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
def stop(*_):
    time.sleep(float(sys.argv[3]))
    with open(sys.argv[2], "a") as saved:
        saved.write("saved\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
with open(sys.argv[2], "a") as saved:
    saved.write("up\\n")
while True:
    signal.pause()
"""

WRAPPED = """
[program:service]
command=%(here)s/run.sh
startsecs=0
autorestart=false
stopasgroup=true
killasgroup=true
stopwaitsecs=60
"""


def put_service(d, save_secs=0.3, quiet=False):
    """A service behind a script that does not exec it; `quiet`: without the program's pipes."""
    script = d.write("service.py", SERVICE)
    quietly = "exec </dev/null >/dev/null 2>&1\n" if quiet else ""
    command = f"{d.env['PYTHON']} {script} {free_port()} {d.root}/saved {save_secs}"
    d.write("run.sh", f"#!/bin/sh\n{quietly}{command}\necho ended\n", 0o755)


def lives(d):
    """How often the service came up, and how often it saved: each life the reference starts too early fails to bind."""
    words = d.read("saved").split()
    return words.count("up"), words.count("saved")


@scenario(WRAPPED, start=False, only="ours")
def test_a_service_behind_a_script_saves_before_it_counts_as_stopped(d):
    put_service(d)
    d.start()
    for life in range(1, 4):
        wait_for(lambda life=life: lives(d)[0] == life, lambda: d.read("saved"))
        d.call("stopProcess", "service")
        assert lives(d) == (life, life)
        d.call("startProcess", "service")
    wait_for(lambda: lives(d)[0] == 4, lambda: d.read("saved"))
    assert d.stop() == 0
    assert lives(d) == (4, 4)


@scenario(WRAPPED, start=False, only="ours")
def test_a_service_without_pipes_saves_before_it_counts_as_stopped(d):
    put_service(d, quiet=True)
    d.start()
    wait_for(lambda: lives(d)[0] == 1, lambda: d.read("saved"))
    d.call("stopProcess", "service")
    assert lives(d) == (1, 1)


@scenario(WRAPPED, start=False, only="ours")
def test_a_reload_waits_for_the_old_life(d):
    put_service(d)
    d.start()
    wait_for(lambda: lives(d)[0] == 1, lambda: d.read("saved"))
    d.signal(signal.SIGHUP)
    wait_for(lambda: lives(d)[0] == 2, lambda: d.read("saved"))
    assert d.read("saved").split() == ["up", "saved", "up"]


@scenario(WRAPPED, start=False, only="ours")
def test_process_one_of_a_container_leaves_after_its_services(d):
    """When process 1 of a pid namespace ends, the kernel kills everybody else: docker stop."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    put_service(d)
    d.start(wrap=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    wait_for(lambda: lives(d)[0] == 1, lambda: d.read("saved"))
    d.pid = children(d.process.pid)[0]
    os.kill(d.pid, signal.SIGTERM)
    d.wait_exit()
    assert lives(d) == (1, 1)


@scenario("""
[program:service]
command=/bin/sh -c "trap 'exit 0' TERM; (trap '' TERM; echo ready; exec sleep 1000) & wait; wait"
stdout_logfile=%(here)s/out
startsecs=0
stopasgroup=true
killasgroup=true
stopwaitsecs=2
""", only="ours")
def test_the_rest_of_a_group_is_named_and_killed_after_stopwaitsecs(d):
    d.wait_file("out", "ready")
    d.call("stopProcess", "service")
    text = d.log_text()
    assert re.search(r"INFO waiting for \d+ \(sleep\) of the process group of service to stop\n", text), text
    assert re.search(r"WARN service has ended, but of its process group live \d+ \(sleep\)\n", text), text
    assert re.search(r"WARN killing 'service' \(\d+\) with SIGKILL\n", text), text
    assert "leaves behind" not in text


@scenario("""
[program:leaver]
command=%(ENV_PYTHON)s -c "import os, signal; os.setpgid(0, os.getpgid(os.getppid())); open('%(here)s/left', 'w'); signal.pause()"
startsecs=0
stopasgroup=true
killasgroup=true
stopwaitsecs=3600
""", start=False, only="ours")
def test_a_program_that_left_its_process_group_is_stopped(d):
    """Its group has nobody to signal; it has."""
    d.start()
    d.wait_file("left")
    d.wait_state("leaver", "RUNNING")
    d.call("stopProcess", "leaver")
    d.call("startProcess", "leaver")
    assert d.stop() == 0


@scenario("""
[program:worker]
command=/bin/sh -c "sleep 0.1; exit 1"
startsecs=0
autorestart=true
""", only="ours")
def test_a_program_that_fails_soon_is_started_once_a_second(d):
    """The reference's loop has the same effect as long as nothing else wakes it."""
    d.wait_log("spawned: 'worker'", 5)
    times = [datetime.strptime(stamp, "%H:%M:%S,%f")
             for stamp in re.findall(r"(\d\d:\d\d:\d\d,\d+) INFO spawned: 'worker'", d.log_text())]
    # Both times are cut to milliseconds; midnight makes one difference negative.
    gaps = [(later - sooner).total_seconds() % 86400 for sooner, later in zip(times, times[1:])]
    assert min(gaps) > 0.95, gaps


@scenario("""
[program:a]
command=sleep 1000
autorestart=true
[program:b]
command=sleep 2000
autorestart=false
""", start=False, only="ours")
def test_a_pid_that_is_used_again_at_once(d):
    """Two programs end while the daemon is not looking; the one restarted first would get the pid of the other."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not os.path.exists("/proc/sys/kernel/ns_last_pid"):
        pytest.skip("needs root, unshare, and a kernel that can set the last pid")
    # In a namespace of its own nobody else takes pids.
    d.start(wrap=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    a, b = d.wait_state("a", "RUNNING")["pid"], d.wait_state("b", "RUNNING")["pid"]
    inside = ["nsenter", "--target", str(children(d.process.pid)[0]), "--pid", "--mount", "sh", "-c"]
    d.pid = children(d.process.pid)[0]
    os.kill(d.pid, signal.SIGSTOP)
    try:
        with FORKING:
            os.spawnvp(os.P_WAIT, inside[0], [*inside, f"kill -9 {a}; kill {b}; while [ -e /proc/{a}/exe ] || "
                                              f"[ -e /proc/{b}/exe ]; do :; done; "
                                              f"echo {b - 1} > /proc/sys/kernel/ns_last_pid"])
    finally:
        os.kill(d.pid, signal.SIGCONT)
    d.wait_log("exited: a .terminated by SIGKILL")
    d.wait_log("exited: b .terminated by SIGTERM")
    assert d.wait_state("b", "EXITED")["pid"] == 0
    d.wait_log("spawned: 'a'", 2)
    assert d.wait_state("a", "RUNNING")["pid"] not in (a, b)


@scenario("""
[program:crowd]
command=/bin/sh -c "sleep 0.1; exit 1"
process_name=%(program_name)s_%(process_num)d
numprocs=150
startsecs=0
autorestart=true
stdout_logfile=NONE
stderr_logfile=NONE
[program:steady]
command=/bin/sh -c "while :; do echo line; sleep 0.05; done"
stdout_logfile=%(here)s/steady
""", only="ours")
def test_a_storm_of_exits_starves_nobody(d):
    """Between a question and its answer, and between two reads of a pipe, only so many exits are handled."""
    d.wait_log("exited: crowd", 300)
    for _ in range(5):
        exits, lines = d.log_text().count("exited: crowd"), d.read("steady").count("line")
        assert d.rpc("supervisor.getState")["statename"] == "RUNNING"
        wait_for(lambda lines=lines: d.read("steady").count("line") > lines, "nothing is read")
        assert d.log_text().count("exited: crowd") - exits < 600


@scenario(start=False, only="ours")
def test_a_listener_that_always_rejects_is_held_back(d):
    listener = d.write("no.py", REJECTER)
    d.configure(f"[eventlistener:no]\ncommand={d.env['PYTHON']} {listener}\nevents=REMOTE_COMMUNICATION\n")
    d.start()
    d.wait_state("no", "RUNNING")
    d.rpc("supervisor.sendRemoteCommEvent", "kind", "data")
    d.wait_log("no: event was rejected", 25)
    stamps = re.findall(r"(\d\d:\d\d:\d\d,\d+) WARN no: event was rejected", d.log_text())
    first, last = (datetime.strptime(stamps[at], "%H:%M:%S,%f") for at in (15, 24))
    # Held back for 10, 20, 40 … milliseconds from the sixteenth on.
    assert (last - first).total_seconds() % 86400 > 2, stamps


@scenario(start=False, only="ours")
def test_a_flood_of_events_writes_few_lines(d):
    """A listener that takes nothing: every further event pushes out another one."""
    d.configure("[eventlistener:deaf]\ncommand=sleep 1000\nevents=REMOTE_COMMUNICATION\nbuffer_size=1\n")
    d.start()
    for _ in range(100):
        d.rpc("supervisor.sendRemoteCommEvent", "kind", "data")
    d.wait_log(r"pool deaf event buffer overflowed, discarding \d+ more events")

    def discarded():
        text = d.log_text()
        single = len(re.findall(r"overflowed, discarding event \d+", text))
        more = sum(map(int, re.findall(r"overflowed, discarding (\d+) more events", text)))
        return single + more == 99
    wait_for(discarded, d.log_text)
    assert len(re.findall(r"overflowed, discarding event \d+", d.log_text())) < 99


# Its helper stays until somebody takes the file away.
LINGER = """#!/bin/sh
(trap "" TERM; touch up; while [ -e up ]; do sleep 0.05; done) &
trap "exit 0" TERM
while true; do sleep 0.05; done
"""


@scenario("""
[program:service]
command=%(here)s/linger.sh
directory=%(here)s
startsecs=0
stopasgroup=true
stopwaitsecs=1000

[program:orphaning]
command=/bin/sh -c "(exec >/dev/null 2>&1; sleep 0.1) & exit"
startsecs=0
autostart=false
autorestart=false
""", start=False, only="ours")
def test_orphans_are_reaped_while_a_program_ends(d):
    """A child that is not reaped yet hides none of the others from process 1."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    d.write("linger.sh", LINGER, 0o755)
    d.start(wrap=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    d.pid = children(d.process.pid)[0]
    d.wait_file("up")
    d.rpc("supervisor.stopProcess", "service", False)
    d.wait_log("waiting for .* of the process group of service to stop")
    d.rpc("supervisor.startProcess", "orphaning")
    d.wait_log("reaped unknown pid")
    assert "stopped: service" not in d.log_text()
    (d.root / "up").unlink()
    d.wait_state("service", "STOPPED")
    os.kill(d.pid, signal.SIGTERM)
    d.wait_exit()
