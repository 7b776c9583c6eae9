"""The pages in a real browser: what people do with them, by mouse, by keyboard, and while things happen.

At the end of each test the browser must have complained of nothing: no error, nothing refused by the policy of the
pages, no request to elsewhere.
"""

import pytest
from playwright.sync_api import Browser, expect

from services.keys import Keys, Role
from tests.api.client import Api
from tests.dashboard.browser import Tab, tab
from tests.dashboard.loading import BAD, PAST, run_all
from tests.integration.world import NO_RETRIES, World

pytestmark = pytest.mark.needs("browser")


AWAY_AND_BACK = """async () => {
  const filter = document.getElementById("filter");
  for (const away of [true, false]) {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
    document.dispatchEvent(new Event("visibilitychange"));
  }
  filter.focus();
  filter.blur();
  await new Promise((done) => setTimeout(done));
}"""
"""What happens in a page whose tab was not shown for a time, and in which somebody then goes to the filter."""


def test_a_person_logs_in_looks_on_and_logs_out(browser: Browser, api: Api) -> None:
    with tab(browser, api) as screen:
        screen.open("/jobs")
        screen.page.get_by_label("Key").fill("aw_12345678_" + 43 * "a")
        screen.page.keyboard.press("Enter")
        expect(screen.page.get_by_role("alert")).to_contain_text("There is no such key")
        screen.page.get_by_label("Key").fill(api.keys["viewer"])
        screen.page.keyboard.press("Enter")
        expect(screen.page.get_by_role("heading", name="Jobs")).to_be_visible()
        screen.page.get_by_role("button", name="Log out").click()
        expect(screen.page.get_by_role("heading", name="Log in")).to_be_visible()
        screen.open("/")
        expect(screen.page.get_by_role("heading", name="Log in")).to_be_visible()


def failed_job(world: World) -> str:
    job_id = world.submit(world.file("yob2002.txt", BAD)).job_id
    run_all(world, retry=NO_RETRIES)
    return str(job_id)


