"""XML-RPC: reading, tailing and clearing logs."""

import signal

from scenario import scenario

OFFSETS = ((0, 0), (0, 5), (3, 4), (0, 1000), (5, 0), (100, 5), (100, 0), (-5, 0), (-1, 0), (-1000, 0), (-5, 3), (-5, -3),
           (5, -3), (0, -1), (2147483647, 0), (0, 2147483647))

WRITERS = """
[program:writer]
command=/bin/sh -c "printf 0123456789abcdef; printf ERRORS >&2; exec sleep 1000"
stdout_logfile=%(here)s/writer.out
stderr_logfile=%(here)s/writer.err
startsecs=0
[program:mute]
command=/bin/sleep 1000
stdout_logfile=NONE
stderr_logfile=NONE
startsecs=0
[program:merged]
command=/bin/sh -c "echo out; echo err >&2; exec sleep 1000"
redirect_stderr=true
stdout_logfile=%(here)s/merged.out
startsecs=0
[program:never]
command=/bin/cat
autostart=false
stdout_logfile=%(here)s/never.out
[program:unicode]
command=/bin/sh -c "printf 'Malm\\303\\266 \\344\\275\\240 end'; exec sleep 1000"
stdout_logfile=%(here)s/unicode.out
startsecs=0
"""


def written(d):
    d.wait_file("writer.out", "f$")
    d.wait_file("writer.err", "ERRORS")
    d.wait_file("merged.out", "err")
    d.wait_file("unicode.out", "end")


@scenario(WRITERS)
def test_read_offsets(d):
    written(d)
    for offset, length in OFFSETS:
        d.call("readProcessStdoutLog", "writer", offset, length)
    for offset, length in OFFSETS[:4]:
        d.call("readProcessStderrLog", "writer", offset, length)
        d.call("readProcessLog", "writer", offset, length)


@scenario(WRITERS)
def test_tail_offsets(d):
    written(d)
    for offset, length in OFFSETS:
        d.call("tailProcessStdoutLog", "writer", offset, length)
    for offset, length in OFFSETS[:4]:
        d.call("tailProcessStderrLog", "writer", offset, length)
        d.call("tailProcessLog", "writer", offset, length)


@scenario(WRITERS)
def test_logs_that_do_not_exist(d):
    written(d)
    for name in ("mute", "never", "merged"):
        for method in ("readProcessStdoutLog", "readProcessStderrLog", "tailProcessStdoutLog", "tailProcessStderrLog"):
            d.call(method, name, 0, 0)
    d.call("clearProcessLogs", "mute")
    d.call("clearProcessLogs", "never")
    d.see("never was not made", (d.root / "never.out").exists())


@scenario(WRITERS)
def test_reads_that_split_characters(d):
    """Cutting a character of several bytes is an HTTP 500 in the reference; ours answers with what it can."""
    written(d)
    d.call("readProcessStdoutLog", "unicode", 0, 0)
    d.call("readProcessStdoutLog", "unicode", 0, 6)
    d.call("tailProcessStdoutLog", "unicode", 0, 100)
    for offset, length in ((0, 5), (5, 1), (-5, 0), (7, 2)):
        d.expect(f"{offset} {length}", d.outcome("readProcessStdoutLog", "unicode", offset, length),
                 python={"http status": 500}, ours=lambda text: isinstance(text, str))


@scenario(WRITERS)
def test_clear_process_logs(d):
    written(d)
    d.call("clearProcessLogs", "writer")
    d.call("readProcessStdoutLog", "writer", 0, 0)
    d.call("readProcessStderrLog", "writer", 0, 0)
    d.call("clearProcessLog", "writer")
    d.call("clearAllProcessLogs")
    d.see("files", {name: d.read(name) for name in ("writer.out", "writer.err", "merged.out")})
    d.call("clearProcessLogs", "nope")


@scenario("""
[program:cat]
command=/bin/cat
stdout_logfile=%(here)s/cat.out
startsecs=0
""")
def test_writing_goes_on_after_clearing(d):
    d.wait_state("cat", "RUNNING")
    d.rpc("supervisor.sendProcessStdin", "cat", "before\n")
    d.wait_file("cat.out", "before")
    d.call("clearProcessLogs", "cat")
    d.see("cleared", d.read("cat.out"))
    d.rpc("supervisor.sendProcessStdin", "cat", "after\n")
    d.see("after", d.wait_file("cat.out", "after"))


@scenario("""
[program:done]
command=/bin/sh -c "echo out; echo err >&2"
autorestart=false
startsecs=0
stdout_logfile=%(here)s/done.out
stderr_logfile=%(here)s/done.err
""")
def test_clear_logs_of_a_stopped_process(d):
    """Without a running process there is nothing to reopen: the files stay."""
    d.wait_state("done", "EXITED")
    d.call("clearProcessLogs", "done")
    d.see("files", (d.read("done.out"), d.read("done.err")))


@scenario("""
[program:one]
command=/bin/cat
priority=3
startsecs=0
[program:two]
command=/bin/cat
priority=1
startsecs=0
[program:three]
command=/bin/cat
autostart=false
priority=2
""")
def test_clear_all_results_are_in_priority_order(d):
    d.wait_state("one", "RUNNING")
    d.call("clearAllProcessLogs")


@scenario("""
[program:cat]
command=/bin/cat
""")
def test_main_log(d):
    d.wait_state("cat", "RUNNING")
    size = len(d.log_text())
    d.see("all", d.rpc("supervisor.readLog", 0, 0) == d.log_text())
    d.see("alias", d.rpc("supervisor.readMainLog", 0, 0) == d.log_text())
    d.see("tail", d.rpc("supervisor.readLog", -20, 0) == d.log_text()[-20:])
    d.see("piece", d.rpc("supervisor.readLog", 3, 4) == d.log_text()[3:7])
    d.see("beyond", d.rpc("supervisor.readLog", size + 10, 0))
    for offset, length in ((-5, 3), (0, -1), (-5, -5)):
        d.call("readLog", offset, length)
    d.call("clearLog")
    d.see("lines", d.log_lines())
    d.call("stopProcess", "cat")
    d.see("goes on", d.log_lines())


@scenario("""
[program:cat]
command=/bin/cat
""")
def test_main_log_that_was_removed(d):
    d.log.unlink()
    d.call("readLog", 0, 0)
    d.call("clearLog")
    d.see("exists", d.log.exists())
    d.signal(signal.SIGUSR2)
    d.wait_file("main.log")
    d.call("clearLog")


@scenario("""
[program:cat]
command=/bin/cat
""", start=False)
def test_main_log_to_nowhere(d):
    d.configure("[program:cat]\ncommand=/bin/cat\n")
    text = d.config.read_text().replace("logfile=%(here)s/main.log", "logfile=/dev/null\nlogfile_maxbytes=0")
    d.config.write_text(text)
    d.start()
    d.call("readLog", 0, 0)
    d.call("readLog", -5, 3)
