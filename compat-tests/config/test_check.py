"""supervisord --check: what it finds, that it finds what the reference refuses, and that it leaves everything as it was."""

import json
import os
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import configtools
from harness import binary

CORPUS = os.environ.get("CORPUS_DIR")
START = "[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/s.pid\nchildlogdir=%(here)s\nuser=root\n"
FINE = START + ("[unix_http_server]\nfile=%(here)s/s.sock\n[supervisorctl]\nserverurl=unix://%(here)s/s.sock\n"
                "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
                "[program:cat]\ncommand=/bin/cat\n")
LINE = re.compile(r"^(?P<file>\S+?)(:(?P<line>\d+))?: (?P<severity>error|warning|note): (?P<message>.+)$")

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can look as somebody else")


def check(file, *options, **more):
    """Runs a check: (exit status, stdout)."""
    done = subprocess.run([binary(), "--check", *options, "-c", str(file)], capture_output=True, text=True, timeout=60, **more)
    assert done.stderr == "" and done.returncode in (0, 1, 2), done
    return done.returncode, done.stdout


def findings(directory, text, *options, **more):
    """The findings about a configuration, as (severity, kind, line), and the exit status."""
    file = directory / "supervisord.conf"
    file.write_text(text)
    status, out = check(file, "--json", *options, **more)
    document = json.loads(out)
    assert document["file"] == str(file)
    errors = [finding for finding in document["findings"] if finding["severity"] == "error"]
    assert (status == 2) == bool(errors)
    return [(each["severity"], each["kind"], each["line"]) for each in document["findings"]], document


@pytest.fixture
def place(tmp_path):
    # pytest keeps its directories to itself; others are to see this one.
    for directory in (tmp_path, *tmp_path.parents):
        if directory.owner() == tmp_path.owner() and "pytest" in str(directory):
            directory.chmod(0o755)
    return tmp_path


def test_nothing_to_say(place):
    found, document = findings(place, FINE)
    assert found == []
    assert check(place / "supervisord.conf", "--strict") == (0, f"{place}/supervisord.conf: nothing to say\n")
    assert document["files"] == [str(place / "supervisord.conf")]
    assert [group["name"] for group in document["groups"]] == ["cat"]


