"""Failures by cause and reason, and one press for all of them."""

from collections.abc import Callable
from uuid import UUID

from dataset_jobs.model.causes import Cause
from tests.api.acting import FAIL
from tests.dashboard.visitor import Visitor, link_of, text_of


def failed(admin: Visitor, cause: str, count: int, year: int) -> list[UUID]:
    world = admin.api.world
    jobs = [world.submit_small(year + number).job_id for number in range(count)]
    for job_id in jobs:
        world.query(FAIL, job_id)
        world.query("update jobs set last_cause = %s, last_error = %s where id = %s", cause, f"{cause} it is", job_id)
    return jobs


def test_nothing_failed(admin: Visitor) -> None:
    assert "No job has failed that could be retried." in text_of(admin.get("/failures?since=all"))


def test_a_group_says_how_many_and_what_helps(admin: Visitor) -> None:
    crashed, rejected = failed(admin, Cause.CRASHED, 3, 2001), failed(admin, Cause.REJECTED, 1, 2011)
    page = admin.get("/failures?since=all")
    text = text_of(page)
    assert text.index("3 jobs : crashed") < text.index("1 job : rejected")
    groups = admin.api.world.client.failures().groups
    assert all(one.advice.text in text for one in groups)
    assert f"/jobs/{groups[0].jobs.sample_job}" in page.text
    assert "in pool default, US. The last one, as an example : crashed it is" in text
    listed = admin.get("/jobs?q=state:failed+cause:crashed+reason:none").text
    assert all(str(job_id) in listed for job_id in crashed) and str(rejected[0]) not in listed
    assert 'href="/jobs?q=state%3Afailed+cause%3Acrashed+reason%3Anone"' in page.text


def test_all_of_a_cause_are_retried_after_a_question(admin: Visitor) -> None:
    failed(admin, Cause.CRASHED, 3, 2001)
    page = admin.get("/failures?since=all")
    question = admin.get(link_of(page, "Retry all 3"))
    assert "Retry 3 jobs? 3 jobs match state:failed cause:crashed reason:none" in text_of(question)
    shown = text_of(admin.follow(admin.press(question, "Yes, retry 3 jobs")))
    assert "The operation goes on by itself" in shown and "Retry 3 jobs" in shown
    assert admin.api.world.one("select of from operations")["of"] == 3


def test_a_window_has_those_of_that_time_alone(admin: Visitor) -> None:
    old = failed(admin, Cause.CRASHED, 2, 2001)  # two days ago
    new = failed(admin, Cause.CRASHED, 1, 2011)
    admin.api.world.query("update jobs set finished_at = now() where id = %s", new[0])
    today, week = admin.get("/failures"), admin.get("/failures?since=7d")
    assert "1 job : crashed" in text_of(today) and "3 jobs : crashed" in text_of(week)
    listed = admin.get("/jobs?q=state:failed+cause:crashed+reason:none+ended:24h").text
    assert str(new[0]) in listed and not any(str(one) in listed for one in old)
    assert "1 job matches" in text_of(admin.get(link_of(today, "Retry it")))
    assert "3 jobs match" in text_of(admin.get(link_of(week, "Retry all 3")))
    assert admin.get("/failures?since=1y").status == 400


def test_reasons_of_one_cause_are_retried_apart(admin: Visitor) -> None:
    jobs = failed(admin, Cause.CRASHED, 2, 2001)
    admin.api.world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, lease_until, ended_at, released_at, cause,"
        " reason) values (%s, 1, 'default', 'process', 'x', now(), now(), now(), now(), 'crashed', 'signal')",
        jobs[0],
    )
    admin.api.world.query("update jobs set lease_epoch = 1 where id = %s", jobs[0])
    page = admin.get("/failures?since=all")
    assert text_of(page).count("1 job : crashed") == 2
    for reason, job_id in (("signal", jobs[0]), ("none", jobs[1])):
        listed = admin.get(f"/jobs?q=state:failed+reason:{reason}").text
        assert [str(one) in listed for one in jobs] == [one == job_id for one in jobs]


def test_a_viewer_is_not_offered_a_retry(visit: Callable[[str], Visitor]) -> None:
    failed(visit("admin"), Cause.CRASHED, 2, 2001)
    for role, offered in (("viewer", False), ("uploader", False), ("admin", True)):
        assert ("/operations/new" in visit(role).get("/failures?since=all").text) is offered
