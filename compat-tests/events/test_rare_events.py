"""Events that do not come by themselves in a test: ticks of every period, and a process that cannot be signalled."""

import os
import shutil
import time
import xmlrpc.client

import pytest

from building import compile_c
from harness import wait_for
from listeners import comparable, events, fields, install, listener, wait_events
from scenario import scenario

# Real time, moved by a number of seconds.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *shift = getenv("CLOCK_SHIFT");
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME && shift != NULL)
        now->tv_sec += atol(shift);
    return result;
}
"""

HOUR_SECS = 3600
# Time for both daemons and their listeners to start before the hour begins.
LEAD_SECS = 15
PERIODS = (5, 60, HOUR_SECS)


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
@scenario(listener("rec", "events=TICK"), start=False)
def test_ticks_of_every_period(d):
    """For the daemons an hour begins in a moment."""
    install(d)
    library = compile_c(d, "clock.so", CLOCK, "-shared", "-fPIC", "-ldl")
    shift = HOUR_SECS - int(time.time()) % HOUR_SECS - LEAD_SECS
    d.start(env={"LD_PRELOAD": library, "CLOCK_SHIFT": str(shift)})
    wait_events(d, "rec", "TICK_3600")
    got = {}
    for header, payload in events(d, "rec"):
        name, when = fields(header)["eventname"], int(payload.removeprefix("when:"))
        assert when % int(name.removeprefix("TICK_")) == 0, (header, payload)
        got.setdefault(when, []).append(comparable((header, payload)))
    d.see("at the hour", got[max(got)])
    assert len(got[max(got)]) == len(PERIODS) and max(got) % HOUR_SECS == 0


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root and util-linux's setpriv")
@scenario(listener("rec", "events=PROCESS_STATE") + """
[program:untouchable]
command=/bin/sleep 1000000
user=nobody
autostart=false
startsecs=0
""", start=False)
def test_a_process_that_cannot_be_signalled(d):
    """The daemon lacks the right to signal the processes of others."""
    install(d)
    d.start(wrap=("setpriv", "--bounding-set", "-kill"))
    d.rpc("supervisor.startProcess", "untouchable")
    d.note_pid("untouchable")
    wait_for(lambda: os.stat(f"/proc/{d.pids['untouchable']}").st_uid != 0, "the program to be its user's")
    # It is there for ever, as far as the daemon is concerned.
    d.allowed_leftovers = True
    with pytest.raises(xmlrpc.client.Fault, match="FAILED: unknown problem killing untouchable"):
        d.rpc("supervisor.stopProcess", "untouchable")
    wait_events(d, "rec", "PROCESS_STATE_UNKNOWN")
    # The reference forgets a process that lives; ours does not let it go.
    kept = lambda got: isinstance(got, dict) and got.get("fault") == 91
    d.expect("remove", d.outcome("removeProcessGroup", "untouchable"), python=True, ours=kept)
    d.outcome("addProcessGroup", "untouchable")
    d.see("events", [comparable(event) for event in events(d, "rec") if "processname:untouchable" in event[1]])
