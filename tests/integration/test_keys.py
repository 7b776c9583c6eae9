"""The keys of the API: what is kept of them, whom they let in, and who may not be locked out."""

import hashlib
import threading
from datetime import timedelta

import pytest

from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from services.client import Client
from services.keys import BadKey, ExpiredKey, KeyRefused, LastAdmin, RevokedKey, Role
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

DAY = timedelta(days=1)


def test_a_key_lets_in_with_its_role(world: World) -> None:
    made = world.client.keys.make("nightly upload", Role.UPLOADER, DAY)
    key = world.client.keys.check(made.text)
    assert (key.id, key.name, key.role) == (made.key.id, "nightly upload", Role.UPLOADER)
    assert key.expires_at is not None and key.expires_at - key.made_at == DAY
    assert made.text.startswith(f"aw_{key.id}_") and len(made.text) == 3 + 8 + 1 + 43


def test_only_a_hash_of_the_secret_is_kept(world: World) -> None:
    made = world.client.keys.make("one", Role.VIEWER)
    secret = made.text.rpartition("_")[2]
    [row] = world.query("select * from api_keys")
    assert row["secret_hash"] == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(made) + repr(row) + repr(world.query("select * from audit"))


def test_two_keys_are_never_alike(world: World) -> None:
    made = [world.client.keys.make(f"key {number}", Role.VIEWER) for number in range(20)]
    assert len({one.text for one in made}) == len({one.key.id for one in made}) == 20


@pytest.mark.parametrize(
    "text", ["", "x", "aw_12345678_short", "Bearer aw_12345678_" + 43 * "a", "aw_é2345678_" + 43 * "a"]
)
def test_what_is_no_key_is_refused(world: World, text: str) -> None:
    with pytest.raises(BadKey, match="this is no key"):
        world.client.keys.check(text)


def test_another_secret_or_id_is_refused(world: World) -> None:
    made = world.client.keys.make("one", Role.ADMIN)
    _, key_id, secret = made.text.split("_")
    other = "b" if secret[0] == "a" else "a"
    for text in (f"aw_{key_id}_{other}{secret[1:]}", f"aw_{'0' * 8}_{secret}"):
        with pytest.raises(BadKey, match="there is no such key"):
            world.client.keys.check(text)


def test_an_expired_key_is_refused(world: World) -> None:
    made = world.client.keys.make("one", Role.VIEWER, DAY)
    world.query("update api_keys set expires_at = now()")
    with pytest.raises(ExpiredKey, match="key 'one' expired"):
        world.client.keys.check(made.text)


def test_a_revoked_key_is_refused_at_once(world: World) -> None:
    made = world.client.keys.make("one", Role.VIEWER)
    world.client.keys.check(made.text)
    world.client.keys.revoke(made.key.id, by="eve@host")
    with pytest.raises(RevokedKey, match="key 'one' was revoked"):
        world.client.keys.check(made.text)
    [listed] = world.client.keys.all()
    assert listed.revoked_by == "eve@host"


@pytest.mark.parametrize("end", ["revoked_at = now(), revoked_by = 'x'", "expires_at = now()"])
def test_only_the_holder_learns_why(world: World, end: str) -> None:
    made = world.client.keys.make("secret name", Role.VIEWER)
    world.query(f"update api_keys set {end}")
    with pytest.raises(KeyRefused) as refused:
        world.client.keys.check(made.text[:-1] + ("a" if made.text[-1] != "a" else "b"))
    assert "secret name" not in str(refused.value)
    assert type(refused.value) is BadKey


def test_the_last_use_is_noted_once_a_minute(world: World) -> None:
    made = world.client.keys.make("one", Role.VIEWER)
    assert world.client.keys.all()[0].last_used_at is None
    world.client.keys.check(made.text)
    used = world.client.keys.all()[0].last_used_at
    assert used is not None
    world.client.keys.check(made.text)
    assert world.client.keys.all()[0].last_used_at == used
    world.query("update api_keys set last_used_at = last_used_at - interval '61 seconds'")
    world.client.keys.check(made.text)
    assert (world.client.keys.all()[0].last_used_at or used) > used


def test_a_key_in_use_keeps_its_name(world: World) -> None:
    first = world.client.keys.make("one", Role.VIEWER)
    with pytest.raises(Conflict, match="there is a key 'one' in use already"):
        world.client.keys.make("one", Role.VIEWER)
    world.client.keys.revoke(first.key.id)
    assert world.client.keys.make("one", Role.VIEWER).key.id != first.key.id


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_is_one_short_line(world: World, name: str) -> None:
    with pytest.raises(InvalidRequest, match="name of a key"):
        world.client.keys.make(name, Role.VIEWER)


@pytest.mark.parametrize("expires_in", [timedelta(0), -DAY, 4000 * DAY])
def test_a_time_that_cannot_be_is_refused(world: World, expires_in: timedelta) -> None:
    with pytest.raises(InvalidRequest, match="within ten years"):
        world.client.keys.make("one", Role.VIEWER, expires_in)


def test_the_last_admin_stays(world: World) -> None:
    admin = world.client.keys.make("admin", Role.ADMIN)
    world.client.keys.make("viewer", Role.VIEWER)
    expired = world.client.keys.make("expired admin", Role.ADMIN, DAY)
    world.query("update api_keys set expires_at = now() where id = %s", expired.key.id)
    with pytest.raises(LastAdmin, match="make another admin's key first"):
        world.client.keys.revoke(admin.key.id)
    world.client.keys.revoke(expired.key.id)
    world.client.keys.make("another", Role.ADMIN)
    world.client.keys.revoke(admin.key.id)


def test_two_at_once_leave_an_admin(world: World) -> None:
    made = [world.client.keys.make(f"admin {number}", Role.ADMIN) for number in range(4)]
    refused: list[str] = []
    begin = threading.Barrier(4)

    def revoke(key_id: str) -> None:
        with Client.connect(world.conninfo) as client:
            begin.wait()
            try:
                client.keys.revoke(key_id)
            except LastAdmin:
                refused.append(key_id)

    threads = [threading.Thread(target=revoke, args=(one.key.id,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [key.id for key in world.client.keys.all() if key.revoked_at is None] == refused


def test_a_key_that_is_not_there_cannot_be_revoked(world: World) -> None:
    with pytest.raises(NotFound, match="there is no key"):
        world.client.keys.revoke("nothing")


def test_a_second_revoke_changes_nothing(world: World) -> None:
    made = world.client.keys.make("one", Role.VIEWER)
    world.client.keys.revoke(made.key.id, by="first")
    world.client.keys.revoke(made.key.id, by="second")
    assert world.client.keys.all()[0].revoked_by == "first"
