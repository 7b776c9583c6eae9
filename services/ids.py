"""Ids as people give them: whole, or by their first digits."""

import re
from typing import Literal
from uuid import UUID

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import InvalidRequest, NotFound
from dataset_jobs.store.client_connection import ClientDatabase

_QUERIES = {"job": "jobs.ids", "dataset": "datasets.ids"}


def as_uuid(given: str) -> UUID | None:
    """A whole id; None for anything else."""
    try:
        return UUID(given.strip())
    except ValueError:
        return None


def find(database: ClientDatabase, given: str, kind: Literal["job", "dataset"]) -> UUID:
    """The one id that is `given` or begins with it.

    Args:
        kind: of what.

    Raises:
        NotFound: there is none; the message says if it is the id of the other kind.
        InvalidRequest: there are several, or it is no id.
    """
    digits = given.strip().lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
        raise InvalidRequest(f"{given!r} is not a {kind}'s id: give it whole, or at least its first 4 digits")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found = [row["id"] for row in database.all(_QUERIES[kind], first=first, last=last)]
    if not found:
        raise _not_found(database, given, kind, first, last)
    if len(found) > 1:
        raise InvalidRequest(f"more than one {kind}'s id begins with {given}: give more of its digits")
    return UUID(str(found[0]))


def _not_found(database: ClientDatabase, given: str, kind: str, first: UUID, last: UUID) -> NotFound:
    other = "dataset" if kind == "job" else "job"
    found = [row["id"] for row in database.all(_QUERIES[other], first=first, last=last)]
    if not found:
        return NotFound(f"there is no {kind} {given}")
    action = Hint(Action.EXPLAIN_JOB, found[0]) if other == "job" else Hint(Action.SHOW_DATASET, dataset_id=found[0])
    return NotFound(f"there is no {kind} {given}; that is the id of a {other}", hints=[action])
