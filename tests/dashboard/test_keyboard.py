"""By keyboard alone, in a real browser: what keys do, when they do nothing, and a whole errand without a mouse."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.acting import FAIL
from tests.api.client import Api
from tests.dashboard.browser import Tab, tab
from tests.dashboard.visitor import Visitor, text_of

pytestmark = pytest.mark.needs("browser")

FOCUSED = "document.activeElement.closest('tr, .group, li')?.id ?? ''"
SEEN = (
    "(() => { const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();"
    " return style.outlineStyle !== 'none' && style.outlineWidth !== '0px' && box.width > 0 && box.bottom > 0"
    " && box.top < innerHeight })()"
)


def failed(api: Api, count: int) -> list[str]:
    """Jobs that have failed, the newest first, as a list has them."""
    jobs = [str(api.world.submit_small(2001 + number).job_id) for number in range(count)]
    for job_id in jobs:
        api.world.query(FAIL, job_id)
    return jobs[::-1]


def tab_to(page: Page, name: str, role: str | None = None) -> None:
    """Presses Tab until a control of this name has the focus, which is seen at each on the way."""
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate(SEEN), page.evaluate("document.activeElement.outerHTML")
        label = "(it.labels?.[0] ?? it).textContent.trim()"
        if page.evaluate(f"(() => {{ const it = document.activeElement; return {label} }})()") == name:
            return
    raise AssertionError(f"Tab does not reach {name!r}")


def test_an_errand_without_a_mouse(browser: Browser, api: Api) -> None:
    """Logs in, goes to the failed jobs, selects two, retries them, confirms, and reads what was done."""
    jobs = failed(api, 3)
    with tab(browser, api) as screen:
        page = screen.page
        screen.open("/login")
        expect(page.get_by_label("Key")).to_be_focused()  # by itself, with the first frame that is shown
        page.keyboard.type(api.keys["admin"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        tab_to(page, "Jobs")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        tab_to(page, "failed 3")
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs?q=state%3Afailed")
        for number in (3, 1):
            tab_to(page, f"Select job {number}")
            page.keyboard.press("Space")
        expect(page.locator("#count")).to_have_text("2 selected")
        tab_to(page, "Retry selected")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Retry 2 jobs?")).to_be_visible()
        tab_to(page, "Yes, retry 2 jobs")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("2 jobs are queued again.")
        states = [api.world.job(api.world.client.jobs.find(one))["state"] for one in jobs]
        assert states == ["queued", "failed", "queued"]


def test_keys_move_select_and_ask(screen: Tab) -> None:
    jobs = failed(screen.api, 3)
    page, keys = screen.page, screen.page.keyboard
    screen.open("/jobs?q=state:failed")
    keys.type("xrc")  # nothing is selected, and no row has the focus
    for pressed, at in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        keys.press(pressed)
        assert page.evaluate(FOCUSED) == f"job-{jobs[at]}", pressed
        assert page.evaluate(SEEN)
    keys.press("x")
    expect(page.locator(f"#job-{jobs[1]}").get_by_role("checkbox")).to_be_checked()
    keys.press("x")
    expect(page.locator(f"#job-{jobs[1]}").get_by_role("checkbox")).not_to_be_checked()
    keys.type("xkxr")  # what is selected
    expect(page.get_by_role("heading", name="Retry 2 jobs?")).to_be_visible()
    page.go_back()
    screen.open("/jobs?q=state:failed")
    keys.type("jc")  # the one with the focus
    expect(page.get_by_role("heading", name="Cancel 0 jobs?")).to_be_visible()
    screen.open("/jobs?q=state:failed")
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url(f"**/jobs/{jobs[0]}")
    keys.press("r")  # the job of the page
    expect(page.get_by_role("heading", name="Retry 1 job?")).to_be_visible()
    page.get_by_role("link", name="No, go back").click()
    page.wait_for_url(f"**/jobs/{jobs[0]}")
    keys.press("c")  # which is not possible
    screen.api.world.query("update jobs set last_cause = 'crashed'")
    screen.open("/failures?since=7d")
    keys.type("jr")  # all that failed alike
    expect(page.get_by_role("heading", name="Retry 3 jobs?")).to_be_visible()
    assert {row["state"] for row in screen.api.world.query("select state from jobs")} == {"failed"}


def test_keys_are_explained_and_switched_off(screen: Tab) -> None:
    """In a dialog that gives the focus back; the choice stays, and nothing happens while somebody types."""
    page, keys = screen.page, screen.page.keyboard
    screen.open("/jobs")
    dialog = page.get_by_role("dialog")
    keys.press("?")
    expect(dialog).to_contain_text("to the next or the previous one of a list")
    assert screen.findings() == []
    keys.type("gf")
    keys.press("Escape")
    expect(dialog).not_to_be_visible()
    keys.press("/")
    keys.type("gf?p")
    expect(page.get_by_label("Filter")).to_have_value("gf?p")
    expect(dialog).not_to_be_visible()
    page.get_by_role("link", name="Keyboard").click()
    dialog.get_by_role("button", name="Switch these keys off").click()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("link", name="Keyboard")).to_be_focused()
    keys.type("gf?")
    screen.open("/jobs")
    keys.type("gf?")
    expect(dialog).not_to_be_visible()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    screen.open("/keyboard")
    assert screen.findings() == []
    page.get_by_role("main").get_by_role("button", name="Switch these keys on").click()
    keys.type("gf")
    expect(page.get_by_role("heading", name="Failures", level=1)).to_be_visible()


def test_keys_work_where_nothing_is_kept(browser: Browser, api: Api) -> None:
    with tab(browser, api) as screen:
        screen.page.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied') } })"
        )
        screen.log_in()
        screen.page.keyboard.type("gj")
        expect(screen.page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        screen.page.keyboard.press("?")
        screen.page.get_by_role("button", name="Switch these keys off").click()
        screen.page.keyboard.press("Escape")
        screen.page.keyboard.type("gf")
        expect(screen.page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()


def test_times_are_those_of_the_viewer(browser: Browser, api: Api) -> None:
    """Also after the page has been renewed; without scripts they are in UTC and say so."""
    job_id = failed(api, 1)[0]
    api.world.query("update jobs set created_at = '2026-01-02 23:30:00+00', finished_at = '2026-07-02 23:30:00+00'")
    zone: dict[str, Any] = {"timezone_id": "Europe/Berlin"}
    with tab(browser, api, **zone) as screen:
        screen.log_in()
        screen.open(f"/jobs/{job_id}")
        made = screen.page.locator('time[datetime^="2026-01-02T23:30"]').first
        for _ in range(2):
            expect(made).to_have_text("2026-01-03 00:30:00 GMT+1")
            expect(made).to_have_attribute("title", "2026-01-02 23:30:00 UTC")
            with screen.page.expect_response(f"**/jobs/{job_id}"):
                screen.page.evaluate("htmx.trigger(document.getElementById('live'), 'aw:news')")
        assert " UTC" not in screen.page.inner_text("main")
    with tab(browser, api, java_script_enabled=False, **zone) as screen:
        screen.log_in()
        screen.open(f"/jobs/{job_id}")
        expect(screen.page.get_by_role("main")).to_contain_text("2026-01-02 23:30:00 UTC")
        screen.open("/keyboard")
        expect(screen.page.get_by_role("main")).to_contain_text("to the next or the previous one of a list")


def test_a_form_has_what_is_now(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    admin.api.world.query("update jobs set priority = -3")
    assert 'name="priority" type="number" value="-3"' in admin.get(f"/jobs/{job_id}").text
    maximum = admin.api.world.client.pools.get("default").max_running
    assert f'name="max_running" type="number" value="{maximum}"' in admin.get("/pools/default").text
    assert "Keyboard" in text_of(admin.get("/keyboard"))
