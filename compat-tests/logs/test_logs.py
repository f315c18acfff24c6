"""Log files: names, rotation, reopening, special targets, the main log."""

import os
import re
import signal
from pathlib import Path

from harness import wait_for
from scenario import scenario


def sizes(d, name):
    """The sizes of a log file and its backups."""
    d.catch_up()
    return {path.name: path.stat().st_size for path in sorted(d.root.glob(f"{name}*"))}


@scenario("""
[program:auto]
command=/bin/sh -c "echo out; echo err >&2; exec sleep 1000"
startsecs=0
[program:explicit]
command=/bin/sh -c "echo out; exec sleep 1000"
stdout_logfile=AUTO
stderr_logfile=none
startsecs=0
""", extra="identifier=some id")
def test_auto_names(d):
    d.wait_state("auto", "RUNNING")
    d.wait_state("explicit", "RUNNING")
    info = d.call("getProcessInfo", "auto")
    d.see("out", d.wait_file(info["stdout_logfile"].rpartition("/")[2], "out"))
    d.see("err", d.wait_file(info["stderr_logfile"].rpartition("/")[2], "err"))
    d.call("getProcessInfo", "explicit")
    d.call("getAllConfigInfo")
    d.see("mode", oct((d.root / info["stdout_logfile"]).stat().st_mode))


@scenario("""
[program:auto]
command=/bin/cat
startsecs=0
""", start=False)
def test_cleanup_of_old_auto_logs(d):
    for name in ("old-stdout---supervisor-abcdefgh.log", "old-stderr---supervisor-abcdefgh.log.1",
                 "old-stdout---other-abcdefgh.log", "unrelated.log", "old-stdout---supervisor-short.log",
                 "old-stdout---supervisor-abcdefgh.log.22"):
        d.write(name, "x")
    d.start()
    d.wait_state("auto", "RUNNING")
    d.see("left", sorted(p.name for p in d.root.iterdir() if p.name.startswith(("old", "unr"))))


@scenario("""
[program:auto]
command=/bin/cat
startsecs=0
""", start=False)
def test_nocleanup(d):
    d.write("old-stdout---supervisor-abcdefgh.log", "x")
    d.start("-k")
    d.wait_state("auto", "RUNNING")
    d.see("left", (d.root / "old-stdout---supervisor-abcdefgh.log").exists())


@scenario("""
[program:once]
command=/bin/cat
stdout_logfile=%(here)s/once.out
stdout_logfile_maxbytes=10
stdout_logfile_backups=2
startsecs=0
""")
def test_rotation(d):
    """Rotation follows the write that reaches the limit; the oldest backup goes."""
    d.wait_state("once", "RUNNING")
    for number, text in enumerate(("1234567890", "abc", "defghij", "klm", "x" * 25, "end"), 1):
        d.rpc("supervisor.sendProcessStdin", "once", text)
        d.wait_file("once.out" if len(text) < 7 else "once.out.1", text[-3:])
        wait_for((d.root / "once.out").exists, "the new file after a rotation")
        d.see(f"after {number}", sizes(d, "once.out"))
    d.see("contents", {name: d.read(name) for name in sizes(d, "once.out")})


@scenario("""
[program:none]
command=/bin/cat
stdout_logfile=%(here)s/none.out
stdout_logfile_maxbytes=10
stdout_logfile_backups=0
startsecs=0
[program:unlimited]
command=/bin/cat
stdout_logfile=%(here)s/unlimited.out
stdout_logfile_maxbytes=0
stdout_logfile_backups=3
startsecs=0
""")
def test_rotation_without_backups_and_without_limit(d):
    for name in ("none", "unlimited"):
        d.wait_state(name, "RUNNING")
        for text in ("123456", "abc"):
            d.rpc("supervisor.sendProcessStdin", name, text)
            d.wait_file(f"{name}.out", text)
    d.rpc("supervisor.sendProcessStdin", "none", "overflow")
    d.rpc("supervisor.sendProcessStdin", "unlimited", "overflow")
    d.wait_file("unlimited.out", "overflow")
    d.see("unlimited", sizes(d, "unlimited.out"))
    # Else cat may read both at once.
    wait_for(lambda: d.nudge() or d.read("none.out") == "", "the log to be started anew")
    d.rpc("supervisor.sendProcessStdin", "none", "z")
    d.wait_file("none.out", "^z$")
    d.see("none", sizes(d, "none.out"))


