"""Event listeners: the protocol, pools and their buffers, what listeners that break the rules get.

See test_event_streams.py for what the events say.
"""

import os
import re
import select
import signal
import time
from pathlib import Path

from harness import Daemon, wait_for
from listeners import (
    check_serials, comparable, events, fields, flush, install, listener, say, stream, wait_events,
)
from scenario import scenario

DEBUG = "loglevel=debug"
# Lines about listeners. The rebuffering of events that find nobody ready depends on how often the loop turns.
ABOUT_LISTENERS = r" (WARN|ERRO) |event was processed|ACKNOWLEDGED|READY ->|BUSY ->"


def remote(d, *data):
    """Makes an event for each text."""
    for text in data:
        d.rpc("supervisor.sendRemoteCommEvent", "t", text)


def payloads(d, name):
    """What a recorder got, in order."""
    return [payload for _, payload in events(d, name)]


def started(d):
    """Installs the listeners' programs and starts the daemon."""
    install(d)
    d.start()


def rejecting(*answers):
    """A listener of remote communications that answers these, then OK."""
    return listener("rec", "events=REMOTE_COMMUNICATION", " ".join(answers))


def log_about(d, pattern=ABOUT_LISTENERS):
    """The lines about listeners in the main log."""
    return d.log_lines(pattern, without=r"waiting for|running as root|Unlinking|stopped:|spawned|Server '")


@scenario(rejecting("FAIL", "ok", '"OK "'), extra=DEBUG, start=False)
def test_rejected_events_come_again_in_order(d):
    started(d)
    d.wait_log("ACKNOWLEDGED -> READY")
    remote(d, "a", "b", "c")
    wait_events(d, "rec", "c$")
    d.see("order", payloads(d, "rec"))
    d.see("pool serials", [fields(header)["poolserial"] for header, _ in events(d, "rec")])
    d.wait_log("ACKNOWLEDGED -> READY", 7)  # at first, after three refusals, after three events
    d.see("log", log_about(d))


@scenario(rejecting("die"), extra=DEBUG, start=False)
def test_death_while_busy_gives_the_event_to_the_next_life(d):
    started(d)
    d.wait_log("ACKNOWLEDGED -> READY")
    remote(d, "a", "b")
    wait_events(d, "rec", "b$")
    d.see("order", payloads(d, "rec"))


@scenario(rejecting("garbage") + "numprocs=2\nprocess_name=rec%(process_num)s\n", extra=DEBUG, start=False)
def test_a_bad_result_gives_the_event_to_another_listener(d):
    started(d)
    d.wait_log("ACKNOWLEDGED -> READY", 2)
    remote(d, "a")
    d.wait_log("UNKNOWN state", 2)  # both answer nonsense once
    d.see("order", payloads(d, "rec"))
    d.see("log", sorted(log_about(d, r" WARN |-> UNKNOWN")))
    d.see("states", [info["statename"] for info in d.rpc("supervisor.getAllProcessInfo")])
    # An event that nobody can take waits for the next life.
    d.rpc("supervisor.stopProcess", "rec:rec0")
    d.rpc("supervisor.startProcess", "rec:rec0")
    wait_events(d, "rec", "a$", 3)


SAYS = """
import os, sys, time
for text in sys.argv[1:]:
    os.write(1, text.encode().decode("unicode_escape").encode("latin-1"))
    if text.startswith("READY"):
        header = sys.stdin.readline()
        sys.stdin.read(int(header.rsplit("len:", 1)[1]))
sys.stdin.read()
"""


def says(name, *texts, more=""):
    """A listener of remote communications that says these texts; after a READY it waits for an event."""
    words = " ".join(f"'{text}'" for text in texts)
    return f"""
[eventlistener:{name}]
command=%(ENV_PYTHON)s -u %(here)s/says.py {words}
events=REMOTE_COMMUNICATION
startsecs=0
autorestart=false
{more}
"""


def with_says(d):
    """As started, with the program of `says`."""
    d.write("says.py", SAYS)
    started(d)


