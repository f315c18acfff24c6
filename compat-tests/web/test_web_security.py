"""What the web interface refuses: other sites, other files, too much, too slow. All of it is about ours only."""

import re
import signal
import socket

import webfacts
from harness import WAIT_SECS, read_response, wait_for
from webasking import CAT, ask, endless, only_ours, place, request

PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
                               "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
HOST = "Host: sv.example:9001"
CLAIM = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"
# What every browser says, and hardly anybody else.
BROWSER = "Accept-Language: en-US,en;q=0.9"

# Headers of a request, and whether it is taken for one of ours.
ORIGINS = [
    ([], True),
    (["User-Agent: curl/8.5.0"], True),
    (["User-Agent: python-requests/2.32"], True),
    ([CLAIM], True),
    (["Sec-Fetch-Site: same-origin", BROWSER], True),
    (["Sec-Fetch-Site: none", BROWSER], True),
    (["Sec-Fetch-Site: same-site"], False),
    (["Sec-Fetch-Site: cross-site"], False),
    (["Sec-Fetch-Site: cross-site", "Origin: http://sv.example:9001"], False),
    (["Sec-Fetch-Site: nonsense"], False),
    (["Origin: http://sv.example:9001", BROWSER], True),
    (["Origin: http://SV.EXAMPLE:9001"], True),
    (["Origin: https://sv.example:9001"], True),
    (["Origin: http://evil.example"], False),
    (["Origin: http://sv.example"], False),
    (["Origin: http://sv.example:9001.evil.example"], False),
    (["Origin: null"], False),
    (["Origin: null", "Referer: http://sv.example:9001/"], False),
    (["Origin: file://"], False),
    (["Origin: http://inner", "X-Forwarded-Host: inner"], True),
    (["Origin: http://outer.example", "X-Forwarded-Host: outer.example, inner"], True),
    (["Origin: http://evil.example", "X-Forwarded-Host: outer.example"], False),
    (["Referer: http://sv.example:9001/index.html?message=x", BROWSER], True),
    (["Referer: http://evil.example/?http://sv.example:9001/"], False),
    (["Referer: http://sv.example:9001@evil.example/"], False),
    (["Referer: about:blank"], False),
]
STEPS = [("GET", "/index.html?{}", None), ("GET", "/?{}", None), ("POST", "/index.html", "{}"), ("POST", "/?{}", "x=y")]


def pid(d):
    """The pid of cat, which changes when a request is obeyed."""
    return d.pid_of("cat")


@only_ours(CAT)
def test_other_sites_change_nothing(d):
    d.wait_state("cat", "RUNNING")
    for headers, ours in ORIGINS:
        for method, target, body in STEPS:
            before = pid(d)
            form = "action=restart&processname=cat"
            code, answered, text = ask(d, target.format(form), method=method, headers=[HOST, *headers],
                                       body=body and body.format(form))
            obeyed = pid(d) != before
            assert (code, obeyed) == ((301, True) if ours else (403, False)), (headers, method, target)
            if not ours:
                assert_protected(answered)
                page = webfacts.parse(text)
                assert "nothing was done" in page.find(role="alert")[0].text()


@only_ours(CAT)
def test_every_action_is_guarded(d):
    d.wait_state("cat", "RUNNING")
    before = d.rpc("supervisor.getAllProcessInfo")[0]
    headers = [HOST, "Sec-Fetch-Site: cross-site"]
    for form in ("action=stopall", "action=startall", "action=restartall", "action=start&processname=cat",
                 "action=stop&processname=cat", "action=clearlog&processname=cat", "action=stopgroup&groupname=cat",
                 "action=restartgroup&groupname=cat", "action=startgroup&groupname=cat", "action=nonsense", "action=Refresh"):
        assert ask(d, f"/?{form}", headers=headers)[0] == 403, form
        assert ask(d, "/", method="POST", body=form, headers=headers)[0] == 403, form
        code, answered, body = ask(d, "/", method="POST", body=form, headers=[*headers, "Accept: application/json"])
        assert (code, answered["content-type"]) == (403, "application/json") and "nothing was done" in body
    after = d.rpc("supervisor.getAllProcessInfo")[0]
    assert (before["pid"], before["statename"]) == (after["pid"], after["statename"])
    # Looking is allowed from anywhere: nothing changes, and the page of another site sees nothing of the answer.
    assert ask(d, "/?action=refresh", headers=headers)[0] == 301
    assert ask(d, "/", headers=headers)[0] == 200


