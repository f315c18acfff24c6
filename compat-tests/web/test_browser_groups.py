"""Groups of the status page in a real browser: who belongs to which, folding, and where the focus goes when one goes."""

from browsing import (  # noqa: F401 (fixtures among them)
    ALL, BROWSER_TESTS, SLEEPER, WEB, ask, browser, expect, house, live, message, press, row, state, visit,
)

pytestmark = BROWSER_TESTS

ALPHA = SLEEPER.format(name="alpha")
# A group with a member of its own name.
TEAM = SLEEPER.format(name="team") + SLEEPER.format(name="mate") + "[group:team]\nprograms=team,mate\n"


def group(page, name):
    """The part of the table that a group has."""
    return page.locator(f"tbody[data-group={name}]")


def remove(house, *names):
    """Stops groups and removes them."""
    for name in names:
        house.rpc("stopProcessGroup", name)
        house.rpc("removeProcessGroup", name)


def exchange(house, programs, *names):
    """Removes groups and adds what the configuration has under their names now."""
    house.configure(programs)
    house.rpc("reloadConfig")
    remove(house, *names)
    for name in names:
        house.rpc("addProcessGroup", name)


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


def test_a_member_with_the_name_of_its_group(house, visit):
    house.start(ALPHA + TEAM)
    page, plain = visit().page, visit(java_script_enabled=False).page
    live(page, house.url)
    single = page.locator("#single tr.process")
    expect(single).to_have_count(1)
    expect(group(page, "team").locator("tr.process")).to_have_count(2)
    expect(group(page, "team").locator(".tally")).to_have_text("2 of 2 running")
    button = ask(page, "Stop group team")
    expect(button.locator("xpath=../p")).to_have_text("Stop all 2 processes of team?")
    button.click()
    message(page, "Group team stopped")
    state(page, "team", "stopped")
    state(page, "team:mate", "stopped")
    plain.goto(house.url)
    expect(plain.locator("#single tr.process")).to_have_count(1)
    expect(group(plain, "team").locator(".tally")).to_have_text("0 of 2 running")
    # Its group is folded as a whole.
    group(page, "team").locator(".fold").click()
    expect(page.locator("tr.process:visible")).to_have_count(1)
    group(page, "team").locator(".fold").click()
    # It stays by itself, and gets company again.
    exchange(house, ALPHA + SLEEPER.format(name="team"), "team")
    expect(single).to_have_count(2)
    expect(page.locator("tbody.group")).to_have_count(0)
    exchange(house, ALPHA + TEAM, "team")
    expect(single).to_have_count(1)
    expect(group(page, "team").locator(".tally")).to_have_text("2 of 2 running")
    press(page, "Stop team")
    message(page, "Process team stopped")
    expect(group(page, "team").locator(".tally")).to_have_text("1 of 2 running")


def test_the_focus_goes_to_the_neighbour_of_what_goes(house, visit):
    house.start(ALPHA + TEAM + WEB)
    page = visit().page
    live(page, house.url)
    page.locator("summary[aria-label='Stop group team']").focus()
    remove(house, "team")
    expect(group(page, "team")).to_have_count(0)
    expect(group(page, "web").locator(".fold")).to_be_focused()
    page.get_by_role("button", name="Stop web:web_1", exact=True).focus()
    remove(house, "web")
    expect(row(page, "alpha").get_by_role("link", name="alpha", exact=True)).to_be_focused()
    # A row that is filtered out goes, too.
    house.rpc("addProcessGroup", "web")
    state(page, "web:web_2", "running")
    page.locator(".counts button[data-state=RUNNING]").click()
    page.get_by_role("button", name="Stop web:web_0", exact=True).focus()
    house.rpc("stopProcess", "web:web_0")
    expect(row(page, "web:web_0")).to_be_hidden()
    expect(row(page, "web:web_1").get_by_role("link", name="web:web_1", exact=True)).to_be_focused()
    page.locator(".counts button[data-state=RUNNING]").click()
    page.get_by_role("button", name="Stop alpha", exact=True).focus()
    remove(house, "alpha", "web")
    expect(page.get_by_text("No programs to manage")).to_be_visible()
    expect(page.locator("main")).to_be_focused()


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


def test_folded_at_every_address_of_the_page(house, visit):
    house.start(ALL)
    page = visit().page
    live(page, house.url)
    fold = group(page, "web").locator(".fold")
    fold.click()
    page.get_by_role("link", name="Status", exact=True).click()
    expect(page).to_have_url(f"{house.url}index.html")
    expect(fold).to_have_attribute("aria-expanded", "false")
    # What somebody else wrote there does not matter.
    for spoilt in ('{"web', "5", '{"web": 1}'):
        page.evaluate("text => localStorage.setItem('supervisor.folded./', text)", spoilt)
        live(page, house.url)
        expect(fold).to_have_attribute("aria-expanded", "true")