# The texts reach Python's unicode_escape through shlex and %-expansion, hence the backslashes.
@scenario(
    says("early", r"hello\nthere") + says("spurious", r"READY\nand more") + says("no_number", r"READY\n", r"RESULT x\n")
    + says("no_result", r"READY\n", r"nonsense\n") + says("short", r"READY\n", r"OK\n") + says("empty", r"READY\n", r"\n")
    + says("odd_bytes", r"READY\n", r"RESULT \xff\n") + says("underscore", r"READY\n", r"RESULT 0_2\nOK")
    + says("spaces", r"READY\n", r"RESULT   +2 \nOK") + says("no_token", r"READY\n", r"xxxxxxx2\nOK")
    + says("nothing", r"READY\n", r"RESULT 0\n", r"READY\n") + says("more", r"READY\n", r"RESULT 2\nOKREADY\nx")
    + says("wrong_case", r"READY\n", r"RESULT 2\nok") + says("twice", r"READY\n", r"RESULT 2\nOKRESULT 2\nOK"),
    extra=DEBUG, start=False)
def test_what_listeners_say(d):
    with_says(d)
    names = ("no_number", "no_result", "short", "empty", "odd_bytes", "underscore", "spaces", "no_token", "nothing", "more",
             "wrong_case", "twice")
    d.wait_log("early: ACKNOWLEDGED -> UNKNOWN")
    d.wait_log("spurious: READY -> UNKNOWN")
    for name in names:
        d.wait_log(rf"{name}: ACKNOWLEDGED -> READY")
    remote(d, "an event")
    for name in names:
        d.wait_log(rf"{name}: (BUSY -> UNKNOWN|event was)")
    d.wait_log("(more|twice): (READY|ACKNOWLEDGED) -> UNKNOWN", 2)
    d.wait_log("nothing: ACKNOWLEDGED -> READY", 2)
    lines = log_about(d)
    for name in ("early", "spurious", *names):
        d.see(name, [line for line in lines if re.search(rf"\b{name}\b", line)])


@scenario(says("negative", r"READY\n", r"RESULT -1\nOK"), extra=DEBUG, start=False)
def test_a_negative_length_is_no_result(d):
    with_says(d)
    d.wait_log("ACKNOWLEDGED -> READY")
    remote(d, "an event")
    # The reference runs out of stack and stops listening to it.
    d.wait_log("bad result line" if d.side == "ours" else "uncaptured python exception")


@scenario(says("zero", r"READY\n", r"RESULT 0\n"), extra=DEBUG, start=False, only="ours")
def test_an_empty_result_is_a_result(d):
    """The reference looks at it when the listener says something more, and a listener that waits for events does not."""
    with_says(d)
    d.wait_log("ACKNOWLEDGED -> READY")
    remote(d, "an event")
    d.wait_log("zero: event was rejected")
    d.wait_log("zero: BUSY -> ACKNOWLEDGED")


@scenario(says("silent", "", more="buffer_size=3"), extra=DEBUG, start=False)
def test_a_full_buffer_loses_the_oldest(d):
    with_says(d)
    d.wait_log("silent entered RUNNING")
    remote(d, *"abcdef")
    d.wait_log("overflowed", 3)
    d.see("log", log_about(d, "overflowed"))


@scenario(listener("rec", "events=REMOTE_COMMUNICATION\nbuffer_size=2\nautostart=false"), start=False)
def test_what_is_left_of_a_full_buffer(d):
    started(d)
    remote(d, *"abcde")
    d.rpc("supervisor.startProcess", "rec")
    wait_events(d, "rec", "e$")
    d.see("payloads", payloads(d, "rec"))
    d.see("log", d.log_lines("overflowed"))


@scenario(says("pool", r"READY\n", more="numprocs=3\nprocess_name=%(program_name)s%(process_num)s"), extra=DEBUG, start=False)
def test_the_processes_of_a_pool_share_its_events(d):
    with_says(d)
    d.wait_log("ACKNOWLEDGED -> READY", 3)
    # Each takes one and keeps it; nobody is left for the fourth until one that is started again gets back its own.
    remote(d, *"abcd")
    d.wait_log("sent to listener", 3)
    d.see("who got what", d.log_lines("sent to listener"))
    d.rpc("supervisor.stopProcess", "pool:pool1")
    d.rpc("supervisor.startProcess", "pool:pool1")
    d.wait_log("event 1 sent to listener pool1", 2)
    d.see("who got what then", d.log_lines("sent to listener"))


