"""The listeners' protocol on streams, and what is made of an environment."""

import io
import os
import time

from showing import show
from supervisor import childutils

os.environ["TZ"] = "UTC"
time.tzset()
for line in ("", "a:1 b:2\n", "a:1 a:2", "a", "a:b:c", "a:", ":", "ä:ö x:\u00e9"):
    show(line, childutils.get_headers, line)
for payload in ("a:1\ndata", "a:1\n", "a:1", "", "\n\n", "a:1\nx\ny"):
    show(payload, childutils.eventdata, payload)
for now in (0, 1.5, 1700000000.999, 1700000000.9996, 86399):
    show(now, childutils.get_asctime, now)
print(len(childutils.get_asctime()))

out = io.StringIO()
for source in ("ver:3.0 len:5\nhello", "len:3\nab", "ver:3.0\n", "", "len:x\n", "len:2\né\n more"):
    show(source, childutils.listener.wait, io.StringIO(source), out)
childutils.listener.ok(out)
childutils.listener.fail(out)
childutils.listener.send("two\nlines é", out)
childutils.listener.ready(stdout=out)
print(repr(out.getvalue()))
fp = io.BytesIO()
childutils.pcomm.send(b"said", fp)
print(fp.getvalue())

for env in ({}, {"SUPERVISOR_SERVER_URL": "http://h:1"}, {"SUPERVISOR_SERVER_URL": "unix:///s", "SUPERVISOR_USERNAME": "u"},
            {"SUPERVISOR_SERVER_URL": "ftp://x"}, {"SUPERVISOR_SERVER_URL": "http://h:x"}, {"SUPERVISOR_SERVER_URL": "HTTP://h"}):
    transport = show(env, lambda env: type(childutils.getRPCTransport(env)).__name__, env)
    show(env, lambda env: sorted((k, v) for k, v in vars(childutils.getRPCTransport(env)).items()
                                 if k in ("username", "password", "serverurl", "verbose")), env)
    show(env, childutils.getRPCInterface, env)