def confirmation(text):
    """The fields of the form of a refusal."""
    form = webfacts.parse(text).find("form")[0]
    assert (form.attrs["method"], form.attrs["action"]) == ("post", "index.html")
    return {field.attrs["name"]: field.attrs["value"] for field in form.find("input")}


@only_ours(CAT)
def test_a_bookmark_is_obeyed_after_a_question(d):
    d.wait_state("cat", "RUNNING")
    before = pid(d)
    code, _, text = ask(d, "/?action=restart&processname=cat", headers=[HOST, BROWSER])
    assert code == 403
    fields = confirmation(text)
    assert (fields["action"], fields["processname"]) == ("restart", "cat")
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    code, headers, _ = ask(d, "/index.html", method="POST", body=body, headers=[HOST, BROWSER])
    assert code == 303 and place(headers, d) == "./?message=Process cat restarted"
    assert pid(d) != before


AHEAD = ["Sec-Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "Sec-Purpose: prerender", "Purpose: prefetch",
         "X-Purpose: preview", "X-Moz: prefetch", "X-moz: Prefetch"]


@only_ours(CAT)
def test_nobody_asks_for_what_is_fetched_ahead(d):
    """While somebody types an address, or looks at a link."""
    d.wait_state("cat", "RUNNING")
    before = pid(d)
    action = "/?action=restart&processname=cat"
    for ahead in AHEAD:
        for source in ([], ["Sec-Fetch-Site: none", BROWSER], ["Sec-Fetch-Site: same-origin", BROWSER], ["Referer: http://sv.example:9001/"]):
            code, _, text = ask(d, action, headers=[HOST, ahead, *source])
            assert code == 403 and confirmation(text)["action"] == "restart", (ahead, source)
        assert ask(d, "/", headers=[HOST, ahead, "Sec-Fetch-Site: none"])[0] == 200
    assert pid(d) == before
    # Then they press Enter.
    assert ask(d, action, headers=[HOST, "Sec-Fetch-Site: none", BROWSER])[0] == 301
    assert pid(d) != before


def token(d):
    """The secret of this daemon's forms."""
    found = set(re.findall(r'name="token" value="([^"]*)"', ask(d, "/")[2]))
    assert len(found) == 1
    secret = found.pop()
    assert re.fullmatch(r"[0-9a-f]{32}", secret)
    return secret


@only_ours(CAT)
def test_a_form_of_ours_passes_behind_any_proxy(d):
    d.wait_state("cat", "RUNNING")
    secret = token(d)
    form = "action=restart&processname=cat&token="
    proxied = ["Host: 127.0.0.1", "Origin: https://outer.example", "Sec-Fetch-Site: cross-site"]
    before = pid(d)
    code, headers, _ = ask(d, "/index.html", method="POST", body=form + secret, headers=proxied)
    # Relative: only the browser knows scheme, host and folder.
    assert (code, place(headers, d)) == (303, "./?message=Process cat restarted")
    assert pid(d) != before
    before = pid(d)
    for wrong in ("", "x", secret[:-1], secret + "0", secret.upper() if secret.upper() != secret else "y", "0" * 32, "%00"):
        assert ask(d, "/index.html", method="POST", body=form + wrong, headers=proxied)[0] == 403, wrong
    # In an address it would be found in logs and histories.
    assert ask(d, f"/index.html?{form}{secret}", headers=proxied)[0] == 403
    assert ask(d, f"/index.html?{form}{secret}", method="POST", body="x=y", headers=proxied)[0] == 403
    assert pid(d) == before
    # Another life has another one.
    d.rpc("supervisor.restart")
    d.wait_log("supervisord started", 2)
    d.wait_ready()
    assert token(d) != secret


