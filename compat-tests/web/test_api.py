"""The JSON behind the pages: what it says is what XML-RPC says, and the events tell of what changes and of nothing else."""

import json
import os
import select
import time
from pathlib import Path
from urllib.parse import quote

import webfacts
from harness import wait_for
from webasking import CAT, GROUPS, ask, endless, only_ours, request

# Members that change with time alone.
AGEING = ("now", "description")
# Members that XML-RPC does not know, besides the namespec: what it uses and when that was, and how it ended.
USAGE = ("cpu_millis", "memory_bytes", "measured")
OURS = ("exit_code", *USAGE)


def get(d, path, code=200):
    """The JSON at an address below /api/v1/."""
    got, headers, body = ask(d, f"/api/v1/{path}")
    assert got == code, (path, got, body)
    assert headers["content-type"] == "application/json" and headers["cache-control"] == "no-cache"
    return json.loads(body)


def ageless(process):
    """A process without what changes with time alone, and without what only the JSON tells."""
    return {name: value for name, value in process.items() if name not in (*AGEING, *OURS)}


def namespec(info):
    """The short form where it is enough."""
    return info["name"] if info["name"] == info["group"] else f"{info['group']}:{info['name']}"


@only_ours(GROUPS)
def test_status(d):
    d.wait_state("pair:one", "RUNNING")
    before = time.time()
    status = get(d, "status")
    about = status["supervisor"]
    assert set(about) == {"identifier", "pid", "version", "statecode", "statename", "now"}
    assert (about["identifier"], about["pid"], about["version"]) == ("supervisor", d.pid, "4.3.0")
    assert {name: about[name] for name in ("statecode", "statename")} == d.rpc("supervisor.getState")
    assert before - 1 < about["now"] / 1000 < time.time() + 1
    infos = d.rpc("supervisor.getAllProcessInfo")
    assert [ageless(each) for each in status["processes"]] == [{"namespec": namespec(info), **ageless(info)} for info in infos]
    for process, info in zip(status["processes"], infos):
        assert set(process) - set(info) == {"namespec", *OURS} and set(info) < set(process)
        running = process["pid"] != 0
        assert all(isinstance(process[name], int) is running for name in USAGE)
        if running:
            assert before - 2 < process["measured"] / 1000 < time.time() + 1
    # A program that was started this moment has none yet.
    wait_for(lambda: all(each["memory_bytes"] > 100_000 for each in get(d, "status")["processes"] if each["pid"]), "memory")


@only_ours("""
[program:three]
command=/bin/sh -c "exit 3"
startsecs=0
autorestart=false
[program:hasty]
command=/bin/sh -c "exit 3"
startsecs=5
startretries=0
[program:killed]
command=/bin/cat
startsecs=0
[program:alive]
command=/bin/cat
startsecs=0
[program:never]
command=/bin/cat
autostart=false
""")
def test_how_a_process_ended(d):
    for name, state in (("three", "EXITED"), ("hasty", "FATAL"), ("killed", "RUNNING"), ("alive", "RUNNING")):
        d.wait_state(name, state)
    d.rpc("supervisor.stopProcess", "killed")
    ends = {each["namespec"]: (each["exit_code"], each["exitstatus"]) for each in get(d, "status")["processes"]}
    assert ends == {"three": (3, 3), "hasty": (None, 0), "killed": (-1, -1), "alive": (None, 0), "never": (None, 0)}


PROGRAM = """
[program:x]
command=/bin/cat -u
directory=/tmp
environment=SECRET="hunter2",OTHER="%(here)s"
priority=7
autorestart=unexpected
startsecs=0
startretries=9
exitcodes=0,2
stopsignal=INT
stopwaitsecs=3
stopasgroup=true
umask=027
stdout_logfile=%(here)s/x.out
stdout_logfile_maxbytes=3KB
stdout_capture_maxbytes=1KB
stderr_logfile=NONE
serverurl=http://x:1
[eventlistener:listener]
command=/bin/cat
events=TICK_5,PROCESS_STATE
buffer_size=7
autostart=false
[fcgi-program:fast]
command=/bin/cat
socket=unix://%(here)s/fast.sock
socket_mode=0700
autostart=false
[fcgi-program:member]
command=/bin/cat
socket=unix://%(here)s/member.sock
autostart=false
[group:mixed]
programs=member
"""