@scenario(rejecting("FAIL") + says("stuck", r"READY\n", more="buffer_size=1\npriority=-5"), extra=DEBUG, start=False)
def test_a_stuck_listener_holds_up_nobody(d):
    # Priorities differ, because the reference gives rejected events to every pool of the same priority.
    with_says(d)
    d.wait_log("ACKNOWLEDGED -> READY", 2)
    remote(d, *"abc")
    wait_events(d, "rec", "c$")
    d.see("order", payloads(d, "rec"))
    d.wait_log("pool stuck event buffer overflowed")
    d.see("overflow", d.log_lines("overflowed"))


@scenario(listener("rec", "events=PROCESS_STATE,PROCESS_STATE_RUNNING,EVENT,PROCESS_STATE_RUNNING")
          + "[program:cat]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n", start=False)
def test_overlapping_subscriptions_deliver_repeatedly(d):
    started(d)
    wait_events(d, "rec", "RUNNING.*\nprocessname:rec", 3)
    d.rpc("supervisor.startProcess", "cat")
    wait_events(d, "rec", "RUNNING.*\nprocessname:cat", 3)
    d.see("cat", [comparable(event) for event in events(d, "rec") if "processname:cat" in event[1]])


KINDS = ("PROCESS_STATE", "process_state_exited", "PROCESS_LOG", "PROCESS_COMMUNICATION", "REMOTE_COMMUNICATION", "PROCESS_GROUP",
         "SUPERVISOR_STATE_CHANGE", "PROCESS_LOG_STDERR,PROCESS_STATE_FATAL")


# What the last event of each is; nothing of the other kinds happens.
LAST = {"PROCESS_STATE": "STOPPED.*\nprocessname:talker", "PROCESS_LOG": "channel:stdout\n and some text after",
        "PROCESS_COMMUNICATION": "processname:talker.*\ndata", "REMOTE_COMMUNICATION": "type:flush",
        "PROCESS_GROUP": "ADDED.*\ngroupname:talker", "SUPERVISOR_STATE_CHANGE": "_RUNNING",
        "PROCESS_LOG_STDERR,PROCESS_STATE_FATAL": "an error"}


@scenario("".join(listener(f"rec{number}", f"events={kinds}") for number, kinds in enumerate(KINDS))
          + listener("all") + """
[program:talker]
command=%(ENV_PYTHON)s -u %(here)s/talker.py %(here)s/talker.said
autostart=false
startsecs=0
stdout_events_enabled=true
stderr_events_enabled=true
stdout_capture_maxbytes=1000
""", start=False)
def test_subscriptions_by_type_and_ancestor(d):
    started(d)
    wait_events(d, "all", "SUPERVISOR_STATE_CHANGE_RUNNING")
    d.rpc("supervisor.startProcess", "talker")
    say(d, "talker", "an error\n", fd=2)
    say(d, "talker", "<!--XSUPERVISOR:BEGIN-->data<!--XSUPERVISOR:END--> and some text after it, longer than a token\n")
    remote(d, "text")
    d.rpc("supervisor.stopProcess", "talker")
    d.rpc("supervisor.removeProcessGroup", "talker")
    d.rpc("supervisor.addProcessGroup", "talker")
    flush(d, "all")
    d.see("all", stream(d, "all", "talker"))
    for number, kinds in enumerate(KINDS):
        name = f"rec{number}"
        if kinds in LAST:
            # Its group is there from the start, and is added once more.
            wait_events(d, name, LAST[kinds], 2 if kinds == "PROCESS_GROUP" else 1)
        d.see(kinds, stream(d, name, "talker"))
        check_serials(d, name)


@scenario(listener("rec", "events=TICK_5"), start=False)
def test_ticks_tell_the_begin_of_a_period(d):
    started(d)
    wait_events(d, "rec", "TICK_5", 2)
    got = events(d, "rec")
    times = [int(re.fullmatch(r"when:(\d+)", payload)[1]) for _, payload in got]
    assert all(time % 5 == 0 for time in times) and times[1] - times[0] in (5, 10), times
    d.see("ticks", comparable(got[0]))


@scenario(listener("rec", "events=REMOTE_COMMUNICATION", "bytes bytes"), start=False)
def test_large_events_and_results_in_small_pieces(d):
    started(d)
    large = "é€" * 200_000
    remote(d, large, "small")
    wait_events(d, "rec", "small$")
    got = events(d, "rec")
    assert got[0][1] == "t\n".join(("type:", large))
    d.see("length", fields(got[0][0])["len"])
    d.see("second", got[1][1])


