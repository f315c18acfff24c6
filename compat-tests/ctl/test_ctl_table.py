"""Our supervisorctl beside the reference's: a table of invocations, each run by both against one daemon in one state."""

import re

import pytest

from ctl_pair import FLEET, Row, pair, reference, settle, start_fleet
from harness import BASE, free_port, wait_for

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
    ["-s", "unix:///" + "x" * 200, "version"], ["-c", "plain.conf", "signal CONT", "cat"],
    ["-c", "plain.conf", "status", "cat", "-x"], ["-c", "plain.conf", ""], ["-c", "plain.conf", " "],
    ["-c", "plain.conf", "--", "version"], ["-c", "plain.conf", "-r", "h", "version"], ["-r"],
    ["-c", "prompt.conf", "version"], ["-c", "expand.conf", "version"],
)
ASKING = (
    ("shutdown", "n\n"), ("shutdown", "\n"), ("shutdown", ""), ("shutdown", "no way\n"), ("reload", "n\n"), ("reload", ""),
    ("shutdown x", ""), ("reload x", "y\n"), ("status", ""),
)


def reset(daemon):
    """Brings the processes back to where the fleet starts, whatever was done to them."""
    running = {"cat", "mute", "talker", "many:many_00", "many:many_01"}
    for info in daemon.rpc("supervisor.getAllProcessInfo"):
        name = info["name"] if info["name"] == info["group"] else f"{info['group']}:{info['name']}"
        # What was killed or ends by itself may be on its way already: then the call is refused, and settling waits for it.
        if name in running and info["statename"] != "RUNNING" or name == "ended" and info["statename"] != "EXITED":
            daemon.outcome("startProcess", name)
        elif name in ("idle", "grp:one", "wörker") and info["statename"] != "STOPPED":
            daemon.rpc("supervisor.stopProcess", name)
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
        # Colours are ours alone.
        assert (our_status, our_err, options[1]) == (status, err, options[0] | {"--color"})


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
