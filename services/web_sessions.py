"""The logins of browsers: whoever has typed a key gets a token that stands for it, for some hours or until a logout.

Only a hash of the token is kept. A session ends at once when its key is revoked or expires. Logins, logouts and refused
logins are in the audit; of refused ones so few that nobody can fill it with them.
"""

import hashlib
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row
from services.keys import Key, key_of, note_use

LASTS = timedelta(hours=12)
"""How long a session lasts at most."""

SHOWN = 50
"""Sessions of a key that are listed."""

REFUSED_AN_HOUR = 30
"""Refused logins that one process puts into the audit within an hour; of the others it says how many there were."""

_TOKEN_BYTES = 32
_HOUR_SECONDS = 3600.0
_ID = re.compile(r"aw_([0-9A-Za-z]{8})_")


@dataclass(frozen=True, slots=True)
class WebSession:
    """A login of a browser.

    Args:
        this: it is the one that asks.
    """

    made_at: datetime
    expires_at: datetime
    this: bool


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
        self._database.act(
            Act.KEY_LOGIN, target_of("key", key.id),
            lambda it: it.execute("web_sessions.add", token_hash=_hash(token), key_id=key.id, lasts=LASTS),
        )  # fmt: skip
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

    def of_key(self, key_id: str, token: str) -> Sequence[WebSession]:
        """The newest sessions of a key; `token` says which is the one that asks."""
        rows = self._database.all("web_sessions.of_key", key_id=key_id, token_hash=_hash(token), limit=SHOWN)
        return [WebSession(**row) for row in rows]

    def end(self, token: str) -> None:
        """Ends a session; one that is over stays so."""

        def work(acting: Acting) -> None:
            row = acting.one("web_sessions.end", token_hash=_hash(token))
            if row is None:
                acting.nothing_done()
            else:
                acting.target = target_of("key", row["key_id"])

        self._database.act(Act.KEY_LOGOUT, None, work)

    def end_others(self, key_id: str, token: str) -> int:
        """Ends the sessions of a key, except for that of `token`; returns how many there were."""

        def work(acting: Acting) -> int:
            ended = len(acting.all("web_sessions.end_others", key_id=key_id, token_hash=_hash(token)))
            if not ended:
                acting.nothing_done()
            acting.detail = {"sessions": ended}
            return ended

        return self._database.act(Act.KEY_LOGOUT, target_of("key", key_id), work)

    def refuse(self, text: str, why: str, address: str, unnoted: int = 0) -> None:
        """Puts a refused login into the audit.

        Args:
            text: what was typed; of a key its id alone is kept.
            why: it lets nobody in.
            address: that it came from.
            unnoted: refused logins since the last one in the audit.
        """
        found = _ID.match(text)

        def work(acting: Acting) -> None:
            acting.result = "refused"
            acting.detail = {"why": why, "address": address, "not_noted_before": unnoted}

        self._database.act(Act.KEY_REFUSE, target_of("key", found[1]) if found else None, work)


class RefusedLogins:
    """Which refused logins one process puts into the audit: at most so many within an hour. Any thread may ask.

    Args:
        an_hour: see `REFUSED_AN_HOUR`.
        clock: seconds that never go back.
    """

    def __init__(self, an_hour: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._an_hour = REFUSED_AN_HOUR if an_hour is None else an_hour
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: deque[float] = deque()
        self._unnoted = 0

    def take(self) -> int | None:
        """How many were left out before this one; None if this one is left out, too."""
        with self._lock:
            now = self._clock()
            while self._noted and now - self._noted[0] >= _HOUR_SECONDS:
                self._noted.popleft()
            if len(self._noted) >= self._an_hour:
                self._unnoted += 1
                return None
            self._noted.append(now)
            unnoted, self._unnoted = self._unnoted, 0
            return unnoted


def _stands_for(row: Row | None) -> Key | Over:
    if row is None:
        return Over.GONE
    return key_of(row) if row["over"] is None else Over(row["over"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
