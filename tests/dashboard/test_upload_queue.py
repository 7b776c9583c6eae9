"""The queue of the upload page, in a real browser: from the choice of files to the names that are loaded."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, expect

from tests.api.client import Api
from tests.dashboard.browser import Tab, tab
from tests.dashboard.loading import BAD, run_all
from tests.integration.world import NATIONAL, NO_RETRIES

pytestmark = pytest.mark.needs("browser")

PATIENCE = 60_000
TEN = [(path.name, path.read_bytes()) for path in sorted(NATIONAL.iterdir())]


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
    listed = ("list.txt", b"Anna,F,5\nBert,M,6\n")
    choose(screen, [*TEN[:3], ("yob2002.txt", BAD.encode()), listed, ("again.txt", TEN[1][1])])
    expect(row(screen, TEN[0][0])).to_contain_text("Already loaded at", timeout=PATIENCE)
    expect(row(screen, "again.txt")).to_contain_text(f"The same bytes as {TEN[1][0]}.")
    expect(row(screen, "list.txt").get_by_label("Year")).to_be_visible()
    expect(row(screen, TEN[1][0]).get_by_label("Year")).to_be_hidden()
    assert not world.query("select id from datasets where filename = %s", TEN[1][0])
    press(screen, "Upload 4")
    expect(row(screen, "list.txt")).to_contain_text("queued", timeout=PATIENCE)
    screen.page.wait_for_url("**/uploads/*")
    with tab(browser, api) as other:
        other.log_in("viewer")
        other.page.goto(screen.page.url)
        expect(row(other, TEN[2][0])).to_contain_text("queued")
        run_all(world, retry=NO_RETRIES)
        for one in (screen, other):
            expect(row(one, TEN[2][0])).to_contain_text("names, 2017, F and M", timeout=PATIENCE)
            expect(row(one, "yob2002.txt")).to_contain_text("line 2", timeout=PATIENCE)
        expect(row(other, "list.txt").get_by_label("Year")).to_have_count(0)
        row(screen, "list.txt").get_by_label("Year").fill("2003")
        press(screen, "Retry 2 that failed")
        expect(row(screen, "list.txt")).to_contain_text("queued", timeout=PATIENCE)
        run_all(world, retry=NO_RETRIES)
        for one in (screen, other):
            expect(row(one, "list.txt")).to_contain_text("2 names, 2003, F and M", timeout=PATIENCE)
    press(screen, "Copy all problems")
    text = screen.page.get_by_label("All problems", exact=True)
    expect(text).to_have_value(re.compile("^yob2002.txt\n.*line 2: "))
    assert world.one("select count(*) as count from datasets where batch is not null")["count"] == 4
    screen.page.reload()
    expect(row(screen, "list.txt")).to_contain_text("completed")
