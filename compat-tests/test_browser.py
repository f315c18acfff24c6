"""The web interface in a real browser. Every visit fails on a console message, a dialog or a request to elsewhere."""

import os
import re
from urllib.parse import quote

import pytest

from browsing import CHROMIUM, House, StrippingProxy, Visitor

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
    pytest.mark.skipif("ours" not in os.environ.get("SUPERVISOR_UNDER_TEST", "ours"), reason="only ours is tested"),
    # One browser is enough for two processors.
    pytest.mark.xdist_group("browser"),
]

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


def test_start_stop_restart(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    before = house.daemon.pid_of("alpha")
    press(page, "Restart alpha")
    message(page, "Process alpha restarted")
    state(page, "alpha", "running")
    assert house.daemon.pid_of("alpha") != before
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")
    state(page, "alpha", "stopped")
    # The focus went over to the button that took its place.
    expect(page.get_by_role("button", name="Start alpha", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Stop alpha", exact=True)).to_be_hidden()
    press(page, "Start alpha")
    message(page, "Process alpha started")
    state(page, "alpha", "running")
    assert house.rpc("getProcessInfo", "alpha")["statename"] == "RUNNING"
    press(page, "Start broken")
    message(page, "ERROR: Process broken: no such file")


def test_busy_while_it_takes_time(house, visit):
    house.start("[program:slow]\ncommand=/bin/sleep 1000000\nstartsecs=2\nautostart=false\n")
    page = visit().page
    live(page, house.url)
    press(page, "Start slow")
    button = page.locator("button[aria-label='Start slow']")
    expect(button).to_have_attribute("aria-busy", "true")
    state(page, "slow", "starting")
    expect(button).to_be_focused()
    message(page, "Process slow started")
    expect(button).to_be_hidden()
    state(page, "slow", "running")


def test_all_and_groups_ask_first(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    pids = {name: house.daemon.pid_of(name) for name in ("alpha", "cat", "web:web_0", "web:web_1")}
    button = ask(page, "Restart all processes")
    expect(button.locator("xpath=../p")).to_have_text("Restart all 7 processes?")
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()
    expect(page.locator("summary[aria-label='Restart all processes']")).to_be_focused()
    assert {name: house.daemon.pid_of(name) for name in pids} == pids
    ask(page, "Restart group web").click()
    message(page, "Group web restarted")
    assert house.daemon.pid_of("web:web_0") != pids["web:web_0"] and house.daemon.pid_of("alpha") == pids["alpha"]
    ask(page, "Restart all processes").click()
    expect(page.locator("#message")).to_contain_text("All restarted at")
    assert house.daemon.pid_of("alpha") != pids["alpha"]
    ask(page, "Stop all processes").click()
    expect(page.locator("#message")).to_contain_text("All stopped at")
    for name in pids:
        state(page, name, "stopped")
    ask(page, "Start group web").click()
    message(page, "Group web started")
    state(page, "web:web_2", "running")
    state(page, "alpha", "stopped")
    expect(page.locator("tbody[data-group=web] .tally")).to_have_text("3 of 3 running")


def test_clear_log(house, visit):
    house.start(ALL)
    house.rpc("sendProcessStdin", "cat", "something\n")
    house.daemon.wait_file("cat.out", "something")
    page = visit().page
    live(page, house.url)
    page.locator("summary[aria-label='More about cat']").click()
    press(page, "Clear log of cat")
    message(page, "Log for cat cleared")
    assert house.daemon.read("cat.out") == ""


def test_messages(house, visit):
    house.start(ALL)
    page = visit().page
    page.goto(f"{house.url}?message=Process%20x%20%3Cb%3Estarted")
    message(page, "Process x <b>started")
    expect(page).to_have_url(house.url)
    press(page, "Dismiss the message")
    expect(page.locator(".message")).to_be_hidden()


def test_a_process_that_dies_while_the_page_is_open(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    page.evaluate("window.sameDocument = true")
    house.daemon.note_pid("cat")
    old = house.daemon.pids["cat"]
    house.daemon.kill("cat")
    expect(row(page, "cat").locator(".description")).not_to_contain_text(f"pid {old},")
    state(page, "cat", "running")
    state(page, "oneshot", "exited")
    expect(row(page, "oneshot").locator(".note")).to_have_text("exit status 3")
    state(page, "broken", "fatal")
    expect(row(page, "broken").locator(".description")).to_have_text("can't find command '/nowhere/to/be/found'")
    expect(page).to_have_title("(1 failing) Supervisor Status")
    # The uptime goes on by itself.
    expect(row(page, "alpha").locator(".description")).to_have_text(re.compile("uptime 0:00:0[2-9]|uptime 0:00:[1-5]"))
    assert page.evaluate("window.sameDocument") is True


def test_groups_come_and_go(house, visit):
    house.start(SLEEPER.format(name="alpha"))
    page = visit().page
    live(page, house.url)
    house.configure(SLEEPER.format(name="alpha") + SLEEPER.format(name="beta") + WEB)
    house.rpc("reloadConfig")
    house.rpc("addProcessGroup", "web")
    house.rpc("addProcessGroup", "beta")
    for name in ("web:web_0", "web:web_1", "web:web_2", "beta"):
        state(page, name, "running")
    expect(page.locator("tr.process")).to_have_count(5)
    expect(row(page, "beta").locator("th")).to_have_text("beta")
    expect(row(page, "web:web_1").locator("th")).to_have_text("web:web_1")
    assert row(page, "web:web_1").get_by_role("link", name="stderr").get_attribute("href") == \
        "tail.html?processname=web%3Aweb_1&channel=stderr"
    assert row(page, "beta").get_by_role("link", name="stdout").get_attribute("href") == "tail.html?processname=beta"
    # Rows that came later have buttons that work, and so has their group.
    press(page, "Stop web:web_1")
    message(page, "Process web:web_1 stopped")
    ask(page, "Stop group web").click()
    message(page, "Group web stopped")
    house.rpc("removeProcessGroup", "web")
    expect(page.locator("tbody.group")).to_have_count(0)
    expect(page.locator("tr.process")).to_have_count(2)
    house.rpc("stopProcess", "alpha")
    house.rpc("stopProcess", "beta")
    house.rpc("removeProcessGroup", "alpha")
    house.rpc("removeProcessGroup", "beta")
    expect(page.get_by_text("No programs to manage")).to_be_visible()


def test_filter(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    shown = page.locator("tr.process:visible")
    expect(shown).to_have_count(7)
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("WEB_1")
    expect(shown).to_have_count(1)
    page.keyboard.press("Escape")
    expect(shown).to_have_count(7)
    page.keyboard.type("fatal")
    expect(shown).to_have_attribute("data-namespec", "broken")
    page.keyboard.press("Escape")
    page.keyboard.type("run web")
    expect(shown).to_have_count(3)
    page.keyboard.type("nonsense")
    expect(page.get_by_text("Nothing matches the filter.")).to_be_visible()
    page.keyboard.press("Escape")
    count = page.locator(".counts button[data-state=RUNNING]")
    expect(count).to_have_text("5 running")
    count.click()
    expect(count).to_have_attribute("aria-pressed", "true")
    expect(shown).to_have_count(5)
    # A row that does not match any more goes.
    house.rpc("stopProcess", "web:web_0")
    expect(shown).to_have_count(4)
    count.click()
    expect(shown).to_have_count(7)


def test_fold(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    shown = page.locator("tr.process:visible")
    fold = page.locator("tbody[data-group=web] button.fold")
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.click()
    expect(shown).to_have_count(4)
    page.reload()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(shown).to_have_count(4)
    page.locator("#filter").fill("web_2")
    expect(shown).to_have_count(1)
    page.locator("#filter").fill("")
    expect(shown).to_have_count(4)
    fold.click()
    expect(shown).to_have_count(7)


def test_usage(house, visit):
    busy = "[program:busy]\ncommand=/bin/sh -c 'while :; do :; done'\nstartsecs=0\n"
    house.start(busy + SLEEPER.format(name="idle"))
    page = visit().page
    live(page, house.url)
    expect(row(page, "busy").locator(".cpu .figure")).to_have_text(re.compile(r"^\d\d+\.\d %$"))
    expect(row(page, "busy").locator(".memory .figure")).to_have_text(re.compile(r"^\d+(\.\d)? [kM]B$"))
    expect(row(page, "busy").locator(".cpu path")).to_have_attribute("d", re.compile("^M.*L.*"))
    expect(row(page, "idle").locator(".cpu .figure")).to_have_text("0.0 %")
    house.rpc("stopProcess", "busy")
    expect(row(page, "busy").locator(".cpu .figure")).to_have_text("")


def test_follow_a_log(house, visit):
    house.start(SAY)
    page = visit().page

    def say(text):
        house.rpc("sendProcessStdin", "cat", text + "\n")
    say(r"one\n")
    live(page, house.url)
    row(page, "cat").get_by_role("link", name="stdout of cat").click()
    expect(page).to_have_title("Supervisor tail of process cat")
    lines = page.locator("#log .line")
    expect(page.locator("#follow")).to_have_text("Following")
    expect(lines).to_have_text(["one"])
    say(r"two \033[31mred\033[0m\n50 %\r100 %\nthree")
    expect(lines).to_have_text(["one", "two red", "100 %", "three"])
    say(r" and more\n")
    expect(lines.last).to_have_text("three and more")
    press(page, "Pause")
    say(r"four\nfive\n")
    expect(page.locator("#follow")).to_have_text("Paused, 2 new lines")
    expect(lines).to_have_count(4)
    press(page, "Resume")
    expect(lines.last).to_have_text("five")
    expect(page.locator("#follow")).to_have_text("Following")
    house.rpc("clearProcessLogs", "cat")
    say(r"six\n")
    expect(lines.last).to_have_text("six")
    page.get_by_role("link", name="stderr").click()
    expect(page.locator("nav.channels [aria-current]")).to_have_text("stderr")


def test_search_in_a_log(house, visit):
    house.start(CAT)
    house.rpc("sendProcessStdin", "cat", "".join(f"line {n}\n" for n in range(200)) + "A (needle)\nlast\n")
    house.daemon.wait_file("cat.out", "last\n")
    page = visit().page
    page.goto(f"{house.url}tail.html?processname=cat")
    log = page.locator("#log")
    expect(log.locator(".line").last).to_have_text("last")
    found = page.locator("#found")
    page.keyboard.press("/")
    page.keyboard.type("line 1")
    expect(found).to_have_text("111 of 111")
    page.keyboard.press("Enter")
    expect(found).to_have_text("1 of 111")
    expect(log.locator(".line").nth(1)).to_be_in_viewport()
    page.keyboard.press("Shift+Enter")
    expect(found).to_have_text("111 of 111")
    press(page, "Next match")
    press(page, "Next match")
    expect(found).to_have_text("2 of 111")
    assert page.evaluate("[CSS.highlights.get('match').size, CSS.highlights.get('current-match').size]") == [111, 1]
    page.get_by_label("Search in the log").fill("(NEEDLE")
    expect(found).to_have_text("1 of 1")
    page.get_by_label("Only matches").check()
    expect(log.locator(".line:visible")).to_have_text(["A (needle)"])
    house.rpc("sendProcessStdin", "cat", "another (needle)\nno match\n")
    expect(log.locator(".line:visible")).to_have_count(2)
    expect(found).to_have_text("1 of 2")
    page.keyboard.press("Escape")
    page.get_by_label("Only matches").uncheck()
    expect(log.locator(".line:visible")).to_have_count(204)
    page.get_by_label("Wrap").uncheck()
    expect(log).to_have_css("white-space", "pre")


def test_a_log_view_is_bounded(house, visit):
    house.start("[program:chatty]\ncommand=/bin/sh -c 'seq 1 3000; read x; seq 3001 9000; read x; exec sleep 1000000'\nstartsecs=0\n")
    page = visit().page
    page.goto(f"{house.url}tail.html?processname=chatty")
    lines = page.locator("#log .line")
    expect(lines.last).to_have_text("3000")
    house.rpc("sendProcessStdin", "chatty", "\n")
    expect(lines.last).to_have_text("9000")
    expect(lines).to_have_count(5000)
    expect(lines.first).to_have_text("4001")
    expect(page.locator("#follow")).to_have_text("Following the last 5000 lines")
    # At the end it stays there; elsewhere it stays where it is.
    expect(lines.last).to_be_in_viewport()
    page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    press(page, "Newest")
    expect(lines.last).to_be_in_viewport()
    page.locator("summary[aria-label=More]").click()
    press(page, "Clear the view")
    expect(lines).to_have_count(0)
    page.locator("summary[aria-label=More]").click()
    page.get_by_role("link", name="Start with the last 1 MB").click()
    expect(lines.first).to_have_text("4001")


def test_copy_and_save(house, visit):
    house.start(CAT)
    house.rpc("sendProcessStdin", "cat", "one\ntwo\n")
    house.daemon.wait_file("cat.out", "two\n")
    visitor = visit()
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.page
    page.goto(f"{house.url}tail.html?processname=cat")
    expect(page.locator("#log .line")).to_have_count(2)
    page.locator("summary[aria-label=More]").click()
    press(page, "Copy what is shown")
    message(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo\n"
    page.locator("summary[aria-label=More]").click()
    with page.expect_download() as download:
        press(page, "Save what is shown")
    assert download.value.suggested_filename == "cat.log"
    assert open(download.value.path(), encoding="utf-8").read() == "one\ntwo\n"


def test_main_log(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    page.get_by_role("link", name="Main log").click()
    expect(page.locator("#log")).to_contain_text("supervisord started with pid")
    house.rpc("stopProcess", "alpha")
    expect(page.locator("#log")).to_contain_text("stopped: alpha")


def test_program_page(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    page.get_by_role("link", name="web:web_1", exact=True).click()
    expect(page.locator("h1")).to_have_text("web:web_1")
    expect(page.locator(".statename")).to_have_text("running")
    command = page.locator("table.settings tr", has=page.get_by_role("rowheader", name="command", exact=True))
    expect(command.locator("td")).to_have_text("/bin/sleep 1000000")
    expect(page.locator("[data-fact=pid]")).to_have_text(str(house.daemon.pid_of("web:web_1")))
    press(page, "Stop web:web_1")
    message(page, "Process web:web_1 stopped")
    expect(page.locator(".statename")).to_have_text("stopped")
    expect(page.locator("[data-fact=pid]")).to_have_text("none")
    press(page, "Start web:web_1")
    expect(page.locator(".statename")).to_have_text("running")


def is_refused(page, url):
    """Whether the daemon wants a better password; Chromium calls a second refusal an error."""
    try:
        return page.goto(url).status == 401
    except sync_api.Error as error:
        return "ERR_INVALID_AUTH_CREDENTIALS" in str(error)


def test_wrong_password(house, visit):
    house.daemon.username, house.daemon.password = "operator", "secret"
    house.start(ALL, server="username=operator\npassword=secret\n")
    for options in ({}, {"http_credentials": {"username": "operator", "password": "wrong"}}):
        stranger = visit(**options)
        stranger.forgive("status of 401")
        assert is_refused(stranger.page, house.url)
        assert stranger.page.locator("#processes").count() == 0
    page = visit(http_credentials={"username": "operator", "password": "secret"}).page
    live(page, house.url)
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")


def test_hostile_names_and_lines(house, visit):
    names = [HOSTILE, "\"'><script>alert(2)<&#47;script>", "a&amp;b?c#d%41", "\u202eevil\u202c", "{{7*7}}", "TEMPLATE-GROUP"]
    configured = "".join(
        f"[program:p{n}]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=%(here)s/{n}.out\nprocess_name={name.replace('%', '%%')}\n"
        for n, name in enumerate(names))
    house.start(configured)
    lines = f"{HOSTILE}\n</pre></script><script>alert(3)</script>\n\u202edrow\u202c &lt;b&gt;\n"
    house.rpc("sendProcessStdin", f"p0:{HOSTILE}", lines)
    house.daemon.wait_file("0.out", "&lt;b&gt;\n")
    page = visit().page
    live(page, house.url)
    for n, name in enumerate(names):
        expect(row(page, f"p{n}:{name}").locator("th")).to_have_text(f"p{n}:{name}")
    press(page, f"Stop p0:{HOSTILE}")
    message(page, f"Process p0:{HOSTILE} stopped")
    # The same once more for a row and a group that the script makes.
    house.configure(configured + f"[program:late]\ncommand=/bin/cat\nstartsecs=0\nprocess_name={HOSTILE}\n")
    house.rpc("reloadConfig")
    house.rpc("addProcessGroup", "late")
    expect(row(page, f"late:{HOSTILE}").locator("th")).to_have_text(f"late:{HOSTILE}")
    press(page, f"Stop late:{HOSTILE}")
    message(page, f"Process late:{HOSTILE} stopped")
    row(page, f"p0:{HOSTILE}").get_by_role("link", name=re.compile("^stdout")).click()
    expect(page).to_have_title(f"Supervisor tail of process p0:{HOSTILE}")
    expect(page.locator("#follow")).to_have_text("Following")
    assert page.locator("#log").evaluate("log => log.textContent") == lines
    page.locator("h1 a").click()
    expect(page.locator("h1")).to_have_text(f"p0:{HOSTILE}")
    page.goto(f"{house.url}?message={quote(HOSTILE)}")
    message(page, HOSTILE)
    assert page.locator("img[src=x]").count() == 0


def test_without_a_script(house, visit):
    house.start(ALL)
    house.rpc("sendProcessStdin", "cat", "a line\n")
    house.daemon.wait_file("cat.out", "a line")
    page = visit(java_script_enabled=False).page
    page.goto(house.url)
    state(page, "alpha", "running")
    expect(row(page, "alpha").locator(".memory")).to_contain_text("B")
    expect(page.locator("#filter")).to_be_hidden()
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")
    state(page, "alpha", "stopped")
    expect(page.locator("button[aria-label='Stop alpha']")).to_have_count(0)
    press(page, "Start alpha")
    message(page, "Process alpha started")
    press(page, "Restart alpha")
    message(page, "Process alpha restarted")
    page.locator("summary[aria-label='More about cat']").click()
    press(page, "Clear log of cat")
    message(page, "Log for cat cleared")
    ask(page, "Stop group web").click()
    message(page, "Group web stopped")
    ask(page, "Restart all processes").click()
    expect(page.locator("#message")).to_contain_text("All restarted at")
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#message")).to_contain_text("Page refreshed at")
    house.rpc("sendProcessStdin", "cat", "b line\n")
    house.daemon.wait_file("cat.out", "b line")
    row(page, "cat").get_by_role("link", name="stdout of cat").click()
    expect(page.locator("pre")).to_have_text("b line")
    house.rpc("sendProcessStdin", "cat", "c line\n")
    house.daemon.wait_file("cat.out", "c line")
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("pre")).to_contain_text("c line")
    page.get_by_role("link", name="Last 64 kB").click()
    expect(page).to_have_url(re.compile("limit=65536"))
    page.goto(f"{house.url}program.html?processname=web:web_0")
    press(page, "Stop web:web_0")
    message(page, "Process web:web_0 stopped")


PAGES = ("", "tail.html?processname=cat", "mainlog.html", "program.html?processname=web%3Aweb_0", "program.html?processname=nope")


@pytest.mark.parametrize("script", [True, False])
def test_narrow(house, visit, script):
    long_name = "a_very_long_program_name_without_any_place_to_break_it_anywhere_at_all"
    house.start(ALL + SLEEPER.format(name=long_name))
    visitor = visit(viewport={"width": 360, "height": 740}, java_script_enabled=script)
    for path in PAGES:
        visitor.page.goto(house.url + path)
        if path == "" and script:
            expect(visitor.page.locator("#connection")).to_have_text("Live")
            # The questions fit, too.
            for question in ("Start all processes", "Stop all processes", "Start group web", "Stop group web"):
                expect(ask(visitor.page, question)).to_be_in_viewport(ratio=1)
            page_menu = visitor.page.locator(f"summary[aria-label='More about {long_name}']")
            page_menu.click()
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"/{path} is {width} wide"
    visitor.forgive("404")


def test_keyboard_only(house, visit):
    house.start(SLEEPER.format(name="alpha") + WEB)
    page = visit().page
    live(page, house.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the contents")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    def tab_to(name):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == name:
                return
        raise AssertionError(f"Tab does not lead to {name}")
    tab_to("Filter by name or state")
    tab_to("Stop all processes")
    tab_to("Restart alpha")
    tab_to("Stop alpha")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus cannot be seen"
    page.keyboard.press("Enter")
    message(page, "Process alpha stopped")
    expect(page.get_by_role("button", name="Start alpha", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    message(page, "Process alpha started")
    tab_to("Stop group web")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    message(page, "Group web stopped")
    expect(page.locator("summary[aria-label='Stop group web']")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()


def test_dark_and_light(house, visit):
    house.start(ALL)
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page = visit(color_scheme="light").page
    live(page, house.url)
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    assert brightness(light) > 200 > 60 > brightness(dark)
    toggle = page.get_by_role("button", name="Dark colours")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(background) == light
    page.goto(f"{house.url}mainlog.html")
    assert page.evaluate(background) == light
    # Back to what the system prefers: the page follows the system again.
    toggle.click()
    assert page.evaluate(background) == dark
    page.emulate_media(color_scheme="light")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(background) == light
    # Without a script the system decides.
    plain = visit(color_scheme="dark", java_script_enabled=False).page
    plain.goto(house.url)
    expect(plain.locator("html")).to_have_css("background-color", dark)


def brightness(color):
    """The mean of red, green and blue of a computed colour."""
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 3


OPERABLE = {"button", "link", "searchbox", "textbox", "checkbox", "DisclosureTriangle", "radio", "combobox"}


def test_everything_has_a_name(house, visit):
    house.start(ALL)
    visitor = visit()
    for path in PAGES:
        visitor.page.goto(house.url + path)
        session = visitor.context.new_cdp_session(visitor.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        seen = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
        operable = [each for each in seen if each[0] in OPERABLE]
        assert len(operable) > 3 and all(name for _, name in operable), operable
        assert [role for role, _ in seen].count("heading") >= 1
        assert visitor.page.locator("h1").count() == 1
        names = [name for role, name in operable if role == "button"]
        assert len(names) == len(set(names)), f"two buttons of one name on /{path}: {sorted(names)}"
    visitor.forgive("404")


@pytest.mark.parametrize("script", [True, False])
def test_behind_a_proxy_that_strips_a_prefix(house, visit, script):
    house.start(ALL)
    proxy = StrippingProxy("/supervisor", house.port)
    try:
        visitor = visit(proxy.origin, java_script_enabled=script)
        page = visitor.page
        page.goto(proxy.url)
        if script:
            expect(page.locator("#connection")).to_have_text("Live")
        press(page, "Stop alpha")
        message(page, "Process alpha stopped")
        state(page, "alpha", "stopped")
        expect(page).to_have_url(re.compile(re.escape(proxy.url)))
        row(page, "alpha").get_by_role("link", name="alpha", exact=True).click()
        press(page, "Start alpha")
        message(page, "Process alpha started")
        page.goto(proxy.url)
        page.get_by_role("link", name="Main log").click()
        expect(page.locator("pre")).to_contain_text("alpha")
        visitor.context.close()
    finally:
        proxy.close()


def test_connection_lost_and_regained(house, visit):
    house.start(ALL)
    visitor = visit()
    page = visitor.page
    live(page, house.url)
    page.evaluate("window.sameDocument = true")
    house.daemon.stop()
    expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
    press(page, "Stop alpha")
    expect(page.locator("#message")).to_contain_text("ERROR")
    house.configure(SLEEPER.format(name="alpha") + SLEEPER.format(name="fresh"))
    house.daemon.start()
    expect(page.locator("#connection")).to_have_text("Live")
    state(page, "fresh", "running")
    expect(page.locator("tr.process")).to_have_count(2)
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")
    assert page.evaluate("window.sameDocument") is True
    visitor.forgive("ERR_|Failed to load resource")


def test_a_page_that_outlives_the_daemon_gets_a_new_token(house, visit):
    house.start(ALL)
    proxy = StrippingProxy("/supervisor", house.port, secretive=True)
    try:
        visitor = visit(proxy.origin)
        page = visitor.page
        live(page, proxy.url)
        press(page, "Stop alpha")
        message(page, "Process alpha stopped")
        house.daemon.stop()
        expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
        house.daemon.start()
        expect(page.locator("#connection")).to_have_text("Live")
        refused = []
        page.on("response", lambda answer: refused.append(answer.status) if answer.status == 403 else None)
        press(page, "Restart alpha")
        message(page, "Process alpha restarted")
        press(page, "Stop alpha")
        message(page, "Process alpha stopped")
        assert refused == [403], "once with the old token, never again"
        visitor.forgive("ERR_|Failed to load resource")
        visitor.context.close()
    finally:
        proxy.close()


def hide(page, hidden):
    """What a page is told when its tab goes to the back or comes to the front."""
    page.evaluate("""hidden => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }""", hidden)


def test_nothing_is_asked_for_while_hidden(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        hide(page, True)
    house.rpc("stopProcess", "alpha")
    house.configure(ALL + SLEEPER.format(name="fresh"))
    house.rpc("reloadConfig")
    house.rpc("addProcessGroup", "fresh")
    state(page, "alpha", "running")
    hide(page, False)
    state(page, "alpha", "stopped")
    state(page, "fresh", "running")


def test_a_log_that_nobody_looks_at_is_let_go(house, visit):
    house.start(CAT)
    page = visit().page
    page.clock.install()
    page.goto(f"{house.url}tail.html?processname=cat")
    expect(page.locator("#follow")).to_have_text("Following")
    hide(page, True)
    with page.expect_event("requestfailed", lambda request: "/logtail/" in request.url):
        page.clock.fast_forward(31_000)
    expect(page.locator("#follow")).to_have_text("Not following: nobody looked")
    house.rpc("sendProcessStdin", "cat", "unseen\n")
    hide(page, False)
    page.clock.fast_forward(3_000)
    expect(page.locator("#log .line")).to_have_text(["unseen"])


def test_the_page_is_light(house, visit):
    house.start(ALL)
    visitor = visit()
    bodies = {}
    visitor.page.on("response", lambda answer: bodies.setdefault(answer.url, answer))
    live(visitor.page, house.url)
    assets = {url: len(answer.body()) for url, answer in list(bodies.items()) if re.search(r"\.(css|js|svg|png)$", url)}
    assert len(assets) >= 3 and sum(assets.values()) < 60_000, assets
    policy = bodies[house.url].headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
