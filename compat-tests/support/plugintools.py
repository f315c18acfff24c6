"""Daemons with plugins in Python, on either side: the same files, found in the same place."""

import functools
import subprocess
from pathlib import Path

import thirdparty
from harness import Daemon, children, command, wait_for

OTHERS = ("supervisor_cache", "supervisor_twiddler")

INTERFACE = "[rpcinterface:{name}]\nsupervisor.rpcinterface_factory = {spec}\n{options}\n"


@functools.lru_cache(maxsize=None)
def packages():
    """Where the environment has what others wrote."""
    python = thirdparty.environment() / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def interface(name, spec, options=""):
    """The section of an RPC interface."""
    return INTERFACE.format(name=name, spec=spec, options=options)


def environ(d):
    """What a daemon finds its plugins by: files of its directory, and what others wrote; ours has an interpreter besides."""
    place = Path(d.root) / "plugins"
    place.mkdir(exist_ok=True)
    for name in OTHERS:
        if not (place / name).exists():
            (place / name).symlink_to(packages() / name)
    more = {"PYTHONPATH": str(place)}
    if d.side == "ours":
        more["SUPERVISOR_PYTHON"] = str(thirdparty.environment() / "python")
    return more


def plugin(d, name, text):
    """Writes a module that the daemon's Python finds."""
    environ(d)
    d.write(f"plugins/{name}.py", text)


def helper(d):
    """Pid of the process of the plugins; None when there is none."""
    found = [pid for pid in children(d.process.pid) if b"supervisor.plugin_host" in command(pid)]
    return found[0] if found else None


def wait_helper(d, other_than=None):
    """The same, once there is one, and another than one before."""
    def there():
        pid = helper(d)
        return pid if pid != other_than else None
    return wait_for(there, lambda: f"no process of plugins: {d.log_text()[-2000:]}")


def ours():
    """A daemon of ours."""
    return Daemon("ours")
