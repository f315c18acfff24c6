"""HTTP: authentication, persistent connections, statuses, streams of logs."""

import base64
import hashlib
import re
import signal
import socket

from harness import free_port, read_response, wait_for
from scenario import scenario

CALL = "<?xml version='1.0'?><methodCall><methodName>%s</methodName>%s</methodCall>"
STATE = CALL % ("supervisor.getState", "<params></params>")

CAT = """
[program:cat]
command=/bin/cat
stdout_logfile=%(here)s/cat.out
startsecs=0
"""


def post(body, path="/RPC2", version="1.1", headers=""):
    """A POST request."""
    data = body.encode()
    head = f"POST {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: text/xml\r\n{headers}"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data


def plain(body):
    """XML without the white space between tags, which carries nothing."""
    return re.sub(r">\s+<", "><", body.strip())


def status(d, label, request):
    """Records what a client can tell of an error: status line, challenge and type."""
    line, headers, _ = d.http(request, see=False)
    d.see(label, (line, headers.get("www-authenticate"), headers.get("content-type")))


def kept(headers):
    """Whether the answer says that the connection stays; the reference never says that it closes one."""
    return headers.get("connection", "").lower() == "keep-alive"


def called(d, label, request):
    """Records an XML-RPC answer; of an error page only the status line."""
    line, headers, body = d.http(request, see=False)
    d.see(label, (line, headers.get("content-type"), kept(headers), plain(body)) if " 200 " in line else line)


