"""The image without anything else in it: the daemon as process 1 of an empty root, everything on standard output.

Where `packaging/build docker` has left the image in dist/; it is unpacked and entered as container engines do it, without one.
"""

import json
import os
import shutil
import signal
import subprocess
import tarfile
from types import SimpleNamespace

import pytest

from building import compile_c
from harness import REPO, children, finish, popen, wait_for

IMAGES = sorted(REPO.glob("dist/supervisor-*-docker.tar"))
pytestmark = [pytest.mark.skipif(not IMAGES, reason="no image: packaging/build docker"),
              pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser enters another root")]

# Leaves an orphan that ends soon, says so, and goes on.
PROGRAM = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
    if (fork() == 0) {
        if (fork() == 0) { usleep(200000); _exit(0); }
        _exit(0);
    }
    printf("here as %d\n", (int)getuid());
    fflush(stdout);
    for (;;) pause();
}
"""


@pytest.fixture
def image(tmp_path):
    """The image's files below `root`, and what it says of its start."""
    root = tmp_path / "root"
    with tarfile.open(IMAGES[-1]) as archive:
        archive.extractall(tmp_path / "image", filter="data")
    (manifest,) = json.loads((tmp_path / "image" / "manifest.json").read_text())
    root.mkdir()
    for layer in manifest["Layers"]:
        with tarfile.open(tmp_path / "image" / layer) as archive:
            archive.extractall(root, filter="fully_trusted")
    config = json.loads((tmp_path / "image" / manifest["Config"]).read_text())["config"]
    return SimpleNamespace(root=root, config=config)


def enter(image, words):
    """Words that run others as process 1 of the image, with what every container has in /proc and /dev."""
    mounts = 'mkdir -p "$0/proc" "$0/dev" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"'
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
            f'{mounts} && exec env -i {" ".join(image.config["Env"])} chroot "$0" "$@"', str(image.root), *words]


def test_files(image):
    """Nothing but what the daemon is, and places for what it makes."""
    found = {str(path.relative_to(image.root)) for path in image.root.rglob("*") if not path.is_dir() or path.is_symlink()}
    names = ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")
    assert found == {*(f"usr/bin/{name}" for name in names), "etc/passwd", "etc/group", "etc/supervisor/supervisord.conf"}
    assert (image.root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert "INTERP" not in subprocess.run(["readelf", "-l", image.root / "usr/bin/supervisord"], check=True,
                                          capture_output=True, text=True).stdout


def test_as_process_1(image, tmp_path):
    program = compile_c(SimpleNamespace(root=tmp_path, write=lambda name, text: write(tmp_path / name, text)),
                        "program", PROGRAM, "-static")
    shutil.copy2(program, image.root / "usr/bin/program")
    write(image.root / "etc/supervisor/conf.d/program.conf", "[program:it]\ncommand=program\nuser=nobody\nstartsecs=0\n"
          "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nredirect_stderr=true\n")
    daemon = popen(enter(image, image.config["Cmd"]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = []
    try:
        while not any("here as" in line for line in seen):
            line = daemon.stdout.readline()
            assert line, seen
            seen.append(line)
        (process_1,) = children(daemon.pid)
        # The program, and not the orphan that it has left.
        wait_for(lambda: len(children(process_1)) == 1, lambda: children(process_1))
        inside = finish(["nsenter", "-t", str(process_1), "-p", "-r", "-w", "/usr/bin/supervisorctl", "status"], 20)
        assert inside[1].split()[:2] == ["it", "RUNNING"]
        os.kill(process_1, signal.SIGTERM)
        rest = daemon.communicate(timeout=30)[0]
    finally:
        daemon.kill()
        daemon.wait()
    assert "here as 65534\n" in seen
    assert "stopped: it (terminated by SIGTERM)" in rest
    assert any("supervisord started with pid 1" in line for line in seen)
    assert daemon.returncode == 0


def write(path, text):
    path.write_text(text)
    return path
