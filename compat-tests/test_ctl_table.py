"""Our supervisorctl beside the reference's: a table of invocations, each run by both against one daemon in one state.

Standard output, standard error and exit status have to be equal. Where the reference prints the place of an exception
in Python's library, the place is left out.
"""

import http.server
import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

import normalize
from ctl_reference import Reference
from harness import BASE, SCRIPTS, Daemon, binary, finish, free_port, popen, wait_for

# Stopped by SIGKILL, which no program can be too slow for.
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
[program:missing]
command=/no/such/command
autostart=false
startretries=0
[program:directory]
command=/tmp
autostart=false
[program:ended]
command=/bin/sh -c "exit 3"
startsecs=0
autorestart=false
[program:failing]
command=/bin/sh -c "exit 1"
startretries=0
startsecs=1
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0
stopsignal=KILL
[program:talker]
command=/bin/sh -c 'printf "one\\ntwo\\r\\nthr\\303\\251\\342\\202\\254 <&> end"; echo complaint >&2; exec cat'
startsecs=0
stopsignal=KILL
[program:mute]
command=/bin/cat
stdout_logfile=NONE
stderr_logfile=NONE
startsecs=0
stopsignal=KILL
[program:one]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
[program:wörker]
command=/bin/cat
autostart=false
startsecs=0
[group:grp]
programs=one
priority=4
"""
STUBBORN = """
[program:stubborn]
command=/bin/cat
startsecs=0
stopsignal=CONT
stopwaitsecs=3600
[program:idle]
command=/bin/cat
autostart=false
"""
WIDE = "[program:%s]\ncommand=/bin/cat\nautostart=false\n[program:x]\ncommand=/bin/cat\nautostart=false\n" % ("n" * 40)
CHANGED = FLEET.replace("[program:cat]\n", "[program:cat]\nstopwaitsecs=7\n")
ADDED = FLEET + "[program:zz]\ncommand=/bin/cat\nautostart=false\n[program:new]\ncommand=/bin/cat\nautostart=false\n"
REMOVED = FLEET.replace("[program:cat]", "[program:tom]").replace("[program:idle]", "[program:lazy]")
BROKEN = FLEET + "[program:broken]\n"

# Every action, with arguments that are fine where the daemon is.
VERBS = ("add cat", "avail", "clear cat", "clear all", "maintail", "maintail -10", "pid", "pid cat", "pid all", "reload",
         "remove cat", "reread", "restart cat", "restart all", "shutdown", "signal HUP cat", "signal HUP all", "start cat",
         "start all", "start grp:*", "status", "status cat", "stop cat", "stop all", "stop grp:*", "tail cat", "tail -f cat",
         "update", "update cat", "version", "quit", "exit", "EOF", "help", "open http://127.0.0.1:1",
         "nonsense")

READING = (
    # status
    "status", "status all", "status cat", "status idle", "status cat idle", "status nope", "status nope:*", "status grp:*",
    "status grp:", "status grp:one", "status grp:nope", "status many:*", "status many", "status many:many_00", "status cat nope",
    "status idle nope", "status cat:*", "status cat:cat", "status cat cat", "status all nope", "status ended", "status failing",
    "status wörker", "status cat:", "status :", "status :*", "status a:b:c", "status -x", "status many:many_01 cat",
    "  status   cat  ", "status\tcat", "status:cat", "status-all", "status/",
    # pid
    "pid idle", "pid nope", "pid grp:*", "pid idle nope", "pid wörker", "pid nope nope", "pid many:many_99", "pid all nope", "pid",
    "pid cat", "pid cat many:many_00", "pid all", "pid cat idle",
    # avail, version
    "avail", "avail x", "avail all", "version", "version x",
    # tail and maintail
    "tail", "tail talker", "tail talker stdout", "tail talker stderr", "tail talker STDERR", "tail -5 talker", "tail -5 talker stderr",
    "tail -0 talker", "tail --5 talker", "tail -1_0 talker", "tail -100000 talker", "tail -99999999999 talker", "tail - talker",
    "tail -x talker", "tail -f", "tail -5", "tail talker nope", "tail talker it's", "tail a b c d", "tail a b c", "tail -5 a b c",
    "tail nope", "tail -5 nope stderr", "tail grp:*", "tail mute", "tail mute stderr", "tail idle", "tail wörker", "tail -5 talker x",
    "tail -f nope", "tail -f talker nope", "tail talker x stderr", "tail talker stdout stderr", "tail -2 talker", "tail cat",
    "maintail x", "maintail -x", "maintail -f x", "maintail -", "maintail a b", "maintail -99999999999", "maintail -1",
    # help
    *(f"help {topic}" for topic in (
        "add avail clear exit fg maintail open pid quit reload remove reread restart shutdown signal start status stop tail update "
        "version help EOF nope").split()),
    "help start stop", "help  help ", "?", "? start", "?start", "help", "help wörker",
    # syntax
    "nope", "nope x y", "!ls", "!", "-", "*", ":", "st", "Status", "STATUS", "do_status", "exit", "quit", "EOF", "quit now", "exit 3",
    "status; stop", "ünknown", "_", "1",
    # arguments that are refused before anything happens
    "start", "stop", "restart", "signal", "signal HUP", "clear", "reread x", "reload x", "shutdown x", "shutdown now please",
    "add", "remove", "add nope", "remove nope", "add cat", "remove cat", "add cat nope", "remove cat nope", "open", "open ftp://x", "open x", "open http://127.0.0.1:1", "open unix:///no/such.sock", "open HTTP://x",
    "open http://127.0.0.1:x", "open UNIX:///x", "update nope", "reread", "update", "update all", "update cat", "update all nope",
    # signals that change nothing
    "signal CONT cat", "signal cont cat", "signal SIGCONT cat many:many_00", "signal 18 cat", "signal 0 cat", "signal NOPE cat",
    "signal NOPE idle", "signal CONT idle", "signal CONT nope", "signal CONT nope:*", "signal CONT many:*", "signal CONT grp:*",
    "signal NOPE many:*", "signal CONT all", "signal NOPE all", "signal CONT ended", "signal CONT cat:", "signal 99 cat",
    # what fails without changing anything
    "start cat", "start nope", "start nope:*", "start missing", "start directory", "start grp:nope", "start missing nope",
    "stop idle", "stop nope", "stop nope:*", "stop grp:*", "stop grp:nope", "stop idle nope", "start cat many:*", "start talker:",
    "restart nope", "restart nope:*", "restart missing", "clear cat", "clear nope", "clear grp:*", "clear nope:*", "clear cat nope",
    "clear many:many_00", "clear idle", "clear cat:*", "clear cat:", "clear mute", "start failing",
)
CHANGING = (
    "start idle", "start idle idle", "start idle grp:one", "start grp:*", "start grp:", "start idle missing", "start all",
    "start all nope", "stop cat", "stop cat cat", "stop cat nope", "stop many:*", "stop many:many_00 cat", "stop many:", "stop all",
    "stop all nope", "restart cat", "restart idle", "restart grp:*", "restart cat idle", "restart many:many_00", "restart many:*",
    "restart all", "restart cat nope", "signal KILL many:*", "signal 9 cat", "signal kill cat idle", "clear all", "clear all nope",
    "clear talker", "stop talker:talker", "start idle nope:* grp:*",
)
CONFIGURED = (
    ("reread", CHANGED), ("reread", ADDED), ("reread", REMOVED), ("reread", BROKEN), ("reread", ADDED + "[program:cat]\npriority=5\n"),
    ("update", CHANGED), ("update", ADDED), ("update", REMOVED), ("update", BROKEN), ("update all", ADDED), ("update new", ADDED),
    ("update new nope", ADDED), ("update cat", REMOVED), ("update tom", REMOVED), ("update cat tom", REMOVED), ("update idle", CHANGED),
    ("update all nope", CHANGED), ("add new", ADDED), ("update", "[program:x y]\ncommand=/bin/cat\n"),
    ("avail", ADDED), ("reread", FLEET),
)
WITH_OPTIONS = (
    ["-x", "status"], ["-c"], ["--configuration"], ["-c", "no.conf", "status"], ["-c", "/", "status"],
    ["-c", "empty.conf", "status"], ["-c", "other.conf", "status"], ["-c", "bad.conf", "status"],
    ["-c", "plugin.conf", "status"], ["-c", "bytes.conf", "status"], ["--conf=plain.conf", "version"],
    ["-cplain.conf", "-i", "version"], ["-s", "foo", "status"], ["-s", "unix://", "status"], ["-s", "", "status"],
    ["--serverurl=foo:bar", "status"], ["-s", "http:", "status"], ["-s", "http://", "status"],
    ["-u", "a", "-u", "b", "status"], ["-i", "-i", "status"], ["--inter=1", "status"], ["--nope"],
    ["-s", "http://127.0.0.1:x", "status"], ["-s", "http://127.0.0.1:99999", "pid"], ["-s", "foo://x", "pid"],
    ["-s", "http://no-such-host.invalid:9", "version"], ["-s", "unix:///etc/passwd/x", "version"],
    ["-s", "unix:///" + "x" * 200, "version"], ["-c", "plain.conf", "signal HUP", "cat"],
    ["-c", "plain.conf", "status", "cat", "-x"], ["-c", "plain.conf", ""], ["-c", "plain.conf", " "],
    ["-c", "plain.conf", "--", "version"], ["-c", "plain.conf", "-r", "h", "version"], ["-r"],
    ["-c", "prompt.conf", "version"], ["-c", "expand.conf", "version"],
)
ASKING = (
    ("shutdown", "n\n"), ("shutdown", "\n"), ("shutdown", ""), ("shutdown", "no way\n"), ("reload", "n\n"), ("reload", ""),
    ("shutdown x", ""), ("reload x", "y\n"), ("status", ""),
)
HOLES = re.compile(r": file: \S+ line: \d+$", re.M)


class Row(NamedTuple):
    """One invocation."""

    args: list
    stdin: str = ""
    before: object = None
    any_order: bool = False


class Pair:
    """Both clients beside a daemon, and the differences found."""

    def __init__(self, daemon, reference):
        self.daemon, self.reference = daemon, reference
        self.command = daemon.root / "bin" / "supervisorctl"
        self.command.symlink_to(binary())
        self.differences = []
        self.config = ["-c", str(daemon.config)]

    def run(self, side, row):
        """One client's end: (exit status, stdout, stderr)."""
        argv = [str(self.command), *row.args]
        if side == "python":
            result = self.reference.run(self.daemon.root, argv, self.daemon.env, row.stdin)
        else:
            result = finish(argv, 60, row.stdin, cwd=self.daemon.root, env=self.daemon.env)
        texts = [HOLES.sub(": file: <PLACE>", normalize.text(text, self.daemon.places)) for text in result[1:]]
        # What stands alone on a line is the output of `pid`.
        texts = [re.sub(r"(?m)^[1-9]\d*$", "<PID>", text) for text in texts]
        return result[0], *("\n".join(sorted(text.split("\n"))) if row.any_order else text for text in texts)

    def compare(self, row):
        """Runs a row on both sides, the state made anew before each."""
        ends = []
        for side in ("python", "ours"):
            if row.before:
                row.before(self.daemon)
            ends.append(self.run(side, row))
        if ends[0] != ends[1]:
            self.differences.append(f"{row.args}\n  python {ends[0]!r}\n  ours   {ends[1]!r}")

    def line(self, line, **more):
        """Compares a line given as words to the shell would be."""
        self.compare(Row([*self.config, *line.split(" ")], **more))

    def judge(self):
        """Fails with everything that differed."""
        if self.differences:
            pytest.fail("\n".join([f"{len(self.differences)} differ:", *self.differences]), pytrace=False)


