"""Who visits the web interface, and how: without a script, by keyboard, on a phone, through a proxy, with bad intent."""

import re
from urllib.parse import quote

import pytest

from browsing import (  # noqa: F401 (fixtures among them)
    ALL, BROWSER_TESTS, HOSTILE, SLEEPER, WEB, ask, browser, expect, house, live, message, press, row, state,
    sync_api, visit,
)
from stripping_proxy import StrippingProxy

pytestmark = BROWSER_TESTS


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
    expect(page.locator("#log .line")).to_have_count(lines.count("\n"))
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


def brightness(color):
    """The mean of red, green and blue of a computed colour."""
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 3


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


@pytest.mark.parametrize("script", [True, False])
def test_a_refusal_leads_on_when_it_was_confirmed(house, visit, script):
    house.start(ALL)
    visitor = visit(java_script_enabled=script)
    visitor.forgive("403")
    page = visitor.page
    page.set_content(f'<a href="{house.url}index.html?action=stop&amp;processname=alpha">elsewhere</a>')
    page.get_by_role("link", name="elsewhere").click()
    expect(page.locator("h1")).to_have_text("Nothing was done")
    page.locator(".refusal button").click()
    expect(page.locator("h1")).to_have_text("Processes")
    message(page, "Process alpha stopped")
    state(page, "alpha", "stopped")


# The texts of a page whose contrast with what is behind them is below 4.5 (WCAG 2.2, AA).
PALE_TEXTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const over = (front, back) => [0, 1, 2].map((i) => (front[i] * front[3] + back[i] * (255 - front[3])) / 255);
    const behind = (element) => {
        const back = element.parentElement ? behind(element.parentElement) : [255, 255, 255];
        return over(rgba(getComputedStyle(element).backgroundColor), back);
    };
    const light = (color) => {
        const [r, g, b] = color.map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    // What a group of elements with an opacity lets through.
    const faded = (element, color) => {
        if (!element.parentElement) return color;
        const { opacity } = getComputedStyle(element);
        return faded(element.parentElement, over([...color, 255 * opacity], behind(element.parentElement)));
    };
    const found = [];
    for (const element of document.body.querySelectorAll('*')) {
        const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim();
        if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
        const back = behind(element);
        const text_color = over(rgba(getComputedStyle(element).color), back);
        const lights = [text_color, back].map((color) => light(faded(element, color))).sort((a, b) => b - a);
        const contrast = (lights[0] + 0.05) / (lights[1] + 0.05);
        if (contrast < 4.5) found.push(`${text}: ${contrast.toFixed(2)}`);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(house, visit, scheme):
    house.start(ALL)
    house.rpc("stopProcess", "alpha")
    visitor = visit(color_scheme=scheme)
    for path in PAGES:
        visitor.page.goto(house.url + path)
        assert visitor.page.evaluate(PALE_TEXTS) == []
    live(visitor.page, house.url)
    ask(visitor.page, "Stop all processes")
    assert visitor.page.evaluate(PALE_TEXTS) == []
    visitor.forgive("404")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_without_a_connection(house, visit, scheme):
    house.start(ALL)
    visitor = visit(color_scheme=scheme)
    visitor.forgive("ERR_|Failed to load resource")
    pages = [visitor.page, visitor.open()]
    for page, path in zip(pages, ("", "program.html?processname=web%3Aweb_0")):
        live(page, house.url + path)
    house.daemon.stop()
    for page in pages:
        expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
        assert page.evaluate(PALE_TEXTS) == []


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
