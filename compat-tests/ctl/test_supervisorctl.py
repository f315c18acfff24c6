"""The reference's own supervisorctl as a client: every command, its output and exit code."""

import re
import signal
import subprocess

import pexpect

from harness import SCRIPTS, popen, wait_for_rest
from scenario import scenario

# A signal that comes between fork and exec is lost in the reference; SIGKILL is not.
FLEET = """
[program:cat]
command=/bin/cat
startsecs=0
stopsignal=KILL
priority=1
[program:idle]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
priority=2
[program:missing]
command=/no/such/command
autostart=false
startretries=0
[program:directory]
command=/tmp
autostart=false
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autostart=false
startsecs=0
stopsignal=KILL
[program:one]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
[group:grp]
programs=one
priority=4
"""


def sorted_ctl(d, *args):
    """Runs a command whose lines come in an order that depends on the speed of the machine."""
    status, out, err = d.ctl(*args, see=False)
    d.see(f"supervisorctl {' '.join(args)}, any order", (status, sorted(out.splitlines()), err))


@scenario(FLEET)
def test_status(d):
    d.wait_state("cat", "RUNNING")
    for args in ((), ("all",), ("cat",), ("idle",), ("cat", "idle"), ("nope",), ("nope:*",), ("grp:*",), ("grp:one",),
                 ("grp:nope",), ("many:*",), ("many",), ("cat", "nope"), ("idle", "nope"), ("many:many_00", "cat"),
                 ("cat:*",), ("cat:cat",), ("cat", "cat"), ("all", "nope")):
        d.ctl("status", *args)


@scenario(FLEET)
def test_start(d):
    for args in ((), ("idle",), ("idle",), ("nope",), ("nope:*",), ("grp:*",), ("grp:one",), ("grp:nope",), ("many:many_01",),
                 ("many:*",), ("missing",), ("directory",), ("missing", "idle"), ("idle", "grp:one")):
        d.ctl("start", *args)
    d.ctl("status")


@scenario(FLEET)
def test_start_all(d):
    sorted_ctl(d, "start", "all")
    sorted_ctl(d, "start", "all")
    d.ctl("status")
    sorted_ctl(d, "stop", "all")
    sorted_ctl(d, "stop", "all")


