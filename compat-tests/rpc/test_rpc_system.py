"""XML-RPC: the system.* methods, arities, namespecs of methods, and multicall."""

import re

from scenario import scenario

# A signal that comes between fork and exec is lost in the reference; SIGKILL is not.
TWO = """
[program:cat]
command=/bin/cat
startsecs=0
stopsignal=KILL
[program:idle]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL
"""


def tags(text):
    """The @param and @return lines of a method's help, without their free words: tag, type and name."""
    return [" ".join(line.split()[:3 if line.split()[0] == "@param" else 2])
            for line in text.splitlines() if line.strip().startswith("@")]


@scenario(TWO)
def test_list_methods(d):
    d.call("system.listMethods")


@scenario(TWO)
def test_method_signatures(d):
    for method in d.rpc("system.listMethods"):
        d.call("system.methodSignature", method)


@scenario(TWO)
def test_method_help(d):
    for method in d.rpc("system.listMethods"):
        text = d.rpc("system.methodHelp", method)
        assert isinstance(text, str) and text.strip()
        d.see(f"tags of {method}", tags(text))


@scenario(TWO)
def test_signature_and_help_of_unknown_methods(d):
    for name in ("supervisor.nope", "nope", "", "supervisor", "system._listMethods", "supervisor.getVersion "):
        d.call("system.methodSignature", name)
        d.call("system.methodHelp", name)


@scenario(TWO)
def test_unknown_methods(d):
    for method in ("supervisor.nope", "nope.getState", "system.nope", "supervisor._update", "supervisor.__init__",
                   "supervisor.supervisord", "system.namespaces", "a.b.c", "supervisor.getState.x",
                   "supervisor.", ".getState"):
        d.see(method, multi(d, (method,))[0])
    body = "<methodCall><methodName>%s</methodName></methodCall>"
    for method in ("getState", "supervisor.getState.im_self", " supervisor.getState", "supervisor.getState ",
                   "Supervisor.getState", "supervisor.getstate"):
        raw(d, body % method)


def raw(d, body):
    """Posts a body as it is and records the answer."""
    data = body.encode()
    status, headers, answer = d.http(
        b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data), see=False)
    d.see(body, (status, headers.get("content-type"), re.sub(r">\s+<", "><", answer)))


def multi(d, *calls):
    """The results of a multicall of (method, arguments…) tuples."""
    return d.rpc("system.multicall", [{"methodName": name, "params": list(rest)} for name, *rest in calls])


NO_ARGUMENTS = ("getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState", "getPID", "clearLog",
                "reloadConfig", "getAllProcessInfo", "clearAllProcessLogs", "getAllConfigInfo")


@scenario(TWO)
def test_too_many_arguments(d):
    for method in (*NO_ARGUMENTS, "shutdown", "restart"):
        d.call(method, "extra")
    for method, count in (("readLog", 3), ("addProcessGroup", 2), ("removeProcessGroup", 2), ("startProcess", 3),
                          ("startAllProcesses", 2), ("stopProcessGroup", 3), ("signalProcess", 3),
                          ("signalAllProcesses", 2), ("getProcessInfo", 2), ("readProcessStdoutLog", 4),
                          ("tailProcessStderrLog", 4), ("clearProcessLogs", 2), ("sendProcessStdin", 3),
                          ("sendRemoteCommEvent", 3)):
        d.call(method, *["x"] * count)
    d.call("system.listMethods", 1)
    d.call("system.methodHelp", "a", "b")
    d.call("system.methodSignature", "a", "b")
    d.call("system.multicall", [], [])


@scenario(TWO)
def test_too_few_arguments(d):
    for method, least in (("readLog", 2), ("readMainLog", 2), ("addProcessGroup", 1), ("removeProcessGroup", 1),
                          ("startProcess", 1), ("startProcessGroup", 1), ("stopProcess", 1), ("stopProcessGroup", 1),
                          ("signalProcess", 2), ("signalProcessGroup", 2), ("signalAllProcesses", 1),
                          ("getProcessInfo", 1), ("readProcessStdoutLog", 3), ("readProcessLog", 3),
                          ("readProcessStderrLog", 3), ("tailProcessStdoutLog", 3), ("tailProcessLog", 3),
                          ("tailProcessStderrLog", 3), ("clearProcessLogs", 1), ("clearProcessLog", 1),
                          ("sendProcessStdin", 2), ("sendRemoteCommEvent", 2)):
        d.call(method, *["cat"] * (least - 1))
    d.call("system.methodHelp")
    d.call("system.methodSignature")
    d.call("system.multicall")


@scenario(TWO)
def test_plain_answers(d):
    for method in ("getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState"):
        d.call(method)
    d.see("pid is the daemon's", d.rpc("supervisor.getPID") == d.process.pid)


@scenario(TWO, extra="identifier=a name with spaces")
def test_identification(d):
    d.call("getIdentification")


