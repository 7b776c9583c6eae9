"""Ids as people give them: whole, or by their first digits."""

import re
from uuid import UUID

from dataset_jobs.model.requests import InvalidRequest, NotFound
from dataset_jobs.store.client_connection import ClientDatabase


def find(database: ClientDatabase, given: str, kind: str, query: str) -> UUID:
    """The one id that is `given` or begins with it.

    Args:
        kind: dataset or job, for people.
        query: a statement for the ids from `first` to `last`, at most two.

    Raises:
        NotFound: there is none.
        InvalidRequest: there are several, or it is no id.
    """
    digits = given.strip().lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
        raise InvalidRequest(f"{given!r} is not a {kind}'s id: give it whole, or at least its first 4 digits")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found = [row["id"] for row in database.all(query, first=first, last=last)]
    if not found:
        raise NotFound(f"there is no {kind} {given}")
    if len(found) > 1:
        raise InvalidRequest(f"more than one {kind}'s id begins with {given}: give more of its digits")
    return UUID(str(found[0]))
