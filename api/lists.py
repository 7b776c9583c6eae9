"""Lists: the parameters that all of them have, and the envelope of their pages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from api.conditional import answer
from api.cursors import cursor_after, key_of, mismatch
from api.problems import Problem
from api.shapes import model
from dataset_jobs.model.requests import InvalidRequest, NotFound, UnknownCountry
from services.listing import Count

Item = TypeVar("Item")

MOST_OFFSET = 10_000
"""Old clients may skip so many; beyond, a cursor is as quick as at the beginning."""


class Paging(BaseModel):
    """What every list takes."""

    limit: int = Field(50, ge=1, le=200, description="At most so many.")
    cursor: str | None = Field(None, max_length=1000, description="`meta.next_cursor` of the page before.")

    def filters(self) -> dict[str, Any]:
        """What the list is of, without what only says which page."""
        return self.model_dump(exclude={"limit", "cursor", "offset", "count"}, exclude_none=True)


class OldPaging(Paging):
    """What lists take that old clients read, too."""

    offset: int = Field(0, ge=0, le=MOST_OFFSET, description="Skip so many; for old clients. A cursor is better.")
    count: Literal["estimate"] | None = Field(None, description="Also count them, up to 10,000.")


class Meta(BaseModel):
    """About a page."""

    limit: int
    has_more: bool
    next_cursor: str | None
    as_of: datetime
    order: str
    offset: int | None = None
    total: int | None = Field(None, description="Only with count=estimate.")
    total_is_exact: bool | None = Field(None, description="False if there are more than that.")


def list_of(name: str, about: str, item: Any) -> type[BaseModel]:
    """The model of a list."""
    return model(name, about, data=list[item], meta=Meta)


def one_of(name: str, about: str, item: Any) -> type[BaseModel]:
    """The model of an answer with one thing."""
    return model(name, about, data=item)


def place(query: Paging, order: str = "newest") -> Any:
    """Where the page begins that is asked for; None for the first one.

    Raises:
        Problem: the cursor is not one of this list, or there is an offset beside it.
    """
    if query.cursor and isinstance(query, OldPaging) and query.offset:
        why = "give either a cursor or an offset"
        raise Problem("field-invalid", f"offset: {why}", [{"field": "offset", "message": why}], status=400)
    return key_of(query.cursor, query.filters(), order)


def page(
    request: Request,
    query: Paging,
    data: Sequence[Any],
    follows: Any,
    as_of: datetime,
    order: str = "newest",
    count: Count | None = None,
) -> Response:
    """The answer with a page.

    Args:
        request, query: what was asked.
        data: the items, as JSON.
        follows: where the next page begins; None if there is none.
        as_of: when that was so, by the database's clock.
        order: of the list.
        count: how many there are, if that was asked.
    """
    meta: dict[str, Any] = {
        "limit": query.limit,
        "has_more": follows is not None,
        "next_cursor": None if follows is None else cursor_after(follows, query.filters(), order),
        "as_of": as_of,
        "order": order,
    }
    if isinstance(query, OldPaging):
        meta["offset"] = query.offset
    if count is not None:
        meta |= {"total": count.at_least, "total_is_exact": count.exact}
    return answer(request, {"data": data, "meta": meta})


@contextmanager
def asked() -> Iterator[None]:
    """What a parameter of the address names and is not there, or cannot be, is a fault of the address: 400."""
    try:
        yield
    except (NotFound, UnknownCountry):
        raise
    except InvalidRequest as error:
        raise Problem("field-invalid", str(error), status=400) from None


def key_place(query: Paging, order: str = "newest") -> int | None:
    """As `place`, for a list whose pages begin at a number."""
    found = place(query, order)
    if found is not None and not (isinstance(found, int) and 0 <= found < 1 << 62):
        raise mismatch("it is not a cursor of this list")
    return found


def check_alone(query: OldPaging, name: str) -> None:
    """Raises a Problem if something else is asked for beside a parameter that goes without."""
    others = query.filters().keys() - {name, "sort"}
    if any(query.filters()[one] for one in others) or query.cursor or query.offset:
        why = f"give either {name} or other filters"
        raise Problem("field-invalid", f"{name}: {why}", [{"field": name, "message": why}], status=400)


def check_unfiltered(query: OldPaging) -> None:
    """Raises a Problem if an order is asked for together with filters that it does not go with."""
    if any(value for name, value in query.filters().items() if name != "sort"):
        why = "this order goes with no filter"
        raise Problem("field-invalid", f"sort: {why}", [{"field": "sort", "message": why}], status=400)


def sliced(query: Paging, items: Sequence[Item], name: Callable[[Item], str]) -> tuple[list[Item], str | None]:
    """A page of a short list that is read whole, in the order of its names, and where the next one begins."""
    after = place(query, "name")
    rest = [one for one in items if after is None or name(one) > str(after)]
    shown = rest[: query.limit]
    return shown, name(shown[-1]) if len(rest) > len(shown) else None


def _split(given: Any) -> Any:
    """`a,b` and `a` beside `b` are the same."""
    if not isinstance(given, list):
        return given
    return [part for one in given for part in (one.split(",") if isinstance(one, str) else [one])]


Several = BeforeValidator(_split)
"""A parameter that may be given several times, or once with commas."""