@only_ours(PROGRAM)
def test_one_process(d):
    d.wait_state("x", "RUNNING")
    process = get(d, "processes/x")
    settings = process.pop("settings")
    assert ageless(process) == {"namespec": "x", **ageless(d.rpc("supervisor.getProcessInfo", "x"))}
    assert settings == {
        "command": "/bin/cat -u", "directory": "/tmp", "user": None, "umask": "027", "environment": ["SECRET", "OTHER"],
        "priority": 7, "autostart": True, "autorestart": "unexpected", "restart_delay": 0, "startsecs": 0, "startretries": 9,
        "exitcodes": [0, 2],
        "stopsignal": "SIGINT", "stopwaitsecs": 3, "stopasgroup": True, "killasgroup": True, "redirect_stderr": False,
        "stdout_logfile": str(d.root / "x.out"), "stdout_logfile_maxbytes": 3072, "stdout_logfile_backups": 10,
        "stdout_capture_maxbytes": 1024, "stdout_events_enabled": False, "stdout_syslog": False,
        "stderr_logfile": None, "stderr_logfile_maxbytes": 52428800, "stderr_logfile_backups": 10, "stderr_capture_maxbytes": 0,
        "stderr_events_enabled": False, "stderr_syslog": False, "serverurl": "http://x:1", "group": "x", "group_priority": 7}
    for target in ("/api/v1/processes/x", "/program.html?processname=x", "/", "/api/v1/status"):
        assert "hunter2" not in ask(d, target)[2], target
    listener = get(d, "processes/listener")["settings"]
    assert (listener["events"], listener["buffer_size"]) == (["PROCESS_STATE", "TICK_5"], 7)
    assert listener["result_handler"] == "supervisor.dispatchers:default_handler"
    fast = get(d, "processes/fast")["settings"]
    assert (fast["socket"], fast["socket_mode"], fast["socket_backlog"]) == (f"unix://{d.root}/fast.sock", "0700", None)
    assert get(d, "processes/mixed%3Amember")["settings"]["socket"] == f"unix://{d.root}/member.sock"
    for name in ("nope", "x:*", "x:", "", "x/y", "%00", "x%20"):
        assert "message" in get(d, f"processes/{name}", 404)


# A slash comes in by an expansion; only ours runs such a program.
@only_ours("""
[program:named]
command=/bin/sh -c "echo from here; exec cat"
process_name=%(ENV_NAMED)s
stdout_logfile=%(here)s/named.out
startsecs=0
""", start=False)
def test_names_with_slashes(d):
    d.env["NAMED"] = "a/b c%"
    d.start()
    name = "named:a/b c%"
    d.wait_file("named.out", "from here")
    encoded = quote(name, safe="")
    assert get(d, f"processes/{encoded}")["namespec"] == name
    assert get(d, f"logs/{encoded}/stdout")["text"].endswith("from here\n")
    assert get(d, f"processes/{quote(name)}", 404)
    stream, reader = endless(d, f"/logtail/{encoded}/stdout")
    assert b"from here" in reader.readline() + reader.readline()
    stream.close()
    code, headers, _ = ask(d, f"/?action=stop&processname={encoded}")
    assert code == 301 and "stopped" in headers["location"]


TALKER = """
[program:talker]
command=/bin/sh -c "i=0; while [ $i -lt 20000 ]; do echo 0123456789 $i; i=$((i+1)); done; echo 'é'; echo oops >&2; exec cat"
startsecs=0
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
[program:silent]
command=/bin/cat
stdout_logfile=NONE
startsecs=0
"""


