"""XML-RPC: starting, stopping, signalling and describing processes."""

from harness import wait_for
from scenario import scenario

# A signal that comes between fork and exec is lost in the reference; SIGKILL is not.
GROUPED = """
[program:one]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
priority=20
[program:two]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
priority=10
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)02d
numprocs=3
autostart=false
startsecs=0
stopsignal=KILL
[program:solo]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
priority=5
[group:pair]
programs=one,two
priority=7
"""

FORMS = ("solo", "solo:solo", "solo:*", "solo:", "solo:nope", "nope", "nope:nope", "nope:*", "one", "pair:one", "pair",
         "pair:*", "many:many_01", "many:many_9", "many", "", ":", "*", "*:*", ":one", "pair:one:two", "pair: one", " solo")


@scenario(GROUPED)
def test_namespecs_of_get_process_info(d):
    for form in FORMS:
        d.call("getProcessInfo", form)


@scenario(GROUPED)
def test_namespecs_of_start_and_stop(d):
    for form in FORMS:
        d.call("startProcess", form)
        d.call_unordered("stopProcess", form)


@scenario(GROUPED)
def test_namespecs_of_signal(d):
    d.call("startAllProcesses")
    for form in FORMS:
        d.call("signalProcess", form, "CONT")
        d.call("signalProcessGroup", form, "CONT")


@scenario(GROUPED)
def test_namespecs_of_logs_and_stdin(d):
    for form in ("solo", "solo:solo", "solo:*", "solo:", "nope", "pair", "pair:*", "pair:nope", ""):
        d.call("readProcessStdoutLog", form, 0, 0)
        d.call("readProcessStderrLog", form, 0, 0)
        d.call("tailProcessStdoutLog", form, 0, 10)
        d.call("tailProcessStderrLog", form, 0, 10)
        d.call("clearProcessLogs", form)
        d.call("sendProcessStdin", form, "x")


@scenario(GROUPED)
def test_groups_start_and_stop_in_priority_order(d):
    d.call("startProcessGroup", "pair")
    d.call("startProcessGroup", "pair")
    d.call_unordered("stopProcessGroup", "pair")
    d.call("stopProcessGroup", "pair")
    d.call("startAllProcesses")
    d.call("getAllProcessInfo")
    d.call("signalAllProcesses", "CONT")
    d.call_unordered("stopAllProcesses")
    d.call("startAllProcesses", False)
    d.call("stopAllProcesses", False)
    for method in ("startProcessGroup", "stopProcessGroup"):
        d.call(method, "nope")
        d.call(method, "pair:*")
        d.call(method, "")


@scenario(GROUPED)
def test_spawn_order_of_a_group(d):
    d.rpc("supervisor.startAllProcesses")
    d.see("spawned", d.log_lines("spawned"))


@scenario("""
[program:good]
command=/bin/cat
autostart=false
startsecs=0
priority=1
[program:missing]
command=/no/such/command
autostart=false
priority=2
[program:quick]
command=/bin/false
autostart=false
startretries=0
startsecs=20
priority=3
[program:slow]
command=/bin/cat
autostart=false
startsecs=1
priority=4
[group:mixed]
programs=good,missing,quick,slow
""")
def test_results_of_a_mixed_group(d):
    """Immediate results come first, then completions; faults are entries."""
    results = d.rpc("supervisor.startProcessGroup", "mixed")
    d.see("at once", results[:2])
    d.see("all", sorted(results, key=lambda r: r["name"]))
    d.call_unordered("stopProcessGroup", "mixed")


@scenario("""
[program:missing]
command=/no/such/command
autostart=false
startretries=0
[program:unfound]
command=no-such-command-anywhere with arguments
autostart=false
[program:directory]
command=/tmp
autostart=false
[program:plain]
command=%(here)s/plain
autostart=false
[program:unbalanced]
command=/bin/sh -c "echo
autostart=false
[program:blank]
command="" x
autostart=false
[program:loop]
command=%(here)s/loop
autostart=false
""", start=False)
def test_commands_that_cannot_run(d):
    d.write("plain", "#!/bin/sh\n", 0o644)
    (d.root / "loop").symlink_to("loop")
    d.start()
    for name in ("missing", "unfound", "directory", "plain", "unbalanced", "blank", "loop"):
        d.call("startProcess", name)
        d.call("getProcessInfo", name)
    d.see("lines", d.log_lines("spawnerr|missing"))