@scenario(CAT)
def test_statuses(d):
    for label, request in (
            ("GET of RPC2", "GET /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("GET of nothing", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("HEAD of the root", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("PUT", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
            ("DELETE", "DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("POST to nothing", post(STATE, "/nothing")),
            ("no length", "POST /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("no length, to nothing", "POST /nothing HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("malformed", post("<methodCall>")),
            ("no method name", post("<methodCall></methodCall>")),
            ("empty method name", post(CALL % ("", ""))),
            ("not XML", post("hello")),
            ("bad integer", post(CALL % ("supervisor.getState", "<params><param><value><int>x</int></value></param></params>"))),
            ("unknown log", "GET /logtail/nope HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("odd channel", "GET /logtail/cat/stdin HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("too deep", "GET /logtail/cat/stdout/x HTTP/1.1\r\nHost: x\r\n\r\n")):
        status(d, label, request)
    line = d.http("GET /logtail HTTP/1.1\r\nHost: x\r\n\r\n", see=False)[0]
    d.expect("log of nothing", line, python="HTTP/1.1 500 Internal Server Error", ours="HTTP/1.1 404 Not Found")
    d.call("getState")


@scenario(CAT)
def test_rpc_over_raw_http(d):
    called(d, "plain", post(STATE))
    called(d, "path with more", post(STATE, "/RPC2/and/more"))
    called(d, "path with a query", post(STATE, "/RPC2?x=y"))
    called(d, "encoded path", post(STATE, "/%52PC2"))
    called(d, "longer", post(STATE, "/RPC2x"))
    called(d, "without params", post(CALL % ("supervisor.getState", "")))
    called(d, "lower-case headers", post(STATE).replace(b"Content-Length", b"content-length"))
    called(d, "lower-case method", post(STATE).replace(b"POST", b"post"))


def value(inner):
    return f"<params><param><value>{inner}</value></param></params>"


@scenario(CAT)
def test_values_on_the_wire(d):
    d.wait_state("cat", "RUNNING")
    # A call whose fault repeats its argument shows what was understood.
    for inner in ("<string>x y</string>", "bare", "<string></string>", "<string/>", "", " spaced ", "<i4>5</i4>",
                  "<int> 7 </int>", "<boolean>1</boolean>", "<boolean>true</boolean>", "<unknown>text</unknown>", "<nil/>",
                  "<base64>aGVsbG8=</base64>", "<string>a &amp; b &lt;c&gt; &#233;</string>", "<string><![CDATA[<raw>]]></string>",
                  "<string>Ünïcödé 你好</string>", "<double>1.5</double>", "<!-- c --><string>commented</string>"):
        called(d, inner, post(CALL % ("supervisor.addProcessGroup", value(inner))))
        called(d, f"stop by {inner}", post(CALL % ("supervisor.stopProcessGroup", value(inner))))


@scenario(CAT)
def test_persistent_connections(d):
    for version, header in (("1.1", ""), ("1.1", "Connection: keep-alive\r\n"), ("1.1", "Connection: close\r\n"),
                            ("1.0", ""), ("1.0", "Connection: Keep-Alive\r\n")):
        with d.connect() as stream:
            reader = stream.makefile("rb")
            stream.sendall(post(STATE, version=version, headers=header))
            line, headers, body = read_response(reader)
            answer = (line, kept(headers), plain(body))
            try:
                stream.sendall(post(STATE, version=version, headers=header))
                again = read_response(reader)[0]
            except OSError:
                again = ""
            d.see(f"{version} {header}", (answer, again))


@scenario(CAT)
def test_connection_goes_on_after_an_error(d):
    with d.connect() as stream:
        reader = stream.makefile("rb")
        for request in (post("<broken"), post(STATE), b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", post(STATE)):
            stream.sendall(request)
            d.see("answer", read_response(reader)[0])


@scenario(CAT)
def test_pipelined_and_slow_requests(d):
    with d.connect() as stream:
        reader = stream.makefile("rb")
        stream.sendall(post(STATE) + post(CALL % ("supervisor.getAPIVersion", "")))
        d.see("first", read_response(reader)[0])
        d.see("second", plain(read_response(reader)[2]))
    with d.connect() as stream:
        for byte in post(STATE):
            stream.sendall(bytes([byte]))
        d.see("byte by byte", read_response(stream.makefile("rb"))[0])


@scenario(CAT)
def test_broken_clients_do_no_harm(d):
    for junk in (b"", b"\r\n\r\n", b"GET", b"\x00\xff" * 50 + b"\r\n\r\n", post(STATE)[:-20], b"POST /RPC2 HTTP/1.1\r\n"):
        stream = d.connect()
        stream.sendall(junk)
        stream.close()
        d.call("getState")


@scenario("""
[program:late]
command=/bin/sleep 1000
startsecs=3
autostart=false
""")
def test_client_that_hangs_up_during_a_deferred_call(d):
    stream = d.connect()
    stream.sendall(post(CALL % ("supervisor.startProcess", value("late"))))
    d.wait_state("late", "STARTING", "RUNNING")
    stream.close()
    d.wait_state("late", "RUNNING")
    d.call("getProcessInfo", "late")


def basic(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {token}\r\n"


SHA = "{SHA}" + hashlib.sha1(b"secret").hexdigest()


@scenario(start=False)
def test_basic_authentication(d):
    for password in ("secret", SHA, SHA.upper()):
        d.configure("[program:cat]\ncommand=/bin/cat\n")
        d.config.write_text(d.config.read_text().replace(
            "s.sock\n[supervisord]", f"s.sock\nusername=me\npassword={password}\n[supervisord]"))
        d.username, d.password = "me", "secret"
        d.log.unlink(missing_ok=True)
        d.start(ready=password != SHA.upper())
        d.wait_log("supervisord started")
        for label, header in (("none", ""), ("right", basic("me", "secret")), ("wrong", basic("me", "wrong")),
                              ("other user", basic("you", "secret")), ("empty", basic("", "")), ("hash itself", basic("me", SHA)),
                              ("not Basic", "Authorization: Digest x\r\n"), ("with colon", basic("me", "secret:more")),
                              ("lower-case scheme", basic("me", "secret").replace("Basic", "basic"))):
            status(d, f"{password} {label}", post(STATE, headers=header))
        for path in ("/", "/logtail/cat", "/mainlogtail", "/nothing", "/RPC2"):
            status(d, path, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
        d.ctl("status", "nope")
        d.ctl("-u", "me", "-p", "secret", "avail")
        d.ctl("-u", "me", "-p", "wrong", "avail")
        d.stop()
        d.see("lines", d.log_lines("auth"))


@scenario(start=False)
def test_malformed_credentials(d):
    """The reference answers these with HTTP 500 and a traceback; ours with the challenge or a 400."""
    d.configure("")
    d.config.write_text(d.config.read_text().replace(
        "s.sock\n[supervisord]", "s.sock\nusername=me\npassword=x\n[supervisord]"))
    d.username, d.password = "me", "x"
    d.start()
    for header in ("Authorization: Basic bm9jb2xvbg==\r\n",):
        line, _, _ = d.http(post(STATE, headers=header), see=False)
        d.expect(header, line.split()[1], python="500", ours=lambda code: code in ("400", "401"))
    d.call("getState")


@scenario(start=False)
def test_tcp_server(d):
    port = free_port()
    d.configure(CAT + f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=me\npassword=pw\n")
    d.start()
    d.places.append((str(port), "<PORT>"))
    for user, password in (("me", "pw"), ("me", "no")):
        d.ctl("-s", f"http://127.0.0.1:{port}", "-u", user, "-p", password, "version")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stream:
        stream.sendall(post(STATE, headers=basic("me", "pw")))
        d.see("answer", read_response(stream.makefile("rb"))[0])
    d.see("lines", d.log_lines("HTTP|RPC"))
    d.ctl("-s", f"http://localhost:{port}", "-u", "me", "-p", "pw", "status")


def chunk(reader):
    """One chunk of a chunked body."""
    size = int(reader.readline().strip(), 16)
    data = reader.read(size)
    reader.readline()
    return data.decode()


def follow(d, path):
    """Opens a stream: the connection, its reader, and the head of the answer."""
    stream = d.connect()
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    reader = stream.makefile("rb")
    line = reader.readline().decode().strip()
    headers = {}
    while (header := reader.readline().decode().strip()):
        name, _, content = header.partition(":")
        headers[name.lower()] = content.strip()
    d.see(path, (line, headers.get("content-type"), headers.get("transfer-encoding"), "last-modified" in headers))
    return stream, reader


def until(reader, end):
    """Chunks up to and with the text `end`."""
    text = ""
    while end not in text:
        text += chunk(reader)
    return text


@scenario("""
[program:cat]
command=/bin/cat
stdout_logfile=%(here)s/cat.out
stderr_logfile=%(here)s/cat.err
startsecs=0
[program:grouped]
command=/bin/cat
stdout_logfile=%(here)s/grouped.out
startsecs=0
[program:old]
command=/bin/sh -c "i=0; while [ $i -lt 100 ]; do echo a line of twenty-five $i; i=$((i+1)); done; exec sleep 1000"
stdout_logfile=%(here)s/old.out
startsecs=0
[group:g]
programs=grouped
""")
def test_logtail(d):
    d.wait_state("cat", "RUNNING")
    d.rpc("supervisor.sendProcessStdin", "cat", "first\n")
    d.wait_file("cat.out", "first")
    d.wait_file("old.out", " 99\n")
    for path in ("/logtail/cat", "/logtail/cat/stdout", "/logtail/cat/STDOUT?x=y"):
        stream, reader = follow(d, path) if "STD" not in path else (None, None)
        if stream is None:
            continue
        d.see("so far", until(reader, "first\n"))
        d.rpc("supervisor.sendProcessStdin", "cat", "more\n")
        d.see("more", until(reader, "more\n"))
        d.rpc("supervisor.clearProcessLogs", "cat")
        d.rpc("supervisor.sendProcessStdin", "cat", "first\n")
        d.wait_file("cat.out", "first")
        stream.close()
    stream, reader = follow(d, "/logtail/old/stdout")
    d.see("last 1024 bytes", until(reader, " 99\n"))
    stream.close()
    for path in ("/logtail/g:grouped/stdout", "/logtail/g%3Agrouped", "/logtail/cat/stderr"):
        follow(d, path)[0].close()
    d.call("getState")


@scenario(CAT)
def test_mainlogtail(d):
    d.wait_log("cat entered RUNNING")
    d.wait_state("cat", "RUNNING")  # and a signal reaches the program and not what it is forked from
    stream, reader = follow(d, "/mainlogtail")
    d.see("so far", until(reader, "entered RUNNING state"))
    d.rpc("supervisor.stopProcess", "cat")
    d.see("more", until(reader, "stopped: cat (terminated by SIGTERM)\n").splitlines()[-1:])
    stream.close()


@scenario(CAT)
def test_stream_of_a_truncated_log(d):
    """The reference means to announce it but breaks the connection over it."""
    d.wait_state("cat", "RUNNING")
    d.rpc("supervisor.sendProcessStdin", "cat", "a rather long first line\n")
    d.wait_file("cat.out", "line\n")
    stream, reader = follow(d, "/logtail/cat")
    d.see("so far", until(reader, "line\n"))
    (d.root / "cat.out").write_text("")
    try:
        after = until(reader, "truncated")
    except ValueError:
        after = "closed"
    d.expect("truncated", after, python="closed", ours=lambda text: text.startswith("==> File truncated <=="))
    stream.close()


@scenario(CAT)
def test_streams_for_old_clients(d):
    """Without chunks the reference holds back what it has until 64 KiB are together; ours sends at once."""
    d.wait_state("cat", "RUNNING")
    for head in ("GET /logtail/cat HTTP/1.0\r\n\r\n", "GET /logtail/cat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        d.rpc("supervisor.clearProcessLogs", "cat")
        d.rpc("supervisor.sendProcessStdin", "cat", "first\n")
        d.wait_file("cat.out", "first")
        with d.connect() as stream:
            stream.sendall(head.encode())
            text = b""
            if d.side == "python":
                d.rpc("supervisor.sendProcessStdin", "cat", "x" * 65536 + "\n")
            while b"first\n" not in text:
                text += (piece := stream.recv(65536))
                assert piece, f"the stream ended: {text}"
            d.see(head, text.split(b"\r\n")[0].split(b" ", 1)[1])


@scenario(CAT)
def test_stream_does_not_keep_the_daemon(d):
    d.wait_state("cat", "RUNNING")
    stream, _ = follow(d, "/logtail/cat")
    other, _ = follow(d, "/mainlogtail")
    d.signal(signal.SIGTERM)
    d.see("exit", d.wait_exit())
    wait_for(lambda: not stream.recv(65536), "the stream is open")
    wait_for(lambda: not other.recv(65536), "the stream is open")
    stream.close()
    other.close()


@scenario(CAT)
def test_large_request_and_answer(d):
    d.wait_state("cat", "RUNNING")
    text = "x" * 300_000 + "\n"
    d.rpc("supervisor.sendProcessStdin", "cat", text)
    d.wait_file("cat.out", "x\n")
    d.see("back", d.rpc("supervisor.readProcessStdoutLog", "cat", 0, 0) == text)


@scenario(CAT)
def test_many_connections_at_once(d):
    streams = [d.connect() for _ in range(50)]
    for stream in streams:
        stream.sendall(post(STATE))
    d.see("answers", sorted({read_response(stream.makefile("rb"))[0] for stream in streams}))
    for stream in streams:
        stream.close()
