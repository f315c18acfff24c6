"""The interactive shell of supervisorctl: ours and the reference's, both against our daemon, piped and on a terminal."""

import os
import re
import signal
import stat
import time

import pexpect
import pytest

import normalize
from harness import WAIT_SECS, finish, wait_for, wait_for_rest
from terminals import LOCKED, SIDES, client_of, close_terminals, open_terminal, served, wait_silent  # noqa: F401 (a fixture among them)

PROGRAMS = """
[program:cat]
command=/bin/cat
[program:idle]
command=/bin/cat
autostart=false
[program:web]
command=/bin/sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
[program:talker]
command=/bin/sh -c "echo ready; while read line; do echo out $line; echo err $line >&2; done"
"""


@pytest.fixture(scope="module")
def daemon():
    """A daemon that all the shells talk to."""
    with served(PROGRAMS) as d:
        for name in ("cat", "web:web_0", "web:web_1", "talker"):
            d.wait_state(name, "RUNNING")
        yield d


def plain(d, text):
    """Output without what differs from run to run."""
    # The place in a program that found the failure.
    text = re.sub(r"(?m): file: .*? line: \d+$", ": <PLACE>", text)
    text = re.sub(r"STOPPED +(Not started|\w{3} \d\d \d\d:\d\d [AP]M)", "STOPPED   <SINCE>", text)
    text = re.sub(r"\r+\n", "\n", re.sub(r"pid \d+, uptime \d:\d\d:\d\d", "pid N, uptime T", text))
    return normalize.text(text, d.places)


def piped(d, side, text, *args, config=True):
    """Runs a shell with piped input: exit status and standard output."""
    where = ["-c", d.config] if config else []
    status, out, err = finish([client_of(d, side), *where, *args], WAIT_SECS, text, cwd=d.root, env=d.env,
                              start_new_session=True)
    if side == "ours":
        assert "panicked" not in err
    return status, plain(d, out)


PIPED = {
    "nothing": "",
    "empty lines": "\n\n  \n",
    "one command": "version\n",
    "no line end": "version",
    "line ends of others": "version\r\n",
    "quit": "quit\nversion\n",
    "exit": "exit now\nversion\n",
    "EOF typed": "EOF\nversion\n",
    "unknown": "nonsense\n!ls\n/x\nstatusx\n",
    "help": "help\n?\n? version\nhelp fg\nhelp nonsense\nhelp help\n",
    "status": "status nope\nstatus idle\nstatus web:*\n",
    "refused shutdown": "shutdown\nn\nshutdown\n\nreload\nno\nversion\n",
    "question at the end": "shutdown\n",
    "wrong arguments": "shutdown x\nreload x\nversion x\navail x\nstop\n",
    "fg wrongly": "fg\nfg cat idle\nfg nope\nfg idle\nfg web:*\nfg web:\n",
    "open": "open http://127.0.0.1:1\nversion\n",
    "open nonsense": "open ftp://x\nopen\nversion\n",
    "pid": "pid nope\npid idle\n",
    "start and stop": "start idle\nstop idle\nstart idle nope\nstop idle\n",
    "unicode": "status Malmö\n",
}


@pytest.mark.parametrize("name", PIPED)
def test_piped(daemon, name):
    expected, got = (piped(daemon, side, PIPED[name]) for side in SIDES)
    assert got == expected
    assert got[0] == 0


@pytest.mark.parametrize("args,text", [
    (("-i", "shutdown"), "n\n"), (("-i", "reload"), ""), (("-i", "version"), "status\n"), (("-i",), "version\n"),
    (("-i", "status", "nope"), ""), (("-s", "unix:///no/such/socket"), "version\n"),
    (("-s", "http://127.0.0.1:1"), "status\n")])
def test_piped_with_options(daemon, args, text):
    expected, got = (piped(daemon, side, text, *args) for side in SIDES)
    assert got == expected


def test_prompt_of_the_configuration(daemon):
    daemon.write("prompt.conf", daemon.config.read_text(encoding="utf-8").replace(
        "[supervisorctl]", "[supervisorctl]\nprompt=the shell"))
    expected, got = (piped(daemon, side, "version\n", "-c", "prompt.conf", config=False) for side in SIDES)
    assert got == expected
    assert "the shell> 4.3.0" in got[1]


def test_output_that_nobody_reads(daemon):
    """`supervisorctl | head -n 1` ends."""
    status, out, err = finish(
        ["sh", "-c", f"yes status | {client_of(daemon, 'ours')} -c {daemon.config} | head -n 1"], WAIT_SECS,
        cwd=daemon.root, env=daemon.env)
    assert (status, out.split()[:2], err) == (0, ["cat", "RUNNING"], "")


def test_authentication_asks_and_goes_on():
    with served(PROGRAMS, base=LOCKED) as d:
        d.wait_state("cat", "RUNNING")
        outputs = []
        for side in SIDES:
            outputs.append(piped(d, side, "user\nsecret\nversion\n"))
        assert outputs[0] == outputs[1]
        assert "supervisor> 4.3.0" in outputs[1][1]
        for side in SIDES:
            shell = terminal(d, side, term="xterm")
            shell.expect_exact("Username:")
            shell.send("user\r")
            shell.expect_exact("Password:")
            wait_silent(shell)
            shell.send("secret\r")
            shell.expect("cat +RUNNING")
            assert "secret" not in shell.before
            run(shell, "version", r"4\.3\.0")
            leave(shell)


