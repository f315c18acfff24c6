"""/metrics: off as in the reference, and what it tells beside what XML-RPC says; read by promtool and by a real Prometheus."""

import base64
import os
import socket
import time

import exposition
from exposition import named
from harness import BASE, free_port, read_response, wait_for
from prometheus import NEEDS_PROMETHEUS, NEEDS_PROMTOOL, Prometheus, promtool
from scenario import scenario

GET = "GET /metrics HTTP/1.0\r\n\r\n"
MEASURED = BASE.replace("file=%(here)s/s.sock\n", "file=%(here)s/s.sock\nmetrics=true\n")
UP = ("STARTING", "RUNNING", "STOPPING")

PROGRAMS = """
[program:cat]
command=/bin/cat
startsecs=0
[program:two]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=2
autostart=false
redirect_stderr=true
[program:done]
command=/bin/sh -c "echo hello; exit 3"
startsecs=0
autorestart=false
stdout_logfile=NONE
[program:killed]
command=/bin/sh -c "kill -KILL $$"
startsecs=0
autorestart=false
[program:nothing]
command=/no/such/command
startretries=2
[group:both]
programs=cat,done
"""


def measured(d, body=PROGRAMS, env=None, **more):
    """Starts the daemon with metrics on its socket."""
    d.configure(body, base=MEASURED, **more)
    d.start(env=env)


def text_of(d):
    """What /metrics answers."""
    with d.connect() as stream:
        stream.sendall(GET.encode())
        raw = stream.makefile("rb").read()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK\r\n"), raw
    return body.decode()


def read(d):
    """Every number of /metrics."""
    return exposition.samples(text_of(d))


@scenario()
def test_off_like_the_reference(d):
    for request in (GET, "HEAD /metrics HTTP/1.0\r\n\r\n", "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
                    "GET /metrics?name=x HTTP/1.0\r\n\r\n"):
        line, headers, _ = d.http(request, see=False)
        d.see(request, (line, headers.get("content-type")))


@scenario(start=False)
def test_on_where_it_is_asked_for(d):
    measured(d, "")
    line, headers, _ = d.http(GET, see=False)
    d.expect("with metrics", f"{line.split()[1]} {headers.get('content-type')}",
             python="404 text/html", ours="200 text/plain; version=0.0.4; charset=utf-8")


@scenario("[program:cat]\ncommand=/bin/cat\n", start=False, only="ours")
def test_what_is_no_truth_is_refused(d):
    d.configure("", base=MEASURED.replace("metrics=true", "metrics=perhaps"))
    status, _, err = d.run("-c", d.config, "-n")
    assert status == 2 and "not a valid boolean value: 'perhaps'" in err, err


@scenario(None, start=False, only="ours")
def test_only_with_the_password(d):
    port = free_port()
    measured(d, f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=secret\nmetrics=true\n"
                f"[unix_http_server:other]\nfile={d.root}/other.sock\n")
    right, wrong = (base64.b64encode(text).decode() for text in (b"user:secret", b"user:wrong"))
    for authorization, expected in (("", " 401 "), (f"Authorization: Basic {wrong}\r\n", " 401 "),
                                    (f"Authorization: Basic {right}\r\n", " 200 ")):
        assert expected in over_tcp(port, authorization)[0]
    # The other server was not asked to.
    other, d.socket = d.socket, d.root / "other.sock"
    assert " 404 " in d.http(GET)[0]
    d.socket = other
    assert " 200 " in d.http(GET)[0]


def over_tcp(port, headers):
    """The answer of a server on a port."""
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(f"GET /metrics HTTP/1.0\r\n{headers}\r\n".encode())
        return read_response(stream.makefile("rb"))


