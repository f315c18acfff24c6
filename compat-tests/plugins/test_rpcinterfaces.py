"""`[rpcinterface:x]` factories in Python: what others wrote and plugins of our own, on both sides."""

import sys
import xmlrpc.client

import pytest

from harness import free_port, wait_for
from plugintools import environ, helper, interface, ours, plugin
from scenario import scenario

CAT = "[program:cat]\ncommand=/bin/cat\n"
CACHE = interface("cache", "supervisor_cache.rpcinterface:make_cache_rpcinterface")
TWIDDLER = interface("twiddler", "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface")

# What plugins do with the interface that the reference has, each in its own way.
MINE = '''
import threading
import time
from supervisor.http import NOT_DONE_YET
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface
from supervisor.states import SupervisorStates
from supervisor.xmlrpc import Faults, RPCError


class Base:
    def inherited(self):
        """Not listed, but called.

        @return string result
        """
        return "inherited"


class Mine(Base):
    attribute = 5

    def __init__(self, supervisord, **options):
        self.supervisord = supervisord
        self.options = options
        self.main = SupervisorNamespaceRPCInterface(supervisord)
        self.made = 0

    def echo(self, value):
        """Gives back what it gets.

        @param string value  anything
        @return string result  the same
        """
        return value

    def undocumented(self):
        return True

    def count(self):
        """Calls of this object. @return is not at a line's start"""
        self.made += 1
        return self.made

    def options_given(self):
        return sorted(self.options.items())

    def fault(self, code, words):
        raise RPCError(code, words)

    def bare(self):
        raise RPCError(Faults.BAD_NAME)

    def later(self, times):
        """Answers with a function.

        @return int result
        """
        state = {"times": times}

        def finish():
            state["times"] -= 1
            if state["times"] > 0:
                return NOT_DONE_YET
            if times == 13:
                raise RPCError(Faults.FAILED, "unlucky")
            return times
        finish.delay = 0.01
        return finish

    def restart(self, name):
        """Stops and starts a process, by the functions that the interface answers with."""
        state = {"step": self.main.stopProcess(name)}

        def go_on():
            value = state["step"]
            if callable(value):
                value = value()
            if value is NOT_DONE_YET:
                return value
            if "started" in state:
                return value
            state["started"] = True
            state["step"] = self.main.startProcess(name)
            return NOT_DONE_YET
        go_on.delay = 0.05
        return go_on

    def states(self):
        groups = self.supervisord.process_groups
        return sorted((g, p, process.get_state(), process.config.name, process.group.config.name, bool(process.pid),
                       process.config.command, process.config.priority, process.spawnerr is None)
                      for g, group in groups.items() for p, process in group.processes.items())

    def about(self):
        options = self.supervisord.options
        return [self.supervisord.get_state() == SupervisorStates.RUNNING, options.identifier, options.mood,
                options.strip_ansi, len(options.server_configs), options.server_configs[-1]["section"]]

    def from_a_thread(self):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.main.getAllProcessInfo()[0]["name"]))
        thread.start()
        thread.join()
        return answers

    def missing_process(self):
        return self.main.getProcessInfo("nobody")


def make(supervisord, **options):
    return Mine(supervisord, **options)


def fails(supervisord, **options):
    raise RuntimeError("no such luck")


def takes_one(supervisord, one):
    return Mine(supervisord, one=one)
'''


def start(d, sections, base=None, extra="", **more):
    d.configure(sections, extra, **({"base": base} if base else {}))
    return d.start(env=environ(d), **more)


@scenario(start=False, config=None)
def test_the_cache(d):
    start(d, CAT + CACHE)
    d.call("system.listMethods")
    for method in ("cache.store", "cache.getKeys", "cache.nope", "cache.fetch"):
        d.call("system.methodHelp", method)
        d.call("system.methodSignature", method)
    for method, *args in (
            ("store", "key", "value"), ("store", "", "x"), ("store", 5, "x"), ("fetch", "key"), ("fetch", "other"),
            ("fetch",), ("getKeys",), ("getCount",), ("delete", "key"), ("getAPIVersion",), ("_update", "x"),
            ("nope",), ("clear", 1), ("clear",)):
        d.call(f"cache.{method}", *args)
    calls = [{"methodName": "cache.store", "params": ["a", "b"]}, {"methodName": "cache.fetch", "params": ["zz"]},
             {"methodName": "supervisor.getState", "params": []}, {"methodName": "cache.fetch", "params": ["a"]},
             {"methodName": "cache.nope"}]
    d.call("system.multicall", calls)
    d.see("log", d.log_lines("RPC interface"))


