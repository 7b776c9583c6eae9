"""The list of datasets: by status, by the words of a filter line, the newest first, a page after the other."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from api.access import Access
from api.context import Using
from api.cursors import cursor_after, key_of, mismatch
from api.declared import Topic
from api.lists import Several
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from dashboard.shared import shared_of
from dashboard.views.dataset_words import EXAMPLE, DatasetWords, read_words
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.store.views import DatasetView
from services.client import Client
from services.dataset_words import at_a_glance
from services.filters import DatasetFilter

topic = Topic("list of datasets", "The datasets, and what is loaded of each.")

SHOWN = 50
"""Datasets of a page."""


@shows(topic, paths.DATASETS, Access.VIEWER, problems=["cursor-mismatch", "field-invalid"])
def list_datasets(
    request: Request,
    using: Using,
    q: str = "",
    cursor: str = "",
    ids: Annotated[list[UUID], Several, Query(max_length=SHOWN)] = [],  # noqa: B006
) -> Response:
    """A page of datasets, the newest first. A filter line that cannot be read is said beside it; `ids` are these
    datasets alone, whose rows a page that shows them renews."""
    client, counted = using.client, shared_of(request).datasets()
    try:
        words, wrong = read_words(q), None
        datasets, follows = (client.datasets.list(ids=ids), None) if ids else _found(client, words, cursor)
    except InvalidRequest as error:
        words, wrong, datasets, follows = DatasetWords(" ".join(q.split()), DatasetFilter()), str(error), [], None
    tabs: list[tuple[str, DatasetStatus | None, int]] = [("all", None, sum(counted.statuses.values()))]
    tabs += [(status.value, status, counted.statuses.get(status, 0)) for status in DatasetStatus]
    values: dict[str, Any] = {
        "words": words, "wrong": wrong, "tabs": tabs, "counted_at": counted.at, "example": EXAMPLE, "q": words.text,
        "first": paths.datasets(words.text), "is_first": not cursor, "next": follows, "now": client.now(),
        "datasets": [(one, at_a_glance(one)) for one in datasets],
        "is_empty": not (datasets or words.text or cursor or ids),
    }  # fmt: skip
    return page(request, "datasets", values, 200 if wrong is None else 400)


def _found(client: Client, words: DatasetWords, cursor: str) -> tuple[Sequence[DatasetView], str | None]:
    """The datasets of a page, and the cursor of the next one.

    Raises:
        InvalidRequest: there is no such country.
        Problem: the cursor is none of this list.
    """
    after = key_of(cursor or None, {"q": words.text})
    if after is not None and not (isinstance(after, int) and 0 <= after < 1 << 31):
        raise mismatch("it is not a cursor of this list")
    found = client.datasets.select(words.which).page(SHOWN, after)
    return found.items, None if found.next is None else cursor_after(found.next, {"q": words.text})
