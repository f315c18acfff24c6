"""Names of files, arguments and variables are bytes: what is not UTF-8 is kept from end to end, as by the reference."""

import os
import socket
import subprocess
import urllib.parse
import urllib.request
import xmlrpc.client

from harness import SCRIPTS, binary, finish, wait_for
from scenario import scenario

LATIN = os.fsdecode(b"caf\xe9")
SHOWN = "caf\\udce9"
ENV = {"X": LATIN}

BODY = """\
[program:p]
command=/bin/sh -c 'printf %%s "$0$Y" | od -An -tx1; exec sleep 1000' %(ENV_X)s
environment=Y="%(ENV_X)s"
directory=%(here)s/%(ENV_X)s
stdout_logfile=%(here)s/%(ENV_X)s/%(ENV_X)s.log
stderr_logfile=%(ENV_X)s.err
"""


def files(d):
    """Every file that the daemon made and nobody else knows, as bytes."""
    found = [os.path.relpath(os.path.join(at, name), os.fsencode(d.root))
             for at, _, names in os.walk(os.fsencode(d.root)) for name in names]
    return sorted(name for name in found if b"caf" in name)


@scenario(config=None, start=False)
def test_configuration_paths_arguments_and_environment(d):
    """A configuration in a directory, under a name, and with values in Latin-1."""
    place = d.root / LATIN
    (place / LATIN).mkdir(parents=True)
    config = place / f"{LATIN}.conf"
    config.write_text(
        f"[unix_http_server]\nfile=%(here)s/s.sock\n[supervisord]\nlogfile=%(here)s/main-%(ENV_X)s.log\n"
        f"pidfile=%(here)s/%(ENV_X)s.pid\nchildlogdir={d.root}\n[include]\nfiles=%(ENV_X)s/*.inc\n"
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
        "supervisor.rpcinterface:make_main_rpcinterface\n")
    (place / LATIN / f"{LATIN}.inc").write_text(BODY.replace("%(here)s/", "%(here)s/../"))
    d.log, d.socket, d.url = place / f"main-{LATIN}.log", place / "s.sock", f"unix://{place}/s.sock"
    d.start("-c", str(config), config=False, env=ENV, cwd=place)
    log = place / LATIN / f"{LATIN}.log"
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"), lambda: files(d))
    d.see("argument and environment", log.read_text())
    d.see("files", files(d))
    pid = subprocess.run(["pgrep", "-P", str(d.pid)], capture_output=True, text=True, check=True).stdout.strip()
    d.see("directory", ascii(os.path.relpath(os.readlink(f"/proc/{pid}/cwd"), d.root)))
    with open(f"/proc/{pid}/environ", "rb") as environ:
        d.see("environment", sorted(entry for entry in environ.read().split(b"\0") if entry[:2] in (b"X=", b"Y=")))


@scenario(config=None, start=False)
def test_options_and_a_relative_configuration(d):
    place = d.root / LATIN
    place.mkdir()
    (place / "d.conf").write_text(BODY.replace("%(here)s/%(ENV_X)s", "%(here)s") + "[supervisord]\n")
    args = ("-c", "d.conf", "-l", f"{LATIN}.main", "-j", f"{LATIN}.pid", "-q", ".", "-d", f"../{LATIN}")
    d.start(*args, config=False, env=ENV, cwd=place, ready=False)
    log = place / f"{LATIN}.log"
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"), lambda: files(d))
    d.see("argument and environment", log.read_text())
    d.see("files", files(d))


@scenario(config=None, start=False)
def test_command_and_search_path(d):
    tools = d.root / LATIN
    tools.mkdir()
    d.write(f"{LATIN}/{LATIN}", "#!/bin/sh\necho ran\nexec sleep 1000\n", mode=0o755)
    d.configure(
        "[program:a]\ncommand=%(ENV_X)s\nstdout_logfile=%(here)s/a.log\n"
        "[program:b]\ncommand=%(here)s/%(ENV_X)s/%(ENV_X)s\nstdout_logfile=%(here)s/b.log\n"
        "[program:c]\ncommand=%(ENV_X)s\nenvironment=PATH=\"%(here)s/%(ENV_X)s:/bin\"\nstdout_logfile=%(here)s/c.log\n"
        "[program:d]\ncommand=%(ENV_X)s-missing\n")
    d.start(env={**ENV, "PATH": f"{tools}:{d.env['PATH']}"})
    for name in "abc":
        d.wait_file(f"{name}.log", "ran\n")
    d.wait_log("spawnerr: ")
    d.see("quoted in the log", sorted({line.split("spawnerr: ")[1] for line in d.log_text().splitlines()
                                       if "spawnerr: " in line}))


