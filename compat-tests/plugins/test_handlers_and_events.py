"""`result_handler=` in Python and `supervisor.events.subscribe`, on both sides."""

import os
import signal

import thirdparty
from harness import finish, free_port, wait_for
from plugintools import environ, helper, interface, ours, plugin, wait_helper
from scenario import scenario

HANDLERS = '''
import os
import time
from supervisor.dispatchers import RejectEvent

HERE = os.path.dirname(__file__)


def note(words):
    with open(os.path.join(HERE, "noted"), "a") as out:
        out.write(words + "\\n")


def by_word(event, result):
    """ACCEPT accepts, REJECT rejects the first time, anything else is an error."""
    name = type(event).__name__
    note("%s %r %r %s" % (name, result, event.payload(), isinstance(event.serial, int)))
    if result == b"REJECT":
        raise RejectEvent(result)
    if result != b"ACCEPT":
        raise ValueError(result)


def slow(event, result):
    note("asked %d" % os.getpid())
    time.sleep(3600)
'''

# Says of each event what its body tells it to say; of one that comes again, ACCEPT.
SPEAKER = '''
import sys
seen = set()
while True:
    sys.stdout.write("READY\\n"); sys.stdout.flush()
    headers = dict(word.split(":") for word in sys.stdin.readline().split())
    body = sys.stdin.read(int(headers["len"]))
    word = "ACCEPT" if headers["serial"] in seen else body.partition("\\n")[2]
    seen.add(headers["serial"])
    sys.stdout.write("RESULT %d\\n%s" % (len(word), word)); sys.stdout.flush()
'''

WATCHER = '''
import os
from supervisor import events
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface


class Watcher:
    def __init__(self, supervisord):
        self.main = SupervisorNamespaceRPCInterface(supervisord)
        self.seen = []
        events.subscribe(events.ProcessStateEvent, self._state)
        events.subscribe(events.RemoteCommunicationEvent, self._remote)
        events.subscribe(events.ProcessGroupEvent, self._group)

    def _state(self, event):
        told = " ".join(word for word in event.payload().split() if not word.startswith("pid:"))
        state = self.main.getProcessInfo(event.process.group.config.name + ":" + event.process.config.name)["statename"]
        name = events.getEventNameByType(event.__class__)
        self.seen.append([name, told, event.process.config.name, bool(state)])

    def _remote(self, event):
        self.seen.append(["remote", event.type, event.data, event.payload()])

    def _group(self, event):
        self.seen.append(["group", events.getEventNameByType(event.__class__), event.payload()])

    def take(self):
        return self.seen

    def stop(self):
        events.unsubscribe(events.RemoteCommunicationEvent, self._remote)
        return True


def make(supervisord):
    return Watcher(supervisord)
'''


def listener(handler):
    return (f"[eventlistener:speaker]\ncommand=%(ENV_PYTHON)s %(here)s/speaker.py\nevents=REMOTE_COMMUNICATION\n"
            f"result_handler=handlers:{handler}\nstderr_logfile=%(here)s/speaker.err\n")


def start(d, sections, extra=""):
    d.configure(sections, extra)
    d.start(env=environ(d))


def start_speaker(d, handler):
    plugin(d, "handlers", HANDLERS)
    d.write("speaker.py", SPEAKER)
    start(d, listener(handler), "loglevel=debug")
    d.wait_log("speaker: ACKNOWLEDGED -> READY")


@scenario(start=False, config=None)
def test_a_handler_of_ones_own(d):
    start_speaker(d, "by_word")
    ready = 1
    for word, times in (("ACCEPT", 1), ("REJECT", 2), ("ACCEPT", 1)):
        d.call("supervisor.sendRemoteCommEvent", "kind", word)
        ready += times
        d.wait_log("speaker: ACKNOWLEDGED -> READY", ready)
    d.call("supervisor.sendRemoteCommEvent", "kind", "wrong")
    d.wait_log("speaker: BUSY -> UNKNOWN")
    d.see("noted", d.read("plugins/noted").splitlines())
    d.see("log", d.log_lines("^(DEBG|WARN).*speaker: "))