def expected_of(infos):
    """What node_exporter makes of getAllProcessInfo."""
    expected = {}
    for info in infos:
        labels = {"name": info["name"], "group": info["group"]}
        up = info["statename"] in UP
        expected[named("node_supervisord_up", **labels)] = up
        expected[named("node_supervisord_state", **labels)] = info["state"]
        expected[named("node_supervisord_exit_status", **labels)] = info["exitstatus"]
        if up:
            expected[named("node_supervisord_start_time_seconds", **labels)] = info["start"]
    return expected


@scenario(None, start=False, only="ours")
def test_processes_are_as_xmlrpc_says(d):
    measured(d)
    for name, state in (("both:cat", "RUNNING"), ("both:done", "EXITED"), ("killed", "EXITED"), ("nothing", "FATAL")):
        d.wait_state(name, state)
    numbers = read(d)
    ours = {key: number for key, number in numbers.items() if key[0].startswith("node_supervisord_")}
    assert ours == expected_of(d.rpc("supervisor.getAllProcessInfo"))
    statuses = [numbers[named("node_supervisord_exit_status", name=name, group=group)]
                for name, group in (("done", "both"), ("killed", "killed"))]
    assert statuses == [3, -1]
    cat = {"name": "cat", "group": "both"}
    assert numbers[named("supervisord_process_resident_memory_bytes", **cat)] > 1 << 16
    assert numbers[named("supervisord_process_cpu_seconds_total", **cat)] < 60
    running = {key[1] for key in numbers if key[0] == "supervisord_process_resident_memory_bytes"}
    assert running == {named("", **cat)[1]}
    logs = {(dict(key[1])["name"], dict(key[1])["channel"]) for key in numbers if key[0] == "supervisord_log_written_bytes_total"}
    assert logs == {("cat", "stdout"), ("cat", "stderr"), ("two_0", "stdout"), ("two_1", "stdout"), ("done", "stderr"),
                    ("killed", "stdout"), ("killed", "stderr"), ("nothing", "stdout"), ("nothing", "stderr")}
    d.rpc("supervisor.stopProcess", "both:cat")
    assert expected_of(d.rpc("supervisor.getAllProcessInfo")).items() <= read(d).items()


@scenario(None, start=False, only="ours")
def test_restarts_and_failures_are_counted_and_starts_that_were_asked_for_are_not(d):
    measured(d, """
[program:nothing]
command=/no/such/command
startretries=2
[program:cat]
command=/bin/cat
startsecs=0
[program:quick]
command=/bin/false
startretries=1
""")
    d.wait_state("nothing", "FATAL")
    d.wait_state("quick", "FATAL")
    d.wait_state("cat", "RUNNING")
    d.rpc("supervisor.stopProcess", "cat")
    d.rpc("supervisor.startProcess", "cat")

    def counted(name):
        numbers = read(d)
        return tuple(numbers[named(f"supervisord_process_{kind}_total", name=name, group=name)]
                     for kind in ("restarts", "spawn_failures"))
    assert [counted(name) for name in ("nothing", "quick", "cat")] == [(2, 3), (1, 0), (0, 0)]
    for times in (1, 2):
        d.note_pid("cat")
        d.kill("cat")
        wait_for(lambda: counted("cat") == (times, 0), lambda: f"{counted('cat')}")  # noqa: B023
        d.wait_state("cat", "RUNNING")


@scenario(None, start=False, only="ours")
def test_bytes_of_logs_are_counted_where_they_end(d):
    measured(d, """
[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=%(here)s/cat.out
[program:full]
command=/bin/cat
startsecs=0
stdout_logfile=/dev/full
""")

    def counted(kind, name):
        return read(d)[named(f"supervisord_log_{kind}_bytes_total", name=name, group=name, channel="stdout")]
    for total in (6, 12):
        for name in ("cat", "full"):
            d.wait_state(name, "RUNNING")
            d.rpc("supervisor.sendProcessStdin", name, "hello\n")
        wait_for(lambda: counted("written", "cat") == total, "bytes to be written")  # noqa: B023
        wait_for(lambda: counted("dropped", "full") == total, "bytes to be lost")  # noqa: B023
        # The count goes on over the life of a process.
        for name in ("cat", "full"):
            d.rpc("supervisor.stopProcess", name)
            d.rpc("supervisor.startProcess", name)
    assert (counted("dropped", "cat"), counted("written", "full")) == (0, 0)
    assert len(d.read("cat.out")) == counted("written", "cat")


