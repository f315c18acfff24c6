"""Runs a command whose system calls of the names given fail: `deny_calls.py EPERM clone3,statx COMMAND…`.

What an old container runtime does with calls it does not know. `threads` stands for every way to start a thread.
Only where NUMBERS has the machine.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# Calls that came after Linux 3.2, the oldest that Rust programs run on; `epoll_create1` is there for a failure.
NUMBERS = {
    "x86_64": {
        "clone": 56, "clone3": 435, "close_range": 436, "copy_file_range": 326, "epoll_create1": 291,
        "epoll_pwait2": 441, "execveat": 322, "faccessat2": 439, "getrandom": 318, "memfd_create": 319, "openat2": 437,
        "pidfd_getfd": 438, "pidfd_open": 434, "pidfd_send_signal": 424, "preadv2": 327, "renameat2": 316, "statx": 332,
    },
    "aarch64": {
        "clone": 220, "clone3": 435, "close_range": 436, "copy_file_range": 285, "epoll_create1": 20,
        "epoll_pwait2": 441, "execveat": 281, "faccessat2": 439, "getrandom": 278, "memfd_create": 279, "openat2": 437,
        "pidfd_getfd": 438, "pidfd_open": 434, "pidfd_send_signal": 424, "preadv2": 286, "renameat2": 276, "statx": 291,
    },
}.get(platform.machine(), {})

# renameat2 is the only rename on some machines, and takes no part in what is asked of it here.
RECENT = sorted(set(NUMBERS) - {"clone", "epoll_create1", "renameat2"})

LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
CLONE_THREAD = 0x10000
FLAGS_ARGUMENT = 16
ALLOW, FAIL = 0x7FFF0000, 0x00050000


def statement(code, operand, on_true=0, on_false=0):
    """One instruction of a packet filter."""
    return struct.pack("HBBI", code, on_true, on_false, operand)


def program(number_of_error, names):
    """The filter: each of the calls fails, all others pass."""
    fail = statement(RETURN, FAIL | number_of_error)
    text = b""
    for name in names:
        if name == "threads":
            text += statement(LOAD, 0) + statement(EQUAL, NUMBERS["clone3"], 0, 1) + fail
            text += statement(EQUAL, NUMBERS["clone"], 0, 3)
            text += statement(LOAD, FLAGS_ARGUMENT) + statement(ANY_BIT, CLONE_THREAD, 0, 1) + fail
        else:
            text += statement(LOAD, 0) + statement(EQUAL, NUMBERS[name], 0, 1) + fail
    return text + statement(RETURN, ALLOW)


def main(error, names, *command):
    """Installs the filter and becomes the command."""
    text = ctypes.create_string_buffer(program(getattr(errno, error), names.split(",")))
    pointer = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(text) // 8, ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privs, seccomp, filter_mode = 38, 22, 2
    assert libc.prctl(no_new_privs, 1, 0, 0, 0) == 0
    done = libc.prctl(seccomp, ctypes.c_ulong(filter_mode), ctypes.c_void_p(ctypes.addressof(pointer)),
                      ctypes.c_ulong(0), ctypes.c_ulong(0))
    assert done == 0, os.strerror(ctypes.get_errno())
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
