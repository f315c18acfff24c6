"""Hundreds of configurations, good and bad, read again by running daemons: what reloadConfig, getAllConfigInfo and
getAllProcessInfo answer.

All configurations of make_configs.py go to both daemons; some of the good ones are also applied, as
`supervisorctl update` does it, with programs that do not start by themselves. Configurations of this file's own are all
applied, one after the other, and their programs run. A failure shows the configuration and what differs.
"""

import contextlib
import random
import shutil
import threading
import xml.parsers.expat
import xmlrpc.client

import pytest

import make_configs
from harness import BASE, wait_for
from scenario import scenario

BATCHES = 6
APPLY_EVERY = 3
OWN_SEEDS = range(2)
OWN_COUNT = 40
# Names a package that the reference does not come with and that ours replaces.
FOREIGN_PACKAGE = "supervisor_stdout"
IDLE = "[DEFAULT]\nautostart=false\n"
# Programs that would start all the same; logs outside the daemon's directory; sockets that cannot be made; names that no
# log can have.
NOT_APPLIED = ("autostart", "AutoStart", "childlogdir", "[fcgi-program:", "identifier=%(", "\0")
LIMITS = (2**31 - 1, -(2**31))


class Driver:
    """One daemon and the connection on which it is asked."""

    def __init__(self, d):
        from supervisor.xmlrpc import SupervisorTransport
        transport = SupervisorTransport(None, None, d.url)
        self.d = d
        self.proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        self.good = self.bad = 0

    def ask(self, method, *args):
        """The result of a method, what it failed with, or a word for an answer that cannot be read."""
        try:
            return getattr(self.proxy, method)(*args)
        except (xmlrpc.client.Fault, xmlrpc.client.ProtocolError) as failure:
            return failure
        except xml.parsers.expat.ExpatError:
            return "not XML"

    def install(self, content):
        """Makes a configuration, perhaps of several files, the daemon's."""
        for place in ("d", "e"):
            shutil.rmtree(self.d.root / place, ignore_errors=True)
        for name, text in pieces_of(content).items():
            make_configs.write(str(self.d.root / (name or "supervisord.conf")), text)

    def config_info(self, label):
        """Records all configurations. A number that XML-RPC cannot express is at the limit in ours; the reference
        notices too late and answers with status 500."""
        answer = self.ask("getAllConfigInfo")
        if isinstance(answer, list):
            beyond = any(type(item) is int and item in LIMITS for info in answer for item in info.values())
        else:
            beyond = self.d.side == "python" and getattr(answer, "errcode", None) == 500
        self.d.see(f"{label}\ngetAllConfigInfo", "a number beyond 32 bits" if beyond else answer)

    def reread(self, label):
        """Reads the configuration again and records the answers: the groups that differ, or None when it is bad."""
        answer = self.d.see(f"{label}\nreloadConfig", self.ask("reloadConfig"))
        self.config_info(label)
        if isinstance(answer, list):
            self.good += 1
            return answer[0]
        self.bad += 1
        return None

    def has_usable_names(self):
        """Whether all processes have names that the reference can live with (test_names_that_only_ours_lives_with)."""
        infos = self.ask("getAllConfigInfo")
        if isinstance(infos, list):
            return not any(info["name"] == "*" or "/" in info["name"] for info in infos)
        return infos != "not XML"

    def update(self, label):
        """What `supervisorctl update` does, and the processes there are then."""
        added, changed, removed = self.reread(label)
        for name in [*removed, *changed]:
            stopped = self.ask("stopProcessGroup", name)
            self.d.see(f"{label}\nstop {name}", sorted(stopped, key=repr) if isinstance(stopped, list) else stopped)
            self.d.see(f"{label}\nremove {name}", self.ask("removeProcessGroup", name))
        for name in [*changed, *added]:
            self.d.see(f"{label}\nadd {name}", self.ask("addProcessGroup", name))
        self.d.see(f"{label}\ngetAllProcessInfo", self.settled())
        self.config_info(f"{label}\nafter the update")

    def settled(self):
        """All processes, once those that start by themselves (their names say so) are where they stay."""
        def resting(info):
            wanted = [state for kind, state in STATES.items() if info["name"].startswith(kind)]
            return not wanted or info["statename"] in wanted

        def there():
            infos = self.ask("getAllProcessInfo")
            return (infos,) if not isinstance(infos, list) or all(map(resting, infos)) else None
        return wait_for(there, lambda: f"settled processes in {self.ask('getAllProcessInfo')}", pause=0.01)[0]


@contextlib.contextmanager
def awake(d):
    """Keeps the reference's loop from sleeping a second over every stop."""
    done = threading.Event()

    def knock():
        while not done.wait(0.02):
            d.nudge()
    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        yield
    finally:
        done.set()
        knocking.join()


def pieces_of(content):
    """A configuration's files: the main one has the name ''."""
    return content if isinstance(content, dict) else {"": content}


def shown(name, content):
    """A configuration as a failure shows it."""
    return "\n".join(
        f"--- {name} {piece or 'supervisord.conf'}\n{text.decode('utf-8', 'backslashreplace') if isinstance(text, bytes) else text}"
        for piece, text in pieces_of(content).items())


def idle(content):
    """The configuration with programs that do not start by themselves; None when it cannot be applied here."""
    pieces = pieces_of(content)
    if any(isinstance(text, bytes) or any(word in text for word in NOT_APPLIED) for text in pieces.values()):
        return None
    return {**pieces, "": IDLE + pieces[""]}


