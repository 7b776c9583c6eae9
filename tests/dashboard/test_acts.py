"""Buttons: each does what it says, once, in the name of whoever presses it; refusals say why."""

from collections.abc import Callable

import pytest

from api.app import bare_app
from api.declared import DeclaredRoute
from api.links import _REQUESTS
from dashboard.acts import ACTS
from services.actions import Target, Verb
from services.audit import AuditFilter
from services.filters import JobFilter
from services.keys import Role
from tests.api.client import Api
from tests.dashboard.uploaded import uploaded_by
from tests.dashboard.visitor import Visitor, buttons_of, text_of


def act(verb: Verb, target: Target, id: object, **said: str) -> dict[str, str]:
    return {"action": verb, "target": target, "id": str(id), "back": "/jobs?q=state:failed", **said}


def test_a_button_leads_back_and_says_what_was_done(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    answer = admin.press(admin.get(f"/jobs/{job_id}"), "Cancel")
    assert answer.headers["location"] == f"/jobs/{job_id}?did=cancel-job"
    page = admin.follow(answer)
    assert "The job is cancelled, or its run is being stopped." in text_of(page)
    assert {"Retry now"} <= buttons_of(page)
    assert admin.api.world.job(job_id)["state"] == "cancelled"


def test_a_button_that_asks_takes_what_is_said(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    page = admin.get(f"/jobs/{job_id}")
    assert admin.press(page, "Change priority", priority="7").status == 303
    assert admin.api.world.job(job_id)["priority"] == 7
    answer = admin.press(page, "Change priority", priority="many")
    assert (answer.status, "expected a whole number" in text_of(answer)) == (422, True)


def test_an_act_is_audited_as_one_of_the_web(admin: Visitor) -> None:
    admin.post("/act", act(Verb.PAUSE, Target.POOL, "default", reason="a test"))
    [entry] = admin.api.world.client.audit.page(AuditFilter(action="pool.pause"), 5).items
    key = next(one for one in admin.api.world.client.keys.all() if one.name == "test admin")
    assert (entry.actor, entry.surface, entry.key_id, entry.detail) == (
        "test admin",
        "web",
        key.id,
        {"reason": "a test"},
    )


def test_a_refusal_says_why_and_leads_back(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    answer = admin.post("/act", act(Verb.RETRY, Target.JOB, job_id), Referer=f"{here(admin)}/jobs/{job_id}")
    assert answer.status == 409
    assert "is not finished: it is queued" in text_of(answer)
    assert f'href="/jobs/{job_id}"' in answer.text


def here(visitor: Visitor) -> str:
    return f"http://127.0.0.1:{visitor.api.listening.port}"


def test_what_cannot_be_taken_back_is_asked_first(admin: Visitor) -> None:
    world = admin.api.world
    job = world.submit_small()
    question = admin.press(admin.get(f"/jobs/{job.job_id}"), "Delete the dataset")
    assert "Delete dataset 1 (yob2020.txt, US) with its 0 rows, its 1 job and its file of 12 bytes?" in text_of(
        question
    )
    assert world.query("select id from datasets")
    assert admin.press(question, "Yes, do it").headers["location"] == "/datasets?did=delete-dataset"
    assert not world.query("select id from datasets")


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_uploaders_act_on_what_is_theirs(visit: Callable[[str], Visitor], api: Api, verb: str) -> None:
    uploader = visit("uploader")
    theirs, others = uploaded_by(api, "uploader"), uploaded_by(api, "admin")
    assert "Cancel" in buttons_of(uploader.get(f"/jobs/{theirs}"))
    assert buttons_of(uploader.get(f"/jobs/{others}")) == set()
    answer = uploader.post("/act", act(Verb(verb), Target.JOB, others))
    assert (answer.status, "was not uploaded by test uploader" in text_of(answer)) == (403, True)
    assert uploader.post("/act", act(Verb.CANCEL, Target.JOB, theirs)).status == 303


@pytest.mark.parametrize("what", ACTS, ids=str)
def test_no_act_is_for_a_lower_role_than_its_route(what: tuple[Verb, Target]) -> None:
    method, path = _REQUESTS.get(what, ("PATCH", "/v1/pools/{id}"))
    routes = [one for one in bare_app().routes if isinstance(one, DeclaredRoute) and one.method == method]
    [route] = [one for one in routes if shape_of(one.path) == shape_of(path)]
    assert ACTS[what].role == Role(route.declared.access.value)


def shape_of(path: str) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


def test_an_uploader_does_nothing_that_is_for_admins(visit: Callable[[str], Visitor], api: Api) -> None:
    uploader, job = visit("uploader"), api.world.submit_small()
    ids = {Target.JOB: job.job_id, Target.DATASET: job.dataset_id, Target.OPERATION: job.job_id}
    for what in (one for one in ACTS if ACTS[one].role is Role.ADMIN):
        form = act(*what, ids.get(what[1], "default"), sure="yes", priority="1", max_running="1")
        assert uploader.post("/act", form).status == 403, what


def test_an_unknown_act_is_refused(admin: Visitor) -> None:
    for form in ({}, {"action": "x", "target": "job"}, {"action": "cancel", "target": "x"}):
        assert admin.post("/act", form).status == 422


def test_an_act_leads_back_to_this_server_alone(admin: Visitor) -> None:
    form = {**act(Verb.PAUSE, Target.POOL, "default"), "back": "//evil.example"}
    assert admin.post("/act", form).headers["location"] == "/?did=pause-pool"


def test_a_second_press_does_nothing_more(admin: Visitor) -> None:
    world = admin.api.world
    job_id = world.submit_small().job_id
    page = admin.get(f"/jobs/{job_id}")
    assert [admin.press(page, "Cancel").status for _ in range(2)] == [303, 303]
    assert len(world.client.audit.page(AuditFilter(action="job.cancel"), 5).items) == 1
    assert len(world.client.jobs.page(JobFilter(), 10, None, 0).items) == 1