@scenario(TWO)
def test_multicall_results_are_bare(d):
    d.see("bare", multi(d, ("supervisor.getState",), ("supervisor.getAPIVersion",), ("supervisor.getVersion", 1),
                        ("supervisor.getProcessInfo", "nope"), ("system.methodSignature", "nope")))
    d.see("empty", d.rpc("system.multicall", []))


@scenario(TWO)
def test_multicall_missing_name_and_recursion(d):
    d.see("missing", d.rpc("system.multicall", [
        {"params": []}, {}, {"methodName": "system.multicall", "params": [[]]},
        {"methodName": "supervisor.getAPIVersion"}, {"methodName": "", "params": []}]))


@scenario(TWO)
def test_multicall_deferred_calls_run_in_turn(d):
    d.wait_state("cat", "RUNNING")
    results = multi(d, ("supervisor.stopProcess", "cat"), ("supervisor.getProcessInfo", "cat"),
                    ("supervisor.startProcess", "cat"), ("supervisor.startProcess", "cat"),
                    ("supervisor.startAllProcesses",), ("supervisor.stopAllProcesses",),
                    ("supervisor.stopProcess", "cat"))
    # Two programs that are stopped together end in any order.
    d.see("in turn", [sorted(result, key=repr) if isinstance(result, list) else result for result in results])
    d.see("lines", d.log_lines("cat"))


@scenario(TWO)
def test_multicall_shutdown_faults_the_rest(d):
    d.see("rest", multi(d, ("supervisor.getState",), ("supervisor.shutdown",), ("supervisor.getState",),
                        ("supervisor.startProcess", "idle"), ("system.listMethods",)))
    d.see("exit", d.wait_exit())


@scenario("""
[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stdout_logfile=%(here)s/stubborn.out
stopwaitsecs=600
""")
def test_every_method_while_shutting_down(d):
    """supervisor.* is refused while stopping; system.* and sendRemoteCommEvent are not."""
    d.wait_state("stubborn", "RUNNING")
    d.wait_file("stubborn.out", "ready")
    d.note_pid("stubborn")
    d.call("shutdown")
    d.wait_log("waiting for stubborn to die")
    arguments = {"readLog": (0, 0), "readMainLog": (0, 0), "sendRemoteCommEvent": ("a", "b")}
    for name in d.rpc("system.listMethods"):
        if not name.startswith("supervisor."):
            continue
        signature = d.rpc("system.methodSignature", name)
        short = name.split(".")[1]
        given = arguments.get(short, [{"int": 0, "boolean": True}.get(kind, "stubborn") for kind in signature[1:]])
        d.call(name, *given)
    d.call("system.methodSignature", "supervisor.getState")
    d.kill("stubborn")
    d.see("exit", d.wait_exit())


@scenario(TWO)
def test_parameters_of_odd_types(d):
    """A wrong type is an HTTP 500 in the reference where it fails late; ours answers with a fault."""
    fault = lambda got: isinstance(got, dict) and "fault" in got
    for method, *args in (("getProcessInfo", 5), ("startProcess", 5), ("stopProcess", []), ("signalProcess", {}, "HUP"),
                          ("clearProcessLogs", 1.5), ("readProcessStdoutLog", 3, 0, 0)):
        d.expect(f"{method}{args}", d.outcome(method, *args), python={"http status": 500}, ours=fault)
    d.call("addProcessGroup", 5)
    d.call("startProcessGroup", 5)
    d.call("stopProcessGroup", 5)
    d.call("removeProcessGroup", 5)
    d.call("sendProcessStdin", "cat", 5)
    d.call("sendProcessStdin", "cat", [1])
    d.call("sendProcessStdin", "nope", 5)
    d.call("sendProcessStdin", "cat", 1e16)
    raw(d, "<?xml version='1.0'?><methodCall><methodName>supervisor.sendProcessStdin</methodName><params><param><value>cat</value>"
           "</param><param><value><nil/></value></param></params></methodCall>")


@scenario(TWO)
def test_log_offsets_of_odd_types(d):
    d.wait_state("cat", "RUNNING")
    d.call("readProcessStdoutLog", "cat", "0", "10")
    d.call("readProcessStdoutLog", "cat", 0.9, 10.7)
    d.call("readProcessStdoutLog", "cat", True, False)
    d.call("tailProcessStdoutLog", "cat", " 0 ", "1_0")
    d.call("readProcessStdoutLog", "cat", [], 0)


@scenario(TWO)
def test_truth_of_wait(d):
    """`wait` is Python's truth of whatever was sent."""
    for wait in (False, 0, "", [], {}, 0.0):
        d.call("startProcess", "idle", wait)
        d.wait_state("idle", "RUNNING")
        d.call("stopProcess", "idle", True)
    for wait in (True, 1, "no", [0], {"a": 0}, -0.5):
        d.call("startProcess", "idle", wait)
        d.see("state", d.rpc("supervisor.getProcessInfo", "idle")["statename"])
        d.call("stopProcess", "idle", wait)
        d.see("state", d.rpc("supervisor.getProcessInfo", "idle")["statename"])
