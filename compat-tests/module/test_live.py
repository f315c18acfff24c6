"""The module under a daemon: the listeners' protocol and XML-RPC, the reference's and ours under the reference and ours."""

import subprocess

import pytest

from harness import REPO, SCRIPTS, free_port
from scenario import scenario

LISTENER = """\
import os, sys
from supervisor import childutils
from supervisor.xmlrpc import Faults, xmlrpclib
out = open(sys.argv[1], "a", encoding="utf-8")
rpc = childutils.getRPCInterface(os.environ)
refused = False
while True:
    headers, payload = childutils.listener.wait()
    if headers["eventname"].startswith("PROCESS_COMMUNICATION"):
        pheaders, pdata = childutils.eventdata(payload)
        print(sorted(headers), headers["eventname"], headers["pool"], pheaders["processname"], sorted(pheaders), pdata, file=out, flush=True)
        try:
            rpc.supervisor.startProcess("nope")
        except xmlrpclib.Fault as error:
            print(error.faultCode == Faults.BAD_NAME, error.faultString, file=out, flush=True)
        print(rpc.supervisor.getState(), rpc.supervisor.getProcessInfo("talker")["statename"], file=out, flush=True)
        if not refused:
            refused = True
            childutils.listener.fail()
            continue
        print("end", file=out, flush=True)
    childutils.listener.ok()
"""

TALKER = "printf '<!--XSUPERVISOR:BEGIN-->said: caf\\303\\251<!--XSUPERVISOR:END-->'; exec cat"


def reference():
    """Where the reference's module is, alone."""
    found = subprocess.run([SCRIPTS / "python", "-c", "import supervisor; print(supervisor.__path__[0])"],
                           capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.mark.parametrize("server", ["unix", "tcp"])
def test_listeners(server):
    @scenario(None, start=False)
    def run(d):
        (d.root / "modules").mkdir()
        (d.root / "modules" / "supervisor").symlink_to(reference())
        script = d.write("listener.py", LISTENER)
        port = free_port()
        tcp = f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=se:cret\n" if server == "tcp" else ""
        # Of pools of the same priority the reference sends one's rejected events to the others, too.
        listeners = "".join(
            f"[eventlistener:{name}]\npriority={priority}\ncommand={SCRIPTS}/python {script} %(here)s/{name}.out\nevents=PROCESS_COMMUNICATION\n"
            f"environment=PYTHONPATH=\"{place}\",SUPERVISOR_USERNAME=user,SUPERVISOR_PASSWORD=\"se:cret\"\n" + (f"serverurl=http://127.0.0.1:{port}\n" if tcp else "")
            for name, priority, place in (("theirs", 1, d.root / "modules"), ("ours", 2, REPO / "python-clients")))
        d.configure(tcp + listeners + f"[program:talker]\ncommand={d.write('talk', '#!/bin/sh' + chr(10) + TALKER, 0o755)}\n"
                    "stdout_capture_maxbytes=1KB\nstartsecs=0\nautostart=false\n")
        d.start()
        for name in ("theirs", "ours"):
            d.wait_state(name, "RUNNING")
        d.rpc("supervisor.startProcess", "talker")
        said = {}
        for name in ("theirs", "ours"):
            d.wait_file(f"{name}.out", "end")
            said[name] = d.read(f"{name}.out").replace(f" {name} ", " POOL ")
            assert said[name].count("said: caf\u00e9") == 2, said
        assert said["ours"] == said["theirs"]
        d.see("said", said["ours"])

    run()
