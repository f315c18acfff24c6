"""Who is a browser is judged by what only browsers say: scripts are obeyed whatever they call themselves, other sites are not."""

import shutil
import sys

import pytest

from harness import Daemon, finish, free_port
from scenario import scenario
from webasking import CAT, ask, only_ours, place

HOST = "Host: sv.example:9001"
MOZILLA = "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

# What scripting clients send of themselves, and what people have them claim.
CLIENTS = {
    "curl": ["User-Agent: curl/8.5.0", "Accept: */*"],
    "curl -A Mozilla": [MOZILLA, "Accept: */*"],
    "wget": ["User-Agent: Wget/1.21.3", "Accept: */*", "Accept-Encoding: identity", "Connection: Keep-Alive"],
    "wget -U Mozilla": [MOZILLA, "Accept: */*", "Accept-Encoding: identity", "Connection: Keep-Alive"],
    "Python urllib": ["Accept-Encoding: identity", "User-Agent: Python-urllib/3.11", "Connection: close"],
    "Python requests": ["User-Agent: python-requests/2.32.3", "Accept-Encoding: gzip, deflate", "Accept: */*", "Connection: keep-alive"],
    "Python requests as Chrome": [MOZILLA, "Accept-Encoding: gzip, deflate, br, zstd", "Accept: */*", "Connection: keep-alive"],
    "Python httpx": ["Accept: */*", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "User-Agent: python-httpx/0.27.0"],
    "aiohttp": ["Accept: */*", "Accept-Encoding: gzip, deflate", "User-Agent: Python/3.11 aiohttp/3.9.5"],
    "Python mechanize": ["Accept-Encoding: identity", "User-Agent: Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.0.1)", "Connection: close"],
    "Go": ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"],
    "Java URL": ["User-Agent: Java/17.0.15", "Accept: text/html, image/gif, image/jpeg, */*; q=0.2", "Connection: keep-alive"],
    "Java HttpClient": ["User-Agent: Java-http-client/17.0.15"],
    "Apache HttpClient": ["Accept-Encoding: gzip, deflate", "Connection: keep-alive", "User-Agent: Apache-HttpClient/5.3 (Java/17)"],
    "OkHttp": ["Connection: Keep-Alive", "Accept-Encoding: gzip", "User-Agent: okhttp/4.12.0"],
    "Node fetch": ["Connection: keep-alive", "Accept: */*", "Accept-Language: *", "Sec-Fetch-Mode: cors", "User-Agent: node",
                   "Accept-Encoding: gzip, deflate"],
    "Node fetch over https": ["Connection: keep-alive", "Accept: */*", "Accept-Language: *", "Sec-Fetch-Mode: cors",
                              "User-Agent: undici", "Accept-Encoding: br, gzip, deflate"],
    "Node http": ["Connection: keep-alive"],
    "axios": ["Accept: application/json, text/plain, */*", "User-Agent: axios/1.7.2", "Accept-Encoding: gzip, compress, deflate, br",
              "Connection: close"],
    "Deno": ["Accept: */*", "Accept-Language: *", "User-Agent: Deno/1.44.0", "Accept-Encoding: gzip, br"],
    "Bun": ["Connection: keep-alive", "User-Agent: Bun/1.1.12", "Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd"],
    "Windows PowerShell": ["User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.2506",
                           "Connection: Keep-Alive"],
    "PowerShell 7": ["User-Agent: Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.2",
                     "Accept-Encoding: gzip, deflate, br"],
    "WinHTTP": ["Connection: Keep-Alive", "Accept: */*", "User-Agent: Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)"],
    "Perl LWP": ["TE: deflate,gzip;q=0.3", "Connection: TE, close", "User-Agent: libwww-perl/6.72"],
    "Perl LWP as Mozilla": ["TE: deflate,gzip;q=0.3", "Connection: TE, close", "User-Agent: Mozilla/5.0"],
    "Ruby Net::HTTP": ["Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "Accept: */*", "User-Agent: Ruby"],
    "Ruby Mechanize": ["Accept-Encoding: gzip,deflate,identity", "Accept: */*", "Connection: keep-alive", "Keep-Alive: 300",
                       "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:112.0) Gecko/20100101 Firefox/112.0",
                       "Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7", "Accept-Language: en-us,en;q=0.5"],
    "Ruby Mechanize on its way": ["Accept: */*", "Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7", "Accept-Language: en-us,en;q=0.5",
                                  "User-Agent: Mechanize/2.9.1 Ruby/3.2", "Referer: http://sv.example:9001/"],
    "PHP": [],
    "Guzzle": ["User-Agent: GuzzleHttp/7"],
    "Ansible uri": ["Accept-Encoding: identity", "User-Agent: ansible-httpget", "Connection: close"],
    "a monitor": ["User-Agent: Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "Accept-Encoding: gzip"],
    "a script that knows its host": [MOZILLA, "Origin: http://sv.example:9001"],
}


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


# What Chromium 148 says for a page of another site that hides itself, over plain http; measured, and Firefox and Safari likewise.
CHROMIUM = ["Connection: keep-alive", MOZILLA, "Accept-Encoding: gzip, deflate", "Accept-Language: en-US,en;q=0.9"]
HIDDEN = {
    "a link": [*CHROMIUM, "Upgrade-Insecure-Requests: 1", "Accept: text/html,application/xhtml+xml"],
    "an image": [*CHROMIUM, "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"],
    "a script": [*CHROMIUM, "Accept: */*"],
    "a style sheet": [*CHROMIUM, "Accept: text/css,*/*;q=0.1"],
    "a video": [*CHROMIUM[:2], "Accept-Encoding: identity;q=1, *;q=0", "Accept-Language: en-US,en;q=0.9", "Range: bytes=0-"],
    "fetch": [*CHROMIUM, "Accept: */*"],
    "fetch in any language": [*CHROMIUM[:3], "Accept-Language: *", "Accept: */*"],
    "fetch in no language": [*CHROMIUM[:3], "Accept-Language: ", "Accept: */*"],
    "fetch of a part in any language": [*CHROMIUM[:2], "Accept-Encoding: identity", "Accept-Language: *", "Range: bytes=0-"],
    "fetch behind a proxy that drops encodings": [MOZILLA, "Accept-Language: *", "Accept: */*"],
    "without a name": [*CHROMIUM[:1], *CHROMIUM[2:]],
    "by another name": ["User-Agent: curl/8.5.0", "Accept-Language: de", "Accept-Encoding: gzip, deflate"],
    "ahead of its user": [*CHROMIUM, "Sec-Purpose: prefetch"],
    "Firefox": ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept: image/avif,image/webp,*/*",
                "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "Priority: u=5, i"],
    "Safari": ["Accept: text/html", "Upgrade-Insecure-Requests: 1", "Accept-Language: en-GB,en;q=0.9", "Accept-Encoding: gzip, deflate",
               "Connection: keep-alive"],
}
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
