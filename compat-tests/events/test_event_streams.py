"""The same script under the reference and ours yields the same stream of events, as a listener of EVENT records it.

A case is a few programs and what is done with them; their names begin with the name of the case. Several cases share
one daemon. Compared is, for every process, the order of its events with names, headers and payloads.
"""

import os
import signal
from xmlrpc.client import DateTime

from listeners import check_serials, flush, install, listener, say, stream, wait_events
from scenario import scenario

CASES = []
PER_DAEMON = 8

PROGRAM = "[program:{name}]\nautostart=false\nstartsecs=0\nstartretries=1\nautorestart=false\n"
TALKER = PROGRAM + "command=%(ENV_PYTHON)s -u %(here)s/talker.py %(here)s/{name}.said\n"
BEGIN, END = "<!--XSUPERVISOR:BEGIN-->", "<!--XSUPERVISOR:END-->"


def case(config):
    """Makes a case of a function of the daemon and the case's name; `{name}` in the configuration becomes the name."""
    def decorate(function):
        CASES.append((function.__name__, config.replace("{name}", function.__name__), function))
        return function
    return decorate


def wait(daemon, state, process, count=1):
    """Waits until the recorder has got a state event of a process."""
    wait_events(daemon, "rec", rf"PROCESS_STATE_{state} .*\nprocessname:{process} ", count)


# States

@case(PROGRAM + "command=/bin/cat\n")
def start_and_stop(d, n):
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.stopProcess", n)


@case(PROGRAM + "command=/bin/cat\nstartsecs=1\n")
def start_and_stay(d, n):
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.stopProcess", n)


@case(PROGRAM + "command=/bin/cat\nstartsecs=60\n")
def stop_while_starting(d, n):
    d.rpc("supervisor.startProcess", n, False)
    d.rpc("supervisor.stopProcess", n)


def start_and_exit(d, n):
    """Starts a program that ends by itself."""
    d.outcome("startProcess", n)  # a fault if it is gone before the answer
    wait(d, "EXITED", n)


@case(PROGRAM + "command=/bin/true\n")
def expected_exit(d, n):
    start_and_exit(d, n)


@case(PROGRAM + 'command=/bin/sh -c "exit 5"\nexitcodes=0,3\n')
def unexpected_exit(d, n):
    start_and_exit(d, n)


@case(PROGRAM + 'command=/bin/sh -c "exit 3"\nexitcodes=0,3\n')
def exit_with_a_listed_code(d, n):
    start_and_exit(d, n)


@case(PROGRAM + "command=/bin/cat\n")
def killed_from_outside(d, n):
    d.rpc("supervisor.startProcess", n)
    d.wait_state(n, "RUNNING")
    d.note_pid(n)
    os.kill(d.pids[n], signal.SIGKILL)
    wait(d, "EXITED", n)


@case(PROGRAM + "command=/bin/cat\n")
def killed_by_a_sent_signal(d, n):
    d.rpc("supervisor.startProcess", n)
    d.wait_state(n, "RUNNING")
    d.rpc("supervisor.signalProcess", n, "USR1")
    wait(d, "EXITED", n)


@case(PROGRAM + "command=/bin/false\nstartsecs=60\n")
def too_quick_until_fatal(d, n):
    d.outcome("startProcess", n)
    wait(d, "FATAL", n)


@case(PROGRAM + "command=/bin/false\nstartsecs=60\nstartretries=0\n")
def fatal_and_again(d, n):
    for count in (1, 2):
        d.outcome("startProcess", n)
        wait(d, "FATAL", n, count)


@case(PROGRAM + "command=%(here)s/{name}.sh\nstartretries=0\n")
def command_disappears(d, n):
    path = d.write(f"{n}.sh", "#!/bin/sh\nexec cat\n", 0o755)
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.stopProcess", n)
    os.remove(path)
    d.outcome("startProcess", n)


@case(PROGRAM + "command=/nonexistent/{name}\nautostart=true\nstartretries=0\n")
def command_never_there(d, n):
    # Its failure may come before the listener is up, which has a buffer for that.
    wait(d, "FATAL", n)


@case(PROGRAM + "command=/bin/false\nstartsecs=60\nstartretries=30\n")
def stop_in_backoff(d, n):
    d.outcome("startProcess", n)  # a fault if it is gone before the answer
    # The third time it lasts for three seconds, time enough to be stopped.
    wait(d, "BACKOFF", n, 3)
    d.rpc("supervisor.stopProcess", n)


@case(PROGRAM + "command=/bin/cat\nautorestart=true\n")
def restarted_by_itself(d, n):
    d.rpc("supervisor.startProcess", n)
    d.wait_state(n, "RUNNING")
    d.note_pid(n)
    d.kill(n)
    wait(d, "RUNNING", n, 2)
    d.rpc("supervisor.stopProcess", n)


