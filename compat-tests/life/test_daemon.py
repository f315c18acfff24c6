"""The daemon itself: daemonizing, pid file, sockets, signals, restarts, orphans."""

import os
import re
import signal
import socket
import stat
from pathlib import Path

from harness import children, wait_for
from scenario import scenario

CAT = """
[program:cat]
command=/bin/cat
startsecs=0
stopsignal=KILL
"""


@scenario(CAT)
def test_pid_file_and_socket_come_and_go(d):
    d.see("pid file", d.read("s.pid") == f"{d.process.pid}\n")
    d.see("pid file mode", oct((d.root / "s.pid").stat().st_mode))
    d.see("socket mode", oct(d.socket.stat().st_mode))
    d.see("log mode", oct(d.log.stat().st_mode))
    d.see("exit", d.stop())
    d.see("left", sorted(name for name in os.listdir(d.root) if not name.startswith("cat-std")))


@scenario("""
[program:cat]
command=/bin/cat
stderr_logfile=%(here)s/umask
[program:um]
command=/bin/sh -c "umask; pwd; exec sleep 1000"
stdout_logfile=%(here)s/um.out
startsecs=0
""", start=False, extra="umask=027\ndirectory=/")
def test_daemonize(d):
    d.start(options=(), ready=False)
    d.see("exit of the parent", d.wait_exit())
    d.wait_ready()
    pid = d.pid = d.rpc("supervisor.getPID")
    try:
        d.see("session leader", os.getsid(pid) == pid)
        d.see("directory", os.readlink(f"/proc/{pid}/cwd"))
        d.see("stdio", [os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)])
        status = Path(f"/proc/{pid}/status").read_text()
        d.see("umask", re.search(r"Umask:\t(\d+)", status)[1])
        d.see("terminal", Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4])
        d.see("child", d.wait_file("um.out", "\n.*\n"))
        d.see("pid file", d.read("s.pid") == f"{pid}\n")
        d.see("stdout", d.read("stdout"))
        d.see("lines", d.log_lines("daemon"))
        d.call("getState")
    finally:
        os.kill(pid, signal.SIGTERM)
        d.see("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    d.see("left", sorted(name for name in os.listdir(d.root) if name.startswith("s.")))


@scenario(CAT, start=False)
def test_umask_in_the_foreground_is_left_alone(d):
    d.configure("[program:um]\ncommand=/bin/sh -c \"umask; exec sleep 1000\"\nstdout_logfile=%(here)s/um.out\n"
                "startsecs=0\n", extra="umask=027\ndirectory=/")
    d.start()
    d.see("child", d.wait_file("um.out", "\n"))


@scenario(CAT)
def test_second_daemon_on_the_same_socket(d):
    second = d.root / "second.conf"
    second.write_text(d.config.read_text().replace("main.log", "second.log").replace("s.pid", "second.pid"))
    d.see("refusal", d.run("-n", "-c", second))
    d.see("its log", re.sub(r"\d{4}-\S+ \S+ ", "", d.read("second.log")).replace(str(d.root), "<ROOT>"))
    d.call("getState")
    d.see("its pid file", (d.root / "second.pid").exists())


@scenario(CAT, start=False)
def test_stale_socket_is_taken_over(d):
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(d.socket))
    d.start()
    d.call("getState")
    d.see("lines", d.log_lines("nlink|socket"))


@scenario(CAT, start=False)
def test_socket_path_that_is_a_file(d):
    d.write("s.sock", "not a socket")
    d.start()
    d.see("is a socket", stat.S_ISSOCK(d.socket.stat().st_mode))


@scenario(CAT, start=False)
def test_port_in_use(d):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        d.configure(CAT + f"[inet_http_server]\nport=127.0.0.1:{port}\n")
        status, out, err = d.run("-n", "-c", d.config)
        d.see("refusal", (status, out.replace(str(port), "<PORT>"), err.replace(str(port), "<PORT>")))


@scenario(CAT, start=False)
def test_socket_that_cannot_be_made(d):
    d.config.write_text(d.config.read_text().replace("file=%(here)s/s.sock", "file=%(here)s/none/s.sock"))
    d.see("refusal", d.run("-n", "-c", d.config))


@scenario(CAT, start=False)
def test_exit_signals(d):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        d.log.unlink(missing_ok=True)
        d.start()
        d.wait_state("cat", "RUNNING")
        d.signal(number)
        d.see(f"exit by {number.name}", d.wait_exit())
        d.see("lines", d.log_lines())


@scenario(CAT)
def test_other_signals_are_ignored(d):
    d.wait_state("cat", "RUNNING")
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG):
        d.signal(number)
        d.call("getState")
    d.see("lines", d.log_lines("received"))


@scenario(CAT)
def test_sighup_restarts_with_the_same_pid(d):
    d.wait_state("cat", "RUNNING")
    before = d.rpc("supervisor.getPID"), d.pid_of("cat")
    d.configure(CAT + "[program:new]\ncommand=/bin/cat\n", extra="identifier=changed")
    d.signal(signal.SIGHUP)
    d.wait_log("supervisord started", 2)
    d.wait_ready()
    d.wait_state("cat", "RUNNING")
    d.wait_state("new", "RUNNING")
    d.see("daemon", d.rpc("supervisor.getPID") == before[0])
    d.see("child", d.pid_of("cat") == before[1])
    d.call("getIdentification")
    d.call("getAllProcessInfo")
    d.see("pid file", d.read("s.pid") == f"{d.process.pid}\n")
    d.see("lines", d.log_lines(without="new|waiting"))