CLOSES_STDIN = """
import os, time
os.close(0)
os.write(1, b"READY\\n")
time.sleep(1000)
"""


SLEEPERS = "".join(f"[program:{name}]\ncommand=/bin/sleep 1000000\nautostart=false\npriority=1\n" for name in "abc")


def heard_of_a_shutdown(d):
    """The names of the events that a listener of everything gets of a shutdown."""
    started(d)
    flush(d, "rec")
    before = len(events(d, "rec"))
    d.signal(signal.SIGTERM)
    d.wait_exit()
    return [fields(header)["eventname"] for header, _ in events(d, "rec")[before:] if "eventname:TICK" not in header]


@scenario(listener("rec") + SLEEPERS, start=False, only="ours")
def test_a_shutdown_with_nothing_to_stop_is_heard_of(d):
    """The reference sends it, and may stop the listener before that has read it."""
    assert heard_of_a_shutdown(d) == ["SUPERVISOR_STATE_CHANGE_STOPPING"]


@scenario(listener("rec") + SLEEPERS + """
[program:last]
command=/bin/sleep 1000000
startsecs=0
priority=2
""", start=False, only="ours")
def test_a_shutdown_with_stopped_programs_behind_the_last_is_heard_of(d):
    """Also of the end of the last program: the reference takes its turns to find the others stopped, and sends it."""
    assert heard_of_a_shutdown(d) == [
        "SUPERVISOR_STATE_CHANGE_STOPPING", "PROCESS_STATE_STOPPING", "PROCESS_STATE_STOPPED"]


@scenario(listener("rec", "events=TICK_3600") + """
[eventlistener:deaf]
command=%(ENV_PYTHON)s -u %(here)s/deaf.py
events=REMOTE_COMMUNICATION
startsecs=0
""", extra=DEBUG, start=False)
def test_a_listener_that_closed_its_stdin(d):
    d.write("deaf.py", CLOSES_STDIN)
    started(d)
    d.wait_log("deaf: ACKNOWLEDGED -> READY")
    remote(d, "a")
    d.wait_log("epipe occurred while sending event 0 to listener deaf, listener state unchanged")


@scenario(listener("rec") + "[program:cat]\ncommand=/bin/cat\nautorestart=true\nstartsecs=0\n", start=False)
def test_serials_go_on_through_a_restart(d):
    started(d)
    wait_events(d, "rec", "RUNNING.*\nprocessname:cat")
    flush(d, "rec")
    before = [fields(header) for header, _ in events(d, "rec")]
    (d.root / "rec.events").unlink()
    d.rpc("supervisor.restart")
    wait_events(d, "rec", "RUNNING.*\nprocessname:cat")
    after = [fields(header) for header, _ in events(d, "rec")]
    first = next(header for header in after if header["eventname"] == "PROCESS_GROUP_ADDED")
    assert int(first["serial"]) > int(before[-1]["serial"])
    d.see("pool serial", first["poolserial"])


@scenario(listener("rec") + """
[program:slow]
command=%(ENV_PYTHON)s -c "import signal, sys, time; signal.signal(15, lambda *a: (open('%(here)s/go').close(), sys.exit(0))); \
    open('%(here)s/slow.up', 'w'); time.sleep(1000)"
startsecs=0
stopwaitsecs=3600
""".replace("\\\n    ", ""), start=False)
def test_a_shutdown_is_heard_of(d):
    # Its program ends when somebody opens this, too.
    os.mkfifo(d.root / "go")
    started(d)
    d.wait_file("slow.up")
    flush(d, "rec")
    before = len(events(d, "rec"))
    d.signal(signal.SIGTERM)
    wait_events(d, "rec", "STATE_STOPPING.*\nprocessname:slow")
    open(d.root / "go", "w", encoding="ascii").close()
    d.wait_exit()
    d.see("events", [comparable(event) for event in events(d, "rec")[before:] if "eventname:TICK" not in event[0]])


@scenario(listener("rec", "events=TICK_3600\nstderr_events_enabled=true\nstderr_capture_maxbytes=100"),
          extra=DEBUG, start=False)
def test_the_logs_of_a_listener(d):
    started(d)
    d.wait_log("ACKNOWLEDGED -> READY")
    d.see("stdout", d.rpc("supervisor.readProcessStdoutLog", "rec", 0, 0))
    d.see("debug", d.log_lines("output:", without="x^"))


