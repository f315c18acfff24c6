"""echo_supervisord_conf: the sample loads with both, and has every section and option with its default."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from supervisor import datatypes, options

import configtools
from harness import REPO, Daemon, binary

SAMPLE = REPO / "src" / "echo" / "sample.conf"

# What the reference does not ask for; the Rust tests hold these to the table of options.
OURS = {"python", "allowed_hosts", "color", "metrics", "restart_delay"}
# Settings without a default, or with one that depends on the machine.
WITHOUT_DEFAULT = {
    "file", "port", "chown", "username", "password", "logfile", "pidfile", "user", "directory", "childlogdir",
    "environment", "serverurl", "command", "events", "programs", "socket", "socket_owner", "socket_backlog", "files",
    "history_file"}
# A program's mask is the daemon's by default, and only the daemon's own has a number.
WITHOUT_DEFAULT_IN_PROGRAMS = {"umask"}
# Where the reference calculates the default.
DEFAULTS = {"chmod": "0700", "killasgroup": "false", "umask": "022", "socket_mode": "0700", "prompt": "supervisor"}
# What stands behind the reference's sample, and the sections it is for.
BEHIND = {"numprocs_start": ("program:", "eventlistener:"), "result_handler": ("eventlistener:",), "color": ("supervisorctl",),
          "allowed_hosts": ("inet_http_server",), "metrics": ("inet_http_server", "unix_http_server")}
# Values of the sample that no machine has.
STRANGERS = (("user=supervisord", "user=root"), ("user=chrism", "user=root"), ("/a/path", "/tmp/path"),
             ("progname1,progname2", "theprogramname"))


@pytest.fixture(scope="module")
def sample():
    """What our tool prints."""
    daemon = Daemon("ours")
    try:
        tool = daemon.root / "bin" / "echo_supervisord_conf"
        daemon.install(tool)
        printed = subprocess.run([tool], capture_output=True, text=True, check=True)
        assert printed.stderr == ""
        also = subprocess.run([binary(), "echo_supervisord_conf"], capture_output=True, text=True, check=True)
        assert also.stdout == printed.stdout
        return printed.stdout
    finally:
        assert daemon.close() is None


@pytest.fixture(scope="module")
def session():
    with configtools.Session() as session:
        yield session


def switched_on(text):
    """The sample with every setting that is switched off switched on, where it belongs."""
    for name, sections in BEHIND.items():
        line = re.search(f"(?m)^;;{name}=.*\n", text)[0]
        text = text.replace(line, "")
        for section in sections:
            text, count = re.subn(rf"(?m)^;?\[{section}.*\n", lambda header: f"{header[0]}{line[2:]}", text)
            assert count == 1
    text = re.sub(r"(?m)^;;?(?=\[|[a-z_]+ ?=)", "", text)
    return text + "command=/bin/cat\n"


def of_this_machine(text):
    """The sample with users and paths that exist."""
    for stranger, known in STRANGERS:
        text = text.replace(stranger, known)
    return text


def asked_for(text, directory):
    """(kind of section, option) -> default: what the reference asks its parser for while it loads a configuration."""
    asked = {}

    class Spy(options.UnhosedConfigParser):
        def saneget(self, section, option, *args, **kwargs):
            note(section, option, args[0] if args else kwargs.get("default"))
            return super().saneget(section, option, *args, **kwargs)

        def getdefault(self, option, *args, **kwargs):
            note(self.mysection, option, args[0] if args else kwargs.get("default"))
            return super().getdefault(option, *args, **kwargs)

    def note(section, option, default):
        asked.setdefault((section.split(":")[0], option), default)

    path = directory / "all.conf"
    path.write_text(text, encoding="utf-8")
    original = options.UnhosedConfigParser
    options.UnhosedConfigParser = Spy
    try:
        loaded = configtools.QuietOptions()
        loaded.realize(["-c", str(path)])
        client = options.ClientOptions()
        client.realize(["-c", str(path), "status"])
    finally:
        options.UnhosedConfigParser = original
    return asked


def shown(text):
    """(kind of section, option) -> (value, comment), of the sample with everything switched on."""
    found, kind = {}, None
    for line in switched_on(text).splitlines():
        if header := re.match(r"\[([a-z_-]+)", line):
            kind = header[1]
        elif setting := re.match(r"([a-z_.]+) ?= ?(.*?)(?:\s+; (.*))?$", line):
            found.setdefault((kind, setting[1]), (setting[2], setting[3] or ""))
    return found


def test_sample_loads_alike(sample, session):
    assert "Sample supervisor config file" in sample
    for name, text in (("as_is", sample), ("all_on", of_this_machine(switched_on(sample)))):
        path = os.path.join(session.scratch, name + ".conf")
        Path(path).write_text(text, encoding="utf-8")
        reference, lines = configtools.compare(session, path)
        assert "config" in reference, reference
        assert not lines, "\n".join(lines)


def test_sample_has_every_option_with_its_default(sample, tmp_path):
    """As the value, or in the comment where another value shows more. What programs have is told once."""
    asked = asked_for(of_this_machine(switched_on(sample)), tmp_path)
    in_sample = shown(sample)
    missing = {key for key in asked if key not in in_sample
               and not (key[0] in ("eventlistener", "fcgi-program") and ("program", key[1]) in in_sample)}
    assert not missing, sorted(missing)
    assert len(in_sample) > 100
    wrong = []
    for (section, option), (value, comment) in in_sample.items():
        in_programs = section not in ("supervisord", "unix_http_server", "inet_http_server", "supervisorctl")
        if (option in WITHOUT_DEFAULT or (in_programs and option in WITHOUT_DEFAULT_IN_PROGRAMS) or "." in option
                or option in OURS):
            continue
        default = asked.get((section, option))
        expected = DEFAULTS.get(option, default)
        if expected is datatypes.Automatic:
            expected = "AUTO"
        told = re.search(r"default: (\w+)", comment)
        if (told[1] if told else value).lower() != str(expected).lower():
            wrong.append((section, option, value, comment, default))
    assert not wrong, wrong


def test_sample_runs(sample):
    """With its paths moved elsewhere the sample is a daemon that answers."""
    daemon = Daemon("ours")
    try:
        daemon.config.write_text(
            sample.replace("/tmp/supervisor.sock", "/tmp/s.sock").replace("/tmp/", f"{daemon.root}/"), encoding="utf-8")
        daemon.start()
        assert daemon.ctl("status", see=False)[:2] == (0, "")
        assert daemon.stop() == 0
    finally:
        assert daemon.close() is None


def test_reader_that_leaves_early(sample):
    """`echo_supervisord_conf | head -1` prints no complaint."""
    daemon = Daemon("ours")
    try:
        tool = daemon.root / "bin" / "echo_supervisord_conf"
        daemon.install(tool)
        # Four readers at once, so that the pipe is closed before the end in at least one.
        script = f"for i in 1 2 3 4; do {tool} | true; done; {tool} | head -n 1"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (sample.splitlines(keepends=True)[0], "")
        with open("/dev/full", "wb") as full:
            assert subprocess.run([tool], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode == 1
    finally:
        assert daemon.close() is None
