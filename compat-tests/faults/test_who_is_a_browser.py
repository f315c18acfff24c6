"""Who is a browser is judged by what only browsers say: scripts are obeyed whatever they call themselves, other sites are not."""

import shutil
import sys

import pytest

from harness import Daemon, finish, free_port
from scenario import scenario
from visitors import CHROMIUM, CLIENTS, HIDDEN, MOZILLA
from webasking import CAT, ask, only_ours, place

HOST = "Host: sv.example:9001"


@scenario(CAT)
def test_scripts_are_obeyed(d):
    d.wait_state("cat", "RUNNING")
    for name, headers in CLIENTS.items():
        code, answered, _ = ask(d, "/index.html?action=clearlog&processname=cat", headers=[HOST, *headers])
        d.see(f"GET {name}", (code, place(answered, d)))
        form = "action=clearlog&processname=cat"
        code, answered, _ = ask(d, "/index.html", method="POST", body=form, headers=[HOST, *headers])
        d.see(f"POST {name}", (code, place(answered, d)))
        call = "<methodCall><methodName>supervisor.getPID</methodName></methodCall>"
        d.see(f"call {name}", ask(d, "/RPC2", method="POST", body=call, headers=[HOST, *headers])[0])


# What browsers say for other sites where they do not hide.
FOREIGN = {
    "over https, or to localhost": [*CHROMIUM, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
    "a site next door": [*CHROMIUM, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate"],
    "with a referrer": [*CHROMIUM, "Referer: http://evil.example/"],
    "a form": [*CHROMIUM, "Origin: http://evil.example"],
    "a form that hides": [*CHROMIUM, "Origin: null", "Upgrade-Insecure-Requests: 1"],
    "a WebSocket": [MOZILLA, "Connection: Upgrade", "Upgrade: websocket", "Origin: http://evil.example", "Accept-Language: de"],
}


@only_ours(CAT)
def test_browsers_of_other_sites_are_refused(d):
    d.wait_state("cat", "RUNNING")
    before = d.pid_of("cat")
    target = "/index.html?action=restart&processname=cat"
    for name, headers in {**HIDDEN, **FOREIGN}.items():
        assert ask(d, target, headers=[HOST, *headers])[0] == 403, name
    for name, headers in FOREIGN.items():
        code = ask(d, "/index.html", method="POST", body="action=restart&processname=cat", headers=[HOST, *headers])[0]
        assert code == 403, name
    assert d.pid_of("cat") == before


JAVA = """
import java.net.URI; import java.net.URL; import java.net.http.*;
class Ask { public static void main(String[] args) throws Exception {
    new URL(args[0]).openStream().close();
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).build();
    if (client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() != 301) throw new Exception("refused");
} }
"""
NODE = "fetch(process.argv[1], {redirect: 'manual'}).then(answer => { if (answer.status != 301) throw new Error(answer.status) })"
NODE_CALL = "fetch(process.argv[1], {method: 'POST', body: process.argv[2]}).then(answer => { if (!answer.ok) throw new Error(answer.status) })"
PYTHON = "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], headers={'User-Agent': 'Mozilla/5.0'}))"
PERL = "my $answer = HTTP::Tiny->new(agent => 'Mozilla/5.0')->get($ARGV[0]); $answer->{success} or die $answer->{status}"
CALL = "<methodCall><methodName>supervisor.startProcess</methodName><params><param><string>cat</string></param></params></methodCall>"


def installed():
    """Commands of this machine that ask for an address, each as it would by itself; `{url}` and `{rpc}` are put in."""
    return [words for words in (
        ["curl", "-sf", "{url}"],
        ["curl", "-sfA", "Mozilla/5.0", "-d", "action=start&processname=cat", "{page}"],
        ["wget", "-q", "-O-", "{url}"],
        ["wget", "-q", "-O-", "-U", "Mozilla/5.0", "{url}"],
        [sys.executable, "-c", PYTHON, "{url}"],
        ["node", "-e", NODE, "{url}"],
        ["node", "-e", NODE_CALL, "{rpc}", CALL],
        ["perl", "-MHTTP::Tiny", "-e", PERL, "{url}"],
        ["java", "{java}", "{url}"],
    ) if shutil.which(words[0])]


@pytest.mark.parametrize("words", installed(), ids=lambda words: " ".join(words)[:30])
def test_clients_of_this_machine_are_obeyed(words):
    d = Daemon("ours")
    port = free_port()
    d.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\n" + CAT.replace("[program:cat]", "[program:cat]\nautostart=false"))
    d.start()
    page = f"http://127.0.0.1:{port}/index.html"
    places = {"url": f"{page}?action=start&processname=cat", "page": page, "rpc": f"http://127.0.0.1:{port}/RPC2",
              "java": d.write("Ask.java", JAVA)}
    fill = [places.get(word[1:-1], word) if word.startswith("{") else word for word in words]
    try:
        assert finish(fill, 60, cwd=d.root)[0] == 0
        assert d.rpc("supervisor.getProcessInfo", "cat")["statename"] == "RUNNING"
    finally:
        complaint = d.close()
    assert complaint is None, complaint
