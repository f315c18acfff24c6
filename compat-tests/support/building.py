"""What tests have built: our example tools, by cargo beforehand, and programs and libraries in C, on the spot."""

import os
import subprocess
from pathlib import Path

from harness import REPO


def example(name):
    """Path of one of our example tools: NAME_BIN of the environment, else the newest build of cargo's."""
    named = os.environ.get(f"{name.upper()}_BIN")
    if named:
        return Path(named).absolute()
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target").absolute()
    built = [target / profile / "examples" / name for profile in ("release", "debug")]
    built = [path for path in built if path.exists()]
    assert built, f"{name} is not built: cargo build --release --examples"
    return max(built, key=lambda path: path.stat().st_mtime)


def compile_c(d, name, source, *options):
    """Compiles a program or library into the daemon's directory and returns its path."""
    path = str(d.root / name)
    subprocess.run(["cc", "-O1", "-o", path, d.write(f"{name}.c", source), *options], check=True)
    return path
