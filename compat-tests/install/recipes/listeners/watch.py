import sys

from supervisor import childutils

while True:
    headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
    event, data = childutils.eventdata(payload + "\n")
    if event["processname"] == "web":
        print(headers["eventname"], event["processname"], "from", event["from_state"], file=sys.stderr)
    childutils.listener.ok(sys.stdout)
