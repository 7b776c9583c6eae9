"""Jobs that somebody chooses in the list: what is asked, what is done with each, and what is said of those refused."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Route, expect

from dataset_jobs.model.actor import Act
from services.audit import AuditFilter
from tests.api.acting import FAIL
from tests.api.client import Answer, Api, running
from tests.dashboard.browser import Tab, tab
from tests.dashboard.loading import run_all
from tests.dashboard.uploaded import uploaded_by
from tests.dashboard.visitor import Visitor, link_of, text_of
from tests.integration.world import World

LIST = "/jobs?q=pool:default"


def three(api: Api) -> list[UUID]:
    """A failed one, and two that wait."""
    jobs = [api.world.submit_small(2001 + number).job_id for number in range(3)]
    api.world.query(FAIL, jobs[0])
    return jobs


def chosen(act: str, jobs: list[UUID]) -> str:
    """The address that the form of the list leads to."""
    return f"/selection?{urlencode([('act', act), ('back', LIST), *(('job', str(one)) for one in jobs)])}"


def yes(visitor: Visitor, act: str, jobs: list[UUID]) -> Answer:
    """Sends the form of the question."""
    form = [("act", act), ("back", LIST), *(("job", str(one)) for one in jobs)]
    return visitor.post("/selection", form)


def test_a_question_says_for_how_many(admin: Visitor) -> None:
    jobs = three(admin.api)
    page = admin.get(chosen("retry", jobs))
    text = text_of(page)
    assert "Retry 1 job? 3 jobs are selected; it is possible for 1 of them." in text
    assert "Not possible 2 jobs: it is queued" in text
    assert all(f'name="job" value="{one}"' in page.text for one in jobs)
    assert link_of(page, "No, go back") == LIST
    assert {row["state"] for row in admin.api.world.query("select state from jobs")} == {"failed", "queued"}


def test_each_is_done_and_refusals_are_said(admin: Visitor) -> None:
    jobs = [*three(admin.api), uuid4()]
    page = admin.follow(yes(admin, "retry", jobs))
    said = "1 job is queued again. 2 jobs cannot be retried: they are queued. 1 job cannot be retried: it is not there"
    assert said in text_of(page)
    assert 'value="pool:default"' in page.text
    cancelled = text_of(admin.follow(yes(admin, "cancel", jobs[:3])))
    assert "3 jobs are cancelled, or their runs are being stopped." in cancelled


def test_a_second_press_does_nothing_more(admin: Visitor) -> None:
    jobs = three(admin.api)
    yes(admin, "retry", jobs[:1])
    assert "1 job cannot be retried: it is queued." in text_of(admin.follow(yes(admin, "retry", jobs[:1])))
    for _ in range(2):
        assert "3 jobs are cancelled" in text_of(admin.follow(yes(admin, "cancel", jobs)))
    audit = admin.api.world.client.audit
    assert len(audit.page(AuditFilter(action=Act.JOB_RETRY), 9).items) == 1
    assert len(audit.page(AuditFilter(action=Act.JOB_CANCEL), 9).items) == 3


def test_a_job_with_a_later_one_says_so(admin: Visitor) -> None:
    world = admin.api.world
    job = world.submit_small()
    world.query(FAIL, job.job_id)
    world.client.datasets.reprocess(job.dataset_id)
    assert "its dataset has another job" in text_of(admin.follow(yes(admin, "retry", [job.job_id])))


def test_what_was_begun_before_a_death_is_finished(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away after the first of them; whoever presses again has the rest done."""
    world = admin.api.world
    jobs = [world.submit_small(2001 + number).job_id for number in range(3)]
    world.query(f"alter table jobs add constraint broken check (id <> '{jobs[1]}' or state <> 'cancelled')")
    assert yes(admin, "cancel", jobs).status >= 500
    assert [world.job(one)["state"] for one in jobs] == ["cancelled", "queued", "queued"]
    world.query("alter table jobs drop constraint broken")
    assert "3 jobs are cancelled" in text_of(admin.follow(yes(admin, "cancel", jobs)))
    assert len(world.client.audit.page(AuditFilter(action=Act.JOB_CANCEL), 9).items) == 3


def test_nothing_chosen_is_said(admin: Visitor) -> None:
    assert "No job was selected." in text_of(admin.follow(admin.get(chosen("retry", []))))
    assert "No job was selected." in text_of(admin.follow(yes(admin, "retry", [])))


def test_what_makes_no_sense_is_refused(admin: Visitor) -> None:
    assert admin.get(chosen("purge", [uuid4()])).status == 422
    assert admin.get("/selection?act=retry&job=x").status == 400
    assert admin.post("/selection", {"act": "retry", "job": "x"}).status == 422
    assert admin.post("/selection", {"act": "set", "job": str(uuid4())}).status == 422


def test_uploaders_act_on_what_is_theirs(visit: Callable[[str], Visitor], api: Api) -> None:
    uploader = visit("uploader")
    theirs, others = uploaded_by(api, "uploader"), uploaded_by(api, "admin")
    text = text_of(uploader.follow(yes(uploader, "cancel", [theirs, others])))
    assert "1 job is cancelled" in text
    assert "1 job cannot be cancelled: somebody else has uploaded it." in text
    assert [str(api.world.job(one)["state"]) for one in (theirs, others)] == ["cancelled", "queued"]