# On a terminal

def terminal(d, side, *args, term="dumb", config=None):
    """A side's shell on a terminal."""
    return open_terminal(d, side, ["-c", str(config or d.config), *args], {"TERM": term, "INPUTRC": "/dev/null"},
                         encoding="utf-8", echo=term != "dumb", dimensions=(50, 150))


def run(shell, line, pattern):
    """Types a line and waits for its output and the next prompt."""
    shell.send(line + "\r")
    shell.expect(pattern)
    shell.expect_exact("supervisor> ")


def leave(shell):
    """Types the end of the input: the exit status, and the signal that ended it."""
    shell.send("\x04")
    shell.expect(pexpect.EOF)
    shell.close()
    return shell.exitstatus, shell.signalstatus


def test_transcript_on_a_simple_terminal(daemon):
    transcripts = []
    for side in SIDES:
        shell = terminal(daemon, side)
        seen = []
        for line in ("version", "status idle", "", "help version", "shutdown", "n", "nonsense", "tail -5 talker"):
            shell.expect(r"supervisor> |y/N\? ")
            seen.append(plain(daemon, shell.before + shell.after))
            shell.sendline(line)
        shell.expect_exact("supervisor> ")
        seen.append(plain(daemon, shell.before))
        seen.append(leave(shell))
        seen.append(plain(daemon, shell.before))
        transcripts.append(seen)
    assert transcripts[1] == transcripts[0]
    assert transcripts[1][-2] == (0, None)


@pytest.mark.parametrize("side,term", [("python", "xterm"), ("ours", "xterm"), ("ours", "dumb")])
def test_interrupt_at_the_prompt_leaves(daemon, side, term):
    shell = terminal(daemon, side, term=term)
    shell.expect_exact("supervisor> ")
    shell.send("versi")
    if term == "xterm":
        shell.expect("versi")
    wait_for_rest(shell.pid)
    shell.send("\x03")
    shell.expect(pexpect.EOF)
    shell.close()
    assert (shell.exitstatus, shell.signalstatus) == (0, None)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_interrupt_ends_a_tail_and_not_the_shell(daemon, side, term):
    shell = terminal(daemon, side, term=term)
    shell.expect_exact("supervisor> ")
    for line, shown in (("tail -f talker", "ready"), ("maintail -f", "success")):
        shell.send(line + "\r")
        shell.expect_exact("==> Press Ctrl-C to exit <==")
        shell.expect_exact(shown)
        wait_for_rest(shell.pid)
        shell.send("\x03")
        shell.expect_exact("supervisor> ")
    run(shell, "version", r"4\.3\.0")
    assert leave(shell) == (0, None)


@pytest.mark.parametrize("side", SIDES)
def test_interrupt_of_an_action_leaves(daemon, side):
    """Ctrl-C while an action waits for the daemon ends the shell, with exit status 0."""
    shell = terminal(daemon, side)
    shell.expect_exact("supervisor> ")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        shell.sendline("version")
        wait_for(lambda: waits_for_socket(shell.pid), "the shell to wait for the daemon")
        shell.send("\x03")
        shell.expect(pexpect.EOF)
        shell.close()
        assert (shell.exitstatus, shell.signalstatus) == (0, None)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)


