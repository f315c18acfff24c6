"""The web interface: the same addresses, methods, redirects and answers as the reference's."""

import socket

import webfacts
from harness import free_port, read_response
from scenario import scenario
from webasking import CAT, act, ask, place, request, see_page, see_tail


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
def test_an_encoded_question_mark(d):
    d.wait_state("cat", "RUNNING")
    for target in ("/index.html%3Faction=stop&processname=cat", "/%3faction=stop%26processname=cat"):
        d.rpc("supervisor.startProcess", "cat") if d.pid_of("cat") == 0 else None
        d.expect(target, [ask(d, target)[0], d.pid_of("cat") == 0], python=[301, True], ours=[404, False])


@scenario(CAT)
def test_absolute_addresses(d):
    d.wait_state("cat", "RUNNING")
    for target in ("http://sv.example/ok.html", "http://zzz/ok.html", "HTTP://zzz:9001/ok.html?x=y"):
        d.expect(target, ask(d, target)[0], python=404, ours=200)
    before = d.pid_of("cat")
    action = "http://zzz/?action=restart&processname=cat"
    # The address is the asker's own word: it neither makes a page ours, nor is anybody sent there.
    for foreign in ("Origin: http://zzz", "Referer: http://zzz/", "Sec-Fetch-Site: cross-site"):
        code = ask(d, action, headers=["Host: sv.example", foreign])[0]
        d.expect(f"{action} {foreign}", code, python=404, ours=403)
    assert d.pid_of("cat") == before
    code, headers, _ = ask(d, action)
    led = [code, place(headers, d), d.pid_of("cat") != before]
    d.expect(action, led, python=[404, "", False], ours=[301, "http://sv.example/?message=Process cat restarted", True])


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
