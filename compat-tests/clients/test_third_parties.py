"""What others wrote for Supervisor, unchanged from the package index, over our module: what it is for happens."""

import http.server
import json
import time

import pytest

import thirdparty
from harness import finish, free_port, wait_for
from test_superlance import Broken, Serving


@pytest.fixture(scope="module")
def tools():
    return thirdparty.environment()


def start(daemon, tools, config):
    """Starts the daemon with the tools first in PATH."""
    daemon.env["PATH"] = f"{tools}:/usr/bin:/bin"
    daemon.configure(config)
    return daemon.start()


def python(tools, daemon, script, *args):
    """What a script prints that runs in the environment."""
    code, out, err = finish([tools / "python", "-c", script, *args], 60, cwd=daemon.root,
                            env={"PATH": f"{tools}:/usr/bin:/bin", "LANG": "C.UTF-8"})
    assert code == 0, err
    return out


def test_the_module_is_ours(tools, ours):
    path = python(tools, ours, "import supervisor._binary as b; print(b.find())").strip()
    assert path.startswith(str(tools))


CAT = "[program:{name}]\ncommand=/bin/cat\nstartsecs=0\n"


def test_superlance(tools, ours):
    with Serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)) as web:
        start(ours, tools, CAT.format(name="web") + CAT.format(name="fat") + f"""
[program:crashing]
command=/bin/sh -c "read x; exit 7"
startsecs=0
autorestart=false
[eventlistener:httpok]
command={tools}/httpok -p web http://127.0.0.1:{web.port}/
events=TICK_5
[eventlistener:memmon]
command={tools}/memmon -p fat=1KB
events=TICK_5
[eventlistener:crashmail]
command={tools}/crashmail -a -m crash@example.com -s "cat >> %(here)s/crashmail.mail"
events=PROCESS_STATE_EXITED
""")
        pids = {name: ours.pid_of(name) for name in ("web", "fat")}
        ours.rpc("supervisor.sendProcessStdin", "crashing", "\n")
        for name, old in pids.items():
            wait_for(lambda name=name, old=old: ours.wait_state(name, "RUNNING")["pid"] != old, f"a restart of {name}")
        ours.wait_file("crashmail.mail", "(?s)To: crash@example.com.*Process crashing in group crashing exited unexpectedly")


def test_supervisord_dependent_startup(tools, ours):
    start(ours, tools, f"""
[eventlistener:dependentstartup]
command={tools}/supervisord-dependent-startup -c {ours.config}
events=PROCESS_STATE
startretries=0
exitcodes=0,3
[program:last]
command=/bin/sh -c "echo last >> %(here)s/order; exec cat"
autostart=false
startsecs=0
dependent_startup=true
dependent_startup_wait_for=middle:running
[program:middle]
command=/bin/sh -c "echo middle >> %(here)s/order; exec cat"
autostart=false
startsecs=0
dependent_startup=true
dependent_startup_wait_for=first:running
[program:first]
command=/bin/sh -c "echo first >> %(here)s/order; exec cat"
autostart=false
startsecs=0
dependent_startup=true
""")
    ours.wait_state("last", "RUNNING")
    assert ours.read("order").split() == ["first", "middle", "last"]


def test_supervisor_checks(tools, ours):
    port = free_port()
    with Serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)) as web:
        start(ours, tools, f"[inet_http_server]\nport=127.0.0.1:{port}\n" + "".join(map(CAT.format_map, [
            {"name": "web"}, {"name": "fat"}, {"name": "well"}])) + f"""
[eventlistener:http]
command={tools}/supervisor_http_check -n web -N web -u / -p {web.port} -r 1
events=TICK_5
[eventlistener:memory]
command={tools}/supervisor_memory_check -n fat -N fat -m 1
events=TICK_5
[eventlistener:tcp]
command={tools}/supervisor_tcp_check -n well -N well -p {port}
events=TICK_5
""")
        pids = {name: ours.pid_of(name) for name in ("web", "fat", "well")}
        for name in ("web", "fat"):
            wait_for(lambda name=name: ours.wait_state(name, "RUNNING")["pid"] != pids[name], f"a restart of {name}")
        log = ours.rpc("supervisor.getProcessInfo", "tcp")["stderr_logfile"]
        ours.wait_file(log.rsplit("/", 1)[1], "check succeeded for process well")
        assert ours.pid_of("well") == pids["well"]


