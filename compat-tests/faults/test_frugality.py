"""What ours promises beyond the reference: it does not wake up, does not leak, and is not held up by a log."""

import os
import signal
import socket
from pathlib import Path

from harness import wait_for
from procfs import descriptors, status_of, switches

# How many look at logs at the same time.
VIEWERS = 40


def quiet(daemon):
    """Whether the daemon sleeps for three seconds: three times the reference's polling interval."""
    before = switches(daemon.pid)
    signal.sigtimedwait([], 3)  # nothing can arrive: a pause
    return switches(daemon.pid) == before


def test_no_wake_up_while_nothing_happens(ours):
    """Seconds pass without one voluntary context switch."""
    ours.configure("[program:idle]\ncommand=/bin/sleep 1000000\nnumprocs=10\nprocess_name=%(process_num)d\n")
    ours.start()
    wait_for(lambda: all(info["statename"] == "RUNNING" for info in ours.rpc("supervisor.getAllProcessInfo")), "RUNNING")
    wait_for(lambda: quiet(ours), "three seconds without a wake-up", timeout=30)


def test_listeners_that_do_not_read_share_what_waits_for_them(ours):
    """Some 400 KB are to be sent to each of a hundred streams of events; a copy for each would be 40 MB."""
    ours.configure("[program:many]\ncommand=/bin/cat\nautostart=false\nnumprocs=1000\nprocess_name=%(process_num)d\n")
    ours.start()
    ours.rpc("supervisor.getState")
    before = status_of(ours.pid, "VmRSS")
    streams = []
    for _ in range(100):
        stream = ours.connect()
        streams.append(stream)
        stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")

    def told(stream):
        return b"namespec" in stream.recv(4096, socket.MSG_PEEK)
    for stream in streams:
        wait_for(lambda: told(stream), "the first event")
    assert status_of(ours.pid, "VmRSS") < before + 16_000
    for stream in streams:
        stream.close()


def test_a_hundred_rereads_leak_nothing(ours):
    """Adding, changing and removing groups leaves descriptors and memory as they were."""
    base = "[program:stays]\ncommand=/bin/sleep 1000000\nstartsecs=0\n"
    extra = "[program:comes]\ncommand=/bin/sleep {n}00000\nstartsecs=0\n"
    ours.configure(base)
    ours.start()

    def turn(n):
        ours.configure(base + extra.format(n=n))
        assert ours.rpc("supervisor.reloadConfig") == [[["comes"], [], []]]
        assert ours.rpc("supervisor.addProcessGroup", "comes")
        ours.wait_state("comes", "RUNNING")
        assert ours.rpc("supervisor.stopProcessGroup", "comes")[0]["description"] == "OK"
        assert ours.rpc("supervisor.removeProcessGroup", "comes")
        ours.configure(base)
        assert ours.rpc("supervisor.reloadConfig") == [[[], [], []]]

    for n in range(1, 11):
        turn(n)
    before, memory = len(descriptors(ours.pid)), status_of(ours.pid, "VmRSS")
    for n in range(11, 111):
        turn(n)
    wait_for(lambda: len(descriptors(ours.pid)) <= before, lambda: f"{before} descriptors, then {descriptors(ours.pid)}")
    assert status_of(ours.pid, "VmRSS") <= memory + 512


def test_a_hundred_restarts_leak_nothing(ours):
    """`supervisorctl reload` a hundred times: same pid, same descriptors, same memory."""
    ours.configure("[program:a]\ncommand=/bin/sleep 1000000\nstartsecs=0\n")
    ours.start()
    pid = ours.pid

    def restart():
        victim = ours.pid_of("a")
        assert ours.rpc("supervisor.restart")
        wait_for(lambda: ours.answers() and ours.pid_of("a") not in (0, victim), "a restart")

    def logs():
        return sorted(Path(target).name.split("---")[0] for target in descriptors(ours.pid).values() if target.endswith(".log"))

    for _ in range(10):
        restart()
    # The disk thread opens its files when it gets round to it.
    wait_for(lambda: logs() == ["a-stderr", "a-stdout", "main.log"], lambda: f"open logs, there are {logs()}")
    before, memory = len(descriptors(ours.pid)), status_of(pid, "VmRSS")
    for _ in range(100):
        restart()
    wait_for(lambda: len(descriptors(ours.pid)) <= before, lambda: f"{before} descriptors, then {descriptors(ours.pid)}")
    assert status_of(pid, "VmRSS") <= memory + 512
    assert ours.rpc("supervisor.getPID") == pid


