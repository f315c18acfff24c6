"""The interface that RPC plugins inherit from, as far as it asks no daemon."""

from showing import show
from supervisor import rpcinterface, states
from supervisor.http import NOT_DONE_YET
from supervisor.xmlrpc import RPCError


class Config:
    def __init__(self, name):
        self.name = name


class Process:
    def __init__(self, name, state=20):
        self.config, self.state = Config(name), state

    def get_state(self):
        return self.state


class Supervisord:
    class options:
        mood = states.SupervisorStates.RUNNING


GROUP = Process("grp")
PROCESSES = [(GROUP, Process(name, state)) for name, state in (("grp", 20), ("b", 20), ("c", 100), ("d", 10), ("e", 40), ("f", 30))]
for _, process in PROCESSES:
    print(process.config.name, rpcinterface.isRunning(process), rpcinterface.isNotRunning(process),
          bool(rpcinterface.isSignallable(process)))


def call(name, word="", counts={}):
    if name == "grp:b":
        raise RPCError(10, word)
    if name in ("grp:d", "grp:f"):
        def later():
            counts[name] = counts.get(name, 0) + 1
            if counts[name] < 3:
                return NOT_DONE_YET
            if name == "grp:f":
                raise RPCError(40)
            return True
        return later
    return True


function = rpcinterface.make_allfunc(PROCESSES, rpcinterface.isRunning, call, word="w")
results = function()
while results is NOT_DONE_YET:
    results = function()
for result in results:
    print(sorted(result.items()))
print(rpcinterface.make_allfunc([], rpcinterface.isRunning, call)())

made = rpcinterface.make_main_rpcinterface(Supervisord)
print(type(made).__name__, rpcinterface.API_VERSION, rpcinterface.VERSION)
show("update", made._update, "x")
for mood in (states.SupervisorStates.SHUTDOWN, states.SupervisorStates.RESTARTING, None, 2):
    Supervisord.options.mood = mood
    show(mood, made._update, "x")
print(sorted(name for name in dir(rpcinterface.SupervisorNamespaceRPCInterface) if not name.startswith("_")))
