"""Cursors of lists: opaque texts that hold where the next page begins, and of which list."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from api.problems import Problem

_HASH_LENGTH = 12
_MOST = 1000


def cursor_after(key: int | str | list[Any], filters: Mapping[str, Any], order: str = "newest") -> str:
    """The cursor of the page that follows.

    Args:
        key: what the page's last item is found by.
        filters: those of the list, without `limit` and `cursor`.
        order: of the list.
    """
    text = json.dumps([order, _hash(filters), key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(cursor: str | None, filters: Mapping[str, Any], order: str = "newest") -> Any:
    """Where a page begins; None for the first one.

    Raises:
        Problem: it is no cursor of this list with these filters.
    """
    if not cursor:
        return None
    try:
        padded = cursor[:_MOST] + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise mismatch("it is not a cursor at all") from None
    if not isinstance(found, list) or len(found) != 3 or found[:2] != [order, _hash(filters)]:
        raise mismatch("it came with other filters, or from another list")
    return found[2]


def mismatch(why: str) -> Problem:
    """The answer to a cursor that is none of this list."""
    return Problem(
        "cursor-mismatch", f"cursor: {why}; leave it out to begin anew", [{"field": "cursor", "message": why}]
    )


def _hash(filters: Mapping[str, Any]) -> str:
    given = {name: str(value) for name, value in sorted(filters.items()) if value is not None}
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:_HASH_LENGTH]