@case(PROGRAM + 'command=/bin/sh -c "read x; exit $x"\nautorestart=unexpected\nexitcodes=7\n')
def restarted_after_unexpected(d, n):
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.sendProcessStdin", n, "1\n")
    wait(d, "RUNNING", n, 2)
    d.rpc("supervisor.sendProcessStdin", n, "7\n")
    wait(d, "EXITED", n, 2)


@case(PROGRAM + "command=%(ENV_PYTHON)s -c \"import signal,sys,time; signal.signal(15, signal.SIG_IGN); "
      "open('%(here)s/{name}.up', 'w'); signal.pause()\"\nstopwaitsecs=1\n")
def stubborn(d, n):
    d.rpc("supervisor.startProcess", n)
    d.wait_file(f"{n}.up")
    d.rpc("supervisor.stopProcess", n)


@case(PROGRAM + "command=/bin/cat\nnumprocs=3\nprocess_name={name}%%(process_num)s\n".replace("%%", "%"))
def many_processes(d, n):
    d.rpc("supervisor.startProcessGroup", n)
    d.rpc("supervisor.stopProcessGroup", n)


@case((PROGRAM + "command=/bin/cat\n").replace("{name}", "{name}_a")
      + (PROGRAM + "command=/bin/cat\n").replace("{name}", "{name}_b")
      + "[group:{name}]\nprograms={name}_a,{name}_b\n")
def a_group(d, n):
    d.rpc("supervisor.startProcess", f"{n}:*")
    d.rpc("supervisor.stopProcess", f"{n}:{n}_a")
    d.rpc("supervisor.stopProcess", f"{n}:*")


@case("[fcgi-program:{name}]\nsocket=unix://%(here)s/{name}.sock\ncommand=/bin/sleep 100000\nautostart=false\nstartsecs=0\n"
      "stopsignal=KILL\n")
def fastcgi(d, n):
    d.rpc("supervisor.startProcess", f"{n}:{n}", False)
    d.outcome("stopProcess", f"{n}:{n}")


# Log events

@case(TALKER + "stdout_events_enabled=true\n")
def log_of_stdout(d, n):
    d.rpc("supervisor.startProcess", n)
    for text in ("one\n", "two\nthree\n", "no end", "\n"):
        say(d, n, text)
    say(d, n, "not this\n", fd=2)


@case(TALKER + "stderr_events_enabled=true\n")
def log_of_stderr(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, "one\n", fd=2)
    say(d, n, "not this\n")


@case(TALKER + "stdout_events_enabled=true\nstderr_events_enabled=true\nredirect_stderr=true\n")
def log_of_both_in_one(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, "one\n", fd=2)
    say(d, n, "two\n")


@case(TALKER + "stdout_events_enabled=true\nstdout_logfile=NONE\n")
def log_without_a_log(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, "one\n")


@case(TALKER + "stdout_events_enabled=true\n")
def log_of_characters(d, n):
    d.rpc("supervisor.startProcess", n)
    for text in ("é€😀 umlaut\n", "\0\x01\x7f\n", "\u2028\u0085\r\n", "a\tb\x1b[1mbold\x1b[0m\n"):
        say(d, n, text)


@case(TALKER + "stdout_events_enabled=true\n")
def log_of_undecodable(d, n):
    d.rpc("supervisor.startProcess", n)
    for data in (b"\xff\n", b"it's \xff\n", b"\"it's\" \xff\r\n\t\\\n", b"\xc3", b"\xed\xa0\x80", bytes(range(256))):
        say(d, n, data)


@case(TALKER + "stdout_events_enabled=true\n")
def log_of_much(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, "x" * 30000 + "\n")


# Capture mode

CAPTURE = TALKER + "stdout_capture_maxbytes=1MB\n"


@case(CAPTURE)
def capture(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"before {BEGIN}inside{END} after\n")


@case(TALKER + "stderr_capture_maxbytes=1MB\n")
def capture_of_stderr(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}inside{END}\n", fd=2)


@case(CAPTURE)
def capture_cut_in_pieces(d, n):
    d.rpc("supervisor.startProcess", n)
    text = f"some text before it {BEGIN}inside of it{END} and some after it\n"
    for start in range(0, len(text), 7):
        say(d, n, text[start:start + 7])


@case(CAPTURE + "stdout_events_enabled=true\n")
def capture_and_log_events(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"before {BEGIN}inside{END} after, and more than a token's length\n")
    say(d, n, f"some more text that is long enough {BEGIN}")
    say(d, n, "a piece of the inside that is long enough")
    say(d, n, f" and its end{END}!")