@only_ours(TALKER)
def test_ranges_of_logs(d):
    d.wait_file("talker.out", "é")
    d.wait_file("talker.err", "oops")
    whole = (d.root / "talker.out").read_bytes()

    def part(query=""):
        found = get(d, f"logs/talker/stdout{query}")
        assert found["size"] == len(whole) and set(found) == {"offset", "next", "size", "text"}
        assert whole[found["offset"]:found["next"]].decode("utf-8", "replace") == found["text"]
        return found["offset"], found["next"]
    size = len(whole)
    assert part() == (size - 65536, size)
    assert part("?offset=0") == (0, 65536)
    assert part("?offset=5&length=7") == (5, 12)
    assert part(f"?offset={size - 3}&length=100") == (size - 3, size)
    assert part("?offset=-20") == (size - 20, size)
    assert part("?length=20") == (size - 20, size)
    assert part(f"?offset=-{size + 5}") == (0, size)
    assert part("?offset=0&length=99999999999") == (0, size)
    assert part("?offset=99999999999") == (size, size)
    # The end cuts é in two: it comes whole with the next part.
    start, after = part(f"?offset={size - 13}&length=11")
    assert after == size - 3
    assert get(d, f"logs/talker/stdout?offset={after}")["text"] == "é\n"
    assert get(d, "logs/talker/stderr")["text"] == "oops\n"
    for query in ("?offset=x", "?offset=-5&length=5", "?length=-5", "?offset=1.5"):
        assert "message" in get(d, f"logs/talker/stdout{query}", 400)
    for path in ("logs/talker/stdin", "logs/silent/stdout", "logs/nope/stdout", "logs/talker", "logs/talker/stdout/x", "logs", "", "nope"):
        assert "message" in get(d, path, 404)
    log = d.log_text()
    found = get(d, "mainlog?offset=0")
    assert (found["offset"], found["text"][:len(log)]) == (0, log)
    # It does so after bytes that are not UTF-8, too.
    (d.root / "talker.out").write_bytes(b"\xff" + "é".encode() * 20)
    first = get(d, "logs/talker/stdout?offset=0&length=10")
    second = get(d, f"logs/talker/stdout?offset={first['next']}&length=10")
    assert (first["text"], first["next"], second["text"]) == ("\ufffd" + "é" * 4, 9, "é" * 5)
    (d.root / "talker.out").write_bytes(b"a\xff\xfeb\0c<\"\\")
    assert get(d, "logs/talker/stdout")["text"] == "a\ufffd\ufffdb\0c<\"\\"


@only_ours(TALKER)
def test_streams_start_where_they_are_told(d):
    d.wait_file("talker.out", "é")
    whole = (d.root / "talker.out").read_bytes()
    for query, length in (("", 1024), ("?tail=10", 10), ("?tail=50000", 50000), ("?tail=x", 1024), ("?tail=99999999", len(whole))):
        for target in (f"/logtail/talker{query}", f"/logtail/talker/stdout{query}"):
            stream, reader = endless(d, target)
            assert chunks(reader, min(length, len(whole))) == whole[-length:]
            stream.close()
    stream, reader = endless(d, "/logtail/talker?tail=0")
    with open(d.root / "talker.out", "ab") as log:
        log.write(b"news")
    assert chunks(reader, 4) == b"news"
    stream.close()


def chunks(reader, length):
    """So many bytes of a chunked answer."""
    got = b""
    while len(got) < length:
        size = int(reader.readline(), 16)
        assert size > 0, "the stream ended"
        got += reader.read(size)
        reader.readline()
    return got


