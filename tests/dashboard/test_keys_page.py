"""Keys and settings: a new key is shown once and nowhere else, the last admin stays, and people see what is theirs."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dataset_jobs.migrations import LATEST
from dataset_jobs.version import own_version
from services.audit import AuditFilter
from services.keys import Keys, Role
from services.schedules import AtAddress
from services.to_json import to_json
from tests.api.client import Api, running
from tests.dashboard.browser import Tab
from tests.dashboard.visitor import Visitor, buttons_of, text_of
from tests.integration.world import World

KEY = re.compile(r"aw_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")


def keys_of(api: Api) -> Keys:
    return Keys(api.world.client.database)


def test_a_new_key_is_shown_once_and_nowhere_else(admin: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        form = {"name": "import", "role": "uploader", "expires_in": "90d"}
        answer = admin.post("/keys", form)
    [text] = set(KEY.findall(answer.text))
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert "location" not in answer.headers
    found = keys_of(admin.api).check(text)
    assert (found.name, found.role, found.made_by) == ("import", Role.UPLOADER, "test admin")
    assert found.expires_at is not None and found.expires_at - found.made_at == timedelta(days=90)
    secret = text.rpartition("_")[2]
    entries = admin.api.world.client.audit.page(AuditFilter(), 100).items
    assert entries[0].action == "key.make" and secret not in str(to_json(entries))
    assert all(secret not in admin.get(path).text for path in ("/keys", "/audit", "/settings"))
    assert secret not in caplog.text
    again = admin.post("/keys", form)  # the browser asks whether to send it again
    assert (again.status, KEY.findall(again.text)) == (409, [])
    assert "there is a key 'import' in use already" in text_of(again).casefold()


WRONG = [
    ({"name": " "}, "Name of a key"),
    ({"role": "king"}, "Role: there are viewer, uploader, admin"),
    ({"expires_in": "soon"}, "Expires in: expected a number and its unit"),
    ({"expires_in": "20000d"}, "within ten years"),
]


def test_a_form_says_what_cannot_be(admin: Visitor) -> None:
    before = len(keys_of(admin.api).all())
    for said, words in WRONG:
        answer = admin.post("/keys", {"name": "one", "role": "viewer", "expires_in": "", **said})
        assert (answer.status, words in text_of(answer)) == (422, True), text_of(answer)
    assert len(keys_of(admin.api).all()) == before


def test_the_list_says_how_each_key_is(admin: Visitor) -> None:
    keys = keys_of(admin.api)
    keys.make("old", Role.VIEWER, timedelta(days=1))
    keys.revoke(keys.make("gone", Role.VIEWER).key.id, "somebody")
    admin.api.world.query("update api_keys set expires_at = now() where name = 'old'")
    page = admin.get("/keys")
    rows = {row.split("<th")[1].split(">")[1].split("<")[0].strip(): row for row in page.text.split("<tr ")[2:]}
    assert "expired" in rows["old"] and "never" in rows["old"]
    assert "revoked at" in rows["gone"] and "by somebody" in rows["gone"] and "Revoke" not in rows["gone"]
    assert "Revoke" not in rows["test admin (yours)"] and "last admin" in rows["test admin (yours)"]
    assert "Revoke" in rows["test viewer"] and "<time" in rows["test admin (yours)"]


def test_a_key_is_revoked_after_a_question(visit: Callable[[str], Visitor], admin: Visitor) -> None:
    viewer = visit("viewer")
    key = next(one for one in keys_of(admin.api).all() if one.name == "test viewer")
    form = {"action": "revoke", "target": "key", "id": key.id, "back": "/keys"}
    question = admin.post("/act", form)
    assert f"Revoke key {key.id} of test viewer, with the role viewer?" in text_of(question)
    assert viewer.get("/").status == 200
    page = admin.follow(admin.press(question, "Yes, do it"))
    assert "The key is revoked." in text_of(page)
    assert viewer.get("/").status == 303


def test_the_last_admin_stays(admin: Visitor) -> None:
    key = next(one for one in keys_of(admin.api).all() if one.role is Role.ADMIN)
    form = {"action": "revoke", "target": "key", "id": key.id, "back": "/keys"}
    assert "It is your own." in text_of(admin.post("/act", form))
    answer = admin.post("/act", {**form, "sure": "yes"})
    assert (answer.status, "the last admin's" in text_of(answer)) == (409, True)
    assert admin.post("/act", {**form, "id": "00000000"}).status == 404
    keys_of(admin.api).make("another", Role.ADMIN)
    assert "Revoke" in buttons_of(admin.get("/keys"))


def test_others_see_no_key_and_no_way_there(visit: Callable[[str], Visitor]) -> None:
    for role in ("viewer", "uploader"):
        visitor = visit(role)
        assert visitor.get("/keys").status == visitor.get("/audit").status == 403
        text = visitor.get("/settings").text
        assert 'href="/keys"' not in text and 'href="/audit"' not in text
    assert 'href="/keys"' in visit("admin").get("/settings").text


def test_settings_say_who_looks_on_and_with_what(visit: Callable[[str], Visitor]) -> None:
    visitor = visit("viewer")
    page = visitor.get("/settings")
    text = text_of(page)
    key = next(one for one in keys_of(visitor.api).all() if one.name == "test viewer")
    for words in (f"Key {key.id}, does not expire", "Role viewer", "a login with a key", "(this one)"):
        assert words in text, text
    assert f"affirm-worker {own_version()}" in text
    assert f"version {LATEST} of the database; this program knows {LATEST}" in text
    assert "htmx.org 4.0.1 (htmx.min.js): 0BSD" in text and "Permission" in text
    assert "Log out everywhere else" not in page.text


def test_other_logins_of_a_key_are_ended(visit: Callable[[str], Visitor]) -> None:
    here, elsewhere, another = visit("viewer"), visit("viewer"), visit("uploader")
    page = here.follow(here.press(here.get("/settings"), "Log out everywhere else"))
    assert "The other logins with your key are ended." in text_of(page)
    assert [one.get("/").status for one in (here, elsewhere, another)] == [200, 303, 200]


def test_settings_are_for_those_without_a_key_too(world: World) -> None:
    with running(world, api_local_role="admin", api_read_only=True) as api:
        visitor = Visitor(api)
        assert "coming from this machine" in text_of(visitor.get("/settings"))
        page = visitor.get("/keys")
        assert "Make a key" not in page.text and buttons_of(page) == set()


@pytest.mark.needs("browser")
def test_these_pages_keep_nobody_out(screen: Tab) -> None:
    """By axe-core, in light, dark and narrow; and what copies, copies."""
    world, page = screen.api.world, screen.page
    world.submit_small()
    world.client.schedules.add(
        "us", "*/15 * * * *", "Europe/Paris", AtAddress("https://example.org/a.csv"), "US", "default"
    )
    world.client.pools.pause("default", "somebody tests")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.open("/doctor")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("Looked at")).to_be_visible(timeout=60_000)
    found: dict[str, list[str]] = {}
    for path in ("/schedules", "/schedules/us", "/new-schedule", "/settings", "/keys", "/audit", "/doctor"):
        screen.open(path)
        found[path] = screen.findings_everywhere()
    assert {path: one for path, one in found.items() if one} == {}
    screen.open("/keys")
    page.get_by_label("Who it is for").fill("import")
    page.get_by_role("button", name="Make", exact=True).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert keys_of(screen.api).check(page.evaluate("navigator.clipboard.readText()")).name == "import"
    page.get_by_role("link", name="I have copied it").click()
    page.locator("#key-" + keys_of(screen.api).all()[0].id).get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("status")).to_have_text("The key is revoked.")
    screen.open("/")
    page.get_by_role("button", name="Copy report").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert "pool default is paused (somebody tests)" in page.evaluate("navigator.clipboard.readText()")
