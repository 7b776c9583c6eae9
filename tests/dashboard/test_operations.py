"""One act over all that match: what is asked before, how far it is, who may, and that two presses start one."""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain, repeat
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import expect

from dataset_jobs.model.states import JobState
from services.audit import AuditFilter
from services.filters import NO_REASON, JobFilter
from services.operation_acts import Doing, Options
from services.operations import Operations
from tests.api.acting import FAIL
from tests.api.client import Answer
from tests.dashboard.browser import Tab
from tests.dashboard.visitor import Visitor, buttons_of, link_of, text_of

FAILED = JobFilter((JobState.FAILED,))
QUESTION = "/operations/new?action=retry&q=state:failed"


@pytest.fixture(autouse=True)
def nobody_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not carry operations on: the tests do."""
    monkeypatch.setattr(Operations, "work", lambda *_: 0)


work = Operations.work


def failed(admin: Visitor, count: int) -> list[UUID]:
    world = admin.api.world
    jobs = [world.submit_small(2001 + number).job_id for number in range(count)]
    for job_id in jobs:
        world.query(FAIL, job_id)
    return jobs


def begun(admin: Visitor) -> Answer:
    """The page of an operation that has just begun."""
    return admin.follow(admin.press(admin.get(QUESTION), "Yes, retry 3 jobs"))


def test_a_question_says_what_it_would_do(admin: Visitor) -> None:
    world = admin.api.world
    jobs = failed(admin, 3)
    world.query("update jobs set last_cause = 'crashed' where id = %s", jobs[0])
    world.submit_small(2011)
    page = admin.get("/operations/new?action=retry&q=pool:default")
    text = text_of(page)
    assert "Retry 3 jobs? 4 jobs match pool:default; it is possible for 3 of them." in text
    assert "2 jobs: rejected 1 job: crashed 1 job: none so far" in text
    assert "Not possible 1 job: it is queued" in text
    assert f"/jobs/{jobs[0]}" in page.text and "The oldest submitted 20" in text
    assert world.query("select id from operations") == []


def test_a_question_about_nothing_has_no_yes(admin: Visitor) -> None:
    admin.api.world.submit_small()
    for words in ("state:failed", "state:queued"):
        page = admin.get(f"/operations/new?action=retry&q={words}")
        assert "Retry 0 jobs?" in text_of(page)
        assert "Yes," not in page.text


WRONG = [
    ("action=purge&q=state:failed", "action: there are retry and cancel"),
    ("action=retry&q=", "q: say which jobs"),
    ("action=retry&q=stat:failed", "did you mean state:?"),
    ("action=retry&q=pool:none", "pool 'none': there are default"),
]


def test_a_question_that_makes_no_sense_is_refused(admin: Visitor) -> None:
    for query, why in WRONG:
        answer = admin.get(f"/operations/new?{query}")
        assert answer.status in (400, 422), query
        assert why.casefold() in text_of(answer).casefold()


def test_an_operation_says_how_far_it_is(admin: Visitor) -> None:
    """And what is still to do while nobody carries it on, such as after the server has ended."""
    world = admin.api.world
    failed(admin, 3)
    page = begun(admin)
    text = text_of(page)
    assert "Retry 3 jobs ▶ running 0 of 3 are retried; 3 to go. Nobody is at it just now" in text
    assert "State failed" in text and "by test admin (web)" in text and 'data-live="figures"' in page.text
    operations = Operations(world.client.database, 2)
    rounds = chain([False, False], repeat(True))
    work(operations, world.storage, lambda: next(rounds))  # a batch, and no more
    path = f"/operations/{operations.page(1)[0].id}"
    assert "2 of 3 are retried; 1 to go" in text_of(admin.get(path))
    assert "2 of 3 (67 %)" in text_of(admin.get("/operations"))
    world.query("update operations set lease_until = now() + interval '1 minute', holder = gen_random_uuid()")
    assert "2 of 3 are retried; 1 to go. Begun" not in text_of(admin.get(path))
    assert "Nobody" not in text_of(admin.get(path))
    world.query("update operations set lease_until = null")
    work(operations, world.storage)
    ended = admin.get(path)
    assert "It is over: 3 of 3 are retried." in text_of(ended)
    assert 'data-live=""' in ended.text and buttons_of(ended) == set()


def test_what_comes_between_is_said(admin: Visitor) -> None:
    world = admin.api.world
    jobs = failed(admin, 3)
    operations = Operations(world.client.database)
    without_state = operations.start(Doing.RETRY, JobFilter(pool="default"))
    of_state = operations.start(Doing.RETRY, FAILED)
    world.client.jobs.retry(jobs[1])
    work(operations, world.storage)
    text = text_of(admin.get(f"/operations/{without_state.id}"))
    assert "It is over: 2 of 3 are retried, 1 cannot be." in text
    assert "Why some cannot be 1 job: it is not finished: it is queued" in text
    assert "0 of 3 are retried, 3 did not match any more" in text_of(admin.get(f"/operations/{of_state.id}"))


def test_two_presses_start_one_operation(admin: Visitor) -> None:
    failed(admin, 3)
    question = admin.get(QUESTION)
    answers = [admin.press(question, "Yes, retry 3 jobs") for _ in range(2)]
    assert len({one.headers["location"] for one in answers}) == 1
    assert len(admin.api.world.query("select id from operations")) == 1
    assert len(admin.api.world.client.audit.page(AuditFilter(action="operation.start"), 5).items) == 1


def test_a_press_after_the_end_starts_nothing(admin: Visitor) -> None:
    world = admin.api.world
    failed(admin, 3)
    question = admin.get(QUESTION)
    admin.press(question, "Yes, retry 3 jobs")
    work(Operations(world.client.database), world.storage)
    failed_again = world.submit_small(2020).job_id
    world.query(FAIL, failed_again)
    assert "It is over: 3 of 3" in text_of(admin.follow(admin.press(question, "Yes, retry 3 jobs")))
    assert world.job(failed_again)["state"] == "failed"


def test_the_id_of_another_operation_is_refused(admin: Visitor) -> None:
    world = admin.api.world
    failed(admin, 3)
    other = world.client.operations.start(Doing.CANCEL, JobFilter())
    form = {"action": "retry", "q": "state:failed", "operation": str(other.id)}
    assert admin.post("/operations", form).status == 409
    assert admin.post("/operations", {**form, "operation": "x"}).status == 422
    assert len(world.query("select id from operations")) == 1


def test_an_operation_is_cancelled(admin: Visitor) -> None:
    failed(admin, 3)
    page = begun(admin)
    cancelled = admin.follow(admin.press(page, "Cancel the operation"))
    text = text_of(cancelled)
    assert "The operation is cancelled. What it has done stays done." in text
    assert "Test admin has cancelled it at" in text or "test admin has cancelled it at" in text
    assert "0 of 3 are retried, 3 are left as they were" in text
    assert admin.press(page, "Cancel the operation").status == 303
    answer = admin.post("/act", {"action": "cancel", "target": "operation", "id": "x"})
    assert answer.status == 404


def test_an_operation_that_is_over_is_not_cancelled(admin: Visitor) -> None:
    world = admin.api.world
    failed(admin, 3)
    page = begun(admin)
    work(Operations(world.client.database), world.storage)
    answer = admin.press(page, "Cancel the operation")
    assert (answer.status, "is over: it has completed" in text_of(answer)) == (409, True)


def test_others_see_operations_and_begin_none(visit: Callable[[str], Visitor], admin: Visitor) -> None:
    failed(admin, 3)
    begun(admin)
    path = f"/operations/{admin.api.world.client.operations.page(1)[0].id}"
    for role in ("viewer", "uploader"):
        visitor = visit(role)
        assert buttons_of(visitor.get(path)) == set()
        assert "Retry 3 jobs" in text_of(visitor.get("/operations"))
        assert visitor.get(QUESTION).status == 403
        form = {"action": "retry", "q": "state:failed", "operation": str(uuid4())}
        assert visitor.post("/operations", form).status == 403


def test_every_kind_of_operation_has_its_words(admin: Visitor) -> None:
    operations = admin.api.world.client.operations
    failed(admin, 1)
    operations.start(Doing.PURGE, FAILED, Options(older_than=timedelta(days=3)))
    made = operations.start(Doing.SET, JobFilter(reason=NO_REASON, file="yob"), Options(priority=7))
    text = text_of(admin.get("/operations"))
    assert "Remove 0 jobs ▶ running nothing matched" in text and "Change 1 job" in text
    told = text_of(admin.get(f"/operations/{made.id}"))
    assert "Reason none" in told and "File name yob" in told and "New priority 7" in told


def test_the_list_has_pages(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.routes.operations.SHOWN", 2)
    operations = admin.api.world.client.operations
    made = [operations.start(Doing.RETRY, FAILED).id for _ in range(3)]
    first = admin.get("/operations")
    second = admin.get(link_of(first, "Next page"))
    assert [str(one) in first.text for one in made] == [False, True, True]
    assert [str(one) in second.text for one in made] == [True, False, False]
    assert link_of(second, "First page") == "/operations"


@pytest.mark.needs("browser")
def test_a_page_shows_an_operation_to_its_end(screen: Tab) -> None:
    """From the list of jobs over the question to the operation, which nobody loads again."""
    world, page = screen.api.world, screen.page
    for number in range(3):
        world.query(FAIL, world.submit_small(2001 + number).job_id)
    screen.open("/jobs?q=state:failed")
    page.get_by_role("link", name="Retry all that match").click()
    assert screen.findings() == []
    page.get_by_role("button", name="Yes, retry 3 jobs").click()
    expect(page.get_by_role("status")).to_contain_text("The operation goes on by itself")
    expect(page.get_by_role("main")).to_contain_text("0 of 3 are retried; 3 to go")
    assert screen.findings() == []
    page.evaluate("document.body.dataset.same = 'yes'")
    work(Operations(world.client.database), world.storage)
    expect(page.get_by_role("main")).to_contain_text("It is over: 3 of 3 are retried", timeout=60_000)
    assert page.evaluate("document.body.dataset.same") == "yes"
    page.get_by_role("link", name="All operations").click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert screen.findings() == []