@pytest.fixture(scope="module")
def reference():
    server = Reference()
    yield server
    server.close()


@pytest.fixture
def pair(reference):
    daemon = Daemon("ours")
    made = Pair(daemon, reference)
    yield made
    complaint = daemon.close()
    assert not complaint, complaint


def settle(daemon):
    """Waits until the fleet is where it stays."""
    for name, state in (("cat", "RUNNING"), ("ended", "EXITED"), ("failing", "FATAL"), ("many:many_00", "RUNNING"),
                        ("many:many_01", "RUNNING"), ("mute", "RUNNING"), ("talker", "RUNNING")):
        daemon.wait_state(name, state)


def start_fleet(pair, config=FLEET, **more):
    """Starts the daemon with the fleet."""
    pair.daemon.configure(config, **more)
    daemon = pair.daemon.start()
    settle(daemon)
    daemon.wait_file(Path(daemon.rpc("supervisor.getProcessInfo", "talker")["stderr_logfile"]).name, "complaint")


def reset(daemon):
    """Brings the processes back to where the fleet starts, whatever was done to them."""
    running = {"cat", "mute", "talker", "many:many_00", "many:many_01"}
    for info in daemon.rpc("supervisor.getAllProcessInfo"):
        name = info["name"] if info["name"] == info["group"] else f"{info['group']}:{info['name']}"
        if name in running and info["statename"] != "RUNNING":
            if info["statename"] in ("STARTING", "STOPPING", "BACKOFF"):
                daemon.wait_state(name, "RUNNING", "EXITED", "STOPPED")
            if daemon.rpc("supervisor.getProcessInfo", name)["statename"] != "RUNNING":
                daemon.rpc("supervisor.startProcess", name)
        elif name in ("idle", "grp:one", "wörker") and info["statename"] != "STOPPED":
            daemon.rpc("supervisor.stopProcess", name)
    if daemon.rpc("supervisor.getProcessInfo", "ended")["statename"] != "EXITED":
        daemon.rpc("supervisor.startProcess", "ended")
    if daemon.rpc("supervisor.getProcessInfo", "failing")["statename"] != "FATAL":
        daemon.outcome("startProcess", "failing")
    settle(daemon)
    # A program that was killed starts again by itself after a moment.
    daemon.wait_state("cat", "RUNNING")


