"""Several writers of one log: no line is lost or torn, whatever the log is called."""

import contextlib
import fcntl
import os
import signal
import struct
import termios

from harness import wait_for
from scenario import scenario

PRINTER = """\
import sys
name, lines, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for begin in sys.argv[4:]:
    open(begin).read()
for number in range(lines):
    sys.stdout.write(f"{name} {number} ".ljust(width, name[-1]) + "\\n")
    sys.stdout.flush()
"""

ECHO = """
[program:{name}]
command=/bin/cat
stdout_logfile=%(here)s/{log}
stdout_logfile_maxbytes=100
stdout_logfile_backups=1000
stderr_logfile=%(here)s/{log}
stderr_logfile_maxbytes=100
stderr_logfile_backups=1000
startsecs=0
"""


def all_lines(d, name):
    """What is in a log and all its rotated files, each file once.

    All are opened before the first is read: names change at a rotation, and what is open does not.
    """
    with contextlib.ExitStack() as opened:
        files = {}
        for path in d.root.glob(f"{name}*"):
            with contextlib.suppress(FileNotFoundError):
                file = opened.enter_context(path.open(encoding="utf-8"))
                files[os.fstat(file.fileno()).st_ino] = file
        return [line for file in files.values() for line in file.read().splitlines()]


def log_is_whole(d, name, expected):
    """Waits until all lines are in the files of a log, each of them once and as it was printed."""
    wait_for(lambda: d.catch_up() or len(all_lines(d, name)) >= len(expected),
             lambda: f"{len(expected)} lines, not {len(all_lines(d, name))}")
    assert sorted(all_lines(d, name)) == sorted(expected)


@scenario("""
[program:p]
command=%(ENV_PYTHON)s -u %(here)s/printer.py p%(process_num)d 2000 40
process_name=p%(process_num)d
numprocs=4
autorestart=false
startsecs=0
redirect_stderr=true
stdout_logfile=%(here)s/all.log
stdout_logfile_maxbytes=4000
stdout_logfile_backups=1000
""", start=False, only="ours")
def test_processes_of_one_program(d):
    d.write("printer.py", PRINTER)
    d.start()
    for number in range(4):
        d.wait_state(f"p:p{number}", "EXITED")
    log_is_whole(d, "all.log", [f"p{p} {n} ".ljust(40, str(p)) for p in range(4) for n in range(2000)])
    # Rotated once at a time: none is nearly empty, none far beyond the limit of one read more.
    sizes = [path.stat().st_size for path in d.root.glob("all.log.*")]
    assert min(sizes) >= 4000, sizes


@scenario("".join(ECHO.format(name=name, log=log) for name, log in (
    ("plain", "x.log"), ("dots", "sub/../x.log"), ("link", "link.log"), ("hard", "hard.log"))), start=False, only="ours")
def test_one_file_of_many_names(d):
    (d.root / "sub").mkdir()
    (d.root / "x.log").touch()
    (d.root / "link.log").symlink_to("x.log")
    (d.root / "hard.log").hardlink_to(d.root / "x.log")
    names = ("plain", "dots", "link", "hard")
    d.start()
    expected = []
    for name in names:
        d.wait_state(name, "RUNNING")
    for number in range(100):
        for name in names:
            expected.append(f"{name} {number} {'.' * 30}")
            d.rpc("supervisor.sendProcessStdin", name, expected[-1] + "\n")
    # At a rotation the names of a hard link part.
    log_is_whole(d, "[xh]*.log", expected)
    assert (d.root / "link.log").is_symlink() and not list(d.root.glob("link.log.*"))


@scenario("""
[program:p]
command=/bin/sh -c "while read line; do echo $line; echo $line >&2; done"
stdout_logfile=%(here)s/main.log
stdout_logfile_maxbytes=2000
stdout_logfile_backups=1000
stderr_logfile=%(here)s/main.log
stderr_logfile_maxbytes=0
startsecs=0
""", extra="logfile_maxbytes=3000\nlogfile_backups=3", only="ours")
def test_the_main_log_and_both_channels(d):
    d.wait_state("p", "RUNNING")
    expected = [f"line {number} {'.' * 60}" for number in range(300)]
    for line in expected:
        d.rpc("supervisor.sendProcessStdin", "p", line + "\n")

    def printed():
        return [line for line in all_lines(d, "main.log") if "line " in line]
    wait_for(lambda: d.catch_up() or len(printed()) >= 600, lambda: f"600 lines, not {len(printed())}")
    assert sorted(printed()) == sorted(expected * 2)
    # The smallest size, the most backups.
    sizes = [path.stat().st_size for path in d.root.glob("main.log.*")]
    assert len(sizes) > 3 and min(sizes) >= 2000 and max(sizes) < 3000, sizes
    assert "supervisord started" in "".join(all_lines(d, "main.log"))


@scenario("".join(ECHO.format(name=name, log="x.log") for name in ("one", "two")), only="ours")
def test_clearing_a_log_of_two(d):
    for name in ("one", "two"):
        d.wait_state(name, "RUNNING")
        d.rpc("supervisor.sendProcessStdin", name, f"{name} before\n")
        d.wait_file("x.log", f"{name} before")
    d.rpc("supervisor.clearProcessLogs", "one")
    for name in ("one", "two"):
        d.rpc("supervisor.sendProcessStdin", name, f"{name} after\n")
        d.wait_file("x.log", f"{name} after")
    assert "before" not in d.read("x.log")


def waiting(pid):
    """Bytes in the pipe that is a process' standard output."""
    pipe = os.open(f"/proc/{pid}/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    try:
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    finally:
        os.close(pipe)


@scenario("".join(f"""
[program:{name}]
command=%(ENV_PYTHON)s -u %(here)s/printer.py {name} 100 3000 %(here)s/begin.{name}
autorestart=false
startsecs=0
stdout_logfile=%(here)s/{log}
stdout_logfile_maxbytes=0
""" for name, log in (("a", "fifo"), ("b", "link"))), start=False, only="ours")
def test_a_pipe_that_makes_its_writers_wait(d):
    d.write("printer.py", PRINTER)
    for fifo in ("fifo", "begin.a", "begin.b"):
        os.mkfifo(d.root / fifo)
    (d.root / "link").symlink_to("fifo")
    reader = os.open(d.root / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        d.start()
        # Many lines are read at a time, because the daemon has not been there for a moment.
        pids = [d.pid_of(name) for name in "ab"]
        os.kill(d.pid, signal.SIGSTOP)
        for name, pid in zip("ab", pids):
            (d.root / f"begin.{name}").write_text("now")
            wait_for(lambda: waiting(pid) >= 10 * 3000, "many lines in the program's pipe")
        os.kill(d.pid, signal.SIGCONT)
        # All they print is read and queued; the pipe has taken what it holds.
        for name in "ab":
            d.wait_state(name, "EXITED")
        d.catch_up()
        text = b""

        def all_read():
            nonlocal text
            try:
                text += os.read(reader, 5000)
            except BlockingIOError:
                pass
            return text.count(b"\n") == 200
        wait_for(all_read, lambda: f"200 lines, not {text.count(bytes([10]))}", pause=0.001)
    finally:
        os.close(reader)
    expected = [f"{name} {number} ".ljust(3000, name) for name in "ab" for number in range(100)]
    assert sorted(text.decode().splitlines()) == sorted(expected)