LISTENER = """\
import sys
print("READY", flush=True)
while True:
    sys.stdin.read(int(dict(pair.split(":") for pair in sys.stdin.readline().split())["len"]))
    print("RESULT 2\\nOKREADY", flush=True)
"""


@scenario(None, start=False, only="ours")
def test_pools_and_their_listeners(d):
    listener = d.write("listener.py", LISTENER)
    measured(d, f"""
[eventlistener:good]
command={d.env["PYTHON"]} {listener}
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:mute]
command=/bin/cat
events=REMOTE_COMMUNICATION
buffer_size=3
startsecs=0
""")
    d.wait_state("good", "RUNNING")
    d.wait_state("mute", "RUNNING")
    for number in range(5):
        d.rpc("supervisor.sendRemoteCommEvent", "x", str(number))

    def pool(group):
        numbers = read(d)
        names = ("event_buffer_events", "event_buffer_capacity", "events_total", "events_dropped_total")
        (state,) = (dict(key[1])["state"] for key, number in numbers.items()
                    if key[0] == "supervisord_listener_state" and dict(key[1])["group"] == group and number == 1)
        return [*(numbers[named(f"supervisord_{name}", group=group)] for name in names), state]
    assert pool("mute") == [3, 3, 5, 2, "ACKNOWLEDGED"]
    wait_for(lambda: pool("good") == [0, 10, 5, 0, "READY"], lambda: f"{pool('good')}")


@scenario(None, start=False, only="ours")
def test_calls_are_counted_by_method_and_names_of_clients_make_no_series(d):
    measured(d, "[program:slow]\ncommand=/bin/cat\nstartsecs=1\nautostart=false\n")
    before = read(d)
    d.rpc("supervisor.startProcess", "slow")
    for method in ("supervisor.nonsense", "x.getState", "supervisor.getVersion", 'evil"}\n.x', "nonsense"):
        d.outcome(method) if "." in method else d.outcome(f"{method}.x")
    numbers = read(d)

    def grown(name, method, **more):
        key = named(f"supervisord_rpc_duration_seconds_{name}", method=method, **more)
        return numbers[key] - before.get(key, 0)
    assert grown("count", "supervisor.startProcess") == 1
    assert 1 <= grown("sum", "supervisor.startProcess") < 60
    assert grown("bucket", "supervisor.startProcess", le="0.5") == 0
    assert grown("bucket", "supervisor.startProcess", le="+Inf") == 1
    assert (grown("count", "supervisor.getVersion"), grown("count", "other")) == (1, 4)
    methods = {dict(labels)["method"] for name, labels in numbers if name == "supervisord_rpc_duration_seconds_count"}
    assert methods <= {f"supervisor.{name}" for name in ("getState", "getPID", "getVersion", "readLog", "startProcess")} | {"other"}


@scenario(None, start=False, only="ours")
def test_the_daemon_itself(d):
    began = time.time()
    measured(d, "")
    with d.connect():
        numbers = read(d)
    assert numbers[named("supervisord_http_connections")] == 2
    assert numbers[named("supervisord_http_accepted_total")] >= 2
    moods = {mood: numbers[named("supervisord_mood", mood=mood)] for mood in ("RUNNING", "RESTARTING", "SHUTDOWN")}
    assert moods == {"RUNNING": 1, "RESTARTING": 0, "SHUTDOWN": 0}
    assert abs(numbers[named("process_start_time_seconds")] - began) < 60
    assert numbers[named("process_resident_memory_bytes")] > 1 << 20
    assert numbers[named("process_cpu_seconds_total")] < 60
    assert 8 < numbers[named("process_open_fds")] < numbers[named("process_max_fds")]
    assert abs(numbers[named("process_open_fds")] - len(os.listdir(f"/proc/{d.pid}/fd"))) <= 2
    (version,) = (dict(key[1]) for key in numbers if key[0] == "supervisord_build_info")
    assert version["supervisor_version"] == d.rpc("supervisor.getSupervisorVersion")


