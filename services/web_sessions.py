"""The logins of browsers: whoever has typed a key gets a token that stands for it, for some hours or until a logout.

Only a hash of the token is kept. A session ends at once when its key is revoked or expires.
"""

import hashlib
import secrets
from datetime import timedelta

from dataset_jobs.store.client_connection import ClientDatabase
from services.keys import Key, key_of, note_use

LASTS = timedelta(hours=12)
"""How long a session lasts at most."""

_TOKEN_BYTES = 32


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

    def key(self, token: str) -> Key | None:
        """The key of a session; None if the session is over, or there is none. Notes the key's use."""
        rows = self._database.all("web_sessions.key", token_hash=_hash(token))
        if not rows:
            return None
        note_use(self._database, rows[0])
        return key_of(rows[0])

    def end(self, token: str) -> None:
        """Ends a session; one that is over stays so."""
        self._database.transaction(lambda it: it.execute("web_sessions.end", token_hash=_hash(token)))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