# What is appended to the configuration, and what is found, by the line of what was appended.
CASES = (
    ("[program:x]\ncommand=/bin/cat\nautostart=maybe\nstartsecs=x\n", [("error", "value", 3), ("error", "value", 4)]),
    ("[program:x y]\ncommand=/bin/cat\n", [("error", "section", 1)]),
    ("[program:x]\n", [("error", "value", 1)]),
    ("[program:x]\ncommand=/bin/cat\nuser=no-such-user\n", [("error", "value", 3)]),
    ("[program:x]\ncommand=/bin/cat\nstdout_logfile=/no/such/place/x\n", [("error", "value", 3)]),
    ("[program:x]\ncommand=/bin/cat\nword\nother\n", [("error", "syntax", 3), ("error", "syntax", 4)]),
    ("[program:x]\ncommand=no-such-command\n", [("error", "command", 2)]),
    ("[program:x]\ncommand=%(here)s/supervisord.conf\n", [("error", "command", 2)]),
    ("[program:x]\ncommand=/bin\n", [("error", "command", 2)]),
    ("[program:x]\ncommand=ls\nenvironment=PATH=/no/such\n", [("error", "command", 2)]),
    ("[program:x]\ncommand='\n", [("error", "command", 2)]),
    ("[program:x]\ncommand=%(here)s/script\n", [("error", "command", 2)]),
    ("[program:x]\ncommand=/bin/cat\ndirectory=/no/such\n", [("error", "directory", 3)]),
    ("[program:x]\ncommand=/bin/cat\nautosatrt=1\n", [("warning", "unknown-option", 3)]),
    ("[program:x]\ncommand=/bin/cat\nport=1\n", [("warning", "unknown-option", 3)]),
    ("[program:x]\ncommand=/bin/cat\ndependent_startup=1\n", [("note", "unknown-option", 3)]),
    ("[programm:x]\ncommand=/bin/cat\n", [("warning", "unknown-section", 1)]),
    ("[ program:x]\ncommand=/bin/cat\n", [("warning", "unknown-section", 1)]),
    ("[circus]\na=1\n", [("note", "unknown-section", 1)]),
    ("[program:x]\ncommand=/bin/cat\nrestart_delay=1\n", [("note", "ours", 3)]),
    ("[program:x]\ncommand=/bin/cat\n autostart=false\n", [("warning", "indented-option", 3)]),
    ("[program:x]\ncommand=/bin/cat\n [program:y]\n", [("warning", "indented-header", 3)]),
    ("[program:x] junk\ncommand=/bin/cat\n", [("warning", "behind-header", 1)]),
    ("[program:x]\ncommand=/bin/cat\n[program:y\n", [("warning", "unfinished-header", 3)]),
    ("[program:x]\ncommand=/bin/sh -c \"ls ; ls\"\n", [("warning", "comment-in-quotes", 2), ("error", "command", 2)]),
    ("[program:x]\ncommand=/bin/cat\ncommand=/bin/cat -u\n", [("warning", "set-twice", 3)]),
    ("[program:cat]\nautostart=false\n", [("warning", "begun-twice", 1)]),
    ("[program:x]\ncommand=/bin/cat\nredirect_stderr=true\nstderr_logfile=%(here)s/x\n", [("warning", "configuration", 4)]),
    ("[include]\nfiles=no/*.conf\n", [("warning", "include", 2)]),
    ("[program:x]\ncommand=/bin/cat\nstopasgroup=true\n", [("note", "difference", 3)]),
    ("[program:x]\ncommand=/bin/cat\nstopwaitsecs=600\n", [("note", "stopwaitsecs", 3)]),
    ("[program:a]\ncommand=/bin/cat\nprocess_name=x\n[program:b]\ncommand=/bin/cat\nprocess_name=x\n[group:g]\nprograms=a,b\n",
     [("warning", "same-name", 1)]),
    ("[inet_http_server]\nport=127.0.0.9:19009\n", [("note", "difference", 2), ("warning", "no-password", 2)]),
    ("[supervisord]\numask=022\nnodaemon=true\n", [("warning", "begun-twice", 1), ("note", "no-effect", 2)]),
    ("[supervisord]\nminfds=99999999999\n", [("warning", "begun-twice", 1), ("error", "limit", 2)]),
    ("[rpcinterface:supervisor]\nx=1\n", [("warning", "begun-twice", 1), ("warning", "difference", -3)]),
    ("[eventlistener:l]\ncommand=/bin/cat\nevents=TICK_5\nresult_handler=supervisor_stdout:event_handler\n",
     [("note", "difference", 4)]),
    ("[supervisord]\ndirectory=/\nlogfile=x.log\n",
     [("warning", "begun-twice", 1), ("warning", "set-twice", 3), ("note", "difference", 3)]),
    ("[supervisorctl]\nserverurl=unix:///no/such.sock\n",
     [("warning", "begun-twice", 1), ("warning", "set-twice", 2), ("warning", "missing", 2)]),
    ("[eventlistener:cat]\ncommand=/bin/cat\nevents=TICK_5\n", [("warning", "same-name", -1)]),
)


@pytest.mark.parametrize("text,expected", CASES, ids=[text.split("\n")[0] + str(wanted) for text, wanted in CASES])
def test_each_finding_has_its_place(place, text, expected):
    script = place / "script"
    script.write_text("#!/no/such/interpreter -x\n")
    script.chmod(0o755)
    found, _ = findings(place, FINE + text)
    before = FINE.count("\n")
    assert [(severity, kind, line - before) for severity, kind, line in found] == expected