@scenario("""
[program:quick]
command=/bin/sh -c "exit 3"
autostart=false
startretries=0
startsecs=20
[program:clean]
command=/bin/true
autostart=false
startretries=0
startsecs=20
[program:killed]
command=/bin/sh -c "kill -9 $$"
autostart=false
startretries=0
startsecs=20
""")
def test_start_of_programs_that_exit_too_soon(d):
    for name in ("quick", "clean", "killed"):
        outcome = d.outcome("startProcess", name)
        # The reference reaps once right after the fork: ABNORMAL_TERMINATION when the child was slower than that.
        assert outcome.faultCode in (40, 50), outcome
        d.wait_state(name, "FATAL")
        d.call("getProcessInfo", name)
        d.see("lines", d.log_lines(name))


@scenario("""
[program:idle]
command=/bin/cat
autostart=false
startsecs=1
""")
def test_start_and_stop_faults(d):
    d.call("stopProcess", "idle")
    d.call("startProcess", "idle", False)
    d.call("startProcess", "idle")
    d.wait_state("idle", "RUNNING")
    d.call("startProcess", "idle", False)
    d.call("stopProcess", "idle")
    d.call("stopProcess", "idle")
    d.call("stopProcess", "idle", False)
    d.see("lines", d.log_lines("idle"))


@scenario("""
[program:first]
command=/bin/sh -c "trap 'sleep 4; exit' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/first.log
priority=1
startsecs=0
[program:second]
command=/bin/sh -c "trap 'exit' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/second.log
priority=2
startsecs=0
[program:third]
command=/bin/cat
priority=3
autostart=false
[group:g]
programs=first,second,third
""")
def test_stop_results_come_as_the_processes_end(d):
    d.wait_file("first.log", "ready")
    d.wait_file("second.log", "ready")
    d.wait_state("g:first", "RUNNING")
    d.wait_state("g:second", "RUNNING")
    d.call("stopProcessGroup", "g")


@scenario("""
[program:late]
command=/bin/cat
autostart=false
startsecs=60
""")
def test_stop_while_starting(d):
    d.call("startProcess", "late", False)
    d.see("state", d.wait_state("late", "STARTING"))
    d.call("stopProcess", "late")
    d.call("getProcessInfo", "late")
    d.see("lines", d.log_lines("late"))


@scenario("""
[program:gone]
command=%(here)s/gone
autostart=false
startretries=50
startsecs=5
""", start=False)
def test_start_in_backoff(d):
    """The command is looked for before the state is."""
    path = d.root / "gone"
    d.write("gone", "#!/bin/sh\nexit 1\n", 0o755)
    d.start()
    d.outcome("startProcess", "gone", False)
    d.wait_state("gone", "BACKOFF")
    d.wait_log("exited: gone", 2)
    d.call("startProcess", "gone")
    path.unlink()
    # All that is tried from now on leaves this text.
    wait_for(lambda: "find" in d.rpc("supervisor.getProcessInfo", "gone")["spawnerr"], "an attempt without the file")
    d.call("startProcess", "gone")
    d.call("stopProcess", "gone")
    d.call("getProcessInfo", "gone")


@scenario("""
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; while :; do sleep 0.1; done"
stopwaitsecs=600
startsecs=0
""")
def test_calls_while_stopping(d):
    d.wait_state("stubborn", "RUNNING")
    d.wait_file(next(p.name for p in d.root.glob("stubborn-stdout*")), "ready")
    d.note_pid("stubborn")
    d.call("stopProcess", "stubborn", False)
    d.call("getProcessInfo", "stubborn")
    d.call("stopProcess", "stubborn")
    d.call("signalProcess", "stubborn", "CONT")
    d.call("sendProcessStdin", "stubborn", "x")
    d.call("startProcess", "stubborn", False)
    d.call("startProcess", "stubborn")
    d.call("removeProcessGroup", "stubborn")
    d.kill("stubborn")
    d.wait_state("stubborn", "STOPPED")
    d.call("getProcessInfo", "stubborn")
    d.see("lines", d.log_lines("killing|stopped:"))


@scenario("""
[program:echoer]
command=/bin/sh -c "for s in HUP USR1 USR2 INT WINCH; do trap \\"echo got $s\\" $s; done; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/echoer.log
startsecs=0
""")
def test_signals_by_name_and_number(d):
    d.wait_file("echoer.log", "ready")
    for signal, name in (("HUP", "HUP"), ("SIGUSR1", "USR1"), ("usr2", "USR2"), ("sigint", "INT"), (" WINCH ", "WINCH"),
                         ("1", "HUP"), (1, "HUP"), (" 10 ", "USR1")):
        before = d.read("echoer.log").count(f"got {name}\n")
        d.call("signalProcess", "echoer", signal)
        d.wait_file("echoer.log", f"got {name}\n", before + 1)
    d.call("signalProcess", "echoer", 0)
    d.call("signalProcess", "echoer", "0")
    d.call("getProcessInfo", "echoer")


