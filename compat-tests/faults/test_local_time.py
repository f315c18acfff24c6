"""Local time is what the C library says, wherever the daemon tells it: held against `date` in the same surroundings."""

import re
import shutil
import socket
import time

import pytest

from harness import Daemon, finish
from namespaces import NEEDS_MOUNTS, Private
from scenario import scenario
from webasking import ask, place

ONCE = "[program:once]\ncommand=/bin/true\nstartsecs=0\nautorestart=false\n"
ZONES = "/usr/share/zoneinfo"

# Every form that tzset(3) and POSIX document, and what people write by mistake.
TZ_VALUES = [
    # Names of files
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham", "Etc/GMT+5", "EST5EDT", "UTC",
    "GMT0", "posix/Asia/Tokyo", "right/Asia/Tokyo", "right/UTC", "posixrules", "Factory",
    # The same with a colon, and by a path
    ":Europe/Berlin", ":America/St_Johns", ":/usr/share/zoneinfo/Asia/Tokyo", "/usr/share/zoneinfo/Africa/Casablanca", ":UTC",
    # POSIX: offsets
    "XYZ5", "XYZ-5", "XYZ+5", "XYZ-5:30", "XYZ3:30:15", "XYZ-24", "XYZ24:59:59", "JST-9", "<-03>3", "<+0545>-5:45", "<AB12>-1", "UTC-2",
    # POSIX: rules
    "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT4,M3.2.0/2,M11.1.0/2", "AAA3BBB,J60,J300", "AAA3BBB,0,365/23", "XXX-10:30YYY-11,M10.1.0,M4.1.0",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "IST-1GMT0,M10.5.0,M3.5.0/1", "NZST-12:00:00NZDT-13:00:00,M10.1.0,M3.3.0", "AAA-0:00:30BBB,M1.1.0/2:00:30,M12.5.0",
    "DDD0EEE-5,J1/0,J365/25",
    # Nothing, nonsense, what is cut off
    "", ":", "Nowhere/City", "XY5", "CET", "Mars", "XYZ", "<+03", "XYZ5,", "CET-1CEST,M13.9.9,J0", "../../etc/passwd", " UTC", "\u00e9\u00e9\u00e9-2",
]


def told(d, env, words=(), log=None):
    """What the daemon tells of a moment, with the moments that it may mean: (what, format of date, text, seconds)."""
    d.log.unlink(missing_ok=True)
    before = int(time.time())
    d.start(env=env, wrap=words)
    info = d.wait_state("once", "EXITED")
    page = place(ask(d, "/?action=refresh")[1], d)
    raw = ask(d, "/?action=refresh")[1]["location"]
    d.log_text()
    after = int(time.time())
    spans = range(before, after + 1)
    yield "status", "%b %d %I:%M %p", info["description"], [info["stop"]]
    assert "Page refreshed at" in page
    stamp = re.search(r"refreshed%20at%20(.*)", raw)[1].replace("%20", " ").replace("%3A", ":")
    yield "page", "%a %b %e %H:%M:%S %Y", stamp, spans
    if log is None:
        first, last = d.log_text().splitlines()[0], d.log_text().splitlines()[-1]
        yield "first line", "%Y-%m-%d %H:%M:%S", first[:19], spans
        yield "last line", "%Y-%m-%d %H:%M:%S", last[:19], spans
    else:
        line = log.recv(4096).decode()
        stamp, inner = re.match(r"<14>(.{15}) supervisord: (.{19}),", line).groups()
        yield "syslog", "%b %e %H:%M:%S", stamp, spans
        yield "line in syslog", "%Y-%m-%d %H:%M:%S", inner, spans


def dates(form, seconds, env, words):
    """What `date` says of the moments."""
    script = "form=$1; shift; for at; do date -d @$at +\"$form\"; done"
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env}
    status, out, err = finish([*words, "sh", "-c", script, "sh", form, *seconds], 60, env=env)
    assert status == 0, err
    return out.splitlines()


def differences(d, env, words=(), log=None):
    """What the daemon tells otherwise than `date`."""
    found = []
    for what, form, text, seconds in told(d, env, words, log):
        wanted = dates(form, seconds, env, words)
        if text not in wanted:
            found.append((what, text, wanted))
    d.stop()
    return found