def test_superfsmon(tools, ours):
    (ours.root / "watched").mkdir()
    start(ours, tools, CAT.format(name="web") + f"""
[program:superfsmon]
command={tools}/superfsmon %(here)s/watched web
stdout_logfile=%(here)s/fsmon.log
redirect_stderr=true
environment=PYTHONUNBUFFERED="1"
startsecs=0
""")
    ours.wait_file("fsmon.log", "watching")
    old = ours.pid_of("web")

    def touched():
        # Whoever watches has begun to when it notices.
        ours.write("watched/new", str(time.monotonic()))
        return ours.wait_state("web", "RUNNING")["pid"] != old
    wait_for(touched, lambda: f"a restart of web: {ours.read('fsmon.log')}", pause=0.5)


class Hook(http.server.BaseHTTPRequestHandler):
    """A chat that keeps what it is told."""

    def do_POST(self):
        self.server.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def test_superslacker(tools, ours):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.posts = []
    with Serving(server) as hook:
        start(ours, tools, f"""
[program:hopeless]
command=/bin/false
startsecs=60
startretries=0
[eventlistener:superslacker]
command={tools}/superslacker -w http://127.0.0.1:{hook.port}/ -c channel -n here --eventname TICK_5 --interval 1 -e FATAL
events=PROCESS_STATE,TICK_5
priority=1
buffer_size=1000
""")
        wait_for(lambda: any("*hopeless* @here: *FATAL*" in json.dumps(post) for post in server.posts),
                 lambda: f"FATAL in {server.posts}")


MULTIVISOR = """\
import sys
from gevent import spawn
from multivisor.zerorpc import Client
client = Client(sys.argv[1])
print(sorted(info["name"] for info in client.getAllProcessInfo()))
print(client.stopProcess("web"), client.getProcessInfo("web")["statename"])
seen = []
def listen():
    for event in Client(sys.argv[1]).event_stream():
        if isinstance(event, dict):
            seen.append((event["eventname"], event["payload"]["processname"], event["payload"]["process"]["statename"]))
            if event["eventname"] == "PROCESS_STATE_RUNNING":
                return
        else:
            spawn(client.startProcess, "web")
spawn(listen).join(timeout=30)
print(seen)
"""


def test_multivisor_as_an_event_listener(tools, ours):
    port = free_port()
    start(ours, tools, CAT.format(name="web") + f"""
[eventlistener:multivisor-rpc]
command={tools}/multivisor-rpc --bind 127.0.0.1:{port}
events=PROCESS_STATE,SUPERVISOR_STATE_CHANGE
""")
    ours.wait_state("multivisor-rpc", "RUNNING")
    lines = python(tools, ours, MULTIVISOR, f"tcp://127.0.0.1:{port}").splitlines()
    assert lines[:2] == ["['multivisor-rpc', 'web']", "True STOPPED"]
    assert "('PROCESS_STATE_RUNNING', 'web', 'RUNNING')" in lines[2]


JOBFLOW = """\
# As jobflow_remote.jobs.daemon does: get_controller, get_interface, foreground_process.
import sys, time
from supervisor import childutils, states, xmlrpc
from supervisor.options import ClientOptions
from supervisor.supervisorctl import Controller, fgthread
options = ClientOptions()
options.realize(["-c", sys.argv[1]], doc="")
ctl = Controller(options)
supervisor = ctl.get_supervisor()
interface = childutils.getRPCInterface({"SUPERVISOR_SERVER_URL": options.serverurl, "SUPERVISOR_USERNAME": "",
                                        "SUPERVISOR_PASSWORD": ""})
print(interface.supervisor.getProcessInfo("web")["state"] == states.ProcessStates.RUNNING)
a = fgthread("web", ctl)
a.start()
deadline = time.monotonic() + 30
supervisor.sendProcessStdin("web", "said to it \\u00e9\\n")
while time.monotonic() < deadline and a.is_alive() and "said" not in supervisor.tailProcessStdoutLog("web", 0, 100)[0]:
    time.sleep(0.05)
time.sleep(0.5)
a.kill()
a.join(10)
print(a.is_alive(), a.killed)
try:
    supervisor.sendProcessStdin("nope", "x")
except Exception as error:
    print(error.faultCode == xmlrpc.Faults.BAD_NAME)
ctl.onecmd("status web")
ctl.onecmd("stop web")
ctl.onecmd("status web")
print(ctl.exitstatus)
"""


def test_what_jobflow_remote_does(tools, ours):
    start(ours, tools, CAT.format(name="web"))
    out = python(tools, ours, JOBFLOW, str(ours.config))
    lines = out.splitlines()
    assert lines[0] == "True" and "said to it \u00e9" in lines, out
    assert lines[-6:-4] == ["False True", "True"], out
    assert lines[-4].startswith("web    ") and " RUNNING " in lines[-4]
    assert lines[-3] == "web: stopped" and " STOPPED " in lines[-2] and lines[-1] == "3"
