"""`[ctlplugin:x]`: the reference's supervisorctl and ours, with the same plugins, beside one daemon."""

import re
import threading
import xmlrpc.server

import pexpect
import pytest

import normalize
import thirdparty
from ctl_pair import HOLES
from harness import SCRIPTS, binary, finish, free_port

PLUGIN = '''
import sys
import threading
from supervisor.supervisorctl import ControllerPluginBase
from supervisor.xmlrpc import Faults


class Plugin(ControllerPluginBase):
    def __init__(self, controller, **config):
        self.ctl, self.config = controller, config

    def do_greet(self, arg):
        self.ctl.output("hello %r %s" % (arg, sorted(self.config.items())))

    def help_greet(self):
        self.ctl.output("greet\\tSays hello.")

    def do_documented(self, arg):
        """documented\\tHas a text."""

    def do_bare(self, arg):
        raise ValueError("bare raises")

    def do_fault(self, arg):
        self.ctl.get_supervisor().getProcessInfo(arg)

    def do_status(self, arg):
        self.ctl.output("never")

    def do_leave(self, arg):
        return True

    def do_check(self, arg):
        self.ctl.output(str(self.ctl.upcheck()))

    def do_code(self, arg):
        self.ctl.set_exitstatus_from_xmlrpc_fault(int(arg), Faults.ALREADY_STARTED)

    def do_methods(self, arg):
        self.ctl.output(str("supervisor.getState" in self.ctl.get_server_proxy().system.listMethods()))

    def do_tell(self, arg):
        options = self.ctl.options
        self.ctl.output(str((options.serverurl, options.username, options.password, options.prompt, bool(options.interactive))))

    def do_own(self, arg):
        self.ctl.onecmd(arg)
        self.ctl.output(str(self.ctl.exitstatus))

    def do_together(self, arg):
        threads = [threading.Thread(target=self.ctl.onecmd, args=("signal 0 " + name,)) for name in arg.split()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def do_ask(self, arg):
        self.ctl.output("got " + input("what? "))

    def do_argv0(self, arg):
        self.ctl.output(str("" in sys.path))

    def do_wait(self, arg):
        import time
        self.ctl.output("waiting")
        sys.stdout.flush()
        time.sleep(60)

    def do_exit(self, arg):
        self.ctl.output("leaving")
        sys.exit(int(arg) if arg.isdigit() else arg or None)

    def do_unoffered(self, arg):
        self.ctl.nonsense


def make(controller, **config):
    return Plugin(controller, **config)


def fail(controller, **config):
    controller.unheard_of
'''

CATS = "".join(f"[program:{name}]\ncommand=/bin/cat\nstartsecs=0\nstopsignal=KILL\n" for name in ("aa", "ab", "bb")) + """
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
stopsignal=KILL
"""


class Clients:
    """Both clients, with the plugins of the environment and one of the tests' own."""

    def __init__(self, daemon, tools):
        self.daemon = daemon
        packages = next((tools.parent / "lib").glob("python3*")) / "site-packages"
        # Only the plugins: the environment has another `supervisor`, too.
        place = daemon.root / "plugins"
        place.mkdir()
        for name in ("supervisorwildcards", "supervisorserialrestart", "supervisor_cache", "mr"):
            (place / name).symlink_to(packages / name)
        (place / "ours_and_theirs.py").write_text(PLUGIN, encoding="utf-8")
        self.env = {**daemon.env, "PYTHONPATH": str(place), "SUPERVISOR_PYTHON": str(tools / "python"),
                    "PYTHONDONTWRITEBYTECODE": "1"}
        self.commands = {"python": SCRIPTS / "supervisorctl", "ours": daemon.root / "bin" / "supervisorctl"}
        self.commands["ours"].symlink_to(binary())

    def run(self, side, words, stdin=None, **more):
        """One client's end."""
        code, *texts = finish([self.commands[side], "-c", str(self.daemon.config), *words], 60, stdin,
                              cwd=self.daemon.root, env={**self.env, **more})
        place = [*self.daemon.places, (str(self.commands[side]), "<CLIENT>")]
        return code, *(HOLES.sub(": file: <PLACE>", normalize.text(text, place)) for text in texts)

    def compare(self, *lines, sort=False, stdin=None):
        """Runs each line on both sides; the ends have to be equal."""
        for line in lines:
            ends = [self.run(side, line.split(), stdin) for side in ("python", "ours")]
            if sort:
                ends = [(end[0], sorted(end[1].splitlines()), end[2]) for end in ends]
            assert ends[1] == ends[0], line


