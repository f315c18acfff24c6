"""Asking both sides for the pages of the web interface, and recording what they tell."""

from urllib.parse import unquote

import webfacts
from harness import read_response
from scenario import scenario

CAT = """
[program:cat]
command=/bin/cat
startsecs=0
"""


def request(target, method="GET", headers=("Host: sv.example",), body=None, version="1.1"):
    """One request as bytes."""
    lines = [f"{method} {target} HTTP/{version}", *headers]
    data = b"" if body is None else body if isinstance(body, bytes) else body.encode()
    if body is not None:
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def ask(d, target, **more):
    """Status, headers and body of an answer."""
    line, headers, body = d.http(request(target, **more), see=False)
    return int(line.split()[1]), headers, body


def place(headers, d):
    """Where a redirect leads, readable and without times."""
    return webfacts.timeless(unquote(headers.get("location", "")))


def act(d, target, label=None, **more):
    """Records the status and the redirect of an action, and that no cache keeps it."""
    code, headers, _ = ask(d, target, **more)
    kept = [headers.get(name) for name in ("cache-control", "pragma", "expires", "content-type")]
    d.see(label or f"{more} {target}", (code, place(headers, d), kept))


def facts(d, target="/", **more):
    """The facts of the status page."""
    code, headers, body = ask(d, target, **more)
    assert code == 200, (code, body)
    return headers, webfacts.status(body, d.side)


def see_page(d, label, target="/", **more):
    """Records the facts of the status page and what is said about caching it."""
    headers, found = facts(d, target, **more)
    kept = [headers.get(name) for name in ("cache-control", "pragma", "expires", "content-type")]
    d.see(label, (kept, found))


def see_tail(d, query, **more):
    """Records the facts of the page of a log."""
    code, _, body = ask(d, f"/tail.html{query}", **more)
    d.see(f"tail.html{query} {more}", (code, webfacts.tail(body)))


GROUPS = """
[program:one]
command=/bin/cat
startsecs=0
[program:bad]
command=/no/such/file
autostart=false
startretries=0
[group:pair]
programs=one,bad
[program:fine]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
"""


def only_ours(config, start=True):
    """A scenario about what the reference does not have."""
    return scenario(config, start=start, only="ours")


def endless(d, target):
    """The answer to a request for a stream, after its headers."""
    stream = d.connect()
    stream.sendall(request(target))
    reader = stream.makefile("rb")
    assert " 200 " in read_response(reader, has_body=False)[0]
    return stream, reader