@scenario("""
[program:colour]
command=/bin/sh -c "printf '\\\\033[31mred\\\\033[0m plain \\\\033[1;32mgreen\\\\033[0m end'; exec sleep 1000"
stdout_logfile=%(here)s/colour.out
startsecs=0
""", start=False)
def test_strip_ansi(d):
    for number, option in enumerate(("false", "true")):
        d.configure(f"""
[program:colour]
command=/bin/cat {d.root}/coloured
stdout_logfile=%(here)s/colour{number}.out
startsecs=0
autorestart=false
""", extra=f"strip_ansi={option}")
        d.write("coloured", "\033[31mred\033[0m plain \033[1;32mgreen\033[0m \033[2J\033[10;20Hend\n")
        d.start()
        d.wait_state("colour", "EXITED")
        d.see(option, d.wait_file(f"colour{number}.out", "end"))
        d.stop()


@scenario("""
[program:out]
command=/bin/sh -c "echo to stdout; echo to stderr >&2; exec sleep 1000"
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
startsecs=0
""")
def test_dev_stdout(d):
    # A start that fails a few times (no descriptor, no process, no way to open the log) is FATAL in the reference, and
    # no output will ever come: then this tells why.
    d.wait_state("out", "RUNNING")
    d.see("stdout", re.findall("to std.*", d.wait_file("stdout", "to stdout")))
    d.see("stderr", re.findall("to std.*", d.wait_file("stderr", "to stderr")))
    d.call("getProcessInfo", "out")


@scenario("""
[program:out]
command=/bin/cat
startsecs=0
""")
def test_main_log_is_copied_to_stdout_in_the_foreground(d):
    d.wait_state("out", "RUNNING")
    d.stop()
    d.see("same", d.read("stdout") == d.log_text())
    d.see("lines", d.log_lines())


@scenario("""
[program:out]
command=/bin/cat
startsecs=0
""", start=False)
def test_silent(d):
    d.start("-s")
    d.wait_state("out", "RUNNING")
    d.stop()
    d.see("stdout", d.read("stdout"))
    d.see("log", d.log_lines())


@scenario("""
[program:cat]
command=/bin/cat
stdout_logfile=%(here)s/cat.out
startsecs=0
""")
def test_sigusr2_reopens(d):
    d.wait_state("cat", "RUNNING")
    d.rpc("supervisor.sendProcessStdin", "cat", "before\n")
    d.wait_file("cat.out", "before")
    (d.root / "cat.out").rename(d.root / "cat.moved")
    d.log.rename(d.root / "main.moved")
    d.signal(signal.SIGUSR2)
    d.wait_file("cat.out")
    d.wait_file("main.log")
    d.rpc("supervisor.sendProcessStdin", "cat", "after\n")
    d.see("new", d.wait_file("cat.out", "after"))
    d.see("old", d.read("cat.moved"))
    d.see("old main", [line.split(" ", 2)[2] for line in d.read("main.moved").splitlines()][-2:])
    d.rpc("supervisor.stopProcess", "cat")
    d.see("new main", d.log_lines())


@scenario("""
[program:talker]
command=/bin/sh -c "echo to out; echo to err >&2; exec sleep 1000"
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
startsecs=0
""", extra="loglevel=debug")
def test_debug_level_copies_output(d):
    d.wait_log("'talker' stderr output")
    d.wait_log("'talker' stdout output")
    d.see("copies", re.findall(r"DEBG ('talker' std.*)\n(.*)", d.log_text()) and sorted(
        re.findall(r"DEBG ('talker' std.*)\n(.*)", d.log_text())))
    d.call("stopProcess", "talker")
    d.see("killing", d.log_lines("killing"))
    d.call("stopProcess", "talker")
    d.wait_log("SIGCHLD")
    d.see("child", d.log_lines("SIGCHLD")[:1])


@scenario("""
[program:noisy]
command=/bin/sh -c "printf '\\\\210\\\\n'; exec sleep 1000"
stdout_logfile=%(here)s/noisy.out
startsecs=0
""", extra="loglevel=debug", start=False)
def test_undecodable_output_in_the_main_log(d):
    d.configure(f"""
[program:noisy]
command=/bin/cat {d.root}/bytes
stdout_logfile=%(here)s/noisy.out
startsecs=0
autorestart=false
""", extra="loglevel=debug")
    (d.root / "bytes").write_bytes(b"\x88\n")
    d.start()
    d.wait_state("noisy", "EXITED")
    d.wait_log("Undecodable")
    d.see("lines", re.findall("Undecodable.*", d.log_text()))
    d.see("kept", (d.root / "noisy.out").read_bytes())


