"""ServerOptions: what a configuration says, or what is wrong with it."""

import io
import os

from showing import text
from supervisor import options

BASE = "[supervisord]\nenvironment=ALL=%(ENV_ASKED)s\n"
CONFIGS = {
    "plain": BASE + "[program:web]\ncommand=/bin/cat -x\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d\nuser=root\n"
    "environment=A=\"b,c\",C=d\npriority=5\nautorestart=true\nstderr_logfile=NONE\nstopsignal=HUP\numask=022\nexitcodes=0,3\n"
    "stdout_logfile=%(here)s/log\nstdout_logfile_maxbytes=1KB\ndirectory=/tmp\n[program:off]\ncommand=/bin/cat\nautorestart=false\n"
    "redirect_stderr=true\nautostart=false\nserverurl=http://x:1\n",
    "listener": BASE + "[eventlistener:l]\ncommand=/bin/cat\nevents=TICK_5,PROCESS_STATE\nbuffer_size=7\n",
    "fcgi": BASE + "[fcgi-program:f]\nsocket=tcp://localhost:1234\ncommand=/bin/cat\n[fcgi-program:u]\nsocket=unix://%(here)s/s\n"
    "socket_mode=0700\nsocket_owner=root:root\nsocket_backlog=5\ncommand=/bin/cat\n",
    "group": BASE + "[program:a]\ncommand=/bin/cat\n[program:b]\ncommand=/bin/cat\n[group:g]\nprograms=a,b\npriority=7\n",
    "syslog": BASE + "[program:a]\ncommand=/bin/cat\nstdout_logfile=syslog\n",
    "include": BASE + "[include]\nfiles=*.ini none/*.ini\n",
    "empty": BASE, "none": "[program:a]\ncommand=/bin/cat\n", "junk": BASE + "junk\n", "nocommand": BASE + "[program:a]\n",
    "value": BASE + "[program:a]\ncommand=/bin/cat\nstartsecs=x\n", "name": BASE + "[program:a b]\ncommand=/bin/cat\n",
    "expansion": BASE + "[program:a]\ncommand=%(nope)s\n", "unknown": BASE + "[group:g]\nprograms=nope\n",
    "noevents": BASE + "[eventlistener:l]\ncommand=/bin/cat\n",
    "nodirectory": "[supervisord]\nlogfile=/no/such/log\n",
}


def plain(value):
    return [plain(each) for each in value] if isinstance(value, list) else text(value)


def describe(group):
    print(" ", type(group).__name__, group.name, group.priority)
    if hasattr(group, "socket_config"):
        print("    socket", sorted((k, v) for k, v in vars(group.socket_config).items()))
    if hasattr(group, "pool_events"):
        print("    pool", sorted(event.__name__ for event in group.pool_events), group.buffer_size, group.result_handler.__name__)
    for process in group.process_configs:
        names = process.req_param_names + process.optional_param_names
        print("    process", type(process).__name__, {name: plain(getattr(process, name)) for name in names})


def read(name):
    for do_usage in (True, False):
        made = options.ServerOptions()
        made.stderr, made.stdout = io.StringIO(), io.StringIO()
        try:
            if do_usage:
                made.realize(["-c", name], doc="")
            else:
                made.configfile = name
                made.process_config(do_usage=False)
        except SystemExit as error:
            print(name, "exits", error.code, repr(made.stderr.getvalue()))
        except ValueError as error:
            print(name, "raises", repr(str(error)))
        else:
            print(name, made.configfile, made.here, made.parse_criticals, made.parse_warnings, made.parse_infos)
            for group in made.process_group_configs:
                describe(group)


path = os.environ["PATH"]
os.environ.clear()
os.environ.update({"ASKED": "asked", "PATH": path, "HOME": "/"})
with open("extra.ini", "w", encoding="utf-8") as file:
    file.write("[program:extra]\ncommand=/bin/cat\n")
for name, config in CONFIGS.items():
    with open(name, "w", encoding="utf-8") as file:
        file.write(config)
    read(name)
read("missing")
