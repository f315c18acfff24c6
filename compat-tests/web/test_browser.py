"""The status page in a real browser. Every visit fails on a console message, a dialog or a request to elsewhere."""

import re

from harness import wait_for
from browsing import (  # noqa: F401 (fixtures among them)
    ALL, BROWSER_TESTS, ONESHOT, SLEEPER, ask, browser, expect, hide, house, live, message, press, row, state, visit,
)

pytestmark = BROWSER_TESTS


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


def test_the_focus_waits_for_the_next_button(house, visit):
    """Between two states nothing can be pressed."""
    house.start("[program:alpha]\ncommand=/bin/sleep 1000000\nstartsecs=0\nstopsignal=CONT\nstopwaitsecs=3600\n")
    page = visit().page
    live(page, house.url)
    stop = page.get_by_role("button", name="Stop alpha", exact=True)
    stop.focus()
    house.rpc("stopProcess", "alpha", False)
    state(page, "alpha", "stopping")
    expect(stop).to_be_focused()
    house.rpc("signalProcess", "alpha", "KILL")
    state(page, "alpha", "stopped")
    expect(page.get_by_role("button", name="Start alpha", exact=True)).to_be_focused()


# Its end takes until there is a file.
LINGERER = """[program:lingerer]
command=/bin/sh -c 'trap "while [ ! -e %(here)s/go ]; do sleep 0.05; done; exit" TERM; echo ready; while :; do sleep 0.05; done'
startsecs=0
stopwaitsecs=36000
stdout_logfile=%(here)s/lingerer.out
"""


def test_a_restart_goes_on_without_its_page(house, visit):
    house.start(LINGERER)
    house.daemon.wait_file("lingerer.out", "ready")
    page = visit().page
    live(page, house.url)
    before = house.daemon.pid_of("lingerer")
    press(page, "Restart lingerer")
    state(page, "lingerer", "stopping")
    page.get_by_role("link", name="Main log").click()
    expect(page.locator("#follow")).to_have_text("Following")
    # As long as the daemon could take to notice that nobody waits.
    page.wait_for_timeout(1000)
    house.daemon.write("go", "")
    house.daemon.wait_state("lingerer", "RUNNING")
    assert house.daemon.pid_of("lingerer") != before


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


# Streams of events whose events the test makes up; page.evaluate() reaches the latest as `stream`.
MADE_UP_STREAM = """
    window.EventSource = class extends EventTarget {
        constructor() {
            super();
            window.streams = (window.streams ?? 0) + 1;
            window.stream = this;
        }
        close() {}
        tell(name, data) {
            this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
        }
    };
"""


def test_the_share_of_a_processor(house, visit):
    house.start(SLEEPER.format(name="alpha"))
    page = visit().page
    page.add_init_script(MADE_UP_STREAM)
    page.goto(house.url)
    share = """async readings => {
        const data = await (await fetch('api/v1/status')).json();
        const [alpha] = data.processes;
        const status = (now, cpu_millis) => stream.tell('status',
            { ...data, complete: true, now, processes: [{ ...alpha, cpu_millis, memory_bytes: 1, measured: now }], removed: [] });
        const start = data.supervisor.now;
        status(start, 0);
        for (const [since, after, cpu_millis] of readings) {
            stream.tell('usage', { now: start + after + 7, processes: { alpha: [cpu_millis, 1, start + after, start + since] } });
        }
        // Shows it even where the row is not on the screen.
        const [, after, cpu_millis] = readings.at(-1);
        status(start + after, cpu_millis);
        return document.querySelector('tr.process .cpu .figure').textContent;
    }"""
    assert page.evaluate(share, [[0, 2000, 500]]) == "25.0 %"
    # A reading that is late.
    assert page.evaluate(share, [[0, 2000, 2000], [2000, 4600, 4600]]) == "100.0 %"
    # Nothing is told of a process that does nothing.
    assert page.evaluate(share, [[0, 2000, 500], [58_000, 60_000, 1500]]) == "50.0 %"


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


def test_the_page_of_a_program_that_is_removed(house, visit):
    house.start(SLEEPER.format(name="alpha"))
    page = visit().page
    live(page, f"{house.url}program.html?processname=alpha")
    page.get_by_role("button", name="Stop alpha", exact=True).focus()
    house.rpc("stopProcess", "alpha")
    house.rpc("removeProcessGroup", "alpha")
    message(page, "ERROR: alpha is not there any more")
    expect(page.locator(".statename")).to_have_text("removed")
    expect(page.locator("form.actions :is(button, summary):visible")).to_have_count(0)
    expect(page.locator("main")).to_be_focused()
    house.configure("[program:alpha]\ncommand=/bin/cat\nstartsecs=0\n")
    house.rpc("reloadConfig")
    house.rpc("addProcessGroup", "alpha")
    expect(page.locator(".statename")).to_have_text("running")
    message(page, "")
    command = page.locator("table.settings tr", has=page.get_by_role("rowheader", name="command", exact=True))
    expect(command.locator("td")).to_have_text("/bin/cat")
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")


def test_an_end_that_nobody_knows(house, visit):
    house.start("[program:hasty]\ncommand=/bin/sh -c 'exit 3'\nstartsecs=5\nstartretries=1000\nautostart=false\n" + ONESHOT)
    house.daemon.wait_state("oneshot", "EXITED")
    page, plain = visit().page, visit(java_script_enabled=False).page

    def is_unknown():
        # It may be stopped while it runs once more.
        house.rpc("startProcess", "hasty", False)
        house.daemon.wait_state("hasty", "BACKOFF")
        house.rpc("stopProcess", "hasty")
        live(page, f"{house.url}program.html?processname=hasty")
        plain.goto(page.url)
        said = [each.locator("[data-fact=ending]").inner_text() for each in (page, plain)]
        assert said[0] == said[1]
        return said[0] == "none"
    wait_for(is_unknown, "an end within startsecs")
    live(page, f"{house.url}program.html?processname=oneshot")
    expect(page.locator("[data-fact=ending]")).to_have_text("exit status 3")


def test_connection_lost_and_regained(house, visit):
    house.start(ALL)
    visitor = visit()
    page = visitor.page
    live(page, house.url)
    page.evaluate("window.sameDocument = true")
    house.daemon.stop()
    expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
    press(page, "Stop alpha")
    message(page, "ERROR: the supervisor does not answer")
    house.configure(SLEEPER.format(name="alpha") + SLEEPER.format(name="fresh"))
    house.daemon.start()
    expect(page.locator("#connection")).to_have_text("Live")
    state(page, "fresh", "running")
    expect(page.locator("tr.process")).to_have_count(2)
    press(page, "Stop alpha")
    message(page, "Process alpha stopped")
    assert page.evaluate("window.sameDocument") is True
    visitor.forgive("ERR_|Failed to load resource")


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


def test_a_hidden_page_stays_silent_when_the_network_is_back(house, visit):
    house.start(ALL)
    page = visit().page
    page.add_init_script(MADE_UP_STREAM)
    page.goto(house.url)
    hide(page, True)
    assert page.evaluate("dispatchEvent(new Event('online')), streams") == 1
    hide(page, False)
    assert page.evaluate("dispatchEvent(new Event('online')), streams") == 3


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
