"""Machines that are managed: a directory each, with a daemon, and a PATH with one side's programs and no other's."""

import shutil
import subprocess
from pathlib import Path

import environments
from harness import BASE, SCRIPTS, Daemon, binary, free_port

AUTOMATION = Path(__file__).resolve().parent
SIDES = ("python", "ours")

UNIX = BASE.format(extra="") + "[include]\nfiles=conf.d/*.conf\n"

WEB = "[program:web]\ncommand=/bin/sleep 1000\nstartsecs=0\n"
WEB_CHANGED = WEB + "environment=CHANGED=1\n"
WORKERS = "[program:workers]\ncommand=/bin/sleep 1000\nnumprocs=2\nprocess_name=%(process_num)d\nstartsecs=0\n"
BROKEN = "[program:broken]\ncommand=/bin/false\nautostart=false\nstartretries=0\n"


def environment(name):
    """The virtual environment of requirements-NAME.txt, without the reference."""
    directory = environments.made(AUTOMATION / f"requirements-{name}.txt")
    without = subprocess.run([directory / "python", "-c", "import supervisor"], capture_output=True, check=False)
    assert without.returncode, f"{directory} has the reference installed"
    return directory


class Machine(Daemon):
    """A daemon with its client in a PATH of their own; conf.d holds the programs."""

    def __init__(self, side, port=None):
        super().__init__(side)
        source = SCRIPTS / "supervisorctl" if side == "python" else binary()
        (self.root / "bin" / "supervisorctl").symlink_to(source)
        self.path = f"{self.root / 'bin'}:/usr/bin:/bin"
        assert shutil.which("supervisorctl", path=self.path) == str(self.root / "bin" / "supervisorctl")
        assert not shutil.which("supervisorctl", path="/usr/bin:/bin"), "the machine has a supervisorctl of its own"
        (self.root / "conf.d").mkdir()
        text = UNIX
        self.port = port
        if port:
            text += f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=secret\n"
        self.config.write_text(text, encoding="utf-8")
        self.env["PATH"] = self.path
        self.start()


class Machines:
    """The two machines of an inventory: one reached over its socket, one over TCP with a password."""

    def __init__(self, side):
        self.side = side
        self.all = []
        try:
            self.all.append(Machine(side))
            self.all.append(Machine(side, free_port()))
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends the daemons; returns what was wrong with their ends."""
        return [complaint for machine in self.all if (complaint := machine.close())]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        complaints = self.close()
        assert exc[0] or not complaints, complaints