def test_what_an_included_file_includes(place):
    (place / "inner.inc").write_text("[include]\nfiles=/no/such\n")
    _, document = findings(place, FINE + "[include]\nfiles=inner.inc\n")
    found = [(each["kind"], Path(each["file"]).name, each["line"]) for each in document["findings"]]
    assert found == [("begun-twice", "inner.inc", 1), ("set-twice", "inner.inc", 2), ("no-effect", "inner.inc", 2)]
    assert document["files"] == [str(place / "supervisord.conf"), str(place / "inner.inc")]


def test_without_an_interface(place):
    text = re.sub(r"\[rpcinterface:supervisor\]\n.*\n", "", FINE)
    assert findings(place, text)[0] == [("warning", "missing", 6)]


def test_suggestions(place):
    for text, suggestion in (("[programm:x]\n", "did you mean [program:x]?"), ("[supervisor]\n", "did you mean [supervisord]?"),
                             ("[program:x]\ncommand=/bin/cat\nauto-restart=true\n", "did you mean autorestart?"),
                             ("[program:x]\ncommand=/bin/cat\nport=1\n", "it belongs into [inet_http_server]")):
        _, document = findings(place, FINE + text)
        assert suggestion in [finding["suggestion"] for finding in document["findings"]]


def test_lines_can_be_searched(place):
    file = place / "supervisord.conf"
    file.write_text(FINE + "[program:x]\ncommand=no-such\nautosatrt=1\nrestart_delay=1\n")
    status, out = check(file)
    *lines, summary = out.splitlines()
    assert status == 2 and summary == f"{file}: 1 error, 1 warning, 1 note"
    assert sorted(LINE.match(line)["severity"] for line in lines) == ["error", "note", "warning"]
    assert {LINE.match(line)["file"] for line in lines} == {str(file)}


def test_exit_statuses(place):
    file = place / "supervisord.conf"
    for text, plain, strict in (("", 0, 0), ("[circus]\n", 0, 0), ("[programm:x]\n", 0, 1), ("[program:x]\n", 2, 2)):
        file.write_text(FINE + text)
        assert (check(file)[0], check(file, "--strict")[0]) == (plain, strict)


def test_the_document_has_everything_that_was_read(place):
    text = FINE + ("[program:x]\ncommand=/bin/cat %(process_num)d\nnumprocs=2\nprocess_name=x%(process_num)d\numask=022\n"
                   "user=root\nstopsignal=INT\nautorestart=true\nexitcodes=0,2\nenvironment=SECRET=word\nserverurl=AUTO\n"
                   "stdout_logfile=NONE\nstdout_capture_maxbytes=1MB\n[eventlistener:l]\ncommand=/bin/cat\nevents=TICK_5\n"
                   "[fcgi-program:f]\ncommand=/bin/cat\nsocket=unix://%(here)s/f.sock\n[program:bad]\ncommand=/bin/cat\npriority=x\n")
    _, document = findings(place, text)
    groups = {group["name"]: group for group in document["groups"]}
    assert {name: group["kind"] for name, group in groups.items()} == {
        "cat": "group", "x": "group", "l": "eventlistener", "f": "fcgi-program"}
    assert groups["l"]["events"] == ["TICK_5"] and groups["f"]["socket"] == f"unix://{place}/f.sock"
    first, second = groups["x"]["processes"]
    assert (first["name"], second["command"]) == ("x0", "/bin/cat 1")
    wanted = {"umask": 0o22, "uid": 0, "stopsignal": 2, "autorestart": True, "exitcodes": [0, 2], "serverurl": None,
              "environment": {"SECRET": None}, "stdout_logfile": None, "stderr_logfile": "AUTO", "startsecs": 1,
              "stdout_capture_maxbytes": 1 << 20}
    assert {name: first[name] for name in wanted} == wanted
    attributes = configtools.options.ProcessConfig.req_param_names + configtools.options.ProcessConfig.optional_param_names
    assert set(attributes) <= set(first) | {"extra"}
    _, document = findings(place, text, "--show-environment")
    assert document["groups"][-1]["processes"][0]["environment"] == {"SECRET": "word"}