def reconfigure(config, base=BASE):
    """Makes the state before a row about a changed configuration: the fleet active, the file changed."""
    def before(daemon):
        daemon.configure(FLEET)
        added, changed, removed = daemon.rpc("supervisor.reloadConfig")[0]
        for name in (*removed, *changed):
            daemon.rpc("supervisor.stopProcessGroup", name)
            daemon.rpc("supervisor.removeProcessGroup", name)
        for name in (*changed, *added):
            daemon.rpc("supervisor.addProcessGroup", name)
        reset(daemon)
        daemon.configure(config, base=base)
    return before


def test_the_table_is_large():
    # Every action is run without a daemon in three ways, with a wrong password, with nothing configured, while it ends.
    rows = len(READING) + len(CHANGING) + len(CONFIGURED) + len(WITH_OPTIONS) + len(ASKING) + 6 * len(VERBS)
    assert rows >= 500, rows
    assert len(set(READING)) == len(READING)


@pytest.mark.parametrize("part", range(2))
def test_reading(pair, part):
    """What leaves the fleet as it is, on a running mix."""
    start_fleet(pair)
    # A log is emptied by `clear`, so what reads logs comes first; `talker` keeps its log.
    for line in READING[part::2]:
        pair.line(line, any_order=line.startswith("start ") and ":*" in line)
    pair.judge()


