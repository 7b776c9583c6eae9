"""Schedules: when they are due, what came of them, the buttons, and the forms that add and change them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dataset_jobs.store.views import ScheduleView
from services.audit import AuditFilter
from tests.dashboard.visitor import Visitor, buttons_of, text_of
from tests.integration.world import World

NEW = {
    "name": "fr", "cron": "0 3 * * 1", "timezone": "Europe/Paris", "country": "US", "location": "in", "pool": "default",
    "priority": "0",
}  # fmt: skip


def folder(world: World, *files: str) -> Path:
    """The folder that the schedule looks through."""
    made = world.folder / "storage" / "in"
    made.mkdir(parents=True, exist_ok=True)
    for name in files:
        (made / name).write_text(f"Ada,F,{name[3:7]}\n", encoding="utf-8")
    return made


def added(world: World) -> ScheduleView:
    return world.client.schedules.add("fr", "0 3 * * 1", "Europe/Paris", "in", "US", "default")


def test_without_schedules_the_page_says_what_they_are(visit: Callable[[str], Visitor]) -> None:
    text = text_of(visit("viewer").get("/schedules"))
    assert "There is no schedule yet." in text and "An admin adds one." in text
    assert "Add a schedule" in visit("admin").get("/schedules").text


def test_a_schedule_says_its_next_times_by_both_clocks(admin: Visitor) -> None:
    one = added(admin.api.world)
    text = text_of(admin.get("/schedules"))
    assert "At 03:00 on Monday (Europe/Paris)" in text
    assert text.count("03:00 Europe/Paris (") == 3
    assert f"{one.next_at:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "Nobody has looked yet." in text
    admin.api.world.client.schedules.pause("fr", True)
    text = text_of(admin.get("/schedules"))
    assert "None while it is paused." in text and "03:00 Europe/Paris" not in text


def test_the_result_of_a_look_is_told(admin: Visitor) -> None:
    world = admin.api.world
    folder(world, "yob2001.txt", "yob2002.txt")
    added(world)
    world.client.schedules.run("fr", world.storage, min_unchanged_seconds=0)
    for path in ("/schedules", "/schedules/fr"):
        assert ": 2 files, 2 new." in text_of(admin.get(path)), path
    world.query("update schedules set failures = 2, error = 'no such host', not_before = now() + interval '1 hour'")
    text = text_of(admin.get("/schedules"))
    assert "Failed 2 times: no such host; it is tried again at" in text and "failing" in text


def test_buttons_pause_resume_run_and_remove(admin: Visitor) -> None:
    world = admin.api.world
    folder(world)
    added(world)
    page = admin.follow(admin.press(admin.get("/schedules/fr"), "Pause"))
    assert "The schedule is paused." in text_of(page)
    assert world.client.schedules.get("fr").paused
    page = admin.follow(admin.press(page, "Resume"))
    assert not world.client.schedules.get("fr").paused
    assert admin.press(page, "Run now").status == 303
    question = admin.press(page, "Remove")
    assert "Remove schedule fr, which looks at in? What it has submitted stays." in text_of(question)
    gone = admin.follow(admin.press(question, "Yes, do it"))
    assert "There is no schedule yet." in text_of(gone)
    done = [one.action for one in world.client.audit.page(AuditFilter(target="schedule/fr"), 9).items]
    assert done == ["schedule.remove", "schedule.run", "schedule.resume", "schedule.pause", "schedule.add"]


def test_two_cannot_look_at_one_time(admin: Visitor) -> None:
    world = admin.api.world
    added(world)
    page = admin.get("/schedules")
    world.client.schedules.begin_by_hand("fr")
    answer = admin.press(page, "Run now")
    assert (answer.status, "is being done just now" in text_of(answer)) == (409, True)
    page = admin.get("/schedules")
    assert "Run now" not in buttons_of(page) and "Somebody is looking just now" in text_of(page)


def test_a_form_adds_a_schedule(admin: Visitor) -> None:
    folder(admin.api.world)
    answer = admin.post("/new-schedule", {**NEW, "year": "2020", "sex": "f"})
    assert answer.headers["location"] == "/schedules/fr?did=schedule-added"
    text = text_of(admin.follow(answer))
    assert "The schedule is added." in text and "year 2020, sex F" in text
    one = admin.api.world.client.schedules.get("fr")
    assert (one.location, one.country, one.pool, one.year_hint) == ("in", "US", "default", 2020)
    [entry] = admin.api.world.client.audit.page(AuditFilter(action="schedule.add"), 5).items
    assert (entry.surface, entry.actor) == ("web", "test admin")


WRONG = [
    ({"name": "Fr!"}, 422, "Schedule 'Fr!': expected lower-case letters"),
    ({"cron": "nonsense"}, 422, "'nonsense': expected minute, hour"),
    ({"timezone": "Mars"}, 422, "There is no time zone 'Mars'"),
    ({"country": "XX"}, 422, "XX"),
    ({"location": ""}, 422, "Give a folder or an address"),
    ({"url": "https://example.org/x"}, 422, "Give a folder or an address"),
    ({"filename": "x.csv"}, 422, "The name of the file goes with an address"),
    ({"location": "US/x"}, 422, "the files of datasets are kept there"),
    ({"location": "", "url": "https://me:pw@example.org/x.csv", "unlooked": "yes"}, 422, "a schedule keeps none"),
    ({"priority": "99999"}, 422, "Priority: expected a whole number from"),
    ({"year": "1066"}, 422, "year 1066: must be from"),
    ({"location": "nowhere"}, 422, 'with "do not look there now" the schedule is added all the same'),
]


def test_a_form_says_what_is_wrong_and_keeps_the_rest(admin: Visitor) -> None:
    folder(admin.api.world)
    for said, status, words in WRONG:
        answer = admin.post("/new-schedule", {**NEW, **said})
        assert (answer.status, words.casefold() in text_of(answer).casefold()) == (status, True), (
            said,
            text_of(answer),
        )
        assert ("Add a schedule" in answer.text and 'value="Europe/Paris"' in answer.text) or "timezone" in said
        assert "pw@" not in text_of(answer)
    assert not admin.api.world.client.schedules.list()
    added(admin.api.world)
    answer = admin.post("/new-schedule", NEW)
    assert (answer.status, "there is a schedule fr already" in text_of(answer).casefold()) == (409, True)


def test_what_is_not_there_yet_can_be_added(admin: Visitor) -> None:
    assert admin.post("/new-schedule", {**NEW, "location": "later", "unlooked": "yes"}).status == 303
    assert admin.api.world.client.schedules.get("fr").location == "later"


def test_a_form_changes_a_schedule(admin: Visitor) -> None:
    world = admin.api.world
    added(world)
    page = admin.get("/schedules/fr")
    answer = admin.press(page, "Change", cron="30 4 * * *", priority="7", region="US-CA")
    assert answer.headers["location"] == "/schedules/fr?did=schedule-changed"
    one = world.client.schedules.get("fr")
    assert (one.cron, one.timezone, one.priority, one.region_hint) == ("30 4 * * *", "Europe/Paris", 7, "US-CA")
    admin.press(admin.get("/schedules/fr"), "Change", region="")
    assert world.client.schedules.get("fr").region_hint is None
    answer = admin.press(page, "Change", cron="61 * * * *")
    assert (answer.status, 'value="61 * * * *"' in answer.text) == (422, True)


def test_whoever_may_not_change_schedules_only_looks(visit: Callable[[str], Visitor]) -> None:
    added(visit("admin").api.world)
    for role in ("viewer", "uploader"):
        page = visit(role).get("/schedules/fr")
        assert buttons_of(page) == set() and "Change it" not in page.text
        assert "Add a schedule" not in visit(role).get("/schedules").text


@pytest.mark.parametrize("path", ["/schedules/none", "/schedules/%20"])
def test_a_schedule_that_is_not_there_is_said_to_be_none(admin: Visitor, path: str) -> None:
    assert admin.get(path).status == 404