def test_who_may_not_sees_no_boxes(visit: Callable[[str], Visitor], api: Api) -> None:
    three(api)
    seen = {role: visit(role).get(LIST).text for role in ("viewer", "uploader", "admin")}
    assert {role: 'name="job"' in text for role, text in seen.items()} == {
        "viewer": False, "uploader": True, "admin": True,
    }  # fmt: skip
    assert {role: "/operations/new" in text for role, text in seen.items()} == {
        "viewer": False, "uploader": False, "admin": True,
    }  # fmt: skip
    viewer = visit("viewer")
    assert viewer.get(chosen("retry", [])).status == 403
    assert viewer.post("/selection", {"act": "retry"}).status == 403


def test_a_read_only_server_has_no_boxes(world: World) -> None:
    world.submit_small()
    with running(world, api_read_only=True) as api:
        admin = Visitor(api)
        admin.log_in(api.keys["admin"])
        assert 'name="job"' not in admin.get(LIST).text and "/operations/new" not in admin.get(LIST).text


def test_all_that_match_lead_to_a_question(admin: Visitor) -> None:
    three(admin.api)
    page = admin.get(LIST)
    assert "Cancel 2 jobs? 3 jobs match pool:default" in text_of(admin.get(link_of(page, "Cancel all that match")))
    assert "Retry 1 job?" in text_of(admin.get(link_of(page, "Retry all that match")))
    assert "Retry all that match" not in admin.get("/jobs?q=state:queued").text
    assert "Cancel all that match" not in admin.get("/jobs?q=state:failed").text
    assert "all that match</a>" not in admin.get("/jobs").text


WORDS = [
    ("retry-2", "2 jobs are queued again."),
    ("cancel-0-running-1", "1 job cannot be cancelled: it is running."),
    ("retry-1-evil-1", None), ("retry-1-running-0", None), ("retry-999", None), ("purge-1", None), ("retry-1-", None),
]  # fmt: skip


def test_only_our_own_words_are_said(admin: Visitor) -> None:
    for word, said in WORDS:
        outcome = admin.get(f"/jobs?did={word}").text.partition('class="outcome">')[2].partition("</div>")[0]
        assert outcome == (said or ""), word


@pytest.mark.needs("browser")
def test_a_list_keeps_still_while_rows_are_selected(screen: Tab) -> None:
    """And what has happened meanwhile is shown when they are not any more."""
    world = screen.api.world
    first, second = (world.submit_small(year).job_id for year in (2001, 2002))
    screen.open("/jobs?q=state:queued")
    expect(screen.page.locator("#liveness")).to_have_text("● live")
    box = screen.page.locator(f"#job-{first}").get_by_role("checkbox")
    box.check()
    expect(screen.page.locator("#count")).to_have_text("1 selected")
    expect(screen.page.locator("#liveness")).to_have_text("⏸ paused")
    with screen.page.expect_event("console", lambda message: "changed" in message.text):
        screen.page.evaluate(
            "new EventSource('/v1/stream?figures=1&ids=" + str(first) + "')"
            ".addEventListener('changed', (it) => { if (JSON.parse(it.data).jobs.length) console.log('changed') })"
        )
        run_all(world)
    assert "completed" not in screen.page.locator(f"#job-{first}").inner_text()
    box.uncheck()
    expect(screen.page.locator(f"#job-{first}")).to_contain_text("completed")
    expect(screen.page.locator("#liveness")).to_have_text("● live")
    screen.page.get_by_label("Select all of this page").check()
    expect(screen.page.locator("#count")).to_have_text("2 selected")
    screen.page.get_by_role("button", name="Retry selected").click()
    expect(screen.page.get_by_role("heading", name="Retry 0 jobs?")).to_be_visible()
    asked = parse_qs(urlsplit(screen.page.url).query)
    assert {*asked["job"]} == {str(first), str(second)}
    assert screen.findings() == []


@pytest.mark.needs("browser")
def test_a_row_selected_while_it_is_renewed_stays(screen: Tab) -> None:
    """What was asked for before the selection does not take it away when it comes."""
    job_id = screen.api.world.submit_small().job_id
    asked: list[Route] = []

    def keep(route: Route) -> None:
        asked.append(route)

    screen.page.route("**/jobs?ids=*", keep)
    screen.open("/jobs")
    while not asked:
        screen.page.wait_for_timeout(50)
    box = screen.page.locator(f"#job-{job_id}").get_by_role("checkbox")
    box.check()
    with screen.page.expect_response("**/jobs?ids=*"):
        asked[0].continue_()
    expect(box).to_be_checked()
    with screen.page.expect_request("**/jobs?ids=*"):
        box.uncheck()


@pytest.mark.needs("browser")
def test_without_scripts_rows_are_selected_too(browser: Browser, api: Api) -> None:
    jobs = three(api)
    with tab(browser, api, java_script_enabled=False) as screen:
        screen.log_in()
        screen.open(LIST)
        for job_id in jobs[:2]:
            screen.page.locator(f"#job-{job_id}").get_by_role("checkbox").check()
        screen.page.get_by_role("button", name="Cancel selected").click()
        screen.page.get_by_role("button", name="Yes, cancel 1 job").click()
        said = "1 job is cancelled, or its run is being stopped. 1 job cannot be cancelled: it is failed."
        expect(screen.page.get_by_role("status")).to_have_text(said)
        assert screen.page.url.endswith(f"{LIST}&did=cancel-1-failed-1")
