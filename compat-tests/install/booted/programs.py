"""What runs on a machine: five programs, one of them a service behind a script, which saves at its end."""

PROGRAMS = """\
[program:ticker]
command=/opt/ticker
stdout_logfile=/var/log/ticker.log
environment=GREETING="hello, world"

[program:saver]
command=/opt/saver-wrapper
stopasgroup=true
stdout_logfile=/var/log/saver.log

[program:plain]
command=/bin/sleep 1000000
user=nobody

[program:worker]
command=/bin/sh -c 'echo %(process_num)d; exec sleep 1000000'
process_name=%(program_name)s_%(process_num)d
numprocs=2
"""
NAMES = ["ticker", "saver", "plain", "worker:worker_0", "worker:worker_1"]
TICKER = """\
#!/bin/sh
echo "$GREETING, $FROM_DROP_IN, $(ulimit -n)"
while :; do date +%s.%N; sleep 0.05; done
"""
WRAPPER = """\
#!/bin/sh
# As many do: no exec.
/opt/saver
echo "the service has ended"
"""
SAVER = """\
#!/usr/bin/python3
import signal, sys, time

def save(*_):
    time.sleep(0.5)
    with open("/var/lib/saved", "a") as file:
        file.write("saved\\n")
    sys.exit(0)

signal.signal(signal.SIGTERM, save)
print("up", flush=True)
while True:
    signal.pause()
"""
DROP_IN = """\
[Service]
Environment=FROM_DROP_IN=still
LimitNOFILE=4321
TimeoutStopSec=120
"""


def install(machine, directory, service, suffix):
    """Writes programs, configuration and drop-in to where the package of this machine has them."""
    machine.write("/opt/ticker", TICKER, 0o755)
    machine.write("/opt/saver-wrapper", WRAPPER, 0o755)
    machine.write("/opt/saver", SAVER, 0o755)
    machine.write(f"{directory}/five{suffix}", PROGRAMS)
    machine.write(f"/etc/systemd/system/{service}.service.d/local.conf", DROP_IN)