@pytest.mark.parametrize("part", range(3))
def test_changing(pair, part):
    """What changes the fleet; the order of several results hangs on the speed of the machine."""
    start_fleet(pair)
    for line in CHANGING[part::3]:
        pair.line(line, before=reset, any_order=" all" in line or ":" in line)
    pair.judge()


@pytest.mark.parametrize("part", range(2))
def test_changed_configurations(pair, part):
    start_fleet(pair)
    for line, config in CONFIGURED[part::2]:
        # Of several groups the daemon tells in no order of its own.
        pair.line(line, before=reconfigure(config), any_order=config == REMOVED)
    pair.judge()


def test_nothing_configured(pair):
    pair.daemon.configure("")
    pair.daemon.start()
    for line in VERBS:
        if line not in ("reload", "shutdown"):
            pair.line(line)
    pair.judge()


def test_wide_names(pair):
    pair.daemon.configure(WIDE)
    pair.daemon.start()
    for line in ("status", "status x", "avail", "status nope x", "status " + "n" * 40):
        pair.line(line)
    pair.judge()


def test_no_daemon(pair):
    """No socket; a socket nobody listens on; a port nobody listens on."""
    pair.daemon.configure("")
    for line in VERBS:
        pair.line(line)
    import socket
    with socket.socket(socket.AF_UNIX) as deserted:
        deserted.bind(str(pair.daemon.socket))
    for line in VERBS:
        pair.line(line)
    for line in VERBS:
        pair.compare(Row(["-s", f"http://127.0.0.1:{free_port()}", *line.split(" ")]))
    pair.differences = [re.sub(r"127.0.0.1:\d+", "127.0.0.1:<PORT>", text) for text in pair.differences]
    pair.judge()


LOCKED = """\
[inet_http_server]
port=127.0.0.1:{port}
username=me
password={{{{SHA}}}}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d
[unix_http_server]
file=%(here)s/s.sock
username=me
password=p%%w
[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s
{{extra}}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
username=me
password=p%%w
"""


