"""The queue of the upload page, in a real browser: from the choice of files to the names that are loaded."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Locator, Route, expect

from tests.api.client import Api
from tests.dashboard.browser import Tab, tab
from tests.dashboard.loading import BAD, run_all
from tests.integration.world import NATIONAL, NO_RETRIES

pytestmark = pytest.mark.needs("browser")

TEN = [(path.name, path.read_bytes()) for path in sorted(NATIONAL.iterdir())]

DROP = """([name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


def choose(screen: Tab, files: Sequence[tuple[str, bytes]], country: str = "US") -> None:
    """Opens the page, and chooses files."""
    screen.open("/upload")
    screen.page.get_by_label("Country").select_option(country)
    payloads = [FilePayload(name=name, mimeType="text/plain", buffer=content) for name, content in files]
    screen.page.locator("input[type=file]").set_input_files(payloads)


def row(screen: Tab, name: str) -> Locator:
    return screen.page.get_by_role("row").filter(has=screen.page.get_by_role("rowheader", name=name, exact=True))


def press(screen: Tab, name: str | re.Pattern[str]) -> None:
    screen.page.get_by_role("button", name=name).click()


def test_files_go_from_the_choice_to_the_names(screen: Tab, browser: Browser, api: Api) -> None:
    world = api.world
    world.submit(NATIONAL / TEN[0][0])
    run_all(world)
    choose(screen, [*TEN[:3], ("yob2002.txt", BAD.encode()), ("again.txt", TEN[1][1])])
    screen.page.evaluate(DROP, ["list.txt", "Anna,F,5\nBert,M,6\n"])
    expect(row(screen, TEN[0][0])).to_contain_text("Already loaded at")
    expect(row(screen, "again.txt")).to_contain_text(f"The same bytes as {TEN[1][0]}")
    expect(row(screen, "list.txt").get_by_label("Year")).to_be_visible()
    expect(row(screen, TEN[1][0]).get_by_label("Year")).to_be_hidden()
    assert not world.query("select id from datasets where filename = %s", TEN[1][0])
    press(screen, "Upload 4")
    expect(row(screen, "list.txt")).to_contain_text("queued")
    screen.page.wait_for_url("**/uploads/*")
    expect(screen.page.locator("#tally")).to_have_text("1 known, 4 queued, 1 twice")
    with tab(browser, api) as other:
        other.log_in("viewer")
        other.page.goto(screen.page.url)
        expect(row(other, TEN[2][0])).to_contain_text("queued")
        run_all(world, retry=NO_RETRIES)
        for one in (screen, other):
            expect(row(one, TEN[2][0])).to_contain_text("names, 2017, F and M")
            expect(row(one, "yob2002.txt")).to_contain_text("Line 2")
        expect(row(other, "list.txt").get_by_label("Year")).to_have_count(0)
        row(screen, "list.txt").get_by_label("Year").fill("2003")
        press(screen, "Retry 2 that failed")
        expect(row(screen, "list.txt")).to_contain_text("queued")
        run_all(world, retry=NO_RETRIES)
        for one in (screen, other):
            expect(row(one, "list.txt")).to_contain_text("2 names, 2003, F and M")
    press(screen, "Copy all problems")
    text = screen.page.get_by_label("All problems", exact=True)
    expect(text).to_have_value(re.compile("^yob2002.txt\nLine 2: "))
    assert world.one("select count(*) as count from datasets where batch is not null")["count"] == 4
    screen.page.reload()
    expect(row(screen, "list.txt")).to_contain_text("completed")


def accessible(screen: Tab, *states: str) -> None:
    """Nothing serious is wrong with the page while it has rows of these states, narrow or in the dark either."""
    for state in states:
        expect(screen.page.locator(f"tr[data-is={state}]").first).to_be_visible()
    assert screen.findings_everywhere() == []


def test_what_does_not_arrive_is_sent_again(screen: Tab, api: Api) -> None:
    """A check first, a lost connection, a login that has ended: the files stay chosen, and none is there twice."""
    world = api.world
    screen.expected += ["ERR_CONNECTION_RESET", "status of 401"]
    choose(screen, [TEN[3], TEN[4], ("yob2002.txt", BAD.encode()), ("twin.txt", TEN[3][1])])
    press(screen, "Check first")
    expect(row(screen, TEN[3][0])).to_contain_text("Nothing is wrong with it:")
    expect(row(screen, "yob2002.txt")).to_contain_text("Line 2: ")
    expect(row(screen, TEN[4][0])).to_contain_text("checked")
    assert not world.query("select id from datasets")
    accessible(screen, "checked", "refused", "twice")
    screen.page.route("**/upload", lambda route: route.abort("connectionreset"))
    press(screen, "Upload 3")
    for name in (TEN[3][0], TEN[4][0], "yob2002.txt"):
        expect(row(screen, name)).to_contain_text("the connection was lost")
    screen.page.unroute("**/upload")
    sessions = world.query("update web_sessions set expires_at = now() returning token_hash")
    press(screen, "Retry 3 that failed")
    for name in (TEN[3][0], TEN[4][0], "yob2002.txt"):
        expect(row(screen, name)).to_contain_text("Your login has ended")
    accessible(screen, "unsent")
    assert len(sessions) == 1 and not world.query("select id from datasets")
    with screen.page.context.expect_page() as opened:
        screen.page.get_by_role("link", name="log in", exact=True).click()
    opened.value.get_by_label("Key").fill(api.keys["admin"])
    opened.value.get_by_role("button", name="Log in").click()
    opened.value.get_by_role("heading", name="Upload").wait_for()
    opened.value.close()
    press(screen, "Retry 3 that failed")
    for name in (TEN[3][0], TEN[4][0], "yob2002.txt"):
        expect(row(screen, name)).to_contain_text("queued")
    assert world.one("select count(*) as count from datasets")["count"] == 3


def test_fifty_files_are_sent_at_once(screen: Tab, api: Api) -> None:
    """Three at a time; whoever wants to leave meanwhile is asked, and nobody after that."""
    many = [(f"yob{year}.txt", f"Mary,F,{year}\n".encode()) for year in range(1950, 2000)]
    asked: list[str] = []
    held: list[Route] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    def hold(route: Route) -> None:
        if len(held) < 3:
            held.append(route)
        else:
            route.continue_()

    screen.page.on("dialog", stay)
    choose(screen, many)
    expect(screen.page.get_by_role("button", name="Upload 50")).to_be_visible()
    screen.page.route("**/upload", hold)
    press(screen, "Upload 50")
    expect(screen.page.locator("tr[data-is=sending]")).to_have_count(3)
    expect(screen.page.locator("tr[data-is=waiting]")).to_have_count(47)
    screen.page.evaluate("location.reload()")
    for route in held:
        route.continue_()
    expect(screen.page.locator("tr[data-is=queued]")).to_have_count(50)
    assert asked == ["beforeunload"]
    screen.page.reload()
    expect(screen.page.locator("tr[data-is=queued]")).to_have_count(50)
    assert len(asked) == 1
    assert api.world.one("select count(*) as count from datasets")["count"] == 50
