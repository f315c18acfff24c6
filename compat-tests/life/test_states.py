"""The life cycle of a process: what is logged, what state it ends in, what stops it."""

import os
import signal
import time

from harness import wait_for
from scenario import scenario

# With startsecs=0 the reference logs the way through RUNNING only if it looks before the program has ended.
NOT_ALWAYS_LOGGED = "success:"


@scenario("""
[program:always]
command=/bin/sh -c "echo run >> %(here)s/always; exit 0"
autorestart=true
startsecs=0
[program:never]
command=/bin/sh -c "echo run >> %(here)s/never; exit 1"
autorestart=false
startsecs=0
[program:unexpected0]
command=/bin/sh -c "echo run >> %(here)s/unexpected0; exit 0"
startsecs=0
[program:unexpected1]
command=/bin/sh -c "echo run >> %(here)s/unexpected1; exit 1"
autorestart=unexpected
startsecs=0
[program:codes]
command=/bin/sh -c "echo run >> %(here)s/codes; exit 7"
autorestart=unexpected
exitcodes=2,7
startsecs=0
""")
def test_autorestart_and_exit_codes(d):
    for name, runs in (("always", 3), ("unexpected1", 3), ("never", 1), ("unexpected0", 1), ("codes", 1)):
        d.wait_file(name, "run", runs)
    for name in ("never", "unexpected0", "codes"):
        d.wait_state(name, "EXITED")
        d.call("getProcessInfo", name)
        d.see("lines", d.log_lines(f"{name}\\b", without=NOT_ALWAYS_LOGGED))
        d.see("runs", d.read(name))
    d.wait_log("exited: always", 2)
    d.wait_log("exited: unexpected1", 2)
    for name in ("always", "unexpected1"):
        d.see(f"first lines of {name}", d.log_lines(f"{name}\\b", without=NOT_ALWAYS_LOGGED)[:4])


@scenario("""
[program:instant]
command=/bin/true
startsecs=0
autorestart=false
[program:killed]
command=/bin/sh -c "kill -9 $$"
startsecs=0
autorestart=false
[program:aborted]
command=/bin/sh -c "ulimit -c 0; kill -ABRT $$"
startsecs=0
autorestart=false
[program:realtime]
command=/bin/sh -c "kill -40 $$"
startsecs=0
autorestart=false
[program:high]
command=/bin/sh -c "exit 255"
startsecs=0
autorestart=false
""")
def test_startsecs_zero_always_passes_running(d):
    for name in ("instant", "killed", "aborted", "realtime", "high"):
        d.wait_state(name, "EXITED")
        d.call("getProcessInfo", name)
        d.see("lines", d.log_lines(f"{name}\\b", without=NOT_ALWAYS_LOGGED))


@scenario("""
[program:flaky]
command=/bin/sh -c "echo x >> %(here)s/tries; exit 1"
startretries=2
startsecs=20
""")
def test_backoff_to_fatal(d):
    d.wait_state("flaky", "FATAL")
    d.call("getProcessInfo", "flaky")
    d.see("lines", d.log_lines("flaky"))
    d.see("tries", d.read("tries"))
    d.call("stopProcess", "flaky")
    d.ctl("status")


@scenario("""
[program:missing]
command=/no/such/command
startretries=1
""")
def test_spawn_errors_to_fatal(d):
    d.wait_state("missing", "FATAL")
    d.call("getProcessInfo", "missing")
    d.see("lines", d.log_lines("missing|spawn"))


@scenario("""
[program:zero]
command=/bin/false
startretries=0
startsecs=20
autorestart=false
[program:clean]
command=/bin/true
startretries=0
startsecs=20
autorestart=true
""")
def test_too_quick_whatever_autorestart_says(d):
    for name in ("zero", "clean"):
        d.wait_state(name, "FATAL")
        d.call("getProcessInfo", name)
        d.see("lines", d.log_lines(name))


@scenario("""
[program:flaky]
command=/bin/false
startretries=100
startsecs=20
""")
def test_stop_and_start_in_backoff(d):
    d.wait_log("exited: flaky", 3)
    d.wait_state("flaky", "BACKOFF")
    d.call("stopProcess", "flaky")
    d.call("getProcessInfo", "flaky")
    d.see("lines", d.log_lines("flaky")[:6])