GENERATED = [(name, content) for name, content in make_configs.configurations(seed=1, count=150).items()
             if FOREIGN_PACKAGE not in str(content)]


def compare(drive):
    """Drives the reference and ours, both started with an ordinary configuration, and leaves them with that."""
    @scenario("[program:first]\ncommand=/bin/cat\nautostart=false\n", start=False)
    def run(d):
        d.start(env={"GREETING": "it's ü"})
        ordinary = d.config.read_text()
        driver = Driver(d)
        with awake(d):
            try:
                drive(driver)
            finally:
                # The files a daemon removes at its end are those of the last configuration it read.
                driver.install(ordinary)
                driver.update("the first configuration again")
        d.call("getIdentification")
        assert d.rpc("supervisor.getPID") == d.pid
    run()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_generated_configurations(batch):
    def drive(driver):
        for number, (name, content) in enumerate(GENERATED[batch::BATCHES]):
            driver.install(content)
            label = shown(name, content)
            changes = driver.reread(label)
            applicable = idle(content)
            # By its number, so that both sides apply the same ones whatever they answer.
            if changes is not None and applicable is not None and number % APPLY_EVERY == 0 and driver.has_usable_names():
                driver.install(applicable)
                driver.update(f"applied: {label}")
        assert driver.good > 30 and driver.bad > 30, (driver.good, driver.bad)
    compare(drive)


def test_there_are_enough_configurations():
    assert len(GENERATED) + len(OWN_SEEDS) * OWN_COUNT >= 220


# By the start of a process's name: the state in which it stays.
STATES = {"auto-cat": "RUNNING", "auto-three": "RUNNING", "auto-exits": "EXITED", "auto-lost": "FATAL"}
KINDS = {
    "auto-cat": "command=/bin/cat\nstartsecs=0\n",
    "auto-exits": "command=/bin/sh -c 'exit 3'\nstartsecs=0\nautorestart=false\n",
    "auto-lost": "command=/no/such/command\nstartretries=0\n",
    "auto-three": "command=/bin/cat\nstartsecs=0\nnumprocs=3\nprocess_name=%(program_name)s_%(process_num)d\n",
    "rests": "command=/bin/cat\nautostart=false\n",
}
OPTIONS = {
    "priority": ("1", "5", "999"), "stopsignal": ("TERM", "KILL", "INT"), "stopwaitsecs": ("10", "20"), "exitcodes": ("0", "0,3"),
    "environment": ('A="1"', 'A="1",B="%(program_name)s"'), "redirect_stderr": ("true", "false"), "startretries": ("0", "0"),
    "stdout_logfile": ("NONE", "AUTO", "%(here)s/%(program_name)s.log"), "stderr_logfile": ("NONE", "AUTO"), "umask": ("022", "077"),
    "stdout_logfile_maxbytes": ("0", "1MB"), "stdout_capture_maxbytes": ("0", "1KB"), "directory": ("/", "%(here)s"), "serverurl": ("AUTO", "http://x:1"),
}


def own_configurations(seed):
    """A history of configurations: programs come, change, move between groups and go, listeners and FastCGI too."""
    source = random.Random(seed)

    def options():
        return "".join(f"{option}={source.choice(OPTIONS[option])}\n" for option in source.sample(sorted(OPTIONS), source.randint(0, 3)))

    for _ in range(OWN_COUNT):
        names = [f"{kind}-{number}" for kind in KINDS for number in range(2)]
        chosen = source.sample(names, source.randint(0, 5))
        text = "".join(f"[program:{name}]\n{KINDS[name[:-2]]}{options()}" for name in chosen)
        if len(chosen) > 1 and source.random() < 0.6:
            text += f"[group:g{source.randint(1, 2)}]\nprograms={','.join(source.sample(chosen, source.randint(1, 2)))}\n"
            text += source.choice(["", "priority=3\n"])
        if source.random() < 0.4:
            text += f"[eventlistener:listens]\ncommand=/bin/cat\nautostart=false\nevents={source.choice(['TICK_5', 'TICK_5,TICK_60'])}\n"
        text += source.choice(["", "", "buffer_size=5\n"]) if "eventlistener" in text else ""
        yield BASE.format(extra=source.choice(["", "", "identifier=other\n"])) + text


@pytest.mark.parametrize("seed", OWN_SEEDS)
def test_a_history_of_updates(seed):
    def drive(driver):
        for number, content in enumerate(own_configurations(seed)):
            driver.install(content)
            driver.update(shown(f"number {number} of seed {seed}", content))
        assert driver.bad == 0
    compare(drive)


@scenario("[program:first]\ncommand=/bin/cat\nautostart=false\n")
def test_names_that_only_ours_lives_with(d):
    """The reference accepts them and then trips over them: no AUTO log can have that name, `*` means all."""
    program = "[program:{}]\nprocess_name={}\ncommand=/bin/cat\nautostart=false\n"
    d.configure(program.format("absolute", "%(here)s/x"))
    d.call("reloadConfig")
    d.call("addProcessGroup", "absolute")
    d.call("getAllProcessInfo")
    d.configure(program.format("slash", "x%(here)s"))
    d.call("reloadConfig")
    d.expect("add slash", d.outcome("addProcessGroup", "slash"), python={"http status": 500}, ours=True)
    d.configure(program.format("star", "*"))
    d.rpc("supervisor.reloadConfig")
    d.call("addProcessGroup", "star")
    d.expect("all processes", d.outcome("getAllProcessInfo"), python={"fault": 10, "text": "BAD_NAME: star:*"},
             ours=lambda infos: "*" in [info["name"] for info in infos])