@scenario(FLEET)
def test_stop(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("start", "many:*")
    for args in ((), ("cat",), ("cat",), ("idle",), ("nope",), ("nope:*",), ("grp:*",), ("grp:nope",), ("many:many_00",),
                 ("many:*",), ("cat", "nope")):
        d.ctl("stop", *args)


@scenario(FLEET)
def test_restart(d):
    d.wait_state("cat", "RUNNING")
    for args in ((), ("cat",), ("idle",), ("nope",), ("grp:*",), ("nope:*",), ("cat", "idle"), ("missing",)):
        d.ctl("restart", *args)
    sorted_ctl(d, "restart", "all")


@scenario(FLEET)
def test_signal(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("start", "many:*")
    for args in ((), ("CONT",), ("CONT", "cat"), ("cont", "cat"), ("SIGCONT", "cat", "many:many_00"), ("18", "cat"), ("0", "cat"),
                 ("NOPE", "cat"), ("NOPE", "idle"), ("CONT", "idle"), ("CONT", "nope"), ("CONT", "nope:*"), ("CONT", "many:*"),
                 ("CONT", "grp:*"), ("NOPE", "many:*"), ("CONT", "all"), ("NOPE", "all")):
        d.ctl("signal", *args)


@scenario(FLEET)
def test_pid(d):
    d.wait_state("cat", "RUNNING")
    status, out, _ = d.ctl("pid", see=False)
    d.see("daemon", (status, out == f"{d.process.pid}\n"))
    status, out, _ = d.ctl("pid", "cat", see=False)
    d.see("cat", (status, out == f"{d.pid_of('cat')}\n"))
    status, out, _ = d.ctl("pid", "all", see=False)
    d.see("all", (status, [pid != "0" for pid in out.split()]))
    for args in (("idle",), ("nope",), ("grp:*",), ("idle", "nope")):
        d.ctl("pid", *args)


@scenario("""
[program:talker]
command=/bin/sh -c "echo this is stdout; echo this is stderr >&2; exec sleep 1000"
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
startsecs=0
[program:idle]
command=/bin/cat
autostart=false
stdout_logfile=%(here)s/idle.out
[program:mute]
command=/bin/cat
stdout_logfile=NONE
stderr_logfile=NONE
""")
def test_tail(d):
    d.wait_file("talker.out", "out")
    d.wait_file("talker.err", "err")
    for args in (("talker",), ("talker", "stdout"), ("talker", "stderr"), ("talker", "STDERR"), ("talker", "nope"), ("-5", "talker"),
                 ("-5", "talker", "stderr"), ("-0", "talker"), ("-100000", "talker"), ("-x", "talker"), ("idle",), ("mute",),
                 ("nope",), ("nope:*",), (), ("-5",), ("a", "b", "c", "d"), ("talker:talker",), ("talker:*",)):
        d.ctl("tail", *args)


@scenario(FLEET)
def test_maintail(d):
    d.wait_log("cat entered RUNNING")
    for args in ((), ("-60",), ("-x",), ("x",), ("-1", "-2")):
        d.ctl("maintail", *args)


@scenario("""
[program:talker]
command=/bin/cat
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
startsecs=0
""")
def test_tail_f(d):
    """Shows what is there, then what is added, and ends with 0 when interrupted."""
    d.wait_state("talker", "RUNNING")
    d.rpc("supervisor.sendProcessStdin", "talker", "before Malmö\n")
    d.wait_file("talker.out", "before")
    for args in (("tail", "-f", "talker"), ("tail", "-f", "talker", "stdout")):
        tail = d.terminal(*args)
        tail.expect_exact("==> Press Ctrl-C to exit <==")
        tail.expect_exact("before Malmö")
        d.rpc("supervisor.sendProcessStdin", "talker", "added\n")
        tail.expect_exact("added")
        wait_for_rest(tail.pid)
        tail.kill(signal.SIGINT)
        tail.expect(pexpect.EOF)
        tail.close()
        d.see("tail", (tail.exitstatus, tail.signalstatus))
    tail = d.terminal("tail", "-f", "nope")
    tail.expect(pexpect.EOF)
    tail.close()
    d.see("no such process", (re.sub(r"[\r\n]+", "\n", tail.before), tail.exitstatus))


@scenario(FLEET)
def test_maintail_f(d):
    d.wait_log("cat entered RUNNING")
    tail = d.terminal("maintail", "-f")
    tail.expect_exact("cat entered RUNNING")
    d.rpc("supervisor.stopProcess", "cat")
    tail.expect_exact("stopped: cat (terminated by SIGKILL)")
    wait_for_rest(tail.pid)
    tail.kill(signal.SIGINT)
    tail.expect(pexpect.EOF)
    tail.close()
    d.see("exit", (tail.exitstatus, tail.signalstatus))


@scenario("""
[program:talker]
command=/bin/sh -c "echo out; echo err >&2; exec sleep 1000"
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
startsecs=0
[program:idle]
command=/bin/cat
autostart=false
""")
def test_clear(d):
    d.wait_file("talker.out", "out")
    d.wait_file("talker.err", "err")
    for args in ((), ("talker",), ("idle",), ("nope",), ("talker:*",), ("talker", "nope", "idle"), ("all",)):
        d.ctl("clear", *args)
    d.see("files", (d.read("talker.out"), d.read("talker.err")))


@scenario(FLEET)
def test_avail_version_and_help(d):
    d.wait_state("cat", "RUNNING")
    for args in (("avail",), ("avail", "x"), ("version",), ("version", "x"), ("help",), ("help", "start"), ("help", "nope"),
                 ("nope",), ("status;",), ("help", "help"), ("?",), ("quit",), ("exit",)):
        d.ctl(*args)


@scenario(FLEET)
def test_reread_update_add_remove(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("reread")
    d.ctl("reread", "x")
    d.ctl("update")
    d.configure(FLEET.replace("[program:cat]\ncommand=/bin/cat", "[program:cat]\ncommand=/bin/cat -u")
                .replace("program:missing", "program:fresh") + "[program:auto]\ncommand=/bin/cat\nstartsecs=0\n")
    d.ctl("reread")
    d.ctl("avail")
    d.ctl("add", "fresh")
    d.ctl("add", "fresh", "nope", "cat")
    d.ctl("remove", "idle", "nope")
    d.ctl("remove", "cat")
    d.ctl("update", "nope")
    d.ctl("update", "cat")
    d.ctl("update")
    d.ctl("update")
    d.wait_state("auto", "RUNNING")
    d.ctl("status")
    d.configure(FLEET)
    d.ctl("update", "all")
    d.wait_state("cat", "RUNNING")
    d.ctl("status")
    d.configure("[program:cat]\n")
    for command in ("reread", "update"):
        status, out, err = d.ctl(command, see=False)
        d.see(f"bad configuration: {command}", (status, re.sub("file: .*", "file:", out), err))


@scenario(FLEET)
def test_update_with_names(d):
    d.wait_state("cat", "RUNNING")
    d.configure("[program:cat]\ncommand=/bin/cat -u\nstopsignal=KILL\nstartsecs=0\n"
                "[program:new]\ncommand=/bin/cat\nautostart=false\n")
    d.ctl("update", "new")
    d.ctl("status")
    d.ctl("update", "cat", "grp")
    d.wait_state("cat", "RUNNING")
    d.ctl("status")


@scenario(FLEET)
def test_reload(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("reload", "x")
    d.ctl("reload")
    d.wait_log("supervisord started", 2)
    d.wait_ready()
    d.wait_state("cat", "RUNNING")
    d.ctl("status")


@scenario(FLEET)
def test_shutdown(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("shutdown", "x")
    d.ctl("shutdown")
    d.see("exit", d.wait_exit())


@scenario(FLEET)
def test_commands_without_a_daemon(d):
    """No socket: what each command says and how it ends."""
    d.stop()
    for args in (("status",), ("start", "cat"), ("stop", "cat"), ("restart", "cat"), ("signal", "HUP", "cat"), ("tail", "cat"),
                 ("maintail",), ("clear", "cat"), ("version",), ("pid",), ("fg", "cat"), ("shutdown",)):
        status, out, err = d.ctl(*args, see=False)
        d.see(" ".join(args), (status, re.sub("file: .*", "file:", out), err))


@scenario("""
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/stubborn.out
stopwaitsecs=600
startsecs=0
""")
def test_commands_while_shutting_down(d):
    d.wait_file("stubborn.out", "ready")
    d.note_pid("stubborn")
    d.ctl("shutdown")
    for args in (("avail",), ("reread",), ("reload",), ("shutdown",), ("add", "x")):
        d.ctl(*args)
    d.kill("stubborn")
    d.see("exit", d.wait_exit())


@scenario(FLEET)
def test_shell_with_piped_input(d):
    d.wait_state("cat", "RUNNING")
    d.ctl(stdin="pid idle\nstop idle\n\nnope\nhelp pid\n")
    d.ctl(stdin="start idle\nquit\nstop idle\n")
    d.ctl("-i", stdin="avail\n")
    d.ctl("-i", "version", stdin="")
    d.ctl("-i", "shutdown", stdin="n\n")
    d.ctl("-i", "reload", stdin="no\n")
    d.ctl(f"open unix://{d.socket}")
    d.ctl("open", "ftp://x")
    d.ctl("status", "cat", config=False)


@scenario(FLEET)
def test_joined_arguments(d):
    d.wait_state("cat", "RUNNING")
    d.ctl("signal CONT", "cat")
    d.ctl("status cat idle")
    d.ctl("tail -10", "cat")
    d.ctl("-s", d.url, "status cat", config=False)


@scenario("""
[program:cat]
command=/bin/cat
startsecs=0
[program:idle]
command=/bin/cat
autostart=false
""")
def test_fg(d):
    d.wait_state("cat", "RUNNING")
    for args in ((), ("nope",), ("idle",), ("cat", "idle")):
        d.ctl("fg", *args)
    fg = d.terminal("fg", "cat")
    fg.expect_exact("==> Press Ctrl-C to exit <==")
    for line in ("Hi", "The Øresund bridge"):
        fg.sendline(line)
        fg.expect_exact(line)
    wait_for_rest(fg.pid)
    fg.kill(signal.SIGINT)
    fg.expect_exact("Exiting foreground")
    fg.expect(pexpect.EOF)
    fg.close()
    d.see("fg", (fg.exitstatus, fg.signalstatus))
    d.see("cat goes on", d.rpc("supervisor.getProcessInfo", "cat")["statename"])


@scenario("""
[program:ender]
command=/bin/sh -c "read line; exit 0"
startsecs=0
autorestart=false
""")
def test_fg_of_a_program_that_ends(d):
    d.wait_state("ender", "RUNNING")
    fg = d.terminal("fg", "ender")
    fg.expect_exact("==> Press Ctrl-C to exit <==")
    fg.sendline("go")
    d.wait_state("ender", "EXITED")
    fg.sendline("again")
    fg.expect_exact("Process got killed")
    fg.expect_exact("Exiting foreground")
    fg.expect(pexpect.EOF)
    fg.close()
    d.see("fg", fg.exitstatus)


@scenario(FLEET)
def test_interactive_shell(d):
    d.wait_state("cat", "RUNNING")
    shell = d.terminal()
    shell.expect_exact("supervisor> ")
    d.see("first status", re.sub("\r", "", shell.before))
    for line in ("stop cat", "start cat", "status cat", "avail", "version", "nonsense"):
        shell.sendline(line)
        shell.expect_exact("supervisor> ")
        d.see(line, re.sub("\r", "", shell.before))
    shell.sendline("shutdown")
    shell.expect_exact("y/N? ")
    shell.sendline("y")
    shell.expect_exact("Shut down")
    shell.expect_exact("supervisor> ")
    d.see("exit", d.wait_exit())
    shell.sendline("quit")
    shell.expect(pexpect.EOF)
    shell.close()


@scenario(FLEET)
def test_several_clients_at_once(d):
    d.wait_state("cat", "RUNNING")
    command = [SCRIPTS / "supervisorctl", "-c", d.config, "status"]
    clients = [popen(command, env=d.env, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    outputs = [client.communicate(timeout=60)[0].count("\n") for client in clients]
    d.see("lines", outputs)
    d.see("exits", [client.returncode for client in clients])