CALL = "<methodCall><methodName>supervisor.stopProcess</methodName><params><param><value>cat</value></param></params></methodCall>"
SIMPLE = [[], ["Content-Type: text/plain"], ["Content-Type: text/plain;charset=UTF-8"],
          ["Content-Type: application/x-www-form-urlencoded"], ["Content-Type: multipart/form-data; boundary=x"],
          ["Content-Type: text/plain; text/xml"], ["Content-Type:"]]


@only_ours(CAT)
def test_calls_of_other_sites(d):
    d.wait_state("cat", "RUNNING")
    for kind in SIMPLE:
        for origin in ("Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Referer: http://evil.example/", "Origin: null"):
            code, headers, _ = ask(d, "/RPC2", method="POST", body=CALL, headers=[HOST, *kind, origin])
            assert code == 403, (kind, origin)
            assert_protected(headers)
    assert d.rpc("supervisor.getProcessInfo", "cat")["statename"] == "RUNNING"
    # A browser asks first whether it may send XML, and is not told that it may.
    code, headers, _ = ask(d, "/RPC2", method="OPTIONS", headers=[
        HOST, "Origin: http://evil.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"])
    assert code == 400 and not any(name.startswith("access-control") for name in headers)
    # Everybody else goes on as before.
    for headers in ([], ["Content-Type: text/xml", "Origin: http://dashboard.example"], ["Content-Type: text/plain"],
                    ["Content-Type: text/plain", "Origin: http://sv.example:9001"], ["Content-Type: text/plain", BROWSER]):
        d.rpc("supervisor.startProcess", "cat") if d.rpc("supervisor.getProcessInfo", "cat")["pid"] == 0 else None
        code, _, body = ask(d, "/RPC2", method="POST", body=CALL, headers=[HOST, *headers])
        assert code == 200 and "<boolean>1</boolean>" in body, headers


@only_ours(CAT)
def test_the_interface_of_the_pages_cannot_be_called(d):
    for name in ("\\0.stopAllProcesses", "&#0;.stopAllProcesses", "\0.stopAllProcesses", ".stopAllProcesses", "%00.stopAllProcesses"):
        body = f"<methodCall><methodName>{name}</methodName><params></params></methodCall>"
        code, _, text = ask(d, "/RPC2", method="POST", body=body)
        assert code == 400 or "UNKNOWN_METHOD" in text, (name, code, text)
    assert d.rpc("supervisor.getProcessInfo", "cat")["statename"] == "RUNNING"


def assert_protected(headers):
    """Every header that keeps a page to itself is there."""
    for name, value in PAGE_HEADERS.items():
        assert headers.get(name) == value, (name, headers)


@only_ours(CAT)
def test_headers(d):
    for target, code in (("/", 200), ("/index.html", 200), ("/tail.html", 200), ("/tail.html?processname=cat", 200), ("/mainlog.html", 200),
                         ("/program.html?processname=cat", 200), ("/program.html?processname=x", 404), ("/program.html", 400),
                         ("/nope", 404), ("/RPC2", 400), ("/?action=refresh", 301), ("/?action=x", 400), ("/logtail/nope", 404)):
        got, headers, _ = ask(d, target)
        assert got == code, target
        assert_protected(headers)
    for target in ("/api/v1/status", "/api/v1/nope", "/ok.html", "/images/icon.svg", "/scripts/supervisor.js", "/stylesheets/supervisor.css"):
        assert ask(d, target)[1]["x-content-type-options"] == "nosniff", target
    for target in ("/logtail/cat", "/mainlogtail", "/api/v1/events"):
        with d.connect() as stream:
            stream.sendall(request(target))
            line, headers, _ = read_response(stream.makefile("rb"), has_body=False)
        assert " 200 " in line and headers["x-content-type-options"] == "nosniff" and headers["x-accel-buffering"] == "no"
        assert headers["content-type"].split(";")[0] in ("text/plain", "text/event-stream")


@only_ours(CAT)
def test_nothing_is_inline(d):
    """The policy forbids it, so a page that needed it would be broken."""
    for target in ("/", "/tail.html?processname=cat", "/mainlog.html", "/program.html?processname=cat", "/?action=x"):
        page = webfacts.parse(ask(d, target)[2])
        for node in page.walk():
            assert node.tag != "style" and not (node.tag == "script" and node.text().strip()), target
            assert "style" not in node.attrs and not any(name.startswith("on") for name in node.attrs), (target, node.attrs)
            for name in ("src", "href", "action"):
                value = node.attrs.get(name, "")
                assert not re.match(r"(?i)[a-z]+:|//|/", value), (target, node.tag, value)