def test_a_failed_job_is_retried_and_then_cancelled(screen: Tab) -> None:
    world = screen.api.world
    job_id = failed_job(world)
    screen.open("/jobs?q=state:failed")
    screen.page.get_by_role("link", name="1", exact=True).click()
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text("failed")
    screen.page.get_by_role("button", name="Retry now").click()
    expect(screen.page.get_by_role("status")).to_have_text("The job is queued again.")
    assert world.one("select state from jobs")["state"] == "queued"
    with screen.page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        screen.page.evaluate("htmx.trigger(document.getElementById('live'), 'aw:news')")
    # What is renewed by itself takes no news away.
    expect(screen.page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(screen.page.get_by_role("status")).to_have_text("The job is queued again.")
    screen.page.get_by_role("button", name="Cancel").click()
    expect(screen.page.get_by_role("status")).to_contain_text("cancelled")
    assert str(world.job(world.client.jobs.find(job_id))["state"]) == "cancelled"
    screen.page.reload()
    expect(screen.page.get_by_role("status")).to_have_text("")


def test_a_dataset_is_deleted_after_a_question(screen: Tab) -> None:
    job_id = failed_job(screen.api.world)
    screen.open(f"/jobs/{job_id}")
    screen.page.get_by_role("button", name="Delete the dataset").click()
    expect(screen.page.get_by_role("heading", name="Are you sure?")).to_be_visible()
    screen.page.get_by_role("link", name="No, go back").click()
    screen.page.get_by_role("button", name="Delete the dataset").click()
    screen.page.get_by_role("button", name="Yes, do it").click()
    expect(screen.page.get_by_role("status")).to_have_text("The dataset is deleted.")
    assert not screen.api.world.query("select id from datasets")


class TestWhileThingsHappen:
    """A page is up to date without anybody loading it again, and keeps what a person does with it."""

    def test_the_overview_tells_of_a_pool_that_is_paused(self, screen: Tab) -> None:
        world = screen.api.world
        world.submit_small()
        screen.open("/")
        expect(screen.page.get_by_role("cell", name="1", exact=True)).to_be_visible()
        world.client.pools.pause("default", "somebody tests")
        expect(screen.page.get_by_role("main")).to_contain_text("is paused (somebody tests)")

    def test_a_story_goes_on_to_its_end(self, screen: Tab) -> None:
        world = screen.api.world
        job_id = world.submit_small().job_id
        screen.open(f"/jobs/{job_id}")
        heading = screen.page.get_by_role("heading", level=1)
        expect(heading).to_contain_text("queued")
        screen.page.evaluate("document.body.dataset.same = 'yes'")
        run_all(world)
        expect(heading).to_contain_text("completed")
        assert screen.page.evaluate("document.body.dataset.same") == "yes"

    def test_what_happens_before_the_stream_begins_is_seen(self, screen: Tab) -> None:
        world = screen.api.world
        job_id = world.submit_small().job_id
        screen.page.route("**/v1/stream*", lambda route: (world.client.jobs.cancel(job_id), route.continue_()))
        screen.open(f"/jobs/{job_id}")
        expect(screen.page.get_by_role("heading", level=1)).to_contain_text("cancelled")

    def test_what_is_open_and_what_has_the_focus_stays(self, screen: Tab) -> None:
        world = screen.api.world
        job_id = failed_job(world)
        screen.open(f"/jobs/{job_id}")
        details = screen.page.locator("details").first
        details.locator("summary").click()
        button = screen.page.get_by_role("button", name="Delete the dataset")
        button.focus()
        world.client.jobs.retry(world.client.jobs.find(job_id))
        expect(screen.page.get_by_role("heading", level=1)).to_contain_text("queued")
        expect(button).to_be_focused()
        assert details.evaluate("it => it.open") is False

    def test_a_list_announces_new_jobs_and_does_not_move(self, screen: Tab) -> None:
        world = screen.api.world
        world.submit_small(2001)
        screen.open("/jobs")
        with screen.page.expect_response("**/v1/stream*"):
            screen.page.reload()
        expect(screen.page.get_by_role("row")).to_have_count(2)
        link = screen.page.get_by_role("link", name="new: show")
        year = 2002
        while not link.is_visible():  # the first look of a stream may come after the first of them
            world.submit_small(year)
            year += 1
            screen.page.wait_for_timeout(500)
        expect(screen.page.get_by_role("row")).to_have_count(2)
        whole: list[str] = []
        screen.page.on("request", lambda it: whole.append(it.url) if "ids=" not in it.url else None)
        screen.page.evaluate(AWAY_AND_BACK)
        expect(screen.page.locator("#liveness")).to_have_text("● live")
        assert [one for one in whole if "/v1/stream" not in one] == []
        expect(screen.page.get_by_role("row")).to_have_count(2)
        link.click()
        expect(screen.page.get_by_role("row")).to_have_count(year - 2001 + 1)

    def test_a_row_of_a_list_is_renewed_where_it_is(self, screen: Tab) -> None:
        world = screen.api.world
        first = world.submit_small(2001).job_id
        world.submit_small(2002)
        screen.open("/jobs?q=state:queued")
        row = screen.page.locator(f"#job-{first}")
        row.get_by_role("link").focus()
        expect(screen.page.locator("#liveness")).to_have_text("● live")
        run_all(world)
        expect(row).to_contain_text("completed")
        expect(row.get_by_role("link")).to_be_focused()
        expect(screen.page.get_by_role("row").nth(1)).to_contain_text("yob2001")

    def test_a_pause_holds_the_page_still(self, screen: Tab) -> None:
        world = screen.api.world
        world.submit_small()
        screen.open("/")
        screen.page.keyboard.press("p")
        expect(screen.page.get_by_role("button", name="Go on with updates")).to_be_visible()
        world.client.pools.pause("default", "somebody tests")
        screen.page.wait_for_timeout(4_000)  # two rounds of figures
        assert "somebody tests" not in screen.page.inner_text("main")
        screen.page.keyboard.press("p")
        expect(screen.page.get_by_role("main")).to_contain_text("somebody tests")

    def test_a_key_that_was_revoked_meanwhile_ends_the_page(self, screen: Tab) -> None:
        """Nothing was heard of it: the page was paused. How it is while a page looks on is among the scenarios."""
        screen.expected.append("status of 401")
        keys = Keys(screen.api.world.client.database)
        keys.make("another admin", Role.ADMIN)
        screen.open("/")
        expect(screen.page.locator("#liveness")).to_have_text("● live")
        screen.page.keyboard.press("p")
        keys.revoke(next(one.id for one in keys.all() if one.name == "test admin"))
        screen.page.keyboard.press("p")
        expect(screen.page.get_by_role("heading", name="Log in")).to_be_visible(timeout=60_000)
        expect(screen.page.get_by_role("main")).to_contain_text("somebody has revoked its key")


def test_charts_are_drawn_and_follow_the_theme(screen: Tab) -> None:
    screen.api.world.query(PAST)
    screen.open("/pools/default")
    expect(screen.page.locator(".plot canvas")).to_have_count(4)
    before = screen.page.locator(".plot canvas").first.screenshot()
    screen.page.get_by_label("Theme").select_option("dark")
    expect(screen.page.locator(".plot canvas")).to_have_count(4)
    while screen.page.locator(".plot canvas").first.screenshot() == before:
        screen.page.wait_for_timeout(50)
    screen.page.evaluate("htmx.trigger(document.getElementById('live'), 'aw:news')")
    screen.page.wait_for_timeout(500)
    expect(screen.page.locator(".plot canvas")).to_have_count(4)


class TestForEverybody:
    """By keyboard, with a screen reader, on a narrow screen, in the dark, without scripts."""

    def test_axe_finds_nothing_serious(self, browser: Browser, api: Api) -> None:
        """Nor does any page ask to be moved sideways. What only the colours change is looked at again in the dark."""
        job_id = failed_job(api.world)
        waiting = api.world.submit_small(2010).job_id
        api.world.client.pools.pause("default", "somebody tests")
        found: dict[str, list[str]] = {}
        with tab(browser, api) as screen:
            screen.open("/login")
            found["/login"] = screen.findings()
            screen.log_in()
            for path in (
                "/",
                "/pools/default",
                "/failures",
                "/jobs",
                "/jobs?q=stat:failed",
                f"/jobs/{job_id}",
                f"/jobs/{waiting}",
                "/nowhere",
            ):
                screen.open(path)
                found[path] = screen.findings_everywhere()
        assert {path: one for path, one in found.items() if one} == {}

    def test_the_keyboard_reaches_everything(self, screen: Tab) -> None:
        """Each control gets the focus, visibly, in the order of the page, and Tab leads out again."""
        failed_job(screen.api.world)
        for path in ("/", "/jobs"):
            screen.open(path)
            controls = screen.page.evaluate(
                "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, [tabindex=\"0\"]')]"
                ".filter(it => it.checkVisibility()).length"
            )
            for _ in range(controls):
                screen.page.keyboard.press("Tab")
                shown = screen.page.evaluate(
                    "(() => { const it = document.activeElement, style = getComputedStyle(it);"
                    " it.dataset.reached = 'yes';"
                    " return style.outlineStyle !== 'none' && style.outlineWidth !== '0px' })()"
                )
                assert shown, screen.page.evaluate("document.activeElement.outerHTML")
            assert screen.page.evaluate("document.querySelectorAll('[data-reached]').length") == controls

    def test_keys_lead_from_page_to_page(self, screen: Tab) -> None:
        screen.page.keyboard.type("gj")
        expect(screen.page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        screen.page.keyboard.press("/")
        screen.page.keyboard.type("state:failed gogo")
        screen.page.keyboard.press("Enter")
        screen.page.wait_for_url("**/jobs?q=state%3Afailed+gogo")
        screen.page.keyboard.type("go")
        expect(screen.page.get_by_role("heading", name="Overview")).to_be_visible()

    def test_the_first_tab_leads_to_the_content(self, screen: Tab) -> None:
        screen.open("/")
        screen.page.keyboard.press("Tab")
        screen.page.keyboard.press("Enter")
        expect(screen.page.get_by_role("main")).to_be_focused()

    def test_the_theme_stays(self, screen: Tab) -> None:
        screen.page.get_by_label("Theme").select_option("dark")
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = screen.page.evaluate(ground)
        screen.open("/jobs")
        assert screen.page.evaluate(ground) == dark != "rgb(255, 255, 255)"

    def test_without_scripts_all_of_it_works(self, browser: Browser, api: Api) -> None:
        job_id = failed_job(api.world)
        with tab(browser, api, java_script_enabled=False) as screen:
            screen.log_in()
            screen.open(f"/jobs/{job_id}")
            screen.page.get_by_role("button", name="Retry now").click()
            expect(screen.page.get_by_role("status")).to_have_text("The job is queued again.")


def test_a_viewer_sees_no_button(browser: Browser, api: Api) -> None:
    job_id = failed_job(api.world)
    with tab(browser, api) as screen:
        screen.log_in("viewer")
        for path in ("/", "/jobs", f"/jobs/{job_id}"):
            screen.open(path)
            names = screen.page.get_by_role("main").get_by_role("button").all_inner_texts()
            assert {*names} <= {"Show", "Copy"}, path  # these change nothing


def test_a_page_is_small_and_of_one_server(screen: Tab, api: Api) -> None:
    """All that a first visit loads, raw; a further one has the files already."""
    for year in range(2001, 2041):
        api.world.submit_small(year)
    for path in ("/", "/jobs"):
        screen.loaded.clear()
        screen.open(path)
        screen.page.wait_for_load_state()
        assert 10_000 < sum(screen.loaded.values()) <= 200_000, screen.loaded
