"""Files of the machine as a test wants them: seen only by what is run with `words` in front, in its own mount namespace."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def _possible():
    """Why there can be no mount namespaces here; empty when there can."""
    if os.geteuid() != 0:
        return "mount namespaces need root"
    tried = subprocess.run(["unshare", "-m", "mount", "--bind", "/tmp", "/tmp"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() and f"no mount namespaces here: {tried.stderr.strip()}"


NEEDS_MOUNTS = pytest.mark.skipif(bool(_possible()), reason=_possible() or "")


class Private:
    """Files and directories that stand for others."""

    def __init__(self, root):
        self.root = Path(root)
        self.places = []

    def etc(self):
        """A copy of /etc, to be changed at will."""
        copy = self.root / "etc"
        shutil.copytree("/etc", copy, symlinks=True)
        self.places.append((copy, "/etc"))
        return copy

    def syslog(self):
        """Where to listen in place of /dev/log."""
        devices = self.root / "dev"
        devices.mkdir()
        for name in ("null", "zero", "random", "urandom", "tty"):
            (devices / name).touch()
            self.places.append((f"/dev/{name}", devices / name))
        for name in ("fd", "stdin", "stdout", "stderr"):
            (devices / name).symlink_to(f"/proc/self/fd{'' if name == 'fd' else '/' + str(('stdin', 'stdout', 'stderr').index(name))}")
        self.places.append((devices, "/dev"))
        return devices / "log"

    @property
    def words(self):
        """What to put before a command."""
        steps = "".join(f"mount --rbind '{there}' '{here}' && " for there, here in self.places)
        return ["unshare", "-m", "sh", "-c", f'{steps}exec "$@"', "sh"]
