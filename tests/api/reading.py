"""Jobs in each state, and lists read page by page."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.api.client import Api
from tests.api.fits import fitting
from tests.integration.world import NO_RETRIES, SubmittedFile

BROKEN = "Mary,F,3\nAnna,F,many\n"


async def one_of_each(api: Api) -> tuple[SubmittedFile, SubmittedFile, SubmittedFile]:
    """A completed job, a failed one, and one that is queued."""
    good, bad = api.world.submit_small(2001), api.world.submit_small(2002, BROKEN)
    await api.world.run_until_idle(retry=NO_RETRIES)
    return good, bad, api.world.submit_small(2003)


def walked(api: Api, path: str, **query: Any) -> list[list[str]]:
    """The ids of a list, page by page."""
    pages, cursor = [], None
    while True:
        answer = fitting(path, api.get(path, query={**query, **({"cursor": cursor} if cursor else {})}))
        pages.append([one["id"] for one in answer["data"]])
        cursor = answer["meta"]["next_cursor"]
        assert answer["meta"]["has_more"] == (cursor is not None)
        if cursor is None:
            return pages


def to_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value