@scenario("""
[program:cat]
command=/bin/cat
startsecs=0
[program:idle]
command=/bin/cat
autostart=false
""")
def test_bad_signals(d):
    d.wait_state("cat", "RUNNING")
    for signal in ("NOPE", "", "SIG", "SIGSIGHUP", "35", 35, -1, "-1", 65, 999999999999 % 100000, "SIG_DFL", "SIG_IGN",
                   "HUP TERM", "1.0", 2.5, "CLD", "POLL", "RTMIN", "SIGRTMAX", "SIG_BLOCK"):
        # Only the refusal matters here: signals the idle process cannot get anyway.
        d.call("signalProcess", "idle", signal)
        d.call("signalProcessGroup", "idle", signal)
    for signal in ("NOPE", "", "35", 35, -1):
        d.call("signalProcess", "cat", signal)
        d.call("signalProcessGroup", "cat", signal)
        d.call("signalAllProcesses", signal)
    d.call("signalProcessGroup", "nope", "HUP")
    d.call("signalProcess", "nope", "NOPE")
    d.call("signalProcess", "idle", "HUP")
    d.call("signalProcess", "idle", "NOPE")
    d.call("signalProcessGroup", "idle", "HUP")


@scenario("""
[program:cat]
command=/bin/cat
autorestart=false
startsecs=0
""")
def test_signal_that_kills(d):
    d.wait_state("cat", "RUNNING")
    d.call("signalProcess", "cat", "TERM")
    d.wait_state("cat", "EXITED")
    d.call("getProcessInfo", "cat")
    d.see("lines", d.log_lines("cat"))


@scenario("""
[program:echo]
command=/bin/cat
stdout_logfile=%(here)s/echo.log
startsecs=0
[program:closer]
command=/bin/sh -c "exec <&-; echo closed; while :; do sleep 0.1; done"
stdout_logfile=%(here)s/closer.log
startsecs=0
[program:idle]
command=/bin/cat
autostart=false
""")
def test_send_process_stdin(d):
    d.wait_state("echo", "RUNNING")
    d.call("sendProcessStdin", "echo", "hello\n")
    d.call("sendProcessStdin", "echo", "Malmö – 你好\n")
    d.call("sendProcessStdin", "echo", "")
    d.call("sendProcessStdin", "echo", "a & b <c> \"d\"\n")
    d.see("echoed", d.wait_file("echo.log", "<c>"))
    d.wait_file("closer.log", "closed")
    d.call("sendProcessStdin", "closer", "x")
    d.call("sendProcessStdin", "idle", "x")
    d.call("sendProcessStdin", "nope", "x")


@scenario("""
[program:b]
command=/bin/cat
[program:a]
command=/bin/cat
autostart=false
[program:c]
command=/bin/cat
process_name=%(program_name)s%(process_num)d
numprocs=11
numprocs_start=1
startsecs=0
[group:z]
programs=b
[group:Y]
programs=a
""")
def test_get_all_process_info_is_lexical(d):
    d.wait_state("z:b", "RUNNING")
    d.wait_state("c:c11", "RUNNING")
    d.call("getAllProcessInfo")


@scenario("""
[program:sleeper]
command=/bin/sleep 1000
startsecs=0
[program:done]
command=/bin/sh -c "exit 4"
startsecs=0
autorestart=false
[program:expected]
command=/bin/sh -c "exit 4"
startsecs=0
autorestart=false
exitcodes=0,4
stdout_logfile=NONE
stderr_logfile=%(here)s/expected.err
""")
def test_fields_of_process_info(d):
    d.wait_state("sleeper", "RUNNING")
    d.wait_state("done", "EXITED")
    d.wait_state("expected", "EXITED")
    for name in ("sleeper", "done", "expected"):
        d.call("getProcessInfo", name)
    info = d.rpc("supervisor.getProcessInfo", "sleeper")
    d.see("start before now", info["start"] <= info["now"] and info["stop"] == 0)
    d.see("keys", sorted(info))


@scenario("""
[program:a]
command=/bin/cat
[program:b]
command=/bin/cat
autostart=false
stdout_logfile=%(here)s/b.log
[eventless:x]
""")
def test_remote_comm_event_is_always_accepted(d):
    d.call("sendRemoteCommEvent", "type", "data")
    d.call("sendRemoteCommEvent", "", "")
    d.call("sendRemoteCommEvent", "größe", "ü\n")
