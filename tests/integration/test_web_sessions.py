"""The logins of browsers: whom a token stands for, and when it stops."""

import hashlib
from datetime import timedelta

import pytest

from services.audit import AuditFilter
from services.keys import Key, Role
from services.web_sessions import LASTS, Over, RefusedLogins
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres


def test_a_token_stands_for_its_key(world: World) -> None:
    key = world.client.keys.make("anna", Role.UPLOADER).key
    found = world.client.web_sessions.key(world.client.web_sessions.begin(key))
    assert isinstance(found, Key)
    assert (found.id, found.name, found.role) == (key.id, "anna", Role.UPLOADER)


def test_only_a_hash_of_the_token_is_kept(world: World) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    [row] = world.query("select * from web_sessions")
    assert row["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert row["expires_at"] - row["made_at"] == pytest.approx(LASTS, abs=timedelta(minutes=5))
    assert token not in repr(row)


def test_two_logins_have_two_tokens(world: World) -> None:
    key = world.client.keys.make("anna", Role.VIEWER).key
    one, other = world.client.web_sessions.begin(key), world.client.web_sessions.begin(key)
    world.client.web_sessions.end(one)
    found = world.client.web_sessions.keys([one, other])
    assert found[one] is Over.GONE
    assert isinstance(found[other], Key)
    world.client.web_sessions.end(one)


ENDS = [("revoked_at = now(), revoked_by = 'x'", Over.REVOKED), ("expires_at = now()", Over.EXPIRED)]


@pytest.mark.parametrize(("end", "why"), ENDS)
def test_a_session_ends_with_its_key(world: World, end: str, why: Over) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    world.query(f"update api_keys set {end}")
    assert world.client.web_sessions.key(token) is why


def test_a_session_ends_in_time(world: World) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    world.query("update web_sessions set expires_at = now()")
    assert world.client.web_sessions.key(token) is Over.OLD


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800"])
def test_what_is_no_token_is_none(world: World, token: str) -> None:
    assert world.client.web_sessions.key(token) is Over.GONE


def test_a_login_removes_those_that_are_over(world: World) -> None:
    key = world.client.keys.make("anna", Role.VIEWER).key
    for _ in range(3):
        world.client.web_sessions.begin(key)
    world.query("update web_sessions set expires_at = now()")
    world.client.web_sessions.begin(key)
    assert world.one("select count(*) from web_sessions")["count"] == 1


def test_a_use_of_a_session_is_one_of_its_key(world: World) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    assert world.client.keys.all()[0].last_used_at is None
    world.client.web_sessions.key(token)
    assert world.client.keys.all()[0].last_used_at is not None


def test_the_others_of_a_key_are_ended_alone(world: World) -> None:
    key, another = world.client.keys.make("anna", Role.VIEWER).key, world.client.keys.make("ben", Role.VIEWER).key
    sessions = world.client.web_sessions
    mine, other, of_ben = sessions.begin(key), sessions.begin(key), sessions.begin(another)
    assert [one.this for one in sessions.of_key(key.id, mine)] == [False, True]
    assert sessions.end_others(key.id, mine) == 1
    assert [isinstance(sessions.key(token), Key) for token in (mine, other, of_ben)] == [True, False, True]
    assert sessions.end_others(key.id, mine) == 0
    [entry, *_] = world.client.audit.page(AuditFilter(action="key.logout"), 5).items
    assert (entry.target, entry.detail) == (f"key/{key.id}", {"sessions": 1})


def test_a_refused_login_leaves_no_secret(world: World) -> None:
    made = world.client.keys.make("anna", Role.VIEWER)
    for text in (made.text, "a password of another place"):
        world.client.web_sessions.refuse(text, "it was revoked", "10.0.0.1", 3)
    known, unknown = reversed(world.client.audit.page(AuditFilter(action="key.refuse"), 5).items)
    assert (known.target, unknown.target, known.result) == (f"key/{made.key.id}", None, "refused")
    assert known.detail == {"why": "it was revoked", "address": "10.0.0.1", "not_noted_before": 3}
    assert made.text.rpartition("_")[2] not in str(known) and "password" not in str(unknown)


def test_refused_logins_do_not_fill_the_audit() -> None:
    now = [0.0]
    refused = RefusedLogins(an_hour=2, clock=lambda: now[0])
    assert [refused.take() for _ in range(5)] == [0, 0, None, None, None]
    now[0] = 3600.0
    assert [refused.take() for _ in range(3)] == [3, 0, None]
