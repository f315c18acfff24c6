"""`echo_supervisord_conf`, which is an executable: `python -m supervisor.confecho` becomes it."""

from __future__ import annotations

import subprocess
import sys
from typing import IO

from supervisor import _binary


def main(out: IO[str] = sys.stdout) -> None:
    """Writes the sample configuration."""
    sample = subprocess.run(
        _binary.command("echo_supervisord_conf"), executable=_binary.find(), stdout=subprocess.PIPE, check=True)
    out.write(sample.stdout.decode("utf-8"))


if __name__ == "__main__":
    _binary.become("echo_supervisord_conf")