def test_passwords(pair):
    """None, a wrong one, the right one; in the file or on the command line; on a Unix socket or a port."""
    port = free_port()
    pair.daemon.configure(WIDE, base=LOCKED.format(port=port))
    pair.daemon.username, pair.daemon.password = "me", "p%w"
    pair.daemon.start()
    for line in VERBS:
        if line not in ("reload", "shutdown"):
            pair.compare(Row(["-c", str(pair.daemon.config), "-p", "wrong", *line.split(" ")]))
    socket, tcp = f"unix://{pair.daemon.socket}", f"http://127.0.0.1:{port}"
    for url in (socket, tcp, f"http://localhost:{port}", f"{tcp}/RPC2", f"{tcp}/?x#y"):
        for options in ([], ["-u", "me"], ["-p", "p%w"], ["-u", "me", "-p", "p%w"], ["-u", "me", "-p", ""], ["-u", "", "-p", ""],
                        ["-u", "mé", "-p", "ö"], ["-u", "me", "-p", "thepassword"]):
            pair.compare(Row(["-s", url, *options, "status"]))
    pair.line("status")
    pair.compare(Row(["-s", tcp, "-u", "x", "-p", "y", "-i", "status"]))
    pair.judge()


def test_shutting_down(pair):
    pair.daemon.configure(STUBBORN)
    pair.daemon.start()
    pair.daemon.wait_state("stubborn", "RUNNING")
    pair.daemon.note_pid("stubborn")
    try:
        pair.daemon.rpc("supervisor.shutdown")
        for line in VERBS:
            pair.line(line.replace("cat", "stubborn"))
        pair.judge()
    finally:
        pair.daemon.kill("stubborn")
        pair.daemon.wait_exit()


def test_options(pair):
    """The command line and the section of the configuration."""
    start_fleet(pair)
    here = pair.daemon.root
    url = f"serverurl={pair.daemon.url}\n"
    for name, text in (("empty", ""), ("other", "[supervisord]\n"), ("bad", f"[supervisorctl]\n{url}prompt=%(nope)s\n"),
                       ("plugin", f"[supervisorctl]\n{url}[ctlplugin:x]\na=b\n"), ("plain", f"[supervisorctl]\n{url}"),
                       ("prompt", f"[supervisorctl]\n{url}prompt=%(here)s\n"),
                       ("expand", "[supervisorctl]\nserverurl=unix://%(here)s/../%(ENV_HERE)s/s.sock\n")):
        pair.daemon.write(f"{name}.conf", text)
    (here / "bytes.conf").write_bytes(b"[supervisorctl]\nprompt=\xff\n")
    pair.daemon.env["HERE"] = here.name
    for args in WITH_OPTIONS:
        pair.compare(Row(args))
    # The configuration is searched: in the directory of the program's directory, here.
    for name in ("supervisord.conf", "etc/supervisord.conf"):
        pair.daemon.write(name, f"[supervisorctl]\n{url}username=u\n")
        pair.compare(Row(["version"]))
    pair.judge()


def test_help_of_the_command_line(pair):
    """The text is our own; the options and the exit status are the reference's."""
    for option in ("-h", "-?", "--help", "--he", "-ih"):
        (status, out, err), (our_status, our_out, our_err) = (
            pair.run(side, Row([option])) for side in ("python", "ours"))
        # The reference's help calls the option --history-file, which it does not take.
        options = [set(re.findall(r"^-\S+", text.replace("history-file", "history_file"), re.M)) for text in (out, our_out)]
        assert (our_status, our_err, options[1]) == (status, err, options[0])


def test_asking(pair):
    """`-i` asks before it does harm, and reads the answer from anywhere."""
    start_fleet(pair)
    for line, stdin in ASKING:
        pair.compare(Row(["-i", *pair.config, *line.split(" ")], stdin))
    pair.judge()


def test_ends_of_the_daemon(pair):
    """reload and shutdown, for good; the socket is gone afterwards."""
    pair.daemon.configure(FLEET)

    def running(daemon):
        if daemon.process is None or daemon.process.poll() is not None:
            daemon.start()
        else:
            wait_for(lambda: daemon.read("main.log").count("entered RUNNING") and daemon.answers(), "a daemon that runs again")

    def starting(daemon):
        if daemon.process is not None:
            daemon.wait_exit()
        daemon.start()

    pair.line("reload", before=running)
    running(pair.daemon)
    pair.daemon.stop()
    pair.line("shutdown", before=starting)
    pair.daemon.wait_exit()
    pair.line("shutdown")
    pair.compare(Row(["-i", *pair.config, "reload"], "y\n"))
    pair.compare(Row(["-i", *pair.config, "shutdown"], "Yes\n"))
    pair.judge()