@pytest.fixture
def daemon():
    """A daemon of ours, not started, that takes its zone from nobody else."""
    d = Daemon("ours")
    del d.env["TZ"]
    yield d
    complaint = d.close()
    assert complaint is None, complaint


def test_every_form_of_tz(daemon):
    daemon.configure(ONCE)
    wrong = {value: found for value in TZ_VALUES if (found := differences(daemon, {"TZ": value}))}
    assert wrong == {}


def states():
    """What /etc/localtime may be, by name: functions that make it so."""
    def garbage(path):
        path.write_bytes(b"TZif\xff\xff garbage" * 20)

    def cut(path):
        path.write_bytes(open(f"{ZONES}/America/New_York", "rb").read()[:200])
    return {
        "missing": lambda path: None,
        "link": lambda path: path.symlink_to(f"{ZONES}/Asia/Kathmandu"),
        "relative link": lambda path: path.symlink_to("../usr/share/zoneinfo/Asia/Kathmandu"),
        "link to a link": lambda path: (path.with_name("zone").symlink_to(f"{ZONES}/Asia/Tokyo"), path.symlink_to("zone")),
        "file": lambda path: shutil.copy(f"{ZONES}/America/Caracas", path),
        "file with leap seconds": lambda path: shutil.copy(f"{ZONES}/right/America/Caracas", path),
        "dangling link": lambda path: path.symlink_to(f"{ZONES}/Nowhere/City"),
        "link to itself": lambda path: path.symlink_to("localtime"),
        "garbage": garbage,
        "cut off": cut,
        "empty": lambda path: path.touch(),
        "directory": lambda path: path.mkdir(),
        "link outside": lambda path: path.symlink_to("/etc/passwd"),
    }


@NEEDS_MOUNTS
@pytest.mark.parametrize("state", states())
def test_every_state_of_the_systems_zone(daemon, state):
    private = Private(daemon.root)
    etc = private.etc()
    (etc / "localtime").unlink(missing_ok=True)
    # What other libraries look at.
    (etc / "timezone").write_text("Pacific/Auckland\n")
    states()[state](etc / "localtime")
    daemon.configure(ONCE)
    assert differences(daemon, {}, private.words) == []


@NEEDS_MOUNTS
@pytest.mark.parametrize("value", ["Asia/Kathmandu", "XYZ-5:30", ":Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"])
def test_in_the_system_log(daemon, value):
    private = Private(daemon.root)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(private.syslog()))
        log.settimeout(60)
        daemon.configure(ONCE, base=SYSLOG_BASE)
        assert differences(daemon, {"TZ": value}, private.words, log) == []


SYSLOG_BASE = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=syslog
pidfile=%(here)s/s.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""


def hour_of(d):
    """The hour of the last line of the log, and the one that clocks in a zone show."""
    d.wait_state("once", "EXITED")
    # Nobody waits for RUNNING: the reference may see the end of so short a program first, and calls that abnormal.
    d.rpc("supervisor.startProcess", "once", False)
    d.wait_state("once", "EXITED")
    return int(d.log_text().splitlines()[-1][11:13])


def hours(zone):
    """What clocks in a zone show, now and a moment ago."""
    return {int(dates("%H", [int(time.time()) - ago], {"TZ": zone}, ())[0]) for ago in (0, 60)}


@NEEDS_MOUNTS
@scenario(ONCE, start=False)
def test_the_zone_is_that_of_the_start(d):
    """A machine that moves needs a new daemon: so the C library does, and so do programs in Python."""
    del d.env["TZ"]
    private = Private(d.root)
    zone = private.etc() / "localtime"
    zone.unlink(missing_ok=True)
    shutil.copy(f"{ZONES}/Asia/Tokyo", zone)
    d.start(wrap=private.words)
    d.see("at the start", hour_of(d) in hours("Asia/Tokyo"))
    fresh = zone.with_name("localtime.new")
    shutil.copy(f"{ZONES}/America/Caracas", fresh)
    fresh.rename(zone)
    d.see("after the move", hour_of(d) in hours("Asia/Tokyo"))
    # A restart keeps the process.
    d.rpc("supervisor.restart")
    d.wait_log("supervisord started", 2)
    d.wait_ready()
    d.see("after a restart", hour_of(d) in hours("Asia/Tokyo"))