@NEEDS_PROMTOOL
@scenario(None, start=False, only="ours")
def test_names_that_people_should_not_choose(d):
    names = ['a"b', "back\\slash", "brace}", "new\nline", "ünïcode", "tab\tcr\r"]
    body = "".join(f"[program:p{number}]\nprocess_name=%(ENV_NAME{number})s\ncommand=/bin/cat\n" for number in range(len(names)))
    body += "[program:latin]\nprocess_name=%(ENV_LATIN)s\ncommand=/bin/cat\n"
    env = {f"NAME{number}": name for number, name in enumerate(names)}
    measured(d, body, env={**env, "LATIN": os.fsdecode(b"caf\xe9")})
    told = [info["name"] for info in d.rpc("supervisor.getAllProcessInfo")]
    shown = {dict(key[1])["name"] for key in read(d) if key[0] == "node_supervisord_state"}
    assert len(shown) == len(told) == len(names) + 1
    assert {"a\"b", "back\\slash", "caf\\udce9"} <= shown
    assert promtool("check", "metrics", stdin=text_of(d)) == ""


@NEEDS_PROMTOOL
@scenario(None, start=False, only="ours")
def test_promtool_finds_nothing_to_complain_about(d):
    measured(d, PROGRAMS + "[eventlistener:mute]\ncommand=/bin/cat\nevents=TICK_5\nstartsecs=0\n")
    d.wait_state("nothing", "FATAL")
    assert promtool("check", "metrics", stdin=text_of(d)) == ""


@scenario(None, start=False, only="ours")
def test_a_thousand_come_in_pieces_and_whole(d):
    count = 1500
    measured(d, f"[program:p]\ncommand=/bin/cat\nautostart=false\nprocess_name=%(process_num)d\nnumprocs={count}\n")
    text = text_of(d)
    assert len(text) > 1 << 19
    names = {dict(key[1])["name"] for key in exposition.samples(text) if key[0] == "supervisord_log_dropped_bytes_total"}
    assert names == {str(number) for number in range(count)}
    # Whoever does not read on keeps nobody waiting.
    with d.connect() as idle:
        idle.sendall(GET.encode())
        assert idle.recv(1) == b"H"
        assert text_of(d).count("\n") == text.count("\n")


SCRAPE = """\
scrape_configs:
  - job_name: supervisord
    scrape_interval: 1s
    basic_auth: {{username: user, password: secret}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@NEEDS_PROMETHEUS
@scenario(None, start=False, only="ours")
def test_prometheus_reads_it(d):
    port = free_port()
    measured(d, f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=secret\nmetrics=true\n"
                "[program:cat]\ncommand=/bin/cat\nstartsecs=0\n[program:off]\ncommand=/bin/cat\nautostart=false\n")
    d.wait_state("cat", "RUNNING")
    config = d.write("prometheus.yml", SCRAPE.format(port=port))
    with Prometheus(d.root, config, free_port(), d.env) as prometheus:
        prometheus.wait_for("sum by (name, group) (node_supervisord_state)",
                            [({"name": "cat", "group": "cat"}, 20), ({"name": "off", "group": "off"}, 0)])
        prometheus.wait_for("sum(up)", [({}, 1)])
        d.rpc("supervisor.stopProcess", "cat")
        prometheus.wait_for("sum by (name) (node_supervisord_up)", [({"name": "cat"}, 0), ({"name": "off"}, 0)])
        (target,) = prometheus.get("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
