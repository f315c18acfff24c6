"""Root follows names that others control: what users can put in the place of logs, sockets and pid files of a daemon of
root, in directories that are theirs."""

import os

from harness import wait_for
from scenario import scenario
from shim import preloaded

NOBODY = 65534


def root():
    """The superuser's rights."""
    return os.getuid() == 0


def theirs(d, name="theirs"):
    """A directory of nobody's."""
    path = d.root / name
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    return path


def secret(d):
    """A file of root's that nobody else may read."""
    path = d.root / "secret"
    path.write_text("of root\n")
    path.chmod(0o600)
    return path


def link(path, target):
    """A link that nobody has made."""
    path.symlink_to(target)
    os.lchown(path, NOBODY, NOBODY)


def untouched(path):
    """Whether a secret is as it was."""
    return path.read_text() == "of root\n" and path.stat().st_mode & 0o7777 == 0o600 and path.stat().st_uid == 0


APP = """
[program:app]
command=/bin/sh -c "echo written by nobody; exec sleep 1000"
user=nobody
startsecs=0
stdout_logfile=%(here)s/theirs/app.log
"""


@scenario(APP, start=False, needs=root, only="ours")
def test_a_link_in_the_place_of_a_log(d):
    link(theirs(d) / "app.log", secret(d))
    d.start()
    d.wait_state("app", "RUNNING")
    d.wait_log("could not write to log file '.*/theirs/app.log' of app stdout: a link of the user with uid 65534 leads "
               "to what is not theirs; its output is lost")
    # Nor is it shown to those who read the log.
    assert d.rpc("supervisor.tailProcessStdoutLog", "app", 0, 100) == ["", 0, False]
    assert "FAILED" in str(d.outcome("readProcessStdoutLog", "app", 0, 0))
    assert untouched(d.root / "secret")
    # Whoever repairs it gets the output from then on.
    (d.root / "theirs/app.log").unlink()
    d.rpc("supervisor.stopProcess", "app")
    d.rpc("supervisor.startProcess", "app")
    d.wait_file("theirs/app.log", "written by nobody")


@scenario(APP, start=False, needs=root, only="ours")
def test_links_of_a_deployment_are_followed(d):
    releases = theirs(d, "releases")
    theirs(d, "releases/7")
    link(d.root / "theirs", releases / "7")
    os.lchown(d.root / "theirs", NOBODY, NOBODY)
    d.start()
    d.wait_file("releases/7/app.log", "written by nobody")


@scenario(APP, start=False, needs=root, only="ours")
def test_a_log_that_root_makes_behind_a_link_of_theirs(d):
    shared = theirs(d, "shared")
    link(theirs(d) / "app.log", "../shared/app.log")
    d.start()
    d.wait_file("shared/app.log", "written by nobody")
    assert (shared / "app.log").stat().st_uid == 0
    d.rpc("supervisor.stopProcess", "app")
    d.rpc("supervisor.startProcess", "app")
    d.wait_file("shared/app.log", "written by nobody", 2)


@scenario("""
[program:app]
command=/bin/sh -c "while read line; do echo $line; done"
user=nobody
startsecs=0
stdout_logfile=%(here)s/app.log
stdout_logfile_maxbytes=10
stdout_logfile_backups=2
stderr_logfile=NONE
""", start=False, needs=root, only="ours")
def test_rotation_and_clearing_keep_owner_and_permissions(d):
    log = d.root / "app.log"
    log.touch()
    log.chmod(0o640)
    os.chown(log, 1, NOBODY)
    d.start()
    d.wait_state("app", "RUNNING")

    def kept():
        found = log.stat()
        return oct(found.st_mode & 0o7777), found.st_uid, found.st_gid

    for number in (1, 2):
        d.rpc("supervisor.sendProcessStdin", "app", f"0123456789 {number}\n")
        d.wait_file("app.log.1", f" {number}\n")
        wait_for(log.exists, "a new log")
        d.catch_up()
        assert kept() == ("0o640", 1, NOBODY)
    d.rpc("supervisor.sendProcessStdin", "app", "x\n")
    d.wait_file("app.log", "x")
    d.rpc("supervisor.clearProcessLogs", "app")
    assert log.read_text() == "" and kept() == ("0o640", 1, NOBODY)


SOCKET = """
[unix_http_server]
file=%(here)s/theirs/s.sock
chmod=0777
[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/s.pid
{extra}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""


def with_socket_in(d, directory):
    """The daemon's socket lies there."""
    d.socket = directory / "s.sock"
    d.url = f"unix://{d.socket}"
    d.configure("", base=SOCKET)


@scenario(None, start=False, needs=root, only="ours")
def test_a_link_in_the_place_of_a_socket_that_was_just_bound(d):
    with_socket_in(d, theirs(d))
    d.start(env=preloaded(d.root, SWAP_NAME="s.sock.*", SWAP_FOR=secret(d)))
    assert untouched(d.root / "secret")
    assert d.socket.stat().st_mode & 0o7777 == 0o777


@scenario(None, start=False, needs=root, only="ours")
def test_a_temporary_name_that_is_taken(d):
    with_socket_in(d, theirs(d))
    d.start()
    # It cannot be removed like a file.
    (d.root / f"theirs/s.sock.{d.pid}").mkdir()
    d.rpc("supervisor.restart")
    d.wait_log("supervisord started with pid", 2)
    d.wait_ready()


@scenario("""
[fcgi-program:f]
command=/bin/sleep 1000
socket=unix://%(here)s/theirs/f.sock
socket_mode=0777
autostart=false
""", start=False, needs=root, only="ours")
def test_a_link_in_the_place_of_a_fastcgi_socket(d):
    theirs(d)
    env = preloaded(d.root, SWAP_NAME="f.sock", SWAP_FOR=secret(d))
    status, _, stderr = d.run("-n", "-c", d.config, env=env)
    assert untouched(d.root / "secret")
    assert (status, "f.sock" in stderr) == (2, True)


@scenario(None, start=False, needs=root, only="ours")
def test_a_link_in_the_place_of_the_pid_file(d):
    link(theirs(d) / "s.pid", secret(d))
    d.configure("")
    text = d.config.read_text().replace("%(here)s/s.pid", "%(here)s/theirs/s.pid")
    d.config.write_text(text)
    d.start()
    d.wait_log("could not write pidfile .*/theirs/s.pid")
    d.stop()
    assert untouched(d.root / "secret")
    assert (d.root / "theirs/s.pid").is_symlink()


@scenario(None, start=False, needs=root, only="ours")
def test_a_link_in_the_place_of_the_main_log(d):
    link(theirs(d) / "main.log", secret(d))
    d.configure("")
    d.config.write_text(d.config.read_text().replace("%(here)s/main.log", "%(here)s/theirs/main.log"))
    status, _, stderr = d.run("-n", "-c", d.config)
    assert (status, "a link of the user with uid 65534" in stderr) == (2, True)
    assert untouched(d.root / "secret")
