"""The hierarchy of events, their payloads, subscriptions."""

from showing import show
from supervisor import events, states


class Named:
    def __init__(self, name):
        self.name = name


class Process:
    pid, backoff = 42, "3"

    def __init__(self, name, group):
        self.config = Named(name)
        self.group = group


class Group:
    config = Named("grp")


for name, event in sorted(vars(events.EventTypes).items()):
    if not name.startswith("_"):
        ancestors = [ancestor.__name__ for ancestor in event.__mro__ if not ancestor.__name__.startswith("_")]
        print(name, ancestors, events.getEventNameByType(event), getattr(event, "period", ""), getattr(event, "channel", ""))
print([event.__name__ for event in events.TICK_EVENTS], events.getEventNameByType(int))
print(events.ProcessCommunicationEvent.BEGIN_TOKEN, events.ProcessCommunicationEvent.END_TOKEN)

SEEN = []
for process in (Process("p", None), Process("wörker", Group())):
    for kind in (events.ProcessLogStdoutEvent, events.ProcessLogStderrEvent,
                 events.ProcessCommunicationEvent, events.ProcessCommunicationStdoutEvent, events.ProcessCommunicationStderrEvent):
        for data in (b"plain\nlines", "té".encode(), b"\xff\xfe", "text", b""):
            show(kind.__name__, kind(process, 7, data).payload)
    for name, event in sorted(vars(events.EventTypes).items()):
        if name.startswith("PROCESS_STATE"):
            for state in (states.ProcessStates.STARTING, 77):
                made = event(process, state, expected=False)
                process.pid += 1
                print(name, made.payload(), made.frm, made.to, made.get_extra_values(), made.extra_values)
print(events.RemoteCommunicationEvent("t", "d").payload())
print(repr(events.SupervisorRunningEvent().payload()), repr(events.SupervisorStoppingEvent().payload()))
print(repr(events.ProcessGroupAddedEvent("g").payload()), repr(events.Tick5Event(5, None).payload()))
rejected = events.EventRejectedEvent(process, "e")
print(rejected.event, isinstance(rejected, events.Event))


def keep(event):
    SEEN.append(type(event).__name__)


events.subscribe(events.TickEvent, keep)
events.subscribe(events.Event, keep)
for event in (events.Tick5Event(1, None), events.SupervisorRunningEvent(), rejected, "text"):
    events.notify(event)
events.unsubscribe(events.Event, keep)
events.notify(events.SupervisorRunningEvent())
show("unsubscribe", events.unsubscribe, events.Event, keep)
print(SEEN, len(events.callbacks))
events.clear()
print(events.callbacks)


class Mine(events.Event):
    pass


events.register("MINE", Mine)
print(events.getEventNameByType(Mine), events.EventTypes.MINE is Mine)
