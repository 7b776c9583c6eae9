"""The keys of the API: make, check, list, revoke. A key is shown once, when it is made; only a hash of it is kept."""

import builtins
import hashlib
import re
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.text import one_line
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH, _SECRET_LENGTH = 8, 43
"""A secret of so many digits has 256 bits."""

_KEY = re.compile(rf"aw_([0-9A-Za-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})")
_NO_HASH = bytes(32)
"""Compared if there is no such key, so that an answer takes as long as if there were one."""

NAME_LENGTH = 100
LONGEST = timedelta(days=3650)
"""Keys that expire do so within ten years."""


class Role(StrEnum):
    """What the holder of a key may do."""

    VIEWER = "viewer"
    """Looks."""
    UPLOADER = "uploader"
    """Also uploads, and steers what was uploaded with the key."""
    ADMIN = "admin"
    """Everything."""

    def may(self, least: "Role") -> bool:
        """Whether it may do what `least` may: each role may all that the ones before it may."""
        ranks = [*Role]
        return ranks.index(self) >= ranks.index(least)


class KeyRefused(InvalidRequest):
    """The key does not let its holder in."""


class BadKey(KeyRefused):
    """It is no key of this installation."""


class ExpiredKey(KeyRefused):
    """Its time is over."""


class RevokedKey(KeyRefused):
    """Somebody has revoked it."""


class LastAdmin(Conflict):
    """Without this key nobody could make another by the API."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret.

    Args:
        expires_at: None if it never does.
        last_used_at: exact to a minute; None if it never was.
    """

    id: str
    name: str
    role: Role
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key. `text` is what its holder sends, and is shown this once."""

    key: Key
    text: str

    def __repr__(self) -> str:
        return f"MadeKey({self.key!r})"


class Keys:
    """The keys of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def make(self, name: str, role: Role, expires_in: timedelta | None = None, by: str | None = None) -> MadeKey:
        """Makes a key.

        Args:
            name: tells in lists and the audit who it is.
            role: what it may do.
            expires_in: None for never.
            by: who makes it; the database's actor if None.

        Raises:
            InvalidRequest: the name or the time cannot be.
            Conflict: a key in use has the name.
        """
        _check(name, expires_in)
        key_id, secret = _random(_ID_LENGTH), _random(_SECRET_LENGTH)

        def work(acting: Acting) -> Key:
            row = acting.one(
                "keys.add", id=key_id, name=name, role=role, secret_hash=_hash(secret),
                made_by=by or self._database.actor.name, expires_in=expires_in,
            )  # fmt: skip
            if row is None:
                raise Conflict(f"there is a key {name!r} in use already: revoke it first, or choose another name")
            key = key_of(row)
            acting.detail = {"name": name, "role": role, "expires_at": _iso(key.expires_at)}
            return key

        key = self._database.act(Act.KEY_MAKE, target_of("key", key_id), work)
        return MadeKey(key, f"aw_{key_id}_{secret}")

    def check(self, text: str) -> Key:
        """The key that somebody sends. Notes its use, at most once a minute.

        Raises:
            BadKey, RevokedKey, ExpiredKey: it does not let anybody in.
        """
        parts = _KEY.fullmatch(text)
        if parts is None:
            raise BadKey("this is no key: expected aw_, 8 letters and digits, _, and 43 letters and digits")
        key_id, secret = parts.groups()
        rows = self._database.all("keys.find", id=key_id)
        row = rows[0] if rows else None
        same = compare_digest(_hash(secret), _NO_HASH if row is None else bytes(row["secret_hash"]))
        if row is None or not same:
            raise BadKey("there is no such key: check that it is copied whole, and of this installation")
        # Only to who knows the secret.
        if row["revoked_at"] is not None:
            raise RevokedKey(f"key {row['name']!r} was revoked {_iso(row['revoked_at'])}: ask for a new one")
        if row["expired"]:
            raise ExpiredKey(f"key {row['name']!r} expired {_iso(row['expires_at'])}: ask for a new one")
        note_use(self._database, row)
        return key_of(row)

    def good(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of these ids whose keys let their holders in still."""
        return frozenset(row["id"] for row in self._database.all("keys.good", ids=[*ids]))

    def all(self) -> Sequence[Key]:
        """All of them, also those revoked and expired, the newest first."""
        return [key_of(row) for row in self._database.all("keys.list")]

    def revoke(self, key_id: str, by: str | None = None) -> None:
        """Revokes a key at once. One that is revoked already stays so.

        Args:
            key_id: its eight characters.
            by: who revokes it; the database's actor if None.

        Raises:
            NotFound: there is no such key.
            LastAdmin: no other admin would be left.
        """

        def work(acting: Acting) -> None:
            rows = acting.all("keys.lock", id=key_id)
            key = next((row for row in rows if row["id"] == key_id), None)
            if key is None:
                raise NotFound(f"there is no key {one_line(key_id)}")
            if key["revoked_at"] is not None:
                acting.nothing_done()
                return
            if _is_last_admin(key, rows):
                raise LastAdmin(f"key {key['name']!r} is the last admin's: make another admin's key first")
            acting.execute("keys.revoke", id=key_id, by=by or self._database.actor.name)
            acting.detail = {"name": key["name"], "role": key["role"]}

        self._database.act(Act.KEY_REVOKE, target_of("key", key_id), work)


def _is_last_admin(key: Row, rows: builtins.list[Row]) -> bool:
    """Whether a key lets an admin in, and no other does."""
    others = [row for row in rows if row["id"] != key["id"] and row["revoked_at"] is None and not row["expired"]]
    return key["role"] == Role.ADMIN and not key["expired"] and not others


def _check(name: str, expires_in: timedelta | None) -> None:
    if not name.strip() or name != one_line(name) or len(name) > NAME_LENGTH:
        raise InvalidRequest(f"name of a key {one_line(name)!r}: expected one line of 1 to {NAME_LENGTH} characters")
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST:
        raise InvalidRequest("a key expires after more than no time, and within ten years")


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")


def note_use(database: ClientDatabase, row: Row) -> None:
    """Notes that a key is used, if its last use is a minute old."""
    if row["use_is_old"]:
        database.transaction(lambda it: it.execute("keys.used", id=row["id"]))


def key_of(row: Row) -> Key:
    """The key of a row that has all of its columns."""
    return Key(
        row["id"], row["name"], Role(row["role"]), row["made_by"], row["made_at"], row["expires_at"],
        row["last_used_at"], row["revoked_at"], row["revoked_by"],
    )  # fmt: skip
