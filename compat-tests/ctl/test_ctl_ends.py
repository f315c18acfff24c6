"""Our supervisorctl beside the reference's where one line of a table does not tell all: strange daemons, logs that are
followed, readers that leave, other ways to call it, and where ours is meant to differ.
"""

import http.server
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

import normalize
from ctl_pair import Row, pair, reference, start_fleet
from harness import SCRIPTS, Daemon, binary, finish, popen, wait_for, wait_for_rest

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
        wait_for_rest(client.pid)
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


def unread(pair, line):
    """Our client, and its standard output, which nobody else holds."""
    read, write = os.pipe()
    client = popen([str(pair.command), *pair.config, *line.split(" ")], stdout=write, stderr=subprocess.PIPE, env=pair.daemon.env)
    os.close(write)
    return client, open(read, "rb")


def test_the_reader_leaves(pair):
    """`supervisorctl … | head -1`: no complaint, and what was asked for is done all the same."""
    start_fleet(pair)
    for line, status in (("status", 3), ("stop all", 0), ("help", 0)):
        client, out = unread(pair, line)
        out.close()
        _, err = client.communicate(timeout=60)
        assert (client.returncode, err) == (status, b"")
    assert pair.daemon.rpc("supervisor.getProcessInfo", "cat")["statename"] == "STOPPED"


@pytest.mark.parametrize("line, last", [("tail -f cat", b"==> Press"), ("status --watch=3600 cat", b"cat ")])
def test_the_reader_leaves_while_nothing_happens(pair, line, last):
    """What only shows something ends with its reader, though there is nothing to write that would fail."""
    start_fleet(pair)
    client, out = unread(pair, line)
    assert out.readline().startswith(last)
    out.close()
    _, err = client.communicate(timeout=60)
    assert (client.returncode, err) == (0, b"")


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


def test_a_plugin_is_imported_when_it_is_asked(pair):
    """The reference needs what `[ctlplugin:x]` names for everything, ours for what is no action of its own."""
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
