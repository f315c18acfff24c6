"""Controller and plugins, without a daemon."""

import io
import re

from showing import show
from supervisor import supervisorctl
from supervisor.compat import xmlrpclib
from supervisor.options import ClientOptions
from supervisor.xmlrpc import Faults


class Plugin(supervisorctl.ControllerPluginBase):
    def do_greet(self, arg):
        self.ctl.output(f"hello {arg!r}")

    def help_greet(self):
        self.ctl.output("greet\tSays hello.")

    def do_documented(self, arg):
        """documented\tHas a text."""

    def do_bare(self, arg):
        raise ValueError("bare raises")

    def do_fault(self, arg):
        raise xmlrpclib.Fault(10, "BAD_NAME: x")

    def do_protocol(self, arg):
        raise xmlrpclib.ProtocolError("h", int(arg), "words", {})

    def do_status(self, arg):
        self.ctl.output("never")

    def do_leave(self, arg):
        return True

    def do_check(self, arg):
        self.ctl.output(str(self.ctl.upcheck()))

    def do_code(self, arg):
        self.ctl.set_exitstatus_from_xmlrpc_fault(int(arg), Faults.ALREADY_STARTED)


class Words(supervisorctl.ControllerPluginBase):
    """A plugin that makes itself and overrides the help."""

    def __init__(self, controller, **config):
        self.ctl, self.config = controller, config

    def do_words(self, arg):
        self.ctl.output(f"{arg} {sorted(self.config.items())}")

    def do_help(self, arg):
        self.ctl.output(f"words help {arg!r}")


def options():
    made = ClientOptions()
    made.realize(["-s", "http://127.0.0.1:1", "status"], doc="")
    return made


made = options()
made.plugin_factories += [("x", Plugin, {}), ("y", Words, {"a": "1"})]
out = io.StringIO()
controller = supervisorctl.Controller(made, stdout=out)
print(sorted(set(controller.vocab)), [plugin.name for plugin in made.plugins], controller.prompt)
for line in ("greet", "greet  a  b ", "documented", "bare", "fault", "protocol 500", "protocol 401", "nope", "nope x", "", "  ",
             "!x", "!", "?greet", "? greet", "help greet", "help documented", "help bare", "help nope", "help", "help words",
             "words q", "leave", "greet;x", "greet-x", "gre", "EOF", "help help", "help EOF", "check", "code 10", "code 50",
             "code 60", "code 80", "code 70", "open ftp://x", "open"):
    show(repr(line), lambda line: bool(controller.onecmd(line)), line)
    if line.startswith("open"):
        print("  ", out.getvalue().startswith("ERROR"), controller.exitstatus)
    else:
        print("  ", controller.exitstatus, re.sub(r": file: \S+ line: \d+", "", repr(out.getvalue())))
    controller.exitstatus = 0
    out.seek(0)
    out.truncate()
for kind in (supervisorctl.LSBInitExitStatuses, supervisorctl.LSBStatusExitStatuses):
    print(sorted((k, v) for k, v in vars(kind).items() if k.isupper()))
print(supervisorctl.DEAD_PROGRAM_FAULTS, Plugin.name, supervisorctl.ControllerPluginBase(None).doc_header)
made.serverurl = "unix:///no/such/socket"
print(controller.upcheck(), controller.exitstatus, out.getvalue())