class Events:
    """A listener at the stream of events."""

    def __init__(self, d):
        self.stream, self.reader = endless(d, "/api/v1/events")
        self.text = ""

    def next(self):
        """The next event: its name and its data."""
        while "\n\n" not in self.text:
            size = int(self.reader.readline(), 16)
            assert size > 0, "the stream ended"
            self.text += self.reader.read(size).decode()
            self.reader.readline()
        lines, self.text = self.text.split("\n\n", 1)
        if lines.startswith(":"):
            return "comment", None
        name, data = lines.split("\n")
        assert name.startswith("event: ") and data.startswith("data: ")
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def status(self):
        """The next event that tells of states."""
        while True:
            name, data = self.next()
            if name == "status":
                assert set(data) == {"complete", "now", "supervisor", "processes", "removed"}
                return data

    def until(self, condition):
        """Follows the stream until what a page would know fulfils a condition; returns that."""
        known = {}
        while True:
            data = self.status()
            if data["complete"]:
                known.clear()
            known.update({process["namespec"]: process for process in data["processes"]})
            for name in data["removed"]:
                del known[name]
            if condition(known, data):
                return known

    def is_silent(self, seconds):
        """Whether nothing comes for so long."""
        return not self.text and not select.select([self.stream], [], [], seconds)[0]

    def close(self):
        """Hangs up."""
        self.reader.close()
        self.stream.close()


@only_ours(GROUPS)
def test_events_tell_of_changes(d):
    d.wait_state("pair:one", "RUNNING")
    events = Events(d)
    first = events.status()
    assert first["complete"] and first["removed"] == []
    assert [ageless(each) for each in first["processes"]] == [ageless(each) for each in get(d, "status")["processes"]]
    assert ageless(first["supervisor"]) == ageless(get(d, "status")["supervisor"])
    # Only what changed is told.
    d.rpc("supervisor.stopProcess", "pair:one")
    data = events.status()
    assert not data["complete"] and [each["namespec"] for each in data["processes"]] == ["pair:one"]
    if data["processes"][0]["statename"] != "STOPPED":  # on its way
        events.until(lambda known, data: known.get("pair:one", {}).get("statename") == "STOPPED")
    # A program that dies is started again.
    old = d.pid_of("fine:fine_0")
    d.note_pid("fine:fine_0")
    d.kill("fine:fine_0")
    events.until(lambda known, data: known.get("fine:fine_0", {}).get("pid", old) not in (0, old))
    # A failed start has its reason.
    d.outcome("startProcess", "pair:bad")
    assert d.rpc("supervisor.startProcess", "pair:one")
    events.until(lambda known, data: known.get("pair:one", {}).get("statename") == "RUNNING")
    # Groups come and go.
    d.rpc("supervisor.stopProcessGroup", "fine")
    d.rpc("supervisor.removeProcessGroup", "fine")
    while True:
        removed = events.status()["removed"]
        if removed:
            break
    assert sorted(removed) == ["fine:fine_0", "fine:fine_1"]
    d.rpc("supervisor.addProcessGroup", "fine")
    events.until(lambda known, data: {"fine:fine_0", "fine:fine_1"} <= set(known))
    # So does another name of the daemon.
    d.config.write_text(d.config.read_text().replace("[supervisord]", "[supervisord]\nidentifier=other"))
    d.rpc("supervisor.reloadConfig")
    events.until(lambda known, data: data["supervisor"]["identifier"] == "other")
    events.close()


@only_ours(CAT)
def test_nothing_is_told_while_nothing_changes(d):
    d.wait_state("cat", "RUNNING")
    # A process uses a little more for a moment after its start.
    events = Events(d)
    assert events.status()["complete"]
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 5:
        if not events.is_silent(5):
            name, data = events.next()
            assert name == "usage" and set(data["processes"]) == {"cat"}, (name, data)
            quiet_since = time.monotonic()
    # Neither reading nor failing changes anything.
    for _ in range(3):
        get(d, "status")
        ask(d, "/")
        ask(d, "/?action=refresh")
        ask(d, "/?action=start&processname=cat")
        d.rpc("supervisor.getAllProcessInfo")
    assert events.is_silent(3)
    events.close()


