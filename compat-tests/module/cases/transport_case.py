"""SupervisorTransport against servers that answer what they are told, over TCP and Unix sockets."""

import base64
import os
import socket
import sys
import tempfile
import threading
import xmlrpc.client

from showing import show
from supervisor import xmlrpc as supervisor_xmlrpc

OK = xmlrpc.client.dumps((["é", 1, None, {"a": "b"}],), methodresponse=True, allow_none=True).encode()
FAULT = xmlrpc.client.dumps(xmlrpc.client.Fault(10, "BAD_NAME: x")).encode()
ANSWERS = {
    "ok": (200, OK), "latin": (200, OK.replace(b"utf-8", b"latin-1")), "fault": (200, FAULT), "broken": (200, b"<methodResponse>"),
    "empty": (200, b""), "bytes": (200, b"\xff\xfe"), "unauthorized": (401, b"no"), "missing": (404, b""), "error": (500, b"x" * 10),
    "created": (201, OK),
}
SEEN = []


def serve(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection):
    file = connection.makefile("rb")
    while True:
        request = file.readline()
        if not request:
            break
        headers = {}
        for line in iter(file.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers["content-length"]))
        params, method = xmlrpc.client.loads(body)
        SEEN.append((request, headers.get("authorization"), headers["content-type"], headers["accept"], headers["host"].split(":")[0],
                     method, params, id(connection)))
        if method == "hangup":
            break
        status, text = ANSWERS[method]
        connection.sendall(b"HTTP/1.1 %d Words\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
    file.close()
    connection.close()


with tempfile.TemporaryDirectory() as directory:
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(os.path.join(directory, "s"))
    unix.listen(5)
    for listener in (tcp, unix):
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    urls = [f"http://127.0.0.1:{tcp.getsockname()[1]}", f"unix://{directory}/s"]
    for url in urls:
        for user, password in ((None, None), ("", ""), ("me", "söcret:" + "x" * 80), ("me", None)):
            transport = supervisor_xmlrpc.SupervisorTransport(user, password, url)
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport)
            for method in [*ANSWERS, "hangup", "ok", "ok"]:
                show(method, getattr(proxy, method), "é<&>", 5)
            transport.close()
            transport.close()
            show("again", proxy.ok)
            print(transport.connection is None, transport.verbose)
            transport.close()
    print([entry[:-1] for entry in SEEN], len({entry[-1] for entry in SEEN}) > 1)
    tcp.close()
    unix.close()
for url in ("http://127.0.0.1:1", "unix:///no/such", "ftp://x", "", "http://h:99999", "http://h:x", "https://h", "http://", None):
    show(url, lambda url: xmlrpc.client.ServerProxy("http://127.0.0.1", supervisor_xmlrpc.SupervisorTransport("u", "p", url)).ok(), url)
connection = supervisor_xmlrpc.UnixStreamHTTPConnection("localhost")
connection.socketfile = "/no/such"
show("connection", connection.request, "GET", "/")