@pytest.fixture(scope="module")
def tools():
    return thirdparty.environment()


@pytest.fixture
def clients(ours, tools):
    return Clients(ours, tools)


def plugin(name, factory, **options):
    more = "".join(f"{key}={value}\n" for key, value in options.items())
    return f"[ctlplugin:{name}]\nsupervisor.ctl_factory={factory}\n{more}"


MINE = plugin("mine", "ours_and_theirs:make", key="value", Word="%(ENV_LANG)s") + plugin("second", "ours_and_theirs:make")


def start(clients, config):
    clients.daemon.configure(CATS + config)
    clients.daemon.start()
    for name in ("aa", "ab", "bb", "many:many_0", "many:many_1"):
        clients.daemon.wait_state(name, "RUNNING")


def test_the_actions_of_a_plugin(clients):
    start(clients, MINE)
    clients.compare(
        "greet", "greet  a  b", "documented", "bare", "fault nope", "status aa", "leave", "check", "code 10", "code 50", "code 60",
        "methods", "tell", "own pid", "own nope", "own greet", "own status nope", "own help status", "nope", "greet;x", "!x",
        "help", "help greet", "help status", "help documented", "help bare", "help nope", "help help", "?greet", "argv0")
    clients.compare("together aa ab bb many:many_0", sort=True)
    clients.compare("ask", stdin="something\n")
    clients.compare("-i greet", "-s http://127.0.0.1:1 check", "-s http://127.0.0.1:1 own version", "-u u -p p;%s tell")
    clients.compare("exit", "exit 3", "exit 259", "exit why")
    # The exit status, and nothing else, of a plugin's own.
    assert clients.run("ours", ["code", "50"])[0] == 7


def test_the_shell_has_the_actions_of_plugins(clients):
    start(clients, MINE)
    script = "greet there\nhelp greet\nnope\ncode 10\nleave\ngreet never\n"
    for lines in (script, script.replace("leave", "exit 3")):
        ends = {side: clients.run(side, [], lines) for side in ("python", "ours")}
        shown = {side: re.sub(r"uptime \S+", "uptime", end[1]) for side, end in ends.items()}
        assert (ends["ours"][0], shown["ours"]) == (ends["python"][0], shown["python"])


def test_tab_offers_the_actions_of_plugins(clients):
    start(clients, MINE)
    shell = pexpect.spawn(str(clients.commands["ours"]), ["-c", str(clients.daemon.config)], env={**clients.env, "TERM": "xterm"},
                          encoding="utf-8", timeout=30)
    shell.expect("supervisor> ")
    shell.send("gre\t")
    shell.expect("greet ")
    shell.send("you\r")
    shell.expect("hello 'you'")
    shell.expect("supervisor> ")
    shell.sendline("quit")
    shell.expect(pexpect.EOF)
    shell.close()


def test_control_c_ends_a_plugin(clients):
    start(clients, MINE)
    client = pexpect.spawn(str(clients.commands["ours"]), ["-c", str(clients.daemon.config), "wait"], env=clients.env,
                           encoding="utf-8", timeout=30)
    client.expect("waiting")
    client.sendintr()
    client.expect(pexpect.EOF)
    client.close()
    assert client.signalstatus == 2 and "Traceback" not in client.before


def test_what_is_wrong_with_a_plugin_is_said_when_it_is_asked(clients):
    for factory, cause in (("no.such:make", "No module named 'no'"), ("ours_and_theirs:nope", "nope"), ("??", "module:attribute")):
        clients.daemon.configure(plugin("x", factory))
        theirs = clients.run("python", ["x_action"])
        code, out, err = clients.run("ours", ["x_action"])
        assert code == theirs[0] == 2 and out == ""
        assert err.startswith(theirs[2].splitlines()[0]) and cause in err
    clients.daemon.configure(plugin("x", "ours_and_theirs:fail"))
    code, out, err = clients.run("ours", ["x_action"])
    assert code == 1 and "Controller has no 'unheard_of' here; a plugin has get_supervisor" in err
    clients.daemon.configure("[ctlplugin:x]\nsupervisor.ctl_factory=ours_and_theirs:make\noption=%(nope)s\n")
    ends = [clients.run(side, ["greet"]) for side in ("python", "ours")]
    assert [(end[0], end[2].splitlines()[0]) for end in ends[1:]] == [(end[0], end[2].splitlines()[0]) for end in ends[:1]]
    clients.daemon.configure(MINE)
    code, out, err = clients.run("ours", ["unoffered"])
    assert code == 1 and "Controller has no 'nonsense' here" in out