@only_ours("""
[program:busy]
command=/bin/sh -c "while :; do :; done"
startsecs=0
[program:idle]
command=/bin/cat
startsecs=0
""")
def test_use_is_told_of_those_that_use_something(d):
    for name in ("busy", "idle"):
        d.wait_state(name, "RUNNING")
    events = Events(d)
    first = {each["namespec"]: each for each in events.status()["processes"]}
    last = [first["busy"][name] for name in USAGE]
    grown = 0
    while grown < 2:
        name, data = events.next()
        if name == "usage":
            assert set(data) == {"now", "processes"}
            last, before = data["processes"]["busy"], last
            assert last[0] > before[0] and last[2] > last[3] >= before[2]
            grown += 1
    stat = get(d, "processes/busy")
    assert stat["cpu_millis"] >= last[0]
    events.close()


def ticks(number):
    """The processor time of a process in milliseconds, from the kernel."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


@only_ours("""
[program:busy]
command=/bin/sh -c "while :; do :; done"
startsecs=0
""")
def test_figures_belong_to_their_time(d):
    """However many look, and whenever: what a reading says lies between what the kernel said before and after it."""
    d.wait_state("busy", "RUNNING")
    number, told, known = d.pid_of("busy"), set(), []

    def note():
        before, used = time.time(), ticks(number)
        known.append((before * 1000, used, time.time() * 1000))
    note()
    events = Events(d)
    while len(told) < 3:
        for _ in range(20):
            process = get(d, "status")["processes"][0]
            told.add((process["measured"], process["cpu_millis"]))
            note()
        name, data = events.next()
        note()
        if name == "usage":
            told.add((data["processes"]["busy"][2], data["processes"]["busy"][0]))
    # Between reading and looking at the clock either side may be held up.
    for measured, cpu in told:
        earlier = [used for _, used, after in known if after < measured - 200]
        later = [used for before, used, _ in known if before > measured + 200]
        assert max(earlier, default=0) <= cpu <= min(later, default=cpu), (measured, cpu, known)
    events.close()


@only_ours(CAT)
def test_every_listener_hears(d):
    d.wait_state("cat", "RUNNING")
    listeners = [Events(d) for _ in range(20)]
    for events in listeners:
        assert events.status()["complete"]
    d.rpc("supervisor.stopProcess", "cat")
    for events in listeners:
        events.until(lambda known, data: known.get("cat", {}).get("statename") == "STOPPED")
        events.close()


@only_ours("""
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; exec sleep 36000"
stdout_logfile=%(here)s/stubborn.out
startsecs=0
stopwaitsecs=36000
""")
def test_a_shutdown_is_told(d):
    d.wait_file("stubborn.out", "ready")
    d.note_pid("stubborn")
    events = Events(d)
    events.status()
    d.rpc("supervisor.shutdown")
    events.until(lambda known, data: data["supervisor"]["statename"] == "SHUTDOWN")
    found = get(d, "status")
    assert (found["supervisor"]["statecode"], found["processes"][0]["statename"]) == (-1, "STOPPING")
    assert webfacts.status(ask(d, "/")[2], "ours")["programs"][0]["state"] == "stopping"
    assert get(d, "logs/stubborn/stdout")["text"] == "ready\n"
    d.kill("stubborn")
    d.wait_exit()


@only_ours(CAT)
def test_events_for_old_clients(d):
    d.wait_state("cat", "RUNNING")
    with d.connect() as stream:
        stream.sendall(request("/api/v1/events", version="1.0"))
        reader = stream.makefile("rb")
        head = []
        while (line := reader.readline().strip()):
            head.append(line.decode())
        assert head[0].startswith("HTTP/1.0 200") and "Connection: close" in head
        assert reader.readline() == b"event: status\n"
        assert json.loads(reader.readline().removeprefix(b"data: "))["complete"] is True


@only_ours(CAT)
def test_status_while_everything_restarts(d):
    """Whoever asks in the middle of things gets a whole answer."""
    for _ in range(5):
        ask(d, "/?action=restartall")
        found = get(d, "status")
        assert [each["namespec"] for each in found["processes"]] == ["cat"]
    wait_for(lambda: get(d, "status")["processes"][0]["statename"] == "RUNNING", "it never runs")
