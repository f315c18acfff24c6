"""The actions of supervisorctl, run by the executable with the connection of a Controller."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any, Dict, List, Tuple

from supervisor import _binary

#: Those that `help` lists, and `help` itself is the controller's.
NAMES = (
    "add", "avail", "clear", "exit", "fg", "maintail", "open", "pid", "quit", "reload", "remove", "reread", "restart",
    "shutdown", "signal", "start", "status", "stop", "tail", "update", "version",
)

#: Variables that carry the connection to the executable: a password among the arguments would be seen by everybody.
_SETTINGS = {
    "serverurl": "SUPERVISOR_CTL_URL", "username": "SUPERVISOR_CTL_USER", "password": "SUPERVISOR_CTL_PASSWORD",
    "prompt": "SUPERVISOR_CTL_PROMPT", "history_file": "SUPERVISOR_CTL_HISTORY",
}


def has_known_scheme(url: str) -> bool:
    """Whether a daemon can be at such a URL."""
    return url.startswith(("http://", "unix://"))


def run(ctl: Any, line: str) -> None:
    """Runs a line. Its output goes to where the controller's goes, and so does an exit status that is not 0."""
    to_terminal = _is_standard_output(ctl.stdout)
    ctl.stdout.flush()
    configuration, environment = _connection(ctl.options)
    try:
        ended = subprocess.run(
            _words(ctl.options, configuration, line), executable=_binary.find(), env=environment,
            pass_fds=(configuration,), stdout=None if to_terminal else subprocess.PIPE, check=False)
    finally:
        os.close(configuration)
    if not to_terminal:
        ctl.stdout.write(ended.stdout.decode("utf-8", "replace"))
    if ended.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    if ended.returncode:
        ctl.exitstatus = ended.returncode


def _words(options: Any, configuration: int, line: str) -> List[str]:
    questions = ["-i"] if options.interactive else []
    return [*_binary.command("supervisorctl"), "-c", f"/dev/fd/{configuration}", *questions, line]


def _connection(options: Any) -> Tuple[int, Dict[str, str]]:
    """A descriptor to read a configuration from, and the environment that it names. A value that stands in the
    environment means itself, whatever is in it."""
    environment = dict(os.environ)
    lines = ["[supervisorctl]"]
    for name, variable in _SETTINGS.items():
        value = getattr(options, name)
        if value is not None:
            environment[variable] = value
            lines.append(f"{name}=%(ENV_{variable})s")
    readable, writable = os.pipe()
    with open(writable, "w", encoding="utf-8") as pipe:
        pipe.write("\n".join(lines) + "\n")
    return readable, environment


def _is_standard_output(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 1)
    except (AttributeError, OSError):
        return False
