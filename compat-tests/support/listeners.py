"""Event listeners for the scenarios, and reading what they recorded."""

import json
import re

from harness import wait_for

# Rejects every event it gets.
REJECTER = r"""
import sys
while True:
    print("READY", flush=True)
    head = dict(part.split(":") for part in sys.stdin.readline().split())
    sys.stdin.read(int(head["len"]))
    sys.stdout.write("RESULT 4\nFAIL")
    sys.stdout.flush()
"""

# Appends every event it gets to a file, as JSON. Further arguments are what it answers instead of OK, one each.
RECORDER = r"""
import json, os, sys
out = open(sys.argv[1], "a", encoding="utf-8")
answers = sys.argv[2:]
events = open(0, encoding="utf-8", newline="", closefd=False)
def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
while True:
    say("READY\n")
    header = events.readline()
    if not header:
        break
    fields = dict(field.split(":", 1) for field in header.split())
    payload = events.read(int(fields["len"]))
    out.write(json.dumps([header, payload]) + "\n")
    out.flush()
    answer = answers.pop(0) if answers else "OK"
    if answer == "die" and not os.path.exists(sys.argv[1] + ".died"):
        open(sys.argv[1] + ".died", "w")
        sys.exit(3)
    if answer == "die":
        answer = "OK"
    if answer == "garbage":
        say("what is this?\n")
        events.readline()
    if answer == "bytes":
        for char in "RESULT 2\nOK":
            say(char)
        continue
    say("RESULT %d\n%s" % (len(answer), answer))
"""

# Writes what it is told on its stdin (`1 68656c6c6f`: descriptor, bytes in hexadecimal digits) and says when it has.
TALKER = r"""
import os, sys
for line in sys.stdin:
    fd, _, text = line.strip().partition(" ")
    os.write(int(fd), bytes.fromhex(text))
    with open(sys.argv[1], "a") as said:
        said.write("x")
"""


def install(daemon):
    """Puts the programs into the daemon's directory."""
    daemon.write("recorder.py", RECORDER)
    daemon.write("talker.py", TALKER)


def listener(name, more="events=EVENT", arguments=""):
    """A section of a recording listener that is up at once and writes to NAME.events."""
    return f"""
[eventlistener:{name}]
command=%(ENV_PYTHON)s -u %(here)s/recorder.py %(here)s/{name}.events {arguments}
{"" if "buffer_size" in more else "buffer_size=1000"}
{"" if "startsecs" in more else "startsecs=0"}
autorestart=true
{more}
"""


def events(daemon, name):
    """What a recorder got so far: (header, payload) pairs."""
    lines = daemon.read(f"{name}.events").split("\n")
    return [tuple(json.loads(line)) for line in lines[:-1]]


def wait_events(daemon, name, pattern, count=1):
    """Waits until `count` events of a recorder have the pattern, in header or payload."""
    def there():
        daemon.nudge()
        found = [1 for header, payload in events(daemon, name) if re.search(pattern, header + payload)]
        return len(found) >= count
    wait_for(there, lambda: f"{pattern!r} x{count} in {events(daemon, name)[-20:]}")


def flush(daemon, name):
    """Waits until a recorder has got all that has happened."""
    mark = f"flush-{len(events(daemon, name))}"
    daemon.rpc("supervisor.sendRemoteCommEvent", mark, "")
    wait_events(daemon, name, f"type:{mark}\n")


def fields(header):
    """The fields of a header line."""
    return dict(field.split(":", 1) for field in header.split())


def comparable(event):
    """An event without what differs between two runs: serials, pids, and the length, which is checked instead."""
    header, payload = event
    got = fields(header)
    assert int(got["len"]) == len(payload), event
    names = " ".join(re.findall(r"\S+?(?=:)", header.strip()))
    kept = {key: got[key] for key in ("ver", "server", "pool", "eventname")}
    return names, kept, re.sub(r"\bpid:[1-9]\d*", "pid:<PID>", re.sub(r"when:\d+", "when:<TIME>", payload))


def about(event):
    """Whom an event is about: its process, its group or its type."""
    match = re.match(r"(?:processname|groupname|type):(\S*)", event[1])
    return match.group(1) if match else fields(event[0])["eventname"]


def join(so_far, event):
    """Adds an event. Into how many log events a program's writes fall depends on when the pipe is read."""
    head, _, printed = event[2].partition("\n")
    if so_far and event[1]["eventname"].startswith("PROCESS_LOG_") and so_far[-1][:2] == event[:2] \
            and so_far[-1][2].partition("\n")[0] == head:
        event = (*event[:2], so_far.pop()[2] + printed)
    so_far.append(event)


def stream(daemon, name, prefix=""):
    """The stream a recorder got, by whom it is about, each in order."""
    by_subject = {}
    for event in events(daemon, name):
        subject = about(event)
        if subject.startswith(prefix) and not subject.startswith("flush-"):
            join(by_subject.setdefault(subject, []), comparable(event))
    return {subject: by_subject[subject] for subject in sorted(by_subject)}


def check_serials(daemon, name):
    """Serials rise; pool serials count from 0 without a gap (nothing was lost or repeated)."""
    headers = [fields(header) for header, _ in events(daemon, name)]
    serials = [int(header["serial"]) for header in headers]
    assert serials == sorted(set(serials)), serials
    assert [int(header["poolserial"]) for header in headers] == list(range(len(headers)))


def say(daemon, process, text, fd=1):
    """Has a talker write something, and waits until the daemon has read it."""
    name = f"{process}.said"
    before = len(daemon.read(name))
    text = text if isinstance(text, bytes) else text.encode()
    daemon.rpc("supervisor.sendProcessStdin", process, f"{fd} {text.hex()}\n")
    wait_for(lambda: len(daemon.read(name)) > before, f"{process} to write")
    for _ in range(3):
        daemon.rpc("supervisor.getState")