STUBBORN = """
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/stubborn.out
stopwaitsecs=2
startsecs=0
"""


@scenario(STUBBORN)
def test_sigkill_after_stopwaitsecs(d):
    d.wait_file("stubborn.out", "ready")
    d.call("stopProcess", "stubborn")
    d.call("getProcessInfo", "stubborn")
    d.see("lines", d.log_lines("stubborn"))


@scenario(STUBBORN)
def test_sigkill_at_shutdown(d):
    d.wait_file("stubborn.out", "ready")
    d.see("exit", d.stop())
    d.see("lines", d.log_lines())


FAMILY = """
[program:family]
command=/bin/sh -c "sleep 1000 & echo $! > %(here)s/grandchild; trap 'exit 0' TERM; echo ready; wait"
stdout_logfile=%(here)s/family.out
startsecs=0
"""


def grandchild(d):
    return int(d.wait_file("grandchild", r"\d+\n"))


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@scenario(FAMILY)
def test_a_grandchild_survives_a_plain_stop(d):
    d.wait_file("family.out", "ready")
    pid = grandchild(d)
    d.call("stopProcess", "family")
    d.see("grandchild", alive(pid))
    os.kill(pid, signal.SIGKILL)
    d.see("lines", d.log_lines("family"))


@scenario(FAMILY + "stopasgroup=true\n")
def test_stopasgroup(d):
    d.wait_file("family.out", "ready")
    pid = grandchild(d)
    d.call("stopProcess", "family")
    wait_for(lambda: not alive(pid), "the grandchild lives")
    d.see("state", d.rpc("supervisor.getProcessInfo", "family")["statename"])


@scenario("""
[program:family]
command=/bin/sh -c "trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $! > %(here)s/grandchild; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/family.out
startsecs=0
stopwaitsecs=1
killasgroup=true
""")
def test_killasgroup(d):
    pid = grandchild(d)
    d.call("stopProcess", "family")
    wait_for(lambda: not alive(pid), "the grandchild lives")
    d.see("lines", d.log_lines("family"))


@scenario("""
[program:family]
command=/bin/sh -c "trap '' TERM; sleep 1000 & echo $! > %(here)s/grandchild; while :; do sleep 0.05; done"
startsecs=0
stopwaitsecs=1
""")
def test_sigkill_without_killasgroup(d):
    pid = grandchild(d)
    d.call("stopProcess", "family")
    d.see("grandchild", alive(pid))
    os.kill(pid, signal.SIGKILL)
    d.see("lines", d.log_lines("family"))


TRAPPER = """
[program:{name}]
command=/bin/sh -c "for s in HUP INT QUIT TERM USR1 USR2; do trap \\"echo got $s; exit 0\\" $s; done; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/{name}.out
startsecs=0
stopsignal={signal}
"""


@scenario("".join(TRAPPER.format(name=f"p{n}", signal=signal_) for n, signal_ in enumerate(
    ("HUP", "SIGINT", "quit", "sigterm", "10", "USR2"))))
def test_stopsignals(d):
    for number in range(6):
        d.wait_file(f"p{number}.out", "ready")
    for number in range(6):
        d.call("stopProcess", f"p{number}")
        d.see("got", d.wait_file(f"p{number}.out", "got"))
    d.see("stopped", d.log_lines("stopped"))


@scenario("""
[program:slow]
command=/bin/sh -c "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/slow.out
startsecs=0
exitcodes=5
[program:odd]
command=/bin/sh -c "trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/odd.out
startsecs=0
""")
def test_levels_of_stopped_lines(d):
    """An expected exit code is logged at INFO, anything else at WARN."""
    for name in ("slow", "odd"):
        d.wait_file(f"{name}.out", "ready")
        d.call("stopProcess", name)
        d.call("getProcessInfo", name)
    d.see("lines", d.log_lines("stopped"))