@only_ours(CAT)
def test_injected_text_stays_text(d):
    d.wait_state("cat", "RUNNING")
    evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%27%3E"
    for target in (f"/?message={evil}", f"/tail.html?processname={evil}", f"/tail.html?processname=cat&limit={evil}",
                   f"/tail.html?processname=cat&channel={evil}", f"/program.html?processname={evil}", f"/?action={evil}",
                   f"/mainlog.html?limit={evil}&message={evil}"):
        body = ask(d, target)[2]
        assert "<script>" not in body and "alert(1)</script>" not in body, target
    code, _, body = ask(d, f"/?action=stop&processname={evil}&groupname={evil}", headers=[HOST, "Origin: null"])
    assert code == 403 and "<script>alert" not in body
    assert confirmation(body)["processname"] == "<script>alert(1)</script>\"'>"


@only_ours(CAT)
def test_nothing_breaks_out_of_a_header(d):
    for target in ("/?action=start&processname=x%0d%0aSet-Cookie:%20a=b", "/?action=start&processname=x%0aX:y"):
        _, headers, _ = ask(d, target)
        assert "set-cookie" not in headers and "x" not in headers and "%0D" not in headers["location"][:20]
        assert "%0A" in headers["location"]
    for host in ("a\tb", "<script>", 'a"b', "a b", "x" * 3000, "ünïcödé"):
        code, headers, _ = ask(d, "/?action=refresh", headers=[f"Host: {host}"])
        assert code in (301, 400), host
    for raw in (b"Host: a\rSet-Cookie: x", b"Host: a\x00b", b"Host: a\x0bb", b"Host: a\r\n Set-Cookie: x"):
        with d.connect() as stream:
            stream.sendall(b"GET /?action=refresh HTTP/1.1\r\n" + raw + b"\r\n\r\n")
            line, headers, _ = read_response(stream.makefile("rb"))
        assert "set-cookie" not in headers and "500" not in line, (raw, line)