@scenario(config=None, start=False)
def test_messages_of_the_command_line(d):
    """On stderr such bytes are shown as Python shows them."""
    d.write("bad.conf", "[supervisord]\nidentifier=%(ENV_X)d\n")
    (d.root / f"{LATIN}.conf").write_text("[supervisord]\nloglevel=%(ENV_X)s\n")
    for args in (["-c", f"{LATIN}-missing.conf"], ["-c", f"{LATIN}.conf"], ["-c", "bad.conf"], ["-l", f"/{LATIN}/x"],
                 ["-d", LATIN], [LATIN], ["-e", LATIN], ["-u", LATIN, "-c", "bad.conf"]):
        d.see(ascii(args), d.run(*args, env=ENV))


@scenario(config=None, start=False)
def test_a_file_in_latin1_is_no_configuration(d):
    """The configuration itself is UTF-8, whatever is named in it."""
    (d.root / "latin.conf").write_bytes(b"[supervisord]\nidentifier=caf\xe9\n")
    d.see("error", d.run("-c", "latin.conf"))


@scenario(config=None, start=False)
def test_private_characters_are_themselves(d):
    """The characters that stand for such bytes within the daemon are characters like others outside of it."""
    text = "a\U0010fee9\U0010fe80z"
    d.configure(f"[program:p]\ncommand=/bin/sh -c 'echo \"$0\"; exec cat' {text}\nprocess_name={text}\n"
                f"stdout_logfile=%(here)s/{text}.log\n")
    d.start()
    name = f"p:{text}"
    assert d.see("name", d.rpc("supervisor.getAllProcessInfo")[0]["name"]) == text
    d.wait_file(f"{text}.log", f"{text}\n")
    d.call("sendProcessStdin", name, f"{text}!\n")
    d.wait_file(f"{text}.log", f"{text}!\n")
    d.call("readProcessStdoutLog", name, 0, 0)
    d.call("stopProcess", f"{name}x")


def start_with_a_latin_name(d):
    d.configure("[program:p]\ncommand=/bin/sh -c 'echo hello; exec cat' %(ENV_X)s\nprocess_name=%(ENV_X)s\n"
                "[program:q]\ncommand=/bin/cat\n[eventlistener:l]\ncommand=python3 -u %(here)s/listen.py\n"
                "events=PROCESS_STATE\nstdout_logfile=NONE\n",
                extra="identifier=i%(ENV_X)s")
    d.write("listen.py", "import sys\nwhile True:\n    print('READY', flush=True)\n    head = sys.stdin.readline()\n"
            "    data = sys.stdin.read(int(dict(w.split(':') for w in head.split())['len']))\n"
            "    with open('events', 'a') as out:\n        out.write(head + data + '\\n')\n"
            "    print('RESULT 2\\nOK', end='', flush=True)\n")
    d.start(env=ENV)


@scenario(config=None, start=False, only="ours")
def test_what_is_told_is_unicode(d):
    """The reference answers 500, and an event about such a process ends it."""
    start_with_a_latin_name(d)
    infos = d.rpc("supervisor.getAllProcessInfo")
    assert [info["name"] for info in infos] == ["l", SHOWN, "q"]
    assert d.rpc("supervisor.getIdentification") == "i" + SHOWN
    assert any(info["command"].endswith(f" {SHOWN}") for info in d.rpc("supervisor.getAllConfigInfo"))
    # A client that gives back what it was shown is understood, one that asks for something else is not.
    name = f"p:{SHOWN}"
    d.wait_state(name, "RUNNING")
    assert d.rpc("supervisor.sendProcessStdin", name, "caf\u00e9\n") is True
    wait_for(lambda: d.rpc("supervisor.readProcessStdoutLog", name, 0, 0) == "hello\ncaf\u00e9\n",
             lambda: d.outcome("readProcessStdoutLog", name, 0, 0))
    assert d.rpc("supervisor.stopProcess", name) is True
    assert d.outcome("startProcess", "p:caf\\udce8").faultCode == 10
    d.wait_file("events", f"(?m)^processname:{SHOWN.replace(chr(92), chr(92) * 2)} groupname:p from_state:STOPPING")
    assert f" server:i{SHOWN} " in d.read("events")
    # The log has the bytes themselves, but where names are quoted.
    raw = d.log.read_bytes()
    assert b"spawned: 'caf\xe9' with pid" in raw


