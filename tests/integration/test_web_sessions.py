"""The logins of browsers: whom a token stands for, and when it stops."""

import hashlib
from datetime import timedelta

import pytest

from services.keys import Role
from services.web_sessions import LASTS
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres


def test_a_token_stands_for_its_key(world: World) -> None:
    key = world.client.keys.make("anna", Role.UPLOADER).key
    found = world.client.web_sessions.key(world.client.web_sessions.begin(key))
    assert found is not None
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
    assert world.client.web_sessions.key(one) is None
    assert world.client.web_sessions.key(other) is not None
    world.client.web_sessions.end(one)


@pytest.mark.parametrize("end", ["revoked_at = now(), revoked_by = 'x'", "expires_at = now()"])
def test_a_session_ends_with_its_key(world: World, end: str) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    world.query(f"update api_keys set {end}")
    assert world.client.web_sessions.key(token) is None


def test_a_session_ends_in_time(world: World) -> None:
    token = world.client.web_sessions.begin(world.client.keys.make("anna", Role.VIEWER).key)
    world.query("update web_sessions set expires_at = now()")
    assert world.client.web_sessions.key(token) is None


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800"])
def test_what_is_no_token_is_none(world: World, token: str) -> None:
    assert world.client.web_sessions.key(token) is None


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