STRANGE = {
    "old": "<methodResponse><params><param><value><string>2.0</string></value></param></params></methodResponse>",
    "foreign": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member>"
               "<member><name>faultString</name><value>UNKNOWN_METHOD</value></member></struct></value></fault></methodResponse>",
    "faulty": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>30</int></value></member>"
              "<member><name>faultString</name><value>it's \"odd\"</value></member></struct></value></fault></methodResponse>",
    "500": "", "404": "", "400": "", "hangup": "",
}


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers as no supervisord of our days would."""

    def do_POST(self):
        """Every call ends the same way."""
        self.rfile.read(int(self.headers["Content-Length"]))
        manner = self.server.manner
        if manner == "hangup":
            self.close_connection = True
            return
        if manner.isdigit():
            self.send_response(int(manner))
            self.end_headers()
            return
        body = STRANGE[manner].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def test_strange_daemons(pair):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        for server.manner in STRANGE:
            for line in ("status", "start cat", "version", "pid", "reread", "shutdown", "update"):
                if server.manner == "old" and line in ("reread", "update", "shutdown"):
                    continue  # these do not look at the version
                pair.compare(Row(["-s", f"http://127.0.0.1:{server.server_port}", *line.split(" ")]))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    pair.judge()


def interrupted(pair, command, args, seen):
    """Runs a client until it has printed what is awaited, interrupts it and returns its end."""
    out = pair.daemon.root / "followed"
    with open(out, "wb") as stdout:
        client = popen([str(command), *args], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                       env=pair.daemon.env, cwd=pair.daemon.root)
    try:
        def appeared():
            assert client.poll() is None, f"{args} has ended: {out.read_text()}"
            return re.search(seen, out.read_text())
        wait_for(appeared, lambda: f"{seen!r} from {command}: {out.read_text()!r}")
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=60)
    finally:
        client.kill()
        client.wait()
    return client.returncode, normalize.text(out.read_text(), pair.daemon.places), Daemon.without_warning(err.decode())


@pytest.mark.parametrize("line,seen", (
    ("tail -f talker", "end"), ("tail -f talker stderr", "complaint"), ("maintail -f", "RUNNING state"),
))
def test_following(pair, line, seen):
    """Ctrl-C ends the client with success."""
    start_fleet(pair)
    args = [*pair.config, *line.split(" ")]
    ends = [interrupted(pair, command, args, seen) for command in (SCRIPTS / "supervisorctl", pair.command)]
    assert ends[0] == ends[1]


def test_following_the_main_log(pair):
    """Until the daemon is gone."""
    start_fleet(pair)
    out = pair.daemon.root / "followed"
    with open(out, "wb") as stdout:
        client = popen([str(pair.command), *pair.config, "maintail", "-f"], stdout=stdout, env=pair.daemon.env)
    wait_for(lambda: "RUNNING state" in out.read_text(), "the start of the log")
    pair.daemon.rpc("supervisor.stopProcess", "cat")
    wait_for(lambda: "stopped: cat" in out.read_text(), "a new line of the log")
    pair.daemon.stop()
    assert client.wait(60) == 0
    assert out.read_text().startswith("==> Press Ctrl-C to exit <==\n")


def test_the_reader_leaves(pair):
    """`supervisorctl … | head -1`: no complaint, and what was asked for is done all the same."""
    start_fleet(pair)
    for line, status in (("status", 3), ("stop all", 0), ("help", 0)):
        read, write = os.pipe()
        client = popen([str(pair.command), *pair.config, *line.split(" ")], stdout=write, stderr=subprocess.PIPE,
                       env=pair.daemon.env)
        os.close(write)
        os.close(read)
        _, err = client.communicate(timeout=60)
        assert (client.returncode, err) == (status, b"")
    assert pair.daemon.rpc("supervisor.getProcessInfo", "cat")["statename"] == "STOPPED"
    read, write = os.pipe()
    client = popen([str(pair.command), *pair.config, "tail", "-f", "cat"], stdout=write, stderr=subprocess.PIPE, env=pair.daemon.env)
    os.close(write)
    os.close(read)
    assert client.communicate(timeout=60)[1] == b"" and client.returncode == 0


def test_found_by_the_shell(pair):
    """Called without a path, the place beside the program is still the first to be searched, and messages name it."""
    start_fleet(pair)
    ends = []
    for side, target in (("python", SCRIPTS / "supervisorctl"), ("ours", binary())):
        place = pair.daemon.root / side / "bin"
        place.mkdir(parents=True)
        (place / "supervisorctl").symlink_to(target)
        pair.daemon.write(f"{side}/supervisord.conf", f"[supervisorctl]\nserverurl={pair.daemon.url}\n")
        env = {**pair.daemon.env, "PATH": f"/no/such:{place}:/usr/bin:/bin"}
        done = [finish(["env", "supervisorctl", arg], 60, cwd="/", env=env) for arg in ("-x", "version", "-h")]
        ends.append([(status, out.split("Options:")[0].replace(f"/{side}/", "/<SIDE>/"), err.replace(f"/{side}/", "/<SIDE>/"))
                     for status, out, err in done])
    assert ends[1][:2] == ends[0][:2]
    usage = "Usage: %s/<SIDE>/bin/supervisorctl" % pair.daemon.root
    assert usage in ends[0][2][1] and usage in ends[1][2][1]


def test_configuration_that_cannot_be_parsed(pair):
    """The reference ends with a traceback; ours says what is wrong as it does of other mistakes."""
    pair.daemon.configure("junk\n")
    row = Row([*pair.config, "status"])
    status, _, err = pair.run("python", row)
    assert status == 1 and err.endswith("ParsingError: Source contains parsing errors: '<ROOT>/supervisord.conf'\n"
                                        "\t[line 12]: 'junk\\n'\n")
    assert pair.run("ours", row) == (2, "", "Error: Source contains parsing errors: '<ROOT>/supervisord.conf'\n\t[line 12]: "
                                     "'junk\\n'\nFor help, use <ROOT>/bin/supervisorctl -h\n")


def test_plugins_are_passed_over(pair):
    """A plugin is a Python class; the reference needs it, ours goes on without its actions."""
    pair.daemon.configure("")
    pair.daemon.start()
    with open(pair.daemon.config, "a", encoding="utf-8") as config:
        config.write("[ctlplugin:x]\nsupervisor.ctl_factory=no.such:factory\n")
    row = Row([*pair.config, "version"])
    assert pair.run("python", row)[:2] == (2, "")
    assert pair.run("ours", row) == (0, "4.3.0\n", "")


def test_control_characters_in_logs(pair):
    """The reference cannot read an answer with colours in it."""
    pair.daemon.configure("[program:colours]\ncommand=/bin/sh -c 'printf \"a\\033[31mb\"; exec cat'\nstartsecs=0\nstopsignal=KILL\n")
    pair.daemon.start()
    log = Path(pair.daemon.rpc("supervisor.getProcessInfo", "colours")["stdout_logfile"]).name
    pair.daemon.wait_file(log, "b")
    row = Row([*pair.config, "tail", "colours"])
    status, out, _ = pair.run("python", row)
    assert status == 1 and out.startswith("error: <class 'xml.parsers.expat.ExpatError'>, not well-formed")
    assert pair.run("ours", row) == (0, "a\x1b[31mb\n", "")


def test_by_another_name(pair):
    """`supervisord ctl …` is the client too."""
    start_fleet(pair)
    args = [*pair.config, "status", "cat", "nope"]
    command = [pair.daemon.root / "bin" / "supervisord", "ctl", *args]
    status, out, err = finish(command, 60, cwd=pair.daemon.root, env=pair.daemon.env)
    assert (status, normalize.text(out), err) == pair.run("python", Row(args))


def test_the_fast_reference_is_the_reference(pair):
    """The server that spares its start prints what the real command prints."""
    start_fleet(pair)
    for line in ("status", "tail talker", "nope", "start nope", "help", "-x"):
        args = [*pair.config, *line.split(" ")]
        status, out, err = finish([SCRIPTS / "supervisorctl", *args], 60, cwd=pair.daemon.root, env=pair.daemon.env)
        places = [(str(SCRIPTS), "<ROOT>/bin"), *pair.daemon.places]
        real = status, normalize.text(out, places), normalize.text(err, places)
        assert pair.run("python", Row(args)) == real
