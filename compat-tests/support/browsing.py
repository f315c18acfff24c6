"""A real browser for tests: Debian's Chromium, and pages that complain when anything unseemly happens in them.

A test file that uses it imports the fixtures, and has `pytestmark = BROWSER_TESTS`.
"""

import os
import re
import shutil

import pytest

from harness import Daemon, free_port

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_TESTS = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
    pytest.mark.skipif("ours" not in os.environ.get("SUPERVISOR_UNDER_TEST", "ours"), reason="only ours is tested"),
    # One browser is enough for two processors.
    pytest.mark.xdist_group("browser"),
]
INET = "[inet_http_server]\nport=127.0.0.1:{port}\n{more}\n"
SLEEPER = "[program:{name}]\ncommand=/bin/sleep 1000000\nstartsecs=0\n"
CAT = "[program:cat]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.out\nstderr_logfile=%(here)s/cat.err\n"
WEB = """[program:web]
command=/bin/sleep 1000000
startsecs=0
numprocs=3
process_name=web_%(process_num)d
"""
BROKEN = "[program:broken]\ncommand=/nowhere/to/be/found\nstartretries=0\n"
ONESHOT = "[program:oneshot]\ncommand=/bin/sh -c 'exit 3'\nautorestart=false\nstartsecs=0\n"
# Prints what it reads, with backslash sequences: XML-RPC cannot carry control characters.
SAY = """[program:cat]
command=/bin/sh -c 'while IFS= read -r line; do printf %%b "$line"; done'
startsecs=0
"""
ALL = SLEEPER.format(name="alpha") + CAT + WEB + BROKEN + ONESHOT
# Names have no spaces, colons or slashes.
HOSTILE = "<img\tsrc=x\tonerror=alert(1)>"


class House:
    """A daemon of ours with an HTTP server."""

    def __init__(self):
        self.daemon = Daemon("ours")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def configure(self, programs, server=""):
        """Writes the configuration; `server` are further lines of the HTTP server."""
        self.daemon.configure(INET.format(port=self.port, more=server) + programs, extra="identifier=browsed")

    def start(self, programs, server=""):
        """Writes the configuration and starts the daemon."""
        self.configure(programs, server)
        self.daemon.start()
        return self

    def rpc(self, method, *args):
        """Calls a method of the daemon."""
        return self.daemon.rpc(f"supervisor.{method}", *args)


class Visitor:
    """A person's browser window: everything it asks for, and everything that goes wrong in it."""

    def __init__(self, browser, origins, **options):
        self.origins = origins
        self.problems, self.forgiven = [], []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.context.set_default_timeout(20_000)
        self.context.on("request", self._asked)
        self.page = self.open()

    def open(self):
        """Another tab."""
        page = self.context.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and self.problems.append(said.text))
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        return page

    def _asked(self, request):
        if not request.url.startswith(tuple(self.origins) + ("blob:", "data:", "about:")):
            self.problems.append(f"asked for {request.url}")

    def forgive(self, pattern):
        """Lets problems pass that a test provokes."""
        self.forgiven.append(pattern)

    def close(self):
        """Ends the visit; returns what went wrong."""
        self.context.close()
        return [problem for problem in self.problems if not any(re.search(each, problem) for each in self.forgiven)]


@pytest.fixture(scope="module")
def browser():
    """The browser all tests of this file share."""
    expect.set_options(timeout=20_000)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def house():
    """A daemon of ours, not started."""
    house = House()
    yield house
    complaint = house.daemon.close()
    assert complaint is None, complaint


@pytest.fixture
def visit(browser, house):
    """Makes visitors of the house, all of which must have had a quiet time."""
    visitors = []

    def make(*origins, **options):
        visitors.append(Visitor(browser, (house.url, *origins), **options))
        return visitors[-1]
    yield make
    problems = [problem for visitor in visitors for problem in visitor.close()]
    assert problems == []


def row(page, namespec):
    """The row of a process."""
    return page.locator(f"tr.process[data-namespec={quoted(namespec)}]")


def quoted(text):
    """A CSS string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def state(page, namespec, name):
    """Waits until a row shows a state."""
    expect(row(page, namespec).locator(".statename")).to_have_text(name)


def press(page, name):
    """Presses the one button of that name."""
    page.get_by_role("button", name=name, exact=True).click()


def live(page, url):
    """Opens the status page and waits until it is live."""
    page.goto(url)
    expect(page.locator("#connection")).to_have_text("Live")


def ask(page, name):
    """Opens the question that a button for many processes asks."""
    summary = page.locator(f"summary[aria-label={quoted(name)}]")
    summary.click()
    return summary.locator("xpath=..").get_by_role("button")


def message(page, text):
    """Waits for the message of an action."""
    expect(page.locator("#message")).to_have_text(text)


def hide(page, hidden):
    """What a page is told when its tab goes to the back or comes to the front."""
    page.evaluate("""hidden => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }""", hidden)