@scenario(start=False, config=None)
def test_the_twiddler(d):
    start(d, CAT + TWIDDLER)
    d.wait_state("cat", "RUNNING")
    d.call("twiddler.getGroupNames")
    d.call("twiddler.log", "said by a plugin", "WARN")
    d.call("twiddler.log", "x", "LOUD")
    two = {"command": "/bin/cat", "numprocs": "2", "process_name": "dog%(process_num)s", "autorestart": "false"}
    d.call("twiddler.addProgramToGroup", "cat", "dog", two)
    d.call("twiddler.addProgramToGroup", "cat", "dog", two)
    d.call("twiddler.addProgramToGroup", "nobody", "dog", two)
    d.call("twiddler.addProgramToGroup", "cat", "bird", {"autostart": "false"})
    for name in ("cat:dog0", "cat:dog1"):
        d.wait_state(name, "RUNNING")
    d.see("processes", sorted((each["group"], each["name"], each["statename"]) for each in d.rpc("supervisor.getAllProcessInfo")))
    d.call("twiddler.removeProcessFromGroup", "cat", "dog1")
    d.call("supervisor.stopProcess", "cat:dog1")
    d.call("twiddler.removeProcessFromGroup", "cat", "dog1")
    d.call("twiddler.removeProcessFromGroup", "cat", "dog1")
    d.call("supervisor.getProcessInfo", "cat:dog1")
    d.call("supervisor.startProcess", "cat:dog1")
    d.see("changed", d.rpc("supervisor.reloadConfig"))
    d.call_unordered("supervisor.stopProcessGroup", "cat")
    d.call("supervisor.removeProcessGroup", "cat")
    d.call("twiddler.getGroupNames")
    d.see("log", d.log_lines("said by"))


@scenario(start=False, config=None)
def test_what_plugins_do(d):
    plugin(d, "mine", MINE)
    options = "color = blue\nfile = %(ENV_HOME)s/x\nMixed = Case"
    start(d, CAT + interface("mine", "mine:make", options) + interface("other", "mine:takes_one", "one=1"))
    d.wait_state("cat", "RUNNING")
    d.see("listed", [name for name in d.rpc("system.listMethods") if name.startswith(("mine.", "other."))])
    for method in ("echo", "undocumented", "count", "inherited", "later"):
        d.call("system.methodHelp", f"mine.{method}")
        d.call("system.methodSignature", f"mine.{method}")
    for value in ("text", 7, True, 2.5, ["a", [1]], {"k": {"n": 1}}, "ä€ <&>", ""):
        d.call("mine.echo", value)
    for method, *args in (
            ("inherited",), ("attribute",), ("count",), ("count",), ("fault", 230, "words"), ("fault", 30, "failed"), ("bare",),
            ("later", 1), ("later", 5), ("later", 13), ("restart", "cat"), ("restart", "nobody"), ("states",), ("about",),
            ("from_a_thread",), ("missing_process",), ("echo",)):
        d.call(f"mine.{method}", *args)
    d.call("other.options_given")
    d.see("options", sorted(name for name, _ in d.rpc("mine.options_given")))
    d.call("system.multicall", [{"methodName": "mine.later", "params": [3]}, {"methodName": "mine.later", "params": [13]},
                                {"methodName": "mine.count"}])


@scenario(start=False, config=None)
def test_factories_are_run_for_each_server(d):
    plugin(d, "mine", MINE)
    port = free_port()
    start(d, CAT + f"[inet_http_server]\nport=127.0.0.1:{port}\n" + interface("mine", "mine:make"))
    inet = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}")
    d.see("counts", [d.rpc("mine.count"), d.rpc("mine.count"), inet.mine.count(), d.rpc("mine.count")])
    d.see("log", [line for line in d.log_lines("initialized|authentication")])


@scenario(start=False, config=None)
def test_what_cannot_be_made_is_told(d):
    plugin(d, "mine", MINE)
    plugin(d, "broken", "import nowhere_to_be_found\n")
    for sections in (
            interface("x", "nope:make"), interface("x", "mine:nope"), interface("x", "broken:make"),
            interface("x", "mine:fails"), interface("x", "mine:takes_one"), interface("x", "two words"),
            "[eventlistener:e]\ncommand=/bin/cat\nevents=TICK_5\nresult_handler=mine:nope\n"):
        d.configure(CAT + sections)
        status, _, stderr = d.run("-n", "-c", d.config, env=environ(d))
        d.see("status", status)
        d.see("error", [line for line in stderr.splitlines() if line.startswith("Error:")])