@scenario("""
[program:worker]
command=/bin/cat
process_name=%(program_name)s-%(process_num)s-of-%(numprocs)d
numprocs=3
numprocs_start=7
startsecs=0
autostart=false
[program:fmt]
command=/bin/echo %(process_num)03d %(group_name)s %(program_name)s %(numprocs)s
process_name=%(group_name)s_%(process_num)x
numprocs=2
numprocs_start=15
autostart=false
startsecs=0
autorestart=false
stdout_logfile=%(here)s/%(program_name)s.%(process_num)d.out
[group:grp]
programs=fmt
""")
def test_numprocs(d):
    d.call("getAllProcessInfo")
    d.call("startProcessGroup", "grp", False)
    for number in (15, 16):
        d.see("echoed", d.wait_file(f"fmt.{number}.out", "\n"))
    d.call("getAllConfigInfo")


ORDERED = "".join(f"""
[program:p{name}]
command=/bin/sh -c "trap 'sleep 0.3; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/p{name}.out
startsecs=0
priority={priority}
""" for name, priority in (("low", 1), ("mid", 500), ("high", 900), ("default", 999)))


@scenario(ORDERED)
def test_groups_start_and_stop_by_priority(d):
    for name in ("low", "mid", "high", "default"):
        d.wait_file(f"p{name}.out", "ready")
    d.see("started", d.log_lines("spawned"))
    d.see("exit", d.stop())
    d.see("stopped", d.log_lines("stopped"))


@scenario(ORDERED + "[group:late]\nprograms=plow,phigh\npriority=2000\n[group:early]\nprograms=pdefault,pmid\npriority=1\n")
def test_group_priority_wins_over_program_priority(d):
    for name in ("low", "mid", "high", "default"):
        d.wait_file(f"p{name}.out", "ready")
    d.see("started", d.log_lines("spawned"))
    d.see("exit", d.stop())
    order = [line.split("stopped: ")[1].split()[0] for line in d.log_lines("stopped: ")]
    d.see("groups", [sorted(order[:2]), sorted(order[2:])])


@scenario("""
[program:flaky]
command=/bin/false
startretries=100
startsecs=20
""")
def test_shutdown_gives_up_on_backoff(d):
    d.wait_log("exited: flaky", 2)
    d.wait_state("flaky", "BACKOFF")
    d.see("exit", d.stop())
    d.see("lines", [line for line in d.log_lines("flaky|waiting|SIGTERM") if "spawned" not in line][-2:])


@scenario("""
[program:short]
command=/bin/sleep 1000
startsecs=1
""")
def test_startsecs_is_waited_for(d):
    began = time.monotonic()
    d.wait_state("short", "RUNNING")
    info = d.rpc("supervisor.getProcessInfo", "short")
    assert time.monotonic() - began < 50 and info["now"] - info["start"] >= 1
    d.see("lines", d.log_lines("short"))


@scenario("""
[program:exits]
command=/bin/sh -c "trap 'sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/exits.out
startsecs=0
autorestart=true
""")
def test_no_restart_after_a_stop(d):
    d.wait_file("exits.out", "ready")
    d.call("stopProcess", "exits", False)
    d.wait_state("exits", "STOPPED")
    d.call("getProcessInfo", "exits")
    d.see("lines", d.log_lines("exits"))


@scenario("""
[program:twice]
command=/bin/cat
startsecs=0
stopsignal=KILL
autostart=false
""")
def test_many_starts_and_stops(d):
    for _ in range(5):
        d.call("startProcess", "twice")
        d.call("stopProcess", "twice")
    d.see("lines", d.log_lines("twice"))


@scenario("""
[program:paused]
command=/bin/sleep 1000
startsecs=0
""")
def test_a_stopped_child_is_still_running(d):
    """SIGSTOP and SIGCONT change nothing for the supervisor."""
    d.wait_state("paused", "RUNNING")
    pid = d.pid_of("paused")
    os.kill(pid, signal.SIGSTOP)
    d.call("getProcessInfo", "paused")
    os.kill(pid, signal.SIGCONT)
    d.call("getProcessInfo", "paused")
    d.see("same", d.pid_of("paused") == pid)