@scenario("", start=False)
def test_levels_of_the_main_log(d):
    for level in ("critical", "error", "warn", "info", "CRIT", "Warning"):
        d.configure("[program:p]\ncommand=/bin/true\nstartsecs=0\nautorestart=false\n[program:q]\ncommand=/bin/cat\n",
                    extra=f"loglevel={level}")
        d.log.unlink(missing_ok=True)
        if level in ("CRIT", "Warning"):
            d.see(level, d.run("-n", "-c", d.config)[0] if level == "Warning" else None)
            continue
        d.start()
        d.wait_state("q", "RUNNING")
        d.wait_state("p", "EXITED")
        d.stop()
        d.see(level, d.log_lines(without="success: p|waiting"))


@scenario("""
[program:p]
command=/bin/cat
startsecs=0
stopsignal=KILL
""", extra="logfile_maxbytes=400\nlogfile_backups=2")
def test_rotation_of_the_main_log(d):
    d.wait_state("p", "RUNNING")
    for _ in range(4):
        d.rpc("supervisor.stopProcess", "p")
        d.rpc("supervisor.startProcess", "p")
    d.rpc("supervisor.readLog", 0, 0)  # what was logged is in the files then
    files = sizes(d, "main.log")
    d.see("files", sorted(files))
    limit = 400 + max(len(line) for line in d.read("main.log.1").splitlines())
    d.see("bounded", all(size <= limit for size in files.values()))


@scenario("""
[program:loud]
command=/bin/sh -c "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo end; exec sleep 1000"
stdout_logfile=%(here)s/loud.out
startsecs=0
""")
def test_nothing_of_much_output_is_lost(d):
    text = d.wait_file("loud.out", "end")
    d.see("complete", text == "".join(f"line {n}\n" for n in range(3000)) + "end\n")


@scenario("""
[program:parting]
command=/bin/sh -c "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done"
stdout_logfile=%(here)s/parting.out
startsecs=0
autorestart=false
""")
def test_output_before_the_exit_is_kept(d):
    d.wait_state("parting", "EXITED")
    d.see("lines", len(d.wait_file("parting.out", "line 299\n").splitlines()))


@scenario("""
[program:captured]
command=/bin/sh -c "echo before; echo '<!--XSUPERVISOR:BEGIN-->hidden<!--XSUPERVISOR:END-->after'; echo 'padding to push the tail out of the buffer'; exec sleep 1000"
stdout_logfile=%(here)s/captured.out
stdout_capture_maxbytes=1KB
startsecs=0
""")
def test_capture_mode_keeps_text_out_of_the_log(d):
    d.see("log", d.wait_file("captured.out", "push the tail"))


@scenario("""
[program:brief]
command=/bin/sh -c "read line < %(here)s/go; echo last words"
process_name=brief_%(process_num)d
numprocs=5
startsecs=0
autorestart=false
""", extra="loglevel=debug", start=False, only="ours")
def test_what_was_printed_is_logged_before_the_end(d):
    """Also when the daemon hears of both at once. The reference has now one order and now the other."""
    os.mkfifo(d.root / "go")
    d.start()
    names = [f"brief:brief_{n}" for n in range(5)]
    pids = [d.wait_state(name, "RUNNING")["pid"] for name in names]
    os.kill(d.process.pid, signal.SIGSTOP)
    with open(d.root / "go", "w", encoding="ascii") as go:
        go.write("now\n" * len(pids))
        go.flush()
        wait_for(lambda: all(ended(pid) for pid in pids), "the ends of the programs")
    os.kill(d.process.pid, signal.SIGCONT)
    d.wait_log("exited: brief", len(pids))
    d.wait_log("a child quit")
    lines = d.log_lines("stdout output|exited: brief|child quit")
    for number in range(len(pids)):
        kinds = [re.search("stdout output|exited", line)[0] for line in lines if f"brief_{number}" in line]
        assert kinds == ["stdout output", "exited"], lines
    assert "child quit" in lines[-1]


def ended(pid):
    """Whether a child of the daemon waits to be reaped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
