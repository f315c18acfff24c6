"""What a real browser says when a page of another site uses it, over plain http, where it hides most."""

import http.server
import re
import threading

from browsing import BROWSER_TESTS, CHROMIUM, SLEEPER, sync_api
from harness import Daemon, free_port

pytestmark = BROWSER_TESTS

# Asks for addresses of a site in every way a page has, from nowhere as far as the page can help it.
ATTACK = """async ([site, target]) => {
  const quietly = (step) => Promise.race([step().catch(() => {}), new Promise((done) => setTimeout(done, 5000))]);
  const ask = (how, options) => quietly(() => fetch(`${site}${target}&how=${how}`, {referrerPolicy: 'no-referrer', ...options}));
  await ask('fetch', {mode: 'no-cors'});
  await ask('any-language', {mode: 'no-cors', headers: {'Accept-Language': '*'}});
  await ask('no-language', {mode: 'no-cors', headers: {'Accept-Language': ''}});
  await ask('part', {headers: {'Accept-Language': '*', 'Range': 'bytes=0-'}});
  await ask('proxied', {headers: {'Accept-Language': '*', 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Host': 'localhost'}});
  await ask('post', {mode: 'no-cors', method: 'POST', body: new URLSearchParams('x=y')});
  const element = (tag, member) => quietly(() => new Promise((done) => {
    const made = Object.assign(document.createElement(tag), {referrerPolicy: 'no-referrer', rel: 'stylesheet', onload: done, onerror: done});
    made[member] = `${site}${target}&how=${tag}`;
    document.body.append(made);
  }));
  for (const tag of ['img', 'script', 'iframe', 'video', 'embed']) await element(tag, 'src');
  await element('link', 'href');
  await quietly(() => new Promise((done) => {
    Object.assign(new WebSocket(`${site.replace('http', 'ws')}${target}&how=socket`), {onerror: done, onclose: done});
  }));
}"""


class Site(http.server.BaseHTTPRequestHandler):
    """A site that has nothing."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><body>")

    def log_message(self, *_):
        pass


def attacked(start, site):
    """The answers of a daemon, by what asked, when a page at `start` asks the `site`: both with `{port}` and `{other}`."""
    d = Daemon("ours")
    port = free_port()
    d.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\nallowed_hosts=sv.example\n" + SLEEPER.format(name="web"), extra="loglevel=trace")
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    places = {"port": port, "other": other.server_port}
    try:
        d.start()
        before = d.wait_state("web", "RUNNING")["pid"]
        with sync_api.sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1"])
            page = chromium.new_page()
            page.goto(start.format(**places))
            page.evaluate(ATTACK, [site.format(**places), "/index.html?action=restart&processname=web"])
            chromium.close()
        assert d.pid_of("web") == before
        lines = re.findall(r'"\w+ \S*&how=([a-z-]+) HTTP/1.1" (\d+)', d.log_text())
    finally:
        other.shutdown()
        other.server_close()
        complaint = d.close()
    assert complaint is None, complaint
    return dict(lines)


def test_a_page_that_hides_is_refused():
    codes = attacked("http://evil.example:{other}/", "http://sv.example:{port}")
    assert {"fetch", "any-language", "no-language", "post", "img", "script", "iframe", "video", "link", "socket"} <= set(codes)
    # What only a proxy would say has to be asked for first, and is not granted.
    assert codes.pop("proxied", "400") == "400"
    assert set(codes.values()) == {"403"}, codes


def test_a_site_that_takes_our_address_is_refused():
    # The page itself is refused as well, and is still of that site.
    codes = attacked("http://evil.example:{port}/", "http://evil.example:{port}")
    assert {"fetch", "any-language", "no-language", "part", "proxied", "post", "socket"} <= set(codes)
    assert set(codes.values()) == {"421"}, codes
