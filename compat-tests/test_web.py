"""The web interface: the same addresses, answers and facts as the reference's."""

import re
import signal
import socket
from urllib.parse import quote, unquote

import webfacts
from harness import free_port, read_response, wait_for
from scenario import scenario

CAT = """
[program:cat]
command=/bin/cat
startsecs=0
"""

# A program in every state, each as long as nobody touches it.
BACKOFF = """
[program:backoff]
command=/bin/sh -c "exit 1"
startsecs=36000
startretries=1000
"""
STATES = """
[program:running]
command=/bin/cat
startsecs=0
[program:stopped]
command=/bin/cat
autostart=false
startsecs=0
[program:exited]
command=/bin/cat
startsecs=0
autorestart=false
[program:missing]
command=/no/such/file
startretries=0
[program:forbidden]
command=/etc/passwd
startretries=0
[program:failing]
command=/bin/sh -c "exit 3"
autostart=false
startretries=0
[program:starting]
command=/bin/cat
startsecs=36000
[program:stopping]
command=/bin/sh -c "trap '' TERM; echo ready; exec sleep 36000"
stdout_logfile=%(here)s/stopping.out
startsecs=0
stopwaitsecs=36000
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


def settle(d):
    """Brings every program of STATES into its state."""
    d.wait_state("exited", "RUNNING")
    d.note_pid("exited")
    d.kill("exited")
    for name, state in (("running", "RUNNING"), ("exited", "EXITED"), ("missing", "FATAL"), ("forbidden", "FATAL"),
                        ("starting", "STARTING"), ("stopping", "RUNNING")):
        d.wait_state(name, state)
    d.note_pid("stopping")
    d.wait_file("stopping.out", "ready")  # now it ignores the signal
    d.rpc("supervisor.stopProcess", "stopping", False)
    d.wait_state("stopping", "STOPPING")


@scenario(STATES)
def test_every_state_has_its_facts(d):
    settle(d)
    see_page(d, "all states")
    d.kill("stopping")


@scenario(BACKOFF)
def test_a_program_that_is_tried_again(d):
    def waits():
        found = facts(d)[1]
        return found if found["programs"][0]["state"] == "backoff" else None
    d.see("waiting for the next try", wait_for(waits, "backoff is never shown"))


@scenario(STATES)
def test_every_action_in_every_state(d):
    settle(d)
    for name in ("running", "stopped", "exited", "missing", "forbidden", "starting", "stopping"):
        act(d, f"/index.html?processname={name}&action=clearlog")
    for name in ("running", "missing", "forbidden", "starting", "stopping"):
        act(d, f"/index.html?processname={name}&action=start")
    for name in ("stopped", "exited", "missing", "forbidden", "stopping"):
        act(d, f"/index.html?processname={name}&action=stop")
    see_page(d, "nothing has changed")
    for name in ("running", "starting"):
        act(d, f"/index.html?processname={name}&action=stop")
    for name in ("running", "stopped", "exited"):
        act(d, f"/?action=start&processname={name}")
    for name in ("running", "stopped", "exited", "missing", "forbidden"):
        act(d, f"/index.html?processname={name}&action=restart")
    for name in ("running", "stopped", "exited"):
        d.wait_state(name, "RUNNING")
    see_page(d, "after the actions")
    d.kill("stopping")


@scenario(STATES)
def test_programs_that_cannot_start(d):
    settle(d)
    act(d, "/?processname=failing&action=start")
    d.kill("stopping")


@scenario(BACKOFF)
def test_actions_while_it_is_tried_again(d):
    def waits(): return d.rpc("supervisor.getProcessInfo", "backoff")["statename"] == "BACKOFF"
    wait_for(waits, "no backoff")
    act(d, "/?processname=backoff&action=start")
    act(d, "/?processname=backoff&action=clearlog")
    act(d, "/?processname=backoff&action=stop")
    see_page(d, "stopped")


@scenario(CAT + """
[program:off]
command=/bin/cat
autostart=false
startsecs=0
""")
def test_actions_on_everything(d):
    d.wait_state("cat", "RUNNING")
    act(d, "/?action=refresh")
    act(d, "/index.html?action=refresh&processname=cat")
    act(d, "/index.html?action=restartall")
    for name in ("cat", "off"):
        d.wait_state(name, "RUNNING")
    see_page(d, "both run")
    act(d, "/index.html?action=stopall")
    see_page(d, "both stopped")
    act(d, "/index.html", method="POST", body="action=restartall")
    see_page(d, "both run again")
    act(d, "/index.html?action=stopall&processname=cat")


@scenario("""
[program:one]
command=/bin/cat
startsecs=0
[program:two]
command=/bin/cat
autostart=false
[group:pair]
programs=one,two
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=3
autostart=false
startsecs=0
""")
def test_groups(d):
    d.wait_state("pair:one", "RUNNING")
    see_page(d, "groups")
    for name in ("pair:one", "many:many_1", "one", "pair", "pair:", "pair:*", "*", ":", "pair:one:x", "many:many_9", "none"):
        act(d, f"/?action=stop&processname={quote(name)}")
    for name in ("many:many_0", "pair:*", "nope"):
        for action in ("start", "restart", "clearlog"):
            act(d, f"/?action={action}&processname={quote(name)}")
    # A name that does not exist is told before an action that does not.
    act(d, "/?action=nonsense&processname=nope")
    see_page(d, "after the actions")
    see_tail(d, "?processname=pair%3Aone")
    see_tail(d, "?processname=pair:*")
    see_tail(d, "?processname=pair")


@scenario()
def test_no_programs(d):
    see_page(d, "nothing to manage")
    act(d, "/?action=stopall")
    act(d, "/?action=restartall")
    act(d, "/?action=start&processname=x")


HOSTILE = ["<b>bold</b>", "a&b", "a'b", 'a"b', "100%", "a+b", "a=b", "ünïcödé", "a?b", "javascript", "a{b}", "名前",
           "</script><script>alert(1)</script>"]


# The reference itself refuses colons, slashes and spaces; slashes of a closing tag come in by an expansion.
@scenario("".join(f"""
[program:p{number}]
command=/bin/sh -c "printf '%%s' 'I am <{number}> <i>x</i>;'; exec cat"
process_name={name.replace('%', '%%').replace('/', '_')}
startsecs=0
stdout_logfile=%(here)s/{number}.out
""" for number, name in enumerate(HOSTILE)))
def test_hostile_names(d):
    names = [f"p{number}:{name.replace('/', '_')}" for number, name in enumerate(HOSTILE)]
    for number, name in enumerate(names):
        d.wait_state(name, "RUNNING")
        d.wait_file(f"{number}.out", "am")
    see_page(d, "they are text")
    for number, name in enumerate(names):
        act(d, f"/?action=restart&processname={quote(name)}")
        d.wait_file(f"{number}.out", "am", 2)
        see_tail(d, f"?processname={quote(name)}")
        act(d, "/index.html", method="POST", body=f"action=clearlog&processname={quote(name)}")
        see_tail(d, f"?processname={quote(name)}")
    # The reference shows its entities as they are.
    page = facts(d, "/?message=%26amp%3B")[1]
    d.expect("an entity in a message", page["message"], python="&", ours="&amp;")
    for name in ("<b>x</b>", "a b", '"><script>alert(1)</script>', "x\r\nSet-Cookie: a=b", "é", "%", "a/b", "\0"):
        act(d, f"/?action=start&processname={quote(name)}")
        see_tail(d, f"?processname={quote(name)}")


@scenario(CAT)
def test_messages(d):
    for query in ("?message=hello", "?message=", "?message", "?message=a&message=b", "?message=a+b%20c", "?message=%zz%4",
                  "?message=%3Cb%3Ebold%3C/b%3E", "?message=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "?message=a;b=c",
                  "?x;message=a", "?&&message=a&", "?message=a=b", "?message=%ff", "?message=%C3%A9", "?MESSAGE=a", "?=a",
                  "?action=&message=a", "?" + "x=y&" * 500 + "message=late", "?message=" + "z" * 4000):
        see_page(d, query[:80], f"/{query}")
    for body in ("message=posted", "message=a&message=b", "message", "message=", "nonsense", "message=%3Ci%3E+x", "\r\n",
                 "message=a\r\n", "message=é"):
        see_page(d, f"body {body!r}", "/index.html?message=query", method="POST", body=body)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
        see_page(d, kind, "/", method="POST", body="message=whatever", headers=["Host: x", f"Content-Type: {kind}"])


@scenario(CAT)
def test_addresses(d):
    d.wait_state("cat", "RUNNING")
    for target in ("/", "//", "/?", "///index.html", "/index.html", "/%69ndex.html", "/index.html?x=y", "//tail.html"):
        code, headers, _ = ask(d, target)
        d.see(target, (code, headers.get("content-type")))
    for target in ("/index.html/", "/index.html/x", "/INDEX.html", "/index", "/index.htm", "/nope", "/ok", "/ok.html/x", "/tail",
                   "/stylesheets/", "/stylesheets/nope.css", "/images/", "/images/nope.gif", "/Images/icon.png",
                   "/ui/status.html", "/../web.py", "/../../web.py", "/stylesheets/../../web.py",
                   "/..%2f..%2fweb.py", "/%2e%2e/web.py", "/etc/passwd", "//etc/passwd",
                   "/stylesheets%00.css", "/favicon.ico", "/robots.txt", "/*", "/cgi-bin/x?y"):
        code, _, body = ask(d, target)
        d.see(target, code)
        assert "root:" not in body and "import os" not in body
    for target, code in (("/stylesheets/supervisor.css/", 200), ("/stylesheets", 301), ("/....//web.py", 301), ("/..", 301)):
        d.expect(target, ask(d, target)[0], python=code, ours=404)
    for target in ("/ok.html", "//ok.html", "/ok.html?x=y"):
        code, headers, body = ask(d, target)
        d.see(target, (code, headers.get("content-type"), headers.get("content-length"), body))
    code, headers, body = ask(d, "/ok.html", method="POST", body="a=b")
    d.see("POST /ok.html", (code, headers.get("content-type"), body))


@scenario(CAT)
def test_files(d):
    for target, kind in (("/stylesheets/supervisor.css", "text/css"), ("//stylesheets/supervisor.css", "text/css"),
                         ("/images/icon.png", "image/png"), ("/images/icon.png?x=y", "image/png")):
        code, headers, body = ask(d, target)
        d.see(target, (code, headers["content-type"].split(";")[0]))
        assert headers["content-type"].split(";")[0] == kind
        assert body
        code = ask(d, target, method="POST", body="x")[0]
        d.see(f"POST {target}", code)
    if d.side == "ours":
        for target, kind in (("/scripts/supervisor.js", "text/javascript"), ("/images/icon.svg", "image/svg+xml")):
            code, headers, body = ask(d, target)
            assert (code, headers["content-type"].split(";")[0]) == (200, kind) and body
            tag = headers["etag"]
            code, headers, body = ask(d, target, headers=["Host: x", f"If-None-Match: {tag}"])
            assert (code, headers["etag"], body) == (304, tag, "")
            assert ask(d, target, headers=["Host: x", 'If-None-Match: "other"'])[0] == 200
    for target in ("/status.html", "/images/supervisor.gif"):
        d.expect(target, ask(d, target)[0], python=200, ours=404)


def head(d, target, method="HEAD"):
    """The status and some headers of an answer whose body nobody reads."""
    with d.connect() as stream:
        stream.sendall(request(target, method=method, headers=["Host: x", "Connection: close"]))
        line, headers, _ = read_response(stream.makefile("rb"), has_body=False)
    return int(line.split()[1]), headers.get("content-type", "").split(";")[0]


@scenario(CAT)
def test_methods(d):
    for target in ("/", "/index.html", "/ok.html", "/nope", "/stylesheets/supervisor.css", "/images/icon.png", "/images/nope.png"):
        d.see(f"HEAD {target}", head(d, target))
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
            d.see(f"{method} {target}", head(d, target, method))
    d.expect("HEAD of the page of logs", head(d, "/tail.html")[0], python=200, ours=404)
    for target in ("/nope", "/index.html/x", "/stylesheets/"):
        d.see(f"POST {target}", ask(d, target, method="POST", body="a=b")[0])


@scenario(CAT)
def test_post_forms(d):
    d.wait_state("cat", "RUNNING")
    for target, body in (("/", "action=stop&processname=cat"),
                         ("/index.html", "processname=cat&action=start"),
                         # The body wins over the query, its last value over the first.
                         ("/index.html?action=start&processname=cat", "action=stop&processname=nope&processname=cat"),
                         ("/index.html?action=start&action=stop&processname=cat", "x=y"),
                         ("/index.html?action=clearlog", "processname=cat"),
                         ("/index.html?processname=cat", "action=stop&action="),
                         ("/?processname=cat&processname=nope&action=start", "&"),
                         ("/", "action=refresh&message=x")):
        act(d, target, f"{target} {body}", method="POST", body=body)
    see_page(d, "a body without an action", "/", method="POST", body="processname=cat")
    see_tail(d, "", method="POST", body="processname=cat&limit=2000")
    code = ask(d, "/", method="POST")[0]
    d.expect("no length", code, python=411, ours=200)
    if d.side == "ours":
        assert ask(d, "/", method="POST", body="")[0] == 200  # the reference never answers


HOSTS = ["sv.example", "sv.example:80", "sv.example:8080", "sv.example:", "sv.example:080", "sv.example:443", "127.0.0.1:9001",
         "[::1]:9001", "[::1]:80", "[::1]", "SV.Example", "  sv.example  ", "sv.example:http", "a:b:80", "", "sv_1.example"]


@scenario(CAT)
def test_redirects_name_the_host(d):
    for host in HOSTS:
        act(d, "/?action=refresh", f"Host: {host!r}", headers=[f"Host: {host}"])
    act(d, "/?action=refresh", "no host", headers=[])
    act(d, "/?action=refresh", "HTTP/1.0", headers=[], version="1.0")
    act(d, "/?action=refresh", "HTTP/1.0 with a host", version="1.0")
    act(d, "/?action=refresh", "lower case", headers=["host: sv.example:81"])
    act(d, "/?action=refresh", "behind a proxy", headers=["Host: inner:9001", "X-Forwarded-Host: outer", "X-Forwarded-Proto: https"])
    act(d, "/sub/?action=refresh", "a prefix that was not stripped")
    act(d, "/index.html?action=start&processname=%0d%0aSet-Cookie:x", "a line end in a name")


@scenario(CAT, start=False)
def test_redirects_of_an_inet_server(d):
    port = free_port()
    d.places.append((str(port), "<PORT>"))
    d.config.write_text(d.config.read_text() + f"[inet_http_server]\nport=127.0.0.1:{port}\n")
    d.start()
    for label, headers in (("no host", []), ("empty", ["Host:"]), ("address", [f"Host: 127.0.0.1:{port}"]), ("name", ["Host: x"])):
        with socket.create_connection(("127.0.0.1", port)) as stream:
            stream.sendall(request("/?action=refresh", headers=headers))
            line, answered, _ = read_response(stream.makefile("rb"))
        d.see(label, (line, place(answered, d)))


AUTH = ["", "Basic dXNlcjp3cm9uZw==", "Basic b3RoZXI6cGFzcw==", "Bearer x", "Basic dXNlcjpwYXNz"]


@scenario(CAT, start=False)
def test_authentication(d):
    config = d.config.read_text().replace("[supervisord]", "username=user\npassword=pass\n[supervisord]")
    d.config.write_text(config)
    d.username, d.password = "user", "pass"
    d.start()
    d.wait_state("cat", "RUNNING")
    for target in ("/", "/index.html?action=stopall", "/tail.html?processname=cat", "/ok.html", "/nope", "/images/icon.png",
                   "/stylesheets/supervisor.css", "/logtail/nope"):
        for credentials in AUTH:
            if credentials == AUTH[-1] and "action" in target:
                continue
            headers = ["Host: x", *([f"Authorization: {credentials}"] if credentials else [])]
            code, answered, _ = ask(d, target, headers=headers)
            d.see(f"{target} {credentials}", (code, answered.get("www-authenticate")))
    d.call("getProcessInfo", "cat")
    act(d, "/index.html?action=stopall", "with the password", headers=["Host: x", f"Authorization: {AUTH[-1]}"])
    d.call("getProcessInfo", "cat")


@scenario("""
[program:talker]
command=/bin/sh -c "i=0; while [ $i -lt 400 ]; do echo line $i '<b>&</b>'; i=$((i+1)); done; echo oops >&2; exec cat"
startsecs=0
stdout_logfile=%(here)s/talker.out
stderr_logfile=%(here)s/talker.err
[program:silent]
command=/bin/cat
stdout_logfile=NONE
startsecs=0
[program:never]
command=/bin/cat
autostart=false
stdout_logfile=%(here)s/gone.out
""")
def test_the_page_of_a_log(d):
    d.wait_file("talker.out", "line 399")
    d.wait_file("talker.err", "oops")
    # The reference has opened it at its start.
    (d.root / "gone.out").unlink(missing_ok=True)
    for query in ("", "?processname=", "?limit=5", "?processname=talker", "?processname=silent", "?processname=nope",
                  "?processname=never", "?processname=talker:*", "?processname=talker&processname=nope"):
        see_tail(d, query)
    for limit in ("5", "0", "1024", "1025", "3000", "100000", "-3000", "+3000", "3e3", "", "x", "%203000", "3_000", "0x400", "3000.0"):
        see_tail(d, f"?processname=talker&limit={limit}")
    (d.root / "talker.err").write_bytes(b"x")
    (d.root / "talker.out").write_bytes(b"<\xff>")
    code, _, body = ask(d, "/tail.html?processname=talker")
    d.expect("not UTF-8", code, python=500, ours=200)
    if d.side == "ours":
        assert webfacts.tail(body)["text"] == "<\ufffd>"
        _, _, body = ask(d, "/tail.html?processname=talker&channel=stderr")
        assert webfacts.tail(body)["text"] == "x"
        for limit in (1024, 4096):
            _, _, body = ask(d, f"/mainlog.html?limit={limit}")
            assert d.log_text().endswith(webfacts.tail(body)["text"])


@scenario(CAT)
def test_streams_by_prefix(d):
    d.wait_state("cat", "RUNNING")
    for target in ("/logtail/cat", "/logtailing/cat", "/logtail/cat/stderr", "/logtail/cat:cat", "/logtail//cat", "/logtail/cat/",
                   "/logtail/c%61t", "/logtail/cat?x=y", "/logtail/cat;x", "/logtail/cat/stdout/x", "/logtail/cat/stdin",
                   "/logtail/nope", "/logtail/cat:*", "/mainlogtail", "/mainlogtail/x", "/mainlogtail?x=y"):
        with d.connect() as stream:
            stream.sendall(request(target))
            line, headers, _ = read_response(stream.makefile("rb"), has_body=False)
        d.see(target, (line, headers.get("content-type"), headers.get("transfer-encoding")))


@scenario(CAT)
def test_connections_persist(d):
    d.wait_state("cat", "RUNNING")
    usual = None
    for version, header in (("1.1", "X: y"), ("1.0", "Connection: Keep-Alive"), ("1.0", "X: y"), ("1.1", "Connection: close")):
        with d.connect() as stream:
            reader = stream.makefile("rb")
            seen = []
            for target, method, body in (("/", "GET", None), ("/?action=refresh", "GET", None), ("/", "POST", "action=refresh"),
                                         ("/tail.html", "GET", None), ("/nope", "GET", None), ("/ok.html", "GET", None),
                                         ("/images/icon.png", "GET", None)):
                try:
                    stream.sendall(request(target, method=method, body=body, version=version, headers=["Host: x", header]))
                    line = read_response(reader)[0]
                except OSError:
                    line = ""
                seen.append(line)
            if header == "Connection: Keep-Alive":
                ours = [line.replace("1.1", "1.0") for line in usual]
                d.expect("kept by an old client", seen, python=[ours[0]] + [""] * 6, ours=ours)
            else:
                d.see(f"{version} {header}", seen)
            usual = usual or seen


@scenario(CAT)
def test_nonsense(d):
    d.wait_state("cat", "RUNNING")
    for target in ("/?action=nonsense", "/?action=start", "/?action=clearlog", "/?action=restart&processname=", "/?action=%00",
                   "/?action=nonsense&processname=cat", "/?action=STOP&processname=cat", "/?action=stop%20&processname=cat"):
        code, headers, body = ask(d, target)
        d.expect(target, code, python=500, ours=400)
        if d.side == "ours":
            assert "action" in webfacts.parse(body).find(role="alert")[0].text()
    if d.side == "ours":
        code, headers, body = ask(d, "/", method="POST", body="action=nonsense", headers=["Host: x", "Accept: application/json"])
        assert (code, headers["content-type"], body) == (400, "application/json", '{"message": "There is no action \\"nonsense\\"."}')
        assert ask(d, "/index.html;x")[0] == 200  # the reference never answers
    see_page(d, "unharmed")


@scenario(STATES)
def test_on_the_way_down(d):
    settle(d)
    d.signal(signal.SIGTERM)

    def leaving():
        d.nudge()
        return d.outcome("getState") != {"statecode": 1, "statename": "RUNNING"}
    wait_for(leaving, "it does not leave")
    d.expect("the page", ask(d, "/")[0], python=500, ours=200)
    if d.side == "ours":
        found = facts(d)[1]
        assert next(row for row in found["programs"] if row["name"] == "stopping")["state"] == "stopping"
        for form in ("action=start&processname=running", "action=stop&processname=running", "action=restart&processname=running",
                     "action=clearlog&processname=running", "action=stopall", "action=startall", "action=restartall",
                     "action=startgroup&groupname=running", "action=restartgroup&groupname=running"):
            location = place(ask(d, f"/?{form}")[1], d)
            assert "unexpected rpc fault [6] SHUTDOWN_STATE" in location, (form, location)
        assert ask(d, "/tail.html?processname=stopping")[0] == 200
        assert webfacts.tail(ask(d, "/tail.html?processname=stopping")[2])["text"] == "ready\n"
    d.kill("stopping")
    d.wait_exit()


@scenario(CAT, start=False)
def test_without_a_published_interface(d):
    text = d.config.read_text()
    d.config.write_text(re.sub(r"\[rpcinterface:supervisor\]\n.*\n", "", text))
    d.start(ready=False)
    wait_for(lambda: d.socket.exists() and _answers(d), "the socket does not answer")
    d.pid = d.process.pid
    act(d, "/?action=restart&processname=cat")
    act(d, "/?action=stop&processname=cat")
    see_page(d, "stopped")


def _answers(d):
    try:
        return ask(d, "/ok.html")[0] == 200
    except OSError:
        return False


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


@only_ours(GROUPS)
def test_actions_on_groups(d):
    d.wait_state("pair:one", "RUNNING")

    def do(form):
        code, headers, _ = ask(d, "/index.html", method="POST", body=form)
        assert code == 301
        return place(headers, d).removeprefix("http://sv.example/?message=")
    assert do("action=stopgroup&groupname=fine") == "Group fine stopped"
    assert {row["state"] for row in facts(d)[1]["programs"] if row["name"].startswith("fine")} == {"stopped"}
    assert do("action=startgroup&groupname=fine") == "Group fine started"
    pids = [d.pid_of(f"fine:fine_{number}") for number in (0, 1)]
    assert do("action=restartgroup&groupname=fine") == "Group fine restarted"
    assert not {d.pid_of(f"fine:fine_{number}") for number in (0, 1)} & set(pids)
    assert do("action=startgroup&groupname=pair") == "ERROR: Group pair: not started: pair:bad (NO_FILE: can't find command '/no/such/file')"
    assert do("action=startall") == "ERROR: not started: pair:bad (NO_FILE: can't find command '/no/such/file')"
    assert do("action=stopgroup&groupname=none") == "No such group named none"
    assert do("action=restartgroup&groupname=<b>") == "No such group named <b>"
    assert ask(d, "/", method="POST", body="action=startgroup")[0] == 400
    assert do("action=stopgroup&groupname=fine") == "Group fine stopped"
    d.rpc("supervisor.removeProcessGroup", "fine")
    assert do("action=startgroup&groupname=fine") == "No such group named fine"


@only_ours(CAT)
def test_answers_for_the_script(d):
    d.wait_state("cat", "RUNNING")
    for accept, code in (("application/json", 200), ("application/json, */*;q=0.1", 200), ("text/html,application/json", 301),
                         ("*/*", 301), ("", 301)):
        got, headers, body = ask(d, "/", method="POST", body="action=stop&processname=nope", headers=["Host: x", f"Accept: {accept}"])
        assert got == code, accept
        if code == 200:
            assert (headers["content-type"], body) == ("application/json", '{"message": "No such process named nope"}')
    # A link is followed by a person.
    assert ask(d, "/?action=refresh", headers=["Host: x", "Accept: application/json"])[0] == 301


@only_ours("""
[program:slow]
command=/bin/cat
autostart=false
startsecs=36000
""")
def test_a_client_that_goes_away_withdraws_its_call(d):
    with d.connect() as stream:
        stream.sendall(request("/?action=start&processname=slow"))
        d.wait_state("slow", "STARTING")
    # Nothing waits any more; a withdrawn call does not keep its process from anything.
    assert place(ask(d, "/?action=stop&processname=slow")[1], d).endswith("Process slow stopped")