def test_a_handler_that_dies_loses_no_event():
    """The event is rejected, and comes again when there is somebody to judge."""
    d = ours()
    try:
        start_speaker(d, "slow")
        d.rpc("supervisor.sendRemoteCommEvent", "kind", "x")
        d.wait_file("plugins/noted", "asked")
        # Nobody else waits for the handler.
        assert d.rpc("supervisor.getState")["statecode"] == 1
        first = helper(d)
        plugin(d, "handlers", HANDLERS.replace("time.sleep(3600)", "pass"))
        os.kill(first, signal.SIGKILL)
        d.wait_log("speaker: event was rejected")
        wait_helper(d, first)
        d.wait_log("speaker: event was processed")
    finally:
        assert not d.close()


@scenario(start=False, config=None)
def test_a_reread_brings_a_handler(d):
    plugin(d, "handlers", HANDLERS)
    d.write("speaker.py", SPEAKER)
    start(d, "[program:cat]\ncommand=/bin/cat\n", "loglevel=debug")
    d.wait_state("cat", "RUNNING")
    d.configure(listener("nope"), "loglevel=debug")
    d.call("supervisor.reloadConfig")
    d.configure(listener("by_word"), "loglevel=debug")
    d.call("supervisor.reloadConfig")
    d.call("supervisor.addProcessGroup", "speaker")
    d.wait_log("speaker: ACKNOWLEDGED -> READY")
    d.call("supervisor.sendRemoteCommEvent", "kind", "ACCEPT")
    d.wait_log("speaker: event was processed")


@scenario(start=False, config=None)
def test_events_are_told_to_who_subscribed(d):
    plugin(d, "watcher", WATCHER)
    start(d, "[program:cat]\ncommand=/bin/cat\n[program:other]\ncommand=/bin/cat\nautostart=false\n" +
          interface("watcher", "watcher:make"))
    d.wait_state("cat", "RUNNING")
    d.call("supervisor.sendRemoteCommEvent", "kind", "d\u00e4ta")
    d.call("supervisor.stopProcess", "cat")
    d.call("supervisor.removeProcessGroup", "other")
    wait_for(lambda: len(d.rpc("watcher.take")) == 6, lambda: d.rpc("watcher.take"))
    d.see("seen", d.rpc("watcher.take"))
    d.call("watcher.stop")
    d.call("supervisor.sendRemoteCommEvent", "kind", "unheard")
    d.call("supervisor.addProcessGroup", "other")
    wait_for(lambda: len(d.rpc("watcher.take")) == 7, lambda: d.rpc("watcher.take"))
    d.see("seen then", d.rpc("watcher.take")[6:])


def test_multivisors_interface():
    """It subscribes to everything, serves events and calls from a thread of its own, and replaces `cleanup_fds`."""
    d = ours()
    try:
        port = free_port()
        options = f"bind=tcp://127.0.0.1:{port}"
        d.env.pop("PYTHONPATH", None)
        d.configure("[program:cat]\ncommand=/bin/cat\n" + interface("multivisor", "multivisor.rpc:make_rpc_interface", options))
        python = thirdparty.environment() / "python"
        d.start(env={"SUPERVISOR_PYTHON": str(python)})
        d.wait_state("cat", "RUNNING")
        client = d.write("client.py", f"""
from multivisor.zerorpc import Client
client = Client("tcp://127.0.0.1:{port}")
print(client.getState()["statename"], [each["name"] for each in client.getAllProcessInfo()])
print(client.stopProcess("cat"), client.startProcess("cat"))
events = client.event_stream()
print(next(iter(events))[:11])
client.stopProcess("cat", False)
for event in events:
    print(event["eventname"], event["payload"]["process"]["name"], event["server"])
    if event["eventname"] == "PROCESS_STATE_STOPPED":
        break
""")
        status, out, err = finish([python, client], 60, env=d.env)
        assert status == 0, err + d.log_text()
        assert out.splitlines() == [
            "RUNNING ['cat']", "True True", "First event", "PROCESS_STATE_STOPPING cat supervisor",
            "PROCESS_STATE_STOPPED cat supervisor"]
        assert d.rpc("multivisor.getState")["statename"] == "RUNNING"
        assert d.stop() == 0
    finally:
        assert not d.close()