def test_who_listens_already(place):
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
        unix.bind(str(place / "s.sock"))
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        text = FINE + f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=a\npassword=b\n"
        where = FINE.count("\n") + 2
        stale = ("note", "socket", 7)
        assert findings(place, text)[0] == [("warning", "socket", where), stale]
        unix.listen()
        assert findings(place, text)[0] == [("warning", "socket", where), ("warning", "socket", 7)]
    (place / "s.sock").unlink()
    (place / "s.sock").write_text("")
    assert findings(place, FINE)[0] == [("warning", "socket", 7)]
    assert (place / "s.sock").exists()
    text = FINE + "[inet_http_server]\nport=no.such.host.invalid:9\nusername=a\npassword=b\n"
    assert ("error", "socket", where) in findings(place, text)[0]


@as_root
def test_what_the_daemons_user_may(place):
    for name in ("main.log", "s.pid", "x.log"):
        (place / name).write_text("")
    (place / "theirs").mkdir()
    secret = place / "secret"
    shutil.copy("/bin/true", secret)
    secret.chmod(0o700)
    text = FINE.replace("user=root", "user=nobody") + (
        "[program:x]\ncommand=%(here)s/secret\nstdout_logfile=%(here)s/x.log\n[program:y]\ncommand=/bin/cat\nuser=root\n")
    found, _ = findings(place, text)
    # Log, pid file, AUTO logs and the socket; then the command and the log of the one, and the user of the other.
    at = FINE.count("\n")
    assert found == [("error", "logfile", 2), ("warning", "pidfile", 3), ("warning", "logfile", 4), ("error", "socket", 7),
                     ("error", "command", at + 2), ("warning", "logfile", at + 3), ("error", "user", at + 6)]
    # And what programs may that are to be somebody else.
    text = FINE + "[program:x]\ncommand=%(here)s/secret\nuser=nobody\n"
    assert findings(place, text)[0] == [("error", "command", at + 2)]


@as_root
def test_what_only_root_can_know(place):
    tool = place / "supervisord"
    shutil.copy(binary(), tool)
    (place / "supervisord.conf").write_text(FINE)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    done = subprocess.run([tool, "--check", "-c", place / "supervisord.conf"], capture_output=True, text=True, **nobody)
    severities = {LINE.match(line)["severity"] for line in done.stdout.splitlines()[:-1]}
    assert (done.returncode, severities) == (0, {"note"}), done.stdout
    (place / "supervisord.conf").write_text(FINE.replace("user=root\n", ""))
    done = subprocess.run([tool, "--check", "-c", place / "supervisord.conf"], capture_output=True, text=True, **nobody)
    severities = {LINE.match(line)["severity"] for line in done.stdout.splitlines()[:-1]}
    assert (done.returncode, severities) == (0, {"warning"}), done.stdout


def tree(directory):
    """Everything in a directory, with what would tell of a change."""
    return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_ctime_ns, path.lstat().st_ino)
                  for path in (directory, *directory.rglob("*")))


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_nothing_is_changed(place):
    text = FINE + ("[inet_http_server]\nport=127.0.0.1:0\n[program:x]\ncommand=ls\nstdout_logfile=%(here)s/new.log\nuser=root\n"
                   "[fcgi-program:f]\ncommand=/bin/cat\nsocket=unix://%(here)s/f.sock\n[include]\nfiles=*.inc\n")
    (place / "a.inc").write_text("[program:y]\ncommand=/bin/cat\n")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place / "s.sock"))
    (place / "supervisord.conf").write_text(text.replace(":0\n", ":19001\n"))
    before = tree(place)
    calls = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=file,desc,network,process", binary(), "--check", "-c", place / "supervisord.conf"],
        capture_output=True, text=True, timeout=120).stderr.splitlines()
    assert tree(place) == before
    assert any("supervisord.conf" in call for call in calls)
    changing = re.compile(
        r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|^(\[pid +\d+\] )?"
        r"(mkdir|rmdir|unlink|rename|link|symlink|mknod|chmod|fchmod|chown|fchown|lchown|truncate|ftruncate|utime|setxattr|fork)\w*\(")
    assert [call for call in calls if changing.search(call) and "/dev/null" not in call] == []
    # Only a port is bound, and nobody listens.
    bound = [call for call in calls if re.search(r"\b(bind|listen)\(", call)]
    assert bound and all("AF_INET" in call for call in bound)


