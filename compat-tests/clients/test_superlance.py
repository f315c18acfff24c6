"""superlance's listeners, unchanged, under the daemon: what they are for happens."""

import http.server
import socketserver
import threading

from harness import SCRIPTS, wait_for
from scenario import scenario


class Mails(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps what it is sent."""

    allow_reuse_address = daemon_threads = True

    class handler(socketserver.StreamRequestHandler):
        """As much of SMTP as smtplib speaks."""

        def handle(self):
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = []
                    while (text_line := self.rfile.readline()) not in (b".\r\n", b""):
                        text.append(text_line)
                    self.server.mails.append(b"".join(text).decode())
                elif word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 fine\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.handler)
        self.mails = []

    def wait(self, *words):
        """Waits for a mail that has all the words."""
        wait_for(lambda: any(all(word in mail for word in words) for mail in self.mails), lambda: f"{words} in {self.mails}")


class Broken(http.server.BaseHTTPRequestHandler):
    """A web server that is out of order."""

    def do_GET(self):
        self.send_error(500)

    def log_message(self, *_):
        pass


class Serving:
    """Runs a server in a thread."""

    def __init__(self, server):
        self.server = server
        self.port = server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


CONFIG = f"""
[program:web]
command=/bin/cat
startsecs=0
[program:fat]
command=/bin/cat
startsecs=0
[program:crashing]
command=/bin/sh -c "read x; exit 7"
startsecs=0
autorestart=false
[program:hopeless]
command=/bin/false
startsecs=60
startretries=0
autostart=false

[eventlistener:httpok]
buffer_size=1000
command={SCRIPTS}/httpok -p web -m web@example.com -s "cat >> %(here)s/httpok.mail" http://127.0.0.1:{{http}}/
events=TICK_5
[eventlistener:memmon]
buffer_size=1000
command={SCRIPTS}/memmon -p fat=1KB -m fat@example.com -s "cat >> %(here)s/memmon.mail"
events=TICK_5
[eventlistener:crashmail]
buffer_size=1000
command={SCRIPTS}/crashmail -a -m crash@example.com -s "cat >> %(here)s/crashmail.mail"
events=PROCESS_STATE_EXITED
[eventlistener:crashmailbatch]
buffer_size=1000
command={SCRIPTS}/crashmailbatch -i 0.01 -t batch@example.com -f from@example.com -H 127.0.0.1:{{smtp}} -e TICK_5
events=PROCESS_STATE,TICK_5
[eventlistener:fatalmailbatch]
buffer_size=1000
command={SCRIPTS}/fatalmailbatch -i 0.01 -t fatal@example.com -f from@example.com -H 127.0.0.1:{{smtp}} -e TICK_5
events=PROCESS_STATE,TICK_5
[eventlistener:crashsms]
buffer_size=1000
command={SCRIPTS}/crashsms -i 0.01 -t sms@example.com -f from@example.com -H 127.0.0.1:{{smtp}} -e TICK_5
events=PROCESS_STATE,TICK_5
"""

LISTENERS = ("httpok", "memmon", "crashmail", "crashmailbatch", "fatalmailbatch", "crashsms")


@scenario(None, start=False)
def test_superlance(d):
    with Serving(Mails()) as smtp, Serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)) as web:
        d.configure(CONFIG.format(smtp=smtp.port, http=web.port))
        d.start()
        for name in LISTENERS:
            d.wait_state(name, "RUNNING")
        pids = {name: d.pid_of(name) for name in ("web", "fat")}
        # The listeners have read their first tick or are about to; what happens now is before a later one.
        d.rpc("supervisor.sendProcessStdin", "crashing", "\n")
        d.outcome("startProcess", "hopeless")

        for name, old in pids.items():
            wait_for(lambda name=name, old=old: d.wait_state(name, "RUNNING")["pid"] != old, f"a restart of {name}")
        d.wait_file("httpok.mail", "(?s)To: web@example.com.*web.*restarted")
        d.wait_file("memmon.mail", "(?s)To: fat@example.com.*fat")
        d.wait_file("crashmail.mail", "(?s)To: crash@example.com.*Process crashing in group crashing exited unexpectedly")
        mails = smtp.server
        mails.wait("To: batch@example.com", "Process crashing:crashing", "died unexpectedly")
        mails.wait("To: fatal@example.com", "Process hopeless:hopeless failed to start")
        mails.wait("To: sms@example.com", "crashing")
        d.see("listeners", {name: d.rpc("supervisor.getProcessInfo", name)["statename"] for name in LISTENERS})
        d.see("warnings", d.log_lines(r"WARN .*(event|UNKNOWN|result)|uncaptured"))