@scenario(config=None, start=False, only="ours")
def test_pages_and_json(d):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    d.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\n[program:p]\ncommand=/bin/sh -c 'echo hello; exec cat'\n"
                "process_name=%(ENV_X)s\n")
    d.start(env=ENV)
    d.wait_state(f"p:{SHOWN}", "RUNNING")

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=60) as answer:
            return answer.read().decode("utf-8")

    name = urllib.parse.quote(f"p:{SHOWN}", safe="")
    page = get("")
    assert SHOWN in page and f"tail.html?processname={name}" in page
    assert "hello" in get(f"tail.html?processname={name}")
    assert SHOWN in get(f"program.html?processname={name}")
    assert SHOWN.replace("\\", "\\\\") in get("api/v1/status")
    assert "hello" in get(f"api/v1/logs/{name}/stdout")
    assert f"Process p:{SHOWN} stopped" in get(f"index.html?action=stop&processname={name}")


def test_the_client(tmp_path):
    """Its options, its configuration and the names it is given may be in Latin-1."""
    place = tmp_path / LATIN
    place.mkdir()
    (place / "c.conf").write_text("[supervisorctl]\nserverurl=unix://%(here)s/%(ENV_X)s.sock\n")
    env = {**os.environ, "X": LATIN, "LANG": "C.UTF-8"}
    outputs = []
    for command in ([SCRIPTS / "supervisorctl"], [binary(), "ctl"]):
        for args in (["-c", f"{LATIN}/c.conf"], ["-s", f"unix://{place}/s.sock"], ["-c", f"{LATIN}/none.conf"],
                     ["-s", LATIN]):
            status, out, err = finish([*command, *args, "pid"], 60, cwd=tmp_path, env=env)
            outputs.append((status, out, err.split("\n")[0]))
    assert outputs[:4] == outputs[4:]
    assert outputs[0][1] == f"unix://{place}/{LATIN}.sock no such file\n".encode(errors="surrogateescape").decode(
        errors="backslashreplace")


@scenario(config=None, start=False, only="ours")
def test_names_given_to_the_client(d):
    start_with_a_latin_name(d)
    d.wait_state(f"p:{SHOWN}", "RUNNING")
    ctl = [binary(), "ctl", "-c", d.config]
    for name in (f"p:{LATIN}", f"p:{SHOWN}"):
        status, out, _ = finish([*ctl, "status", name], 60, env={**d.env, **ENV})
        assert (status, out.split()[:2]) == (0, [f"p:{SHOWN}", "RUNNING"])
        assert finish([*ctl, "restart", name], 60, env={**d.env, **ENV})[:2] == (
            0, f"p:{SHOWN}: stopped\np:{SHOWN}: started\n")
    assert isinstance(d.outcome("stopProcess", "p:caf"), xmlrpc.client.Fault)


def test_pidproxy(tmp_path):
    """The command, its arguments and the name of the pid file are handed on as they are."""
    script = tmp_path / LATIN
    script.write_text('#!/bin/sh\nprintf %s "$1" | od -An -tx1\n')
    script.chmod(0o755)
    outputs = []
    for command in ([SCRIPTS / "pidproxy"], [binary(), "pidproxy"]):
        outputs.append(finish([*command, tmp_path / f"{LATIN}.pid", script, LATIN], 60)[:2])
    assert outputs == [(0, " 63 61 66 e9\n")] * 2
