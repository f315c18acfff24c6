"""A library preloaded into a daemon that stops it, or acts for an attacker, between two of its system calls.

What is a matter of luck otherwise (a race) happens each time. Understands in the environment:

SWAP_NAME, SWAP_FOR -- after a socket is bound to a path that ends so (`*` stands for the process id), the path becomes a
                       link to SWAP_FOR; the first time only.
HOLD_NAME, HOLD     -- before a path that ends so is removed, says so in the FIFO HOLD.here and waits for HOLD.go.
"""

import subprocess

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int ends(const char *path, const char *variable) {
    const char *end = getenv(variable);
    if (!end) return 0;
    char name[256];
    const char *star = strchr(end, '*');
    if (star) snprintf(name, sizeof name, "%.*s%d", (int)(star - end), end, (int)getpid());
    else snprintf(name, sizeof name, "%s", end);
    size_t all = strlen(path), part = strlen(name);
    return all >= part && strcmp(path + all - part, name) == 0;
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    static int done;
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    int result = real(fd, address, length);
    if (result == 0 && address->sa_family == AF_UNIX && !done) {
        const char *path = ((const struct sockaddr_un *)address)->sun_path;
        if (ends(path, "SWAP_NAME")) {
            char moved[300];
            snprintf(moved, sizeof moved, "%s-moved", path);
            rename(path, moved);
            if (symlink(getenv("SWAP_FOR"), path) != 0) abort();
            done = 1;
        }
    }
    return result;
}

static void hold(const char *path) {
    if (!ends(path, "HOLD_NAME")) return;
    char name[300], byte = 'x';
    snprintf(name, sizeof name, "%s.here", getenv("HOLD"));
    int here = open(name, O_WRONLY);
    snprintf(name, sizeof name, "%s.go", getenv("HOLD"));
    int go = open(name, O_RDONLY);
    if (write(here, &byte, 1) != 1 || read(go, &byte, 1) != 1) abort();
    close(here);
    close(go);
}

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    hold(path);
    return real(path);
}

int unlinkat(int dir, const char *path, int flags) {
    int (*real)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
    hold(path);
    return real(dir, path, flags);
}
"""


def preloaded(directory, **variables):
    """The environment for a daemon with the library, which is made in the directory."""
    library = directory / "shim.so"
    if not library.exists():
        (directory / "shim.c").write_text(SOURCE, encoding="utf-8")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, directory / "shim.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), **{name: str(value) for name, value in variables.items()}}
