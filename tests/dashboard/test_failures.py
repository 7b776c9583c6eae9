"""Failures by cause and reason, and one press for all of them."""

from uuid import UUID

from dataset_jobs.model.causes import Cause
from tests.api.acting import FAIL
from tests.dashboard.visitor import Visitor, buttons_of, text_of


def failed(admin: Visitor, cause: str, count: int, year: int) -> list[UUID]:
    world = admin.api.world
    jobs = [world.submit_small(year + number).job_id for number in range(count)]
    for job_id in jobs:
        world.query(FAIL, job_id)
        world.query("update jobs set last_cause = %s, last_error = %s where id = %s", cause, f"{cause} it is", job_id)
    return jobs


def test_nothing_failed(admin: Visitor) -> None:
    assert "No job has failed that could be retried." in text_of(admin.get("/failures"))


def test_a_group_says_how_many_and_what_helps(admin: Visitor) -> None:
    crashed, rejected = failed(admin, Cause.CRASHED, 3, 2001), failed(admin, Cause.REJECTED, 1, 2011)
    page = admin.get("/failures")
    text = text_of(page)
    assert text.index("3 jobs : crashed") < text.index("1 job : rejected")
    groups = admin.api.world.client.failures().groups
    assert all(one.advice.text in text for one in groups)
    assert f"/jobs/{groups[0].jobs.sample_job}" in page.text
    assert "in pool default, US. The last one, as an example : crashed it is" in text
    listed = admin.get("/jobs?q=state:failed+cause:crashed").text
    assert all(str(job_id) in listed for job_id in crashed) and str(rejected[0]) not in listed
    assert 'href="/jobs?q=state%3Afailed+cause%3Acrashed"' in page.text


def test_one_press_retries_all_of_a_cause(admin: Visitor) -> None:
    failed(admin, Cause.CRASHED, 3, 2001)
    page = admin.get("/failures")
    assert buttons_of(page) == {"Retry all of them"}
    question = admin.press(page, "Retry all of them")
    assert "Retry 3 jobs that failed of crashed?" in text_of(question)
    listed = admin.follow(admin.press(question, "Yes, do it"))
    assert "The jobs are being retried." in text_of(listed)
    assert admin.api.world.one("select of from operations")["of"] == 3


def test_a_window_has_those_of_that_time_alone(admin: Visitor) -> None:
    failed(admin, Cause.CRASHED, 2, 2001)  # two days ago
    assert "2 jobs" in text_of(admin.get("/failures?since=7d"))
    assert "No job has failed within that time" in text_of(admin.get("/failures?since=24h"))
    assert admin.get("/failures?since=1y").status == 400
