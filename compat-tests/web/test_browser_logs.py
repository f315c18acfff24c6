"""Logs in a real browser: followed, paused, searched, copied."""

from browsing import (  # noqa: F401 (fixtures among them)
    ALL, BROWSER_TESTS, CAT, SAY, browser, expect, hide, house, live, message, press, row, visit,
)

pytestmark = BROWSER_TESTS


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
    expect(page.locator(".follow")).to_have_text("Paused, 2 new lines")
    assert page.get_by_role("button", name="Resume").get_attribute("aria-pressed") is None
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
    # Only matches of nothing: everything.
    page.get_by_label("Only matches").check()
    expect(log.locator(".line:visible")).to_have_count(202)
    page.get_by_label("Only matches").uncheck()
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
    expect(log.locator(".line:visible")).to_have_count(204)
    page.get_by_label("Wrap").uncheck()
    expect(log).to_have_css("white-space", "pre")


def test_what_a_screen_reader_is_told_of_a_log_that_grows(house, visit):
    house.start(SAY)
    page = visit().page
    page.goto(f"{house.url}tail.html?processname=cat")
    expect(page.locator("#follow")).to_have_text("Following")
    page.evaluate("""() => {
        window.told = [];
        const observer = new MutationObserver((changes) => changes.forEach(({ target }) => told.push(target.textContent)));
        for (const region of document.querySelectorAll('[role=status], [aria-live]')) {
            observer.observe(region, { childList: true, characterData: true, subtree: true });
        }
    }""")

    def say(text):
        house.rpc("sendProcessStdin", "cat", text + "\n")
    lines, found, news = page.locator("#log .line"), page.locator("#found"), page.locator("#news")
    say(r"one\n")
    expect(lines).to_have_count(1)
    page.get_by_label("Search in the log").fill("o")
    expect(found).to_have_text("1 of 1")
    for number in range(2, 5):
        say(r"once more\n")
        expect(found).to_have_text(f"1 of {2 * number - 1}")
    page.keyboard.press("Enter")
    expect(found).to_have_text("2 of 7")
    press(page, "Pause")
    for number in range(1, 4):
        say(r"unseen\n")
        expect(news).to_have_text(f", {number} new line{'s' if number > 1 else ''}")
    press(page, "Resume")
    expect(lines).to_have_count(7)
    assert page.evaluate("told") == ["1 of 1", "2 of 7", "Paused", "Following"]


def test_a_paused_log_stays_when_the_stream_begins_anew(house, visit):
    house.start(CAT)
    house.rpc("sendProcessStdin", "cat", "one\n")
    house.daemon.wait_file("cat.out", "one\n")
    visitor = visit()
    visitor.forgive("ERR_|Failed to load resource")
    page = visitor.page
    page.goto(f"{house.url}tail.html?processname=cat")
    lines = page.locator("#log .line")
    expect(lines).to_have_text(["one"])
    press(page, "Pause")
    house.daemon.stop()
    expect(page.locator("#follow")).to_contain_text("Not following")
    house.daemon.start()
    expect(page.locator("#follow")).to_have_text("Paused")
    expect(lines).to_have_text(["one"])
    house.rpc("sendProcessStdin", "cat", "two\n")
    house.daemon.wait_file("cat.out", "two\n")
    expect(lines).to_have_text(["one"])
    press(page, "Resume")
    # Without the first line twice.
    expect(lines).to_have_text(["one", "two"])
    expect(page.locator("#follow")).to_have_text("Following")


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


def test_a_log_is_followed_again_after_the_daemon_s_restart(house, visit):
    house.start(CAT)
    visitor = visit()
    page = visitor.page
    page.goto(f"{house.url}tail.html?processname=cat")
    expect(page.locator("#follow")).to_have_text("Following")
    house.daemon.stop()
    expect(page.locator("#follow")).to_contain_text("Not following")
    house.daemon.start()
    expect(page.locator("#follow")).to_have_text("Following")
    house.rpc("sendProcessStdin", "cat", "after\n")
    expect(page.locator("#log .line").last).to_have_text("after")
    visitor.forgive("ERR_|Failed to load resource")
