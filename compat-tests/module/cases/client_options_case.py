"""ClientOptions: command lines and configurations."""

import io
import os
import sys

from showing import show, text
from supervisor import options

FIELDS = ("configfile", "here", "interactive", "prompt", "serverurl", "username", "password", "history", "history_file",
          "args", "options", "progname", "plugin_factories", "searchpaths", "require_configfile", "positional_args_allowed")
CONFIGS = {
    "plain": "[supervisorctl]\nserverurl=unix://a/../s.sock\nusername=u\npassword=p ; secret\nprompt=pp\nhistory_file=%(here)s/h\n",
    "http": "[supervisorctl]\nserverurl=http://host:80\nhistory_file=\n",
    "empty": "[supervisorctl]\n", "none": "[other]\n", "bad": "[supervisorctl]\nserverurl=%(nope)s\n", "broken": "x\n",
    "environment": "[supervisorctl]\nprompt=%(ENV_ASKED)s\n", "here": "[supervisorctl]\nprompt=%(here)s\n", "latin": "[supervisorctl]\nprompt=\udcff\n",
    "plugin": "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=os.path:join\nother = 1\nMore=%(ENV_ASKED)s\n",
    "nofactory": "[supervisorctl]\n[ctlplugin:x]\na=b\n", "nomodule": "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=no.such:x\n",
    "noattribute": "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=os:nope\n", "nospec": "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=??\n",
}
LINES = [
    [], ["status"], ["-i"], ["-i", "status"], ["-s", "http://x:1", "status", "-x"], ["-s", "nope"], ["--serverurl=unix:///x"],
    ["-u", "me", "-p", "word"], ["-u", "a", "-u", "b"], ["--user", "me"], ["-r", "hist"], ["-h"], ["-?"], ["--help"], ["-z"],
    ["--nope"], ["-c"], ["--c=missing"], ["-c", "missing", "-h"], ["-ifoo"], ["--interactive", "x"], ["--", "-x"], ["-p", ""],
]


def realize(*args):
    made = options.ClientOptions()
    made.stderr, made.stdout = io.StringIO(), io.StringIO()
    try:
        made.realize(list(args), doc="Usage: %s.")
    except SystemExit as error:
        print(args, "exits", error.code, repr(made.stdout.getvalue()), repr(made.stderr.getvalue()))
        return None
    except Exception as error:
        print(args, "raises", type(error).__name__, error)
        return None
    print(args, {name: text(getattr(made, name)) for name in FIELDS})
    return made


os.environ["ASKED"] = "asked"
sys.argv[0] = "/prefix/bin/tool"
directory = os.getcwd()
for line in LINES:
    realize(*line)
for name, config in CONFIGS.items():
    with open(name, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(config)
    realize("-c", name)
    realize("-c", os.path.join(directory, name), "-u", "override", "-s", "http://override", "-r", "over", "status")
with open("supervisord.conf", "w", encoding="utf-8") as file:
    file.write(CONFIGS["plain"])
made = realize("status")
proxy = made.getServerProxy()
transport = proxy("transport")
print(transport.serverurl, transport.username, transport.password)
made = options.ClientOptions()
made.configfile = io.StringIO(CONFIGS["http"])
made.realize(["x"], doc="")
print(made.serverurl, made.here, made.args)
made = options.ClientOptions()
show("no usage", lambda: (setattr(made, "configfile", "none"), made.process_config(do_usage=False)))