@case(CAPTURE)
def captures_in_a_row(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, "".join(f"{BEGIN}{number}{END}" for number in range(5)) + "\n")


@case(CAPTURE)
def capture_of_nothing_and_nesting(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}{END}{END}{BEGIN}a{BEGIN}b{END}c{END}\n")


@case(CAPTURE)
def capture_without_end(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}inside, and there is no end of it\n")
    d.rpc("supervisor.stopProcess", n)


@case(CAPTURE)
def capture_of_undecodable(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}é".encode() + b"\xff'" + f"{END}\n".encode())
    say(d, n, f"{BEGIN}é€{END}\n")


@case(TALKER + "stdout_capture_maxbytes=10\n")
def capture_of_too_much_at_once(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}0123456789abcdef{END}\n")


@case(TALKER + "stdout_capture_maxbytes=100\n")
def capture_of_too_much_in_pieces(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}the first piece, which is longer than a token;")
    for number in range(6):
        say(d, n, f" and piece number {number} of those that follow;")
    say(d, n, f" done{END}\n")


@case(TALKER)
def tokens_without_capture(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}inside{END}\n")


@case(CAPTURE + "stdout_events_enabled=true\n")
def capture_of_a_log_that_is_cleared(d, n):
    d.rpc("supervisor.startProcess", n)
    say(d, n, f"{BEGIN}the first part, which is longer than a token")
    wait_events(d, "rec", "longer than a token$")
    d.rpc("supervisor.clearProcessLogs", n)
    say(d, n, f"the second part{END}\n")


# Clients

@case("")
def remote_communication(d, n):
    for kind, data in (("", "data"), (".a", "two\nlines"), (".ü", "é€"), (".b", ""), (".c", 5), (".d", True), (".e", [1, "x"]),
                       (".f", {"k": 2.5}), (" g", " spaces "), (".h", 1e16), (".i", [1e-5, 1.5e100])):
        d.call("sendRemoteCommEvent", n + kind, data)
    d.call("sendRemoteCommEvent", 7, "a number as type")
    for data in (DateTime("20260101T01:02:03"), [DateTime("20260101T01:02:00")]):
        d.rpc("supervisor.sendRemoteCommEvent", n + ".date", data)


@case(PROGRAM + "command=/bin/cat\nstdout_events_enabled=true\n")
def text_to_stdin_and_back(d, n):
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.sendProcessStdin", n, "hello é\n")
    wait_events(d, "rec", "hello é\n$")


@case(PROGRAM + "command=/bin/cat\n")
def groups_removed_and_added(d, n):
    d.rpc("supervisor.removeProcessGroup", n)
    d.rpc("supervisor.addProcessGroup", n)
    d.rpc("supervisor.startProcess", n)
    d.call("removeProcessGroup", n)
    d.rpc("supervisor.stopProcess", n)
    d.rpc("supervisor.removeProcessGroup", n)


@case(listener("{name}", "events=TICK_3600\nautostart=false"))
def listeners_have_states_too(d, n):
    d.rpc("supervisor.startProcess", n)
    d.rpc("supervisor.stopProcess", n)
    d.rpc("supervisor.removeProcessGroup", n)
    d.rpc("supervisor.addProcessGroup", n)


@case(PROGRAM + "command=/bin/cat\ndirectory=/nonexistent\nstartsecs=60\nstartretries=0\nstdout_events_enabled=true\nstderr_events_enabled=true\n")
def child_that_cannot_become_the_program(d, n):
    d.outcome("startProcess", n)  # a fault if it is gone before the answer
    wait(d, "FATAL", n)


def make_test(cases):
    """A test that runs these cases in one daemon."""
    config = listener("rec") + "".join(text for _, text, _ in cases)

    @scenario(config, start=False)
    def run(d):
        install(d)
        d.start()
        wait_events(d, "rec", "SUPERVISOR_STATE_CHANGE_RUNNING")
        for name, _, function in cases:
            function(d, name)
            flush(d, "rec")
            d.see(name, stream(d, "rec", name))
        check_serials(d, "rec")
        for name in [info["group"] + ":" + info["name"] for info in d.rpc("supervisor.getAllProcessInfo")]:
            d.outcome("stopProcess", name)
    return run


for first in range(0, len(CASES), PER_DAEMON):
    chosen = CASES[first:first + PER_DAEMON]
    test = make_test(chosen)
    test.__name__ = f"test_streams_{first // PER_DAEMON}"
    test.__doc__ = "Cases: " + ", ".join(name for name, _, _ in chosen)
    globals()[test.__name__] = test
del test


def test_there_are_at_least_forty_cases():
    assert len(CASES) >= 40
