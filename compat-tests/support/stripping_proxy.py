"""A reverse proxy for tests: what nginx does in front of the web interface."""

import re
import socket
import threading


class StrippingProxy:
    """A reverse proxy that answers below a prefix and strips it, as `location /prefix/ { proxy_pass http://x/; }` does.

    One that is `secretive` keeps from the daemon which host was asked and what the browser says of the page that asks,
    which browsers themselves tell only over TLS.
    """

    def __init__(self, prefix, port, secretive=False):
        self.prefix, self.target, self.secretive = prefix, ("127.0.0.1", port), secretive
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.url = self.origin + prefix + "/"
        self.sockets = []
        self._run(self._accept)

    @staticmethod
    def _run(function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(client)
            self._run(self._serve, client)

    def _serve(self, client):
        """One request a connection."""
        try:
            head, rest = self._head(client)
            line, _, fields = head.partition(b"\r\n")
            method, path, version = line.split(b" ")
            prefix = self.prefix.encode()
            if not path.startswith(prefix + b"/"):
                client.sendall(b"HTTP/1.1 404 Not below the prefix\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                client.close()
                return
            fields = re.sub(rb"(?im)^connection:.*\r\n", b"", fields + b"\r\n") + b"Connection: close\r\n"
            if self.secretive:
                fields = re.sub(rb"(?im)^sec-fetch.*\r\n", b"", fields)
                fields = re.sub(rb"(?im)^host:.*\r\n", b"Host: backend\r\n", fields)
            server = socket.create_connection(self.target)
            self.sockets.append(server)
            server.sendall(b" ".join((method, path[len(prefix):], version)) + b"\r\n" + fields + b"\r\n" + rest)
            self._run(self._pump, client, server)
            head, rest = self._head(server)
            # What nginx calls proxy_redirect.
            location = rb"(?im)^(location: http://[^/\r]+)/"
            client.sendall(re.sub(location, rb"\1" + prefix + b"/", head) + b"\r\n\r\n" + rest)
            self._pump(server, client)
        except OSError:
            client.close()

    @staticmethod
    def _head(stream):
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = stream.recv(65536)
            if not chunk:
                raise OSError("closed")
            data += chunk
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    @staticmethod
    def _pump(source, sink):
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """Ends all connections."""
        for each in (self.listener, *self.sockets):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
