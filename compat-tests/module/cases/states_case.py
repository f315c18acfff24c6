"""States and their descriptions."""

from supervisor import states

for name in ("ProcessStates", "SupervisorStates", "EventListenerStates"):
    print(name, sorted((k, v) for k, v in vars(getattr(states, name)).items() if not k.startswith("_")))
print(states.STOPPED_STATES, states.RUNNING_STATES, states.SIGNALLABLE_STATES)
for code in [*range(-3, 50), 100, 200, 1000, None, "10", 10.0]:
    print(code, states.getProcessStateDescription(code), states.getSupervisorStateDescription(code),
          states.getEventListenerStateDescription(code))