@only_ours(CAT)
def test_hosts_that_cannot_be_told_back(d):
    for host in (b"h\xfc.example:80", "\u00fc.example".encode(), b"\xff"):
        with d.connect() as stream:
            stream.sendall(b"GET /?action=refresh HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            line, headers, _ = read_response(stream.makefile("rb"))
        assert " 301 " in line
        _, unnamed, _ = ask(d, "/?action=refresh", headers=[])
        assert place(headers, d) == place(unnamed, d) and "message=Page refreshed" in place(headers, d)


@only_ours(CAT)
def test_no_file_but_ours_is_served(d):
    names = ["etc/passwd", "stylesheets/../../../etc/passwd", "stylesheets/..%2f..%2f..%2fetc%2fpasswd", "..%5c..%5cetc", "scripts/",
             "images/icon.png%00.html", "images/%2e%2e/images/icon.png", "images//icon.png", "images/./icon.png", "main.log",
             "supervisord.conf", "api/../images/icon.png", "api/v1/../../etc/passwd", "scripts/supervisor.js~", "scripts/supervisor.js/"]
    for name in names:
        for slashes in ("/", "//", "///"):
            code, headers, body = ask(d, slashes + name)
            assert code == 404 and "root:" not in body, name


@only_ours(CAT)
def test_too_much(d):
    for size, code in ((65_000, 200), (65_536, 200), (65_537, 413), (500_000, 413)):
        body = ("message=" + "x" * size)[:size]
        got, headers, text = ask(d, "/", method="POST", body=body)
        assert got == code, size
        if code == 413:
            assert_protected(headers)
    chunked = (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3 + b"0\r\n\r\n")
    assert " 413 " in d.http(chunked, see=False)[0]
    assert ask(d, "/?message=" + "x" * 60_000)[0] == 200
    assert ask(d, "/?" + "a=b&" * 15_000)[0] == 200
    assert ask(d, "/?message=" + "x" * 70_000)[0] in (414, 431)
    assert ask(d, "/?message=x", headers=["Host: " + "h" * 70_000])[0] == 431
    assert ask(d, "/")[0] == 200


@only_ours(CAT)
def test_half_a_form_holds_nobody_up(d):
    slow = [d.connect() for _ in range(20)]
    for stream in slow:
        stream.sendall(b"POST /index.html HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\naction=stop&")
    assert ask(d, "/")[0] == 200
    assert d.rpc("supervisor.getProcessInfo", "cat")["statename"] == "RUNNING"
    for stream in slow:
        stream.close()
    assert ask(d, "/")[0] == 200


@only_ours(CAT)
def test_the_json_only_reads(d):
    d.wait_state("cat", "RUNNING")
    before = pid(d)
    for target in ("/api/v1/status", "/api/v1/processes/cat", "/api/v1/logs/cat/stdout", "/api/v1/mainlog", "/api/v1/events", "/api/v1/nope"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            code, headers, body = ask(d, f"{target}?action=stop&processname=cat", method=method, body="action=stop&processname=cat")
            assert (code, headers["allow"], headers["content-type"]) == (405, "GET", "application/json"), (method, target)
    for target in ("/api/v1/status?action=stopall", "/api/v1/processes/cat?action=stop", "/tail.html?action=stop&processname=cat",
                   "/program.html?action=stop&processname=cat", "/ok.html?action=stopall", "/mainlog.html?action=stopall"):
        assert ask(d, target)[0] == 200
    assert pid(d) == before


@only_ours(CAT, start=False)
def test_the_json_needs_the_password(d):
    d.config.write_text(d.config.read_text().replace("[supervisord]", "username=user\npassword=pass\n[supervisord]"))
    d.username, d.password = "user", "pass"
    d.start()
    for target in ("/api/v1/status", "/api/v1/events", "/api/v1/mainlog", "/api/v1/processes/cat", "/api/v1/logs/cat/stdout",
                   "/scripts/supervisor.js", "/program.html?processname=cat", "/mainlog.html"):
        code, headers, body = ask(d, target)
        assert code == 401 and "cat" not in body
        assert_protected(headers)
        assert ask(d, target, headers=["Host: x", "Authorization: Basic dXNlcjpubw=="])[0] == 401
    assert ask(d, "/api/v1/status", headers=["Host: x", "Authorization: Basic dXNlcjpwYXNz"])[0] == 200


@only_ours(CAT)
def test_streams_end_with_the_daemon(d):
    d.wait_state("cat", "RUNNING")
    streams = [endless(d, target) for target in ("/api/v1/events", "/logtail/cat", "/mainlogtail?tail=5", "/api/v1/events")]
    d.signal(signal.SIGTERM)
    d.wait_exit()
    for stream, reader in streams:
        stream.settimeout(WAIT_SECS)
        try:
            while reader.read1():
                pass
        except ConnectionError:
            pass
        stream.close()


@only_ours(CAT)
def test_a_stream_that_nobody_reads_holds_nobody_up(d):
    d.wait_state("cat", "RUNNING")
    with d.connect() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        stream.sendall(request("/api/v1/events"))
        for _ in range(30):
            assert ask(d, "/?action=restart&processname=cat")[0] == 301
        assert ask(d, "/")[0] == 200


@only_ours(CAT)
def test_open_pages_leave_room(d):
    streams = []
    try:
        for _ in range(128):
            streams.append(endless(d, "/api/v1/events"))
        code, headers, body = ask(d, "/api/v1/events")
        assert (code, headers["content-type"]) == (503, "application/json") and "close some" in body
        assert ask(d, "/")[0] == 200
        assert d.rpc("supervisor.getState")["statecode"] == 1
        streams.pop()[0].close()
        wait_for(lambda: room(d, streams), "a closed page keeps its place")
    finally:
        for stream, reader in streams:
            reader.close()
            stream.close()


def room(d, streams):
    """Whether there is a place for another stream."""
    try:
        streams.append(endless(d, "/api/v1/events"))
        return True
    except AssertionError:
        return False