def waits_for_socket(pid):
    """Whether the process sleeps in a call on a descriptor other than the terminal's."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as syscall:
        fields = syscall.read().split()
    if len(fields) < 2:
        return False
    number = int(fields[1], 16)
    try:
        return os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
    except OSError:
        return False


@pytest.mark.parametrize("side", SIDES)
def test_completion(daemon, side):
    shell = terminal(daemon, side, term="xterm")
    shell.expect_exact("supervisor> ")
    run(shell, "vers\t", r"4\.3\.0")
    run(shell, "stat\tid\t", r"idle +STOPPED")
    run(shell, "status web:web_1\t cat\t", r"cat +RUNNING[^\r]*\r+\nweb:web_1|web:web_1 +RUNNING[^\r]*\r+\ncat")
    run(shell, "help rer\t", "Reload the daemon's configuration")
    # Two tabs show what there is to choose from.
    shell.send("status web:\t\t")
    for name in ("web:*", "web:web_0", "web:web_1"):
        shell.expect_exact(name)
    shell.send("*\r")
    shell.expect(r"web:web_0 +RUNNING")
    shell.expect_exact("supervisor> ")
    run(shell, "remove w\tx", "no such process/group: x")
    assert leave(shell) == (0, None)


@pytest.mark.parametrize("side", SIDES)
def test_line_editing(daemon, side):
    shell = terminal(daemon, side, term="xterm")
    shell.expect_exact("supervisor> ")
    run(shell, "rsion\x01ve\x05", r"4\.3\.0")  # to the start and the end of the line
    run(shell, "status idlex\x7f", r"idle +STOPPED")  # backspace
    run(shell, "pid nonsense\x17\x7f idle", r"\r\n0\r")  # a word back
    run(shell, "\x1b[A\x1b[A", r"idle +STOPPED")  # two lines back in the history
    run(shell, "nothing at all\x15version", r"4\.3\.0")  # the whole line away
    assert leave(shell) == (0, None)


def test_keys_of_our_editor(daemon):
    """Searching, suspending where nobody can be suspended, clearing, and lines longer than a row of the terminal."""
    shell = terminal(daemon, "ours", term="xterm")
    shell.expect_exact("supervisor> ")
    run(shell, "status idle", r"idle +STOPPED")
    run(shell, "version", r"4\.3\.0")
    run(shell, "\x12idl", r"idle +STOPPED")  # the newest line with "idl"
    run(shell, "\x12s\x12", r"4\.3\.0")  # the one before the newest with "s"
    run(shell, "\x12idl\x07help version", "version")  # given up
    run(shell, "versi\x1aon", r"4\.3\.0")
    run(shell, "versi\x0con", r"4\.3\.0")
    word = "Malmö" * 70
    run(shell, f"{word}\x01a\x05z\x1bb\x1bd\x19\x1b[D\x1b[3~", f"Unknown syntax: a{word}\r")
    assert leave(shell) == (0, None)


@pytest.mark.parametrize("side", SIDES)
def test_history_file(daemon, side):
    history = daemon.root / f"history-{side}"
    conf = daemon.root / f"history-{side}.conf"
    conf.write_text(daemon.config.read_text(encoding="utf-8").replace(
        "[supervisorctl]", f"[supervisorctl]\nhistory_file={history}"), encoding="utf-8")
    shell = terminal(daemon, side, term="xterm", config=conf)
    shell.expect_exact("supervisor> ")
    for _ in range(2):
        run(shell, "version", r"4\.3\.0")
    run(shell, "status idle", r"idle +STOPPED")
    run(shell, "status Malmö", "no such")
    assert leave(shell) == (0, None)
    assert history.read_text(encoding="utf-8") == "version\nstatus idle\nstatus Malmö\n"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    shell = terminal(daemon, side, term="xterm", config=conf)
    shell.expect_exact("supervisor> ")
    run(shell, "\x1b[A\x1b[A", r"idle +STOPPED")
    leave(shell)
    assert history.read_text(encoding="utf-8").splitlines()[-1] == "status idle"


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_fg_in_the_shell(daemon, side, term):
    shell = terminal(daemon, side, term=term)
    shell.expect_exact("supervisor> ")
    word = f"{side}-{term}-Malmö"
    shell.send("fg talker\r")
    shell.expect_exact("==> Press Ctrl-C to exit <==")
    # The streams show the end of the logs first.
    shell.expect_exact("ready")
    shell.send(word + "\r")
    shown = [f"out {word}", f"err {word}"]
    while shown:
        shown.pop(shell.expect_exact(shown))
    if side == "python":
        return  # its thread of the logs holds Ctrl-C back for half a minute or longer
    wait_for_rest(shell.pid)
    shell.send("\x03")
    shell.expect_exact("Exiting foreground")
    shell.expect_exact("supervisor> ")
    shell.send("fg talker\r")
    shell.expect_exact("==> Press Ctrl-C to exit <==")
    shell.expect_exact(f"out {word}")
    shell.send("\x04")
    shell.expect_exact("Exiting foreground")
    shell.expect_exact("supervisor> ")
    assert leave(shell) == (0, None)


def test_fg_hears_the_answer_to_piped_input(daemon):
    """The reference may leave before the answer has come."""
    word = f"piped-{time.monotonic_ns()}"
    status, out = piped(daemon, "ours", word + "\n", "fg", "talker")
    assert status == 0
    assert out.startswith("==> Press Ctrl-C to exit <==\n") and out.endswith("Exiting foreground\n")
    assert f"out {word}\n" in out and f"err {word}\n" in out


@pytest.mark.parametrize("side", SIDES)
def test_questions(side):
    """Confirmations on a terminal: anything that starts with a y restarts, and shuts down."""
    with served(PROGRAMS) as d:
        shell = terminal(d, side, term="xterm")
        shell.expect_exact("supervisor> ")
        shell.send("reload\r")
        shell.expect_exact("Really restart the remote supervisord process y/N? ")
        shell.send("Yes\r")
        shell.expect_exact("Restarted supervisord")
        shell.expect_exact("supervisor> ")
        wait_for(lambda: len(re.findall("supervisord started with pid|compatible with Supervisor", d.log_text())) >= 2,
                 "the daemon's restart")
        d.wait_ready()
        shell.send("shutdown\r")
        shell.expect_exact("Really shut the remote supervisord process down y/N? ")
        shell.send("y\r")
        shell.expect_exact("Shut down")
        d.wait_exit()
        shell.expect_exact("supervisor> ")
        run(shell, "status", "no such file|refused connection")
        assert leave(shell) == (0, None)