@scenario(start=False, config=None)
def test_a_restart_makes_them_again(d):
    plugin(d, "mine", MINE)
    start(d, CAT + interface("mine", "mine:make"))
    d.see("before", [d.rpc("mine.count"), d.rpc("mine.count")])
    d.call("supervisor.restart")
    wait_for(lambda: len(d.log_lines("RPC interface 'mine'")) == 2 and d.answers(), "the second life")
    d.wait_state("cat", "RUNNING")
    d.see("after", d.rpc("mine.count"))


def test_in_the_background():
    """The plugins are made by the daemon that stays, and what they lack is said by the one that was started."""
    d = ours()
    try:
        plugin(d, "mine", MINE)
        d.configure(CAT + interface("mine", "mine:make"))
        status, _, stderr = d.run("-c", d.config, env=environ(d))
        assert (status, stderr) == (0, "")
        d.pid = d.rpc("supervisor.getPID")
        assert d.rpc("mine.count") == 1
        assert d.rpc("supervisor.shutdown")
        wait_for(lambda: not d.socket.exists(), "the end")
        d.configure(CAT + interface("mine", "mine:fails"))
        status, _, stderr = d.run("-c", d.config, env=environ(d))
        assert status == 2 and "Error: Could not make mine rpc interface" in stderr
        assert "RuntimeError: no such luck" in d.log_text()
    finally:
        assert not d.close()


@pytest.mark.parametrize("python,words", [
    ("/no/such/python", "cannot start /no/such/python"),
    (None, "install python3-supervisor"),
])
def test_without_the_module_it_is_said_what_to_install(python, words):
    """The interpreter of the tests has the reference's package, which runs no plugins of ours."""
    d = ours()
    try:
        plugin(d, "mine", MINE)
        d.configure(CAT + interface("mine", "mine:make"), f"python={python}" if python else "")
        status, _, stderr = d.run("-n", "-c", d.config, env={**environ(d), "SUPERVISOR_PYTHON": sys.executable})
        assert status == 2
        assert words in stderr and "Error: mine:make cannot be resolved within [rpcinterface:mine]" in stderr
    finally:
        assert not d.close()


def test_what_is_no_interpreter_and_does_not_end_holds_up_nobody(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho welcome\nsleep 600\n")
    python.chmod(0o755)
    d = ours()
    try:
        plugin(d, "mine", MINE)
        d.configure(CAT + interface("mine", "mine:make"), f"python={python}")
        status, _, stderr = d.run("-n", "-c", d.config, env=environ(d))
        assert (status, "mine:make: welcome" in stderr) == (2, True), stderr
    finally:
        assert not d.close()


def test_a_check_leaves_no_compiled_modules():
    d = ours()
    try:
        plugin(d, "mine", MINE)
        d.configure(CAT + interface("mine", "mine:make"))
        status, _, stderr = d.run("--check", "-c", d.config, env={**environ(d), "PYTHONDONTWRITEBYTECODE": ""})
        assert (status, stderr) == (0, "")
        assert not (d.root / "plugins" / "__pycache__").exists()
    finally:
        assert not d.close()


def test_parts_of_the_daemon_that_there_are_not_are_named():
    """supvisors replaces the daemon's methods, knot-resolver too: the error names the first that is missing."""
    d = ours()
    try:
        plugin(d, "mine", "def make(supervisord):\n    supervisord.options.process_group_configs\n\n"
               "def sets(supervisord):\n    supervisord.options.mainloop = None\n")
        for factory, name in (("make", "process_group_configs"), ("sets", "mainloop")):
            d.configure(CAT + interface("mine", f"mine:{factory}"))
            status, _, _ = d.run("-n", "-c", d.config, env=environ(d))
            assert status == 2
            assert f"AttributeError: supervisord.options.{name}" in d.log_text()
        plugin(d, "other", "from supervisor.http import supervisor_af_inet_http_server\n")
        d.configure(CAT + interface("mine", "other:make"))
        status, _, stderr = d.run("-n", "-c", d.config, env=environ(d))
        assert status == 2 and "supervisor.http.supervisor_af_inet_http_server is not offered" in stderr
    finally:
        assert not d.close()


def test_without_plugins_there_is_no_process():
    d = ours()
    try:
        d.configure(CAT)
        d.start(env=environ(d))
        d.wait_state("cat", "RUNNING")
        assert helper(d) is None
        assert "plugins" not in d.log_text()
    finally:
        assert not d.close()


def test_private_methods_are_the_helpers_alone():
    d = ours()
    try:
        plugin(d, "mine", MINE)
        start(d, CAT + interface("mine", "mine:make"))
        for method in ("snapshot", "groups", "publish", "addProcess"):
            assert d.outcome(f"supervisord_rs.{method}").faultCode == 1
    finally:
        assert not d.close()