@scenario(CAT)
def test_restart_by_rpc(d):
    d.wait_state("cat", "RUNNING")
    before = d.rpc("supervisor.getPID")
    d.call("restart")
    d.wait_log("supervisord started", 2)
    d.wait_ready()
    d.wait_state("cat", "RUNNING")
    d.see("daemon", d.rpc("supervisor.getPID") == before)
    d.see("lines", d.log_lines())


@scenario(CAT)
def test_restart_into_a_bad_configuration(d):
    """The daemon ends with the usage message, as at a first start."""
    d.wait_state("cat", "RUNNING")
    d.configure("[program:cat]\n")
    d.signal(signal.SIGHUP)
    d.see("exit", d.wait_exit())
    d.see("stderr", d.without_warning(d.read("stderr")))
    d.see("left", sorted(name for name in os.listdir(d.root) if name.startswith("s.")))


STUBBORN = """
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/stubborn.out
stopwaitsecs=600
startsecs=0
"""


@scenario(STUBBORN)
def test_sighup_during_a_shutdown_is_ignored(d):
    d.wait_file("stubborn.out", "ready")
    d.note_pid("stubborn")
    d.signal(signal.SIGTERM)
    d.wait_log("indicating exit request")
    d.signal(signal.SIGHUP)
    d.wait_log("ignored SIGHUP")
    d.kill("stubborn")
    d.see("exit", d.wait_exit())
    d.see("lines", d.log_lines())


@scenario(STUBBORN)
def test_sigterm_during_a_restart_shuts_down(d):
    d.wait_file("stubborn.out", "ready")
    d.note_pid("stubborn")
    d.signal(signal.SIGHUP)
    d.wait_log("indicating restart request")
    d.signal(signal.SIGTERM)
    d.wait_log("indicating exit request")
    d.kill("stubborn")
    d.see("exit", d.wait_exit())
    d.see("lines", d.log_lines())


SUBREAPER = ("python3", "-c", """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
""")


@scenario("""
[program:parent]
command=/bin/sh -c "(sleep 0.5; exit 3) & exit 0"
startsecs=0
autorestart=false
""", start=False)
def test_orphans_are_reaped(d):
    d.start(wrap=SUBREAPER)
    d.wait_log("reaped unknown pid")
    d.see("lines", [re.sub(r"pid \S+", "pid <PID>", line) for line in d.log_lines("reaped")])
    d.see("no zombies", zombies(d))


def zombies(d):
    """The zombies among the daemon's children, once it had time to reap."""
    def none():
        d.nudge()
        for child in children(d.process.pid):
            try:
                state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state == "Z":
                return False
        return True
    wait_for(none, "zombies remain")
    return 0


@scenario("""
[program:quick]
command=/bin/sh -c "echo x >> %(here)s/runs"
startsecs=0
autorestart=true
""")
def test_restarting_children_leave_no_zombies(d):
    d.wait_file("runs", "x", 5)
    d.see("zombies", zombies(d))


@scenario(CAT)
def test_killed_daemon_leaves_its_children(d):
    """SIGKILL cannot be handled: the child stays until its stdin ends."""
    d.wait_state("cat", "RUNNING")
    pid = d.pid_of("cat")
    d.allowed_leftovers = True
    os.kill(d.process.pid, signal.SIGKILL)
    d.see("exit", d.process.wait())
    d.see("socket left", d.socket.exists())
    wait_for(lambda: reaped(pid), "cat lives on without stdin")


def reaped(pid):
    """Whether the adopted process ended; reaps it."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not Path(f"/proc/{pid}").exists()


@scenario("", start=False)
def test_sockets_modes_and_owners(d):
    d.config.write_text(d.config.read_text().replace("s.sock\n[supervisord]", "s.sock\nchmod=0722\n[supervisord]"))
    d.start()
    d.see("mode", oct(d.socket.stat().st_mode))


@scenario("", start=False)
def test_no_server_at_all(d):
    d.config.write_text("[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/s.pid\nchildlogdir=%(here)s\n"
                        "[program:p]\ncommand=/bin/sh -c \"echo url=$SUPERVISOR_SERVER_URL; exec sleep 1000\"\n"
                        "stdout_logfile=%(here)s/p.out\nstartsecs=0\n")
    d.start(ready=False)
    d.see("url", d.wait_file("p.out", "\n"))
    d.see("exit", d.stop())
    d.see("lines", d.log_lines())


@scenario(CAT, extra="minfds=100\nminprocs=50")
def test_limits_are_kept(d):
    limits = Path(f"/proc/{d.process.pid}/limits").read_text()
    d.see("files", re.search("Max open files +(.*)", limits)[1])


@scenario(CAT, start=False)
def test_limits_that_cannot_be_had(d):
    d.configure(CAT, extra="minfds=999999999")
    d.see("refusal", d.run("-n", "-c", d.config))


@scenario("""
[program:cat]
command=/bin/cat
startsecs=0
""")
def test_a_refused_daemon_leaves_the_logs_of_the_first(d):
    d.wait_state("cat", "RUNNING")
    auto = d.rpc("supervisor.getProcessInfo", "cat")["stdout_logfile"]
    status, _, err = d.run("-n", "-c", d.config)
    d.see("refusal", (status, err))
    d.expect("the log is still there", os.path.exists(auto), python=False, ours=True)
