"""The audit: who did what, by which way, to what."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from api.access import Access
from api.context import Using
from api.cursors import cursor_after, key_of, mismatch
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page
from dataset_jobs.model.actor import Act
from dataset_jobs.model.durations import parse_when
from dataset_jobs.model.requests import InvalidRequest
from services.audit import AuditFilter, AuditPage
from services.audit_words import done, more

topic = Topic("page of the audit", "Who did what, for admins.")

SHOWN = 50
"""Acts of a page."""

_PAGES: Mapping[str, str] = {"job": "/jobs/{}", "pool": "/pools/{}", "schedule": "/schedules/{}"}


@shows(topic, paths.AUDIT, Access.ADMIN, problems=["cursor-mismatch", "field-invalid"])
def audit(
    request: Request,
    using: Using,
    actor: str = "",
    action: str = "",
    target: str = "",
    since: str = "",
    cursor: str = "",
) -> Response:
    """A page of acts, the newest first. Each filter is in the address."""
    client = using.client
    said = {"actor": actor.strip(), "action": action.strip(), "target": target.strip(), "since": since.strip()}
    now, found, wrong = client.now(), AuditPage([], None), None
    try:
        actor_, action_, target_ = (said[name] or None for name in ("actor", "action", "target"))
        which = AuditFilter(actor_, action_, target_, _since(said["since"], now))
        found = client.audit.page(which, SHOWN, _place(cursor, said))
    except InvalidRequest as error:
        wrong = error
    values = {
        "acts": [(one, done(one), more(one), _page_of(one.target)) for one in found.items],
        "said": said,
        "wrong": wrong,
        "actions": [*Act],
        "first": address(said),
        "is_first": not cursor,
        "next": None if found.next is None else address({**said, "cursor": cursor_after(found.next, said)}),
        "narrowed": lambda name, value: address({**said, name: value}),
        "now": now,
    }
    return page(request, "audit", values, 200 if wrong is None else 400)


def address(said: Mapping[str, str]) -> str:
    """The audit with these filters."""
    given = {name: value for name, value in said.items() if value}
    return f"{paths.AUDIT}?{urlencode(given)}" if given else paths.AUDIT


def _since(given: str, now: datetime) -> datetime | None:
    """A time, or how long ago it was."""
    if not given:
        return None
    try:
        found = parse_when(given)
        return now - found if isinstance(found, timedelta) else found
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"since: expected {error}") from None


def _place(cursor: str, said: Mapping[str, str]) -> int | None:
    found = key_of(cursor or None, said)
    if found is not None and not (isinstance(found, int) and 0 <= found < 1 << 62):
        raise mismatch("it is not a cursor of this list")
    return found


def _page_of(target: str | None) -> str | None:
    """The page of what somebody did something to, if there is one."""
    kind, _, name = (target or "").partition("/")
    return _PAGES[kind].format(quote(name, safe="")) if kind in _PAGES and name else None
