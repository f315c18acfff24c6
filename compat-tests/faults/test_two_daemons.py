"""Two daemons of one configuration: one that comes while another does, or leaves."""

import os
import socket
import subprocess

from harness import popen, wait_for
from scenario import scenario
from shim import preloaded

RACES = 60
RACERS = 4


def leave_a_stale_socket(path):
    """What a daemon leaves that was killed."""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.listen(1)
    stale.close()


def another(d, **env):
    """One more daemon of the same configuration."""
    return popen([str(d.executable), "-n", "-c", str(d.config)], cwd=d.root, env={**d.env, **env}, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def end(processes):
    """Ends daemons and waits for them."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        process.wait()


def owner(d):
    """The process id of the daemon behind the socket; None when nobody answers."""
    try:
        return d.rpc("supervisor.getPID")
    except OSError:
        return None


def waits_for_a_lock(process):
    """Whether a process has a lock file open."""
    directory = f"/proc/{process.pid}/fd"
    try:
        return any(os.readlink(f"{directory}/{number}").endswith(".lock") for number in os.listdir(directory))
    except OSError:
        return False


@scenario(start=False, only="ours")
def test_a_stale_socket_between_the_look_and_the_removal(d):
    leave_a_stale_socket(d.socket)
    for end_of_name in ("here", "go"):
        os.mkfifo(d.root / f"hold.{end_of_name}")
    # The first has found it stale, and is about to remove it.
    first = another(d, **preloaded(d.root, HOLD_NAME="s.sock", HOLD=d.root / "hold"))
    with open(d.root / "hold.here", "rb", buffering=0) as here, open(d.root / "hold.go", "wb", buffering=0) as go:
        assert here.read(1) == b"x"
        second = another(d)
        try:
            # The second takes it, or waits until the first has.
            wait_for(lambda: owner(d) == second.pid or waits_for_a_lock(second), "the second is up or waits")
            go.write(b"x")
            wait_for(lambda: None in (first.poll(), second.poll()) and (first.poll(), second.poll()) != (None, None),
                     "one of them gives up")
            assert second.poll() == 2 and owner(d) == first.pid
        finally:
            # Nothing is held from now on, and it may be about to leave.
            here.close()
            go.close()
            first.kill()
            end([first, second])


@scenario("[program:x]\ncommand=/bin/sleep 1000\nstartsecs=0\n", start=False, only="ours")
def test_many_daemons_find_a_stale_socket(d):
    for race in range(RACES):
        d.socket.unlink(missing_ok=True)
        leave_a_stale_socket(d.socket)
        racers = [another(d) for _ in range(RACERS)]
        try:
            wait_for(lambda: sum(racer.poll() is None for racer in racers) == 1, lambda: f"one of them in race {race}")
            wait_for(lambda: owner(d) in [racer.pid for racer in racers if racer.poll() is None], "it answers")
        finally:
            end(racers)
    assert sorted(path.name for path in d.root.glob("s.sock*")) == []


@scenario(only="ours")
def test_a_daemon_that_leaves_removes_no_socket_of_another(d):
    # Somebody has cleaned up in the directory, and another daemon is started.
    d.socket.unlink()
    second = another(d)
    try:
        wait_for(lambda: owner(d) == second.pid, "the second is up")
        os.kill(d.pid, 15)
        d.process.wait()
        assert owner(d) == second.pid
    finally:
        end([second])


@scenario(only="ours")
def test_a_daemon_that_leaves_removes_no_pid_file_of_another(d):
    assert d.read("s.pid") == f"{d.pid}\n"
    d.socket.unlink()
    second = another(d)
    try:
        wait_for(lambda: d.read("s.pid") == f"{second.pid}\n", "the second has written its id")
        os.kill(d.pid, 15)
        d.process.wait()
        assert (d.root / "s.pid").read_text() == f"{second.pid}\n"
    finally:
        end([second])
    assert not (d.root / "s.pid").exists()