def test_viewers_of_logs_share_what_wakes_them(ours):
    """Each costs a connection and a file, and nothing while nothing is written; those who leave leave nothing behind."""
    ours.configure("""
[program:cat]
command=/bin/cat
numprocs=2
process_name=%(process_num)d
stdout_logfile=%(here)s/cat%(process_num)d.log
startsecs=0
""")
    ours.start()
    names = ["cat:0", "cat:1"]
    for number, name in enumerate(names):
        ours.wait_state(name, "RUNNING")
        assert ours.rpc("supervisor.sendProcessStdin", name, "so far\n")
        ours.wait_file(f"cat{number}.log", "so far\n")

    def instances():
        return [target for target in descriptors(ours.pid).values() if "inotify" in target]

    def say(text, viewers):
        for name in names:
            assert ours.rpc("supervisor.sendProcessStdin", name, f"{text}\n")
        for _, reader in viewers:
            while reader.readline() != f"{text}\n".encode():
                pass

    assert instances() == []
    before = len(descriptors(ours.pid))
    viewers = []
    for number in range(VIEWERS):
        stream = ours.connect()
        stream.sendall(f"GET /logtail/{names[number % 2]} HTTP/1.0\r\n\r\n".encode())
        viewers.append((stream, stream.makefile("rb")))
    say("to all", viewers)
    # One instance, which the event loop knows by a descriptor of its own.
    assert len(instances()) == 2
    most = before + 2 * VIEWERS + 2
    wait_for(lambda: len(descriptors(ours.pid)) <= most, lambda: f"{most} descriptors at most, there are {descriptors(ours.pid)}")
    wait_for(lambda: quiet(ours), "three seconds without a wake-up", timeout=30)
    gone, viewers = viewers[:VIEWERS // 2], viewers[VIEWERS // 2:]
    for viewer in gone:
        for end in reversed(viewer):
            end.close()
    most = before + 2 * len(viewers) + 2
    wait_for(lambda: len(descriptors(ours.pid)) <= most, lambda: f"{most} descriptors at most, there are {descriptors(ours.pid)}")
    say("to those who stay", viewers)
    for viewer in viewers:
        for end in reversed(viewer):
            end.close()
    wait_for(lambda: len(descriptors(ours.pid)) <= before, lambda: f"{before} descriptors, there are {descriptors(ours.pid)}")
    wait_for(lambda: instances() == [], "the last instance to be given up")


def test_a_log_nobody_reads_holds_back_only_its_writer(ours):
    """A FIFO as log file: once it is full its program waits; everything else goes on."""
    os.mkfifo(ours.root / "fifo")
    ours.configure("""
[program:flood]
command=/bin/sh -c 'n=0; while :; do n=$((n+1)); echo "$n .................................................."; done'
stdout_logfile=%(here)s/fifo
stdout_logfile_maxbytes=0
startsecs=0
[program:other]
command=/bin/sh -c 'while read line; do echo "got $line"; done'
stdout_logfile=%(here)s/other.log
startsecs=0
""")
    ours.start()
    flood = ours.pid_of("flood")

    def blocked():
        return "pipe_write" in Path(f"/proc/{flood}/wchan").read_text() or \
            Path(f"/proc/{flood}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    wait_for(blocked, "the writer to be held back")
    assert status_of(ours.pid, "VmRSS") < 16_000
    for number in range(20):
        assert ours.rpc("supervisor.sendProcessStdin", "other", f"line {number}\n")
    ours.wait_file("other.log", r"got line 19\n")
    assert ours.rpc("supervisor.stopProcess", "other")
    assert ours.rpc("supervisor.startProcess", "other")
    # A reader gets what was held back, in order and without a gap.
    with open(ours.root / "fifo", "rb") as reader:
        lines = [reader.readline() for _ in range(100_000)]
    assert [int(line.split()[0]) for line in lines] == list(range(1, 100_001))


def test_a_log_that_cannot_be_written_is_said_once_and_harms_nothing(ours):
    """ENOSPC on one log: one line in the main log; the program and the others live on."""
    ours.configure("""
[program:unlucky]
command=/bin/sh -c 'while :; do echo out; sleep 0.01; done'
stdout_logfile=/dev/full
stdout_logfile_maxbytes=0
startsecs=0
[program:lucky]
command=/bin/sh -c 'n=0; while :; do n=$((n+1)); echo "$n"; sleep 0.01; done'
stdout_logfile=%(here)s/lucky.log
startsecs=0
""")
    ours.start()
    ours.wait_log("No space left on device")
    ours.wait_file("lucky.log", r"(?m)^200$")
    assert ours.rpc("supervisor.getProcessInfo", "unlucky")["statename"] == "RUNNING"
    assert ours.log_text().count("No space left on device") == 1


def test_a_log_whose_directory_went_away(ours):
    """The output is lost until the directory is back; SIGUSR2 then finds it."""
    (ours.root / "logs").mkdir()
    ours.configure("""
[program:a]
command=/bin/sh -c 'while read line; do echo "$line"; done'
stdout_logfile=%(here)s/logs/a.log
startsecs=0
""")
    ours.start()
    ours.rpc("supervisor.sendProcessStdin", "a", "first\n")
    ours.wait_file("logs/a.log", "first")
    (ours.root / "logs").rename(ours.root / "elsewhere")
    ours.signal(signal.SIGUSR2)
    ours.wait_log(r"No such file or directory")
    assert ours.rpc("supervisor.getProcessInfo", "a")["statename"] == "RUNNING"
    (ours.root / "logs").mkdir()
    ours.signal(signal.SIGUSR2)
    ours.rpc("supervisor.sendProcessStdin", "a", "second\n")
    ours.wait_file("logs/a.log", "second")


FLOOD = """
[program:loud]
command=/bin/sh -c "yes a line of text that somebody could want to read"
stdout_events_enabled=true
stdout_logfile=NONE
startsecs=0
autostart=false
[eventlistener:stuck]
command=/bin/sh -c "echo READY; exec sleep 1000000"
events=PROCESS_LOG
startsecs=0
autostart=false
[program:victim]
command=/bin/sleep 1000000
startsecs=0
"""
# The listener costs a few KiB (`bench/events.py`). What the main log says of each lost event may wait for a disk thread
# that gets no processor: 4 MiB for the file and as much for the terminal. Every event kept would be some 30 MiB.
STUCK_BYTES = 16 << 20


def test_a_stuck_listener_costs_little(ours):
    """It took one event and says nothing more, while a program floods its pool."""
    ours.configure(FLOOD, extra="logfile_maxbytes=1MB\nlogfile_backups=1")
    ours.start()
    ours.rpc("supervisor.startProcess", "loud")
    memory = status_of(ours.pid, "VmRSS")
    ours.rpc("supervisor.startProcess", "stuck")
    ours.wait_log(r"pool stuck event buffer overflowed, discarding \d+ more events", 2)
    for _ in range(15):
        assert ours.rpc("supervisor.stopProcess", "victim") and ours.rpc("supervisor.startProcess", "victim")
    grown = (status_of(ours.pid, "VmRSS") - memory) * 1024
    assert grown < STUCK_BYTES, f"{grown} bytes more"
    # The flood goes on.
    overflows = len(ours.log_lines("overflowed"))
    wait_for(lambda: len(ours.log_lines("overflowed")) != overflows, "more events")
    ours.rpc("supervisor.stopProcess", "stuck")
