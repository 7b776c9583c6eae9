"""The audit as a page: who did what, filtered by the address, a page after the other, with logins."""

from typing import Any
from urllib.parse import quote

import pytest

from dataset_jobs.model.actor import Act
from services.audit import AuditEntry, AuditFilter
from services.audit_words import ACTS
from tests.api.client import running
from tests.dashboard.visitor import WRONG, Visitor, text_of
from tests.integration.world import World


def entries(world: World, **which: Any) -> list[AuditEntry]:
    return list(world.client.audit.page(AuditFilter(**which), 100).items)


def test_every_act_has_words() -> None:
    assert {*Act} == ACTS.keys()


def test_the_audit_says_who_did_what_to_what(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    admin.post("/act", {"action": "pause", "target": "pool", "id": "default", "reason": "a test", "back": "/"})
    page = admin.get("/audit")
    text = text_of(page)
    assert "test admin (web) paused pool/default" in text and "reason: a test" in text
    assert 'href="/pools/default"' in page.text
    admin.api.world.client.jobs.cancel(job_id)
    assert f'href="/jobs/{job_id}"' in admin.get("/audit").text


def test_the_address_filters(admin: Visitor) -> None:
    world = admin.api.world
    for name in ("pause", "resume"):
        admin.post("/act", {"action": name, "target": "pool", "id": "default", "back": "/"})
    world.query("update audit set at = now() - interval '3 days' where action = 'pool.pause'")
    for query, there in (
        ("actor=test+admin", (True, True)),
        ("actor=nobody+else", (False, False)),
        ("action=pool.resume", (False, True)),
        ("target=pool%2Fdefault", (True, True)),
        ("target=pool%2Fother", (False, False)),
        ("since=1d", (False, True)),
        ("since=2020-01-01T00:00Z", (True, True)),
        ("action=pool.resume&since=1d&actor=test+admin", (False, True)),
    ):
        text = text_of(admin.get(f"/audit?{query}"))
        assert ("paused pool/default" in text, "resumed pool/default" in text) == there, query
    answer = admin.get("/audit?since=yesterday")
    assert (answer.status, "Since: expected a time such as" in text_of(answer)) == (400, True)
    assert "Nobody has done anything like that." in text_of(admin.get("/audit?actor=nobody+else"))


def test_pages_follow_by_cursor(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.routes.audit.SHOWN", 2)
    for _ in range(5):
        admin.api.world.client.pools.resume("default")
    seen, path = [], "/audit?action=pool.resume"
    while path:
        page = admin.get(path)
        seen += [part.split('"')[0] for part in page.text.split('id="act-')[1:]]
        path = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == [str(one.id) for one in entries(admin.api.world, action="pool.resume")]
    assert admin.get("/audit?cursor=x").status == 400


def test_what_others_named_stays_a_text(admin: Visitor) -> None:
    evil = "<script>alert(1)</script>\x1b\u202e"
    admin.post("/act", {"action": "pause", "target": "pool", "id": "default", "reason": evil, "back": "/"})
    text = admin.get(f"/audit?actor={quote('test admin')}").text
    assert "<script>alert" not in text and "\x1b" not in text and "\u202e" not in text
    assert "<script>alert" not in admin.get(f"/audit?actor={quote(evil)}&action={quote(evil)}").text


def test_logins_and_logouts_are_in_it(admin: Visitor) -> None:
    world = admin.api.world
    [login] = entries(world, action="key.login")
    assert (login.actor, login.surface, login.target) == ("test admin", "web", f"key/{login.key_id}")
    assert "test admin (web) logged in with" in text_of(admin.get("/audit"))
    admin.press(admin.get("/"), "Log out")
    admin.post("/logout", {})
    [logout] = entries(world, action="key.logout")
    assert (logout.actor, logout.target) == ("test admin", login.target)
    assert logout.request_id


def test_refused_logins_are_in_it_and_never_fill_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.web_sessions.REFUSED_AN_HOUR", 3)
    with running(world, api_requests_per_minute=100_000) as api:
        visitor = Visitor(api)
        assert {visitor.log_in(WRONG).status for _ in range(6)} == {401}
        visitor.log_in(" ")
        found = entries(world, action="key.refuse")
        assert [(one.actor, one.surface, one.result) for one in found] == [("nobody", "web", "refused")] * 3
        assert found[0].target == "key/12345678" and found[0].detail["address"] == "127.0.0.1"
        assert WRONG[12:] not in str(found)


def test_a_login_is_answered_alike_without_the_audit(world: World) -> None:
    """Whoever cannot come in learns nothing of the installation."""
    with running(world) as api:
        world.query("alter table audit add check (action <> 'key.refuse') not valid")
        answer = Visitor(api).log_in(WRONG)
        assert (answer.status, "There is no such key" in text_of(answer)) == (401, True)
