"""The logins of browsers: whoever has typed a key gets a token that stands for it, for some hours or until a logout.

Only a hash of the token is kept. A session ends at once when its key is revoked or expires.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum

from dataset_jobs.store.client_connection import ClientDatabase, Row
from services.keys import Key, key_of, note_use

LASTS = timedelta(hours=12)
"""How long a session lasts at most."""

_TOKEN_BYTES = 32


class Over(StrEnum):
    """Why a session lets nobody in."""

    REVOKED = "revoked"
    """Somebody has revoked its key."""
    EXPIRED = "expired"
    """The time of its key is over."""
    OLD = "old"
    """It has lasted as long as a session does."""
    GONE = "gone"
    """There is none: it was ended, or never begun."""


class WebSessions:
    """The sessions of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def begin(self, key: Key) -> str:
        """Begins a session of a key that was checked just now; returns its token, which is shown this once.

        Some of the sessions that are over are removed with it.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._database.transaction(
            lambda it: it.execute("web_sessions.add", token_hash=_hash(token), key_id=key.id, lasts=LASTS)
        )
        self._database.transaction(lambda it: it.execute("web_sessions.remove_old"))
        return token

    def key(self, token: str) -> Key | Over:
        """The key of a session, or why it lets nobody in. Notes the key's use."""
        return self.keys([token])[token]

    def keys(self, tokens: Collection[str]) -> Mapping[str, Key | Over]:
        """As `key`, of many sessions with one look, by token."""
        hashes = {token: _hash(token) for token in tokens}
        rows = {
            row["token_hash"]: row for row in self._database.all("web_sessions.keys", token_hashes=[*hashes.values()])
        }
        for row in {row["id"]: row for row in rows.values() if row["over"] is None}.values():
            note_use(self._database, row)
        return {token: _stands_for(rows.get(found)) for token, found in hashes.items()}

    def end(self, token: str) -> None:
        """Ends a session; one that is over stays so."""
        self._database.transaction(lambda it: it.execute("web_sessions.end", token_hash=_hash(token)))


def _stands_for(row: Row | None) -> Key | Over:
    if row is None:
        return Over.GONE
    return key_of(row) if row["over"] is None else Over(row["over"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