# supervisor-stdout

RELAY = r"""
import sys
def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
events = open(0, encoding="utf-8", newline="", closefd=False)
while True:
    say("READY\n")
    header = events.readline()
    if not header:
        break
    data = events.read(int(header.rsplit("len:", 1)[1]))
    say("RESULT %d\n%s" % (len(data.encode()), data))
"""

STDOUT_HANDLER = """
[eventlistener:stdout]
command=%(ENV_PYTHON)s -u %(here)s/relay.py
events=PROCESS_LOG
buffer_size=100
startsecs=0
result_handler=supervisor_stdout:event_handler
[program:web]
command=%(ENV_PYTHON)s -u %(here)s/talker.py %(here)s/web.said
startsecs=0
stdout_events_enabled=true
stderr_events_enabled=true
"""


def test_log_lines_on_the_daemons_stdout():
    """Ours only: PyPI's supervisor-stdout runs on Python 2 only."""
    d = Daemon("ours")
    try:
        d.write("relay.py", RELAY)
        d.configure(STDOUT_HANDLER, extra="silent=true\n" + DEBUG)
        install(d)
        d.start()
        d.wait_log("ACKNOWLEDGED -> READY")
        say(d, "web", "one\n")
        say(d, "web", "an error é\n", fd=2)
        say(d, "web", "two\nthree\n")
        d.wait_file("stdout", "three\n")
        assert d.read("stdout") == (
            "web stdout | one\nweb stderr | an error é\nweb stdout | two\nweb stdout | three\n")
    finally:
        assert not d.close()


FLOOD_LINES = 60_000
FLOOD = (STDOUT_HANDLER.replace("talker.py %(here)s/web.said", "flood.py").replace("buffer_size=100\n", f"buffer_size={FLOOD_LINES}\n")
         + "stdout_logfile=NONE\n")


def test_a_stdout_that_takes_nothing_loses_nothing():
    """The programs that print for the events wait until the daemon's stdout goes on."""
    d = Daemon("ours")
    os.mkfifo(d.root / "stdout")
    reader = os.open(d.root / "stdout", os.O_RDWR)
    try:
        d.write("relay.py", RELAY)
        d.write("flood.py", f"import os, sys\nfor n in range({FLOOD_LINES}):\n    os.write(1, b'%06d %s\\n' % (n, b'x' * 193))\n"
                            "sys.stdin.read()\n")
        d.configure(FLOOD, extra="silent=true\n")
        install(d)
        d.start()
        pid = d.wait_state("web", "RUNNING")["pid"]
        written = []

        def stands_still():
            written.append(Path(f"/proc/{pid}/io").read_text(encoding="ascii").split("\n")[1])
            return written[-30:] == written[-1:] * 30
        wait_for(stands_still, "a program that waits, or has printed everything")
        wait_for(lambda: d.rpc("supervisor.getState")["statename"] == "RUNNING", "an answer meanwhile")
        printed = bytearray()

        def all_there():
            while select.select([reader], [], [], 0)[0]:
                printed.extend(os.read(reader, 1 << 16))
            return printed.count(b"\n") >= FLOOD_LINES
        wait_for(all_there, lambda: f"only {printed.count(10)} lines")
        numbers = [int(line.rpartition(b"| ")[2].split()[0]) for line in printed.splitlines()]
        assert numbers == list(range(FLOOD_LINES))
    finally:
        os.close(reader)
        assert not d.close()


def test_an_idle_daemon_with_listeners_sleeps():
    """Without a tick subscription nothing wakes the daemon up; reading /proc twice shows it."""
    d = Daemon("ours")
    try:
        install(d)
        d.configure(listener("rec", "events=PROCESS_STATE"))
        d.start()
        wait_events(d, "rec", "RUNNING.*\nprocessname:rec")

        def switches():
            total = 0
            for task in os.listdir(f"/proc/{d.pid}/task"):
                with open(f"/proc/{d.pid}/task/{task}/status", encoding="ascii") as status:
                    total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])
            return total
        seen = [0]

        def settled():
            seen.append(switches())
            time.sleep(0.1)
            return seen[-10:] == seen[-1:] * 10
        wait_for(settled, "a daemon that has nothing left to do")
        before = switches()
        # The measure is a span of time, long enough to contain a tick of five seconds.
        time.sleep(6)
        assert switches() == before
    finally:
        assert not d.close()