def test_without_a_python_it_says_what_to_do(clients):
    clients.daemon.configure(MINE)
    code, out, err = clients.run("ours", ["greet"], SUPERVISOR_PYTHON="/no/such/python")
    assert code == 1 and "plugins in Python need /no/such/python with the module supervisor" in out + err
    code, out, err = clients.run("ours", ["greet"], SUPERVISOR_PYTHON="/bin/true")
    assert code == 1 and "plugins in Python need /bin/true" in out + err
    # What is ours needs none.
    assert clients.run("ours", ["help", "help"], SUPERVISOR_PYTHON="/no/such/python")[0] == 0


def test_nothing_is_imported_from_the_current_directory(clients):
    clients.daemon.configure(MINE)
    for name in ("json.py", "supervisor.py", "traceback.py"):
        clients.daemon.write(name, "open('imported', 'w'); raise SystemExit(9)\n")
    code, out, _ = clients.run("ours", ["greet"])
    assert code == 0 and "hello" in out and not (clients.daemon.root / "imported").exists()


def test_supervisor_wildcards(clients):
    start(clients, plugin("wildcards", "supervisorwildcards.controllerplugin:make_wildcards_controllerplugin", match_group="1"))
    ends = {side: [clients.run(side, line.split()) for line in ("mstop a*", "mstart a*", "mrestart aa:*", "mstart *:aa")]
            for side in ("python", "ours")}
    # Each in a thread of its own: in any order.
    shown = {side: [(code, sorted(out.splitlines()), err) for code, out, err in lines] for side, lines in ends.items()}
    assert shown["ours"] == shown["python"] and "aa: stopped" in shown["ours"][0][1]
    clients.compare("mstop nothing*", "help mstop", "help")
    clients.run("ours", ["mstop", "many:*"])
    states = {name: clients.daemon.rpc("supervisor.getProcessInfo", name)["statename"] for name in ("many:many_0", "many:many_1", "bb")}
    assert states == {"many:many_0": "STOPPED", "many:many_1": "STOPPED", "bb": "RUNNING"}


def test_supervisor_serialrestart(clients):
    start(clients, plugin("serialrestart", "supervisorserialrestart.controllerplugin:make_serialrestart_controllerplugin"))
    old = clients.daemon.pid_of("many:many_1")
    clients.compare("serialrestart a*", "serialrestart many:*", "serialrestart all", sort=True)
    clients.compare("serialrestart", "serialrestart nope", "help serialrestart")
    assert clients.daemon.wait_state("many:many_1", "RUNNING")["pid"] != old


def test_mr_laforge(clients):
    start(clients, plugin("laforge", "mr.laforge.controllerplugin:make_laforge_controllerplugin"))
    # Its other half is a plugin of the daemon, which this daemon does not have.
    clients.compare("kill HUP aa", "kill", "help kill")


class Cache:
    """The methods of supervisor_cache's other half."""

    def __init__(self):
        self.items = {}

    def store(self, key, value):
        self.items[key] = value
        return True

    def fetch(self, key):
        return self.items[key]

    def getKeys(self):
        return sorted(self.items)

    def getCount(self):
        return len(self.items)

    def delete(self, key):
        return self.items.pop(key, None) is not None

    def clear(self):
        self.items.clear()
        return True


def test_supervisor_cache(clients):
    port = free_port()
    server = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", port), xmlrpc.server.SimpleXMLRPCRequestHandler, logRequests=False)
    cache = Cache()
    for name in ("store", "fetch", "getKeys", "getCount", "delete", "clear"):
        server.register_function(getattr(cache, name), f"cache.{name}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        clients.daemon.config.write_text(
            f"[supervisorctl]\nserverurl=http://127.0.0.1:{port}/RPC2\n"
            + plugin("cache", "supervisor_cache.controllerplugin:make_cache_controllerplugin"), encoding="utf-8")
        clients.compare("cache_store key word", "cache_store other 2", "cache_keys", "cache_count", "cache_fetch key",
                        "cache_fetch nope", "cache_delete key", "cache_count", "cache_store", "cache_clear", "cache_count", "help")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
