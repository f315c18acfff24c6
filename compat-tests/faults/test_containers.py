"""What containers need: standard streams under all their names without root, file systems without hard links, programs of
other users that open their own streams."""

import os
import platform
import sys

import pytest

from scenario import scenario

# Refuses system calls with an error: DENY.py NUMBER ERRNO ... -- COMMAND.
DENY = """\
import ctypes, os, struct, sys
def op(code, jt, jf, k): return struct.pack('HBBI', code, jt, jf, k)
end = sys.argv.index('--')
numbers = [int(word) for word in sys.argv[1:end]]
code = op(0x20, 0, 0, 0)
for number, error in zip(numbers[::2], numbers[1::2]):
    code += op(0x15, 0, 1, number) + op(0x06, 0, 0, 0x00050000 | error)
code += op(0x06, 0, 0, 0x7fff0000)
text = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', len(code) // 8, ctypes.addressof(text)))
prctl = ctypes.CDLL(None).prctl
prctl(38, 1, 0, 0, 0)
assert prctl(22, ctypes.c_ulong(2), ctypes.c_void_p(ctypes.addressof(program)), ctypes.c_ulong(0), ctypes.c_ulong(0)) == 0
os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
"""
LINK, LINKAT, RENAMEAT2, FSTATFS, EPERM, EBADF, ENOSYS = 86, 265, 316, 138, 1, 9, 38
# The daemon's streams are pipes, as in a container.
PIPED = ("/bin/sh", "-c", '"$@" 2>&1 | cat', "sh")

HELLO = """
[program:hello]
command=/bin/sh -c "echo hello from {log}; exec sleep 1000"
startsecs=0
stdout_logfile={log}
stdout_logfile_maxbytes=0
"""


def root():
    """The superuser's rights."""
    return os.getuid() == 0


def as_nobody(d):
    """Starts the daemon as a user that may not open the pipes behind its streams."""
    d.root.chmod(0o777)
    d.start("-u", "nobody", wrap=PIPED)


@scenario(HELLO.format(log="%(here)s/hello.log"), start=False, needs=root, only="ours")
def test_links_to_the_standard_output(d):
    (d.root / "hello.log").symlink_to("/dev/stdout")
    (d.root / "main.log").symlink_to("/dev/stdout")
    as_nobody(d)
    d.wait_file("stdout", "\nhello from .*/hello.log")
    d.wait_file("stdout", "INFO supervisord started")


@scenario(start=False, needs=root, only="ours")
def test_the_standard_output_of_a_process_in_proc(d):
    as_nobody(d)
    d.configure(HELLO.format(log=f"/proc/{d.pid}/fd/1"))
    d.rpc("supervisor.reloadConfig")
    d.rpc("supervisor.addProcessGroup", "hello")
    d.wait_file("stdout", "\nhello from /proc/[0-9]+/fd/1")


@scenario("""
[program:web]
command=/bin/sh -c "echo by descriptor; echo by name > /dev/stdout; echo an error > /dev/stderr; cat < /dev/stdin"
user=nobody
startsecs=0
stdout_logfile=%(here)s/web.log
stderr_logfile=%(here)s/web.err
""", needs=root, only="ours")
def test_a_program_of_a_user_opens_its_streams(d):
    d.wait_file("web.log", "by descriptor\nby name\n")
    d.wait_file("web.err", "^an error\n")
    d.rpc("supervisor.sendProcessStdin", "web", "by its input\n")
    d.wait_file("web.log", "by its input\n")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of system calls are those of x86-64")
@pytest.mark.parametrize("denied", [
    (LINK, EPERM, LINKAT, EPERM), (LINK, EPERM, LINKAT, EPERM, RENAMEAT2, ENOSYS)], ids=["link", "link and renameat2"])
def test_file_systems_without_hard_links(denied):
    @scenario(start=False, only="ours")
    def starts(d):
        d.write("deny.py", DENY)
        wrap = (sys.executable, str(d.root / "deny.py"), *map(str, denied), "--")
        d.start(wrap=wrap)
        assert d.stop() == 0
        assert not d.socket.exists()
        # What somebody else serves is not taken there either.
        d.start(wrap=wrap)
        status, _, stderr = d.run("-n", "-c", d.config)
        assert (status, "already listening" in stderr) == (2, True)
    starts()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of system calls are those of x86-64")
@scenario(HELLO.format(log="%(here)s/link/hello.log"), start=False, only="ours")
def test_links_on_kernels_that_do_not_tell_their_file_system(d):
    """Before Linux 3.12, that is of CentOS 7, fstatfs takes no descriptor that was opened with O_PATH."""
    (d.root / "logs").mkdir()
    (d.root / "link").symlink_to("logs")
    d.write("deny.py", DENY)
    d.start(wrap=(sys.executable, str(d.root / "deny.py"), str(FSTATFS), str(EBADF), "--"))
    d.wait_file("logs/hello.log", "hello from .*/link/hello.log")


@scenario(start=False)
def test_the_main_log_on_the_standard_output_of_a_daemon_in_the_background(d):
    """`CMD supervisord && exec server`: what the path means in the background is /dev/null."""
    d.start("-l", "/dev/stdout", "-y", "0", options=(), wrap=PIPED)
    d.wait_file("stdout", "INFO supervisord started with pid")
    d.stop()
    d.wait_file("stdout", "WARN received SIGTERM indicating exit request")