def test_a_running_daemon_is_left_alone(place):
    """The second look of one that is served: whoever listens sees a connection and nothing else."""
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(place / "s.sock"))
        unix.listen()
        findings(place, FINE)
        connection, _ = unix.accept()
        assert connection.recv(1) == b""
        connection.close()


def test_a_step_that_takes_long_is_named(place):
    os.mkfifo(place / "slow.inc")
    (place / "supervisord.conf").write_text(FINE + "[include]\nfiles=slow.inc\n")
    with subprocess.Popen([binary(), "--check", "-c", place / "supervisord.conf"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as checking:
        assert checking.stderr.readline().startswith("supervisord --check: still reading the files")
        (place / "slow.inc").write_text("")
        out, err = checking.communicate(timeout=60)
        assert (checking.returncode, err) == (0, "") and out.endswith(": nothing to say\n")


class Side:
    """The reference and a check on the same file."""

    def __init__(self, session):
        self.session = session

    def compare(self, content):
        """What the reference says of a file; the check agrees with it, or this fails."""
        path = Path(self.session.scratch) / "checked.conf"
        path.write_bytes(content)
        reference = self.session.reference(str(path))
        done = subprocess.run([binary(), "--check", "--json", "-c", path], capture_output=True, cwd=self.session.scratch,
                              env=self.session.variables, timeout=60)
        document = json.loads(done.stdout)
        errors = [each["message"] for each in document["findings"] if each["severity"] == "error"]
        syntax = [each for each in document["findings"] if each["kind"] == "syntax"]
        assert done.returncode == (2 if errors else 0), done
        if "error" in reference:
            assert reference["error"] in errors, (reference, errors, content)
        else:
            assert syntax == [], (syntax, content)
            values = [each["message"] for each in document["findings"] if each["kind"] in ("value", "section")]
            assert values == [], (values, content)
        return reference


@pytest.fixture(scope="module")
def side():
    with configtools.Session() as session:
        yield Side(session)


def test_whatever_the_reference_refuses(side):
    """A configuration with mistakes drawn at random: the check has the reference's words among its own, or no error of theirs."""
    rng = random.Random(11)
    good = FINE.replace("user=root\n", "") + "[group:g]\nprograms=cat\n[eventlistener:l]\ncommand=cat\nevents=TICK_5\n"
    pieces = ["[", "]", ":", "=", "%", "%(here)s", "%(x)s", " ", "\n", "\n ", ";", " ;", "\"", "'", "\ufeff", "x", "-1", "maybe",
              "[program:p]\n", "[supervisord]", "numprocs=2\n", "user=nosuch\n", "events=NO\n", "environment=A=\n", "\0", "é"]
    refused = 0
    for _ in range(120):
        text = good
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(pieces) + text[at + rng.choice((0, 0, 1, 5)):]
        refused += "error" in side.compare(text.encode())
    assert 20 < refused < 115


@pytest.mark.skipif(not CORPUS, reason="CORPUS_DIR names no directory of configurations")
def test_real_configurations(side):
    for path in sorted(Path(CORPUS).glob("*.conf")):
        side.compare(path.read_bytes())
